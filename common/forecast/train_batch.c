/*
 * train_batch.c -- windows side by side: the memory of a batch, and how a window becomes columns of it.
 *
 * Everything is a matrix of rows x ld, where column t * columns + b belongs to position t of window b.  So one product covers
 * all positions where they do not depend on each other, and a step of the recurrence is a block of `columns` adjacent columns.
 * ld / 16 is odd: rows then start in different sets of the cache.
 */
#include "common/forecast/train_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RATIO_MAX 1e4f /* of a value to the window's scale */

/* A walk that hands out pieces of one block; without a block it only counts. */
struct pieces {
	float *block;
	size_t used; /* floats */
};

static float *
piece(struct pieces *p, size_t n)
{
	float *ret = p->block ? p->block + p->used : NULL;

	p->used += (n + KERNEL_COLUMNS - 1) / KERNEL_COLUMNS * KERNEL_COLUMNS;
	return ret;
}

static void
cut(struct gradient *g, const struct deepar *m, struct pieces *p)
{
	size_t hidden = (size_t)m->config.hidden;

	g->x = piece(p, m->n_inputs * g->ld);
	g->row = piece(p, m->n_inputs);
	g->raw = piece(p, m->n_params * g->ld);
	g->head = piece(p, m->n_params * hidden);
	g->dh = piece(p, hidden * g->ld);
	g->dc = piece(p, hidden * g->columns);
	g->zero = piece(p, hidden * g->columns);
	g->sums = piece(p, 4 * hidden * g->columns);
	g->dfixed = piece(p, m->n_static * g->columns);
	for (int32_t l = 0; l < m->config.layers; l++) {
		struct gradient_layer *layer = &g->layers[l];
		bool dropout = l > 0 && m->config.dropout > 0;

		layer->z = piece(p, 4 * hidden * g->ld);
		layer->c = piece(p, hidden * g->ld);
		layer->t = piece(p, hidden * g->ld);
		layer->h = piece(p, hidden * g->ld);
		layer->mask = dropout ? piece(p, hidden * g->ld) : NULL;
		layer->in = dropout ? piece(p, hidden * g->ld) : l > 0 ? g->layers[l - 1].h : g->x;
	}
	g->values = (double *)(void *)piece(p, 2 * g->steps * g->columns);
	g->scales = (double *)(void *)piece(p, 2 * g->columns);
	g->cats = (int32_t *)(void *)piece(p, (size_t)m->n_cats * g->columns);
}

int
gradient_new(const struct deepar *m, const struct kernel *kernel, size_t batch, struct gradient **ret, struct err *err)
{
	CLEANUP(gradient_free) struct gradient *g = calloc(1, sizeof(*g));
	struct pieces p = { 0 };

	if (!g)
		return err_set(err, REASON_NO_MEMORY, "a batch");
	g->kernel = kernel;
	g->batch = batch;
	g->columns = (batch + KERNEL_COLUMNS - 1) / KERNEL_COLUMNS * KERNEL_COLUMNS;
	g->steps = (size_t)m->config.context + (size_t)m->config.horizon - 1;
	g->ld = g->steps * g->columns;
	g->ld += g->ld / KERNEL_COLUMNS % 2 == 0 ? KERNEL_COLUMNS : 0;
	cut(g, m, &p);
	p.block = aligned_alloc(64, p.used * sizeof(float));
	if (!p.block)
		return err_set(err, REASON_NO_MEMORY, "a batch of %zu windows: %zu MB", batch,
			       p.used * sizeof(float) >> 20);
	memset(p.block, 0, p.used * sizeof(float));
	p.used = 0;
	cut(g, m, &p);
	if (deepar_window_new(m, &g->window, err) < 0)
		return -1;
	*ret = TAKE(g);
	return 0;
}

void
gradient_free(struct gradient *g)
{
	if (!g)
		return;
	free(g->x);
	deepar_window_clear(&g->window);
	free(g);
}

void
gradient_begin(struct gradient *g)
{
	g->n = 0;
}

/* A value other than 0 in the context, and none that dwarfs it: the gradient of such a window is all that clipping would leave. */
static bool
teaches(const struct deepar *m, const struct deepar_window *w)
{
	const float *context = w->past + (m->past - (size_t)m->config.context);
	bool moves = false;

	for (size_t i = 0; i < m->past; i++)
		if (!(fabsf(w->past[i]) <= RATIO_MAX))
			return false;
	for (int32_t i = 0; i < m->config.horizon; i++)
		if (!(fabs((double)w->future[i]) <= (double)RATIO_MAX * w->scale))
			return false;
	for (int32_t i = 0; i < m->config.context; i++)
		moves |= w->observed[i] && context[i] != 0;
	return moves;
}

bool
gradient_put(struct gradient *g, const struct deepar *m, const struct target *t, size_t split)
{
	const struct deepar_window *w = &g->window;
	size_t b = g->n;

	deepar_window_fill(m, t, split, &g->window);
	if (!teaches(m, w))
		return false;
	for (size_t at = 0; at < g->steps; at++) {
		size_t column = at * g->columns + b, point = split + at + 1 - (size_t)m->config.context;

		deepar_window_input(m, w, at, g->row);
		for (size_t i = 0; i < m->n_inputs; i++) {
			if (!isfinite(g->row[i]))
				return false;
			g->x[i * g->ld + column] = g->row[i];
		}
		g->values[column] = w->observed[at + 1] ? t->values[point] : (double)NAN;
	}
	g->scales[b] = w->scale;
	for (int32_t i = 0; i < m->n_cats; i++)
		g->cats[(size_t)i * g->columns + b] = t->cats && i < m->config.n_cats ? t->cats[i] : 0;
	g->n++;
	return true;
}
