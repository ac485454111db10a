/* query.c -- prepared statements by their text; parameters and results in text form, bytea parameters in binary, and
 * results too where that was asked for. */
#include "common/store/query.h"

#include <endian.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/store/private.h"

/* struct rows is libpq's result behind another name: nothing to allocate. */
static const PGresult *
result_of(const struct rows *r)
{
	return (const PGresult *)r;
}

void
rows_free(struct rows *r)
{
	PQclear((PGresult *)r);
}

/* The statement's name in this session; prepares it when it is new. */
static int
statement_name(struct store *s, const char *sql, size_t n_params, const char **name, struct err *err)
{
	CLEANUP(result_clear)
	PGresult *result = NULL;
	CLEANUP(heap_free)
	char *fresh = NULL;
	int64_t started_us = clock_monotonic_us();

	*name = map_get(s->prepared, span_of(sql));
	if (*name)
		return 0;
	if (asprintf(&fresh, "s%zu", map_count(s->prepared)) < 0) {
		fresh = NULL;
		return err_set(err, REASON_NO_MEMORY, "a statement");
	}
	result = PQprepare(s->conn, fresh, sql, (int)n_params, NULL);
	if (result_check(s, result, started_us, err) < 0)
		return -1;
	if (map_put(s->prepared, span_of(sql), fresh) < 0)
		return err_set(err, REASON_NO_MEMORY, "a statement");
	*name = TAKE(fresh);
	return 0;
}

struct wire {
	const char *values[QUERY_MAX_PARAMS];
	int lengths[QUERY_MAX_PARAMS], formats[QUERY_MAX_PARAMS];
	char digits[QUERY_MAX_PARAMS][24];
	char *copies[QUERY_MAX_PARAMS]; /* texts need a NUL behind them */
};

static void
wire_clear_cleanup(struct wire *w)
{
	for (size_t i = 0; i < QUERY_MAX_PARAMS; i++)
		free(w->copies[i]);
}

static int
wire_fill(struct wire *w, const struct param *params, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		const struct param *p = &params[i];

		w->formats[i] = p->kind == PARAM_IS_BYTES;
		if (p->kind == PARAM_IS_INT) {
			snprintf(w->digits[i], sizeof(w->digits[i]), "%" PRId64, p->integer);
			w->values[i] = w->digits[i];
		} else if (p->kind == PARAM_IS_NULL || !p->bytes.ptr) {
			w->values[i] = NULL;
		} else if (p->bytes.len > INT_MAX / 4) {
			return err_set(err, REASON_ROW_REFUSED, "parameter %zu has %zu bytes", i + 1, p->bytes.len);
		} else if (p->kind == PARAM_IS_BYTES) {
			w->values[i] = p->bytes.ptr;
			w->lengths[i] = (int)p->bytes.len;
		} else if (memchr(p->bytes.ptr, 0, p->bytes.len)) {
			return err_set(err, REASON_ROW_REFUSED, "parameter %zu: a text with a zero byte", i + 1);
		} else {
			w->values[i] = w->copies[i] = strndup(p->bytes.ptr, p->bytes.len);
			if (!w->copies[i])
				return err_set(err, REASON_NO_MEMORY, "a parameter");
		}
	}
	return 0;
}

static int
query(struct store *s, const char *sql, const struct param *params, size_t n_params, int format, struct rows **ret,
      struct err *err)
{
	CLEANUP(result_clear)
	PGresult *result = NULL;
	CLEANUP(wire_clear)
	struct wire wire = { 0 };
	int64_t started_us;
	const char *name;

	if (!s->conn)
		return err_set(err, REASON_STORE_DOWN, "%s: no session", s->address);
	if (n_params > QUERY_MAX_PARAMS)
		return err_set(err, REASON_INTERNAL, "%zu parameters", n_params);
	if (wire_fill(&wire, params, n_params, err) < 0 || statement_name(s, sql, n_params, &name, err) < 0)
		return -1;
	started_us = clock_monotonic_us();
	result = PQexecPrepared(s->conn, name, (int)n_params, wire.values, wire.lengths, wire.formats, format);
	if (result_check(s, result, started_us, err) < 0)
		return -1;
	metric_add(s->m_rows, (double)rows_affected((const struct rows *)result));
	if (ret)
		*ret = (struct rows *)TAKE(result);
	return 0;
}

int
store_query(struct store *s, const char *sql, const struct param *params, size_t n_params, struct rows **ret,
	    struct err *err)
{
	return query(s, sql, params, n_params, 0, ret, err);
}

int
store_query_binary(struct store *s, const char *sql, const struct param *params, size_t n_params, struct rows **ret,
		   struct err *err)
{
	return query(s, sql, params, n_params, 1, ret, err);
}

size_t
rows_count(const struct rows *r)
{
	return (size_t)PQntuples(result_of(r));
}

int64_t
rows_affected(const struct rows *r)
{
	return strtoll(PQcmdTuples((PGresult *)(void *)(uintptr_t)r), NULL, 10);
}

bool
rows_null(const struct rows *r, size_t row, int column)
{
	return PQgetisnull(result_of(r), (int)row, column);
}

struct span
rows_text(const struct rows *r, size_t row, int column)
{
	if (rows_null(r, row, column))
		return SPAN_NONE;
	return (struct span){ PQgetvalue(result_of(r), (int)row, column),
			      (size_t)PQgetlength(result_of(r), (int)row, column) };
}

int64_t
rows_int(const struct rows *r, size_t row, int column)
{
	return rows_null(r, row, column) ? 0 : strtoll(PQgetvalue(result_of(r), (int)row, column), NULL, 10);
}

double
rows_real(const struct rows *r, size_t row, int column)
{
	return rows_null(r, row, column) ? NAN : strtod(PQgetvalue(result_of(r), (int)row, column), NULL);
}

bool
rows_bool(const struct rows *r, size_t row, int column)
{
	return PQgetvalue(result_of(r), (int)row, column)[0] == 't';
}

static int
nibble(char c)
{
	return c >= 'a' ? c - 'a' + 10 : c - '0';
}

struct span
rows_bytes(const struct rows *r, size_t row, int column, struct arena *a)
{
	struct span hex = rows_text(r, row, column); /* \x and two digits a byte: bytea_output is ours */
	size_t n = hex.len >= 2 ? (hex.len - 2) / 2 : 0;
	char *bytes = hex.ptr ? arena_alloc(a, n + 1) : NULL;

	if (!bytes)
		return SPAN_NONE;
	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)(nibble(hex.ptr[2 + 2 * i]) << 4 | nibble(hex.ptr[3 + 2 * i]));
	bytes[n] = '\0';
	return (struct span){ bytes, n };
}

static int64_t
wire_int(const char *bytes)
{
	uint64_t wire;

	memcpy(&wire, bytes, sizeof(wire));
	return (int64_t)be64toh(wire);
}

int64_t
rows_binary_int(const struct rows *r, size_t row, int column)
{
	struct span value = rows_text(r, row, column);

	return value.len == sizeof(int64_t) ? wire_int(value.ptr) : 0;
}

/* An array's header has 12 bytes and 8 more for each dimension; an element is its length, -1 for NULL, and its bytes. */
size_t
rows_binary_ints(const struct rows *r, size_t row, int column, int64_t *values, size_t max)
{
	struct span value = rows_text(r, row, column);
	size_t n = 0;

	for (size_t at = 20; at + 4 <= value.len; n++) {
		bool there = value.ptr[at] == 0;

		if (there && at + 12 > value.len)
			return 0;
		if (n < max)
			values[n] = there ? wire_int(value.ptr + at + 4) : 0;
		at += there ? 12 : 4;
	}
	return n;
}

static int
array_separator(struct buffer *array)
{
	return buffer_text(array, array->len == 0 ? "{" : ",");
}

int
query_array_text(struct buffer *array, struct span element)
{
	if (array_separator(array) < 0)
		return -1;
	if (!element.ptr)
		return buffer_text(array, "NULL");
	if (buffer_text(array, "\"") < 0)
		return -1;
	for (size_t i = 0; i < element.len; i++) {
		if ((element.ptr[i] == '"' || element.ptr[i] == '\\') && buffer_text(array, "\\") < 0)
			return -1;
		if (buffer_append(array, &element.ptr[i], 1) < 0)
			return -1;
	}
	return buffer_text(array, "\"");
}

int
query_array_int(struct buffer *array, int64_t element)
{
	return array_separator(array) < 0 ? -1 : buffer_printf(array, "%" PRId64, element);
}

int
query_array_end(struct buffer *array)
{
	return buffer_text(array, array->len == 0 ? "{}" : "}");
}

int
query_identifier(struct buffer *out, const char *dotted)
{
	if (buffer_text(out, "\"") < 0)
		return -1;
	for (const char *c = dotted; *c; c++) {
		const char *text = *c == '.' ? "\".\"" : *c == '"' ? "\"\"" : NULL;

		if (text ? buffer_text(out, text) < 0 : buffer_append(out, c, 1) < 0)
			return -1;
	}
	return buffer_text(out, "\"");
}
