/*
 * deepar_window.c -- a piece of a series as the network sees it.  Points are numbered from values[0]; what lies before the
 * series' beginning (number + age < 0) is 0 throughout, also its calendar.  What lies between that and values[0] has a calendar,
 * but no value.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/forecast/deepar.h"

#define SCALE_MIN 1e-10

static size_t
moving_size(const struct deepar *m)
{
	return m->n_inputs - m->config.frequency.n_lags - m->n_static;
}

int
deepar_window_new(const struct deepar *m, struct deepar_window *w, struct err *err)
{
	size_t horizon = (size_t)m->config.horizon, rows = (size_t)m->config.context + horizon;
	size_t moving = rows * moving_size(m);
	size_t floats = m->past + m->n_static + moving + horizon;
	float *block = calloc(1, floats * sizeof(float) + rows);

	if (!block)
		return err_set(err, REASON_NO_MEMORY, "a window of %zu numbers", floats);
	*w = (struct deepar_window){ .past = block };
	w->fixed = w->past + m->past;
	w->moving = w->fixed + m->n_static;
	w->future = w->moving + moving;
	w->observed = (uint8_t *)(w->future + horizon);
	return 0;
}

void
deepar_window_clear(struct deepar_window *w)
{
	free(w->past);
	*w = (struct deepar_window){ 0 };
}

static double
scale_of(const struct deepar *m, const double *values, size_t n)
{
	double sum = 0;
	size_t seen = 0;

	for (size_t i = 0; i < n; i++)
		if (!isnan(values[i])) {
			sum += fabs(values[i]);
			seen++;
		}
	return seen == 0 ? m->config.default_scale : fmax(sum / (double)seen, SCALE_MIN);
}

static void
fill_past(const struct deepar *m, const struct target *t, size_t split, struct deepar_window *w)
{
	size_t known = split < m->past ? split : m->past, before = m->past - known;
	const double *values = t->values + (split - known);
	double scale = w->scale;

	memset(w->past, 0, before * sizeof(float));
	for (size_t i = 0; i < known; i++)
		w->past[before + i] = isnan(values[i]) ? 0 : (float)(values[i] / scale);
}

static void
fill_future(const struct deepar *m, const struct target *t, size_t split, struct deepar_window *w)
{
	int64_t context = m->config.context, first = (int64_t)split - context, n = (int64_t)t->n;

	for (int64_t i = 0; i < context + m->config.horizon; i++) {
		bool known = first + i >= 0 && first + i < n && !isnan(t->values[first + i]);

		w->observed[i] = known;
		if (i >= context)
			w->future[i - context] = known ? (float)t->values[first + i] : 0;
	}
}

static void
fill_moving(const struct deepar *m, const struct target *t, size_t split, struct deepar_window *w)
{
	const struct frequency *f = &m->config.frequency;
	int64_t first = (int64_t)split - m->config.context, rows = (int64_t)m->config.context + m->config.horizon;
	size_t width = moving_size(m);

	for (int64_t i = 0; i < rows; i++) {
		int64_t point = first + i;
		float *row = w->moving + (size_t)i * width;

		if (point + t->age < 0) {
			memset(row, 0, width * sizeof(float));
			continue;
		}
		frequency_features(f, frequency_time(f, t->start_us, point), row);
		row[f->n_features] = (float)log10(2 + (double)(point + t->age));
		for (int32_t d = 0; d < m->config.n_dynamic; d++)
			row[f->n_features + 1 + (size_t)d] =
			    t->dynamic && point >= 0 && (size_t)point < t->n_dynamic ? (float)t->dynamic[d][point] : 0;
	}
}

static void
fill_fixed(const struct deepar *m, const struct target *t, struct deepar_window *w)
{
	const struct deepar_tensor *tensor = m->tensors + 2 * m->n_params;
	float *at = w->fixed;

	for (int32_t i = 0; i < m->n_cats; i++) {
		size_t size = (size_t)m->embedding[i], cat = t->cats && m->config.n_cats ? (size_t)t->cats[i] : 0;

		memcpy(at, m->weights + tensor[i].at + cat * size, size * sizeof(float));
		at += size;
	}
	for (int32_t i = 0; i < m->n_reals; i++)
		*at++ = t->reals && i < m->config.n_reals ? (float)t->reals[i] : 0;
	*at = (float)log(w->scale);
}

void
deepar_window_fill(const struct deepar *m, const struct target *t, size_t split, struct deepar_window *w)
{
	size_t known = split < (size_t)m->config.context ? split : (size_t)m->config.context;

	w->scale = scale_of(m, t->values + (split - known), known);
	fill_past(m, t, split, w);
	fill_future(m, t, split, w);
	fill_moving(m, t, split, w);
	fill_fixed(m, t, w);
}

void
deepar_window_input(const struct deepar *m, const struct deepar_window *w, size_t t, float *x)
{
	const struct frequency *f = &m->config.frequency;
	size_t newest = m->past - (size_t)m->config.context + t, width = moving_size(m);

	for (size_t i = 0; i < f->n_lags; i++) {
		size_t at = newest + 1 - (size_t)f->lags[i];

		x[i] = at < m->past ? w->past[at] : (float)(w->future[at - m->past] / w->scale);
	}
	x += f->n_lags;
	memcpy(x, w->fixed, m->n_static * sizeof(float));
	memcpy(x + m->n_static, w->moving + (t + 1) * width, width * sizeof(float));
}
