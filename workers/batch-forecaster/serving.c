/*
 * serving.c -- one encoding for two readers: what the topic gets, the cache gets, byte by byte.
 *
 * A forecast is a function of the series' state, its name and the models it uses: what is drawn at random depends on name and
 * origin alone, and no series on those computed beside it.  So it does not matter when a waiting series gets its forecast, and the
 * cache may be told before the transaction is committed: a repetition after an abort is the same forecast.
 */
#include "workers/batch-forecaster/serving.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/random.h"
#include "common/record/shape.h"

#define YEAR_10000_US INT64_C(253402300800000000)
#define SCRATCH_BYTES ((size_t)8 << 20)

static const struct metric_spec basis_spec = {
	"forebay_forecasts_total", METRIC_COUNTER, "basis",
	"forecasts by what they rest on: nothing (no forecast: no value is known), naive, classical, model (a trained one took "
	"part)"
};
static const char *const basis_names[] = { [FORECAST_NOTHING] = "nothing",
					   [FORECAST_NAIVE] = "naive",
					   [FORECAST_CLASSICAL] = "classical",
					   [FORECAST_MODEL] = "model" };
static const double batch_bounds[] = { 1, 2, 4, 8, 16, SERVING_BATCH_MAX };
static const struct metric_spec batch_spec = {
	"forebay_forecaster_batch_series",    METRIC_HISTOGRAM, "",
	"series that were forecast together", batch_bounds,     ARRAY_LEN(batch_bounds)
};
static const struct metric_spec seconds_spec = { "forebay_forecaster_forecast_seconds",
						 METRIC_HISTOGRAM,
						 "",
						 "time it took to compute one forecast, in a batch its share",
						 NULL,
						 0 };

static int
scratch_open(struct scratch *s, const struct panel_rule *rule, struct err *err)
{
	size_t cells = rule->horizon * rule->n_levels, each = cells * (PANEL_MEMBERS + 2) * sizeof(double);

	s->room = SCRATCH_BYTES / each;
	s->room = s->room < 1 ? 1 : s->room > SERVING_BATCH_MAX ? SERVING_BATCH_MAX : s->room;
	s->values = malloc(s->room * cells * sizeof(*s->values));
	s->combined = malloc(s->room * cells * sizeof(*s->combined));
	s->members = malloc(s->room * cells * PANEL_MEMBERS * sizeof(*s->members));
	s->rival = malloc(cells * sizeof(*s->rival));
	s->learnt = malloc(s->room * sizeof(*s->learnt));
	if (s->values && s->combined && s->members && s->rival && s->learnt)
		return 0;
	return err_set(err, REASON_NO_MEMORY, "forecasts");
}

static void
scratch_close(struct scratch *s)
{
	free(s->values);
	free(s->combined);
	free(s->members);
	free(s->rival);
	free(s->learnt);
	*s = (struct scratch){ 0 };
}

int
serving_open(struct serving *s, const struct forecaster_options *opt, const struct forecast_plan *plan,
	     struct worker *w, struct err *err)
{
	const struct keeper_options keeper = {
		.adapt = { opt->cache_target, opt->cache_ttl_ms, opt->cache_ttl_max_ms },
		.window_ms = opt->cache_window_ms,
		.warm_bytes = (size_t)opt->cache_warm_bytes,
		.warm_per_second = opt->cache_warm_per_second,
	};

	serving_close(s); /* a second attempt */
	s->plan = plan;
	if (cache_new(worker_bounded(w) ? "" : opt->cache_uri, opt->cache_timeout_ms, worker_metrics(w), &s->cache,
		      err) < 0 ||
	    keeper_new(s->cache, &keeper, worker_metrics(w), &s->keeper, err) < 0 ||
	    scratch_open(&s->scratch, &plan->panel, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(s->bases); i++)
		s->bases[i] = metrics_series(worker_metrics(w), &basis_spec, &basis_names[i]);
	s->batch = metrics_series(worker_metrics(w), &batch_spec, NULL);
	s->seconds = metrics_series(worker_metrics(w), &seconds_spec, NULL);
	if (worker_input(w, opt->forecasts_topic, &forecast_record, &s->codec, err) < 0)
		return -1;
	return worker_output(w, opt->forecasts_topic, NULL, &s->output, err);
}

void
serving_close(struct serving *s)
{
	keeper_free(s->keeper);
	cache_free(s->cache);
	scratch_close(&s->scratch);
	buffer_clear(&s->bytes);
	s->keeper = NULL;
	s->cache = NULL;
}

int
serving_check_time(const struct forecast_plan *plan, const struct series *w, struct err *err)
{
	int64_t end_us = w->start_us + (int64_t)w->n_target * w->step_us;

	if (w->step_us <= (YEAR_10000_US - 1 - end_us) / (int64_t)plan->panel.horizon)
		return 0;
	return err_set(err, REASON_TIME_RANGE,
		       "%zu steps of %" PRId64 " us (horizon.steps) from %" PRId64 " us end past the year 9999",
		       plan->panel.horizon, w->step_us, end_us);
}

/* ---- computing ---- */

/* Is there a part of the horizon of which no step is owed? */
static bool
wants_steps(const struct serving *s, const struct desk *desk, const struct track *t)
{
	for (size_t b = 0; b < ENSEMBLE_BUCKETS_MAX; b++)
		if (!t->owed[b] && desk_owed_step(desk, s->plan->panel.horizon, b) >= 0)
			return true;
	return false;
}

static struct target
target_of(const struct history *h)
{
	return (struct target){ .start_us = h->end_us - (int64_t)h->n * h->step_us,
				.age = h->forgotten,
				.values = history_values(h),
				.n = h->n };
}

static uint64_t
noise_of(const struct order *o)
{
	return random_u64(random_hash(o->key), 0, (uint64_t)o->track->history.end_us);
}

/* One batch, at most as many as there is scratch for. */
static int
compute(struct serving *s, struct desk *desk, const struct order *orders, size_t n, struct panel_forecast *ret,
	struct err *err)
{
	size_t cells = s->plan->panel.horizon * s->plan->panel.n_levels;
	struct panel_request requests[SERVING_BATCH_MAX];
	struct target targets[SERVING_BATCH_MAX];
	int64_t begun = clock_monotonic_us();
	double each;

	for (size_t i = 0; i < n; i++) {
		struct scratch *to = &s->scratch;
		bool wanted = wants_steps(s, desk, orders[i].track);

		targets[i] = target_of(&orders[i].track->history);
		learnt_unpack(orders[i].track->learnt, desk->size, &to->learnt[i]);
		requests[i] = (struct panel_request){ &targets[i], &to->learnt[i], noise_of(&orders[i]) };
		ret[i] = (struct panel_forecast){ .values = to->values + i * cells,
						  .combined = wanted ? to->combined + i * cells : NULL,
						  .members = wanted ? to->members + i * cells * PANEL_MEMBERS : NULL };
	}
	if (panel_forecast(desk->panel, requests, ret, n, err) < 0)
		return -1;
	each = (double)(clock_monotonic_us() - begun) / (double)n / 1e6;
	s->each_seconds +=
	    (each - s->each_seconds) * (each > s->each_seconds ? 1 : .1); /* soon longer, later shorter */
	metric_observe(s->batch, (double)n);
	for (size_t i = 0; i < n; i++)
		metric_observe(s->seconds, each);
	return 0;
}

/* ---- owing ---- */

/* What the rival says of O: *RET NULL, or scratch. */
static int
ask_rival(struct serving *s, struct desk *desk, const struct order *o, const double **ret, struct err *err)
{
	struct target target = target_of(&o->track->history);
	struct panel_request request = { &target, NULL, noise_of(o) };
	struct panel_forecast f = { .values = s->scratch.rival };

	*ret = NULL;
	if (!desk->rival)
		return 0;
	if (panel_forecast(desk->rival, &request, &f, 1, err) < 0)
		return -1;
	if (f.basis == FORECAST_MODEL)
		*ret = s->scratch.rival;
	return 0;
}

/* Keep steps of a forecast where none is owed. */
static int
owe(struct serving *s, struct desk *desk, const struct order *o, const struct panel_forecast *f, struct err *err)
{
	const struct history *h = &o->track->history;
	size_t n_levels = s->plan->panel.n_levels;
	const double *rival = NULL;

	if (!f->combined || f->basis == FORECAST_NOTHING)
		return 0;
	if (ask_rival(s, desk, o, &rival, err) < 0)
		return -1;
	for (size_t b = 0; b < ENSEMBLE_BUCKETS_MAX; b++) {
		int64_t step = desk_owed_step(desk, s->plan->panel.horizon, b);
		size_t at = step < 0 ? 0 : (size_t)step * n_levels;
		const struct owed_row row = { .origin_us = h->end_us,
					      .start_us = h->end_us + step * h->step_us,
					      .step = (uint32_t)step,
					      .awake = f->awake,
					      .scale = f->scale,
					      .n_levels = n_levels,
					      .combined = f->combined + at,
					      .sent = f->values + at,
					      .members = f->members + at * PANEL_MEMBERS,
					      .rival = rival ? rival + at : NULL };

		if (step >= 0 && !o->track->owed[b] && owed_new(&row, o->track->adopted, &o->track->owed[b], err) < 0)
			return -1;
	}
	return 0;
}

/* ---- sending ---- */

/* Who took part, and with what weight.  -1 on NO_MEMORY. */
static int
name_members(struct context *ctx, const struct panel_forecast *from, struct forecast *f, struct err *err)
{
	f->members = arena_alloc(context_arena(ctx), PANEL_MEMBERS * sizeof(*f->members));
	if (!f->members)
		return err_set(err, REASON_NO_MEMORY, "forecast");
	for (uint32_t m = 0; m < PANEL_MEMBERS; m++)
		if (from->awake & 1U << m)
			f->members[f->n_members++] =
			    (struct forecast_member){ span_of(panel_member_name((enum panel_member)m)),
						      (double)from->weights[m] };
	return 0;
}

static int
make_record(struct serving *s, struct context *ctx, const struct order *o, const struct panel_forecast *from,
	    struct forecast *f, struct err *err)
{
	const struct history *h = &o->track->history;
	const struct panel_rule *rule = &s->plan->panel;

	*f = (struct forecast){ .device = o->device,
				.metric = o->metric,
				.origin_us = h->end_us,
				.step_us = h->step_us,
				.levels = (double *)rule->levels, /* to be read only */
				.n_levels = rule->n_levels,
				.values = from->values,
				.n_steps = rule->horizon,
				.model = SPAN("seasonal-naive"),
				.version = SPAN(""),
				.ingest_us = h->ingest_us };
	if (from->basis == FORECAST_NAIVE && !(from->awake & ~NAIVE_MEMBERS))
		return 0;
	f->model = SPAN("ensemble");
	if (from->basis == FORECAST_MODEL)
		f->version = adopted_parts(o->track->adopted).serving;
	return name_members(ctx, from, f, err);
}

/* A forecast that its record's rules refuse is left out: at a commit there is no record at hand that could be dead-lettered. */
static int
leave_out(const struct order *o, struct err *err)
{
	char series[2 * NAME_BYTES + 2];

	if (err_class(err) != ERR_RECORD)
		return -1;
	snprintf(series, sizeof(series), "%.*s/%.*s", SPAN_ARG(o->device), SPAN_ARG(o->metric));
	log_error(LOG_ERROR, "a forecast is left out", err, "series", LOG_S(series), NULL);
	err_clear(err);
	return 0;
}

/* A forecast that waited for others has the time stamp of its own window: when it is sent depends on commits. */
static int64_t
stamp_of(const struct history *h)
{
	return h->pending && h->stamp_us >= 0 ? h->stamp_us : TIME_NONE;
}

static int
send_one(struct serving *s, struct context *ctx, const struct order *o, const struct panel_forecast *from,
	 struct err *err)
{
	char key[CACHE_KEY_BYTES];
	struct forecast f;
	struct span bytes;

	metric_add(s->bases[from->basis], 1);
	if (from->basis == FORECAST_NOTHING)
		return 0;
	s->bytes.len = 0;
	if (make_record(s, ctx, o, from, &f, err) < 0)
		return -1;
	if (codec_encode(s->codec, &f, &s->bytes, err) < 0)
		return leave_out(o, err);
	bytes = buffer_span(&s->bytes);
	if (context_emit_at(ctx, s->output, o->device, &bytes, stamp_of(&o->track->history), err) < 0)
		return -1;
	cache_forecast_key(o->device, o->metric, key);
	keeper_put(s->keeper, span_of(key), bytes, f.step_us * (int64_t)f.n_steps / US_PER_MS);
	return 0;
}

/* ---- both ---- */

static int
run_batch(struct serving *s, struct context *ctx, struct desk *desk, const struct order *orders, size_t n,
	  struct err *err)
{
	struct panel_forecast forecasts[SERVING_BATCH_MAX];

	if (compute(s, desk, orders, n, forecasts, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (owe(s, desk, &orders[i], &forecasts[i], err) < 0 ||
		    (!context_silent(ctx) && send_one(s, ctx, &orders[i], &forecasts[i], err) < 0))
			return -1;
	return 0;
}

int
serving_run(struct serving *s, struct context *ctx, struct desk *desk, const struct order *orders, size_t n,
	    struct err *err)
{
	if (context_silent(ctx) && n == 1 && !wants_steps(s, desk, orders->track))
		return 0; /* sent before, and nothing of it would be kept */
	for (size_t done = 0, some; done < n; done += some) {
		some = n - done < s->scratch.room ? n - done : s->scratch.room;
		if (run_batch(s, ctx, desk, orders + done, some, err) < 0)
			return -1;
	}
	return 0;
}
