/*
 * engine_wide.c -- the contexts of many series at once: side by side as columns, a step at a time through all layers, by the
 * kernel that draws paths.  Every number is summed as engine_read.c sums it: bias, inputs in their order, the layer's own h.
 */
#include <string.h>

#include "common/forecast/engine_parts.h"

#define LD ENGINE_READ

/* Where layer L's h of an even or odd step is. */
static float *
wide_h(const struct engine *e, int32_t l, size_t odd)
{
	return e->wide.chain[odd ^ ((size_t)l & 1)] + (e->model->n_inputs + (size_t)l * e->hidden) * LD;
}

static void
wide_begin(struct engine *e, size_t n)
{
	for (size_t t = 0; t < e->model->past; t++)
		for (size_t s = 0; s < n; s++)
			e->wide.past[t * LD + s] = e->windows[s].past[t];
	for (int32_t l = 0; l < e->model->config.layers; l++) {
		memset(wide_h(e, l, 0), 0, e->hidden * LD * sizeof(float));
		memset(e->wide.c[l], 0, e->hidden * LD * sizeof(float));
	}
}

/* Rows of inputs for step T of the context, as deepar_window_input() has them. */
static void
wide_inputs(struct engine *e, size_t n, size_t t, float *x)
{
	const struct deepar *m = e->model;
	const struct frequency *f = &m->config.frequency;
	size_t newest = m->past - (size_t)m->config.context + t, width = m->n_inputs - f->n_lags - m->n_static;

	for (size_t i = 0; i < f->n_lags; i++, x += LD)
		memcpy(x, e->wide.past + (newest + 1 - (size_t)f->lags[i]) * LD, n * sizeof(float));
	for (size_t i = 0; i < m->n_static; i++, x += LD)
		for (size_t s = 0; s < n; s++)
			x[s] = e->windows[s].fixed[i];
	for (size_t i = 0; i < width; i++, x += LD)
		for (size_t s = 0; s < n; s++)
			x[s] = e->windows[s].moving[(t + 1) * width + i];
}

/* Step K, counted from 1: h and c of all layers. */
static void
wide_step(struct engine *e, size_t columns, size_t k)
{
	for (int32_t l = 0; l < e->model->config.layers; l++) {
		const struct engine_layer *layer = &e->layers[l];
		const float *own = wide_h(e, l, 1 - k % 2);
		const struct kernel_step step = {
			.hidden = e->hidden,
			.columns = columns,
			.ld = LD,
			.base = { layer->bias, layer->bias },
			.base_gate = e->hidden,
			.base_unit = 1,
			.rows = layer->inputs + e->hidden,
			.w = layer->wide,
			.w_unit = (layer->inputs + e->hidden) * 4,
			.x = own - layer->inputs * LD,
			.c = e->wide.c[l],
			.h = wide_h(e, l, k % 2),
		};

		e->kernel->lstm_step(&step);
	}
}

void
engine_read_wide(struct engine *e, size_t n)
{
	size_t context = (size_t)e->model->config.context;
	size_t columns = (n + KERNEL_COLUMNS - 1) / KERNEL_COLUMNS * KERNEL_COLUMNS;

	wide_begin(e, n);
	for (size_t k = 1; k <= context; k++) {
		wide_inputs(e, n, k - 1, wide_h(e, 0, 1 - k % 2) - e->model->n_inputs * LD);
		wide_step(e, columns, k);
	}
	for (int32_t l = 0; l < e->model->config.layers; l++) {
		const float *h = wide_h(e, l, context % 2), *c = e->wide.c[l];

		for (size_t s = 0; s < n; s++)
			for (size_t u = 0; u < e->hidden; u++) {
				e->state_h[l][s * e->stride + u] = h[u * LD + s];
				e->state_c[l][s * e->stride + u] = c[u * LD + s];
			}
	}
}
