/*
 * history.c -- an array that is written once, shared by reference count.
 *
 * New points go behind the end.  A copy made before sees fewer of them and is not disturbed.  When the array is full, or
 * when another copy has written where this one wants to, the points that are kept move to an array of their own; with a
 * quarter of slack that is a few moves per point.
 */
#include "workers/batch-forecaster/history.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/random.h"

#define LEAST_POINTS 64

struct points {
	size_t users, end, cap; /* end: how far any user has written */
	double values[];
};

int
history_copy(void *to, const void *from)
{
	struct history *copy = to;

	*copy = *(const struct history *)from;
	if (copy->points)
		copy->points->users++;
	return 0;
}

static void
let_go(struct history *h)
{
	if (h->points && --h->points->users == 0)
		free(h->points);
	h->points = NULL;
	h->first = h->n = 0;
	h->forgotten = 0;
}

void
history_clear(void *state)
{
	struct history *h = state;

	let_go(h);
	*h = (struct history){ 0 };
}

const double *
history_values(const struct history *h)
{
	return h->n ? h->points->values + h->first : NULL;
}

static struct points *
points_new(size_t cap, const double *values, size_t n)
{
	struct points *p = malloc(sizeof(*p) + cap * sizeof(p->values[0]));

	if (!p)
		return NULL;
	p->users = 1;
	p->end = n;
	p->cap = cap;
	if (n)
		memcpy(p->values, values, n * sizeof(p->values[0]));
	return p;
}

/* An array of one's own with the newest KEEP points and room for MORE behind them. */
static int
move(const struct history_rule *rule, struct history *h, size_t keep, size_t more)
{
	size_t most = (size_t)rule->max_steps + (size_t)rule->max_steps / 4, cap = (keep + more) * 2;
	int64_t forgotten = h->forgotten;
	struct points *p;

	if (cap > most)
		cap = most;
	if (cap < LEAST_POINTS)
		cap = LEAST_POINTS;
	if (cap < keep + more)
		cap = keep + more;
	p = points_new(cap, keep ? history_values(h) + h->n - keep : NULL, keep);
	if (!p)
		return -1;
	let_go(h);
	h->points = p;
	h->n = keep;
	h->forgotten = forgotten;
	return 0;
}

/* Append HOLES NaNs and N values, all together at most max_steps. */
static int
extend(const struct history_rule *rule, struct history *h, size_t holes, const double *values, size_t n)
{
	size_t max = (size_t)rule->max_steps, more = holes + n, at = h->first + h->n;
	size_t keep = h->n < max - more ? h->n : max - more;

	if (!h->points || at + more > h->points->cap || (at != h->points->end && h->points->users > 1)) {
		if (move(rule, h, keep, more) < 0)
			return -1;
		at = h->n;
	}
	for (size_t i = 0; i < holes; i++)
		h->points->values[at++] = NAN;
	memcpy(h->points->values + at, values, n * sizeof(*values));
	h->points->end = at + n;
	h->n = keep + more;
	h->first = h->points->end - h->n;
	return 0;
}

int
history_restore(struct history *h, const double *values, size_t n, struct err *err)
{
	size_t cap = n + n / 4; /* room for some windows */

	if (!n)
		return 0;
	h->points = points_new(cap > LEAST_POINTS ? cap : LEAST_POINTS, values, n);
	if (!h->points)
		return err_set(err, REASON_NO_MEMORY, "history of %zu steps", n);
	h->n = n;
	return 0;
}

static uint64_t
unit_of(const struct series *s)
{
	return s->unit.ptr ? random_hash(s->unit) | 1 : 0;
}

static bool
continues(const struct history_rule *rule, const struct history *h, const struct series *s)
{
	int64_t gap_us = s->start_us - h->end_us;

	if (!h->n || h->step_us != s->step_us || gap_us % s->step_us)
		return false;
	if (h->unit && s->unit.ptr && h->unit != unit_of(s))
		return false;
	return gap_us / s->step_us <= rule->gap_max_steps;
}

enum history_verdict
history_judge(const struct history_rule *rule, const struct history *h, const struct series *s)
{
	if (h->n && s->start_us + (int64_t)s->n_target * s->step_us <= h->end_us)
		return HISTORY_OLD;
	return continues(rule, h, s) ? HISTORY_GROWN : HISTORY_RESTARTED;
}

int
history_append(const struct history_rule *rule, struct history *h, const struct series *s,
	       enum history_verdict *verdict, struct err *err)
{
	int64_t gap = 0, total;
	size_t skip = 0, holes = 0;

	*verdict = history_judge(rule, h, s);
	if (*verdict == HISTORY_OLD)
		return 0;
	if (*verdict == HISTORY_GROWN) {
		gap = (s->start_us - h->end_us) / s->step_us;
		holes = gap > 0 ? (size_t)gap : 0;
		skip = gap < 0 ? (size_t)-gap : 0;
	} else {
		let_go(h);
		h->unit = 0;
	}
	total = h->forgotten + (int64_t)h->n + gap + (int64_t)s->n_target;
	if (s->n_target - skip > (size_t)rule->max_steps)
		skip = s->n_target - (size_t)rule->max_steps;
	if (holes > (size_t)rule->max_steps - (s->n_target - skip))
		holes = (size_t)rule->max_steps - (s->n_target - skip);
	if (extend(rule, h, holes, s->target + skip, s->n_target - skip) < 0)
		return err_set(err, REASON_NO_MEMORY, "history of %lld steps", (long long)rule->max_steps);
	h->forgotten = total - (int64_t)h->n;
	h->end_us = s->start_us + (int64_t)s->n_target * s->step_us;
	h->step_us = s->step_us;
	if (s->unit.ptr)
		h->unit = unit_of(s);
	if (h->ingest_us < s->ingest_us)
		h->ingest_us = s->ingest_us;
	return 0;
}

double
history_at(const struct history *h, int64_t start_us)
{
	int64_t back = h->n ? (h->end_us - start_us) / h->step_us : 0;

	return back >= 1 && back <= (int64_t)h->n ? history_values(h)[h->n - (size_t)back] : NAN;
}
