/*
 * checkpoint_write.c -- a batch of states and the frontier they make, under the owner's epoch.
 *
 * COPY brings the batch into a temporary table, where it belongs to nobody; one statement then moves the partition's
 * frontier, if its epoch is still ours, and puts what is in the temporary table into the tables if and only if that has
 * found its row.  All parts of a statement see the tables as they were before it: the states that become rungs are the old
 * ones.  Writing the same batch twice gives the same rows.
 *
 * What was acknowledged must survive a crash of the server: the next frontier presumes it.
 */
#include <inttypes.h>

#include "common/store/checkpoint.h"
#include "common/store/checkpoint_private.h"
#include "common/store/copy.h"

#define SQL_MAX_BYTES ((size_t)64 << 10)
#define BATCH "pg_temp.checkpoint_batch"

/* Positions come as columns of their own, p1 to p8 in the order of the claim's sources: that is COPY without arrays. */
static const char write_begin[] =
    "BEGIN; "
    /* A batch is small and finds its keys by the index, whatever the statistics of the day say. */
    "SET LOCAL enable_seqscan = off; SET LOCAL jit = off; "
    "DO $$BEGIN IF to_regclass('" BATCH "') IS NULL THEN CREATE TEMPORARY TABLE checkpoint_batch (key bytea, "
    "born bigint, active_us bigint, p1 bigint, p2 bigint, p3 bigint, p4 bigint, p5 bigint, p6 bigint, p7 bigint, "
    "p8 bigint, state bytea) WITH (toast_tuple_target = 8160) ON COMMIT DELETE ROWS; "
    "ALTER TABLE " BATCH " ALTER state SET STORAGE EXTERNAL; END IF; END$$";

int
checkpoint_encode(struct buffer *out, const struct checkpoint_state *state, size_t n_sources)
{
	size_t start = out->len;
	int bad = copy_row(out, 4 + CHECKPOINT_SOURCES_MAX);

	bad |= copy_text(out, state->key);
	bad |= copy_int8(out, state->born);
	bad |= copy_int8(out, state->active_us);
	for (size_t i = 0; i < CHECKPOINT_SOURCES_MAX; i++)
		bad |= i < n_sources ? copy_int8(out, state->positions[i]) : copy_null(out);
	bad |= copy_text(out, state->bytes);
	if (bad)
		out->len = start;
	return bad ? -1 : 0;
}

/* Positions in the order of the row's list: of a new key, and of one that is replaced, where sources that are ours no longer
 * stay as they are. */
static int
sql_positions(struct buffer *sql, const struct checkpoint_claim *claim, bool replaced)
{
	int bad = buffer_text(sql, "ARRAY[");

	for (size_t place = 0; place < claim->n_stored; place++) {
		size_t i = checkpoint_source_at(claim, place);

		bad |= buffer_text(sql, place ? ", " : "");
		if (i < claim->n_sources && replaced)
			bad |= buffer_printf(sql, "excluded.positions[%zu]", place + 1);
		else if (i < claim->n_sources)
			bad |= buffer_printf(sql, "t.p%zu", i + 1);
		else if (replaced)
			bad |= buffer_printf(sql, "coalesce(s.positions[%zu], %" PRId64 ")", place + 1,
					     CHECKPOINT_NO_OFFSET);
		else
			bad |= buffer_printf(sql, "%" PRId64, CHECKPOINT_NO_OFFSET);
	}
	return bad | buffer_text(sql, "]");
}

/* Parameters: partition, epoch, frontier (NULL where it stays), active_us; with states also taken_us and rung_us. */
static int
write_sql(struct buffer *sql, const struct checkpoint_batch *b)
{
	int bad = buffer_text(sql, "WITH owner AS (UPDATE forebay.state_partitions p SET frontier = "
				   "(SELECT array_agg(coalesce(u.new, u.old, -1) ORDER BY u.i) "
				   "FROM unnest($3::bigint[], p.frontier) WITH ORDINALITY AS u (new, old, i)), "
				   "active_us = greatest(p.active_us, $4), updated_at = now()");

	if (b->n > 0)
		bad |= buffer_text(sql, ", reached = greatest(p.reached, (SELECT max(p1) FROM " BATCH "))");
	bad |= buffer_text(sql, " WHERE p.id = $1 AND p.epoch = $2 RETURNING p.id)");
	if (b->n > 0 && b->rung_us > 0)
		bad |= buffer_text(sql, ", rungs AS (INSERT INTO forebay.state_rungs (" CHECKPOINT_COLUMNS ") "
					"SELECT s.partition, s.key, s.clock, s.positions, s.born, s.active_us, "
					"s.epoch, s.taken_us, s.state FROM owner o CROSS JOIN " BATCH " t "
					"CROSS JOIN LATERAL (SELECT * FROM forebay.states s "
					"WHERE s.partition = o.id AND s.key = t.key LIMIT 1) s "
					"WHERE s.clock <> t.p1 AND s.taken_us / $6 <> $5 / $6 ON CONFLICT DO NOTHING)");
	if (b->n > 0) {
		bad |= buffer_text(sql, ", put AS (INSERT INTO forebay.states AS s (" CHECKPOINT_COLUMNS ") "
					"SELECT o.id, t.key, t.p1, ");
		bad |= sql_positions(sql, &b->claim, false);
		bad |=
		    buffer_text(sql, ", t.born, t.active_us, $2, $5, t.state FROM owner o CROSS JOIN " BATCH " t "
				     "ON CONFLICT (partition, key) DO UPDATE SET clock = excluded.clock, positions = ");
		bad |= sql_positions(sql, &b->claim, true);
		bad |=
		    buffer_text(sql, ", born = excluded.born, active_us = excluded.active_us, "
				     "epoch = excluded.epoch, taken_us = excluded.taken_us, state = excluded.state)");
	}
	return bad | buffer_printf(sql, " SELECT count(*) FROM owner");
}

static int
write_frontier(struct buffer *array, const struct checkpoint_batch *b)
{
	int bad = 0;

	for (size_t place = 0; place < b->claim.n_stored; place++) {
		size_t i = checkpoint_source_at(&b->claim, place);

		bad |= i < b->n_sources ? query_array_int(array, b->frontier[i]) : query_array_text(array, SPAN_NONE);
	}
	return bad | query_array_end(array);
}

static int
write_copy(struct store *s, const struct checkpoint_batch *b, struct err *err)
{
	int64_t n;

	if (copy_in(s, "COPY " BATCH " FROM STDIN WITH (FORMAT binary)", &b->states, 1, &n, err) < 0)
		return -1;
	if (n == (int64_t)b->n)
		return 0;
	return err_set(err, REASON_INTERNAL, "a batch of %zu states has %" PRId64, b->n, n);
}

static int
write_all(struct store *s, const struct checkpoint_batch *b, const char *sql, struct span frontier, struct err *err)
{
	CLEANUP(rows_free)
	struct rows *rows = NULL;
	struct param params[] = { PARAM_INT(b->claim.id),  PARAM_INT(b->claim.epoch), PARAM_TEXT(frontier),
				  PARAM_INT(b->active_us), PARAM_INT(b->taken_us),    PARAM_INT(b->rung_us) };
	size_t n_params = b->n == 0 ? 4 : b->rung_us <= 0 ? 5 : 6;

	if (b->n > 0 && write_copy(s, b, err) < 0)
		return -1;
	if (store_query(s, sql, params, n_params, &rows, err) < 0)
		return -1;
	return rows_int(rows, 0, 0) == 1 ? 0 : checkpoint_fenced(s, &b->claim, err);
}

int
checkpoint_write(struct store *s, const struct checkpoint_batch *b, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer sql = BUFFER_INIT(SQL_MAX_BYTES);
	CLEANUP(buffer_clear)
	struct buffer frontier = BUFFER_INIT(SQL_MAX_BYTES);

	if (checkpoint_sources_check(&b->claim, b->n_sources, err) < 0)
		return -1;
	if (write_sql(&sql, b) < 0 || write_frontier(&frontier, b) < 0)
		return err_set(err, REASON_NO_MEMORY, "a statement");
	if (store_connect(s, err) < 0 || store_exec(s, write_begin, err) < 0)
		return checkpoint_end(s, -1, err);
	return checkpoint_end(s, write_all(s, b, sql.ptr, buffer_span(&frontier), err), err);
}
