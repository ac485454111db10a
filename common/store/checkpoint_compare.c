/*
 * checkpoint_compare.c -- the digests stay in the database, so a partition may have more keys than we have memory.
 *
 * A state stands for where its partition stood when it was written.  It holds all records of its key before the frontier; if
 * it does not stand beyond the frontier in any source, it holds no others, and so it is what a run that ends at the frontier
 * comes to.  The journal's offset says nothing about states and is left out of this.
 */
#include "common/store/checkpoint_compare.h"

#include "common/store/checkpoint.h"
#include "common/store/query.h"

static const char prepare[] =
    "CREATE TEMPORARY TABLE IF NOT EXISTS forebay_remembered (topic text, partition int, key bytea, clock bigint, "
    "comparable bool, layout bytea, digest bytea); TRUNCATE forebay_remembered";

/* Version and fingerprint of an image: see base/image.h. */
#define LAYOUT "substr(s.state, 5, 12)"

/* Parameters: group, partition.  A group that was given another primary input keeps its old rows. */
#define OF_GROUP                                                                                         \
	"p.run = 'live' AND p.worker = $1 AND $2 IN (-1, p.partition) AND p.topic = (SELECT topic FROM " \
	"forebay.state_partitions WHERE run = 'live' AND worker = $1 ORDER BY claimed_at DESC, topic LIMIT 1)"

static const char remember_sql[] =
    "INSERT INTO forebay_remembered SELECT p.topic, p.partition, s.key, s.clock, NOT EXISTS (SELECT FROM "
    "unnest(p.sources, p.frontier, s.positions) AS u (source, at, own) WHERE source <> 'fleet.journal' AND "
    "coalesce(own, -1) > coalesce(at, -1)), " LAYOUT ", sha256(s.state) "
    "FROM forebay.state_partitions p JOIN forebay.states s ON s.partition = p.id WHERE " OF_GROUP;

/*
 * The earliest offset A such that every key born before A has a state not beyond A.  Each key forbids the offsets between its
 * birth and its oldest state; A begins with the least of the oldest states and, walking through the keys by birth, grows to
 * the oldest state of each key born before A.  The walk ends at the first key that was not.
 */
#define OLDEST                                                                                                       \
	"(SELECT coalesce(min(so_far) FILTER (WHERE born >= so_far), max(eldest)) FROM (SELECT born, eldest, "       \
	"greatest(min(eldest) OVER (), max(eldest) OVER (ORDER BY born, key ROWS BETWEEN UNBOUNDED PRECEDING AND "   \
	"1 PRECEDING)) AS so_far FROM (SELECT s.key, s.born, least(s.clock, (SELECT min(r.clock) FROM "              \
	"forebay.state_rungs r WHERE r.partition = s.partition AND r.key = s.key)) AS eldest FROM forebay.states s " \
	"WHERE s.partition = p.id) k) w)"

static const char basis_sql[] =
    "SELECT p.topic, p.partition, array_to_string(p.sources, ','), array_to_string(p.frontier, ',', '-1'), "
    "(SELECT count(*) FROM forebay.states s WHERE s.partition = p.id), " OLDEST
    " FROM forebay.state_partitions p WHERE " OF_GROUP " ORDER BY p.topic, p.partition";

static int
read_basis(struct arena *a, const struct rows *rows, size_t i, struct checkpoint_basis *ret, struct err *err)
{
	*ret = (struct checkpoint_basis){
		.topic = arena_copy(a, rows_text(rows, i, 0)).ptr,
		.partition = (int32_t)rows_int(rows, i, 1),
		.keys = rows_int(rows, i, 4),
		.oldest = rows_null(rows, i, 5) ? -1 : rows_int(rows, i, 5),
	};
	if (!ret->topic)
		return err_set(err, REASON_NO_MEMORY, "state partitions");
	return checkpoint_offsets_read(a, rows_text(rows, i, 2), rows_text(rows, i, 3), &ret->frontier, err);
}

int
checkpoint_remember(struct store *s, const char *group, int32_t partition, struct arena *arena,
		    struct checkpoint_basis **ret, size_t *n, struct err *err)
{
	const struct param params[] = { PARAM_TEXT(span_of(group)), PARAM_INT(partition) };
	CLEANUP(rows_free)
	struct rows *rows = NULL;

	if (store_connect(s, err) < 0 || store_exec(s, prepare, err) < 0 ||
	    store_exec(s, "BEGIN ISOLATION LEVEL REPEATABLE READ", err) < 0)
		return -1;
	if (store_query(s, remember_sql, params, ARRAY_LEN(params), NULL, err) < 0 ||
	    store_query(s, basis_sql, params, ARRAY_LEN(params), &rows, err) < 0) {
		store_rollback(s);
		return -1;
	}
	if (store_commit(s, err) < 0)
		return -1;
	*n = rows_count(rows);
	*ret = arena_alloc(arena, (*n + 1) * sizeof(**ret));
	if (!*ret)
		return err_set(err, REASON_NO_MEMORY, "state partitions");
	for (size_t i = 0; i < *n; i++)
		if (read_basis(arena, rows, i, &(*ret)[i], err) < 0)
			return -1;
	return 0;
}

/* Parameters: topic, partition, run, start.  A column NULL on one side tells that the key is on the other alone. */
#define SIDE_BY_SIDE                                                                                                  \
	"WITH pairs AS (SELECT coalesce(a.key, b.key) AS key, coalesce(a.clock, b.clock) AS clock, CASE "             \
	"WHEN a.key IS NULL THEN 'surplus' WHEN NOT a.comparable THEN 'beyond' WHEN b.key IS NULL THEN 'missing' "    \
	"WHEN a.layout <> b.layout THEN 'relaid' "                                                                    \
	"WHEN a.digest <> b.digest THEN 'different' WHEN a.clock <= $4 THEN 'untouched' ELSE 'equal' END AS verdict " \
	"FROM (SELECT * FROM forebay_remembered WHERE topic = $1 AND partition = $2) a FULL JOIN "                    \
	"(SELECT s.key, s.clock, " LAYOUT                                                                             \
	" AS layout, sha256(s.state) AS digest FROM forebay.states s JOIN forebay.state_partitions p ON "             \
	"p.id = s.partition WHERE p.run = $3 AND p.topic = $1 AND p.partition = $2) b ON b.key = a.key) "

int
checkpoint_compare(struct store *s, const struct checkpoint_basis *b, const char *run, int64_t start,
		   struct checkpoint_tally *ret, struct err *err)
{
	const struct param params[] = { PARAM_TEXT(span_of(b->topic)), PARAM_INT(b->partition),
					PARAM_TEXT(span_of(run)), PARAM_INT(start) };
	CLEANUP(rows_free)
	struct rows *rows = NULL;

	if (store_query(s,
			SIDE_BY_SIDE "SELECT count(*) FILTER (WHERE verdict = 'equal'), "
				     "count(*) FILTER (WHERE verdict = 'different'), "
				     "count(*) FILTER (WHERE verdict = 'missing'), "
				     "count(*) FILTER (WHERE verdict = 'surplus'), "
				     "count(*) FILTER (WHERE verdict = 'beyond'), "
				     "count(*) FILTER (WHERE verdict = 'untouched'), "
				     "count(*) FILTER (WHERE verdict = 'relaid') FROM pairs",
			params, ARRAY_LEN(params), &rows, err) < 0)
		return -1;
	*ret = (struct checkpoint_tally){ .equal = rows_int(rows, 0, 0),
					  .different = rows_int(rows, 0, 1),
					  .missing = rows_int(rows, 0, 2),
					  .surplus = rows_int(rows, 0, 3),
					  .beyond = rows_int(rows, 0, 4),
					  .untouched = rows_int(rows, 0, 5),
					  .relaid = rows_int(rows, 0, 6) };
	return 0;
}

static enum checkpoint_odd_kind
kind_of(struct span verdict)
{
	return span_equal(verdict, SPAN("different")) ? CHECKPOINT_DIFFERENT
	       : span_equal(verdict, SPAN("missing")) ? CHECKPOINT_MISSING
						      : CHECKPOINT_SURPLUS;
}

int
checkpoint_odd_ones(struct store *s, const struct checkpoint_basis *b, const char *run, int64_t start, int64_t limit,
		    struct arena *arena, struct checkpoint_odd **ret, size_t *n, struct err *err)
{
	const struct param params[] = { PARAM_TEXT(span_of(b->topic)), PARAM_INT(b->partition),
					PARAM_TEXT(span_of(run)), PARAM_INT(start), PARAM_INT(limit) };
	CLEANUP(rows_free)
	struct rows *rows = NULL;

	if (store_query(s,
			SIDE_BY_SIDE "SELECT key, verdict, clock FROM pairs "
				     "WHERE verdict IN ('different', 'missing', 'surplus') ORDER BY key LIMIT $5",
			params, ARRAY_LEN(params), &rows, err) < 0)
		return -1;
	*n = rows_count(rows);
	*ret = arena_alloc(arena, (*n + 1) * sizeof(**ret));
	if (!*ret)
		return err_set(err, REASON_NO_MEMORY, "keys that differ");
	for (size_t i = 0; i < *n; i++) {
		(*ret)[i] = (struct checkpoint_odd){ rows_bytes(rows, i, 0, arena), kind_of(rows_text(rows, i, 1)),
						     rows_int(rows, i, 2) };
		if (!(*ret)[i].key.ptr)
			return err_set(err, REASON_NO_MEMORY, "keys that differ");
	}
	return 0;
}

int
checkpoint_progress(struct store *s, const char *run, int64_t *ret, struct err *err)
{
	const struct param params[] = { PARAM_TEXT(span_of(run)) };
	CLEANUP(rows_free)
	struct rows *rows = NULL;

	if (store_query(s,
			"SELECT coalesce(sum(frontier[1]), 0)::bigint FROM forebay.state_partitions "
			"WHERE run = $1 AND frontier IS NOT NULL",
			params, ARRAY_LEN(params), &rows, err) < 0)
		return -1;
	*ret = rows_int(rows, 0, 0);
	return 0;
}
