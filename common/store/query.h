/*
 * query.h -- one statement with parameters, and its rows.
 *
 * Statements are prepared once per session and found again by their text, so texts should be constants or few.
 *
 *	struct param p[] = { PARAM_TEXT(topic), PARAM_INT(partition) };
 *	CLEANUP(rows_free) struct rows *rows = NULL;
 *	if (store_query(s, "SELECT a FROM b WHERE c = $1 AND d = $2", p, ARRAY_LEN(p), &rows, err) < 0) ...
 */
#ifndef FOREBAY_STORE_QUERY_H
#define FOREBAY_STORE_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/buffer.h"
#include "common/base/span.h"
#include "common/store/connection.h"

#define QUERY_MAX_PARAMS 32

enum param_kind { PARAM_IS_NULL, PARAM_IS_TEXT, PARAM_IS_BYTES, PARAM_IS_INT };

struct param {
	enum param_kind kind;
	struct span bytes; /* SPAN_NONE is NULL.  A text with a zero byte is ROW_REFUSED, as the server would say */
	int64_t integer;
};

#define PARAM_TEXT(s) ((struct param){ .kind = PARAM_IS_TEXT, .bytes = (s) })
#define PARAM_BYTES(s) ((struct param){ .kind = PARAM_IS_BYTES, .bytes = (s) }) /* bytea */
#define PARAM_INT(i) \
	((struct param){ .kind = PARAM_IS_INT, .integer = (i) }) /* any integer type; also timestamps as \
										   numbers */
#define PARAM_NULL ((struct param){ .kind = PARAM_IS_NULL })

/* What a statement gave.  Values are valid until rows_free(). */
struct rows;
void rows_free(struct rows *r); /* NULL is fine */
DEFINE_CLEANUP(struct rows, rows_free)

/* RET may be NULL when the rows are of no interest.  -1 as store_reason() says; NO_MEMORY. */
int store_query(struct store *s, const char *sql, const struct param *params, size_t n_params, struct rows **ret,
		struct err *err);

/* The same with values in PostgreSQL's binary form: rows_text() gives their bytes as they are, rows_binary_*() numbers; the
 * other readers below are of no use.  For bytea, whose text form is twice as long and has to be decoded. */
int store_query_binary(struct store *s, const char *sql, const struct param *params, size_t n_params, struct rows **ret,
		       struct err *err);
int64_t rows_binary_int(const struct rows *r, size_t row, int column); /* bigint; NULL and other types: 0 */

/* A bigint[] of one dimension: the number of its elements, the first MAX of them in VALUES.  A NULL element is 0; NULL and
 * other types have no elements. */
size_t rows_binary_ints(const struct rows *r, size_t row, int column, int64_t *values, size_t max);

size_t rows_count(const struct rows *r);
int64_t rows_affected(const struct rows *r); /* of INSERT, UPDATE, DELETE; of SELECT its rows */
bool rows_null(const struct rows *r, size_t row, int column);
struct span rows_text(const struct rows *r, size_t row, int column); /* ends in NUL; NULL: SPAN_NONE */
int64_t rows_int(const struct rows *r, size_t row, int column);      /* NULL: 0 */
double rows_real(const struct rows *r, size_t row, int column);      /* NULL: NaN */
bool rows_bool(const struct rows *r, size_t row, int column);

/* A bytea, decoded into A; NULL and out of memory: SPAN_NONE. */
struct span rows_bytes(const struct rows *r, size_t row, int column, struct arena *a);

/* Append an element to the text of an array parameter: "{" before the first and "}" after the last are added by
 * query_array_end().  SPAN_NONE is NULL. */
int query_array_text(struct buffer *array, struct span element);
int query_array_int(struct buffer *array, int64_t element);
int query_array_end(struct buffer *array);

/* "name" with its quotes doubled, part by part: forebay.readings -> "forebay"."readings". */
int query_identifier(struct buffer *out, const char *dotted);

#endif
