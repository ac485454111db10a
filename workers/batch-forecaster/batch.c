/*
 * batch.c -- who waits is written twice: in the series' state, which goes back with a transaction that is given up, and as
 * a key in a list of ours, which does not.  The state decides; the list only says where to look.
 */
#include "workers/batch-forecaster/batch.h"

#define KEY_SEPARATOR '\x1f' /* the unit separator, which no device id holds */

static const struct metric_spec outcome_spec = {
	"forebay_forecaster_windows_total", METRIC_COUNTER, "outcome",
	"windows by what became of them: new, restart (the history began anew with it), old (nothing new in it)"
};
static const char *const outcome_names[WINDOW_OUTCOMES] = { "new", "restart", "old" };

int
forecaster_open(void *self, struct worker *w, struct err *err)
{
	struct forecaster *f = self;
	size_t n_topics;

	for (size_t i = 0; i < WINDOW_OUTCOMES; i++)
		f->outcomes[i] = metrics_series(worker_metrics(w), &outcome_spec, &outcome_names[i]);
	if (!f->waiting && !(f->waiting = map_new(NULL)))
		return err_set(err, REASON_NO_MEMORY, "forecaster");
	if (serving_open(&f->serving, &f->opt, w, err) < 0)
		return -1;
	return worker_input(w, worker_topics(w, &n_topics)[0], &series_record, &f->windows, err);
}

void
forecaster_close(void *self)
{
	struct forecaster *f = self;

	serving_close(&f->serving);
	map_free(f->waiting);
	f->waiting = NULL;
}

static struct span
key_of(struct arena *a, const struct series *s)
{
	size_t len = s->device.len + 1 + s->metric.len;
	char *text = arena_alloc(a, len);

	if (!text)
		return SPAN_NONE;
	memcpy(text, s->device.ptr, s->device.len);
	text[s->device.len] = KEY_SEPARATOR;
	memcpy(text + s->device.len + 1, s->metric.ptr, s->metric.len);
	return (struct span){ text, len };
}

static int
send_forecast(struct forecaster *f, struct context *ctx, struct span key, const struct history *h, struct err *err)
{
	const char *cut = memchr(key.ptr, KEY_SEPARATOR, key.len);
	size_t device = cut ? (size_t)(cut - key.ptr) : key.len;
	size_t metric = cut ? device + 1 : key.len;

	if (context_silent(ctx)) /* sent before, and a forecast changes no state */
		return 0;
	return serving_send(&f->serving, ctx, (struct span){ key.ptr, device },
			    (struct span){ key.ptr + metric, key.len - metric }, h, err);
}

static int
decode(struct forecaster *f, struct context *ctx, const struct input *in, struct series *s, struct err *err)
{
	if (codec_decode(f->windows, in->value, in->schema_id, context_arena(ctx), s, err) < 0)
		return -1;
	if (!span_equal(in->key, s->device))
		return err_set(err, REASON_KEY_MISMATCH, "key \"%.*s\", device \"%.*s\"", SPAN_ARG(in->key),
			       SPAN_ARG(s->device));
	return serving_check_time(&f->serving.plan, s, err);
}

int
forecaster_record(void *self, struct context *ctx, const struct input *in, struct err *err)
{
	static const enum window_outcome outcomes[] = { WINDOW_OLD, WINDOW_NEW, WINDOW_RESTART };
	struct forecaster *f = self;
	enum history_verdict verdict;
	struct history *h;
	struct series s;
	struct span key;

	if (decode(f, ctx, in, &s, err) < 0)
		return -1;
	key = key_of(context_arena(ctx), &s);
	if (!key.ptr)
		return err_set(err, REASON_NO_MEMORY, "state of a series");
	h = context_state(ctx, key, err);
	if (!h)
		return -1;
	context_event_time(ctx, s.start_us + (int64_t)s.n_target * s.step_us);
	if (h->pending && send_forecast(f, ctx, key, h, err) < 0)
		return -1;
	h->pending = false;
	if (history_append(&f->serving.plan.history, h, &s, &verdict, err) < 0)
		return -1;
	if (context_silent(ctx))
		return 0;
	metric_add(f->outcomes[outcomes[verdict]], 1);
	if (verdict == HISTORY_OLD)
		return 0;
	if (map_count(f->waiting) >= (size_t)f->opt.batch_max_series)
		return send_forecast(f, ctx, key, h, err);
	h->pending = true;
	return map_put(f->waiting, key, f) < 0 ? err_set(err, REASON_NO_MEMORY, "batch") : 0;
}

int
forecaster_flush(void *self, struct context *ctx, struct err *err)
{
	struct forecaster *f = self;
	struct history *h;
	struct span key;
	void *unused;

	for (size_t at = 0; map_next(f->waiting, &at, &key, &unused);) {
		h = context_state(ctx, key, err);
		if (h && h->pending && send_forecast(f, ctx, key, h, err) < 0)
			return -1;
	}
	/* Only now, when all of it succeeded: a flush that failed is called again. */
	for (size_t at = 0; map_next(f->waiting, &at, &key, &unused);) {
		h = context_state(ctx, key, err);
		if (h)
			h->pending = false;
		map_take(f->waiting, key);
	}
	cache_flush(f->serving.cache);
	return 0;
}
