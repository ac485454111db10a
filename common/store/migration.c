/* migration.c -- files against table forebay.migrations; checksums are computed by the server (sha256). */
#include "common/store/migration.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/store/query.h"

#define MIGRATIONS_MAX 9999
#define FILE_MAX_BYTES ((size_t)4 << 20)
#define LOCK_KEY "7310579608204437093" /* any number that nobody else takes */

void
migrations_free(struct migrations *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n; i++) {
		free(m->items[i].name);
		free(m->items[i].path);
		free(m->items[i].text);
	}
	free(m->items);
	free(m);
}

static int
file_text(const char *path, char **ret, struct err *err)
{
	CLEANUP(file_close)
	FILE *file = fopen(path, "re");
	CLEANUP(buffer_clear)
	struct buffer text = BUFFER_INIT(FILE_MAX_BYTES);
	size_t n;

	if (!file)
		return err_set(err, REASON_FILE_UNREADABLE, "%s: %s", path, strerror(errno));
	do {
		if (buffer_reserve(&text, 16384) < 0)
			return err_set(err, REASON_FILE_INVALID, "%s: larger than %zu bytes", path, FILE_MAX_BYTES);
		n = fread(text.ptr + text.len, 1, 16383, file);
		text.len += n;
	} while (n > 0);
	if (ferror(file))
		return err_set(err, REASON_FILE_UNREADABLE, "%s: %s", path, strerror(errno));
	if (memchr(text.ptr, 0, text.len))
		return err_set(err, REASON_FILE_INVALID, "%s: not a text (a zero byte)", path);
	text.ptr[text.len] = '\0';
	*ret = TAKE(text.ptr);
	return 0;
}

/* NNNN-name.sql; names of other forms are no migrations (an editor's copy, a README) unless they end in .sql. */
static bool
file_parse(const char *file, int *version, const char **name, size_t *name_len)
{
	size_t n = strlen(file);

	if (n < 10 || strcmp(file + n - 4, ".sql") != 0 || file[4] != '-')
		return false;
	*version = 0;
	for (int i = 0; i < 4; i++) {
		if (!isdigit((unsigned char)file[i]))
			return false;
		*version = *version * 10 + (file[i] - '0');
	}
	*name = file + 5;
	*name_len = n - 9;
	return true;
}

static int
migration_add(struct migrations *m, const char *dir, const char *file, struct err *err)
{
	struct migration *one = &m->items[m->n];
	const char *name;
	size_t name_len;

	if (!file_parse(file, &one->version, &name, &name_len))
		return err_set(err, REASON_FILE_INVALID, "%s/%s: not of the form NNNN-name.sql", dir, file);
	if (one->version != (int)m->n + 1)
		return err_set(err, REASON_FILE_INVALID, "%s/%s: number %04zu was expected", dir, file, m->n + 1);
	m->n++;
	one->name = strndup(name, name_len);
	if (!one->name || asprintf(&one->path, "%s/%s", dir, file) < 0) {
		one->path = NULL;
		return err_set(err, REASON_NO_MEMORY, "migrations");
	}
	return file_text(one->path, &one->text, err);
}

static int
is_sql(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);

	return n > 4 && strcmp(entry->d_name + n - 4, ".sql") == 0;
}

int
migrations_load(const char *dir, struct migrations **ret, struct err *err)
{
	CLEANUP(migrations_free)
	struct migrations *m = calloc(1, sizeof(*m));
	struct dirent **entries = NULL;
	int n = scandir(dir, &entries, is_sql, alphasort), rc = 0;

	if (n < 0)
		return err_set(err, REASON_FILE_UNREADABLE, "%s: %s", dir, strerror(errno));
	if (m)
		m->items = calloc((size_t)n + 1, sizeof(*m->items));
	if (!m || !m->items)
		rc = err_set(err, REASON_NO_MEMORY, "migrations");
	else if (n == 0 || n > MIGRATIONS_MAX)
		rc = err_set(err, REASON_FILE_UNREADABLE, "%s: %d files NNNN-name.sql", dir, n);
	for (int i = 0; i < n; i++) {
		if (rc == 0)
			rc = migration_add(m, dir, entries[i]->d_name, err);
		free(entries[i]);
	}
	free(entries);
	if (rc == 0)
		*ret = TAKE(m);
	return rc;
}

static int
checksums(struct store *s, struct migrations *m, struct err *err)
{
	for (size_t i = 0; i < m->n; i++) {
		CLEANUP(rows_free)
		struct rows *rows = NULL;
		struct param text = PARAM_BYTES(span_of(m->items[i].text));

		if (store_query(s, "SELECT encode(sha256($1::bytea), 'hex')", &text, 1, &rows, err) < 0)
			return -1;
		snprintf(m->items[i].checksum, sizeof(m->items[i].checksum), "%s", rows_text(rows, 0, 0).ptr);
	}
	return 0;
}

static int
compare_one(struct migrations *m, const struct rows *rows, size_t row, struct err *err)
{
	int64_t version = rows_int(rows, row, 0);
	struct migration *one;

	if (version < 1 || version > (int64_t)m->n)
		return err_set(err, REASON_STORE_SCHEMA,
			       "the database has version %" PRId64
			       " (%s), this program knows %zu: it is older than the database",
			       version, rows_text(rows, row, 1).ptr, m->n);
	one = &m->items[version - 1];
	if (strcmp(rows_text(rows, row, 2).ptr, one->checksum) != 0)
		return err_set(
		    err, REASON_STORE_SCHEMA,
		    "%s was changed after it was applied at %s: undo that, and put the change into a new file",
		    one->path, rows_text(rows, row, 3).ptr);
	snprintf(one->applied_at, sizeof(one->applied_at), "%s", rows_text(rows, row, 3).ptr);
	return 0;
}

int
migrations_compare(struct store *s, struct migrations *m, struct err *err)
{
	CLEANUP(rows_free)
	struct rows *exists = NULL;
	CLEANUP(rows_free)
	struct rows *rows = NULL;

	if (store_connect(s, err) < 0 || checksums(s, m, err) < 0)
		return -1;
	if (store_query(s, "SELECT to_regclass('forebay.migrations') IS NOT NULL", NULL, 0, &exists, err) < 0)
		return -1;
	if (!rows_bool(exists, 0, 0))
		return 0;
	if (store_query(s,
			"SELECT version, name, checksum, to_char(applied_at, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') "
			"FROM forebay.migrations ORDER BY version",
			NULL, 0, &rows, err) < 0)
		return -1;
	for (size_t i = 0; i < rows_count(rows); i++)
		if (compare_one(m, rows, i, err) < 0)
			return -1;
	return 0;
}

static int
apply_one(struct store *s, struct migration *one, struct err *err)
{
	CLEANUP(rows_free)
	struct rows *rows = NULL;
	struct param params[] = { PARAM_INT(one->version), PARAM_TEXT(span_of(one->name)),
				  PARAM_TEXT(span_of(one->checksum)) };

	if (store_exec(s, "BEGIN", err) < 0 || store_exec(s, one->text, err) < 0 ||
	    store_query(s,
			"INSERT INTO forebay.migrations (version, name, checksum) VALUES ($1, $2, $3) "
			"RETURNING to_char(applied_at, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')",
			params, ARRAY_LEN(params), &rows, err) < 0 ||
	    store_commit(s, err) < 0) {
		store_rollback(s);
		return err_wrap(err, "%s", one->path);
	}
	snprintf(one->applied_at, sizeof(one->applied_at), "%s", rows_text(rows, 0, 0).ptr);
	return 0;
}

static int
apply_all(struct store *s, struct migrations *m, void (*visit)(void *ctx, const struct migration *applied), void *ctx,
	  struct err *err)
{
	if (store_exec(s,
		       "CREATE SCHEMA IF NOT EXISTS forebay; CREATE TABLE IF NOT EXISTS forebay.migrations ("
		       "version int PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, "
		       "applied_at timestamptz NOT NULL DEFAULT now())",
		       err) < 0 ||
	    migrations_compare(s, m, err) < 0)
		return -1;
	for (size_t i = 0; i < m->n; i++) {
		if (m->items[i].applied_at[0])
			continue;
		if (apply_one(s, &m->items[i], err) < 0)
			return -1;
		if (visit)
			visit(ctx, &m->items[i]);
	}
	return 0;
}

int
migrations_apply(struct store *s, struct migrations *m, void (*visit)(void *ctx, const struct migration *applied),
		 void *ctx, struct err *err)
{
	int rc;

	if (store_connect(s, err) < 0 || store_exec(s, "SELECT pg_advisory_lock(" LOCK_KEY ")", err) < 0)
		return -1;
	rc = apply_all(s, m, visit, ctx, err);
	store_exec(s, "SELECT pg_advisory_unlock(" LOCK_KEY ")", NULL); /* a lost session has let it go */
	return rc;
}
