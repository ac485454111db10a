/* lookup.c -- first the cache, then ourselves. */
#include "workers/realtime-scorer/lookup.h"

#include "common/base/clock.h"
#include "common/record/forecast.h"

#define PATIENCE_MS 5000               /* with PostgreSQL, while the loop stands still */
#define ANSWER_MAX ((size_t)512 << 10) /* a longer one is not taken: a record of the journal has to hold it */

static const struct metric_spec outcome_spec = {
	"forebay_scorer_ondemand_total", METRIC_COUNTER, "outcome",
	"questions for a forecast where none held reaches to a value: cache (Redis had one), computed (made here by classical members), "
	"model (made here, a trained one took part), nothing"
};
static const char *const outcome_names[LOOKUP_OUTCOMES] = { "cache", "computed", "model", "nothing" };
static const double seconds_bounds[] = {
	10e-6, 25e-6, 50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2e-3, 4e-3, 8e-3, 16e-3, 0.1
};
static const struct metric_spec seconds_spec = {
	"forebay_scorer_ondemand_seconds",          METRIC_HISTOGRAM, "",
	"how long it took to make a forecast here", seconds_bounds,   sizeof(seconds_bounds) / sizeof(seconds_bounds[0])
};

static const struct trained_meters trained_meters = TRAINED_METERS("scorer");

/* After forecasts on demand. */
static int
open_versions(struct lookup *l, const struct scorer_options *opt, const struct versions_source *models,
	      struct worker *w, struct err *err)
{
	const struct library_watch watch = { trained_here, trained_gone, trained_failed, &l->trained };
	const struct versions_source stored = { { trained_get, &l->trained }, trained_list, &l->trained };

	if (!ondemand_wants_model(l->ondemand))
		return 0;
	if (trained_open(&l->trained, w, &trained_meters, PATIENCE_MS, err) < 0)
		return -1;
	if (!models->list && !l->trained.store)
		return err_set(err, REASON_OPTION_INVALID,
			       "ondemand.members: deepar comes from postgres.uri, which is not given");
	return versions_new(&(struct versions_rule){ *ondemand_panel_rule(l->ondemand), opt->models_family,
						     opt->models_refresh_ms * US_PER_MS },
			    models->list ? models : &stored, &watch, &l->versions, err);
}

int
lookup_open(struct lookup *l, const struct scorer_options *opt, const struct versions_source *models, struct worker *w,
	    struct codec *codec, struct err *err)
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
	    open_versions(l, opt, models, w, err) < 0 ||
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
	versions_free(l->versions);
	trained_close(&l->trained);
	ondemand_free(l->ondemand);
	*l = (struct lookup){ 0 };
}

/* BYTES as a forecast of this stream that has not run out at EVENT_US.  NULL: they are none, or could not be read: then *ERR says why. */
static struct held *
read_answer(struct lookup *l, struct context *ctx, const struct question *q, struct span bytes, struct err *err)
{
	struct forecast f;
	struct held *h = NULL;

	if (!bytes.ptr || codec_decode(l->codec, bytes, SPAN_NONE, context_arena(ctx), &f, err) < 0 ||
	    !span_equal(f.device, q->device) || !span_equal(f.metric, q->metric) ||
	    held_new(&f, l->max_steps, l->max_levels, &h, err) < 0)
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
	struct err why = ERR_INIT;

	if (context_recall(ctx, q->key, &answer)) {
		*ret = read_answer(l, ctx, q, answer, &why);
		if (!why.reason || err_class(&why) == ERR_RECORD)
			return 0;
		*err = why; /* the registry is away: it was read the first time, so it has to be now */
		return -1;
	}
	cache_forecast_key(q->device, q->metric, key);
	answer = cache_get(l->cache, span_of(key), context_arena(ctx));
	*ret = answer.len <= ANSWER_MAX ? read_answer(l, ctx, q, answer, NULL) : NULL;
	if (!*ret || context_note(ctx, q->key, answer, err) == 0)
		return 0;
	held_release(*ret);
	*ret = NULL;
	return -1;
}

/* What a version is noted under: beside the answers of Redis.  SPAN_NONE: no memory. */
static struct span
note_key(struct context *ctx, struct span key)
{
	const struct span prefix = SPAN("\x1fmodel\x1f");
	char *text = arena_alloc(context_arena(ctx), prefix.len + key.len);

	if (!text)
		return SPAN_NONE;
	memcpy(text, prefix.ptr, prefix.len);
	memcpy(text + prefix.len, key.ptr, key.len);
	return (struct span){ text, prefix.len + key.len };
}

/* The version to ask, or that was used when this record was processed first; *AGAIN: the latter. */
static int
choose_version(struct lookup *l, struct context *ctx, const struct question *q, struct span key,
	       const struct version **ret, bool *again, struct err *err)
{
	struct span said;

	*again = context_recall(ctx, key, &said);
	if (!*again)
		return versions_pick(l->versions, q->device, ret, err);
	return said.ptr ? versions_again(l->versions, said, ret, err) : 0;
}

static int
make_timed(struct lookup *l, const struct question *q, const struct version *version, struct held **ret, bool *used,
	   struct err *err)
{
	const struct ondemand_request request = { &q->stream->recent, q->key, q->event_us,
						  version ? &version->expert : NULL };
	int64_t begun_us = clock_monotonic_us();

	if (ondemand_make(l->ondemand, &request, ret, used, err) < 0)
		return -1;
	if (*ret)
		metric_observe(l->seconds, (double)(clock_monotonic_us() - begun_us) / 1e6);
	return 0;
}

static int
make_one(struct lookup *l, struct context *ctx, const struct question *q, struct held **ret, bool *used,
	 struct err *err)
{
	const struct version *version = NULL;
	struct span key = SPAN_NONE;
	bool again = false;

	if (l->versions && !(key = note_key(ctx, q->key)).ptr)
		return err_set(err, REASON_NO_MEMORY, "forecasts on demand");
	if (l->versions && choose_version(l, ctx, q, key, &version, &again, err) < 0)
		return -1;
	if (make_timed(l, q, version, ret, used, err) < 0)
		return -1;
	if (!*used || again || context_note(ctx, key, version->text, err) == 0)
		return 0;
	held_release(*ret);
	*ret = NULL;
	return -1;
}

int
lookup_find(struct lookup *l, struct context *ctx, const struct question *q, struct held **ret, struct err *err)
{
	enum lookup_outcome outcome = LOOKUP_CACHE;
	bool used = false;

	if (ask_cache(l, ctx, q, ret, err) < 0)
		return -1;
	if (!*ret) {
		if (make_one(l, ctx, q, ret, &used, err) < 0)
			return -1;
		outcome = !*ret ? LOOKUP_NOTHING : used ? LOOKUP_MODEL : LOOKUP_MADE;
	}
	if (!context_silent(ctx))
		metric_add(l->outcomes[outcome], 1);
	return 0;
}
