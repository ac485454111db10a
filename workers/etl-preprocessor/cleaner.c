/*
 * cleaner.c -- the stages of a series, each a function of common/series, and what has to be remembered between them.
 *
 * A step whose readings were all dropped has flags and counts but no value: it waits in `blank` until the gap that it is
 * part of is filled.
 */
#include "workers/etl-preprocessor/cleaner.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "workers/etl-preprocessor/units.h"

#define YEAR_1_US INT64_C(-62135596800000000)
#define YEAR_10000_US INT64_C(253402300800000000)

struct run { /* the arguments of one cleaner_add */
	const struct cleaner_rule *rule;
	cleaner_sink *sink;
	void *ctx;
	struct cleaner_count *count;
};

static int
no_memory(struct err *err)
{
	return err_set(err, REASON_NO_MEMORY, "state of a series");
}

int
cleaner_copy(void *to, const void *from)
{
	struct cleaner *copy = to;
	const struct cleaner *c = from;

	*copy = *c;
	copy->order = (struct reorder){ 0 };
	copy->window = (struct window){ 0 };
	copy->cap_blank = c->n_blank;
	copy->blank = c->n_blank ? malloc(c->n_blank * sizeof(*c->blank)) : NULL;
	copy->cap_unit = c->unit_len;
	copy->unit = c->unit_len ? malloc(c->unit_len) : NULL;
	if (reorder_copy(&copy->order, &c->order) < 0 || window_copy(&copy->window, &c->window) < 0)
		return -1;
	if ((c->n_blank && !copy->blank) || (c->unit_len && !copy->unit))
		return -1;
	if (c->n_blank)
		memcpy(copy->blank, c->blank, c->n_blank * sizeof(*c->blank));
	if (c->unit_len)
		memcpy(copy->unit, c->unit, c->unit_len);
	return 0;
}

void
cleaner_clear(void *state)
{
	struct cleaner *c = state;

	reorder_clear(&c->order);
	window_clear(&c->window);
	free(c->blank);
	free(c->unit);
	*c = (struct cleaner){ 0 };
}

int
cleaner_check_time(const struct cleaner_rule *rule, int64_t time_us, struct err *err)
{
	int64_t span_us = (rule->window.steps + 1) * rule->step_us;

	if (time_us >= YEAR_1_US + span_us && time_us < YEAR_10000_US - span_us)
		return 0;
	return err_set(err, REASON_TIME_RANGE,
		       "event time %" PRId64 " us: a window of %" PRId64 " steps of %" PRId64
		       " us around it leaves the years 1 to 9999",
		       time_us, rule->window.steps, rule->step_us);
}

static int
emit(const struct run *run, struct cleaner *c, struct err *err)
{
	if (run->sink(run->ctx, c, err) < 0)
		return -1;
	window_next(&c->window);
	return 0;
}

static int
append(const struct run *run, struct cleaner *c, const struct step *s, double value, struct err *err)
{
	if (window_append(&c->window, s, value) < 0)
		return no_memory(err);
	return window_full(&c->window, &run->rule->window) ? emit(run, c, err) : 0;
}

/* The N steps behind the last known one get their values, now that the step behind them has AFTER. */
static int
fill(const struct run *run, struct cleaner *c, int64_t n, double after, struct err *err)
{
	size_t b = 0;

	for (int64_t i = 0; i < n; i++) {
		struct step s = { .number = c->known + 1 + i };
		double value = gap_value(&run->rule->gap, c->value, after, n, i);

		if (b < c->n_blank && c->blank[b].number == s.number)
			s = c->blank[b++];
		if (!isnan(value)) {
			s.flags |= STEP_IMPUTED;
			s.tally.imputed++;
		}
		if (append(run, c, &s, value, err) < 0)
			return -1;
	}
	c->n_blank = 0;
	return 0;
}

/* What is known ends here: the window goes out as it is, and what the blank steps counted shows in the next one. */
static int
break_off(const struct run *run, struct cleaner *c, struct err *err)
{
	if (c->window.n && emit(run, c, err) < 0)
		return -1;
	for (size_t b = 0; b < c->n_blank; b++)
		tally_add(&c->window.tally, &c->blank[b].tally);
	c->n_blank = 0;
	c->has_value = false;
	return 0;
}

static int
keep_blank(const struct run *run, struct cleaner *c, struct err *err)
{
	if (c->has_value && c->step.number - c->known > run->rule->gap_max_steps && break_off(run, c, err) < 0)
		return -1;
	if (!c->has_value) { /* before the first step of a window: nothing to fill */
		tally_add(&c->window.tally, &c->step.tally);
		return 0;
	}
	if (c->n_blank == c->cap_blank) {
		size_t cap = c->cap_blank ? c->cap_blank * 2 : 4;
		struct step *grown = realloc(c->blank, cap * sizeof(*grown));

		if (!grown)
			return no_memory(err);
		c->blank = grown;
		c->cap_blank = cap;
	}
	c->blank[c->n_blank++] = c->step;
	return 0;
}

static int
finish_step(const struct run *run, struct cleaner *c, struct err *err)
{
	double value = step_value(run->rule->resample, &c->step);
	int64_t gap;

	c->has_step = false;
	if (isnan(value))
		return keep_blank(run, c, err);
	gap = c->has_value ? c->step.number - c->known - 1 : 0;
	if (gap > run->rule->gap_max_steps) {
		if (break_off(run, c, err) < 0)
			return -1;
	} else if (fill(run, c, gap, value, err) < 0) {
		return -1;
	}
	c->known = c->step.number;
	c->value = value;
	c->has_value = true;
	return append(run, c, &c->step, value, err);
}

/* What was counted in steps of another length is finished in it. */
static int
change_step(const struct run *run, struct cleaner *c, struct err *err)
{
	if ((c->has_step && finish_step(run, c, err) < 0) || break_off(run, c, err) < 0)
		return -1;
	c->step_us = run->rule->step_us;
	return 0;
}

/* The unit of S is another one than that of what came before it. */
static int
change_unit(const struct run *run, struct cleaner *c, const struct sample *s, struct err *err)
{
	if (c->has_unit) {
		if ((c->has_step && finish_step(run, c, err) < 0) || break_off(run, c, err) < 0)
			return -1;
		c->outlier = (struct outlier){ 0 };
		run->count->unit_changes++;
	}
	c->unit_at = s->unit - 1;
	c->has_unit = true;
	units_prune(c);
	return 0;
}

static void
judge(const struct run *run, struct cleaner *c, double value)
{
	struct step *s = &c->step;
	enum outlier_verdict verdict = outlier_judge(&run->rule->outlier, &c->outlier, value, &value);

	if (verdict != OUTLIER_NONE) {
		s->flags |= STEP_OUTLIER;
		s->tally.outliers++;
		run->count->outliers++;
	}
	if (verdict == OUTLIER_DROPPED) {
		s->tally.dropped++;
		run->count->dropped++;
		return;
	}
	if (verdict == OUTLIER_CLIPPED)
		s->flags |= STEP_CLIPPED;
	moments_add(&s->readings, value);
	run->count->taken++;
}

/* A reading in the order of event time. */
static int
release(const struct run *run, struct cleaner *c, const struct sample *s, struct err *err)
{
	int64_t number = calendar_step(s->time_us, run->rule->step_us);
	const struct tally seen = { .repeated = s->repeated, .ingest_us = s->ingest_us };

	if (c->step_us != run->rule->step_us && change_step(run, c, err) < 0)
		return -1;
	if (c->has_step && number > c->step.number && finish_step(run, c, err) < 0)
		return -1;
	if (isnan(s->value)) {
		tally_add(&c->window.tally, &(struct tally){ .repeated = s->repeated });
		return 0;
	}
	if (s->unit && (!c->has_unit || c->unit_at != s->unit - 1) && change_unit(run, c, s, err) < 0)
		return -1;
	if (!c->has_step) {
		c->step = (struct step){ .number = number };
		c->has_step = true;
	}
	tally_add(&c->step.tally, &seen);
	judge(run, c, s->value);
	return 0;
}

int
cleaner_add(const struct cleaner_rule *rule, struct cleaner *c, const struct sample *s, struct span unit,
	    cleaner_sink *sink, void *ctx, struct cleaner_count *count, struct err *err)
{
	const struct run run = { rule, sink, ctx, count };
	struct sample taken = *s, ready;
	uint32_t repeated = c->order.waits ? c->order.doubtful.repeated : 0;
	int what;

	if (!isnan(s->value) && units_number(c, unit, &taken.unit) < 0)
		return no_memory(err);
	if (reorder_push(&rule->order, &c->order, &taken, &what) < 0)
		return no_memory(err);
	if (what)
		units_prune(c); /* what was left out names nothing */
	count->missing += isnan(s->value) != 0;
	if (what & REORDER_REPEATED)
		count->repeated++;
	if (what & REORDER_GONE)
		c->window.tally.repeated++;
	if (what & REORDER_LATE) {
		count->late++;
		c->window.tally.late += rule->count_late;
	}
	if (what & REORDER_WILD) {
		count->wild++;
		c->window.tally.late += rule->count_late;
		c->window.tally.repeated += repeated;
	}
	while (reorder_pop(&rule->order, &c->order, &ready))
		if (release(&run, c, &ready, err) < 0)
			return -1;
	return 0;
}
