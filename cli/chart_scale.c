/* chart_scale.c -- see chart_scale.h. */
#include "cli/chart_scale.h"

#include <math.h>
#include <stdlib.h>

#include "common/base/cleanup.h"

static int
by_size(const void *x, const void *y)
{
	const double *a = x, *b = y;

	return (*a > *b) - (*a < *b);
}

static size_t
collect(const struct chart_line *line, double *into)
{
	size_t n = 0;

	for (size_t i = 0; i < line->n; i++)
		if (isfinite(line->values[i]))
			into[n++] = line->values[i];
	return n;
}

/*
 * What most values need, and a third as much above and below where there is something: a single spike must not press all the
 * rest into one row.  It is drawn at the edge.
 */
static void
fit_values(struct chart_scale *s, double *values, size_t n)
{
	size_t odd = n < 10 ? 0 : n < 50 ? 1 : n / 50; /* at each end */
	double low, high, room;

	qsort(values, n, sizeof(*values), by_size);
	low = fmin(s->low, values[odd]);
	high = fmax(s->high, values[n - 1 - odd]);
	room = 0.6 * (high / 2 - low / 2);
	s->low = fmax(fmin(s->low, values[0]), low - room);
	s->high = fmin(fmax(s->high, values[n - 1]), high + room);
}

static void
fit_fan(struct chart_scale *s, const struct chart *c)
{
	for (size_t h = 0; h < c->n_steps; h++) {
		if (isfinite(c->fan[h][CHART_P05]))
			s->low = fmin(s->low, c->fan[h][CHART_P05]);
		if (isfinite(c->fan[h][CHART_P95]))
			s->high = fmax(s->high, c->fan[h][CHART_P95]);
	}
}

static void
fit_times(struct chart_scale *s, const struct chart *c)
{
	const struct chart_line *lines[] = { &c->history, &c->actual };

	s->from_us = c->origin_us;
	s->to_us = c->origin_us + (int64_t)c->n_steps * c->step_us;
	for (size_t k = 0; k < ARRAY_LEN(lines); k++)
		for (size_t i = 0; i < lines[k]->n; i++) {
			if (lines[k]->times_us[i] < s->from_us)
				s->from_us = lines[k]->times_us[i];
			if (lines[k]->times_us[i] > s->to_us)
				s->to_us = lines[k]->times_us[i];
		}
	if (s->to_us == s->from_us)
		s->to_us++;
}

int
chart_measure(struct chart_scale *s, const struct chart *c)
{
	double *values = malloc((c->history.n + c->actual.n + 1) * sizeof(*values));
	size_t n;

	if (!values)
		return -1;
	s->low = INFINITY;
	s->high = -INFINITY;
	fit_times(s, c);
	fit_fan(s, c);
	n = collect(&c->history, values);
	n += collect(&c->actual, values + n);
	if (n > 0)
		fit_values(s, values, n);
	free(values);
	if (!(s->low <= s->high))
		return 0;
	if (s->high / 2 - s->low / 2 < 1e-9 * fmax(fabs(s->low), 1e-3)) { /* a constant lies in the middle */
		double room = fmax(fabs(s->low) * 0.1, 1e-3);

		s->low -= room;
		s->high += room;
	}
	return 1;
}

static int
clamp(int value, int least, int most)
{
	return value < least ? least : value > most ? most : value;
}

int
chart_dot_x(const struct chart_scale *s, int64_t us)
{
	double share = (double)(us - s->from_us) / (double)(s->to_us - s->from_us);

	return clamp((int)floor(share * s->columns * s->across), 0, s->columns * s->across - 1);
}

int
chart_dot_y(const struct chart_scale *s, double value)
{
	double share = (s->high / 2 - value / 2) / (s->high / 2 - s->low / 2); /* halves: the difference may overflow */

	return clamp((int)floor(share * s->rows * s->down), 0, s->rows * s->down - 1);
}

double
chart_row_value(const struct chart_scale *s, int row)
{
	double share = (row + 0.5) / s->rows;

	return (1 - share) * s->high + share * s->low;
}
