/*
 * arena.c -- a list of blocks, the newest first; what does not fit into a block gets one of its own.  A reset keeps the
 * largest block that KEEP_BYTES allows, so that a steady load allocates nothing.
 */
#include "common/base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 16

struct block {
	struct block *next;
	size_t size, used;
	_Alignas(ALIGNMENT) char data[];
};

struct arena {
	struct block *blocks; /* the newest is the one that is filled */
	size_t block_bytes, keep_bytes, used;
};

struct arena *
arena_new(size_t block_bytes, size_t keep_bytes)
{
	struct arena *a = calloc(1, sizeof(*a));

	if (a) {
		a->block_bytes = block_bytes;
		a->keep_bytes = keep_bytes;
	}
	return a;
}

static void
blocks_free(struct block *b)
{
	while (b) {
		struct block *next = b->next;

		free(b);
		b = next;
	}
}

void
arena_free(struct arena *a)
{
	if (!a)
		return;
	blocks_free(a->blocks);
	free(a);
}

void *
arena_alloc(struct arena *a, size_t bytes)
{
	struct block *b = a->blocks;
	size_t need;

	if (bytes > SIZE_MAX / 2)
		return NULL;
	need = (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	if (!b || b->size - b->used < need) {
		size_t size = need > a->block_bytes ? need : a->block_bytes;

		b = malloc(sizeof(*b) + size);
		if (!b)
			return NULL;
		b->size = size;
		b->used = 0;
		b->next = a->blocks;
		a->blocks = b;
	}
	b->used += need;
	a->used += need;
	return b->data + b->used - need;
}

void *
arena_zalloc(struct arena *a, size_t bytes)
{
	void *p = arena_alloc(a, bytes);

	return p ? memset(p, 0, bytes) : NULL;
}

struct span
arena_copy(struct arena *a, struct span s)
{
	char *p;

	if (!s.ptr)
		return SPAN_NONE;
	p = arena_alloc(a, s.len + 1);
	if (!p)
		return SPAN_NONE;
	memcpy(p, s.ptr, s.len);
	p[s.len] = '\0';
	return (struct span){ p, s.len };
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || !(p = arena_alloc(a, (size_t)n + 1)))
		return NULL;
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}

void
arena_reset(struct arena *a)
{
	struct block *kept = NULL;

	for (struct block *b = a->blocks; b;) {
		struct block *next = b->next, *drop = b;

		if (b->size <= a->keep_bytes && (!kept || b->size > kept->size)) {
			drop = kept;
			kept = b;
		}
		free(drop);
		b = next;
	}
	if (kept) {
		kept->used = 0;
		kept->next = NULL;
	}
	a->blocks = kept;
	a->used = 0;
}

size_t
arena_used(const struct arena *a)
{
	return a->used;
}
