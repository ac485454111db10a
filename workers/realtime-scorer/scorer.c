/*
 * scorer.c -- one input record is one device's values at one event time; each good one goes to the state of its own stream, and all
 * of them together to those of the device's groups.
 *
 * Forecasts come by the side input and stay in the state.  Where none has come, or the last one has run out, lookup.c finds one: in
 * Redis, or it makes one here.  Such an answer is held as any other.
 */
#include "workers/realtime-scorer/scorer.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/random.h"
#include "common/record/reading.h"
#include "workers/realtime-scorer/state.h"

#define FORECASTS_TOPIC "forecasts"
#define GROUP_KEY \
	"\x1f"    \
	"group" /* no number begins like that, as keys of metrics do */

static const struct metric_spec outcome_spec = {
	"forebay_scorer_values_total", METRIC_COUNTER, "outcome",
	"values of readings by what became of them: taken, late and ahead (scored, not learned), repeated and bad_quality "
	"(not scored)"
};
static const char *const outcome_names[OUTCOME_COUNT] = { "taken", "late", "ahead", "repeated", "bad_quality" };
static const enum scorer_outcome outcome_of[ORDER_KINDS] = { [ORDER_TAKEN] = OUTCOME_TAKEN,
							     [ORDER_LATE] = OUTCOME_LATE,
							     [ORDER_AHEAD] = OUTCOME_AHEAD,
							     [ORDER_REPEATED] = OUTCOME_REPEATED };

int
scorer_open(void *self, struct worker *w, struct err *err)
{
	struct scorer *s = self;
	size_t n_topics;

	scorer_close(s); /* a second attempt */
	for (size_t i = 0; i < OUTCOME_COUNT; i++)
		s->outcomes[i] = metrics_series(worker_metrics(w), &outcome_spec, &outcome_names[i]);
	if (scorer_rule(&s->opt, &s->rule, err) < 0 || scorer_collective_rule(&s->opt, &s->collective, err) < 0 ||
	    groups_parse(s->opt.groups, &s->groups, err) < 0 ||
	    worker_input(w, worker_topics(w, &n_topics)[0], &reading_record, &s->readings, err) < 0 ||
	    worker_input(w, FORECASTS_TOPIC, &forecast_record, &s->forecasts, err) < 0 ||
	    lookup_open(&s->lookup, &s->opt, &s->models, w, s->forecasts, err) < 0)
		return -1;
	return emit_open(&s->emitter, w, &s->opt, err);
}

void
scorer_close(void *self)
{
	struct scorer *s = self;

	lookup_close(&s->lookup);
	groups_clear(&s->groups);
}

/* A good value of the reading at hand, and the stream that it belongs to. */
struct subject {
	const struct reading_value *value;
	struct span key; /* of the stream's state */
	struct stream *stream;
	bool asks;          /* for a forecast */
	struct held *found; /* NULL: none */
};

/*
 * The state of a device's metric or group.  The length before the device tells "ab", "c" from "a", "bc"; what is before the length
 * tells a group from a metric.
 */
static struct scored *
state_of(struct context *ctx, const char *kind, struct span device, struct span name, struct span *key, struct err *err)
{
	char *text = arena_printf(context_arena(ctx), "%s%zu:", kind, device.len);
	size_t prefix = text ? strlen(text) : 0, len = prefix + device.len + name.len;
	char *bytes = text ? arena_alloc(context_arena(ctx), len) : NULL;

	if (!bytes) {
		err_set(err, REASON_NO_MEMORY, "state of a stream");
		return NULL;
	}
	memcpy(bytes, text, prefix);
	memcpy(bytes + prefix, device.ptr, device.len);
	memcpy(bytes + prefix + device.len, name.ptr, name.len);
	*key = (struct span){ bytes, len };
	return context_state(ctx, *key, err);
}

static struct stream *
stream_of(struct context *ctx, struct span device, struct span metric, struct span *key, struct err *err)
{
	struct scored *s = state_of(ctx, "", device, metric, key, err);

	return s ? &s->stream : NULL;
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

/* A group that has to do with the reading at hand. */
struct circle {
	const struct group_rule *which;
	struct span key; /* of its state */
	struct scored *state;
};

struct circles {
	struct circle items[GROUPS_MAX];
	size_t n;
};

static int
fetch_circles(struct scorer *s, struct context *ctx, const struct reading *r, struct circles *ret, struct err *err)
{
	ret->n = 0;
	for (size_t i = 0; i < s->groups.n; i++) {
		struct circle *c = &ret->items[ret->n];

		c->which = &s->groups.rules[i];
		if (!collective_concerns(c->which, r))
			continue;
		c->state = state_of(ctx, GROUP_KEY, r->device, span_of(c->which->metric), &c->key, err);
		if (!c->state)
			return -1;
		ret->n++;
	}
	return 0;
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

	if (add_value(s, r, v, &score, err) < 0)
		return -1;
	if (context_silent(ctx))
		return 0;
	metric_add(s->outcomes[outcome_of[score.kind]], 1);
	if (score.kind == ORDER_REPEATED)
		return 0;
	tally->misses += score.lacked;
	tally->hits += score.kind == ORDER_TAKEN && score.forecast && !score.lacked;
	return emit_value(&s->emitter, ctx, r, v->value, v->stream, &score, err);
}

static int
score_circle(struct scorer *s, struct context *ctx, const struct reading *r, struct circle *c, struct err *err)
{
	struct collective_score score;

	if (!c->state->collective)
		c->state->collective = calloc(1, sizeof(*c->state->collective));
	if (!c->state->collective)
		return err_set(err, REASON_NO_MEMORY, "state of a group");
	if (collective_add(c->state->collective, &s->collective, c->which, random_hash(c->key), r, &score, err) < 0)
		return -1;
	return context_silent(ctx) ? 0 : emit_row(&s->emitter, ctx, r, c->which, c->state->collective, &score, err);
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
	struct circles circles;
	struct reading r;
	size_t n = 0;

	if (codec_decode(s->readings, in->value, in->schema_id, context_arena(ctx), &r, err) < 0 ||
	    check_key(in, r.device, err) < 0 || fetch_circles(s, ctx, &r, &circles, err) < 0 ||
	    fetch(s, ctx, &r, &subjects, &n, err) < 0)
		return -1;
	context_event_time(ctx, r.event_us);
	if (!context_silent(ctx) && n < r.n_values)
		metric_add(s->outcomes[OUTCOME_BAD_QUALITY], (double)(r.n_values - n));
	for (size_t i = 0; i < n; i++)
		if (score_value(s, ctx, &r, &subjects[i], &tally, err) < 0) {
			drop(subjects, n);
			return -1;
		}
	for (size_t i = 0; i < circles.n; i++)
		if (score_circle(s, ctx, &r, &circles.items[i], err) < 0)
			return -1;
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
