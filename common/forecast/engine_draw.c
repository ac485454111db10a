/*
 * engine_draw.c -- from the head's raw numbers to values.  Student t and normal for all columns at once; counts and shares one by
 * one, each with a stream of its own that begins at the noise of its request, step and path.
 *
 * A value that leaves the float range is no number, and its path has none from there on.
 */
#include <float.h>
#include <math.h>

#include "common/base/random.h"
#include "common/forecast/engine_parts.h"
#include "common/forecast/head.h"

/* In place: a positive parameter, as head_map() has it. */
static void
positive(const struct engine *e, float *x, float offset)
{
	e->kernel->softplus(e->block.width, x);
	for (size_t j = 0; j < e->block.width; j++)
		x[j] = offset + (x[j] < FLT_EPSILON ? FLT_EPSILON : x[j]);
}

static void
noise(struct engine *e, const struct engine_request *requests, size_t k)
{
	struct engine_block *b = &e->block;

	for (size_t s = 0; s < b->runs; s++) {
		uint64_t key = kernel_noise_key(requests[b->series[s]].noise, k);

		for (size_t j = b->start[s]; j < (s + 1 < b->runs ? b->start[s + 1] : b->width); j++)
			b->key[j] = key;
	}
	e->kernel->noise(b->width, b->key, b->path, b->u, b->v);
}

static void
times_scale(struct engine *e, size_t k)
{
	struct engine_block *b = &e->block;

	for (size_t j = 0; j < b->width; j++)
		b->value[j] = b->drawn[k * b->ld + j] * b->scale[j];
}

static void
draw_student(struct engine *e, const struct engine_request *requests, size_t k)
{
	struct engine_block *b = &e->block;
	float *nu = b->raw, *mu = nu + b->ld, *sigma = mu + b->ld;

	positive(e, nu, 2);
	positive(e, sigma, 0);
	noise(e, requests, k);
	e->kernel->student_t(b->width, nu, mu, sigma, b->u, b->v, b->drawn + k * b->ld);
	times_scale(e, k);
}

static void
draw_normal(struct engine *e, const struct engine_request *requests, size_t k)
{
	struct engine_block *b = &e->block;
	float *mu = b->raw, *sigma = mu + b->ld;

	positive(e, sigma, 0);
	noise(e, requests, k);
	e->kernel->normal(b->width, mu, sigma, b->u, b->v, b->drawn + k * b->ld);
	times_scale(e, k);
}

struct stream {
	uint64_t seed, taken;
};

static double
uniform(void *stream)
{
	struct stream *s = stream;

	return random_uniform(s->seed, 0, s->taken++);
}

/* Column J has got VALUE. */
static void
set_value(struct engine_block *b, size_t k, size_t j, double value, double scale)
{
	b->value[j] = (float)value;
	b->drawn[k * b->ld + j] = (float)(value / scale);
}

static void
column_params(const struct engine *e, size_t j, double *params)
{
	const struct engine_block *b = &e->block;
	double raw[DEEPAR_PARAMS_MAX];

	for (size_t i = 0; i < e->model->n_params; i++)
		raw[i] = (double)b->raw[i * b->ld + j];
	head_map(e->model->config.head, raw, params);
}

static void
draw_others(struct engine *e, const struct engine_request *requests, size_t k)
{
	struct engine_block *b = &e->block;

	for (size_t j = 0; j < b->used; j++) {
		size_t series = (b->at + j) / e->paths;
		double params[DEEPAR_PARAMS_MAX], scale = e->windows[e->first + series].scale;
		struct stream stream = { random_u64(requests[series].noise, k, b->path[j]), 0 };

		column_params(e, j, params);
		set_value(b, k, j, head_draw(e->model->config.head, params, scale, uniform, &stream), scale);
	}
	for (size_t j = b->used; j < b->width; j++)
		set_value(b, k, j, (double)b->value[b->used - 1], (double)b->scale[j]);
}

static void
probe_step(struct engine *e, size_t k, size_t horizon, const struct engine_probe *probe)
{
	struct engine_block *b = &e->block;

	for (size_t j = 0; j < b->width; j++) {
		size_t series = (b->at + (j < b->used ? j : b->used - 1)) / e->paths;
		double params[DEEPAR_PARAMS_MAX], scale = e->windows[e->first + series].scale;

		column_params(e, j, params);
		for (size_t i = 0; i < e->model->n_params && probe->params && b->path[j] == 0; i++)
			probe->params[(series * horizon + k) * e->model->n_params + i] = params[i];
		set_value(b, k, j, head_mean(e->model->config.head, params, scale), scale);
	}
}

/* Values in their series' unit to where they belong. */
static void
give(struct engine *e, size_t k, size_t horizon, float *samples)
{
	struct engine_block *b = &e->block;
	float *drawn = b->drawn + k * b->ld;

	for (size_t s = 0; s < b->runs; s++) {
		size_t end = s + 1 < b->runs ? b->start[s + 1] : b->width, first = b->series[s] * e->paths;
		float *to = samples + (b->series[s] * horizon + k) * e->paths;

		for (size_t j = b->start[s]; j < end; j++) {
			if (!isfinite(b->value[j]))
				b->value[j] = drawn[j] = NAN;
			if (j < b->used)
				to[b->at + j - first] = b->value[j];
		}
	}
}

void
engine_draw(struct engine *e, const struct engine_request *requests, size_t k, size_t horizon,
	    const struct engine_probe *probe, float *samples)
{
	if (probe->mean)
		probe_step(e, k, horizon, probe);
	else if (e->model->config.head == HEAD_STUDENT_T)
		draw_student(e, requests, k);
	else if (e->model->config.head == HEAD_NORMAL)
		draw_normal(e, requests, k);
	else
		draw_others(e, requests, k);
	give(e, k, horizon, samples);
}
