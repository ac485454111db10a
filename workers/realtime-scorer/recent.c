/* recent.c -- an array that is moved down by one when it is full: it is short, and steps are rare beside values. */
#include "workers/realtime-scorer/recent.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/record/shape.h"

struct means {
	int owners;
	size_t cap, n;
	double base;
	float values[];
};

static void
release(struct means *m)
{
	if (m && --m->owners == 0)
		free(m);
}

void
recent_copy(struct recent *to, const struct recent *from)
{
	*to = *from;
	if (to->means)
		to->means->owners++;
}

void
recent_clear(struct recent *r)
{
	release(r->means);
	*r = (struct recent){ 0 };
}

int64_t
recent_step_of(const struct recent_rule *rule, int64_t event_us)
{
	int64_t step = event_us / rule->step_us;

	return step * rule->step_us > event_us ? step - 1 : step;
}

/* A value of STEP ends the present one, and its mean is kept. */
static bool
ends_step(const struct recent *r, const struct recent_rule *rule, int64_t step)
{
	return rule->steps > 0 && r->step_us == rule->step_us && step > r->step;
}

int
recent_reserve(struct recent *r, const struct recent_rule *rule, int64_t event_us, struct err *err)
{
	const struct means *old = r->means;
	struct means *m;
	size_t n = old ? old->n : 0;

	if (rule->steps == 0 || !ends_step(r, rule, recent_step_of(rule, event_us)) ||
	    (old && old->owners == 1 && old->cap == rule->steps))
		return 0;
	m = malloc(sizeof(*m) + rule->steps * sizeof(m->values[0]));
	if (!m)
		return err_set(err, REASON_NO_MEMORY, "the near past of a stream");
	n = n < rule->steps ? n : rule->steps;
	*m = (struct means){ .owners = 1, .cap = rule->steps, .n = n, .base = old ? old->base : 0 };
	if (n > 0)
		memcpy(m->values, old->values + old->n - n, n * sizeof(m->values[0]));
	release(r->means);
	r->means = m;
	return 0;
}

static float
narrow(double x)
{
	const double most = 3e38;

	return (float)(x > most ? most : x < -most ? -most : x);
}

static void
append(struct means *m, double mean)
{
	if (m->n == 0)
		m->base = mean;
	if (m->n == m->cap)
		memmove(m->values, m->values + 1, --m->n * sizeof(m->values[0]));
	m->values[m->n++] = narrow(mean - m->base);
}

/* The present step is over; the next value is of STEP. */
static void
end_step(struct recent *r, int64_t step)
{
	struct means *m = r->means;

	if (step - r->step > (int64_t)m->cap) {
		m->n = 0;
		return;
	}
	append(m, r->mean);
	for (int64_t hole = r->step + 1; hole < step; hole++)
		append(m, NAN);
}

void
recent_add(struct recent *r, const struct recent_rule *rule, double value, int64_t event_us)
{
	int64_t step;

	if (rule->steps == 0) {
		recent_clear(r);
		return;
	}
	step = recent_step_of(rule, event_us);
	if (ends_step(r, rule, step))
		end_step(r, step);
	else if (r->step_us != rule->step_us || step < r->step)
		recent_clear(r);
	if (r->step_us == 0 || step != r->step) {
		r->mean = 0;
		r->count = 0;
	}
	r->step_us = rule->step_us;
	r->step = step;
	if (r->count == UINT32_MAX)
		return;
	r->count++;
	r->mean += value / r->count - r->mean / r->count;
}

size_t
recent_history(const struct recent *r, const struct recent_rule *rule, int64_t event_us, double *values)
{
	int64_t ahead = rule->steps ? recent_step_of(rule, event_us) - r->step : -1, first;
	size_t n = r->means ? r->means->n : 0, written = 0;

	if (ahead < 0 || r->step_us != rule->step_us || ahead > (int64_t)rule->steps)
		return 0;
	first = (int64_t)n + ahead - (int64_t)rule->steps;
	for (int64_t i = first > 0 ? first : 0; i < (int64_t)n + ahead; i++)
		values[written++] = i < (int64_t)n    ? r->means->base + (double)r->means->values[i]
				    : i == (int64_t)n ? r->mean
						      : NAN;
	return written;
}

struct recent_flat
recent_lay(const struct recent *r)
{
	bool any = r->means && r->means->n > 0;

	return (struct recent_flat){ .step_us = r->step_us,
				     .step = r->step,
				     .mean = r->mean,
				     .base = any ? r->means->base : 0,
				     .count = r->count,
				     .means = any ? r->means->values : NULL,
				     .n_means = any ? r->means->n : 0 };
}

static bool
flat_sound(const struct recent_flat *f)
{
	if (f->step_us < 0 || !isfinite(f->mean) || !isfinite(f->base) || f->n_means > RECENT_STEPS_MAX)
		return false;
	if (f->step_us == 0)
		return f->n_means == 0 && f->count == 0 && f->step == 0;
	if (f->count == 0 || f->step < TIME_MIN_US / f->step_us - 1 || f->step > TIME_MAX_US / f->step_us)
		return false;
	for (size_t i = 0; i < f->n_means; i++)
		if (isinf(f->means[i]))
			return false;
	return true;
}

int
recent_restore(const struct recent_flat *f, struct recent *r, struct err *err)
{
	struct means *m = NULL;

	if (!flat_sound(f))
		return err_set(err, REASON_STATE_CORRUPT, "the near past: %zu means do not make one", f->n_means);
	if (f->n_means > 0) {
		m = malloc(sizeof(*m) + f->n_means * sizeof(m->values[0]));
		if (!m)
			return err_set(err, REASON_NO_MEMORY, "the near past of a stream");
		*m = (struct means){ .owners = 1, .cap = f->n_means, .n = f->n_means, .base = f->base };
		memcpy(m->values, f->means, f->n_means * sizeof(m->values[0]));
	}
	*r = (struct recent){ .means = m, .step_us = f->step_us, .step = f->step, .mean = f->mean, .count = f->count };
	return 0;
}
