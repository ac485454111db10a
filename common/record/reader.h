/*
 * reader.h -- Avro's binary encoding, reading: one inline function per primitive, never beyond the end.
 *
 * The first fault is kept with its place, and from then on every read gives zero: a caller looks where a loop or a
 * length depends on what was read, and once at the end.  Nothing here allocates.
 */
#ifndef FOREBAY_RECORD_READER_H
#define FOREBAY_RECORD_READER_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/span.h"

#define READER_EMPTY_ITEMS 65536 /* most items of an array whose items take no bytes */

struct reader {
	const unsigned char *at, *end;
	const unsigned char *begin; /* of the whole value, so that places count its prefix too */
	const unsigned char *fault_at;
	const char *fault; /* NULL: all is well */
};

/* BODY is the part of VALUE after its prefix. */
static inline struct reader
reader_of(struct span value, struct span body)
{
	const unsigned char *p = (const unsigned char *)body.ptr;

	return (struct reader){ .at = p, .end = p + body.len, .begin = (const unsigned char *)value.ptr };
}

static inline size_t
reader_left(const struct reader *r)
{
	return (size_t)(r->end - r->at);
}

static inline void
reader_fail(struct reader *r, const char *fault)
{
	if (!r->fault) {
		r->fault = fault;
		r->fault_at = r->at;
	}
	r->at = r->end;
}

/* -1 and AVRO_DECODE, where the reader has a fault. */
static inline int
reader_check(const struct reader *r, struct err *err)
{
	if (!r->fault)
		return 0;
	return err_set(err, REASON_AVRO_DECODE, "byte %zu: %s", (size_t)(r->fault_at - r->begin), r->fault);
}

static inline int64_t
reader_long(struct reader *r)
{
	const unsigned char *p = r->at;
	uint64_t v = 0;
	unsigned shift;

	for (shift = 0; shift < 70 && p < r->end; shift += 7) {
		unsigned char byte = *p++;

		if (shift == 63 && byte > 1)
			break;
		v |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			r->at = p;
			return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
		}
	}
	reader_fail(r, shift < 63 ? "the value ends inside a number" : "a number of more than 64 bits");
	return 0;
}

static inline int32_t
reader_int(struct reader *r)
{
	const unsigned char *start = r->at;
	int64_t v = reader_long(r);

	if (v == (int32_t)v)
		return (int32_t)v;
	r->at = start;
	reader_fail(r, "an int beyond 32 bits");
	return 0;
}

/* N bytes in place, or NULL. */
static inline const unsigned char *
reader_bytes(struct reader *r, size_t n)
{
	const unsigned char *p = r->at;

	if (reader_left(r) < n) {
		reader_fail(r, "the value ends too early");
		return NULL;
	}
	r->at += n;
	return p;
}

static inline bool
reader_boolean(struct reader *r)
{
	const unsigned char *p = reader_bytes(r, 1);

	if (p && *p > 1) {
		r->at = p;
		reader_fail(r, "a boolean is neither 0 nor 1");
	}
	return p && *p == 1;
}

static inline float
reader_float(struct reader *r)
{
	const unsigned char *p = reader_bytes(r, 4);
	uint32_t bits = 0;
	float value;

	for (int i = 0; p && i < 4; i++)
		bits |= (uint32_t)p[i] << (8 * i);
	memcpy(&value, &bits, sizeof(value));
	return value;
}

static inline double
reader_double(struct reader *r)
{
	const unsigned char *p = reader_bytes(r, 8);
	uint64_t bits = 0;
	double value;

	for (int i = 0; p && i < 8; i++)
		bits |= (uint64_t)p[i] << (8 * i);
	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* A string or bytes, in place; never SPAN_NONE, so that empty stays empty. */
static inline struct span
reader_text(struct reader *r)
{
	const unsigned char *start = r->at;
	int64_t n = reader_long(r);
	const char *p = (const char *)r->at;

	if (n < 0 || (uint64_t)n > reader_left(r)) {
		r->at = start;
		reader_fail(r, n < 0 ? "a negative length" : "a length beyond the end of the value");
		return SPAN("");
	}
	r->at += n;
	return (struct span){ p, (size_t)n };
}

/*
 * The head of the next block of an array or map: the number of its items, 0 at the end or at a fault.  An item takes
 * at least ITEM_BYTES, so a number that cannot fit into what is left is refused before anybody allocates.
 */
static inline size_t
reader_block(struct reader *r, size_t item_bytes)
{
	const unsigned char *start = r->at;
	int64_t n = reader_long(r);
	uint64_t most;

	if (n < 0) {
		int64_t bytes = reader_long(r); /* of the block, so that a reader may skip it: we do not need it */

		if (bytes < 0 || (uint64_t)bytes > reader_left(r)) {
			r->at = start;
			reader_fail(r, "an array block with an impossible size");
			return 0;
		}
	}
	if (r->fault)
		return 0;
	most = item_bytes ? reader_left(r) / item_bytes : READER_EMPTY_ITEMS;
	if ((n < 0 ? -(uint64_t)n : (uint64_t)n) <= most)
		return (size_t)(n < 0 ? -(uint64_t)n : (uint64_t)n);
	r->at = start;
	reader_fail(r, "more array items than the value can hold");
	return 0;
}

/* Which of N branches of a union follows; 0 at a fault. */
static inline size_t
reader_branch(struct reader *r, size_t n)
{
	const unsigned char *start = r->at;
	int64_t branch = reader_long(r);

	if (branch >= 0 && (uint64_t)branch < n)
		return (size_t)branch;
	r->at = start;
	reader_fail(r, "a union branch that its schema does not have");
	return 0;
}

/* Nothing may follow the record. */
static inline void
reader_finish(struct reader *r)
{
	if (r->at != r->end)
		reader_fail(r, "bytes are left over behind the record");
}

#endif
