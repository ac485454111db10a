/*
 * engine_read.c -- contexts.  Those of many series stand side by side, see engine_wide.c.  Those of a few: a chunk of steps at a
 * time, layer by layer; the inputs' part of the gates for all steps of a series is one product; the recurrent part goes step by
 * step, all series as the rows of one product.
 */
#include <string.h>

#include "common/forecast/engine_parts.h"

/* STEPS rows of gates: bias and inputs. */
static void
gates(const struct engine *e, const struct engine_layer *layer, size_t steps, const float *in, size_t ld, float *z)
{
	for (size_t t = 0; t < steps; t++)
		memcpy(z + t * e->gates, layer->bias, e->gates * sizeof(float));
	e->kernel->gemm_nn(steps, e->gates, layer->inputs, in, ld, layer->in, e->gates, z, e->gates, true);
}

static void
read_layer(struct engine *e, int32_t l, size_t at, size_t n, size_t steps)
{
	const struct engine_layer *layer = &e->layers[l];
	const size_t rows = ENGINE_CHUNK + 1, stride = e->stride;

	for (size_t s = 0; s < n; s++)
		gates(e, layer, steps,
		      l == 0 ? e->x + s * ENGINE_CHUNK * layer->inputs : e->h[l - 1] + (s * rows + 1) * stride,
		      l == 0 ? layer->inputs : stride, e->z + s * ENGINE_CHUNK * e->gates);
	for (size_t t = 0; t < steps; t++) {
		e->kernel->gemm_nn(n, e->gates, e->hidden, e->h[l] + t * stride, rows * stride, layer->hh, e->gates,
				   e->z + t * e->gates, ENGINE_CHUNK * e->gates, true);
		for (size_t s = 0; s < n; s++)
			e->kernel->lstm_column(e->hidden, e->z + (s * ENGINE_CHUNK + t) * e->gates,
					       e->state_c[l] + (at + s) * stride,
					       e->h[l] + (s * rows + t + 1) * stride);
	}
}

static void
read_chunk(struct engine *e, size_t at, size_t n, size_t first, size_t steps)
{
	const size_t rows = ENGINE_CHUNK + 1;

	for (size_t s = 0; s < n; s++)
		for (size_t t = 0; t < steps; t++)
			deepar_window_input(e->model, &e->windows[at + s], first + t,
					    e->x + (s * ENGINE_CHUNK + t) * e->model->n_inputs);
	for (int32_t l = 0; l < e->model->config.layers; l++)
		read_layer(e, l, at, n, steps);
	for (int32_t l = 0; l < e->model->config.layers; l++)
		for (size_t s = 0; s < n; s++) {
			float *h = e->h[l] + s * rows * e->stride;

			memcpy(h, h + steps * e->stride, e->stride * sizeof(float));
		}
}

/* What paths share of the gates of the steps 1 to HORIZON - 1: all inputs but the lags that reach back to a draw. */
static void
look_ahead(struct engine *e, size_t s, size_t horizon)
{
	const struct deepar *m = e->model;
	const struct deepar_window *w = &e->windows[e->first + s];
	float *ahead = e->ahead + s * (size_t)m->config.horizon * e->gates;

	for (size_t first = 1, steps; first < horizon; first += steps) {
		steps = horizon - first < ENGINE_CHUNK ? horizon - first : ENGINE_CHUNK;
		for (size_t t = 0; t < steps; t++) {
			float *x = e->x + t * m->n_inputs;

			deepar_window_input(m, w, (size_t)m->config.context - 1 + first + t, x);
			for (size_t i = 0;
			     i < m->config.frequency.n_lags && (size_t)m->config.frequency.lags[i] <= first + t; i++)
				x[i] = 0;
		}
		gates(e, &e->layers[0], steps, e->x, m->n_inputs, ahead + first * e->gates);
	}
}

/* Step 1: every path comes from the same h, so that is shared too. */
static void
first_step(struct engine *e, size_t s)
{
	for (int32_t l = 0; l < e->model->config.layers; l++) {
		const float *h = e->state_h[l] + (e->first + s) * e->stride;
		const float *ahead = e->ahead + (s * (size_t)e->model->config.horizon + 1) * e->gates;
		float *first = e->begin[l] + s * e->gates;

		memcpy(first, l == 0 ? ahead : e->layers[l].bias, e->gates * sizeof(float));
		e->kernel->gemm_nn(1, e->gates, e->hidden, h, e->stride, e->layers[l].hh, e->gates, first, e->gates,
				   true);
	}
}

/* The contexts of N series from window AT on, at most ENGINE_SERIES. */
static void
read_few(struct engine *e, size_t at, size_t n)
{
	size_t context = (size_t)e->model->config.context, row = (ENGINE_CHUNK + 1) * e->stride;

	for (int32_t l = 0; l < e->model->config.layers; l++) {
		memset(e->state_c[l] + at * e->stride, 0, n * e->stride * sizeof(float));
		for (size_t s = 0; s < n; s++)
			memset(e->h[l] + s * row, 0, e->stride * sizeof(float));
	}
	for (size_t first = 0, steps; first < context; first += steps) {
		steps = context - first < ENGINE_CHUNK ? context - first : ENGINE_CHUNK;
		read_chunk(e, at, n, first, steps);
	}
	for (int32_t l = 0; l < e->model->config.layers; l++)
		for (size_t s = 0; s < n; s++)
			memcpy(e->state_h[l] + (at + s) * e->stride, e->h[l] + s * row, e->stride * sizeof(float));
}

void
engine_read(struct engine *e, const struct engine_request *requests, size_t n)
{
	for (size_t s = 0; s < n; s++)
		deepar_window_fill(e->model, requests[s].target, requests[s].target->n, &e->windows[s]);
	if (n >= ENGINE_WIDE)
		engine_read_wide(e, n);
	for (size_t at = 0; at < n && n < ENGINE_WIDE; at += e->series)
		read_few(e, at, n - at < e->series ? n - at : e->series);
}

void
engine_ahead(struct engine *e, size_t first, size_t n, size_t horizon)
{
	e->first = first;
	for (size_t s = 0; s < n && horizon > 1; s++) {
		look_ahead(e, s, horizon);
		first_step(e, s);
	}
}
