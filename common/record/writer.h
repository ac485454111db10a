/*
 * writer.h -- Avro's binary encoding, writing: one inline function per primitive, behind a buffer.
 *
 * A write that does not fit sets `full` and does nothing; the caller looks once, at the end, and cuts the buffer back.
 */
#ifndef FOREBAY_RECORD_WRITER_H
#define FOREBAY_RECORD_WRITER_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/base/buffer.h"

#define VARINT_MAX 10 /* bytes of the longest long */

struct writer {
	struct buffer *out;
	bool full;
};

/* Where N more bytes may be written, or NULL. */
static inline char *
writer_room(struct writer *w, size_t n)
{
	struct buffer *b = w->out;
	size_t limit = b->max && b->max < b->cap ? b->max : b->cap;

	if (limit - b->len < n && buffer_reserve(b, n) < 0)
		return NULL;
	return b->ptr + b->len;
}

static inline void
writer_bytes(struct writer *w, const void *bytes, size_t n)
{
	char *p;

	if (n == 0)
		return;
	p = writer_room(w, n);
	if (!p) {
		w->full = true;
		return;
	}
	memcpy(p, bytes, n);
	w->out->len += n;
}

/* Zig-zag: the sign goes to the lowest bit, then seven bits a byte, the lowest first. */
static inline size_t
varint_put(unsigned char *p, int64_t value)
{
	uint64_t v = ((uint64_t)value << 1) ^ -(uint64_t)(value < 0);
	size_t n = 0;

	while (v >= 0x80) {
		p[n++] = (unsigned char)(v | 0x80);
		v >>= 7;
	}
	p[n++] = (unsigned char)v;
	return n;
}

static inline void
writer_long(struct writer *w, int64_t value)
{
	unsigned char *p = (unsigned char *)writer_room(w, VARINT_MAX);
	unsigned char small[VARINT_MAX];

	if (p)
		w->out->len += varint_put(p, value);
	else /* near the buffer's maximum it may still fit */
		writer_bytes(w, small, varint_put(small, value));
}

static inline void
writer_boolean(struct writer *w, bool value)
{
	writer_bytes(w, value ? "\1" : "\0", 1);
}

static inline void
writer_float(struct writer *w, float value)
{
	unsigned char p[4];
	uint32_t bits;

	memcpy(&bits, &value, sizeof(bits));
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(bits >> (8 * i));
	writer_bytes(w, p, sizeof(p));
}

static inline void
writer_double(struct writer *w, double value)
{
	unsigned char p[8];
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	for (int i = 0; i < 8; i++)
		p[i] = (unsigned char)(bits >> (8 * i));
	writer_bytes(w, p, sizeof(p));
}

/* A string or bytes: length, then content. */
static inline void
writer_text(struct writer *w, const void *bytes, size_t n)
{
	writer_long(w, (int64_t)n);
	writer_bytes(w, bytes, n);
}

#endif
