/*
 * preprocessor.c -- one input record is one device's values at one event time; each goes to the state of its own series.
 * All checks come before the first change of a state.  The topics that are read hold the same record, so that one codec
 * decodes them all.
 */
#include "workers/etl-preprocessor/preprocessor.h"

#include <math.h>
#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/record/reading.h"
#include "workers/etl-preprocessor/windows.h"

#define SAME_LOG_US (60 * US_PER_SECOND)
#define KEY_SEPARATOR "\x1f" /* the unit separator, which no device id holds */

static const struct metric_spec outcome_spec = {
	"forebay_etl_readings_total", METRIC_COUNTER, "outcome",
	"values of readings by what became of them: taken, missing (of bad quality), late, repeated, outlier (flagged), "
	"dropped (outliers by policy), wild (time stamps far ahead that the next reading contradicted)"
};
static const struct metric_spec unit_changes_spec = {
	"forebay_etl_unit_changes_total", METRIC_COUNTER, "",
	"series whose readings went over to another unit, which ends the window"
};
static const char *const outcome_names[OUTCOMES] = { "taken",   "missing", "late", "repeated",
						     "outlier", "dropped", "wild" };

int
preprocessor_open(void *self, struct worker *w, struct err *err)
{
	struct preprocessor *p = self;
	size_t n_topics;
	const char *const *topics = worker_topics(w, &n_topics);

	for (size_t i = 0; i < OUTCOMES; i++)
		p->outcomes[i] = metrics_series(worker_metrics(w), &outcome_spec, &outcome_names[i]);
	p->unit_changes = metrics_series(worker_metrics(w), &unit_changes_spec, NULL);
	if (etl_rule(&p->opt, worker_state_max_bytes(w), &p->rule, err) < 0 ||
	    worker_input(w, topics[0], &reading_record, &p->readings, err) < 0 ||
	    worker_output(w, p->opt.series_topic, &series_record, &p->series, err) < 0)
		return -1;
	if (!p->opt.aggregates_topic[0])
		return 0;
	return worker_output(w, p->opt.aggregates_topic, &aggregate_record, &p->aggregates, err);
}

struct span
preprocessor_key(struct arena *a, struct span device, struct span metric)
{
	char *text = arena_alloc(a, device.len + 1 + metric.len);

	if (!text)
		return SPAN_NONE;
	memcpy(text, device.ptr, device.len);
	memcpy(text + device.len, KEY_SEPARATOR, 1);
	memcpy(text + device.len + 1, metric.ptr, metric.len);
	return (struct span){ text, device.len + 1 + metric.len };
}

struct destination {
	struct preprocessor *p;
	struct context *ctx;
	struct span device, metric;
};

static int
write_window(void *ctx, const struct cleaner *c, struct err *err)
{
	const struct destination *d = ctx;
	struct series s = windows_series(c, d->device, d->metric);
	struct aggregate a = windows_aggregate(c, d->device, d->metric);

	if (context_silent(d->ctx))
		return 0;
	if (context_emit(d->ctx, d->p->series, d->device, &s, err) < 0)
		return -1;
	return d->p->aggregates ? context_emit(d->ctx, d->p->aggregates, d->device, &a, err) : 0;
}

static void
count_outcomes(struct preprocessor *p, const struct cleaner_count *c)
{
	const int64_t counts[OUTCOMES] = {
		c->taken, c->missing, c->late, c->repeated, c->outliers, c->dropped, c->wild
	};

	for (size_t i = 0; i < OUTCOMES; i++)
		if (counts[i])
			metric_add(p->outcomes[i], (double)counts[i]);
	if (c->unit_changes)
		metric_add(p->unit_changes, (double)c->unit_changes);
}

/* Once in a while; DEVICE is one that it is said of. */
static void
tell_late(struct preprocessor *p, struct span device)
{
	const struct lateness l = p->lateness;
	int64_t now = clock_monotonic_us();
	char name[257];

	p->lateness = (struct lateness){ 0 };
	if (p->told_us && now - p->told_us < SAME_LOG_US)
		return;
	p->told_us = now;
	snprintf(name, sizeof(name), "%.*s", SPAN_ARG(device));
	log_event(LOG_WARN, "most readings are late, and left out of the series", "late", LOG_I(l.late), "of",
		  LOG_I(l.readings), "device", LOG_S(name), "lateness_ms", LOG_I(p->opt.lateness_ms), "remedy",
		  LOG_S("send each device's readings in the order of their event times, or raise lateness.ms"), NULL);
}

static int
decode(struct preprocessor *p, struct context *ctx, const struct input *in, struct reading *r, struct err *err)
{
	if (codec_decode(p->readings, in->value, in->schema_id, context_arena(ctx), r, err) < 0)
		return -1;
	if (!span_equal(in->key, r->device))
		return err_set(err, REASON_KEY_MISMATCH, "key \"%.*s\", device \"%.*s\"", SPAN_ARG(in->key),
			       SPAN_ARG(r->device));
	return cleaner_check_time(&p->rule, r->event_us, err);
}

/* The states of all values, before the first of them changes: getting one may fail. */
static struct cleaner **
fetch(struct context *ctx, const struct reading *r, struct err *err)
{
	struct cleaner **states = arena_alloc(context_arena(ctx), r->n_values * sizeof(*states));

	for (size_t i = 0; states && i < r->n_values; i++) {
		struct span key = preprocessor_key(context_arena(ctx), r->device, r->values[i].metric);

		if (!key.ptr)
			states = NULL;
		else if (!(states[i] = context_state(ctx, key, err)))
			return NULL;
	}
	if (!states)
		err_set(err, REASON_NO_MEMORY, "state of a series");
	return states;
}

int
preprocessor_record(void *self, struct context *ctx, const struct input *in, struct err *err)
{
	struct preprocessor *p = self;
	struct cleaner_count count = { 0 };
	struct cleaner **states;
	struct reading r;
	int64_t late;

	if (decode(p, ctx, in, &r, err) < 0)
		return -1;
	states = fetch(ctx, &r, err);
	if (!states)
		return -1;
	context_event_time(ctx, r.event_us);
	for (size_t i = 0; i < r.n_values; i++) {
		const struct reading_value *v = &r.values[i];
		const struct sample s = { .time_us = r.event_us,
					  .ingest_us = r.ingest_us,
					  .value = v->quality == QUALITY_GOOD ? v->value : NAN };
		struct destination d = { p, ctx, r.device, v->metric };

		if (cleaner_add(&p->rule, states[i], &s, v->unit, write_window, &d, &count, err) < 0)
			return -1;
	}
	if (context_silent(ctx))
		return 0;
	count_outcomes(p, &count);
	late = count.late + count.wild;
	if (lateness_add(&p->lateness, (int64_t)r.n_values, late) && late)
		tell_late(p, r.device);
	return 0;
}
