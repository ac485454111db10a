/*
 * checkpoint_past.c -- the states as they were at an earlier clock AT: a partition's own (rewind) or another's (fork).
 *
 * Chosen is, of every key, the newest state that is not newer than AT.  Where that is the current one, nothing of the key
 * lies between it and AT but what the old frontier covers.  Where it is a rung, all sources have to be read again from the
 * rung's positions on.  A key with neither did not exist yet, if it was born at AT or later; else the ladder does not reach
 * back far enough.
 *
 * The new frontier is therefore, for every source, the least of
 *	what the old frontier says,
 *	the positions of the rungs chosen,
 *	if AT is before the old frontier's clock, where the source stood at AT, because a key that is born after AT is born
 *	again.  No record tells that exactly, but the greatest position in any state that is not newer than AT is not
 *	after it; with no such state nothing is known, and reading begins at the source's beginning.  For a key that is
 *	born at AT itself, by a record of another source, a state of clock AT may stand behind that record: then only
 *	states before AT count.
 * Of the primary input AT itself is known.
 */
#include <inttypes.h>

#include "common/store/checkpoint.h"
#include "common/store/checkpoint_private.h"

#define SQL_MAX_BYTES ((size_t)64 << 10)

/* The partition whose past it is. */
struct past {
	int64_t id, at;
	bool fresh;                              /* it has none */
	bool reborn;                             /* a key that will be gone was born at AT */
	int64_t frontier[CHECKPOINT_STORED_MAX]; /* in the order of the list of the partition claimed */
	size_t n;
	size_t place[CHECKPOINT_STORED_MAX]; /* of each of those in its own list, from 1; 0: not known there */
	int64_t reached, active_us;          /* of the states chosen */
};

/* Parameters: partition, AT. */
#define CHOSEN                                                                                                           \
	"WITH chosen AS (SELECT s.key, s.clock, s.positions, s.born, s.active_us, s.taken_us, s.state, false AS again "  \
	"FROM forebay.states s WHERE s.partition = $1 AND s.clock <= $2 "                                                \
	"UNION ALL SELECT s.key, r.clock, r.positions, r.born, r.active_us, r.taken_us, r.state, true "                  \
	"FROM forebay.states s CROSS JOIN LATERAL (SELECT * FROM forebay.state_rungs r WHERE r.partition = s.partition " \
	"AND r.key = s.key AND r.clock <= $2 ORDER BY r.clock DESC LIMIT 1) r "                                          \
	"WHERE s.partition = $1 AND s.clock > $2) "

/*
 * Keys of which no state is old enough: (born, least clock known), and AT must not be inside of any such pair.  Walking
 * through them by born, the answer grows with every least clock until the next key is born at or after it.
 */
static const char past_missing[] =
    "WITH missing AS (SELECT s.key, s.born, coalesce((SELECT min(r.clock) FROM forebay.state_rungs r "
    "WHERE r.partition = s.partition AND r.key = s.key), s.clock) AS least "
    "FROM forebay.states s WHERE s.partition = $1 AND s.clock > $2), "
    "walk AS (SELECT m.*, greatest($2, max(least) OVER (ORDER BY born, key ROWS BETWEEN UNBOUNDED PRECEDING AND "
    "1 PRECEDING)) AS so_far FROM missing m WHERE least > $2) "
    "SELECT (SELECT encode(key, 'escape') FROM walk WHERE born < $2 ORDER BY least DESC, key LIMIT 1), "
    "coalesce(min(so_far) FILTER (WHERE born >= so_far), max(least)) "
    "FROM walk HAVING count(*) FILTER (WHERE born < $2) > 0";

static int
past_check(struct store *s, const struct past *p, struct err *err)
{
	CLEANUP(rows_free)
	struct rows *rows = NULL;
	struct param params[] = { PARAM_INT(p->id), PARAM_INT(p->at) };

	if (store_query(s, past_missing, params, ARRAY_LEN(params), &rows, err) < 0)
		return -1;
	if (rows_count(rows) == 0)
		return 0;
	return err_set(err, REASON_STATE_TOO_OLD,
		       "key %.200s has no state as old as offset %" PRId64
		       "; the earliest offset that all keys have is "
		       "%" PRId64,
		       rows_text(rows, 0, 0).ptr, p->at, rows_int(rows, 0, 1));
}

/* Parameters: those of CHOSEN, greatest place, reborn. */
static const char past_known[] =
    CHOSEN ", known AS MATERIALIZED (SELECT again, clock, active_us, positions, CASE WHEN $4::int = 1 AND clock = $2 "
	   "THEN (SELECT r.positions FROM forebay.state_rungs r WHERE r.partition = $1 AND r.key = chosen.key "
	   "AND r.clock < $2 ORDER BY r.clock DESC LIMIT 1) ELSE positions END AS stood FROM chosen) "
	   "SELECT i, min(coalesce(positions[i], -1)) FILTER (WHERE again), max(coalesce(stood[i], -1)), max(clock), "
	   "max(active_us) FROM known CROSS JOIN generate_series(1, $3::int) AS i GROUP BY i ORDER BY i";

static int
past_reborn(struct store *s, struct past *p, struct err *err)
{
	CLEANUP(rows_free)
	struct rows *rows = NULL;
	struct param params[] = { PARAM_INT(p->id), PARAM_INT(p->at) };

	if (store_query(s,
			"SELECT EXISTS (SELECT FROM forebay.states WHERE partition = $1 AND clock > $2 AND born = $2)",
			params, ARRAY_LEN(params), &rows, err) < 0)
		return -1;
	p->reborn = rows_bool(rows, 0, 0);
	return 0;
}

/* The new frontier from the old one and the states chosen. */
static int
past_frontier(struct store *s, struct past *p, struct err *err)
{
	CLEANUP(rows_free)
	struct rows *rows = NULL;
	bool before = p->at < p->frontier[0] || (p->at == p->frontier[0] && p->reborn);
	struct param params[4];
	size_t last = 1;

	for (size_t i = 0; i < p->n; i++)
		last = p->place[i] > last ? p->place[i] : last;
	params[0] = PARAM_INT(p->id);
	params[1] = PARAM_INT(p->at);
	params[2] = PARAM_INT((int64_t)last);
	params[3] = PARAM_INT(p->reborn);
	if (store_query(s, past_known, params, ARRAY_LEN(params), &rows, err) < 0)
		return -1;
	p->reached = rows_count(rows) > 0 ? rows_int(rows, 0, 3) : -1;
	p->active_us = rows_count(rows) > 0 ? rows_int(rows, 0, 4) : 0;
	for (size_t i = 0; i < p->n; i++) {
		size_t row = p->place[i] - 1; /* of no use when the source is not known, nor is its position then */
		int64_t least = p->frontier[i];

		if (p->place[i] == 0)
			continue;
		if (before && i == 0)
			least = p->at;
		else if (before && rows_count(rows) == 0)
			least = CHECKPOINT_NO_OFFSET;
		else if (before && rows_int(rows, row, 2) < least)
			least = rows_int(rows, row, 2);
		if (rows_count(rows) > 0 && !rows_null(rows, row, 1) && rows_int(rows, row, 1) < least)
			least = rows_int(rows, row, 1);
		p->frontier[i] = least;
	}
	return 0;
}

/* The partition's own states: rungs take the place of newer states, and what is newer then goes. */
static int
past_take_back(struct store *s, const struct checkpoint_claim *claim, const struct past *p, struct err *err)
{
	struct param params[] = { PARAM_INT(p->id), PARAM_INT(p->at), PARAM_INT(claim->epoch) };

	if (store_query(s,
			CHOSEN "UPDATE forebay.states s SET clock = c.clock, positions = c.positions, born = c.born, "
			       "active_us = c.active_us, epoch = $3, taken_us = c.taken_us, state = c.state "
			       "FROM chosen c WHERE s.partition = $1 AND s.key = c.key AND c.again",
			params, 3, NULL, err) < 0)
		return -1;
	if (store_query(s, "DELETE FROM forebay.states WHERE partition = $1 AND clock > $2", params, 2, NULL, err) < 0)
		return -1;
	return store_query(s, "DELETE FROM forebay.state_rungs WHERE partition = $1 AND clock > $2", params, 2, NULL,
			   err);
}

/* The states of another partition, positions in the order of ours. */
static int
past_copy(struct store *s, const struct checkpoint_claim *claim, const struct past *p, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer sql = BUFFER_INIT(SQL_MAX_BYTES);
	struct param params[] = { PARAM_INT(p->id), PARAM_INT(p->at), PARAM_INT(claim->epoch), PARAM_INT(claim->id) };
	int bad = buffer_text(&sql, CHOSEN "INSERT INTO forebay.states (" CHECKPOINT_COLUMNS ") "
					   "SELECT $4::bigint, key, clock, ARRAY[");

	for (size_t i = 0; i < p->n; i++)
		bad |= buffer_printf(&sql, "%scoalesce(positions[%zu], %" PRId64 ")", i ? ", " : "", p->place[i],
				     CHECKPOINT_NO_OFFSET); /* positions[0] is NULL */
	bad |= buffer_printf(&sql, "], born, active_us, $3::bigint, taken_us, state FROM chosen");
	if (bad)
		return err_set(err, REASON_NO_MEMORY, "a statement");
	return store_query(s, sql.ptr, params, ARRAY_LEN(params), NULL, err);
}

/* Write the frontier into the row and the claim. */
static int
past_renew(struct store *s, const struct past *p, struct checkpoint_claim *claim, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer array = BUFFER_INIT(SQL_MAX_BYTES);
	struct param params[5];
	int bad = 0;

	for (size_t i = 0; i < p->n; i++)
		bad |= query_array_int(&array, p->frontier[i]);
	if (bad || query_array_end(&array) < 0)
		return err_set(err, REASON_NO_MEMORY, "a frontier");
	params[0] = PARAM_INT(claim->id);
	params[1] = PARAM_INT(claim->epoch);
	params[2] = PARAM_TEXT(buffer_span(&array));
	params[3] = PARAM_INT(p->reached);
	params[4] = PARAM_INT(p->active_us);
	if (store_query(s,
			"UPDATE forebay.state_partitions SET frontier = $3, reached = $4, active_us = $5, "
			"updated_at = now() WHERE id = $1 AND epoch = $2",
			params, ARRAY_LEN(params), NULL, err) < 0)
		return -1;
	claim->fresh = false;
	claim->reached = p->reached;
	claim->active_us = p->active_us;
	for (size_t i = 0; i < claim->n_sources; i++)
		claim->frontier[i] = p->frontier[claim->place[i]];
	return 0;
}

/* The row of RUN, GROUP, TOPIC and PARTITION, and where in it the sources of CLAIM's row stand. */
static int
past_find(struct store *s, const struct checkpoint_claim *claim, const struct checkpoint_name *name, struct past *p,
	  struct err *err)
{
	CLEANUP(rows_free)
	struct rows *rows = NULL;
	struct param params[] = { PARAM_INT(claim->id), name ? PARAM_TEXT(span_of(name->run)) : PARAM_NULL,
				  name ? PARAM_TEXT(span_of(name->group)) : PARAM_NULL,
				  name ? PARAM_TEXT(span_of(name->topic)) : PARAM_NULL,
				  name ? PARAM_INT(name->partition) : PARAM_NULL };
	int64_t places[CHECKPOINT_STORED_MAX] = { 0 }, frontier[CHECKPOINT_STORED_MAX];
	size_t n;

	if (store_query_binary(
		s,
		"SELECT p.id, p.frontier, ARRAY(SELECT coalesce(array_position(p.sources, n), 0)::bigint "
		"FROM unnest(c.sources) WITH ORDINALITY AS u (n, i) ORDER BY i) "
		"FROM forebay.state_partitions c JOIN forebay.state_partitions p ON CASE WHEN $2::text IS NULL "
		"THEN p.id = c.id ELSE p.run = $2 AND p.worker = $3 AND p.topic = $4 AND p.partition = $5 END "
		"WHERE c.id = $1",
		params, ARRAY_LEN(params), &rows, err) < 0)
		return -1;
	p->fresh = rows_count(rows) == 0 || rows_null(rows, 0, 1);
	if (p->fresh)
		return 0;
	p->id = rows_binary_int(rows, 0, 0);
	n = rows_binary_ints(rows, 0, 1, frontier, CHECKPOINT_STORED_MAX);
	p->n = rows_binary_ints(rows, 0, 2, places, CHECKPOINT_STORED_MAX);
	for (size_t i = 0; i < p->n; i++) {
		p->place[i] = (size_t)places[i];
		p->frontier[i] =
		    places[i] > 0 && (size_t)places[i] <= n ? frontier[places[i] - 1] : CHECKPOINT_NO_OFFSET;
	}
	if (p->place[0] != 1)
		return err_set(err, REASON_INTERNAL, "states of another primary input");
	return 0;
}

/* Inside of a transaction that holds the row of CLAIM. */
static int
past_bring(struct store *s, struct checkpoint_claim *claim, const struct checkpoint_name *source, int64_t at,
	   struct err *err)
{
	struct past p = { .at = at };

	if (past_find(s, claim, source, &p, err) < 0)
		return -1;
	if (p.fresh)
		return 0;
	if (past_check(s, &p, err) < 0 || past_reborn(s, &p, err) < 0 || past_frontier(s, &p, err) < 0)
		return -1;
	if ((source ? past_copy(s, claim, &p, err) : past_take_back(s, claim, &p, err)) < 0)
		return -1;
	return past_renew(s, &p, claim, err);
}

/* SOURCE NULL: the partition itself. */
static int
past(struct store *s, struct checkpoint_claim *claim, const struct checkpoint_name *source,
     const struct checkpoint_sources *sources, int64_t at, struct err *err)
{
	CLEANUP(rows_free)
	struct rows *frontier = NULL;
	struct checkpoint_claim renewed = *claim;
	int rc = 0;

	if (checkpoint_sources_check(claim, sources->n, err) < 0 || checkpoint_begin(s, claim, &frontier, err) < 0)
		return -1;
	/* A fork that was done before its answer was lost is not done again: the frontier tells. */
	if (!source || rows_null(frontier, 0, 0))
		rc = past_bring(s, &renewed, source, at, err);
	if (checkpoint_end(s, rc, err) < 0)
		return -1;
	*claim = renewed;
	return 0;
}

int
checkpoint_rewind(struct store *s, struct checkpoint_claim *claim, const struct checkpoint_sources *sources, int64_t at,
		  struct err *err)
{
	return past(s, claim, NULL, sources, at, err);
}

int
checkpoint_fork(struct store *s, struct checkpoint_claim *claim, const struct checkpoint_name *source,
		const struct checkpoint_sources *sources, int64_t at, struct err *err)
{
	return past(s, claim, source, sources, at, err);
}
