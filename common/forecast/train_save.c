/*
 * train_save.c -- a training between two epochs as an image: where it stands, weights and moments of the network that learns,
 * best weights of all, and two hashes, so that it is not continued with other options or other series.
 *
 * The budget of time is not among the options that must agree: to go on with another one is what a budget is for.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/image.h"
#include "common/base/random.h"
#include "common/forecast/train_parts.h"

struct saved_network {
	double validation;
	float *weights; /* none yet: NULL */
	size_t n;
};

struct saved {
	uint64_t options, data;
	struct train_state at;
	float *weights, *mean, *m, *v;
	size_t n_weights;
	struct saved_network *networks;
	size_t n_networks;
};

static const struct image_member state_members[] = {
	IMAGE_FIELD(struct train_state, network, IMAGE_I32), IMAGE_FIELD(struct train_state, epoch, IMAGE_I32),
	IMAGE_FIELD(struct train_state, stale, IMAGE_I32),   IMAGE_FIELD(struct train_state, halvings, IMAGE_I32),
	IMAGE_FIELD(struct train_state, step, IMAGE_U64),    IMAGE_FIELD(struct train_state, rate, IMAGE_F64),
	IMAGE_FIELD(struct train_state, loss, IMAGE_F64),    IMAGE_FIELD(struct train_state, validation, IMAGE_F64),
	IMAGE_FIELD(struct train_state, best, IMAGE_F64),    IMAGE_FIELD(struct train_state, seconds, IMAGE_F64),
};
static const struct image_table state_table = IMAGE_TABLE(struct train_state, state_members);

static const struct image_member network_members[] = {
	IMAGE_FIELD(struct saved_network, validation, IMAGE_F64),
	IMAGE_LIST_OF(struct saved_network, weights, n, IMAGE_F32),
};
static const struct image_table network_table = IMAGE_TABLE(struct saved_network, network_members);

static const struct image_member saved_members[] = {
	IMAGE_FIELD(struct saved, options, IMAGE_U64),
	IMAGE_FIELD(struct saved, data, IMAGE_U64),
	IMAGE_NESTED(struct saved, at, state_table),
	IMAGE_LIST_OF(struct saved, weights, n_weights, IMAGE_F32),
	IMAGE_LIST_OF(struct saved, mean, n_weights, IMAGE_F32),
	IMAGE_LIST_OF(struct saved, m, n_weights, IMAGE_F32),
	IMAGE_LIST_OF(struct saved, v, n_weights, IMAGE_F32),
	IMAGE_NESTED_LIST(struct saved, networks, n_networks, network_table),
};
static const struct image_table saved_table = IMAGE_TABLE(struct saved, saved_members);
static const struct image_type saved_type = IMAGE_TYPE("training", 1, saved_table);

/* ---- what must agree ---- */

static uint64_t
stir(uint64_t hash, uint64_t value)
{
	return random_u64(hash, value, 0);
}

static uint64_t
stir_number(uint64_t hash, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return stir(hash, isnan(value) ? UINT64_MAX : bits);
}

static uint64_t
stir_numbers(uint64_t hash, const double *values, size_t n)
{
	hash = stir(hash, values ? n : UINT64_MAX);
	for (size_t i = 0; values && i < n; i++)
		hash = stir_number(hash, values[i]);
	return hash;
}

uint64_t
train_hash_options(const struct deepar_config *c, const struct train_options *o)
{
	const double numbers[] = { c->head,
				   c->horizon,
				   c->context,
				   c->layers,
				   c->hidden,
				   c->n_cats,
				   c->n_reals,
				   c->n_dynamic,
				   c->default_scale,
				   c->dropout,
				   o->networks,
				   o->epochs,
				   o->batches,
				   o->batch,
				   o->validation_windows,
				   o->validation_every,
				   o->validation_series,
				   o->patience,
				   o->rate,
				   o->weight_decay,
				   o->clip,
				   o->scale_weighted,
				   o->average };
	uint64_t hash = stir(random_hash(span_of(c->frequency.name)), o->seed);

	for (int32_t i = 0; i < c->n_cats; i++)
		hash = stir(hash, (uint64_t)c->cardinality[i]);
	return stir_numbers(hash, numbers, ARRAY_LEN(numbers));
}

uint64_t
train_hash_targets(const struct deepar_config *c, const struct target *targets, size_t n)
{
	uint64_t hash = stir(0, n);

	for (size_t i = 0; i < n; i++) {
		const struct target *t = &targets[i];

		hash = stir(stir(hash, (uint64_t)t->start_us), (uint64_t)t->age);
		hash = stir_numbers(hash, t->values, t->n);
		for (int32_t k = 0; t->cats && k < c->n_cats; k++)
			hash = stir(hash, (uint64_t)t->cats[k]);
		hash = stir_numbers(hash, t->reals, (size_t)c->n_reals);
		for (int32_t k = 0; t->dynamic && k < c->n_dynamic; k++)
			hash = stir_numbers(hash, t->dynamic[k], t->n_dynamic);
	}
	return hash;
}

/* ---- bytes ---- */

int
training_save(const struct training *t, struct buffer *out)
{
	CLEANUP(heap_free) struct saved_network *networks = calloc((size_t)t->options.networks, sizeof(*networks));
	struct saved s = { .options = t->options_hash,
			   .data = t->data_hash,
			   .at = t->at,
			   .weights = t->model->weights,
			   .mean = t->mean->weights,
			   .m = t->m,
			   .v = t->v,
			   .n_weights = t->model->n_weights,
			   .networks = networks,
			   .n_networks = (size_t)t->options.networks };

	if (!networks)
		return -1;
	for (size_t i = 0; i < s.n_networks; i++) {
		const struct train_network *from = &t->networks[i];

		networks[i].validation = from->validation;
		networks[i].weights = from->model ? from->model->weights : NULL;
		networks[i].n = from->model ? from->model->n_weights : 0;
	}
	return image_write_described(&saved_type, &s, out);
}

static int
agree(const struct training *t, const struct saved *s, struct err *err)
{
	size_t n = t->model->n_weights;

	if (s->options != t->options_hash)
		return err_set(err, REASON_OPTION_INVALID, "the saved training has other options");
	if (s->data != t->data_hash)
		return err_set(err, REASON_OPTION_INVALID, "the saved training has other series");
	if (s->n_weights != n || s->n_networks != (size_t)t->options.networks || s->at.network < 0 ||
	    s->at.network > t->options.networks || s->at.epoch < 0 || s->at.epoch > t->options.epochs)
		return err_set(err, REASON_STATE_CORRUPT, "a saved training of %zu weights, network %d, epoch %d",
			       s->n_weights, s->at.network, s->at.epoch);
	for (size_t i = 0; i < s->n_networks; i++)
		if (s->networks[i].n != n && (s->networks[i].n != 0 || (int32_t)i < s->at.network))
			return err_set(err, REASON_STATE_CORRUPT, "network %zu has %zu of %zu weights", i,
				       s->networks[i].n, n);
	return 0;
}

/* Make room for the networks that S has; after this nothing can fail. */
static int
prepare(struct training *t, const struct saved *s, struct err *err)
{
	for (size_t i = 0; i < s->n_networks; i++)
		if (s->networks[i].n > 0 && !t->networks[i].model &&
		    deepar_new(&t->model->config, &t->networks[i].model, err) < 0)
			return -1;
	return 0;
}

static void
take_up(struct training *t, const struct saved *s)
{
	size_t bytes = t->model->n_weights * sizeof(float);

	t->at = s->at;
	memcpy(t->model->weights, s->weights, bytes);
	memcpy(t->mean->weights, s->mean, bytes);
	memcpy(t->m, s->m, bytes);
	memcpy(t->v, s->v, bytes);
	for (size_t i = 0; i < s->n_networks; i++) {
		t->networks[i].validation = s->networks[i].validation;
		if (s->networks[i].n > 0) {
			memcpy(t->networks[i].model->weights, s->networks[i].weights, bytes);
			continue;
		}
		deepar_free(t->networks[i].model);
		t->networks[i].model = NULL;
	}
}

int
training_load(struct training *t, struct span bytes, struct err *err)
{
	struct saved s;
	int rc;

	if (image_read(&saved_type, bytes, &s, err) < 0)
		return -1;
	rc = agree(t, &s, err) < 0 || prepare(t, &s, err) < 0 ? -1 : 0;
	if (rc == 0)
		take_up(t, &s);
	image_clear(&saved_type, &s);
	return rc;
}
