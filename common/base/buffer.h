/* buffer.h -- bytes that grow, up to a stated maximum.  One owner.  A failed append leaves the buffer as it was. */
#ifndef FOREBAY_BASE_BUFFER_H
#define FOREBAY_BASE_BUFFER_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/span.h"

struct buffer {
	char *ptr;
	size_t len, cap, max; /* max 0: unlimited */
};

#define BUFFER_INIT(max_bytes)     \
	{                          \
		.max = (max_bytes) \
	}

void buffer_clear(struct buffer *b); /* gives the memory back; the buffer may be used again */

static inline void
buffer_clear_cleanup(struct buffer *b)
{
	buffer_clear(b);
}

/* Room for MORE bytes behind len.  -1 when max or memory does not allow it. */
int buffer_reserve(struct buffer *b, size_t more);
int buffer_append(struct buffer *b, const void *bytes, size_t len);
int buffer_text(struct buffer *b, const char *text);
int buffer_printf(struct buffer *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Text as a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD. */
int buffer_json_string(struct buffer *b, struct span text);

/* The shortest decimal that reads back as the same double; "NaN" and infinities as null. */
int buffer_json_number(struct buffer *b, double value);

/* Length of the UTF-8 sequence at TEXT, which has LEN > 0 bytes left; 0 if it is none (overlong, surrogate, cut). */
size_t utf8_sequence(const char *text, size_t len);

static inline struct span
buffer_span(const struct buffer *b)
{
	return (struct span){ b->ptr, b->len };
}

#endif
