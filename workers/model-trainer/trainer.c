/*
 * trainer.c -- the epochs are the smallest step: between two of them a stop is seen and the progress is saved.  What follows the last
 * epoch (weights of the ensemble, the gate) is done again after a crash, from the saved end of the training.
 */
#include "workers/model-trainer/trainer.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/forecast/fit.h"
#include "common/forecast/head.h"
#include "common/store/models.h"
#include "workers/model-trainer/candidate.h"

#define LOG_US (5 * US_PER_SECOND)
#define BESIDE_BYTES ((size_t)1 << 20) /* of an artefact, beside its weights */

struct work {
	struct job *job;
	char name[ARTEFACT_TEXT_BYTES];
	struct frequency frequency;
	struct arena *arena;
	const struct group *group;
	struct collection own; /* read again for a training that was under way */
	struct target *seen;   /* without the windows that the gate judges by */
	struct training_plan plan;
	struct span progress; /* to go on from; SPAN_NONE: from the beginning */
	struct training *training;
	struct buffer bytes;
	int64_t started_us, saved_us, logged_us; /* wall time; monotonic: both */
};

static void
work_clear_cleanup(struct work *w)
{
	training_free(w->training);
	free(w->seen);
	buffer_clear(&w->bytes);
	collection_clear(&w->own);
	arena_free(w->arena);
}

int
trainer_name(const struct job *j, int64_t step_us, struct frequency *f, char name[ARTEFACT_TEXT_BYTES], struct err *err)
{
	if (frequency_of_step(step_us, f, err) < 0)
		return -1;
	snprintf(name, ARTEFACT_TEXT_BYTES, "%s-%s", j->opt.model_name, f->name);
	return 0;
}

bool
trainer_wants(const struct job *j, const struct frequency *f)
{
	const char *list = j->opt.frequencies;

	if (!list[0])
		return true;
	while (*list) {
		char word[FREQUENCY_NAME_BYTES] = "";
		struct frequency wanted;
		size_t n = strcspn(list, ", ");

		if (n < sizeof(word))
			memcpy(word, list, n);
		if (n && frequency_parse(word, &wanted, NULL) == 0 && strcmp(wanted.name, f->name) == 0)
			return true;
		list += n;
		list += strspn(list, ", ");
	}
	return false;
}

/* ---- what is learnt from ---- */

/* True: too little; logged with what there is and what is needed. */
static bool
lacks(const struct work *w)
{
	const struct trainer_options *opt = &w->job->opt;
	size_t needs = trainer_needs(opt), able = 0;

	for (size_t i = 0; i < w->group->n; i++)
		able += w->group->targets[i].n >= needs;
	if (able >= (size_t)opt->series_min && w->group->points >= (uint64_t)opt->points_min)
		return false;
	log_event(LOG_WARN, "not enough to train on", "model", LOG_S(w->name), "series", LOG_I((int64_t)w->group->n),
		  "points", LOG_I((int64_t)w->group->points), "series long enough", LOG_I((int64_t)able),
		  "steps needed", LOG_I((int64_t)needs), "series needed (train.series.min)", LOG_I(opt->series_min),
		  "points needed (train.points.min)", LOG_I(opt->points_min), NULL);
	return true;
}

static void
begin_anew(struct work *w, const char *why)
{
	log_event(LOG_WARN, "training begins anew", "model", LOG_S(w->name), "why", LOG_S(why), NULL);
}

/* Read what the training was begun with.  *WHY stays NULL when it is all there. */
static int
recall(struct work *w, const struct training_plan *plan, const char **why, struct err *err)
{
	const struct group *g;

	*why = NULL;
	if (plan->options != w->plan.options || !span_equal(plan->topic, w->plan.topic) ||
	    plan->step_us != w->plan.step_us) {
		*why = "its options have changed";
		return 0;
	}
	collection_clear(&w->own);
	w->own.ranges = calloc(plan->n_ranges + 1, sizeof(*w->own.ranges));
	if (!w->own.ranges)
		return err_set(err, REASON_NO_MEMORY, "plan");
	if (plan->n_ranges)
		memcpy(w->own.ranges, plan->ranges, plan->n_ranges * sizeof(*plan->ranges));
	w->own.n_ranges = plan->n_ranges;
	if (source_read(w->job, &w->own, err) < 0)
		return -1;
	g = group_find(w->own.groups, w->own.n_groups, plan->step_us);
	if (!g || g->hash != plan->data)
		*why = "the records that it was begun with are not all there any more";
	else
		w->group = g;
	return 0;
}

/* Is a training of this name under way?  Then its data and its progress, else new ones. */
static int
take_up(struct work *w, struct err *err)
{
	struct err broken = ERR_INIT;
	struct model_training t;
	struct training_plan plan;
	const char *why = NULL;
	bool found;

	if (models_training_get(w->job->store, span_of(w->name), w->arena, &t, &found, err) < 0)
		return -1;
	if (!found)
		return 0;
	if (plan_read(t.plan, w->arena, &plan, &broken) < 0)
		why = broken.text;
	else if (recall(w, &plan, &why, err) < 0)
		return -1;
	if (why) {
		begin_anew(w, why);
		return 0;
	}
	w->plan = plan;
	w->progress = t.progress;
	w->started_us = t.started_us;
	log_event(LOG_INFO, "training goes on", "model", LOG_S(w->name), "bytes", LOG_I((int64_t)t.progress.len), NULL);
	return 0;
}

/* ---- epochs ---- */

static int
save(struct work *w, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer plan = BUFFER_INIT(1 << 20);
	const struct model_training t = { .name = span_of(w->name),
					  .progress = w->bytes.len ? buffer_span(&w->bytes) : SPAN_NONE,
					  .started_us = w->started_us,
					  .saved_us = clock_real_us() };
	struct model_training whole = t;

	if (plan_write(&w->plan, &plan) < 0)
		return err_set(err, REASON_NO_MEMORY, "plan");
	whole.plan = buffer_span(&plan);
	w->saved_us = clock_monotonic_us();
	return models_training_save(w->job->store, &whole, err);
}

/* The present progress.  A database that is away for the moment does not stop a training; AT_LAST: it has to be there. */
static int
save_progress(struct work *w, bool at_last, struct err *err)
{
	struct err trouble = ERR_INIT;

	w->bytes.len = 0;
	if (training_save(w->training, &w->bytes) < 0)
		return err_set(err, REASON_NO_MEMORY, "progress of a training");
	if (save(w, &trouble) == 0) {
		log_event(LOG_DEBUG, "progress saved", "model", LOG_S(w->name), "bytes", LOG_I((int64_t)w->bytes.len),
			  NULL);
		return 0;
	}
	if (!at_last && err_class(&trouble) == ERR_RETRY) {
		log_error(LOG_WARN, "progress not saved", &trouble, "model", LOG_S(w->name), NULL);
		return 0;
	}
	*err = trouble;
	return -1;
}

static void
tell(struct work *w, const struct train_progress *p, bool over)
{
	const struct trainer_options *opt = &w->job->opt;
	struct metrics *m = w->job->metrics;
	double done = (double)p->network * (double)opt->epochs + p->epoch;
	double share = done / ((double)opt->networks * (double)opt->epochs);
	int64_t now = clock_monotonic_us();

	if (opt->seconds > 0 && share < p->seconds / opt->seconds)
		share = p->seconds / opt->seconds;
	share = over || share > 1 ? 1 : share;
	meter(m, METER_EPOCHS, w->name, NULL, 1);
	meter(m, METER_SHARE, w->name, NULL, share);
	meter(m, METER_LOSS, w->name, NULL, p->loss);
	meter(m, METER_VALIDATION, w->name, NULL, p->validation);
	meter(m, METER_SECONDS, w->name, NULL, p->seconds);
	job_say(w->job, "training %s: %.0f %%, network %d, epoch %d", w->name, 100 * share, p->network, p->epoch);
	progress_show(&w->job->progress, share, (int64_t)done);
	if (!over && now - w->logged_us < LOG_US)
		return;
	progress_wipe(&w->job->progress);
	w->logged_us = now;
	log_event(LOG_INFO, "training", "model", LOG_S(w->name), "share", LOG_F(round(share * 1000) / 1000), "network",
		  LOG_I(p->network), "epoch", LOG_I(p->epoch), "loss", LOG_F(p->loss), "validation",
		  LOG_F(p->validation), "best", LOG_F(p->best), "rate", LOG_F(p->rate), "cpu_seconds",
		  LOG_F(p->seconds), NULL);
}

/* 1: to the end; 0: asked to stop, and saved. */
static int
epochs(struct work *w, struct err *err)
{
	int more = 1;

	while (more > 0) {
		struct train_progress p = { 0 };

		if (job_stop_wanted())
			return save_progress(w, true, err);
		more = training_epoch(w->training, &p, err);
		if (more < 0)
			return -1;
		tell(w, &p, !more);
		if ((!more || clock_monotonic_us() - w->saved_us >= w->job->opt.save_seconds * US_PER_SECOND) &&
		    save_progress(w, false, err) < 0)
			return -1;
	}
	return 1;
}

static int
learn(struct work *w, struct err *err)
{
	int result;

	progress_start(&w->job->progress, "epochs");
	result = epochs(w, err);
	progress_end(&w->job->progress);
	return result;
}

static bool
all_supported(enum deepar_head head, const struct target *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (!isnan(t->values[i]) && !head_supports(head, t->values[i]))
			return false;
	return true;
}

/* The group's series without the gate's windows; one with a value that the head cannot have is nothing to learn from. */
static void
choose_series(struct work *w, enum deepar_head head)
{
	const struct group *g = w->group;
	const struct past *first = NULL;
	int64_t left_out = 0;

	for (size_t i = 0; i < g->n; i++) {
		bool fit = all_supported(head, &g->targets[i]);

		w->seen[i] = g->targets[i];
		w->seen[i].n = fit ? trainer_seen(&w->job->opt, g->targets[i].n) : 0;
		left_out += !fit;
		if (!fit && !first)
			first = g->pasts[i];
	}
	if (first)
		log_event(LOG_WARN, "series left out", "model", LOG_S(w->name), "series", LOG_I(left_out), "why",
			  LOG_S("they have values that train.head cannot have"), "head", LOG_S(deepar_head_name(head)),
			  "first device", LOG_S(first->device), "metric", LOG_S(first->metric), NULL);
}

/* That all networks together are too large to be stored is said before hours are spent on them. */
static int
check_size(const struct work *w, const struct deepar_config *c, struct err *err)
{
	size_t networks = (size_t)w->job->opt.networks, bytes;

	if (deepar_config_check(c, err) < 0)
		return -1;
	bytes = deepar_config_weights(c) * sizeof(float) * networks;
	if (bytes <= CANDIDATE_MAX_BYTES - BESIDE_BYTES)
		return 0;
	return err_set(err, REASON_OPTION_INVALID,
		       "model %s: %zu networks (train.networks) of %d layers (train.layers) of %d cells (train.hidden) "
		       "are %zu MB, %zu can be stored",
		       w->name, networks, c->layers, c->hidden, bytes >> 20, CANDIDATE_MAX_BYTES >> 20);
}

/* A training of G as the plan says, as far as it is. */
static int
prepare(struct work *w, struct err *err)
{
	const struct deepar_config config = trainer_network(&w->job->opt, &w->frequency);
	struct err broken = ERR_INIT;
	const struct group *g = w->group;

	if (check_size(w, &config, err) < 0)
		return -1;
	w->seen = calloc(g->n + 1, sizeof(*w->seen));
	if (!w->seen)
		return err_set(err, REASON_NO_MEMORY, "series");
	choose_series(w, config.head);
	if (training_new(&config, &w->job->rules.train, w->seen, g->n, NULL, &w->training, err) < 0)
		return err_wrap(err, "model %s", w->name);
	if (!w->progress.ptr)
		return save(w, err);
	if (training_load(w->training, w->progress, &broken) == 0)
		return buffer_append(&w->bytes, w->progress.ptr, w->progress.len) < 0
			   ? err_set(err, REASON_NO_MEMORY, "progress of a training")
			   : 0;
	if (broken.reason == REASON_NO_MEMORY) {
		*err = broken;
		return -1;
	}
	begin_anew(w, broken.text);
	training_free(TAKE(w->training));
	if (training_new(&config, &w->job->rules.train, w->seen, g->n, NULL, &w->training, err) < 0)
		return -1;
	return save(w, err);
}

/* ---- after the last epoch ---- */

static void
fitted(void *self, double share)
{
	struct work *w = self;

	job_say(w->job, "fitting %s: %.0f %%", w->name, 100 * share);
	progress_show(&w->job->progress, share, (int64_t)(share * 100));
}

/* The weights of its members, and how far quantiles are off. */
static int
fit(struct work *w, struct artefact *a, struct err *err)
{
	const struct panel_rule panel = trainer_panel(&w->job->opt, &w->job->rules, &w->frequency);
	int result;

	progress_start(&w->job->progress, "percent fitted");
	result = fit_ensemble(a, &panel, w->seen, w->group->n, (size_t)w->job->opt.fit_windows,
			      (size_t)w->job->opt.fit_series, fitted, w, err);
	progress_end(&w->job->progress);
	return result;
}

static int
settle(struct work *w, struct artefact *a, enum trained *ret, struct err *err)
{
	enum standing standing;

	if (fit(w, a, err) < 0)
		return -1;
	for (size_t i = 0; i < a->n_figures; i++)
		meter(w->job->metrics, METER_FIGURE, w->name, a->figures[i].name, a->figures[i].value);
	log_event(LOG_INFO, "trained", "model", LOG_S(w->name), "version", LOG_S(a->version), "networks",
		  LOG_I((int64_t)a->n_networks), "series", LOG_I((int64_t)w->group->n), "points",
		  LOG_I((int64_t)w->group->points), "wql", LOG_F(artefact_figure(a, "wql")), "coverage80",
		  LOG_F(artefact_figure(a, "coverage80")), NULL);
	if (candidate_settle(w->job, a, &w->frequency, w->group, &standing, err) < 0)
		return -1;
	*ret = standing == STANDING_STOPPED ? TRAINED_STOPPED : TRAINED;
	if (standing == STANDING_STOPPED)
		return 0;
	if (models_training_end(w->job->store, span_of(w->name), err) < 0)
		return -1;
	meter(w->job->metrics, METER_TRAININGS, w->name, standing_name(standing), 1);
	log_event(LOG_INFO, "training has ended", "model", LOG_S(w->name), "version", LOG_S(a->version), "result",
		  LOG_S(standing_name(standing)), NULL);
	return 0;
}

static int
run(struct work *w, enum trained *ret, struct err *err)
{
	struct artefact a;
	int more, result;

	if (prepare(w, err) < 0)
		return -1;
	log_event(LOG_INFO, "training begins", "model", LOG_S(w->name), "series", LOG_I((int64_t)w->group->n), "points",
		  LOG_I((int64_t)w->group->points), "horizon", LOG_I(w->job->opt.horizon), "networks",
		  LOG_I(w->job->opt.networks), NULL);
	more = learn(w, err);
	if (more <= 0) {
		*ret = TRAINED_STOPPED;
		return more;
	}
	if (fit_artefact(w->training, w->name, w->seen, w->group->n, clock_real_us(), &a, err) < 0)
		return -1;
	result = settle(w, &a, ret, err);
	artefact_clear(&a);
	return result;
}

int
trainer_train(struct job *j, const struct collection *c, const struct group *g, enum trained *ret, struct err *err)
{
	CLEANUP(work_clear)
	struct work w = { .job = j,
			  .group = g,
			  .arena = arena_new(1 << 16, 0),
			  .bytes = BUFFER_INIT((size_t)1 << 30),
			  .started_us = clock_real_us() };
	struct err trouble = ERR_INIT;
	int result;

	*ret = TRAINED_NOT_ENOUGH;
	if (!w.arena)
		return err_set(err, REASON_NO_MEMORY, "training");
	if (trainer_name(j, g->step_us, &w.frequency, w.name, &trouble) < 0) {
		log_error(LOG_WARN, "not trained", &trouble, NULL);
		return 0;
	}
	w.plan = (struct training_plan){ .topic = span_of(j->opt.series_topic),
					 .ranges = c->ranges,
					 .n_ranges = c->n_ranges,
					 .step_us = g->step_us,
					 .options = trainer_options_hash(&j->opt, &w.frequency),
					 .data = g->hash };
	if (take_up(&w, err) < 0)
		return -1;
	if (lacks(&w))
		return 0;
	result = run(&w, ret, err);
	if (result < 0 && (err->reason == REASON_OPTION_INVALID || err->reason == REASON_RECORD_INVALID)) {
		meter(j->metrics, METER_TRAININGS, w.name, "failed", 1);
		if (models_training_end(j->store, span_of(w.name), &trouble) < 0)
			log_error(LOG_WARN, "not forgotten", &trouble, NULL);
	}
	return result;
}
