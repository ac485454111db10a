/*
 * serving.c -- one encoding for two readers: what the topic gets, the cache gets, byte by byte.
 *
 * The cache is told before the transaction is committed.  That is no harm: a forecast is a function of its history, so the
 * repetition after an abort is the same forecast.
 */
#include "workers/batch-forecaster/serving.h"

#include <inttypes.h>
#include <stdlib.h>

#define YEAR_10000_US INT64_C(253402300800000000)

static const struct metric_spec count_spec = {
	"forebay_forecasts_total", METRIC_COUNTER, "basis",
	"forecasts by what they rest on: seasonal, last (too little history for a season), nothing (no forecast: no value known)"
};
static const char *const count_names[SERVING_COUNTS] = { "seasonal", "last", "nothing" };

int
serving_open(struct serving *s, const struct forecaster_options *opt, struct worker *w, struct err *err)
{
	serving_close(s); /* a second attempt */
	if (forecast_plan_make(opt, &s->plan, err) < 0 ||
	    cache_new(worker_bounded(w) ? "" : opt->cache_uri, opt->cache_timeout_ms, worker_metrics(w), &s->cache,
		      err) < 0)
		return -1;
	s->ttl_ms = opt->cache_ttl_ms;
	s->values = malloc(s->plan.horizon * s->plan.n_levels * sizeof(*s->values));
	if (!s->values)
		return err_set(err, REASON_NO_MEMORY, "forecast");
	for (size_t i = 0; i < SERVING_COUNTS; i++)
		s->counts[i] = metrics_series(worker_metrics(w), &count_spec, &count_names[i]);
	if (worker_input(w, opt->forecasts_topic, &forecast_record, &s->codec, err) < 0)
		return -1;
	return worker_output(w, opt->forecasts_topic, NULL, &s->output, err);
}

void
serving_close(struct serving *s)
{
	cache_free(s->cache);
	free(s->values);
	buffer_clear(&s->bytes);
	s->cache = NULL;
	s->values = NULL;
}

int
serving_check_time(const struct forecast_plan *plan, const struct series *w, struct err *err)
{
	int64_t end_us = w->start_us + (int64_t)w->n_target * w->step_us;

	if (w->step_us <= (YEAR_10000_US - 1 - end_us) / (int64_t)plan->horizon)
		return 0;
	return err_set(err, REASON_TIME_RANGE,
		       "%zu steps of %" PRId64 " us (horizon.steps) from %" PRId64 " us end past the year 9999",
		       plan->horizon, w->step_us, end_us);
}

int
serving_compute(struct serving *s, const struct history *h, struct forecast *f, enum naive_basis *basis,
		struct err *err)
{
	*f = (struct forecast){
		.origin_us = h->end_us,
		.step_us = h->step_us,
		.levels = s->plan.levels,
		.n_levels = s->plan.n_levels,
		.values = s->values,
		.n_steps = s->plan.horizon,
		.model = SPAN("seasonal-naive"),
		.version = span_of(s->plan.version),
		.ingest_us = h->ingest_us,
	};
	return naive_forecast(&s->plan.naive, history_values(h), h->n, s->plan.horizon, s->plan.levels,
			      s->plan.n_levels, s->values, basis, err);
}

int
serving_send(struct serving *s, struct context *ctx, struct span device, struct span metric, const struct history *h,
	     struct err *err)
{
	char key[CACHE_KEY_BYTES];
	struct span bytes;
	enum naive_basis basis;
	struct forecast f;

	if (serving_compute(s, h, &f, &basis, err) < 0)
		return -1;
	if (basis == NAIVE_NONE) {
		metric_add(s->counts[SERVED_NOTHING], 1);
		return 0;
	}
	f.device = device;
	f.metric = metric;
	s->bytes.len = 0;
	if (codec_encode(s->codec, &f, &s->bytes, err) < 0)
		return -1;
	bytes = buffer_span(&s->bytes);
	if (context_emit(ctx, s->output, device, &bytes, err) < 0)
		return -1;
	cache_forecast_key(device, metric, key);
	cache_put(s->cache, span_of(key), bytes, s->ttl_ms);
	metric_add(s->counts[basis == NAIVE_SEASONAL ? SERVED_SEASONAL : SERVED_LAST], 1);
	return 0;
}
