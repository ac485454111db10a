/*
 * cache.c -- a connection that is allowed to be missing.
 *
 * Up: commands go out at once, answers to puts are collected whenever somebody calls.  Down: every call returns at once
 * until the pause is over (100 ms, doubled with every failure, 30 s at most); then one call pays for a new attempt, with
 * the time-out as its limit.  An answer that is late ends the connection, because what comes after would be out of step.
 */
#include "common/cache/cache.h"

#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/cache/private.h"
#include "common/cache/ratio.h"

#define PAUSE_FIRST_US (100 * US_PER_MS)
#define PAUSE_MAX_US (30 * US_PER_SECOND)
#define PIPELINE_MAX 1024 /* unanswered puts; the next one waits for half of them */

#define TALLY_US US_PER_SECOND /* counts are sent at most that often */

enum meter { HITS, MISSES, PUTS, ERRORS, UP, SECONDS, METERS };

static const double get_bounds[] = { 25e-6, 50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3,
				     5e-3,  10e-3, 25e-3,  50e-3,  0.1,    1 };

static const struct metric_spec meters[METERS] = {
	[HITS] = { "forebay_cache_hits_total", METRIC_COUNTER, "", "Gets that found bytes" },
	[MISSES] = { "forebay_cache_misses_total", METRIC_COUNTER, "", "Gets that found nothing, for whatever reason" },
	[PUTS] = { "forebay_cache_puts_total", METRIC_COUNTER, "", "Puts handed to Redis" },
	[ERRORS] = { "forebay_cache_errors_total", METRIC_COUNTER, "",
		     "Connections lost or not made, error answers, puts forgotten" },
	[UP] = { "forebay_cache_up", METRIC_GAUGE, "", "1 while Redis answers" },
	[SECONDS] = { "forebay_cache_get_seconds", METRIC_HISTOGRAM, "", "How long gets took", get_bounds,
		      ARRAY_LEN(get_bounds) },
};
static const struct metric_spec ratio_spec = { "forebay_cache_hit_ratio", METRIC_GAUGE, "",
					       "Share of lookups that were hits, over the window" };

struct cache {
	bool off; /* no address: always misses */
	struct redis_uri uri;
	int64_t timeout_us;
	struct link *link; /* NULL: down */
	int64_t retry_us;  /* when down: not before */
	int64_t pause_us;  /* the next pause */
	int64_t window_ms;
	struct ratio ratio;
	uint64_t hits, misses; /* not yet sent */
	int64_t tally_us;      /* not before */
	struct metrics *metrics;
	struct metric_series *meters[METERS], *ratio_meter;
};

int
cache_new(const char *uri, int64_t timeout_ms, struct metrics *metrics, struct cache **ret, struct err *err)
{
	CLEANUP(cache_free) struct cache *c = calloc(1, sizeof(*c));

	if (!c)
		return err_set(err, REASON_NO_MEMORY, "cache: no memory");
	c->off = *uri == '\0';
	if (!c->off && redis_uri_parse(uri, &c->uri, err) < 0)
		return -1;
	if (timeout_ms <= 0)
		return err_set(err, REASON_OPTION_INVALID, "cache: a time-out of %" PRId64 " ms", timeout_ms);
	c->timeout_us = timeout_ms * US_PER_MS;
	c->pause_us = PAUSE_FIRST_US;
	c->metrics = metrics;
	cache_set_window(c, CACHE_WINDOW_MS);
	for (size_t i = 0; metrics && i < METERS; i++)
		c->meters[i] = metrics_series(metrics, &meters[i], NULL);
	*ret = TAKE(c);
	return 0;
}

void
cache_free(struct cache *c)
{
	if (!c)
		return;
	link_close(c->link);
	redis_uri_clear(&c->uri);
	free(c);
}

static void
go_down(struct cache *c)
{
	metric_add(c->meters[ERRORS], 1 + (c->link ? (double)link_pending(c->link) : 0));
	metric_set(c->meters[UP], 0);
	link_close(c->link);
	c->link = NULL;
	c->retry_us = clock_monotonic_us() + c->pause_us;
	c->pause_us = c->pause_us * 2 < PAUSE_MAX_US ? c->pause_us * 2 : PAUSE_MAX_US;
}

static bool
is_up(struct cache *c, int64_t deadline_us)
{
	if (c->off)
		return false;
	if (!c->link && clock_monotonic_us() >= c->retry_us) {
		c->link = link_open(&c->uri, deadline_us);
		if (!c->link)
			go_down(c);
	}
	return c->link != NULL;
}

/* Exchange until at most PENDING answers are missing.  False: the connection is lost, or an answer is late. */
static bool
exchange(struct cache *c, size_t pending, int64_t deadline_us, struct redisReply **last)
{
	struct link_answers answers = { 0 };
	bool ok = link_exchange(c->link, pending, deadline_us, last != NULL, &answers) == 0 &&
		  (deadline_us == 0 || link_pending(c->link) <= pending);

	metric_add(c->meters[ERRORS], (double)answers.bad);
	if (last)
		*last = answers.last;
	if (!ok) {
		go_down(c);
	} else if (answers.good || answers.bad || answers.last) {
		metric_set(c->meters[UP], 1);
		c->pause_us = PAUSE_FIRST_US;
	}
	return ok;
}

/* What a string answer holds, in ARENA; SPAN_NONE for anything else. */
static struct span
answer_bytes(struct cache *c, const struct redisReply *reply, struct arena *arena)
{
	if (reply->type != REDIS_REPLY_STRING || (size_t)reply->len > CACHE_VALUE_MAX) {
		metric_add(c->meters[ERRORS], reply->type != REDIS_REPLY_NIL);
		return SPAN_NONE;
	}
	if (reply->len == 0)
		return SPAN_NONE;
	return arena_copy(arena, (struct span){ reply->str, (size_t)reply->len });
}

bool
cache_is_off(const struct cache *c)
{
	return c->off;
}

bool
cache_is_up(const struct cache *c)
{
	return c->link != NULL;
}

struct redisReply *
cache_ask(struct cache *c, size_t n, const struct span *words)
{
	int64_t deadline_us = clock_monotonic_us() + c->timeout_us;
	struct redisReply *reply = NULL;

	if (!is_up(c, deadline_us))
		return NULL;
	if (link_queue(c->link, n, words) < 0)
		go_down(c);
	else
		exchange(c, 0, deadline_us, &reply);
	return reply;
}

bool
cache_tell(struct cache *c, size_t n, const struct span *words)
{
	int64_t deadline_us = clock_monotonic_us() + c->timeout_us;
	bool sent = is_up(c, deadline_us) &&
		    (link_pending(c->link) < PIPELINE_MAX || exchange(c, PIPELINE_MAX / 2, deadline_us, NULL));

	if (sent && link_queue(c->link, n, words) < 0) {
		go_down(c);
		sent = false;
	}
	if (sent)
		exchange(c, 0, 0, NULL);
	else
		metric_add(c->meters[ERRORS], 1);
	return sent;
}

struct span
cache_get(struct cache *c, struct span key, struct arena *arena)
{
	struct redisReply *reply;
	struct span found = SPAN_NONE;
	int64_t begun_us = clock_monotonic_us();
	char last_byte[24];

	/* Not GET: a range bounds what a stranger's value can make us hold.  A missing key reads as an empty range. */
	snprintf(last_byte, sizeof(last_byte), "%zu", CACHE_VALUE_MAX);
	reply = cache_ask(c, 4, (struct span[]){ SPAN("GETRANGE"), key, SPAN("0"), span_of(last_byte) });
	if (reply) {
		found = answer_bytes(c, reply, arena);
		freeReplyObject(reply);
	}
	metric_add(c->meters[found.ptr ? HITS : MISSES], 1);
	metric_observe(c->meters[SECONDS], (double)(clock_monotonic_us() - begun_us) / 1e6);
	return found;
}

void
cache_put(struct cache *c, struct span key, struct span value, int64_t ttl_ms)
{
	char ttl[24];

	if (c->off || value.len == 0 || ttl_ms <= 0)
		return;
	snprintf(ttl, sizeof(ttl), "%" PRId64, ttl_ms);
	if (value.len > CACHE_VALUE_MAX)
		metric_add(c->meters[ERRORS], 1);
	else if (cache_tell(c, 5, (struct span[]){ SPAN("SET"), key, value, SPAN("PX"), span_of(ttl) }))
		metric_add(c->meters[PUTS], 1);
}

/* ---- lookups ---- */

void
cache_set_window(struct cache *c, int64_t window_ms)
{
	c->window_ms = window_ms > CACHE_WINDOW_MIN_MS ? window_ms : CACHE_WINDOW_MIN_MS;
	c->ratio = (struct ratio){ .step_us = c->window_ms * US_PER_MS / RATIO_BUCKETS };
}

/* Report what has gathered.  What cannot be sent at once is not sent: a report is not worth waiting for. */
static void
report(struct cache *c, int64_t now_us)
{
	if (c->off || now_us < c->tally_us)
		return;
	c->tally_us = now_us + TALLY_US;
	if (c->window_ms * US_PER_MS / TALLY_BUCKETS < TALLY_US)
		c->tally_us = now_us + c->window_ms * US_PER_MS / TALLY_BUCKETS;
	if (!c->link || link_pending(c->link) < PIPELINE_MAX / 2)
		tally_send(c, c->window_ms, c->hits, c->misses);
	c->hits = c->misses = 0;
}

void
cache_count(struct cache *c, uint64_t hits, uint64_t misses)
{
	int64_t now_us = clock_monotonic_us();

	if (hits + misses == 0)
		return;
	ratio_add(&c->ratio, now_us, hits, misses);
	c->hits += hits;
	c->misses += misses;
	if (!c->ratio_meter && c->metrics)
		c->ratio_meter = metrics_series(c->metrics, &ratio_spec, NULL);
	metric_set(c->ratio_meter, ratio_value(&c->ratio));
	report(c, now_us);
}

double
cache_ratio(const struct cache *c)
{
	return ratio_value(&c->ratio);
}

void
cache_flush(struct cache *c)
{
	if (c->link && link_pending(c->link) > 0)
		exchange(c, 0, clock_monotonic_us() + c->timeout_us, NULL);
}

void
cache_forecast_key(struct span device, struct span metric, char key[CACHE_KEY_BYTES])
{
	char name[RANDOM_NAME_BYTES];

	random_name((struct span[]){ device, metric }, 2, name);
	snprintf(key, CACHE_KEY_BYTES, "forebay:forecast:%s", name);
}
