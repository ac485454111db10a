/* lookup.c -- first the cache, then ourselves. */
#include "workers/realtime-scorer/lookup.h"

#include "common/base/clock.h"
#include "common/record/forecast.h"

#define ANSWER_MAX ((size_t)512 << 10) /* a longer one is not taken: a record of the journal has to hold it */

static const struct metric_spec outcome_spec = {
	"forebay_scorer_ondemand_total", METRIC_COUNTER, "outcome",
	"questions for a forecast where none held reaches to a value: cache (Redis had one), computed (made here), nothing"
};
static const char *const outcome_names[LOOKUP_OUTCOMES] = { "cache", "computed", "nothing" };
static const double seconds_bounds[] = {
	10e-6, 25e-6, 50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2e-3, 4e-3, 8e-3, 16e-3, 0.1
};
static const struct metric_spec seconds_spec = {
	"forebay_scorer_ondemand_seconds",          METRIC_HISTOGRAM, "",
	"how long it took to make a forecast here", seconds_bounds,   sizeof(seconds_bounds) / sizeof(seconds_bounds[0])
};

int
lookup_open(struct lookup *l, const struct scorer_options *opt, struct worker *w, struct codec *codec, struct err *err)
{
	struct ondemand_rule rule;

	lookup_close(l);
	l->codec = codec;
	l->max_steps = (size_t)opt->forecast_max_steps;
	l->max_levels = (size_t)opt->forecast_max_levels;
	for (size_t i = 0; i < LOOKUP_OUTCOMES; i++)
		l->outcomes[i] = metrics_series(worker_metrics(w), &outcome_spec, &outcome_names[i]);
	l->seconds = metrics_series(worker_metrics(w), &seconds_spec, NULL);
	if (scorer_ondemand_rule(opt, &rule, err) < 0 || ondemand_new(&rule, &l->ondemand, err) < 0 ||
	    cache_new(worker_bounded(w) ? "" : opt->cache_uri, opt->cache_timeout_ms, worker_metrics(w), &l->cache,
		      err) < 0)
		return -1;
	cache_set_window(l->cache, opt->cache_window_ms);
	return 0;
}

void
lookup_close(struct lookup *l)
{
	cache_free(l->cache);
	ondemand_free(l->ondemand);
	*l = (struct lookup){ 0 };
}

/* BYTES as a forecast of this stream that has not run out at EVENT_US; NULL: they are none. */
static struct held *
read_answer(struct lookup *l, struct context *ctx, const struct question *q, struct span bytes)
{
	struct forecast f;
	struct held *h = NULL;

	if (!bytes.ptr || codec_decode(l->codec, bytes, SPAN_NONE, context_arena(ctx), &f, NULL) < 0 ||
	    !span_equal(f.device, q->device) || !span_equal(f.metric, q->metric) ||
	    held_new(&f, l->max_steps, l->max_levels, &h, NULL) < 0)
		return NULL;
	if (held_end(h) > q->event_us)
		return h;
	held_release(h);
	return NULL;
}

/* What the cache has, or had when this record was processed first. */
static int
ask_cache(struct lookup *l, struct context *ctx, const struct question *q, struct held **ret, struct err *err)
{
	char key[CACHE_KEY_BYTES];
	struct span answer;

	if (context_recall(ctx, q->key, &answer)) {
		*ret = read_answer(l, ctx, q, answer);
		return 0;
	}
	cache_forecast_key(q->device, q->metric, key);
	answer = cache_get(l->cache, span_of(key), context_arena(ctx));
	*ret = answer.len <= ANSWER_MAX ? read_answer(l, ctx, q, answer) : NULL;
	if (!*ret || context_note(ctx, q->key, answer, err) == 0)
		return 0;
	held_release(*ret);
	*ret = NULL;
	return -1;
}

static int
make_one(struct lookup *l, const struct question *q, struct held **ret, struct err *err)
{
	int64_t begun_us = clock_monotonic_us();

	if (ondemand_make(l->ondemand, &q->stream->recent, q->event_us, ret, err) < 0)
		return -1;
	if (*ret)
		metric_observe(l->seconds, (double)(clock_monotonic_us() - begun_us) / 1e6);
	return 0;
}

int
lookup_find(struct lookup *l, struct context *ctx, const struct question *q, struct held **ret, struct err *err)
{
	enum lookup_outcome outcome = LOOKUP_CACHE;

	if (ask_cache(l, ctx, q, ret, err) < 0)
		return -1;
	if (!*ret) {
		if (make_one(l, q, ret, err) < 0)
			return -1;
		outcome = *ret ? LOOKUP_MADE : LOOKUP_NOTHING;
	}
	if (!context_silent(ctx))
		metric_add(l->outcomes[outcome], 1);
	return 0;
}
