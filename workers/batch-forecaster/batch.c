/*
 * batch.c -- who waits is written twice: in the series' state, which goes back with a transaction that is given up, and as
 * a key in a list of ours, which does not.  The state decides; the list only says where to look.
 *
 * A window does in this order: the forecast that waits is made; the window becomes history; steps whose values it brings are judged; the
 * next forecast waits.  That forecast is made from the state alone and changes only what it owes, so it is the same now, at the next
 * window or at the commit; while records are folded again it is made at once, as far as it owes anything.
 *
 * Which models are in use is an answer from outside: the roster of the partition says what there is, PostgreSQL has it or has it not
 * yet.  What a series makes of it is noted in fleet.journal; who folds the window again repeats it.
 */
#include "workers/batch-forecaster/batch.h"

#include "common/record/model.h"
#include "workers/batch-forecaster/choice.h"

#define KEY_SEPARATOR '\x1f' /* the unit separator, which no device id holds */
#define MODELS_TOPIC "models"
#define FLUSH_SHARE 4     /* of transaction.timeout.ms: 1/FLUSH_SHARE */
#define UNKNOWN_SERIES 16 /* wait at most, until it is known how long a forecast takes */
#define PATIENCE_MS 20000 /* with PostgreSQL, while the loop stands still */

static const struct metric_spec outcome_spec = {
	"forebay_forecaster_windows_total", METRIC_COUNTER, "outcome",
	"windows by what became of them: new, restart (the history began anew with it), old (nothing new in it)"
};
static const struct trained_meters trained_meters = TRAINED_METERS("forecaster");
static const char *const outcome_names[WINDOW_OUTCOMES] = { "new", "restart", "old" };

/* ---- opening ---- */

static int
open_library(struct forecaster *f, struct worker *w, struct err *err)
{
	const struct library_watch watch = { trained_here, trained_gone, trained_failed, &f->trained };
	struct library_source source = f->source;

	if (trained_open(&f->trained, w, &trained_meters, PATIENCE_MS, err) < 0)
		return -1;
	if (!source.get && f->trained.store)
		source = (struct library_source){ trained_get, &f->trained };
	f->desks = (struct desks){ .plan = &f->plan };
	if (library_new(&source, &watch, &f->library, err) < 0)
		return -1;
	f->desks.library = f->library;
	return 0;
}

int
forecaster_open(void *self, struct worker *w, struct err *err)
{
	struct forecaster *f = self;
	size_t n_topics;

	forecaster_close(f); /* a second attempt */
	f->flush_seconds = (double)worker_opts(w)->transaction_timeout_ms / 1e3 / FLUSH_SHARE;
	for (size_t i = 0; i < WINDOW_OUTCOMES; i++)
		f->outcomes[i] = metrics_series(worker_metrics(w), &outcome_spec, &outcome_names[i]);
	if (!(f->waiting = map_new(NULL)))
		return err_set(err, REASON_NO_MEMORY, "forecaster");
	if (forecast_plan_make(&f->opt, &f->plan, err) < 0 || open_library(f, w, err) < 0 ||
	    serving_open(&f->serving, &f->opt, &f->plan, w, err) < 0 ||
	    judge_open(&f->judge, &f->opt, &f->plan, w, err) < 0 ||
	    worker_input(w, MODELS_TOPIC, &model_record, &f->models, err) < 0)
		return -1;
	return worker_input(w, worker_topics(w, &n_topics)[0], &series_record, &f->windows, err);
}

void
forecaster_close(void *self)
{
	struct forecaster *f = self;

	serving_close(&f->serving);
	desks_clear(&f->desks);
	library_free(f->library);
	trained_close(&f->trained);
	map_free(f->waiting);
	f->library = NULL;
	f->waiting = NULL;
}

/* ---- models ---- */

int
forecaster_side(void *self, struct context *ctx, const struct input *in, struct err *err)
{
	struct forecaster *f = self;
	struct track *partition;
	struct model m;

	if (codec_decode(f->models, in->value, in->schema_id, context_arena(ctx), &m, err) < 0)
		return -1;
	if (!span_equal(m.family, span_of(f->opt.models_family)))
		return 0;
	partition = context_state(ctx, ROSTER_KEY, err);
	return partition ? roster_told(&partition->roster, &m, err) : -1;
}

/* ---- windows ---- */

/* A window, its series, and the desks that it needs: they are had before anything changes. */
struct visit {
	struct series window;
	struct order order;
	enum history_verdict verdict;
	int64_t stamp_us;           /* of its record */
	struct adopted *next;       /* versions in use from now on; an owner of them */
	struct desk *before, *then; /* of the forecast that waits; of the one to come */
};

static struct order
order_of(struct span key, struct track *t)
{
	const char *cut = memchr(key.ptr, KEY_SEPARATOR, key.len);
	size_t device = cut ? (size_t)(cut - key.ptr) : key.len;
	size_t metric = cut ? device + 1 : key.len;

	return (struct order){
		.track = t, .key = key, .device = { key.ptr, device }, .metric = { key.ptr + metric, key.len - metric }
	};
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
decode(struct forecaster *f, struct context *ctx, const struct input *in, struct series *s, struct err *err)
{
	if (codec_decode(f->windows, in->value, in->schema_id, context_arena(ctx), s, err) < 0)
		return -1;
	if (memchr(s->device.ptr, KEY_SEPARATOR, s->device.len))
		return err_set(err, REASON_RECORD_INVALID, "device: with a unit separator in it");
	if (!span_equal(in->key, s->device))
		return err_set(err, REASON_KEY_MISMATCH, "key \"%.*s\", device \"%.*s\"", SPAN_ARG(in->key),
			       SPAN_ARG(s->device));
	return serving_check_time(&f->plan, s, err);
}

static int
look_up(struct forecaster *f, struct context *ctx, const struct input *in, struct visit *v, struct err *err)
{
	struct track *t;
	struct span key;

	*v = (struct visit){ 0 };
	if (decode(f, ctx, in, &v->window, err) < 0)
		return -1;
	key = key_of(context_arena(ctx), &v->window);
	if (!key.ptr)
		return err_set(err, REASON_NO_MEMORY, "state of a series");
	t = context_state(ctx, key, err);
	if (!t)
		return -1;
	v->stamp_us = in->timestamp_us;
	v->order = order_of(key, t);
	v->verdict = history_judge(&f->plan.history, &t->history, &v->window);
	return 0;
}

/* The desk of the versions chosen; without them when they turn out to be broken. */
static int
sit_down(struct forecaster *f, struct visit *v, struct err *err)
{
	if (desks_get(&f->desks, v->window.step_us, v->next, &v->then, err) == 0)
		return 0;
	if (err->reason != REASON_STATE_CORRUPT && err->reason != REASON_STATE_VERSION)
		return -1;
	err_clear(err);
	adopted_release(v->next);
	v->next = NULL;
	return desks_get(&f->desks, v->window.step_us, NULL, &v->then, err);
}

/* What was used when this window was processed before: there is no choice. */
static int
repeat_versions(struct forecaster *f, struct visit *v, struct span said, struct err *err)
{
	if (!said.ptr)
		v->next = adopted_share(v->order.track->adopted);
	else if (adopted_read(said, &v->next, err) < 0)
		return -1;
	return desks_get(&f->desks, v->window.step_us, v->next, &v->then, err);
}

/* The roster is fetched in any case: asking makes a state of it. */
static int
choose_versions(struct forecaster *f, struct context *ctx, struct visit *v, struct err *err)
{
	const struct track *t = v->order.track, *partition = NULL;
	struct span said;

	if (library_open(f->library) && !(partition = context_state(ctx, ROSTER_KEY, err)))
		return -1;
	if (context_recall(ctx, v->order.key, &said))
		return repeat_versions(f, v, said, err);
	if (partition && choose(f->library, &f->plan, &partition->roster, v->window.step_us, v->order.device,
				t->adopted, &v->next, err) < 0)
		return -1;
	if (sit_down(f, v, err) < 0)
		return -1;
	if (span_equal(adopted_text(v->next), adopted_text(t->adopted)))
		return 0;
	return context_note(ctx, v->order.key, adopted_text(v->next), err);
}

static int
prepare(struct forecaster *f, struct context *ctx, struct visit *v, struct err *err)
{
	const struct track *t = v->order.track;

	if (v->verdict != HISTORY_OLD && choose_versions(f, ctx, v, err) < 0)
		return -1;
	return t->history.pending ? desks_get(&f->desks, t->history.step_us, t->adopted, &v->before, err) : 0;
}

/* The forecast that waits. */
static int
make_waiting(struct forecaster *f, struct context *ctx, struct visit *v, struct err *err)
{
	struct history *h = &v->order.track->history;

	if (h->pending && serving_run(&f->serving, ctx, v->before, &v->order, 1, err) < 0)
		return -1;
	h->pending = false;
	return 0;
}

/*
 * With its first model a series gets the shifts of the model's class in place of its own, which were learnt without any; with the
 * last one gone it learns its own again.
 */
static int
take_versions(struct track *t, struct visit *v, struct err *err)
{
	struct learnt *kept;

	if (!adopted_parts(t->adopted).serving.len != !adopted_parts(v->next).serving.len) {
		if (learnt_without_shifts(t->learnt, &kept, err) < 0)
			return -1;
		learnt_release(t->learnt);
		t->learnt = kept;
	}
	adopted_release(t->adopted);
	t->adopted = TAKE(v->next);
	return 0;
}

/* The window becomes history; what belongs to another series than this one has become is forgotten. */
static int
grow(struct forecaster *f, struct visit *v, struct err *err)
{
	struct track *t = v->order.track;
	int64_t step_us = t->history.step_us;
	uint64_t unit = t->history.unit;

	if (history_append(&f->plan.history, &t->history, &v->window, &v->verdict, err) < 0)
		return -1;
	if (v->verdict == HISTORY_RESTARTED) {
		if (t->history.step_us != step_us || (unit && t->history.unit && t->history.unit != unit))
			track_forget(t);
		track_drop_owed(t);
	}
	return take_versions(t, v, err);
}

/* No more than can be forecast while the transaction is open; what comes then is forecast at once. */
static bool
may_wait(const struct forecaster *f)
{
	size_t n = map_count(f->waiting);
	double each = f->serving.each_seconds;

	return n < (size_t)f->opt.batch_max_series &&
	       (each > 0 ? (double)n * each < f->flush_seconds : n < UNKNOWN_SERIES);
}

static int
take_window(struct forecaster *f, struct context *ctx, struct visit *v, struct err *err)
{
	static const enum window_outcome outcomes[] = { WINDOW_OLD, WINDOW_NEW, WINDOW_RESTART };

	if (!context_silent(ctx))
		metric_add(f->outcomes[outcomes[v->verdict]], 1);
	if (make_waiting(f, ctx, v, err) < 0)
		return -1;
	if (v->verdict == HISTORY_OLD)
		return 0;
	if (grow(f, v, err) < 0 || judge_settle(&f->judge, ctx, v->then, &v->order, &v->window, err) < 0)
		return -1;
	if (context_silent(ctx) || !may_wait(f))
		return serving_run(&f->serving, ctx, v->then, &v->order, 1, err);
	v->order.track->history.pending = true;
	v->order.track->history.stamp_us = v->stamp_us;
	return map_put(f->waiting, v->order.key, f) < 0 ? err_set(err, REASON_NO_MEMORY, "batch") : 0;
}

int
forecaster_record(void *self, struct context *ctx, const struct input *in, struct err *err)
{
	struct forecaster *f = self;
	struct visit v;
	int result = look_up(f, ctx, in, &v, err);

	if (result == 0)
		result = prepare(f, ctx, &v, err);
	if (result == 0) {
		context_event_time(ctx, v.window.start_us + (int64_t)v.window.n_target * v.window.step_us);
		result = take_window(f, ctx, &v, err);
	}
	adopted_release(v.next);
	return result;
}

/* ---- commits ---- */

/* The series that wait, in the order in which they came. */
static struct order *
orders_waiting(struct forecaster *f, struct context *ctx, size_t *n, struct err *err)
{
	struct order *orders = arena_alloc(context_arena(ctx), (map_count(f->waiting) + 1) * sizeof(*orders));
	struct span key;
	void *unused;

	*n = 0;
	if (!orders)
		err_set(err, REASON_NO_MEMORY, "batch");
	for (size_t at = 0; orders && map_next(f->waiting, &at, &key, &unused);) {
		struct track *t = context_state(ctx, key, err);

		if (t && t->history.pending)
			orders[(*n)++] = order_of(key, t);
	}
	return orders;
}

/* Neighbours that share a desk are computed together: sent they are in their order. */
static int
make_all(struct forecaster *f, struct context *ctx, const struct order *orders, size_t n, struct err *err)
{
	struct desk *desk = NULL, *next = NULL;
	size_t from = 0;

	for (size_t i = 0; i <= n; i++) {
		const struct track *t = i < n ? orders[i].track : NULL;

		if (t && desks_get(&f->desks, t->history.step_us, t->adopted, &next, err) < 0)
			return -1;
		if (t && next == desk)
			continue;
		if (desk && serving_run(&f->serving, ctx, desk, orders + from, i - from, err) < 0)
			return -1;
		desk = next;
		from = i;
	}
	return 0;
}

int
forecaster_flush(void *self, struct context *ctx, struct err *err)
{
	struct forecaster *f = self;
	struct order *orders;
	struct span key;
	void *unused;
	size_t n;

	orders = orders_waiting(f, ctx, &n, err);
	if (!orders || make_all(f, ctx, orders, n, err) < 0)
		return -1;
	/* Only now, when all of it succeeded: a flush that failed is called again. */
	for (size_t i = 0; i < n; i++)
		orders[i].track->history.pending = false;
	for (size_t at = 0; map_next(f->waiting, &at, &key, &unused);)
		map_take(f->waiting, key);
	keeper_work(f->serving.keeper);
	cache_flush(f->serving.cache);
	return 0;
}

/* Whoever has the partitions next puts newer forecasts; what we remember must not come before them. */
void
forecaster_revoked(void *self, const char *topic, int32_t partition)
{
	struct forecaster *f = self;

	keeper_forget(f->serving.keeper);
}
