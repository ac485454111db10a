/*
 * checkpoint_ladder.c -- which of the older states are kept.
 *
 * A state that is replaced after a period of the finest rung has passed becomes a rung (checkpoint_write.c); here they are
 * thinned out.  A rung stays if, for one line of the ladder, it is of the last KEEP periods and the newest of its key in
 * its period.  A key's rungs are in the order of their clocks, so "newest" needs a look at the next one only, and the
 * index has all that is needed in that order.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/store/checkpoint.h"
#include "common/store/checkpoint_private.h"

#define SQL_MAX_BYTES ((size_t)64 << 10)
#define KEEP_MAX INT64_C(1000000)

static int64_t
unit_us(char unit)
{
	switch (unit) {
	case 's': return US_PER_SECOND;
	case 'm': return 60 * US_PER_SECOND;
	case 'h': return 3600 * US_PER_SECOND;
	case 'd': return 86400 * US_PER_SECOND;
	default: return 0;
	}
}

/* Digits from *AT on, 1 to MAX; 0: none, or out of range. */
static int64_t
number(const char **at, int64_t max)
{
	int64_t value = 0;

	while (isdigit((unsigned char)**at) && value <= max)
		value = value * 10 + (*(*at)++ - '0');
	return value <= max ? value : 0;
}

int
checkpoint_ladder_parse(const char *text, struct checkpoint_ladder *ret, struct err *err)
{
	struct checkpoint_ladder ladder = { 0 };
	const char *at = text;

	while (*at) {
		struct checkpoint_rung rung = { .every_us = number(&at, KEEP_MAX) };

		rung.every_us *= unit_us(*at);
		if (rung.every_us == 0 || *++at != ':')
			return err_set(err, REASON_OPTION_INVALID,
				       "\"%.200s\": not of the form <number>s|m|h|d:<how many>,...", text);
		at++;
		rung.keep = number(&at, KEEP_MAX);
		if (rung.keep == 0 || (*at && (*at != ',' || !*++at)))
			return err_set(err, REASON_OPTION_INVALID, "\"%.200s\": how many of each period, 1 to %" PRId64,
				       text, KEEP_MAX);
		if (ladder.n == ARRAY_LEN(ladder.rungs))
			return err_set(err, REASON_OPTION_INVALID, "\"%.200s\": more than %zu periods", text,
				       ARRAY_LEN(ladder.rungs));
		if (ladder.n > 0 && rung.every_us <= ladder.rungs[ladder.n - 1].every_us)
			return err_set(err, REASON_OPTION_INVALID, "\"%.200s\": periods have to grow", text);
		ladder.rungs[ladder.n++] = rung;
	}
	*ret = ladder;
	return 0;
}

/* Parameters: partition, epoch, now, limit. */
static int
thin_sql(struct buffer *sql, const struct checkpoint_ladder *ladder)
{
	int bad =
	    buffer_text(sql, "DELETE FROM forebay.state_rungs r USING (SELECT key, clock FROM (SELECT key, clock, "
			     "taken_us AS taken, lead(taken_us) OVER (PARTITION BY key ORDER BY clock) AS next "
			     "FROM forebay.state_rungs WHERE partition = $1) w WHERE EXISTS "
			     "(SELECT FROM forebay.state_partitions p WHERE p.id = $1 AND p.epoch = $2) "
			     "AND $3::bigint IS NOT NULL");

	for (size_t i = 0; i < ladder->n; i++) {
		int64_t every = ladder->rungs[i].every_us;

		bad |= buffer_printf(sql,
				     " AND NOT (taken / %" PRId64 " > $3::bigint / %" PRId64 " - %" PRId64
				     " AND (next IS NULL OR next / %" PRId64 " > taken / %" PRId64 "))",
				     every, every, ladder->rungs[i].keep, every, every);
	}
	return bad | buffer_printf(sql, " LIMIT $4) d WHERE r.partition = $1 AND r.key = d.key AND r.clock = d.clock");
}

int
checkpoint_thin(struct store *s, const struct checkpoint_claim *claim, const struct checkpoint_ladder *ladder,
		int64_t now_us, int64_t limit, int64_t *dropped, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer sql = BUFFER_INIT(SQL_MAX_BYTES);
	CLEANUP(rows_free)
	struct rows *rows = NULL;
	struct param params[] = { PARAM_INT(claim->id), PARAM_INT(claim->epoch), PARAM_INT(now_us), PARAM_INT(limit) };

	if (thin_sql(&sql, ladder) < 0)
		return err_set(err, REASON_NO_MEMORY, "a statement");
	if (store_connect(s, err) < 0 || store_query(s, sql.ptr, params, ARRAY_LEN(params), &rows, err) < 0)
		return -1;
	*dropped = rows_affected(rows);
	return 0;
}
