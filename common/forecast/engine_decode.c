/*
 * engine_decode.c -- paths.  All paths of all series stand side by side as columns; a block of neighbouring columns that fits
 * the first cache is carried through the whole horizon before the next one begins.
 */
#include <string.h>

#include "common/forecast/engine_parts.h"

static size_t
ceil_div(size_t a, size_t b)
{
	return (a + b - 1) / b;
}

/* Which columns these are. */
static void
block_columns(struct engine *e, size_t at, size_t total)
{
	struct engine_block *b = &e->block;

	b->at = at;
	b->used = total - at < b->width ? total - at : b->width;
	b->runs = 0;
	for (size_t j = 0; j < b->width; j++) {
		size_t column = at + (j < b->used ? j : b->used - 1), series = column / e->paths;

		if (j == 0 || series != b->series[b->runs - 1]) {
			b->start[b->runs] = j;
			b->series[b->runs++] = series;
		}
		b->path[j] = column % e->paths;
		b->scale[j] = (float)e->windows[e->first + series].scale;
	}
}

/* Where layer L's h of an even or odd step is. */
static float *
block_h(const struct engine *e, int32_t l, size_t odd)
{
	size_t row = e->model->config.frequency.n_lags + (size_t)l * e->hidden;

	return e->block.chain[odd ^ ((size_t)l & 1)] + row * e->block.ld;
}

/* The states that the contexts have left, as of step 0. */
static void
block_begin(struct engine *e)
{
	struct engine_block *b = &e->block;
	const float *h[ENGINE_SERIES] = { 0 }, *c[ENGINE_SERIES] = { 0 };

	for (int32_t l = 0; l < e->model->config.layers; l++) {
		for (size_t s = 0; s < b->runs; s++) {
			h[s] = e->state_h[l] + (e->first + b->series[s]) * e->stride;
			c[s] = e->state_c[l] + (e->first + b->series[s]) * e->stride;
		}
		e->kernel->spread(e->hidden, b->width, b->ld, b->runs, h, b->start, block_h(e, l, 0));
		e->kernel->spread(e->hidden, b->width, b->ld, b->runs, c, b->start, b->c[l]);
	}
}

/* What all paths of a series share of the gates: a row of ROWS, LD apart, for each series. */
static void
block_base(struct engine *e, const float *rows, size_t ld, struct kernel_step *step)
{
	struct engine_block *b = &e->block;
	const float *from[ENGINE_SERIES] = { 0 };

	for (size_t s = 0; s < b->runs; s++)
		from[s] = rows + b->series[s] * ld;
	step->base[0] = step->base[1] = from[0];
	if (b->runs == 2) {
		step->base[1] = from[1];
		step->split = b->start[1];
	} else if (b->runs > 2) {
		e->kernel->spread(4 * e->hidden, b->width, b->ld, b->runs, from, b->start, b->base);
		step->base[0] = b->base;
		step->base_gate = e->hidden * b->ld;
		step->base_unit = b->ld;
		step->base_columns = true;
	}
}

/* Rows of the lags that reach back to a draw, in front of layer 0's h of the step before. */
static void
block_lags(struct engine *e, size_t k, struct kernel_step *step)
{
	const struct frequency *f = &e->model->config.frequency;
	struct engine_block *b = &e->block;
	float *end = block_h(e, 0, 1 - k % 2);
	size_t n = 0;

	for (; n < f->n_lags && (size_t)f->lags[n] <= k; n++)
		memcpy(end - (n + 1) * b->ld, b->drawn + (k - (size_t)f->lags[n]) * b->ld, b->width * sizeof(float));
	step->rows = n + e->hidden;
	step->w = e->layers[0].step + (f->n_lags - n) * 4;
	step->x = end - n * b->ld;
}

static void
block_step(struct engine *e, size_t k)
{
	struct engine_block *b = &e->block;

	for (int32_t l = 0; l < e->model->config.layers; l++) {
		const struct engine_layer *layer = &e->layers[l];
		struct kernel_step step = {
			.hidden = e->hidden,
			.columns = b->width,
			.ld = b->ld,
			.base = { layer->bias, layer->bias },
			.base_gate = e->hidden,
			.base_unit = 1,
			.rows = 2 * e->hidden,
			.w = layer->step,
			.w_unit = (layer->path_inputs + e->hidden) * 4,
			.x = l > 0 ? block_h(e, l - 1, k % 2) : NULL,
			.c = b->c[l],
			.h = block_h(e, l, k % 2),
		};

		if (l == 0)
			block_lags(e, k, &step);
		if (k == 1) {
			step.rows -= e->hidden;
			block_base(e, e->begin[l], e->gates, &step);
		} else if (l == 0) {
			block_base(e, e->ahead + k * e->gates, (size_t)e->model->config.horizon * e->gates, &step);
		}
		e->kernel->lstm_step(&step);
	}
}

static void
block_head(struct engine *e, size_t k)
{
	struct engine_block *b = &e->block;
	size_t n = e->model->n_params;

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < b->width; j++)
			b->raw[i * b->ld + j] = e->head_bias[i];
	e->kernel->gemm_nn(n, b->width, e->hidden, e->head, e->hidden, block_h(e, e->model->config.layers - 1, k % 2),
			   b->ld, b->raw, b->ld, true);
}

void
engine_decode(struct engine *e, const struct engine_request *requests, size_t n, size_t horizon,
	      const struct engine_probe *probe, float *samples)
{
	size_t total = n * e->paths, blocks = ceil_div(total, e->block.ld);

	e->block.width = ceil_div(ceil_div(total, blocks), KERNEL_COLUMNS) * KERNEL_COLUMNS;
	for (size_t at = 0; at < total; at += e->block.width) {
		size_t left = ceil_div(total - at, KERNEL_COLUMNS) * KERNEL_COLUMNS;

		e->block.width = left < e->block.width ? left : e->block.width;
		block_columns(e, at, total);
		block_begin(e);
		for (size_t k = 0; k < horizon; k++) {
			if (k > 0)
				block_step(e, k);
			block_head(e, k);
			engine_draw(e, requests, k, horizon, probe, samples);
		}
	}
}
