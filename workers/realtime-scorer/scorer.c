/*
 * scorer.c -- one input record is one device's values at one event time; each good one goes to the state of its own stream.
 *
 * Forecasts come by the side input and stay in the state.  Where none has come, or the last one has run out, lookup.c finds one: in
 * Redis, or it makes one here.  Such an answer is held as any other.
 */
#include "workers/realtime-scorer/scorer.h"

#include <math.h>
#include <string.h>

#include "common/base/random.h"
#include "common/record/reading.h"
#include "workers/realtime-scorer/alerts.h"

#define FORECASTS_TOPIC "forecasts"

static const struct metric_spec outcome_spec = {
	"forebay_scorer_values_total", METRIC_COUNTER, "outcome",
	"values of readings by what became of them: taken, late and ahead (scored, not learned), repeated and bad_quality "
	"(not scored)"
};
static const struct metric_spec basis_spec = {
	"forebay_scorer_scores_total", METRIC_COUNTER, "forecast",
	"scores by whether a forecast covered the event time: yes, ondemand (one made here), "
	"no"
};
static const struct metric_spec alert_spec = { "forebay_scorer_alerts_total", METRIC_COUNTER, "status",
					       "alert records by status" };

static const char *const outcome_names[OUTCOME_COUNT] = { "taken", "late", "ahead", "repeated", "bad_quality" };
static const char *const basis_names[BASIS_COUNT] = { "yes", "ondemand", "no" };
static const char *const record_names[BASIS_COUNT] = { "forecast", "ondemand", "none" }; /* in Score.basis */
static const enum scorer_outcome outcome_of[STREAM_KINDS] = { [STREAM_TAKEN] = OUTCOME_TAKEN,
							      [STREAM_LATE] = OUTCOME_LATE,
							      [STREAM_AHEAD] = OUTCOME_AHEAD,
							      [STREAM_REPEATED] = OUTCOME_REPEATED };

static void
register_meters(struct scorer *s, struct metrics *m)
{
	const char *firing = alert_status_name(ALERT_FIRING), *resolved = alert_status_name(ALERT_RESOLVED);

	for (size_t i = 0; i < OUTCOME_COUNT; i++)
		s->outcomes[i] = metrics_series(m, &outcome_spec, &outcome_names[i]);
	for (size_t i = 0; i < BASIS_COUNT; i++)
		s->bases[i] = metrics_series(m, &basis_spec, &basis_names[i]);
	s->opened = metrics_series(m, &alert_spec, &firing);
	s->resolved = metrics_series(m, &alert_spec, &resolved);
}

int
scorer_open(void *self, struct worker *w, struct err *err)
{
	struct scorer *s = self;
	size_t n_topics;

	scorer_close(s); /* a second attempt */
	register_meters(s, worker_metrics(w));
	if (scorer_rule(&s->opt, &s->rule, err) < 0 ||
	    worker_input(w, worker_topics(w, &n_topics)[0], &reading_record, &s->readings, err) < 0 ||
	    worker_input(w, FORECASTS_TOPIC, &forecast_record, &s->forecasts, err) < 0 ||
	    lookup_open(&s->lookup, &s->opt, w, s->forecasts, err) < 0 ||
	    worker_output(w, s->opt.scores_topic, &score_record, &s->scores, err) < 0)
		return -1;
	return worker_output(w, s->opt.alerts_topic, &alert_record, &s->alerts, err);
}

void
scorer_close(void *self)
{
	struct scorer *s = self;

	lookup_close(&s->lookup);
}

/* A good value of the reading at hand, and the stream that it belongs to. */
struct subject {
	const struct reading_value *value;
	struct span key; /* of the stream's state */
	struct stream *stream;
	bool asks;          /* for a forecast */
	struct held *found; /* NULL: none */
};

/* The state of a device's metric: the length before the device tells "ab", "c" from "a", "bc". */
static struct stream *
stream_of(struct context *ctx, struct span device, struct span metric, struct span *key, struct err *err)
{
	char *text = arena_printf(context_arena(ctx), "%zu:", device.len);
	size_t prefix = text ? strlen(text) : 0, len = prefix + device.len + metric.len;
	char *bytes = text ? arena_alloc(context_arena(ctx), len) : NULL;

	if (!bytes) {
		err_set(err, REASON_NO_MEMORY, "state of a stream");
		return NULL;
	}
	memcpy(bytes, text, prefix);
	memcpy(bytes + prefix, device.ptr, device.len);
	memcpy(bytes + prefix + device.len, metric.ptr, metric.len);
	*key = (struct span){ bytes, len };
	return context_state(ctx, *key, err);
}

static void
drop(struct subject *subjects, size_t n)
{
	for (size_t i = 0; i < n; i++)
		held_release(subjects[i].found);
}

/* All that can fail, before the stream changes. */
static int
prepare(struct scorer *s, struct context *ctx, const struct reading *r, struct subject *v, struct err *err)
{
	const struct question q = { r->device, v->value->metric, v->key, v->stream, r->event_us };

	v->asks = stream_asks(v->stream, &s->rule, r->event_us);
	if (v->asks && lookup_find(&s->lookup, ctx, &q, &v->found, err) < 0)
		return -1;
	return recent_reserve(&v->stream->recent, &s->rule.recent, r->event_us, err);
}

/* The streams of all good values, and the forecasts they ask for, before the first stream changes. */
static int
fetch(struct scorer *s, struct context *ctx, const struct reading *r, struct subject **ret, size_t *n, struct err *err)
{
	struct subject *subjects = arena_zalloc(context_arena(ctx), r->n_values * sizeof(*subjects));

	if (!subjects)
		return err_set(err, REASON_NO_MEMORY, "values of a reading");
	*n = 0;
	for (size_t i = 0; i < r->n_values; i++) {
		struct subject *v = &subjects[*n];

		if (r->values[i].quality != QUALITY_GOOD)
			continue;
		v->value = &r->values[i];
		v->stream = stream_of(ctx, r->device, v->value->metric, &v->key, err);
		if (!v->stream)
			return -1;
		++*n;
	}
	for (size_t i = 0; i < *n; i++)
		if (prepare(s, ctx, r, &subjects[i], err) < 0) {
			drop(subjects, *n);
			return -1;
		}
	*ret = subjects;
	return 0;
}

static enum scorer_basis
basis_of(const struct stream_score *s)
{
	return !s->forecast ? BASIS_NONE : s->ondemand ? BASIS_ONDEMAND : BASIS_FORECAST;
}

static struct score
score_of(const struct reading *r, const struct reading_value *v, const struct stream_score *s)
{
	const struct outlook none = { NAN, NAN, NAN, NAN }, *o = s->forecast ? &s->outlook : &none;

	return (struct score){
		.device = r->device,
		.metric = v->metric,
		.event_us = r->event_us,
		.value = v->value,
		.p_value = s->verdict.p_value,
		.onset = s->verdict.onset,
		.state = s->verdict.state,
		.p_scalar = s->verdict.p[DETECTOR_SCALAR],
		.p_forecast = o->p,
		.expected = o->expected,
		.lower = o->lower,
		.upper = o->upper,
		.ingest_us = r->ingest_us,
		.basis = span_of(record_names[basis_of(s)]),
	};
}

static int
emit_alert(struct scorer *s, struct context *ctx, const struct stream *stream, const struct stream_score *score,
	   const struct score *record, struct err *err)
{
	struct alert alert;

	if (alert_make(score, record, &stream->detector.episode, s->opt.critical_p, context_arena(ctx), &alert, err) <
	    0)
		return -1;
	metric_add(alert.status == ALERT_FIRING ? s->opened : s->resolved, 1);
	return context_emit(ctx, s->alerts, record->device, &alert, err);
}

/* The value at last: its forecast, its score, what it teaches.  What was found is the stream's from here on. */
static int
add_value(struct scorer *s, const struct reading *r, struct subject *v, struct stream_score *ret, struct err *err)
{
	if (v->asks)
		stream_answer(v->stream, v->found, r->event_us);
	v->found = NULL;
	return stream_add(v->stream, &s->rule, random_hash(v->key), v->value->value, r->event_us, ret, err);
}

/* Forecasts looked up by the values of a record, and found. */
struct tally {
	uint64_t hits, misses;
};

static int
score_value(struct scorer *s, struct context *ctx, const struct reading *r, struct subject *v, struct tally *tally,
	    struct err *err)
{
	struct stream_score score;
	struct score record;

	if (add_value(s, r, v, &score, err) < 0)
		return -1;
	if (context_silent(ctx))
		return 0;
	metric_add(s->outcomes[outcome_of[score.kind]], 1);
	if (score.kind == STREAM_REPEATED)
		return 0;
	metric_add(s->bases[basis_of(&score)], 1);
	tally->misses += score.lacked;
	tally->hits += score.kind == STREAM_TAKEN && score.forecast && !score.lacked;
	record = score_of(r, v->value, &score);
	if (context_emit(ctx, s->scores, r->device, &record, err) < 0)
		return -1;
	return score.verdict.action == EPISODE_NOTHING ? 0 : emit_alert(s, ctx, v->stream, &score, &record, err);
}

static int
check_key(const struct input *in, struct span device, struct err *err)
{
	return span_equal(in->key, device) ? 0
					   : err_set(err, REASON_KEY_MISMATCH, "key \"%.*s\", device \"%.*s\"",
						     SPAN_ARG(in->key), SPAN_ARG(device));
}

int
scorer_record(void *self, struct context *ctx, const struct input *in, struct err *err)
{
	struct scorer *s = self;
	struct subject *subjects = NULL;
	struct tally tally = { 0 };
	struct reading r;
	size_t n = 0;

	if (codec_decode(s->readings, in->value, in->schema_id, context_arena(ctx), &r, err) < 0 ||
	    check_key(in, r.device, err) < 0 || fetch(s, ctx, &r, &subjects, &n, err) < 0)
		return -1;
	context_event_time(ctx, r.event_us);
	if (!context_silent(ctx) && n < r.n_values)
		metric_add(s->outcomes[OUTCOME_BAD_QUALITY], (double)(r.n_values - n));
	for (size_t i = 0; i < n; i++)
		if (score_value(s, ctx, &r, &subjects[i], &tally, err) < 0) {
			drop(subjects, n);
			return -1;
		}
	cache_count(s->lookup.cache, tally.hits, tally.misses);
	return 0;
}

int
scorer_side(void *self, struct context *ctx, const struct input *in, struct err *err)
{
	struct scorer *s = self;
	struct stream *stream;
	struct span key;
	struct held *h;
	struct forecast f;

	if (codec_decode(s->forecasts, in->value, in->schema_id, context_arena(ctx), &f, err) < 0 ||
	    check_key(in, f.device, err) < 0)
		return -1;
	if (held_new(&f, (size_t)s->opt.forecast_max_steps, (size_t)s->opt.forecast_max_levels, &h, err) < 0)
		return -1;
	stream = stream_of(ctx, f.device, f.metric, &key, err);
	if (!stream) {
		held_release(h);
		return -1;
	}
	stream_hold(stream, h);
	return 0;
}
