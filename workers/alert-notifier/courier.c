/* courier.c -- write down what has ended, take and send what is due, wait for whatever comes first. */
#include "workers/alert-notifier/courier.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "workers/alert-notifier/lane.h"

#define PAUSE_MAX_US US_PER_SECOND
#define STOP_STEP_MS 50
#define GAUGE_US (5 * US_PER_SECOND)
#define FORGET_US (3600 * US_PER_SECOND)
#define LEASE_MARGIN_MS 30000
#define STORE_PAUSE_US (US_PER_SECOND / 5)
#define STORE_PAUSE_MAX_US (5 * US_PER_SECOND)
#define SAME_LOG_US (60 * US_PER_SECOND)
#define ARENA_BLOCK (64 << 10)

struct courier {
	const struct notifier_options *options;
	struct deliveries table;
	struct http_client *http;
	struct arena *arena;
	struct lane_rule rule;
	struct lane *lanes;
	size_t n_lanes;
	bool released;                                   /* what a former life was at */
	int64_t store_us, store_pause_us, store_told_us; /* when to try PostgreSQL again; monotonic */
	int64_t gauge_us, forget_us;
	pthread_t thread;
	_Atomic bool stopping, woken;
	_Atomic int64_t wait_ms;
	pthread_mutex_t lock; /* of failure */
	struct err failure;
};

/* ---- a turn's part with PostgreSQL ---- */

static int
gauge(struct courier *c, int64_t now, struct err *err)
{
	if (now < c->gauge_us)
		return 0;
	for (size_t i = 0; i < c->n_lanes; i++) {
		struct lane *l = &c->lanes[i];
		double oldest_s;
		int64_t count;

		if (deliveries_backlog(&c->table, l->receiver->name, &count, &oldest_s, err) < 0)
			return -1;
		metric_set(l->meters.pending, (double)count);
		metric_set(l->meters.oldest, oldest_s);
	}
	c->gauge_us = now + GAUGE_US;
	return 0;
}

static int
keep_house(struct courier *c, int64_t now, struct err *err)
{
	const char *receivers[RECEIVERS_MAX];

	if (!c->released && deliveries_release(&c->table, err) < 0)
		return -1;
	c->released = true;
	if (now < c->forget_us)
		return 0;
	c->forget_us = now + FORGET_US;
	for (size_t i = 0; i < c->n_lanes; i++)
		receivers[i] = c->lanes[i].receiver->name;
	return deliveries_forget(&c->table, c->options->retention_days, receivers, c->n_lanes, err);
}

/* Write down all that has ended, at once. */
static int
settle(struct courier *c, int64_t now, struct err *err)
{
	bool any = false;

	for (size_t i = 0; i < c->n_lanes; i++)
		any |= lane_has_ended(&c->lanes[i]);
	if (!any)
		return 0;
	if (store_exec(c->table.store, "BEGIN", err) < 0)
		return -1;
	for (size_t i = 0; i < c->n_lanes; i++)
		if (lane_settle(&c->lanes[i], &c->table, now, err) < 0)
			return -1;
	if (store_commit(c->table.store, err) < 0)
		return -1;
	for (size_t i = 0; i < c->n_lanes; i++)
		lane_settled(&c->lanes[i], now);
	return 0;
}

static int
work(struct courier *c, int64_t now, struct err *err)
{
	bool woken;

	arena_reset(c->arena);
	if (store_connect(c->table.store, err) < 0 || settle(c, now, err) < 0)
		return -1;
	if (atomic_load(&c->stopping))
		return 0;
	if (keep_house(c, now, err) < 0)
		return -1;
	woken = atomic_exchange(&c->woken, false);
	for (size_t i = 0; i < c->n_lanes; i++) {
		struct lane *l = &c->lanes[i];

		if (woken)
			l->look_us = 0;
		if (lane_send(l, &c->table, c->http, c->arena, now, err) < 0)
			return -1;
	}
	return gauge(c, now, err);
}

/* ---- the thread ---- */

static void
give_up(struct courier *c, const struct err *why)
{
	pthread_mutex_lock(&c->lock);
	c->failure = *why;
	pthread_mutex_unlock(&c->lock);
}

static void
wait_for_store(struct courier *c, const struct err *why, int64_t now)
{
	c->store_pause_us = c->store_pause_us ? c->store_pause_us * 2 : STORE_PAUSE_US;
	if (c->store_pause_us > STORE_PAUSE_MAX_US)
		c->store_pause_us = STORE_PAUSE_MAX_US;
	c->store_us = clock_monotonic_us() + c->store_pause_us;
	if (c->store_told_us && now - c->store_told_us < SAME_LOG_US)
		return;
	c->store_told_us = now;
	log_error(LOG_WARN, "deliveries wait", why, NULL);
}

/* -1: there is no point in going on. */
static int
turn(struct courier *c)
{
	int64_t now = clock_monotonic_us();
	struct err err = ERR_INIT;
	struct http_answer answer;

	while (http_client_next(c->http, &answer))
		lane_answered(&answer, now);
	if (now < c->store_us)
		return 0;
	if (work(c, now, &err) == 0) {
		c->store_pause_us = c->store_us = c->store_told_us = 0;
		return 0;
	}
	store_rollback(c->table.store);
	if (err_class(&err) == ERR_FATAL) {
		give_up(c, &err);
		return -1;
	}
	wait_for_store(c, &err, now);
	return 0;
}

static size_t
under_way(const struct courier *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_lanes; i++)
		n += c->lanes[i].in_flight;
	return n;
}

/* Until the next thing that can be done without news from outside. */
static int
pause_ms(const struct courier *c)
{
	int64_t now = clock_monotonic_us(), until = now + PAUSE_MAX_US;

	for (size_t i = 0; i < c->n_lanes; i++)
		if (lane_next_us(&c->lanes[i]) < until)
			until = lane_next_us(&c->lanes[i]);
	if (until < c->store_us)
		until = c->store_us;
	return until <= now ? 0 : (int)((until - now) / US_PER_MS + 1);
}

static void *
run(void *self)
{
	struct courier *c = self;
	int64_t until;

	while (!atomic_load(&c->stopping)) {
		if (turn(c) < 0)
			return NULL;
		http_client_run(c->http, pause_ms(c));
	}
	until = clock_monotonic_us() + atomic_load(&c->wait_ms) * US_PER_MS;
	while (turn(c) == 0 && under_way(c) > 0 && clock_monotonic_us() < until)
		http_client_run(c->http, STOP_STEP_MS);
	return NULL;
}

/* ---- for the loop's thread ---- */

static void
courier_free(struct courier *c)
{
	if (!c)
		return;
	http_client_free(c->http);
	store_free(c->table.store);
	arena_free(c->arena);
	free(c->lanes);
	pthread_mutex_destroy(&c->lock);
	free(c);
}
DEFINE_CLEANUP(struct courier, courier_free)

static int
make_lanes(struct courier *c, const struct courier_options *o, struct err *err)
{
	c->rule = (struct lane_rule){
		.schedule = { o->options->retry_initial_ms, o->options->retry_max_ms },
		.timeout_us = o->options->delivery_timeout_ms * US_PER_MS,
		.resend_ms = o->options->alertmanager_resend_ms,
		.resolved_ms = o->options->alertmanager_resolved_ms,
		.lease_ms = o->options->request_timeout_ms + LEASE_MARGIN_MS,
	};
	c->lanes = calloc(o->receivers->n, sizeof(*c->lanes));
	if (!c->lanes)
		return err_set(err, REASON_NO_MEMORY, "receivers");
	c->n_lanes = o->receivers->n;
	for (size_t i = 0; i < c->n_lanes; i++)
		lane_init(&c->lanes[i], &o->receivers->items[i], &c->rule, o->metrics);
	return 0;
}

int
courier_start(const struct courier_options *o, struct courier **ret, struct err *err)
{
	const struct http_client_options http = { o->options->connect_timeout_ms, o->options->request_timeout_ms,
						  o->options->ca_file };
	const struct store_options store = { .uri = o->options->postgres_uri,
					     .application_name = o->notifier,
					     .connect_timeout_ms = o->options->postgres_connect_timeout_ms };
	CLEANUP(courier_free)
	struct courier *c = calloc(1, sizeof(*c));

	if (!c)
		return err_set(err, REASON_NO_MEMORY, "courier");
	pthread_mutex_init(&c->lock, NULL);
	c->options = o->options;
	c->table = (struct deliveries){ .notifier = o->notifier, .instance = o->instance };
	c->arena = arena_new(ARENA_BLOCK, ARENA_BLOCK);
	if (!c->arena)
		return err_set(err, REASON_NO_MEMORY, "courier");
	if (http_client_new(&http, &c->http, err) < 0)
		return err_wrap(err, "http.ca.file");
	if (store_new(&store, &c->table.store, err) < 0 || make_lanes(c, o, err) < 0)
		return -1;
	if (pthread_create(&c->thread, NULL, run, c) != 0)
		return err_set(err, REASON_NO_MEMORY, "courier");
	*ret = TAKE(c);
	return 0;
}

void
courier_wake(struct courier *c)
{
	atomic_store(&c->woken, true);
	http_client_wake(c->http);
}

int
courier_failed(struct courier *c, struct err *err)
{
	int failed;

	pthread_mutex_lock(&c->lock);
	failed = c->failure.reason != REASON_NONE;
	if (failed)
		*err = c->failure;
	pthread_mutex_unlock(&c->lock);
	return failed ? -1 : 0;
}

void
courier_stop(struct courier *c, int64_t wait_ms)
{
	if (!c)
		return;
	atomic_store(&c->wait_ms, wait_ms);
	atomic_store(&c->stopping, true);
	http_client_wake(c->http);
	pthread_join(c->thread, NULL);
	courier_free(c);
}
