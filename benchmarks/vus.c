/*
 * vus.c -- see vus.h.  Points are sorted by score once.  For a width, the points predicted at a threshold are a prefix of that order, so
 * that all sums are prefix sums; a widened anomaly is hit as soon as its highest score is.
 */
#include "benchmarks/vus.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#define THRESHOLDS 250
#define ACF_VALUES 20000
#define ACF_FIRST 3
#define ACF_LAST 400
#define WIDTH_DEFAULT 125
#define WIDTH_LONGEST 300 /* beyond ACF_FIRST */

struct ranked {
	double score;
	size_t at;
};

struct piece { /* an anomaly: [from, to] */
	size_t from, to;
};

struct surface {
	const double *scores;
	const uint8_t *labels;
	size_t n;
	struct ranked *order;
	struct piece *pieces;
	size_t n_pieces;
	double *soft;             /* n labels at the present width */
	size_t taken[THRESHOLDS]; /* points predicted */
	double truth;             /* points inside anomalies */
};

static int
higher_first(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->score != y->score)
		return x->score < y->score ? 1 : -1;
	return (x->at > y->at) - (x->at < y->at);
}

static void
find_pieces(struct surface *s)
{
	for (size_t i = 0; i < s->n; i++) {
		if (!s->labels[i])
			continue;
		if (i > 0 && s->labels[i - 1])
			s->pieces[s->n_pieces - 1].to = i;
		else
			s->pieces[s->n_pieces++] = (struct piece){ i, i };
		s->truth++;
	}
}

/* Evenly spaced ranks; with a point all points of its score are predicted. */
static void
find_thresholds(struct surface *s)
{
	for (size_t k = 0; k < THRESHOLDS; k++) {
		size_t end = (size_t)((double)k * (double)(s->n - 1) / (THRESHOLDS - 1));

		while (end + 1 < s->n && s->order[end + 1].score == s->order[end].score)
			end++;
		s->taken[k] = end + 1;
	}
}

static void
soften(struct surface *s, size_t w)
{
	for (size_t i = 0; i < s->n; i++)
		s->soft[i] = s->labels[i];
	for (size_t p = 0; p < s->n_pieces; p++)
		for (size_t d = 1; d <= w / 2; d++) {
			double more = sqrt(1 - (double)d / (double)w);

			if (d <= s->pieces[p].from)
				s->soft[s->pieces[p].from - d] += more;
			if (s->pieces[p].to + d < s->n)
				s->soft[s->pieces[p].to + d] += more;
		}
	for (size_t i = 0; i < s->n; i++)
		if (s->soft[i] > 1)
			s->soft[i] = 1;
}

static double
highest(const struct surface *s, size_t from, size_t to)
{
	double best = -INFINITY;

	for (size_t i = from; i <= to; i++)
		if (s->scores[i] > best)
			best = s->scores[i];
	return best;
}

/* The highest scores of the widened anomalies, those that meet being one, into BEST; how many there are. */
static size_t
widened(const struct surface *s, size_t w, double *best)
{
	size_t n = 0, half = w / 2;

	for (size_t p = 0; p < s->n_pieces; p++) {
		size_t from = s->pieces[p].from > half ? s->pieces[p].from - half : 0;
		size_t to = s->pieces[p].to + half < s->n ? s->pieces[p].to + half : s->n - 1;
		double here = highest(s, from, to);
		bool meets = p > 0 && s->pieces[p].from <= s->pieces[p - 1].to + 2 * half;

		if (!meets)
			best[n++] = here;
		else if (here > best[n - 1])
			best[n - 1] = here;
	}
	return n;
}

static double
area(struct surface *s, size_t w, double *best)
{
	size_t n_wide, at = 0;
	double hit = 0, inside = 0, before = 0, sum = 0;

	soften(s, w);
	n_wide = widened(s, w, best);
	for (size_t k = 0; k < THRESHOLDS; k++) {
		double recall, shares = 0, least;

		for (; at < s->taken[k]; at++) {
			hit += s->soft[s->order[at].at];
			inside += s->labels[s->order[at].at];
		}
		least = s->order[s->taken[k] - 1].score;
		for (size_t i = 0; i < n_wide; i++)
			shares += best[i] >= least;
		recall = fmin(hit / (s->truth + (hit - inside) / 2), 1) * shares / (double)n_wide;
		sum += (recall - before) * hit / (double)s->taken[k];
		before = recall;
	}
	return sum;
}

double
vus_pr(const double *scores, const uint8_t *labels, size_t n, size_t width)
{
	struct surface s = { .scores = scores, .labels = labels, .n = n };
	double *best = calloc(n + 1, sizeof(*best)), sum = NAN;

	s.order = calloc(n + 1, sizeof(*s.order));
	s.pieces = calloc(n + 1, sizeof(*s.pieces));
	s.soft = calloc(n + 1, sizeof(*s.soft));
	if (s.order && s.pieces && s.soft && best && n > 0) {
		for (size_t i = 0; i < n; i++)
			s.order[i] = (struct ranked){ scores[i], i };
		qsort(s.order, n, sizeof(*s.order), higher_first);
		find_pieces(&s);
		find_thresholds(&s);
		if (s.n_pieces)
			sum = 0;
		for (size_t w = 0; s.n_pieces && w <= width; w++)
			sum += area(&s, w, best);
	}
	free(s.order);
	free(s.pieces);
	free(s.soft);
	free(best);
	return sum / (double)(width + 1);
}

size_t
vus_width(const double *values, size_t n)
{
	double acf[ACF_LAST + 1] = { 0 }, mean = 0;
	size_t top = 0;

	if (n > ACF_VALUES)
		n = ACF_VALUES;
	for (size_t i = 0; i < n; i++)
		mean += values[i] / (double)n;
	for (size_t lag = 0; lag <= ACF_LAST && lag < n; lag++)
		for (size_t i = lag; i < n; i++)
			acf[lag] += (values[i] - mean) * (values[i - lag] - mean);
	for (size_t lag = ACF_FIRST + 1; lag < ACF_LAST && lag + 1 < n; lag++)
		if (acf[lag] > acf[lag - 1] && acf[lag] > acf[lag + 1] && (!top || acf[lag] > acf[top]))
			top = lag;
	return top < 2 * ACF_FIRST || top > ACF_FIRST + WIDTH_LONGEST ? WIDTH_DEFAULT : top;
}
