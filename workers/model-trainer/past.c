/* past.c -- one array a series: what is forgotten moves out at the front once it is a quarter of what is kept. */
#include "workers/model-trainer/past.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/random.h"

int
past_name(struct past *p, struct span device, struct span metric, struct err *err)
{
	p->device = strndup(device.ptr, device.len);
	p->metric = strndup(metric.ptr, metric.len);
	return p->device && p->metric ? 0 : err_set(err, REASON_NO_MEMORY, "series");
}

void
past_free(struct past *p)
{
	if (!p)
		return;
	free(p->device);
	free(p->metric);
	free(p->values);
	free(p);
}

static bool
continues(const struct past_rule *rule, const struct past *p, const struct series *s, uint64_t unit)
{
	int64_t gap_us = s->start_us - p->end_us;

	if (!p->n || p->step_us != s->step_us || gap_us % s->step_us || (p->unit && unit && p->unit != unit))
		return false;
	return gap_us / s->step_us <= rule->gap_max_steps;
}

/* Keep the newest KEEP points. */
static void
forget(struct past *p, size_t keep)
{
	if (p->n <= keep)
		return;
	p->forgotten += (int64_t)(p->n - keep);
	memmove(p->values, p->values + (p->n - keep), keep * sizeof(*p->values));
	p->n = keep;
}

/* N values behind the end; NULL: NaNs. */
static int
extend(const struct past_rule *rule, struct past *p, const double *values, size_t n)
{
	size_t cap = p->cap;

	while (cap < p->n + n)
		cap = cap ? cap * 2 : 64;
	if (cap > p->cap) {
		double *grown = realloc(p->values, cap * sizeof(*grown));

		if (!grown)
			return -1;
		p->values = grown;
		p->cap = cap;
	}
	for (size_t i = 0; i < n; i++)
		p->values[p->n + i] = values ? values[i] : NAN;
	p->n += n;
	if (p->n > rule->max_steps + rule->max_steps / 4)
		forget(p, rule->max_steps);
	return 0;
}

int
past_append(const struct past_rule *rule, struct past *p, const struct series *s, struct err *err)
{
	int64_t end_us = s->start_us + (int64_t)s->n_target * s->step_us, gap = 0;
	uint64_t unit = s->unit.ptr ? random_hash(s->unit) | 1 : 0;
	size_t skip;

	if (p->n && end_us <= p->end_us)
		return 0;
	if (continues(rule, p, s, unit)) {
		gap = (s->start_us - p->end_us) / s->step_us;
	} else {
		p->n = 0;
		p->forgotten = 0;
		p->unit = 0;
	}
	skip = gap < 0 ? (size_t)-gap : 0;
	if ((gap > 0 && extend(rule, p, NULL, (size_t)gap) < 0) ||
	    extend(rule, p, s->target + skip, s->n_target - skip) < 0)
		return err_set(err, REASON_NO_MEMORY, "series of %zu steps", p->n);
	p->end_us = end_us;
	p->step_us = s->step_us;
	if (unit)
		p->unit = unit;
	return 0;
}
