/*
 * engine.c -- a network is packed for the kernels once; its requests are then served a few series at a time: their contexts are
 * read (engine_read.c), their paths drawn (engine_decode.c, engine_draw.c).  Series and paths are rows or columns of products
 * whose numbers do not depend on their neighbours, so how requests are grouped changes nothing.
 */
#include "common/forecast/engine.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "common/forecast/engine_parts.h"

#define AHEAD_MAX ((size_t)64 << 20) /* bytes for what is known ahead: with long horizons fewer series at a time */

static size_t
round_up(size_t n)
{
	return (n + KERNEL_COLUMNS - 1) / KERNEL_COLUMNS * KERNEL_COLUMNS;
}

/* ---- memory: one block, laid out twice: to count and to point ---- */

struct layout {
	float *memory; /* NULL: count only */
	size_t used;
};

static void *
part(struct layout *l, size_t n)
{
	float *at = l->memory ? l->memory + l->used : NULL;

	l->used += round_up(n);
	return at;
}

static void
lay_weights(struct engine *e, struct layout *l)
{
	for (int32_t i = 0; i < e->model->config.layers; i++) {
		struct engine_layer *layer = &e->layers[i];

		layer->bias = part(l, e->gates);
		layer->in = part(l, layer->inputs * e->gates);
		layer->hh = part(l, e->hidden * e->gates);
		layer->step = part(l, e->hidden * (layer->path_inputs + e->hidden) * 4);
	}
	e->head = part(l, e->model->n_params * e->hidden);
	e->head_bias = part(l, e->model->n_params);
}

static void
lay_block(struct engine *e, struct layout *l)
{
	struct engine_block *b = &e->block;
	const struct deepar_config *c = &e->model->config;

	b->ld = round_up(e->kernel->block);
	for (int i = 0; i < 2; i++)
		b->chain[i] = part(l, (c->frequency.n_lags + (size_t)c->layers * e->hidden) * b->ld + KERNEL_COLUMNS);
	for (int32_t i = 0; i < c->layers; i++)
		b->c[i] = part(l, e->hidden * b->ld + KERNEL_COLUMNS);
	b->base = part(l, 4 * e->hidden * b->ld + KERNEL_COLUMNS);
	b->raw = part(l, e->model->n_params * b->ld);
	b->u = part(l, b->ld);
	b->v = part(l, b->ld);
	b->scale = part(l, b->ld);
	b->drawn = part(l, (size_t)c->horizon * b->ld);
	b->value = part(l, b->ld);
	b->path = part(l, 2 * b->ld);
	b->key = part(l, 2 * b->ld);
}

static size_t
lay_out(struct engine *e, float *memory)
{
	struct layout l = { .memory = memory };
	size_t rows = e->series * ENGINE_CHUNK, horizon = (size_t)e->model->config.horizon;

	lay_weights(e, &l);
	e->x = part(&l, rows * e->model->n_inputs);
	e->z = part(&l, rows * e->gates + KERNEL_COLUMNS);
	for (int32_t i = 0; i < e->model->config.layers; i++) {
		e->h[i] = part(&l, (rows + e->series) * e->stride);
		e->c[i] = part(&l, e->series * e->stride);
		e->first[i] = part(&l, e->series * e->gates);
	}
	e->ahead = part(&l, e->series * horizon * e->gates);
	lay_block(e, &l);
	e->samples = part(&l, e->series * horizon * e->paths);
	e->finite = part(&l, e->paths);
	e->less = part(&l, e->paths);
	return l.used;
}

/* ---- weights ---- */

static float
halved(const struct engine *e, size_t row, float weight)
{
	return row / e->hidden == 2 ? weight : weight * 0.5f;
}

static void
pack_turned(const struct engine *e, const float *weights, size_t k, float *to)
{
	for (size_t row = 0; row < 4 * e->hidden; row++)
		for (size_t i = 0; i < k; i++)
			to[i * e->gates + row] = halved(e, row, weights[row * k + i]);
}

static void
pack_step(const struct engine *e, const struct deepar_layer *from, bool lags, struct engine_layer *to)
{
	size_t n = to->path_inputs, all = n + e->hidden;

	for (size_t row = 0; row < 4 * e->hidden; row++) {
		float *unit = to->step + row % e->hidden * all * 4 + row / e->hidden;

		for (size_t i = 0; i < n; i++)
			unit[(lags ? n - 1 - i : i) * 4] = halved(e, row, from->weight_ih[row * to->inputs + i]);
		for (size_t i = 0; i < e->hidden; i++)
			unit[(n + i) * 4] = halved(e, row, from->weight_hh[row * e->hidden + i]);
	}
}

static void
pack(struct engine *e)
{
	const struct deepar *m = e->model;
	char name[48];

	for (int32_t i = 0; i < m->config.layers; i++) {
		struct engine_layer *to = &e->layers[i];
		struct deepar_layer from = deepar_layer(m, i);

		for (size_t row = 0; row < 4 * e->hidden; row++)
			to->bias[row] = halved(e, row, from.bias_ih[row] + from.bias_hh[row]);
		pack_turned(e, from.weight_ih, to->inputs, to->in);
		pack_turned(e, from.weight_hh, e->hidden, to->hh);
		pack_step(e, &from, i == 0, to);
	}
	for (size_t i = 0; i < m->n_params; i++) {
		snprintf(name, sizeof(name), "param_proj.proj.%zu.weight", i);
		memcpy(e->head + i * e->hidden, deepar_numbers(m, name), e->hidden * sizeof(float));
		snprintf(name, sizeof(name), "param_proj.proj.%zu.bias", i);
		e->head_bias[i] = *deepar_numbers(m, name);
	}
}

static void
measure(struct engine *e)
{
	const struct deepar_config *c = &e->model->config;
	size_t ahead;

	e->hidden = (size_t)c->hidden;
	e->stride = round_up(e->hidden);
	e->gates = round_up(4 * e->hidden);
	for (int32_t i = 0; i < c->layers; i++) {
		e->layers[i].inputs = i == 0 ? e->model->n_inputs : e->hidden;
		e->layers[i].path_inputs = i == 0 ? c->frequency.n_lags : e->hidden;
	}
	ahead = (size_t)c->horizon * (e->gates + e->paths) * sizeof(float);
	e->series = ahead * ENGINE_SERIES <= AHEAD_MAX ? ENGINE_SERIES : AHEAD_MAX / ahead;
	e->series = e->series > 0 ? e->series : 1;
}

int
engine_new(const struct deepar *m, const struct kernel *kernel, size_t paths, struct engine **ret, struct err *err)
{
	CLEANUP(engine_free) struct engine *e = NULL;
	size_t floats;

	if (paths < 1 || paths > ENGINE_PATHS_MAX)
		return err_set(err, REASON_OPTION_INVALID, "%zu paths: must be 1 to %d", paths, ENGINE_PATHS_MAX);
	e = calloc(1, sizeof(*e));
	if (!e)
		return err_set(err, REASON_NO_MEMORY, "an engine");
	e->model = m;
	e->kernel = kernel ? kernel : kernel_find(NULL);
	e->paths = paths;
	measure(e);
	floats = lay_out(e, NULL);
	e->memory = aligned_alloc(64, floats * sizeof(float));
	if (!e->memory)
		return err_set(err, REASON_NO_MEMORY, "an engine of %zu numbers", floats);
	memset(e->memory, 0, floats * sizeof(float));
	lay_out(e, e->memory);
	pack(e);
	for (size_t i = 0; i < e->series; i++)
		if (deepar_window_new(m, &e->windows[i], err) < 0)
			return -1;
	*ret = TAKE(e);
	return 0;
}

void
engine_free(struct engine *e)
{
	if (!e)
		return;
	for (size_t i = 0; i < ENGINE_SERIES; i++)
		deepar_window_clear(&e->windows[i]);
	free(e->memory);
	free(e);
}

/* ---- requests ---- */

void
engine_run(struct engine *e, const struct engine_request *requests, size_t n, size_t horizon,
	   const struct engine_probe *probe, float *samples)
{
	assert(horizon <= (size_t)e->model->config.horizon);
	for (size_t i = 0, some; i < n; i += some) {
		struct engine_probe part_probe = probe ? *probe : (struct engine_probe){ 0 };

		some = n - i < e->series ? n - i : e->series;
		if (part_probe.params)
			part_probe.params += i * horizon * e->model->n_params;
		engine_read(e, requests + i, some, horizon);
		engine_decode(e, requests + i, some, horizon, &part_probe, samples + i * horizon * e->paths);
	}
}

void
engine_sample(struct engine *e, const struct engine_request *requests, size_t n, size_t horizon, float *samples)
{
	engine_run(e, requests, n, horizon, NULL, samples);
}

/* The finite ones of a row of samples, each where its rank is; equal ones share a place and leave NaN behind it. */
static size_t
ordered(struct engine *e, float *row)
{
	size_t n = 0;

	for (size_t i = 0; i < e->paths; i++) {
		e->finite[n] = row[i];
		n += isfinite(row[i]) ? 1 : 0;
	}
	for (size_t i = n; i < round_up(n); i++)
		e->finite[i] = INFINITY;
	e->kernel->ranks(round_up(n), e->finite, e->less);
	for (size_t i = 0; i < n; i++)
		row[i] = NAN;
	for (size_t i = 0; i < n; i++)
		row[e->less[i]] = e->finite[i];
	return n;
}

static void
row_quantiles(struct engine *e, float *row, const double *levels, size_t n_levels, double *values)
{
	size_t n = ordered(e, row);

	for (size_t i = 0; i < n_levels; i++) {
		size_t rank = n > 0 ? (size_t)rint((double)(n - 1) * levels[i]) : 0;

		while (n > 0 && isnan(row[rank]))
			rank--;
		values[i] = n > 0 ? (double)row[rank] : (double)NAN;
	}
}

void
engine_quantiles(struct engine *e, const struct engine_request *requests, size_t n, size_t horizon,
		 const double *levels, size_t n_levels, double *values)
{
	for (size_t i = 0, some; i < n; i += some) {
		some = n - i < e->series ? n - i : e->series;
		engine_sample(e, requests + i, some, horizon, e->samples);
		for (size_t r = 0; r < some * horizon; r++)
			row_quantiles(e, e->samples + r * e->paths, levels, n_levels,
				      values + (i * horizon + r) * n_levels);
	}
}
