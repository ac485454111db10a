/*
 * train.c -- the schedule of a training: networks one after the other, epochs, validations, the rate.
 *
 * A state between two epochs (struct train_state, weights, moments, the best weights so far) determines all that follows: what is
 * random is drawn by counters.  The one clock, CPU time of this thread, can only end a network early.
 */
#include "common/forecast/train.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/random.h"
#include "common/forecast/train_parts.h"

#define HALVINGS 3
#define ATTEMPTS 16 /* windows without anything to learn from are drawn again so often */

void
train_options_default(struct train_options *o)
{
	*o = (struct train_options){
		.networks = 5,
		.epochs = 100,
		.batches = 50,
		.batch = 32,
		.validation_windows = 1,
		.validation_every = 5,
		.validation_series = 200,
		.patience = 3,
		.rate = 1e-3,
		.weight_decay = 1e-8,
		.clip = 10,
		.average = 0.995,
		.seed = 1,
	};
}

static int
check(const struct train_options *o, struct err *err)
{
	const struct {
		const char *name;
		double value, least, most;
	} rules[] = {
		{ "networks", o->networks, 1, 1000 },
		{ "epochs", o->epochs, 1, 1e6 },
		{ "batches", o->batches, 1, 1e6 },
		{ "batch", o->batch, 1, 4096 },
		{ "validation_windows", o->validation_windows, 0, 1000 },
		{ "validation_every", o->validation_every, 1, 1e6 },
		{ "validation_series", o->validation_series, 1, 1e9 },
		{ "patience", o->patience, 1, 1e6 },
		{ "rate", o->rate, 1e-12, 1 },
		{ "weight_decay", o->weight_decay, 0, 1 },
		{ "clip", o->clip, 1e-12, 1e12 },
		{ "scale_weighted", o->scale_weighted, 0, 1 },
		{ "average", o->average, 0, 1 },
		{ "seconds", o->seconds, 0, 1e9 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (!(rules[i].value >= rules[i].least && rules[i].value <= rules[i].most))
			return err_set(err, REASON_OPTION_INVALID, "%s: %g is not in %g to %g", rules[i].name,
				       rules[i].value, rules[i].least, rules[i].most);
	return 0;
}

/*
 * A lag that reaches back over most of the longest series is 0 in most windows.  What chance made of its weights would stay much as it
 * is, and speak up once the series have grown: it begins with nothing to say, and learns from the windows that do know it.
 */
static void
silence_rare_lags(struct training *t)
{
	const struct deepar_config *c = &t->model->config;
	const struct deepar_layer first = deepar_layer(t->model, 0);
	size_t longest = 0;

	for (size_t i = 0; i < t->n; i++)
		longest = t->targets[i].n > longest ? t->targets[i].n : longest;
	for (size_t l = 0; l < c->frequency.n_lags; l++)
		for (size_t row = 0; 4 * (size_t)c->frequency.lags[l] > 3 * longest && row < 4 * (size_t)c->hidden;
		     row++)
			first.weight_ih[row * first.inputs + l] = 0;
}

/* Another network: new weights, nothing learnt. */
static void
begin(struct training *t)
{
	deepar_init(t->model, random_u64(t->options.seed, 1, (uint64_t)t->at.network));
	silence_rare_lags(t);
	memcpy(t->mean->weights, t->model->weights, t->model->n_weights * sizeof(float));
	memset(t->m, 0, t->model->n_weights * sizeof(float));
	memset(t->v, 0, t->model->n_weights * sizeof(float));
	t->at.epoch = t->at.stale = t->at.halvings = 0;
	t->at.step = 0;
	t->at.rate = t->options.rate;
	t->at.validation = t->at.best = (double)NAN;
}

int
training_new(const struct deepar_config *c, const struct train_options *o, const struct target *targets, size_t n,
	     const struct kernel *kernel, struct training **ret, struct err *err)
{
	CLEANUP(training_free) struct training *t = calloc(1, sizeof(*t));

	if (!t)
		return err_set(err, REASON_NO_MEMORY, "a training");
	if (check(o, err) < 0 || deepar_new(c, &t->model, err) < 0 || deepar_new(c, &t->mean, err) < 0)
		return -1;
	t->options = *o;
	t->targets = targets;
	t->n = n;
	t->kernel = kernel ? kernel : kernel_find(NULL);
	if (train_series_choose(t, err) < 0 ||
	    gradient_new(t->model, t->kernel, (size_t)o->batch, &t->gradient, err) < 0)
		return -1;
	t->m = calloc(t->model->n_weights, sizeof(float));
	t->v = calloc(t->model->n_weights, sizeof(float));
	t->slope = calloc(t->model->n_weights, sizeof(float));
	t->networks = calloc((size_t)o->networks, sizeof(*t->networks));
	if (!t->m || !t->v || !t->slope || !t->networks)
		return err_set(err, REASON_NO_MEMORY, "a training of %zu weights", t->model->n_weights);
	for (int32_t i = 0; i < o->networks; i++)
		t->networks[i].validation = (double)NAN;
	t->options_hash = train_hash_options(c, o);
	t->data_hash = train_hash_targets(c, targets, n);
	begin(t);
	*ret = TAKE(t);
	return 0;
}

void
training_free(struct training *t)
{
	if (!t)
		return;
	for (int32_t i = 0; t->networks && i < t->options.networks; i++)
		deepar_free(t->networks[i].model);
	free(t->networks);
	gradient_free(t->gradient);
	free(t->slope);
	free(t->v);
	free(t->m);
	free(t->series);
	deepar_free(t->mean);
	deepar_free(t->model);
	free(t);
}

int
train_keep(struct training *t, struct err *err)
{
	struct train_network *network = &t->networks[t->at.network];

	if (!network->model && deepar_new(&t->model->config, &network->model, err) < 0)
		return -1;
	memcpy(network->model->weights, t->mean->weights, t->model->n_weights * sizeof(float));
	network->validation = t->at.validation;
	t->at.best = t->at.validation;
	return 0;
}

/* ---- an epoch ---- */

static void
draw_batch(struct training *t, int32_t batch)
{
	gradient_begin(t->gradient);
	for (int32_t i = 0; i < t->options.batch; i++)
		for (int32_t attempt = 0; attempt < ATTEMPTS; attempt++) {
			struct train_draw d = train_window(t, t->at.network, t->at.epoch, batch, i, attempt);

			if (gradient_put(t->gradient, t->model, &t->targets[d.target], d.split))
				break;
		}
}

/* The first steps leave less of it: what it starts from means nothing. */
static void
follow(struct training *t)
{
	double step = (double)t->at.step, early = step / (step + 10);
	float *mean = t->mean->weights, *weights = t->model->weights;
	float rest = (float)(1 - (early < t->options.average ? early : t->options.average));

	if (t->options.average == 0)
		memcpy(mean, weights, t->model->n_weights * sizeof(float));
	else
		for (size_t i = 0; i < t->model->n_weights; i++)
			mean[i] += rest * (weights[i] - mean[i]);
}

static int
learn(struct training *t, struct err *err)
{
	struct adam_rule rule = { t->at.rate, t->options.weight_decay, t->options.clip };
	struct gradient_noise noise = { .dropout = t->model->config.dropout,
					.seed = random_u64(t->options.seed, 0, (uint64_t)t->at.network) };
	double sum = 0;

	for (int32_t batch = 0; batch < t->options.batches; batch++) {
		double loss;

		draw_batch(t, batch);
		noise.stream = t->at.step;
		loss = gradient_run(t->gradient, t->model, &noise, t->slope);
		if (!isfinite(loss) || !isfinite(adam_step(&rule, ++t->at.step, t->model->n_weights, t->model->weights,
							   t->m, t->v, t->slope)))
			return err_set(err, REASON_RECORD_INVALID,
				       "network %d, epoch %d, batch %d: the loss is no number (%g)", t->at.network,
				       t->at.epoch, batch, loss);
		follow(t);
		sum += loss;
	}
	t->at.loss = sum / t->options.batches;
	t->at.epoch++;
	return 0;
}

/* Judge the weights of the moment; keep the best; lower the rate when there has been no better one for long. */
static int
judge(struct training *t, struct err *err)
{
	if (train_validate(t, t->mean, &t->at.validation, err) < 0)
		return -1;
	if (isnan(t->at.best) || t->at.validation < t->at.best) {
		t->at.stale = 0;
		return train_keep(t, err);
	}
	if (++t->at.stale >= t->options.patience) {
		t->at.stale = 0;
		t->at.halvings++;
		t->at.rate /= 2;
	}
	return 0;
}

static double
cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* The budget of all networks up to this one is spent; what an early one leaves, the later ones have. */
static bool
spent(const struct training *t, double seconds)
{
	double share = t->options.seconds * (t->at.network + 1) / t->options.networks;

	return t->options.seconds > 0 && seconds >= share;
}

int
training_epoch(struct training *t, struct train_progress *progress, struct err *err)
{
	double start = cpu_seconds(), before = t->at.seconds;
	bool last;

	if (t->at.network >= t->options.networks)
		return 0;
	if (learn(t, err) < 0)
		return -1;
	last = t->at.epoch >= t->options.epochs || spent(t, before + cpu_seconds() - start);
	if (t->options.validation_windows > 0) {
		if ((last || t->at.epoch % t->options.validation_every == 0) && judge(t, err) < 0)
			return -1;
		last |= t->at.halvings >= HALVINGS;
	} else if (last && train_keep(t, err) < 0)
		return -1;
	t->at.seconds = before + cpu_seconds() - start;
	if (progress)
		*progress = (struct train_progress){ t->at.network, t->at.epoch, t->at.loss,   t->at.validation,
						     t->at.best,    t->at.rate,  t->at.seconds };
	if (last) {
		t->at.network++;
		if (t->at.network < t->options.networks)
			begin(t);
	}
	return t->at.network < t->options.networks;
}

size_t
training_series(const struct training *t)
{
	return t->n_series;
}

size_t
training_networks(const struct training *t)
{
	return (size_t)t->options.networks;
}

const struct deepar *
training_network(const struct training *t, size_t i)
{
	return t->networks[i].model;
}

double
training_validation(const struct training *t, size_t i)
{
	return t->networks[i].validation;
}
