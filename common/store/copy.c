/*
 * copy.c -- the binary COPY format (PostgreSQL documentation, COPY, "Binary Format"): a signature, tuples of
 * length-prefixed fields in network order, and -1 at the end.
 *
 * Binary, because it was measured against text with rows of readings (12 columns, batches of 10,000, staging and merge):
 * 170-180 thousand rows/s against 140-159, since neither side prints or parses doubles and times; and because there is
 * nothing to escape, so nothing to escape wrongly.
 */
#include "common/store/copy.h"

#include <endian.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/store/private.h"

#define SEND_BYTES ((size_t)256 * 1024)              /* one call to libpq, which copies it */
#define EPOCH_2000_US (INT64_C(946684800) * 1000000) /* PostgreSQL counts from 2000-01-01 */

enum { OID_TEXT = 25, OID_FLOAT8 = 701 };

static int
put16(struct buffer *out, int value)
{
	uint16_t wire = htobe16((uint16_t)value);

	return buffer_append(out, &wire, sizeof(wire));
}

static int
put32(struct buffer *out, int64_t value)
{
	uint32_t wire = htobe32((uint32_t)value);

	return buffer_append(out, &wire, sizeof(wire));
}

static int
put64(struct buffer *out, int64_t value)
{
	uint64_t wire = htobe64((uint64_t)value);

	return buffer_append(out, &wire, sizeof(wire));
}

int
copy_row(struct buffer *out, int n_columns)
{
	return put16(out, n_columns);
}

int
copy_null(struct buffer *out)
{
	return put32(out, -1);
}

int
copy_text(struct buffer *out, struct span text)
{
	if (!text.ptr)
		return copy_null(out);
	if (text.len > INT_MAX || put32(out, (int64_t)text.len) < 0)
		return -1;
	return buffer_append(out, text.ptr, text.len);
}

int
copy_int4(struct buffer *out, int32_t value)
{
	return put32(out, 4) < 0 ? -1 : put32(out, value);
}

int
copy_int8(struct buffer *out, int64_t value)
{
	return put32(out, 8) < 0 ? -1 : put64(out, value);
}

int
copy_boolean(struct buffer *out, bool value)
{
	char byte = value;

	return put32(out, 1) < 0 ? -1 : buffer_append(out, &byte, 1);
}

int
copy_real(struct buffer *out, double value)
{
	int64_t bits;

	if (isnan(value))
		return copy_null(out);
	memcpy(&bits, &value, sizeof(bits));
	return copy_int8(out, bits);
}

int
copy_time(struct buffer *out, int64_t us)
{
	int64_t since_2000;

	/* The smallest and the greatest number mean -infinity and infinity: one beside them is just out of range. */
	if (__builtin_sub_overflow(us, EPOCH_2000_US, &since_2000) || since_2000 == INT64_MIN)
		since_2000 = INT64_MIN + 1;
	return copy_int8(out, since_2000);
}

/* The header of an array: dimensions, "has NULLs", element type, then size and lower bound of each dimension. */
static int
array_header(struct buffer *out, uint32_t oid, size_t n_rows, size_t n_columns)
{
	int n_dims = n_rows == 0 ? 0 : n_columns > 0 ? 2 : 1;

	if (n_rows > INT_MAX || n_columns > INT_MAX || put32(out, n_dims) < 0 || put32(out, 1) < 0 ||
	    put32(out, oid) < 0)
		return -1;
	if (n_dims > 0 && (put32(out, (int64_t)n_rows) < 0 || put32(out, 1) < 0))
		return -1;
	return n_dims > 1 && (put32(out, (int64_t)n_columns) < 0 || put32(out, 1) < 0) ? -1 : 0;
}

/* Fill in the length of the field that begins at AT. */
static int
field_end(struct buffer *out, size_t at)
{
	size_t len = out->len - at - 4;
	uint32_t wire = htobe32((uint32_t)len);

	if (len > INT_MAX)
		return -1;
	memcpy(out->ptr + at, &wire, sizeof(wire));
	return 0;
}

int
copy_reals(struct buffer *out, const double *values, size_t n_rows, size_t n_columns)
{
	size_t at = out->len, n = n_columns > 0 ? n_rows * n_columns : n_rows;

	if (put32(out, 0) < 0 || array_header(out, OID_FLOAT8, n_rows, n_columns) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (copy_real(out, values[i]) < 0)
			return -1;
	return field_end(out, at);
}

int
copy_texts(struct buffer *out, const struct span *texts, size_t n)
{
	size_t at = out->len;

	if (put32(out, 0) < 0 || array_header(out, OID_TEXT, n, 0) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (copy_text(out, texts[i]) < 0)
			return -1;
	return field_end(out, at);
}

static int
send_bytes(struct store *s, struct span bytes)
{
	while (bytes.len > 0) {
		size_t n = bytes.len < SEND_BYTES ? bytes.len : SEND_BYTES;

		if (PQputCopyData(s->conn, bytes.ptr, (int)n) < 0)
			return -1;
		bytes.ptr += n;
		bytes.len -= n;
	}
	return 0;
}

/* After the last byte, or a failure while sending: the server's verdict, and the session back to normal. */
static int
copy_end(struct store *s, int64_t started_us, int64_t *rows, struct err *err)
{
	CLEANUP(result_clear)
	PGresult *result = PQgetResult(s->conn);
	int rc = result_check(s, result, started_us, err);

	if (rc == 0) {
		*rows = strtoll(PQcmdTuples(result), NULL, 10);
		metric_add(s->m_rows, (double)*rows);
	}
	while (s->conn && (PQclear(result), result = PQgetResult(s->conn)))
		;
	return rc;
}

int
copy_in(struct store *s, const char *sql, const struct span *slices, size_t n_slices, int64_t *rows, struct err *err)
{
	static const char header[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0"; /* with its NUL: signature, flags, extension */
	static const char trailer[] = { '\377', '\377' };
	CLEANUP(result_clear)
	PGresult *result = NULL;
	int64_t started_us = clock_monotonic_us();
	int sent;

	*rows = 0;
	if (!s->conn)
		return err_set(err, REASON_STORE_DOWN, "%s: no session", s->address);
	result = PQexec(s->conn, sql);
	if (result_check(s, result, started_us, err) < 0)
		return -1;
	sent = send_bytes(s, (struct span){ header, sizeof(header) });
	for (size_t i = 0; sent == 0 && i < n_slices; i++)
		sent = send_bytes(s, slices[i]);
	if (sent == 0)
		sent = send_bytes(s, (struct span){ trailer, sizeof(trailer) });
	if (sent < 0 || PQputCopyEnd(s->conn, NULL) < 0)
		return connection_error(s, err);
	return copy_end(s, started_us, rows, err);
}
