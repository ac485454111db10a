/*
 * copy.h -- COPY ... FROM STDIN in PostgreSQL's binary form: rows are built in a buffer, any part of it is sent.
 *
 * A row is copy_row() with the number of its columns and then each column in order.  Rows follow each other in the
 * buffer without anything between, so a range of rows is a range of bytes: a failing batch is halved without encoding it
 * again.  Types must be exactly those of the table's columns; there are no casts.
 *
 * Encoders return -1 when the buffer may not grow further (its max, or memory).
 */
#ifndef FOREBAY_STORE_COPY_H
#define FOREBAY_STORE_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/span.h"
#include "common/store/connection.h"

int copy_row(struct buffer *out, int n_columns);
int copy_null(struct buffer *out);
int copy_text(struct buffer *out, struct span text); /* text, varchar, bytea; SPAN_NONE is NULL */
int copy_int4(struct buffer *out, int32_t value);    /* int4 */
int copy_int8(struct buffer *out, int64_t value);    /* int8 */
int copy_boolean(struct buffer *out, bool value);    /* bool */
int copy_real(struct buffer *out, double value);     /* float8; NaN is NULL */
int copy_time(struct buffer *out, int64_t us);       /* timestamptz, exact; beyond PostgreSQL's years: refused by it */
int copy_reals(struct buffer *out, const double *values, size_t n_rows,
	       size_t n_columns); /* float8[], of two dimensions when n_columns > 0; NaN is NULL */
int copy_texts(struct buffer *out, const struct span *texts, size_t n); /* text[] */

/*
 * Send SLICES (whole rows, in order) by SQL, "COPY <table> (<columns>) FROM STDIN WITH (FORMAT binary)".  *ROWS is how
 * many the server took.  -1 as store_reason() says; the transaction has then failed.
 */
int copy_in(struct store *s, const char *sql, const struct span *slices, size_t n_slices, int64_t *rows,
	    struct err *err);

#endif
