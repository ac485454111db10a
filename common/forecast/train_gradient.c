/*
 * train_gradient.c -- the loss of a batch and its gradient: forward through the layers, back through time.
 *
 * P. J. Werbos, "Backpropagation through time: what it does and how to do it", Proc. IEEE 78(10), 1990; the cell is that of
 * kernel.h.  Per layer: the inputs' part of the gates for all positions in one product, the recurrent part step by step; going
 * back, the recurrent part step by step again, and then each weight matrix by one product over all columns.  Gates are
 * overwritten by their gradients, which is all that is needed of them afterwards.
 */
#include "common/forecast/train_parts.h"

#include <stdio.h>
#include <string.h>

#include "common/base/random.h"

/* Arithmetic on 16 or 4 columns at a time; no alignment is asked for. */
typedef float wide __attribute__((vector_size(64), aligned(4), may_alias));
typedef float narrow __attribute__((vector_size(16), aligned(4), may_alias));

static float *
of(float *gradient, const struct deepar *m, const float *weights)
{
	return gradient + (weights - m->weights);
}

float
gradient_sum(const float *x, size_t n)
{
	narrow a = { 0 }, b = { 0 }, c = { 0 }, d = { 0 };

	for (size_t i = 0; i < n; i += KERNEL_COLUMNS) {
		a += *(const narrow *)(x + i);
		b += *(const narrow *)(x + i + 4);
		c += *(const narrow *)(x + i + 8);
		d += *(const narrow *)(x + i + 12);
	}
	a = (a + b) + (c + d);
	return (a[0] + a[1]) + (a[2] + a[3]);
}

/* ---- forward ---- */

/* in = mask * h of the layer below; one random number serves four elements. */
static void
drop(const struct gradient *g, const struct gradient_layer *layer, const float *below, size_t hidden, int32_t l,
     const struct gradient_noise *noise)
{
	const uint64_t limit = (uint64_t)(noise->dropout * 65536);
	const float kept = (float)(1 / (1 - (double)limit / 65536));
	size_t n = g->steps * g->columns;

	for (size_t r = 0; r < hidden; r++)
		for (size_t i = 0; i < n; i += 4) {
			uint64_t u =
			    random_u64(noise->seed, noise->stream * DEEPAR_LAYERS_MAX + (uint64_t)l, r * n + i);

			for (size_t k = 0; k < 4; k++) {
				size_t at = r * g->ld + i + k;

				layer->mask[at] = (u >> (16 * k) & 0xffff) < limit ? 0 : kept;
				layer->in[at] = below[at] * layer->mask[at];
			}
		}
}

/* N: a multiple of KERNEL_COLUMNS. */
static void
fill(float *x, float value, size_t n)
{
	narrow all = { value, value, value, value };

	for (size_t i = 0; i < n; i += 4)
		*(narrow *)(x + i) = all;
}

static void
layer_forward(const struct gradient *g, const struct gradient_layer *s, const struct deepar_layer *w, size_t hidden)
{
	const size_t columns = g->columns, ld = g->ld, all = g->steps * columns;

	for (size_t r = 0; r < 4 * hidden; r++)
		fill(s->z + r * ld, w->bias_ih[r] + w->bias_hh[r], all);
	g->kernel->gemm_nn(4 * hidden, all, w->inputs, w->weight_ih, w->inputs, s->in, ld, s->z, ld, true);
	for (size_t at = 0; at < all; at += columns) {
		if (at > 0)
			g->kernel->gemm_nn(4 * hidden, columns, hidden, w->weight_hh, hidden, s->h + at - columns, ld,
					   s->z + at, ld, true);
		for (size_t r = 0; r < hidden; r++)
			memcpy(s->c + r * ld + at, at > 0 ? s->c + r * ld + at - columns : g->zero,
			       columns * sizeof(float));
		g->kernel->lstm_cell(hidden, columns, ld, s->z + at, s->c + at, s->h + at, s->t + at);
	}
}

static void
forward(struct gradient *g, const struct deepar *m, const struct gradient_noise *noise)
{
	for (int32_t l = 0; l < m->config.layers; l++) {
		struct gradient_layer *s = &g->layers[l];
		struct deepar_layer w = deepar_layer(m, l);

		if (l > 0) {
			bool dropout = noise && noise->dropout > 0 && s->mask;
			float *below = g->layers[l - 1].h;

			if (dropout)
				drop(g, s, below, (size_t)m->config.hidden, l, noise);
			else if (s->mask)
				memcpy(s->in, below, (size_t)m->config.hidden * g->ld * sizeof(float));
		}
		layer_forward(g, s, &w, (size_t)m->config.hidden);
	}
}

/* ---- back ---- */

/* One cell: DH of its output, DC of its cell (in: from the step after, out: for the step before) -> the gates' gradient in Z. */
static void
cell_back(size_t hidden, size_t columns, size_t ld, float *z, const float *t, const float *before, size_t before_ld,
	  const float *dh, float *dc)
{
	for (size_t r = 0; r < hidden; r++)
		for (size_t j = 0; j < columns; j += KERNEL_COLUMNS) {
			wide *zi = (wide *)(z + r * ld + j), *zf = (wide *)(z + (hidden + r) * ld + j);
			wide *zg = (wide *)(z + (2 * hidden + r) * ld + j),
			     *zo = (wide *)(z + (3 * hidden + r) * ld + j);
			wide i = *zi, f = *zf, g = *zg, o = *zo, th = *(const wide *)(t + r * ld + j);
			wide d = *(const wide *)(dh + r * ld + j);
			wide c = *(wide *)(dc + r * columns + j) + d * o * (1 - th * th);

			*zo = d * th * (o * (1 - o));
			*zi = c * g * (i * (1 - i));
			*zg = c * i * (1 - g * g);
			*zf = c * *(const wide *)(before + r * before_ld + j) * (f * (1 - f));
			*(wide *)(dc + r * columns + j) = c * f;
		}
}

/* g->dh: of this layer's output, all positions -> s->z, and the gradients of the layer's weights. */
static void
layer_back(struct gradient *g, const struct deepar *m, const struct gradient_layer *s, const struct deepar_layer *w,
	   float *ret)
{
	const size_t columns = g->columns, ld = g->ld, all = g->steps * columns, hidden = (size_t)m->config.hidden;

	memset(g->dc, 0, hidden * columns * sizeof(float));
	for (size_t at = all; at > 0;) {
		at -= columns;
		if (at + columns < all)
			g->kernel->gemm_tn(hidden, columns, 4 * hidden, w->weight_hh, hidden, s->z + at + columns, ld,
					   g->dh + at, ld, true);
		cell_back(hidden, columns, ld, s->z + at, s->t + at, at > 0 ? s->c + at - columns : g->zero,
			  at > 0 ? ld : columns, g->dh + at, g->dc);
	}
	g->kernel->gemm_nt(4 * hidden, w->inputs, all, s->z, ld, s->in, ld, of(ret, m, w->weight_ih), w->inputs, false);
	if (all > columns)
		g->kernel->gemm_nt(4 * hidden, hidden, all - columns, s->z + columns, ld, s->h, ld,
				   of(ret, m, w->weight_hh), hidden, false);
	else
		memset(of(ret, m, w->weight_hh), 0, 4 * hidden * hidden * sizeof(float));
	for (size_t r = 0; r < 4 * hidden; r++) {
		float sum = gradient_sum(s->z + r * ld, all);

		of(ret, m, w->bias_ih)[r] = sum;
		of(ret, m, w->bias_hh)[r] = sum;
	}
}

/* From the gates of layer L to the output of the layer below it. */
static void
pass_down(struct gradient *g, const struct deepar *m, int32_t l, bool dropout)
{
	const size_t hidden = (size_t)m->config.hidden, all = g->steps * g->columns;
	const struct gradient_layer *s = &g->layers[l];

	g->kernel->gemm_tn(hidden, all, 4 * hidden, deepar_layer(m, l).weight_ih, hidden, s->z, g->ld, g->dh, g->ld,
			   false);
	for (size_t r = 0; dropout && r < hidden; r++)
		for (size_t j = 0; j < all; j += KERNEL_COLUMNS)
			*(wide *)(g->dh + r * g->ld + j) *= *(const wide *)(s->mask + r * g->ld + j);
}

/* Embeddings are the same at all positions of a window: the gates' gradients are summed first. */
static void
embeddings(struct gradient *g, const struct deepar *m, float *ret)
{
	const size_t hidden = (size_t)m->config.hidden, columns = g->columns;
	const float *z = g->layers[0].z;
	size_t n = 0, at = 0;

	for (int32_t i = 0; i < m->n_cats; i++)
		n += (size_t)m->embedding[i];
	memset(g->sums, 0, 4 * hidden * columns * sizeof(float));
	for (size_t r = 0; r < 4 * hidden; r++)
		for (size_t j = 0; j < g->steps * columns; j += KERNEL_COLUMNS)
			*(wide *)(g->sums + r * columns + j % columns) += *(const wide *)(z + r * g->ld + j);
	g->kernel->gemm_tn(n, columns, 4 * hidden, deepar_layer(m, 0).weight_ih + m->config.frequency.n_lags,
			   m->n_inputs, g->sums, columns, g->dfixed, columns, false);
	for (int32_t i = 0; i < m->n_cats; i++) {
		char name[48];
		size_t dim = (size_t)m->embedding[i];
		const struct deepar_tensor *table;

		snprintf(name, sizeof(name), "embedder._embedders.%d.weight", i);
		table = deepar_tensor_find(m, name);
		memset(ret + table->at, 0, table->rows * dim * sizeof(float));
		for (size_t b = 0; b < g->n; b++)
			for (size_t k = 0; k < dim; k++)
				ret[table->at + (size_t)g->cats[(size_t)i * columns + b] * dim + k] +=
				    g->dfixed[(at + k) * columns + b];
		at += dim;
	}
}

double
gradient_run(struct gradient *g, const struct deepar *m, const struct gradient_noise *noise, float *ret)
{
	bool dropout = noise && noise->dropout > 0;
	double loss;

	forward(g, m, noise);
	loss = gradient_heads(g, m, ret);
	for (int32_t l = m->config.layers - 1; l >= 0; l--) {
		struct deepar_layer w = deepar_layer(m, l);

		layer_back(g, m, &g->layers[l], &w, ret);
		if (l > 0)
			pass_down(g, m, l, dropout && g->layers[l].mask);
	}
	embeddings(g, m, ret);
	return loss;
}
