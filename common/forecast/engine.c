/*
 * engine.c -- a network is packed for the kernels once; its requests are then served some dozens at a time: their contexts are
 * read (engine_read.c, engine_wide.c), and the paths of a few of them drawn (engine_decode.c, engine_draw.c) until that is
 * done.  Series and paths are rows or columns of products whose numbers do not depend on their neighbours, so how requests are
 * grouped changes nothing.
 */
#include "common/forecast/engine.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "common/forecast/engine_parts.h"

#define AHEAD_MAX \
	((size_t)64 << 20) /* bytes for what is known ahead: with long horizons fewer series at a time; for windows */

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
		layer->wide = layer->step;
		if (i == 0)
			layer->wide = part(l, e->hidden * (layer->inputs + e->hidden) * 4);
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

/* Contexts. */
static void
lay_reading(struct engine *e, struct layout *l)
{
	size_t rows = e->series * ENGINE_CHUNK, layers = (size_t)e->model->config.layers;

	e->x = part(l, rows * e->model->n_inputs);
	e->z = part(l, rows * e->gates + KERNEL_COLUMNS);
	e->wide.past = part(l, e->model->past * ENGINE_READ);
	for (int i = 0; i < 2; i++)
		e->wide.chain[i] = part(l, (e->model->n_inputs + layers * e->hidden) * ENGINE_READ);
	for (size_t i = 0; i < layers; i++) {
		e->h[i] = part(l, (rows + e->series) * e->stride);
		e->wide.c[i] = part(l, e->hidden * ENGINE_READ);
		e->state_h[i] = part(l, e->reads * e->stride);
		e->state_c[i] = part(l, e->reads * e->stride);
		e->begin[i] = part(l, e->series * e->gates);
	}
}

static size_t
lay_out(struct engine *e, float *memory)
{
	struct layout l = { .memory = memory };
	size_t horizon = (size_t)e->model->config.horizon;

	lay_weights(e, &l);
	lay_reading(e, &l);
	e->ahead = part(&l, e->series * horizon * e->gates);
	lay_block(e, &l);
	e->samples = part(&l, e->series * horizon * e->paths);
	e->sorted = part(&l, e->paths * KERNEL_COLUMNS);
	return l.used;
}

/* ---- weights ---- */

/* In units of the gates' exponents. */
static float
scaled(const struct engine *e, size_t row, float weight)
{
	return weight * (row / e->hidden == 2 ? 2 * KERNEL_GATE : KERNEL_GATE);
}

static void
pack_turned(const struct engine *e, const float *weights, size_t k, float *to)
{
	for (size_t row = 0; row < 4 * e->hidden; row++)
		for (size_t i = 0; i < k; i++)
			to[i * e->gates + row] = scaled(e, row, weights[row * k + i]);
}

/* [unit][k][4]; the first N inputs, the last one first when TURNED, and h. */
static void
pack_units(const struct engine *e, const struct deepar_layer *from, size_t inputs, size_t n, bool turned, float *to)
{
	for (size_t row = 0; row < 4 * e->hidden; row++) {
		float *unit = to + row % e->hidden * (n + e->hidden) * 4 + row / e->hidden;

		for (size_t i = 0; i < n; i++)
			unit[(turned ? n - 1 - i : i) * 4] = scaled(e, row, from->weight_ih[row * inputs + i]);
		for (size_t i = 0; i < e->hidden; i++)
			unit[(n + i) * 4] = scaled(e, row, from->weight_hh[row * e->hidden + i]);
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
			to->bias[row] = scaled(e, row, from.bias_ih[row] + from.bias_hh[row]);
		pack_turned(e, from.weight_ih, to->inputs, to->in);
		pack_turned(e, from.weight_hh, e->hidden, to->hh);
		pack_units(e, &from, to->inputs, to->path_inputs, i == 0, to->step);
		if (i == 0)
			pack_units(e, &from, to->inputs, to->inputs, false, to->wide);
	}
	for (size_t i = 0; i < m->n_params; i++) {
		snprintf(name, sizeof(name), "param_proj.proj.%zu.weight", i);
		memcpy(e->head + i * e->hidden, deepar_numbers(m, name), e->hidden * sizeof(float));
		snprintf(name, sizeof(name), "param_proj.proj.%zu.bias", i);
		e->head_bias[i] = *deepar_numbers(m, name);
	}
}

/* N, or as many of BYTES each as there is room for. */
static size_t
at_most(size_t n, size_t bytes)
{
	size_t room = AHEAD_MAX / bytes;

	return room >= n ? n : room > 0 ? room : 1;
}

static void
measure(struct engine *e)
{
	const struct deepar_config *c = &e->model->config;
	size_t ahead, rows = (size_t)c->context + (size_t)c->horizon;

	e->hidden = (size_t)c->hidden;
	e->stride = round_up(e->hidden);
	e->gates = round_up(4 * e->hidden);
	for (int32_t i = 0; i < c->layers; i++) {
		e->layers[i].inputs = i == 0 ? e->model->n_inputs : e->hidden;
		e->layers[i].path_inputs = i == 0 ? c->frequency.n_lags : e->hidden;
	}
	ahead = (size_t)c->horizon * (e->gates + e->paths) * sizeof(float);
	e->series = at_most(ENGINE_SERIES, ahead);
	e->reads = at_most(ENGINE_READ, (e->model->past + rows * (e->model->n_inputs + 1)) * sizeof(float));
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
	for (size_t i = 0; i < e->reads; i++)
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
	for (size_t i = 0; i < ENGINE_READ; i++)
		deepar_window_clear(&e->windows[i]);
	free(e->memory);
	free(e);
}

/* ---- requests ---- */

/* Where what is drawn goes: samples, or their quantiles. */
struct sink {
	float *samples;
	const double *levels;
	size_t n_levels;
	double *values;
};

/* Row R of samples to column R, those that are no numbers behind all others; how many are numbers. */
static size_t
to_column(struct engine *e, const float *row, size_t r)
{
	size_t n = 0;

	for (size_t i = 0; i < e->paths; i++) {
		bool finite = isfinite(row[i]);

		e->sorted[i * KERNEL_COLUMNS + r] = finite ? row[i] : INFINITY;
		n += finite;
	}
	return n;
}

/* Of the N least numbers of sorted column R. */
static double
column_quantile(const struct engine *e, size_t r, size_t n, double level)
{
	double at = fmin(fmax(((double)n + 1.0 / 3) * level - 2.0 / 3, 0), n > 0 ? (double)(n - 1) : 0);
	size_t i = (size_t)at, next = i + 1 < n ? i + 1 : i;
	double low = (double)e->sorted[i * KERNEL_COLUMNS + r], high = (double)e->sorted[next * KERNEL_COLUMNS + r];

	return n > 0 ? low + (high - low) * (at - (double)i) : (double)NAN;
}

/* Of N rows, at most KERNEL_COLUMNS. */
static void
rows_quantiles(struct engine *e, const float *rows, size_t n, const struct sink *to, double *values)
{
	size_t finite[KERNEL_COLUMNS] = { 0 };

	for (size_t r = 0; r < n; r++)
		finite[r] = to_column(e, rows + r * e->paths, r);
	e->kernel->sort(e->paths, e->sorted);
	for (size_t r = 0; r < n; r++)
		for (size_t i = 0; i < to->n_levels; i++)
			values[r * to->n_levels + i] = column_quantile(e, r, finite[r], to->levels[i]);
}

/* The paths of N series from window FIRST on, which are those from AT on of all. */
static void
draw(struct engine *e, const struct engine_request *requests, size_t first, size_t n, size_t horizon, size_t at,
     const struct engine_probe *probe, const struct sink *to)
{
	float *samples = to->samples ? to->samples + at * horizon * e->paths : e->samples;
	struct engine_probe some = probe ? *probe : (struct engine_probe){ 0 };

	if (some.params)
		some.params += at * horizon * e->model->n_params;
	engine_ahead(e, first, n, horizon);
	engine_decode(e, requests, n, horizon, &some, samples);
	for (size_t r = 0; r < n * horizon && to->values; r += KERNEL_COLUMNS)
		rows_quantiles(e, samples + r * e->paths,
			       n * horizon - r < KERNEL_COLUMNS ? n * horizon - r : KERNEL_COLUMNS, to,
			       to->values + (at * horizon + r) * to->n_levels);
}

static void
run(struct engine *e, const struct engine_request *requests, size_t n, size_t horizon, const struct engine_probe *probe,
    const struct sink *to)
{
	assert(horizon <= (size_t)e->model->config.horizon);
	for (size_t at = 0, read; at < n; at += read) {
		size_t turns = (n - at + e->reads - 1) / e->reads, even = round_up((n - at + turns - 1) / turns);

		read = even < e->reads ? even : e->reads;
		read = n - at < read ? n - at : read;
		engine_read(e, requests + at, read);
		for (size_t i = 0, some; i < read; i += some) {
			some = read - i < e->series ? read - i : e->series;
			draw(e, requests + at + i, i, some, horizon, at + i, probe, to);
		}
	}
}

void
engine_run(struct engine *e, const struct engine_request *requests, size_t n, size_t horizon,
	   const struct engine_probe *probe, float *samples)
{
	run(e, requests, n, horizon, probe, &(struct sink){ .samples = samples });
}

void
engine_sample(struct engine *e, const struct engine_request *requests, size_t n, size_t horizon, float *samples)
{
	engine_run(e, requests, n, horizon, NULL, samples);
}

void
engine_quantiles(struct engine *e, const struct engine_request *requests, size_t n, size_t horizon,
		 const double *levels, size_t n_levels, double *values)
{
	run(e, requests, n, horizon, NULL, &(struct sink){ .levels = levels, .n_levels = n_levels, .values = values });
}
