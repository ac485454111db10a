/*
 * keeper.c -- now and then one MGET (the generation, and the reports of the window), a decision (adapt.h), and a walk along the
 * shelf that goes on whenever there is credit for it.
 *
 * A walk after a loss sets every entry where there is none.  A walk to warm asks for a few keys at a time how many of them exist;
 * only when one is missing are they set where there is none, so that values cross the wire when they are needed.
 */
#include "common/cache/keeper.h"

#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/cache/private.h"
#include "common/cache/shelf.h"

#define GENERATION SPAN("forebay:generation")
#define GENERATION_BYTES 24
#define REPORTS (TALLY_BUCKETS + 1)
#define CHECKS 60 /* of a window */
#define CHECK_MIN_US (100 * US_PER_MS)
#define CHECK_MAX_US (5 * US_PER_SECOND)
#define PROBED 16 /* keys asked for at once */

enum why { LOST, MISSING, ENDING, WHYS };

static const char *const why_names[WHYS] = { "lost", "missing", "ending" };
static const struct metric_spec ttl_spec = { "forebay_cache_ttl_seconds", METRIC_GAUGE, "",
					     "How long entries live at present" };
static const struct metric_spec readers_spec = {
	"forebay_cache_readers_hit_ratio", METRIC_GAUGE, "",
	"Share of lookups that were hits, as readers report, over the window"
};
static const struct metric_spec warmed_spec = {
	"forebay_cache_warmed_total", METRIC_COUNTER, "why",
	"Entries put again or prolonged: lost (Redis was empty), missing, ending"
};
static const struct metric_spec bytes_spec = { "forebay_cache_warm_bytes", METRIC_GAUGE, "",
					       "Entries that are remembered to be put again" };

struct keeper {
	struct cache *cache;
	struct keeper_options opt;
	struct adapt adapt;
	struct shelf *shelf;
	struct metrics *metrics;
	char generation[GENERATION_BYTES]; /* last seen; "": none yet */
	int64_t check_us, adapt_us;        /* next time */
	int64_t walk_us, rest_us;          /* credit is counted from there; no new walk to warm before */
	double credit;                     /* entries */
	enum why walk;                     /* WHYS: there is none */
	struct metric_series *ttl, *readers, *warmed[WHYS], *bytes;
};

static int
check_options(const struct keeper_options *o, struct err *err)
{
	if (!(o->adapt.target > 0 && o->adapt.target < 1))
		return err_set(err, REASON_OPTION_INVALID, "cache.hit.ratio.target: %g is not between 0 and 1",
			       o->adapt.target);
	if (o->adapt.ttl_ms <= 0)
		return err_set(err, REASON_OPTION_INVALID, "cache.ttl.ms: %" PRId64 " ms is no life", o->adapt.ttl_ms);
	if (o->adapt.ttl_ms > o->adapt.ttl_max_ms)
		return err_set(err, REASON_OPTION_INVALID,
			       "cache.ttl.max.ms: %" PRId64 " is less than cache.ttl.ms=%" PRId64
			       ", from which lives are raised to it",
			       o->adapt.ttl_max_ms, o->adapt.ttl_ms);
	if (o->window_ms < CACHE_WINDOW_MIN_MS || o->warm_per_second <= 0)
		return err_set(err, REASON_OPTION_INVALID,
			       "cache: a window of %" PRId64 " ms, %" PRId64 " entries a second", o->window_ms,
			       o->warm_per_second);
	return 0;
}

int
keeper_new(struct cache *cache, const struct keeper_options *opt, struct metrics *metrics, struct keeper **ret,
	   struct err *err)
{
	CLEANUP(keeper_free) struct keeper *k = NULL;

	if (check_options(opt, err) < 0)
		return -1;
	if (!(k = calloc(1, sizeof(*k))))
		return err_set(err, REASON_NO_MEMORY, "cache: no memory");
	if (shelf_new(opt->warm_bytes, &k->shelf, err) < 0)
		return -1;
	k->cache = cache;
	k->opt = *opt;
	k->metrics = metrics;
	k->walk = WHYS;
	k->walk_us = clock_monotonic_us();
	adapt_start(&opt->adapt, &k->adapt);
	if (metrics) {
		k->ttl = metrics_series(metrics, &ttl_spec, NULL);
		k->bytes = metrics_series(metrics, &bytes_spec, NULL);
		for (size_t i = 0; i < WHYS; i++)
			k->warmed[i] = metrics_series(metrics, &warmed_spec, &why_names[i]);
	}
	metric_set(k->ttl, (double)k->adapt.ttl_ms / 1e3);
	*ret = TAKE(k);
	return 0;
}

void
keeper_free(struct keeper *k)
{
	if (!k)
		return;
	shelf_free(k->shelf);
	free(k);
}

int64_t
keeper_ttl_ms(const struct keeper *k)
{
	return k->adapt.ttl_ms;
}

void
keeper_put(struct keeper *k, struct span key, struct span value, int64_t next_ms)
{
	int64_t now_us = clock_monotonic_us(), ttl_ms = adapt_ttl(&k->adapt, next_ms);

	if (cache_is_off(k->cache) || value.len == 0 || value.len > CACHE_VALUE_MAX)
		return;
	cache_put(k->cache, key, value, ttl_ms);
	shelf_put(k->shelf,
		  &(struct shelf_item){ key, value, now_us, now_us + ttl_ms * US_PER_MS, next_ms > 0 ? next_ms : 0 });
	metric_set(k->bytes, (double)shelf_bytes(k->shelf));
}

void
keeper_forget(struct keeper *k)
{
	shelf_clear(k->shelf);
	k->walk = WHYS;
	metric_set(k->bytes, 0);
}

/* ---- looking ---- */

static void
start_walk(struct keeper *k, enum why why, int64_t now_us)
{
	shelf_walk(k->shelf);
	k->walk = why;
	k->walk_us = now_us;
	k->credit = 0;
}

static void
take_generation(struct keeper *k, const redisReply *reply, int64_t now_us)
{
	char mine[GENERATION_BYTES];
	redisReply *answer;

	if (reply->type == REDIS_REPLY_STRING && reply->len > 0) {
		bool other = k->generation[0] && strncmp(k->generation, reply->str, GENERATION_BYTES - 1) != 0;

		snprintf(k->generation, sizeof(k->generation), "%s", reply->str);
		if (other)
			start_walk(k, LOST, now_us);
		return;
	}
	snprintf(mine, sizeof(mine), "%" PRIx64, random_u64((uint64_t)clock_real_us(), (uint64_t)now_us, 0));
	answer = cache_ask(k->cache, 4, (struct span[]){ SPAN("SET"), GENERATION, span_of(mine), SPAN("NX") });
	/* Where somebody else was faster, theirs is seen next time. */
	snprintf(k->generation, sizeof(k->generation), "%s", answer && answer->type == REDIS_REPLY_STATUS ? mine : "");
	if (answer)
		freeReplyObject(answer);
	start_walk(k, LOST, now_us);
}

static uint64_t
count_of(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_STRING ? strtoull(reply->str, NULL, 10) : 0;
}

static void
take_reports(struct keeper *k, redisReply *const *replies, int64_t now_us)
{
	uint64_t hits = 0, misses = 0;

	for (size_t i = 0; i < REPORTS; i++) {
		hits += count_of(replies[2 * i]);
		misses += count_of(replies[2 * i + 1]);
	}
	if (hits + misses > 0) {
		if (!k->readers && k->metrics)
			k->readers = metrics_series(k->metrics, &readers_spec, NULL);
		metric_set(k->readers, (double)hits / (double)(hits + misses));
	}
	if (now_us < k->adapt_us)
		return;
	k->adapt_us = now_us + k->opt.window_ms * US_PER_MS / TALLY_BUCKETS;
	adapt_step(&k->opt.adapt, &k->adapt, hits, misses);
	metric_set(k->ttl, (double)k->adapt.ttl_ms / 1e3);
}

static void
look(struct keeper *k, int64_t now_us)
{
	char keys[2 * REPORTS][TALLY_KEY_BYTES];
	struct span words[2 + 2 * REPORTS] = { SPAN("MGET"), GENERATION };
	int64_t newest = tally_bucket(k->opt.window_ms);
	redisReply *reply;

	for (size_t i = 0; i < 2 * REPORTS; i++) {
		tally_key(k->opt.window_ms, newest - (int64_t)(i / 2), i % 2 == 0, keys[i]);
		words[2 + i] = span_of(keys[i]);
	}
	reply = cache_ask(k->cache, ARRAY_LEN(words), words);
	if (reply && reply->type == REDIS_REPLY_ARRAY && reply->elements == ARRAY_LEN(words) - 1) {
		take_generation(k, reply->element[0], now_us);
		take_reports(k, reply->element + 1, now_us);
	}
	if (reply)
		freeReplyObject(reply);
}

/* ---- putting again ---- */

/* The next item of the walk that is worth it; NULL: there is none. */
static struct shelf_item *
next_item(struct keeper *k, int64_t now_us)
{
	struct shelf_item *item;

	while ((item = shelf_step(k->shelf))) {
		int64_t most_ms = k->opt.adapt.ttl_max_ms > item->next_ms ? k->opt.adapt.ttl_max_ms : item->next_ms;

		if (now_us - item->put_us <= most_ms * US_PER_MS)
			return item;
		shelf_drop(k->shelf, item);
	}
	return NULL;
}

static void
set_again(struct keeper *k, struct shelf_item *item, enum why why, int64_t now_us)
{
	int64_t ttl_ms = adapt_ttl(&k->adapt, item->next_ms);
	char ttl[24];

	snprintf(ttl, sizeof(ttl), "%" PRId64, ttl_ms);
	if (!cache_tell(k->cache, 6,
			(struct span[]){ SPAN("SET"), item->key, item->value, SPAN("PX"), span_of(ttl), SPAN("NX") }))
		return;
	item->ends_us = now_us + ttl_ms * US_PER_MS;
	metric_add(k->warmed[why], 1);
}

/* Prolong what has less than half of its life left.  It may be gone: that is seen by the one who looks for it. */
static void
prolong(struct keeper *k, struct shelf_item *item, int64_t now_us)
{
	int64_t ttl_ms = adapt_ttl(&k->adapt, item->next_ms);
	char ttl[24];

	if (item->ends_us - now_us >= ttl_ms * US_PER_MS / 2)
		return;
	snprintf(ttl, sizeof(ttl), "%" PRId64, ttl_ms);
	if (!cache_tell(k->cache, 3, (struct span[]){ SPAN("PEXPIRE"), item->key, span_of(ttl) }))
		return;
	item->ends_us = now_us + ttl_ms * US_PER_MS;
	metric_add(k->warmed[ENDING], 1);
}

static bool
any_missing(struct keeper *k, struct shelf_item *const *items, size_t n)
{
	struct span words[1 + PROBED] = { SPAN("EXISTS") };
	redisReply *reply;
	bool missing;

	for (size_t i = 0; i < n; i++)
		words[1 + i] = items[i]->key;
	reply = cache_ask(k->cache, 1 + n, words);
	missing = reply && reply->type == REDIS_REPLY_INTEGER && reply->integer < (long long)n;
	if (reply)
		freeReplyObject(reply);
	return missing;
}

static void
warm_some(struct keeper *k, int64_t now_us)
{
	struct shelf_item *items[PROBED];
	size_t n = 0;

	while (n < PROBED && (items[n] = next_item(k, now_us)))
		n++;
	k->credit -= n;
	if (n < PROBED)
		k->walk = WHYS;
	if (n == 0)
		return;
	if (any_missing(k, items, n)) {
		for (size_t i = 0; i < n; i++)
			set_again(k, items[i], MISSING, now_us);
		return;
	}
	for (size_t i = 0; i < n; i++)
		prolong(k, items[i], now_us);
}

static void
refill_one(struct keeper *k, int64_t now_us)
{
	struct shelf_item *item = next_item(k, now_us);

	if (!item) {
		k->walk = WHYS;
		return;
	}
	k->credit--;
	set_again(k, item, LOST, now_us);
}

static void
walk(struct keeper *k, int64_t now_us)
{
	double rate = (double)k->opt.warm_per_second;

	if (k->walk == WHYS && k->adapt.warm && now_us >= k->rest_us) {
		start_walk(k, MISSING, now_us);
		k->rest_us = now_us + k->opt.window_ms * US_PER_MS / TALLY_BUCKETS;
	}
	k->credit = fmin(rate, k->credit + rate * (double)(now_us - k->walk_us) / 1e6);
	k->walk_us = now_us;
	while (k->walk != WHYS && k->credit >= 1 && cache_is_up(k->cache))
		if (k->walk == LOST)
			refill_one(k, now_us);
		else
			warm_some(k, now_us);
}

void
keeper_work(struct keeper *k)
{
	int64_t now_us = clock_monotonic_us(), pause_us = k->opt.window_ms * US_PER_MS / CHECKS;

	if (cache_is_off(k->cache))
		return;
	if (now_us >= k->check_us) {
		look(k, now_us);
		pause_us = pause_us < CHECK_MIN_US ? CHECK_MIN_US : pause_us > CHECK_MAX_US ? CHECK_MAX_US : pause_us;
		k->check_us = now_us + pause_us;
	}
	walk(k, now_us);
	metric_set(k->bytes, (double)shelf_bytes(k->shelf));
}
