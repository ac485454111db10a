/*
 * layout.c -- two ways into a table.
 *
 * COPY into the table itself is twice as fast but fails on the first row that is there already.  COPY into a temporary
 * table (no write-ahead log) and INSERT ... SELECT ... ON CONFLICT takes any rows.  table.c chooses between them.
 *
 * Of rows with one identity the first one sent must win, and a heap does not keep the order of COPY: the room at the end
 * of a page goes to a later, shorter row.  So the temporary table numbers its rows.
 *
 * While guilty rows are searched for, one transaction merges thousands of times, and rows that a savepoint took back or
 * DELETE removed stay in the heap until its end: each merge would read past all of them.  TRUNCATE gives them back, at the
 * price of several merges, and under a savepoint it leaves a dead version of the catalogue's rows behind each time.  So
 * the temporary table is emptied by DELETE, and cut by TRUNCATE, outside of savepoints, when it has grown.
 *
 * In a merge the rows that changed nothing are those that RETURNING does not give back, so both counts are exact.
 */
#include "workers/sink-writer/layout.h"

#include <stdio.h>
#include <string.h>

#include "common/store/query.h"
#include "workers/sink-writer/fit.h"

#define ROW_NUMBER "\"row number\"" /* of the temporary table alone */

enum list { LIST_PLAIN, LIST_TYPES, LIST_UPDATE };

/* The columns as "a, b", "a text, b bigint" or "a = excluded.a, b = excluded.b". */
static int
put_columns(struct buffer *out, const struct mapped_table *t, enum list form)
{
	int bad = 0;

	for (size_t i = 0; i < t->n_columns; i++) {
		bad |= i > 0 ? buffer_text(out, ", ") : 0;
		bad |= query_identifier(out, t->columns[i].name);
		if (form == LIST_TYPES)
			bad |= buffer_printf(out, " %s", wire_sql(t->columns[i].field->wire));
		if (form == LIST_UPDATE) {
			bad |= buffer_text(out, " = excluded.");
			bad |= query_identifier(out, t->columns[i].name);
		}
	}
	return bad;
}

static int
put_identity(struct buffer *out, const struct mapped_table *t)
{
	int bad = 0;

	for (size_t i = 0; i < t->n_identity; i++) {
		bad |= i > 0 ? buffer_text(out, ", ") : 0;
		bad |= query_identifier(out, t->columns[t->identity[i]].name);
	}
	return bad;
}

static int
put_merge(struct buffer *out, const struct mapped_table *t, size_t n)
{
	const char *topic = t->columns[t->topic_column].name, *partition = t->columns[t->partition_column].name;
	bool newer = t->conflict == CONFLICT_NEWER;
	int bad = buffer_text(out, "WITH merged AS (INSERT INTO ");

	bad |= query_identifier(out, t->table) | buffer_text(out, " AS t (") | put_columns(out, t, LIST_PLAIN);
	bad |= buffer_text(out, ") SELECT ");
	if (newer)
		bad |= buffer_text(out, "DISTINCT ON (") | put_identity(out, t) | buffer_text(out, ") ");
	bad |= put_columns(out, t, LIST_PLAIN) | buffer_printf(out, " FROM pg_temp.stage_%zu", n);
	bad |= buffer_text(out, " ORDER BY ");
	if (newer) { /* of several new states the newest; of equally new ones the first */
		bad |= put_identity(out, t) | buffer_text(out, ", ");
		bad |= query_identifier(out, t->columns[t->order].name) | buffer_text(out, " DESC, ");
	}
	bad |= buffer_text(out, ROW_NUMBER);
	bad |= buffer_text(out, " ON CONFLICT (") | put_identity(out, t) | buffer_text(out, ") DO ");
	if (newer) {
		bad |= buffer_text(out, "UPDATE SET ") | put_columns(out, t, LIST_UPDATE);
		bad |= buffer_text(out, " WHERE excluded.") | query_identifier(out, t->columns[t->order].name);
		bad |= buffer_text(out, " > t.") | query_identifier(out, t->columns[t->order].name);
	} else {
		bad |= buffer_text(out, "NOTHING");
	}
	bad |= buffer_text(out, " RETURNING t.") | query_identifier(out, topic) | buffer_text(out, ", t.");
	bad |= query_identifier(out, partition) | buffer_text(out, ") SELECT ") | query_identifier(out, topic);
	bad |= buffer_text(out, ", ") | query_identifier(out, partition);
	return bad | buffer_text(out, ", count(*) FROM merged GROUP BY 1, 2");
}

static int
put_copy(struct buffer *out, const struct mapped_table *t, const char *quoted_table)
{
	return buffer_printf(out, "COPY %s (", quoted_table) | put_columns(out, t, LIST_PLAIN) |
	       buffer_text(out, ") FROM STDIN WITH (FORMAT binary)");
}

/* The text of OUT as a string of its own; OUT is empty again. */
static char *
take_text(struct buffer *out)
{
	char *text;

	if (buffer_append(out, "", 1) < 0)
		return NULL;
	text = TAKE(out->ptr);
	out->len = out->cap = 0;
	return text;
}

int
layout_init(struct layout *l, const struct mapped_table *t, size_t n, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer out = BUFFER_INIT(1 << 20);
	char stage[64], *quoted = NULL;
	int bad;

	*l = (struct layout){ 0 };
	snprintf(stage, sizeof(stage), "pg_temp.stage_%zu", n);
	bad = buffer_printf(&out, "CREATE TEMP TABLE IF NOT EXISTS stage_%zu (", n);
	bad |= buffer_text(&out, ROW_NUMBER " bigint GENERATED ALWAYS AS IDENTITY (CACHE 1024), ");
	bad |= put_columns(&out, t, LIST_TYPES) | buffer_text(&out, ") ON COMMIT DELETE ROWS");
	l->stage = take_text(&out);
	bad |= buffer_printf(&out, "DELETE FROM %s", stage);
	l->empty = take_text(&out);
	bad |= buffer_printf(&out, "TRUNCATE %s", stage);
	l->cut = take_text(&out);
	bad |= put_copy(&out, t, stage);
	l->copy_stage = take_text(&out);
	bad |= query_identifier(&out, t->table);
	quoted = take_text(&out);
	bad |= quoted ? put_copy(&out, t, quoted) : -1;
	l->copy_table = take_text(&out);
	free(quoted);
	bad |= put_merge(&out, t, n);
	l->merge = take_text(&out);
	if (bad || !l->stage || !l->empty || !l->cut || !l->copy_stage || !l->copy_table || !l->merge)
		return err_set(err, REASON_NO_MEMORY, "statements of %s", t->table);
	return 0;
}

void
layout_clear(struct layout *l)
{
	free(l->stage);
	free(l->empty);
	free(l->cut);
	free(l->copy_stage);
	free(l->copy_table);
	free(l->merge);
	*l = (struct layout){ 0 };
}

/* The columns of a table; a domain's are those of the type below it. */
static const char columns_query[] =
    "WITH RECURSIVE c AS (SELECT a.attname, a.atttypid, a.atttypmod, a.atttypid AS base, a.atttypmod AS modifier, "
    "a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AS needed FROM pg_attribute a "
    "WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped "
    "UNION ALL SELECT c.attname, c.atttypid, c.atttypmod, d.typbasetype, d.typtypmod, c.needed "
    "FROM c JOIN pg_type d ON d.oid = c.base WHERE d.typtype = 'd') "
    "SELECT c.attname, y.typname, c.modifier, c.base = c.atttypid, format_type(c.atttypid, c.atttypmod), c.needed "
    "FROM c JOIN pg_type y ON y.oid = c.base WHERE y.typtype <> 'd'";

enum { HAS_NAME, HAS_TYPNAME, HAS_MODIFIER, HAS_NO_DOMAIN, HAS_TYPE, HAS_TO_BE_FILLED };

/* Are rows told apart, ordered or put into partitions by column number I? */
static bool
is_compared(const struct mapped_table *t, size_t i)
{
	for (size_t k = 0; k < t->n_identity; k++)
		if (t->identity[k] == (int)i)
			return true;
	return t->order == (int)i || t->time == (int)i;
}

/* Column number I of the mapping is row AT of columns_query. */
static int
verify_type(struct layout *l, const struct mapped_table *t, size_t i, const char *path, const struct rows *rows,
	    size_t at, struct err *err)
{
	const struct column *c = &t->columns[i];
	const char *typname = rows_text(rows, at, HAS_TYPNAME).ptr;

	if (!fit_holds(c->field->wire, typname, (int)rows_int(rows, at, HAS_MODIFIER), is_compared(t, i)))
		return err_set(err, REASON_STORE_SCHEMA,
			       "table %s: column %s is %s, which cannot hold its field %s (%s) without loss: "
			       "ALTER COLUMN %s TYPE %s, or take it out of %s:%d",
			       t->table, c->name, rows_text(rows, at, HAS_TYPE).ptr, c->field->name,
			       wire_sql(c->field->wire), c->name, wire_sql(c->field->wire), path, t->line);
	if (!rows_bool(rows, at, HAS_NO_DOMAIN) || strcmp(typname, wire_typname(c->field->wire)) != 0)
		l->direct = false; /* the merge casts */
	return 0;
}

static int
verify_columns(struct layout *l, const struct mapped_table *t, const char *path, const struct rows *rows,
	       struct err *err)
{

	l->direct = t->conflict == CONFLICT_IGNORE;
	for (size_t i = 0; i < t->n_columns; i++) {
		size_t at = 0;

		while (at < rows_count(rows) && strcmp(rows_text(rows, at, HAS_NAME).ptr, t->columns[i].name) != 0)
			at++;
		if (at == rows_count(rows))
			return err_set(err, REASON_STORE_SCHEMA, "table %s has no column %s, which %s:%d fills",
				       t->table, t->columns[i].name, path, t->line);
		if (verify_type(l, t, i, path, rows, at, err) < 0)
			return -1;
	}
	for (size_t k = 0; k < rows_count(rows); k++) {
		bool mapped = false;

		for (size_t i = 0; i < t->n_columns && !mapped; i++)
			mapped = strcmp(rows_text(rows, k, HAS_NAME).ptr, t->columns[i].name) == 0;
		if (!mapped && rows_bool(rows, k, HAS_TO_BE_FILLED))
			return err_set(
			    err, REASON_STORE_SCHEMA,
			    "table %s: column %s must not be NULL, has no default, and %s:%d does not fill it",
			    t->table, rows_text(rows, k, HAS_NAME).ptr, path, t->line);
	}
	return 0;
}

/* A unique index over exactly the identity: without it ON CONFLICT cannot work. */
int
layout_verify_identity(const struct mapped_table *t, const char *mapping_path, struct store *store, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer names = BUFFER_INIT(1 << 16);
	CLEANUP(rows_free)
	struct rows *rows = NULL;
	struct param params[2];
	int bad = 0;

	for (size_t i = 0; i < t->n_identity; i++)
		bad |= query_array_text(&names, span_of(t->columns[t->identity[i]].name));
	if (bad | query_array_end(&names))
		return err_set(err, REASON_NO_MEMORY, "identity of %s", t->table);
	params[0] = PARAM_TEXT(span_of(t->table));
	params[1] = PARAM_TEXT(buffer_span(&names));
	if (store_query(store,
			"SELECT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = to_regclass($1) AND i.indisunique "
			"AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL AND "
			"(SELECT array_agg(a.attname::text ORDER BY a.attname::text) FROM pg_attribute a "
			"WHERE a.attrelid = i.indrelid AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])) = "
			"(SELECT array_agg(n ORDER BY n) FROM unnest($2::text[]) n))",
			params, ARRAY_LEN(params), &rows, err) < 0)
		return -1;
	if (!rows_bool(rows, 0, 0))
		return err_set(err, REASON_STORE_SCHEMA,
			       "table %s has no unique index over the identity %.*s that %s:%d names", t->table,
			       (int)names.len, names.ptr, mapping_path, t->line);
	return 0;
}

int
layout_verify(struct layout *l, const struct mapped_table *t, const char *mapping_path, struct store *store,
	      struct err *err)
{
	CLEANUP(rows_free)
	struct rows *columns = NULL;
	CLEANUP(rows_free)
	struct rows *split = NULL;
	struct param params[] = { PARAM_TEXT(span_of(t->table)),
				  PARAM_TEXT(t->time < 0 ? SPAN("") : span_of(t->columns[t->time].name)) };

	if (store_query(store, columns_query, params, 1, &columns, err) < 0)
		return err_wrap(err, "table %s", t->table);
	if (rows_count(columns) == 0)
		return err_set(err, REASON_STORE_SCHEMA,
			       "table %s, which %s:%d fills, does not exist: forebay db migrate", t->table,
			       mapping_path, t->line);
	if (verify_columns(l, t, mapping_path, columns, err) < 0 ||
	    layout_verify_identity(t, mapping_path, store, err) < 0)
		return -1;
	if (store_query(store,
			"SELECT EXISTS (SELECT FROM pg_partitioned_table p JOIN pg_attribute a "
			"ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0] WHERE p.partrelid = to_regclass($1) "
			"AND p.partstrat = 'r' AND p.partnatts = 1 AND a.attname = $2)",
			params, ARRAY_LEN(params), &split, err) < 0)
		return err_wrap(err, "table %s", t->table);
	l->partitioned = rows_bool(split, 0, 0);
	return 0;
}
