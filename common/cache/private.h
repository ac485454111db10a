/*
 * private.h -- what the parts of common/cache share: where Redis is, one connection to it, the commands of those who know more of
 * Redis than get and put, and where readers report.
 */
#ifndef FOREBAY_CACHE_PRIVATE_H
#define FOREBAY_CACHE_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/base/span.h"

struct redisReply;

/* ---- uri.c ---- */

struct redis_uri {
	char *host, *user, *password; /* user, password NULL: none */
	int port, db;
};

/* Take redis://[[user]:password@]host[:port][/db] apart.  -1 on OPTION_INVALID (the text never shows the password). */
int redis_uri_parse(const char *uri, struct redis_uri *ret, struct err *err);
void redis_uri_clear(struct redis_uri *u);

static inline void
redis_uri_clear_cleanup(struct redis_uri *u)
{
	redis_uri_clear(u);
}

/* ---- link.c: one connection, requests out, answers in, in order ---- */

struct link;

/* Connect and log in, waiting until DEADLINE_US (monotonic) at most; NULL when it does not come about. */
struct link *link_open(const struct redis_uri *uri, int64_t deadline_us);
void link_close(struct link *l); /* NULL is fine */

/* Queue one command of N words.  -1 when the queue is full or memory is out. */
int link_queue(struct link *l, size_t n, const struct span *words);

/* Answers still to come. */
size_t link_pending(const struct link *l);

struct link_answers {
	size_t good, bad;        /* by kind, those that were thrown away */
	struct redisReply *last; /* the answer to the last queued command, if it came; the caller frees it */
};

/*
 * Send what is queued and read answers until at most PENDING are to come or the deadline is over.  With DEADLINE_US 0 it
 * does what can be done without waiting.  *RET is added to; keep_last says whether the last answer is wanted.  -1 when the
 * connection is of no use any more (closed, garbage, refused log-in); being late is not that: see link_pending().
 */
int link_exchange(struct link *l, size_t pending, int64_t deadline_us, bool keep_last, struct link_answers *ret);

/* ---- cache.c ---- */

struct cache;

bool cache_is_off(const struct cache *c); /* without an address */
bool cache_is_up(const struct cache *c);  /* connected, as far as is known */

/* One command and its answer, which the caller frees; NULL when none came within the time-out. */
struct redisReply *cache_ask(struct cache *c, size_t n, const struct span *words);

/* One command whose answer is thrown away.  False: it was not sent, which is counted. */
bool cache_tell(struct cache *c, size_t n, const struct span *words);

/* ---- tally.c: hits and misses of all readers, in counters of a tenth of the window each ---- */

#define TALLY_BUCKETS 10
#define TALLY_KEY_BYTES 64

int64_t tally_bucket(int64_t window_ms); /* the present one, by the clock of the wall */
/* "forebay:lookups:<milliseconds>:<bucket>:hits", or ":misses". */
void tally_key(int64_t window_ms, int64_t bucket, bool hits, char key[TALLY_KEY_BYTES]);
/* Add to the counters of the present bucket, without waiting. */
void tally_send(struct cache *c, int64_t window_ms, uint64_t hits, uint64_t misses);

#endif
