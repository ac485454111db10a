/* span.h -- bytes that somebody else owns: a pointer and a length.  ptr NULL means "not there", which is not "empty". */
#ifndef FOREBAY_BASE_SPAN_H
#define FOREBAY_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct span {
	const char *ptr;
	size_t len;
};

#define SPAN_NONE ((struct span){ NULL, 0 })
#define SPAN(literal) ((struct span){ (literal), sizeof(literal) - 1 })

/* For printf: "%.*s", SPAN_ARG(s) */
#define SPAN_ARG(s) (int)(s).len, (s).ptr ? (s).ptr : ""

static inline struct span
span_of(const char *text)
{
	return (struct span){ text, text ? strlen(text) : 0 };
}

static inline bool
span_equal(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Bytewise order, shorter first where one is the other's beginning: <0, 0, >0. */
static inline int
span_compare(struct span a, struct span b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n ? memcmp(a.ptr, b.ptr, n) : 0;

	return c ? c : (a.len > b.len) - (a.len < b.len);
}

#endif
