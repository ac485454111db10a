/* notifier.c -- from the loop's calls to the table; the courier does the rest. */
#include "workers/alert-notifier/notifier.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"

#define LETTERS_LOOK_US US_PER_SECOND
#define LETTERS_LEASE_MS 60000
#define STOP_WAIT_MAX_MS 20000
#define ARENA_BLOCK (64 << 10)

/* ---- beginning and end ---- */

static int
open_topics(struct notifier *n, struct err *err)
{
	n->topics = worker_topics(n->worker, &n->n_topics);
	n->codecs = calloc(n->n_topics, sizeof(*n->codecs));
	if (!n->codecs)
		return err_set(err, REASON_NO_MEMORY, "topics");
	for (size_t i = 0; i < n->n_topics; i++)
		if (worker_input(n->worker, n->topics[i], &alert_record, &n->codecs[i], err) < 0)
			return -1;
	return 0;
}

static int
notifier_open(void *self, struct worker *w, struct err *err)
{
	struct notifier *n = self;
	const struct courier_options courier = { .options = &n->options,
						 .receivers = &n->receivers,
						 .notifier = worker_group(w),
						 .instance = worker_instance(w),
						 .metrics = worker_metrics(w) };
	const struct store_options store = { .uri = n->options.postgres_uri,
					     .application_name = worker_group(w),
					     .connect_timeout_ms = n->options.postgres_connect_timeout_ms,
					     .metrics = worker_metrics(w) };

	n->worker = w;
	n->arena = arena_new(ARENA_BLOCK, ARENA_BLOCK);
	if (!n->arena)
		return err_set(err, REASON_NO_MEMORY, "notifier");
	if (worker_bounded(w))
		return err_set(
		    err, REASON_OPTION_INVALID,
		    "run.id: a bounded run would tell the world of the past; to tell a receiver again set its "
		    "rows of forebay.deliveries to pending");
	if (receivers_init(&n->receivers, &n->options, err) < 0 || store_new(&store, &n->store, err) < 0 ||
	    open_topics(n, err) < 0)
		return -1;
	n->table = (struct deliveries){ n->store, worker_group(w), worker_instance(w) };
	return courier_start(&courier, &n->courier, err);
}

static void
notifier_close(void *self)
{
	struct notifier *n = self;
	int64_t wait = n->worker ? worker_opts(n->worker)->shutdown_timeout_ms : 0;

	courier_stop(n->courier, wait < STOP_WAIT_MAX_MS ? wait : STOP_WAIT_MAX_MS);
	store_free(n->store);
	receivers_clear(&n->receivers);
	arena_free(n->arena);
	free(n->codecs);
	free(n->owed.items);
}

/* ---- changes come in ---- */

static int
owe(struct owed *o, const struct debt *debt, struct err *err)
{
	if (o->n == o->cap) {
		size_t cap = o->cap ? 2 * o->cap : 64;
		struct debt *grown = realloc(o->items, cap * sizeof(*grown));

		if (!grown)
			return err_set(err, REASON_NO_MEMORY, "changes of alerts");
		o->items = grown;
		o->cap = cap;
	}
	o->items[o->n++] = *debt;
	return 0;
}

/* What RECEIVER is to be told of A; everything in ARENA, as the record is gone before the commit. */
static int
make_debt(const struct notifier *n, const struct receiver *to, const struct alert *a, const struct input *in,
	  struct arena *arena, struct debt *ret, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer payload = BUFFER_INIT(PAYLOAD_MAX_BYTES);

	if (payload_make(to->form, &n->receivers.rule, a, &payload, err) < 0)
		return -1;
	*ret = (struct debt){ .receiver = to->name,
			      .alert_id = arena_copy(arena, a->id),
			      .device = arena_copy(arena, a->device),
			      .metric = arena_copy(arena, a->metric),
			      .payload = arena_copy(arena, buffer_span(&payload)),
			      .status = alert_status_name(a->status),
			      .severity = receiver_severity(to, a->severity),
			      .topic = in->topic,
			      .partition = in->partition,
			      .offset = in->offset,
			      .timestamp_us = in->timestamp_us,
			      .key = arena_copy(arena, in->key),
			      .value = arena_copy(arena, in->value),
			      .schema_id = arena_copy(arena, in->schema_id) };
	if (!ret->alert_id.ptr || !ret->device.ptr || !ret->metric.ptr || !ret->payload.ptr || !ret->value.ptr ||
	    (in->key.ptr && !ret->key.ptr) || (in->schema_id.ptr && !ret->schema_id.ptr))
		return err_set(err, REASON_NO_MEMORY, "changes of alerts");
	return 0;
}

static int
notifier_record(void *self, struct context *ctx, const struct input *in, struct err *err)
{
	struct notifier *n = self;
	struct debt debts[RECEIVERS_MAX];
	struct alert alert;
	size_t topic = 0;

	while (topic + 1 < n->n_topics && strcmp(n->topics[topic], in->topic) != 0)
		topic++;
	if (codec_decode(n->codecs[topic], in->value, in->schema_id, context_arena(ctx), &alert, err) < 0)
		return -1;
	context_event_time(ctx, alert.event_us);
	for (size_t i = 0; i < n->receivers.n; i++)
		if (make_debt(n, &n->receivers.items[i], &alert, in, context_batch_arena(ctx), &debts[i], err) < 0)
			return -1;
	for (size_t i = 0; i < n->receivers.n; i++)
		if (owe(&n->owed, &debts[i], err) < 0)
			return -1;
	return 0;
}

/* Durable before the offsets are committed. */
static int
notifier_flush(void *self, struct context *ctx, struct err *err)
{
	struct notifier *n = self;

	(void)ctx;
	if (n->owed.n == 0)
		return 0;
	if (store_connect(n->store, err) < 0 || deliveries_put(&n->table, n->owed.items, n->owed.n, err) < 0)
		return -1;
	n->owed.n = 0;
	courier_wake(n->courier);
	return 0;
}

static void
notifier_rollback(void *self)
{
	struct notifier *n = self;

	n->owed.n = 0;
	if (n->n_letters == 0 || n->letters_sent)
		return;
	/* The loop finds out which one a broker refuses, if it is alone; they come again when their lease is over. */
	n->alone_us = clock_monotonic_us() + 2 * LETTERS_LEASE_MS * US_PER_MS;
	n->n_letters = 0;
}

/* ---- dead letters go out ---- */

/* The topic's name as the loop knows it: it outlives every transaction.  NULL: it is not read any more. */
static const char *
known_topic(const struct notifier *n, struct span name)
{
	for (size_t i = 0; i < n->n_topics; i++)
		if (span_equal(span_of(n->topics[i]), name))
			return n->topics[i];
	return NULL;
}

static int
send_letter(struct notifier *n, struct context *ctx, const struct refused *r, struct err *err)
{
	const char *topic = known_topic(n, r->topic);
	struct input in = { .topic = topic ? topic : n->topics[0],
			    .partition = r->partition,
			    .offset = r->offset,
			    .timestamp_us = r->timestamp_us,
			    .key = r->key,
			    .value = r->value,
			    .schema_id = r->schema_id };

	if (worker_opts(n->worker)->tolerance == TOLERANCE_NONE)
		return err_set(err, REASON_POISON_NOT_TOLERATED, "%s[%d] offset %lld: %s: %s", in.topic, in.partition,
			       (long long)in.offset, err_reason_name(r->why.reason), r->why.text);
	if (context_dead_letter(ctx, &in, &r->why, err) < 0)
		return -1;
	n->letters[n->n_letters++] = r->seq;
	return 0;
}

/* The letters of the call before are in Kafka; then the next ones. */
static int
pass_letters(struct notifier *n, struct refused **refused, size_t *n_refused, struct err *err)
{
	*n_refused = 0;
	if (store_connect(n->store, err) < 0)
		return -1;
	if (n->n_letters && deliveries_dead(&n->table, n->letters, n->n_letters, err) < 0)
		return -1;
	n->n_letters = 0;
	n->letters_sent = false;
	return deliveries_take_refused(&n->table, clock_monotonic_us() < n->alone_us ? 1 : NOTIFIER_LETTERS_MAX,
				       LETTERS_LEASE_MS, n->arena, refused, n_refused, err);
}

static int
notifier_idle(void *self, struct context *ctx, struct err *err)
{
	struct notifier *n = self;
	int64_t now = clock_monotonic_us();
	struct err trouble = ERR_INIT;
	struct refused *refused;
	size_t n_refused;

	if (courier_failed(n->courier, err) < 0)
		return -1;
	n->letters_sent = n->n_letters > 0;
	if (now < n->look_us)
		return 0;
	n->look_us = now + LETTERS_LOOK_US;
	arena_reset(n->arena);
	if (pass_letters(n, &refused, &n_refused, &trouble) < 0) {
		if (err_class(&trouble) != ERR_FATAL)
			return 0; /* the courier tells; they are sent when PostgreSQL is back */
		*err = trouble;
		return -1;
	}
	for (size_t i = 0; i < n_refused; i++)
		if (send_letter(n, ctx, &refused[i], err) < 0)
			return -1;
	if (n_refused)
		n->look_us = 0;
	return 0;
}

const struct worker_spec notifier_spec = {
	.name = "alert-notifier",
	.summary = "tells Alertmanager and webhooks of alerts",
	.topics = "alerts",
	.open = notifier_open,
	.record = notifier_record,
	.flush = notifier_flush,
	.rollback = notifier_rollback,
	.idle = notifier_idle,
	.close = notifier_close,
};
