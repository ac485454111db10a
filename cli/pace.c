/*
 * pace.c -- see pace.h.
 *
 * A look costs a few requests for each worker: it is made after so many messages, for who sends fast, or so many milliseconds, for
 * who sends slowly.
 */
#include "cli/pace.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"

#define LOOK_US (200 * US_PER_MS)
#define PAUSE_US (50 * US_PER_MS) /* until one more look at who is behind */

/* ---- pure ---- */

static int
read_limit(struct span word, struct pace_limit *ret, struct err *err)
{
	const char *equals = memchr(word.ptr, '=', word.len), *digits = equals ? equals + 1 : "";
	const char *end = word.ptr + word.len;
	char *stop = NULL;

	errno = 0;
	*ret = (struct pace_limit){ .records = *digits >= '0' && *digits <= '9' ? strtoll(digits, &stop, 10) : -1 };
	if (!stop || stop != end || errno)
		return err_set(err, REASON_USAGE, "--lag.max.records: '%.*s' is not worker=records", SPAN_ARG(word));
	ret->member = fleet_find((struct span){ word.ptr, (size_t)(equals - word.ptr) });
	if (ret->member)
		return 0;
	return err_set(err, REASON_USAGE,
		       "--lag.max.records: '%.*s' is neither a worker of the fleet (forebay status lists them) nor its "
		       "consumer group",
		       (int)(equals - word.ptr), word.ptr);
}

static int
add_limit(struct pace_limits *limits, const struct pace_limit *l, struct err *err)
{
	for (size_t i = 0; i < limits->n; i++)
		if (limits->at[i].member == l->member)
			return err_set(err, REASON_USAGE, "--lag.max.records: %s is named twice", l->member->worker);
	/* Nobody is there twice, so that there is room for all of them. */
	limits->at[limits->n++] = *l;
	return 0;
}

int
pace_parse(const char *list, struct pace_limits *ret, struct err *err)
{
	*ret = (struct pace_limits){ .n = 0 };
	for (const char *at = list; *list && at;) {
		struct span word = { at, strcspn(at, ",") };
		struct pace_limit limit;

		if (read_limit(word, &limit, err) < 0 || add_limit(ret, &limit, err) < 0)
			return -1;
		at = at[word.len] ? at + word.len + 1 : NULL;
	}
	return 0;
}

int64_t
pace_batch(const struct pace_limits *limits)
{
	int64_t most = 1;

	for (size_t i = 0; i < limits->n; i++)
		most = limits->at[i].records > most ? limits->at[i].records : most;
	return most < PACE_BATCH_MAX ? most : PACE_BATCH_MAX;
}

enum pace_verdict
pace_judge(struct pace_limits *limits, const struct fleet_look *look, int64_t timeout_us, size_t *who)
{
	enum pace_verdict verdict = PACE_FOLLOWS;

	for (size_t i = 0; i < limits->n; i++) {
		struct pace_limit *l = &limits->at[i];
		const struct fleet_group *g = &look->groups[i];

		if (g->lag <= l->records) {
			l->moved_us = 0;
			continue;
		}
		if (l->moved_us == 0 || l->committed != g->committed) {
			l->moved_us = look->at_us;
			l->committed = g->committed;
		}
		if (verdict == PACE_FOLLOWS)
			verdict = PACE_BEHIND;
		if (look->at_us - l->moved_us > timeout_us) {
			*who = i;
			return PACE_STUCK;
		}
	}
	return verdict;
}

/* ---- looking ---- */

struct pace {
	struct pace_limits limits;
	const struct fleet_member *members[PACE_LIMITS_MAX]; /* of the limits */
	struct cluster *cluster;
	struct arena *arena; /* of one look */
	int64_t timeout_us, batch, messages, looked_us;
	int64_t silent_us; /* since when the cluster has not answered; 0: it does */
};

int
pace_open(const struct pace_limits *limits, int64_t timeout_ms, const struct client_config *config,
	  int request_timeout_ms, struct pace **ret, struct err *err)
{
	CLEANUP(pace_close)
	struct pace *p = calloc(1, sizeof(*p));

	if (!p || !(p->arena = arena_new(65536, 1 << 20)))
		return err_set(err, REASON_NO_MEMORY, "pace");
	p->limits = *limits;
	p->timeout_us = timeout_ms * US_PER_MS;
	p->batch = pace_batch(limits);
	for (size_t i = 0; i < limits->n; i++)
		p->members[i] = limits->at[i].member;
	if (cluster_open(config, request_timeout_ms, &p->cluster, err) < 0)
		return -1;
	*ret = TAKE(p);
	return 0;
}

void
pace_close(struct pace *p)
{
	if (!p)
		return;
	cluster_close(p->cluster);
	arena_free(p->arena);
	free(p);
}

bool
pace_due(struct pace *p)
{
	return p->messages++ % p->batch == 0 || clock_monotonic_us() - p->looked_us >= LOOK_US;
}

static int
pause_a_moment(void)
{
	clock_sleep_us(PAUSE_US);
	return 1;
}

/* A broker that is restarted or a coordinator that moves is waited for.  Workers wait for it, too: they get their time anew. */
static int
not_answered(struct pace *p, struct err *err)
{
	int64_t now = clock_monotonic_us();

	if (p->silent_us == 0)
		p->silent_us = now;
	if (err_class(err) != ERR_RETRY || now - p->silent_us > p->timeout_us)
		return err_wrap(err, "--lag.max.records: the lag is not known");
	for (size_t i = 0; i < p->limits.n; i++)
		p->limits.at[i].moved_us = 0;
	err_clear(err);
	return pause_a_moment();
}

static int
stuck(const struct pace *p, const struct fleet_look *look, size_t who, struct err *err)
{
	const struct fleet_member *m = p->members[who];

	return err_set(err, REASON_STUCK,
		       "%s (group %s) lags by %" PRId64 " records, --lag.max.records allows %" PRId64
		       ", and has read none for %.3g s: does it run?",
		       m->worker, m->group, look->groups[who].lag, p->limits.at[who].records,
		       (double)p->timeout_us / (double)US_PER_SECOND);
}

int
pace_look(struct pace *p, struct err *err)
{
	struct fleet_look look;
	size_t who = 0;

	arena_reset(p->arena);
	if (fleet_lag(p->cluster, p->members, p->limits.n, p->arena, &look, err) < 0)
		return not_answered(p, err);
	p->silent_us = 0;
	for (size_t i = 0; i < look.n_groups; i++)
		if (look.groups[i].n_partitions == 0)
			return err_set(err, REASON_TOPIC_MISSING, "--lag.max.records: nothing that %s reads exists",
				       p->members[i]->worker);
	switch (pace_judge(&p->limits, &look, p->timeout_us, &who)) {
	case PACE_BEHIND: return pause_a_moment();
	case PACE_STUCK: return stuck(p, &look, who, err);
	case PACE_FOLLOWS: break;
	}
	p->looked_us = clock_monotonic_us();
	return 0;
}
