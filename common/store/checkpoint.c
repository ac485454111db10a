/*
 * checkpoint.c -- the tables, and whose a partition is: fencing by the epoch in its row, as in epoch.c.
 *
 * The session that claims need not be the one that writes, so an owner that froze inside a transaction is not looked up by
 * a process id that it left in the row: xmax of the row is the transaction that holds it, and pg_locks knows whose that is.
 */
#include "common/store/checkpoint.h"

#include <inttypes.h>
#include <string.h>

#include "common/store/checkpoint_private.h"
#include "common/store/epoch.h"

#define ARRAY_MAX_BYTES ((size_t)1 << 20)
#define TEXT_OF(number) TEXT_OF_(number)
#define TEXT_OF_(number) #number

#define STATE_COLUMNS                                                                                                      \
	"ARRAY['partition bigint', 'key bytea', 'clock bigint', 'positions bigint[]', 'born bigint', 'active_us bigint', " \
	"'epoch bigint', 'taken_us bigint', 'state bytea']"

/* One row per table: its name, whether it is there, a column (with its type) and a right it lacks. */
static const char check_tables[] =
    "SELECT n.tab, c.oid IS NOT NULL, "
    "(SELECT col FROM unnest(n.cols) AS col WHERE NOT EXISTS (SELECT FROM pg_attribute a "
    "WHERE a.attrelid = c.oid AND a.attname = split_part(col, ' ', 1) AND a.atttypid = split_part(col, ' ', 2)::regtype "
    "AND a.attnum > 0 AND NOT a.attisdropped) LIMIT 1), "
    "(SELECT a FROM unnest(n.rights) AS a WHERE NOT has_table_privilege(c.oid, a) LIMIT 1) "
    "FROM (VALUES ('state_partitions', ARRAY['id bigint', 'run text', 'worker text', 'topic text', 'partition int', "
    "'epoch bigint', 'instance text', 'sources text[]', 'frontier bigint[]', 'reached bigint', 'active_us bigint', "
    "'claimed_at timestamptz', 'updated_at timestamptz'], ARRAY['SELECT', 'INSERT', 'UPDATE']), "
    "('states', " STATE_COLUMNS ", ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']), "
    "('state_rungs', " STATE_COLUMNS ", ARRAY['SELECT', 'INSERT', 'DELETE']), "
    "('state_layouts', ARRAY['fingerprint bigint', 'layout text', 'created_at timestamptz'], ARRAY['SELECT', 'INSERT'])) "
    "AS n (tab, cols, rights) LEFT JOIN (pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace "
    "AND s.nspname = 'forebay') ON c.relname = n.tab AND c.relkind IN ('r', 'p')";

static const char check_session[] = "SELECT pg_is_in_recovery(), current_setting('transaction_read_only')::bool, "
				    "has_database_privilege(current_database(), 'TEMP'), "
				    "coalesce(has_schema_privilege(to_regnamespace('forebay')::oid, 'USAGE'), true)";

static int
check_table(const struct store *s, const struct rows *rows, size_t row, struct err *err)
{
	const char *table = rows_text(rows, row, 0).ptr;

	if (!rows_bool(rows, row, 1))
		return err_set(err, REASON_STORE_SCHEMA, "%s: no table forebay.%s: forebay db migrate",
			       store_address(s), table);
	if (!rows_null(rows, row, 2))
		return err_set(err, REASON_STORE_SCHEMA, "%s: table forebay.%s has no column %s: forebay db migrate",
			       store_address(s), table, rows_text(rows, row, 2).ptr);
	if (!rows_null(rows, row, 3))
		return err_set(err, REASON_STORE_REFUSED, "%s: no right to %s on table forebay.%s", store_address(s),
			       rows_text(rows, row, 3).ptr, table);
	return 0;
}

int
checkpoint_check(struct store *s, struct err *err)
{
	CLEANUP(rows_free)
	struct rows *session = NULL;
	CLEANUP(rows_free)
	struct rows *tables = NULL;

	if (store_connect(s, err) < 0 || store_query(s, check_session, NULL, 0, &session, err) < 0)
		return -1;
	if (rows_bool(session, 0, 0))
		return err_set(err, REASON_STORE_DOWN, "%s: a standby takes no writes", store_address(s));
	if (rows_bool(session, 0, 1))
		return err_set(err, REASON_STORE_REFUSED, "%s: transactions are read-only here", store_address(s));
	if (!rows_bool(session, 0, 2))
		return err_set(err, REASON_STORE_REFUSED, "%s: no right to make temporary tables", store_address(s));
	if (!rows_bool(session, 0, 3))
		return err_set(err, REASON_STORE_REFUSED, "%s: no right to use schema forebay", store_address(s));
	if (store_query(s, check_tables, NULL, 0, &tables, err) < 0)
		return -1;
	for (size_t i = 0; i < rows_count(tables); i++)
		if (check_table(s, tables, i, err) < 0)
			return -1;
	return 0;
}

int
checkpoint_layout(struct store *s, int64_t fingerprint, struct span text, struct err *err)
{
	struct param params[] = { PARAM_INT(fingerprint), PARAM_TEXT(text) };

	if (store_connect(s, err) < 0)
		return -1;
	return store_query(s,
			   "INSERT INTO forebay.state_layouts (fingerprint, layout) VALUES ($1, $2) "
			   "ON CONFLICT DO NOTHING",
			   params, ARRAY_LEN(params), NULL, err);
}

size_t
checkpoint_source_at(const struct checkpoint_claim *claim, size_t place)
{
	size_t i = 0;

	while (i < claim->n_sources && claim->place[i] != place)
		i++;
	return i;
}

void
checkpoint_positions_read(const struct checkpoint_claim *claim, const struct rows *rows, size_t row, int column,
			  int64_t *ret)
{
	int64_t stored[CHECKPOINT_STORED_MAX];
	size_t n = rows_binary_ints(rows, row, column, stored, CHECKPOINT_STORED_MAX);

	for (size_t i = 0; i < claim->n_sources; i++)
		ret[i] = claim->place[i] < n ? stored[claim->place[i]] : CHECKPOINT_NO_OFFSET;
}

int
checkpoint_sources_check(const struct checkpoint_claim *claim, size_t n_sources, struct err *err)
{
	if (n_sources == claim->n_sources)
		return 0;
	return err_set(err, REASON_INTERNAL, "%zu sources, the claim was made with %zu", n_sources, claim->n_sources);
}

/* ---- claims ---- */

static int
claim_read(const struct rows *rows, const struct checkpoint_sources *sources, struct checkpoint_claim *ret,
	   struct err *err)
{
	struct checkpoint_claim claim = { .id = rows_binary_int(rows, 0, 0),
					  .epoch = rows_binary_int(rows, 0, 1),
					  .fresh = rows_null(rows, 0, 2),
					  .reached = rows_binary_int(rows, 0, 3),
					  .active_us = rows_binary_int(rows, 0, 4),
					  .n_stored = (size_t)rows_binary_int(rows, 0, 5),
					  .n_sources = sources->n };
	int64_t places[CHECKPOINT_SOURCES_MAX];

	if (claim.n_stored > CHECKPOINT_STORED_MAX)
		return err_set(err, REASON_STORE_SCHEMA, "its states know %zu sources, %d are possible", claim.n_stored,
			       CHECKPOINT_STORED_MAX);
	rows_binary_ints(rows, 0, 6, places, CHECKPOINT_SOURCES_MAX);
	for (size_t i = 0; i < sources->n; i++)
		claim.place[i] = (size_t)places[i] - 1;
	checkpoint_positions_read(&claim, rows, 0, 2, claim.frontier);
	*ret = claim;
	return 0;
}

static int
claim_row(struct store *s, const struct checkpoint_name *name, struct span sources, const char *instance,
	  struct rows **rows, struct err *err)
{
	struct param params[] = { PARAM_TEXT(span_of(name->run)),   PARAM_TEXT(span_of(name->group)),
				  PARAM_TEXT(span_of(name->topic)), PARAM_INT(name->partition),
				  PARAM_TEXT(span_of(instance)),    PARAM_TEXT(sources) };

	if (store_exec(s, "BEGIN; SET LOCAL lock_timeout = " TEXT_OF(EPOCH_CLAIM_WAIT_MS), err) < 0)
		return -1;
	return store_query_binary(
	    s,
	    "INSERT INTO forebay.state_partitions AS p (run, worker, topic, partition, instance, sources, epoch) "
	    "VALUES ($1, $2, $3, $4, $5, $6, 1) ON CONFLICT (run, worker, topic, partition) DO UPDATE SET "
	    "epoch = p.epoch + 1, instance = excluded.instance, claimed_at = now(), "
	    "sources = p.sources || ARRAY(SELECT n FROM unnest(excluded.sources) WITH ORDINALITY AS u (n, i) "
	    "WHERE n <> ALL (p.sources) ORDER BY i) "
	    "RETURNING id, epoch, frontier, reached, active_us, cardinality(sources)::bigint, "
	    "ARRAY(SELECT array_position(sources, n)::bigint FROM unnest($6::text[]) WITH ORDINALITY AS u (n, i) "
	    "ORDER BY i)",
	    params, ARRAY_LEN(params), rows, err);
}

/* The row has been held for too long: end the session that holds it. */
static void
claim_evict(struct store *s, const struct checkpoint_name *name)
{
	struct param params[] = { PARAM_TEXT(span_of(name->run)), PARAM_TEXT(span_of(name->group)),
				  PARAM_TEXT(span_of(name->topic)), PARAM_INT(name->partition) };

	store_query(s,
		    "SELECT pg_terminate_backend(l.pid) FROM forebay.state_partitions p JOIN pg_locks l "
		    "ON l.locktype = 'transactionid' AND l.transactionid = p.xmax AND l.granted "
		    "WHERE p.run = $1 AND p.worker = $2 AND p.topic = $3 AND p.partition = $4 "
		    "AND l.pid <> pg_backend_pid()",
		    params, ARRAY_LEN(params), NULL, NULL);
}

static int
claim_sources(const struct checkpoint_name *name, const struct checkpoint_sources *sources, struct buffer *array,
	      struct err *err)
{
	int bad = 0;

	if (sources->n == 0 || sources->n > CHECKPOINT_SOURCES_MAX || strcmp(sources->names[0], name->topic) != 0)
		return err_set(err, REASON_INTERNAL, "%zu sources, of which the first has to be %s", sources->n,
			       name->topic);
	for (size_t i = 0; i < sources->n; i++)
		bad |= query_array_text(array, span_of(sources->names[i]));
	return bad | query_array_end(array) ? err_set(err, REASON_NO_MEMORY, "a list of sources") : 0;
}

int
checkpoint_claim(struct store *s, const struct checkpoint_name *name, const struct checkpoint_sources *sources,
		 const char *instance, struct checkpoint_claim *ret, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer array = BUFFER_INIT(ARRAY_MAX_BYTES);
	CLEANUP(rows_free)
	struct rows *rows = NULL;
	struct checkpoint_claim claim;
	struct err why = ERR_INIT;

	if (claim_sources(name, sources, &array, err) < 0 || store_connect(s, err) < 0)
		return -1;
	if (claim_row(s, name, buffer_span(&array), instance, &rows, &why) < 0 ||
	    claim_read(rows, sources, &claim, &why) < 0 || store_commit(s, &why) < 0) {
		bool locked = strcmp(store_sqlstate(s), "55P03") == 0;

		store_rollback(s);
		if (locked)
			claim_evict(s, name);
		if (err)
			*err = why;
		return err_wrap(err, "claim of %s/%" PRId32 " of %s (%s)", name->topic, name->partition, name->group,
				name->run);
	}
	*ret = claim;
	return 0;
}

/* ---- the owner's transactions ---- */

int
checkpoint_fenced(struct store *s, const struct checkpoint_claim *claim, struct err *err)
{
	CLEANUP(rows_free)
	struct rows *rows = NULL;
	struct param id = PARAM_INT(claim->id);

	if (store_query(s,
			"SELECT topic, partition, worker, run, instance, epoch FROM forebay.state_partitions "
			"WHERE id = $1",
			&id, 1, &rows, err) < 0)
		return -1;
	if (rows_count(rows) == 0)
		return err_set(err, REASON_STORE_FENCED,
			       "forebay.state_partitions has no row %" PRId64 " any more: its states were forgotten",
			       claim->id);
	return err_set(err, REASON_STORE_FENCED,
		       "states of %s/%" PRId64 " of %s (%s) belong to instance %s (epoch %" PRId64 ", ours %" PRId64
		       ")",
		       rows_text(rows, 0, 0).ptr, rows_int(rows, 0, 1), rows_text(rows, 0, 2).ptr,
		       rows_text(rows, 0, 3).ptr, rows_text(rows, 0, 4).ptr, rows_int(rows, 0, 5), claim->epoch);
}

int
checkpoint_begin(struct store *s, const struct checkpoint_claim *claim, struct rows **frontier, struct err *err)
{
	CLEANUP(rows_free)
	struct rows *rows = NULL;
	struct param params[] = { PARAM_INT(claim->id), PARAM_INT(claim->epoch) };

	if (store_connect(s, err) < 0 || store_exec(s, "BEGIN ISOLATION LEVEL REPEATABLE READ", err) < 0)
		return -1;
	if (store_query_binary(
		s, "SELECT frontier FROM forebay.state_partitions WHERE id = $1 AND epoch = $2 FOR NO KEY UPDATE",
		params, ARRAY_LEN(params), &rows, err) < 0)
		return checkpoint_end(s, -1, err);
	if (rows_count(rows) == 0)
		return checkpoint_end(s, checkpoint_fenced(s, claim, err), err);
	if (frontier)
		*frontier = TAKE(rows);
	return 0;
}

int
checkpoint_end(struct store *s, int rc, struct err *err)
{
	if (rc == 0)
		rc = store_commit(s, err);
	if (rc < 0)
		store_rollback(s);
	return rc;
}
