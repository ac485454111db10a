/* image_parts.h -- what the image*.c files share, and nobody else. */
#ifndef FOREBAY_BASE_IMAGE_PARTS_H
#define FOREBAY_BASE_IMAGE_PARTS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/base/image.h"

#define IMAGE_MAGIC "fbi1" /* without its NUL */
#define IMAGE_MAGIC_DESCRIBED "fbi2"
#define IMAGE_MAGIC_BYTES 4
#define IMAGE_HEAD_BYTES 20
#define IMAGE_TAIL_BYTES 4

/* A kind's name in a description, and its bytes in an image. */
struct image_kind_word {
	const char *name;
	size_t bytes;
};
extern const struct image_kind_word image_kind_words[IMAGE_STRUCT];

struct image_head {
	uint32_t version;
	uint64_t fingerprint;
	struct span description; /* SPAN_NONE: it is not in the image */
	struct span members;
};

/* Do BYTES begin as an image does, with all of its head? */
bool image_has_magic(struct span bytes);

/* Check magic, lengths, checksum.  -1 on STATE_CORRUPT. */
int image_open(struct span bytes, struct image_head *ret, struct err *err);

/*
 * What HEAD's members, written in another layout of TYPE as DESCRIPTION says, have in common with TYPE: see image_translate().  *OBJECT
 * is undefined before; zeros, owning nothing, on -1.
 */
int image_take(const struct image_type *type, struct span description, const struct image_head *head, void *object,
	       struct err *err);

/* Bytes of the smallest image of TABLE's members, at least 1; *LISTS: there are lists or optionals in it. */
size_t image_table_least(const struct image_table *table, int *lists);

/* image_crc32c() without the processor's help. */
uint32_t image_crc32c_portable(struct span bytes);

/* The N low bytes of VALUE, lowest first, and back. */
static inline void
image_store(unsigned char *to, uint64_t value, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = (unsigned char)(value >> (8 * i));
}

static inline uint64_t
image_load(const unsigned char *from, size_t n)
{
	uint64_t value = 0;

	for (size_t i = 0; i < n; i++)
		value |= (uint64_t)from[i] << (8 * i);
	return value;
}

/* A number that was computed once from what never changes: several threads may compute it, and find the same. */
static inline uint64_t
image_memo_get(const uint64_t *memo)
{
	return memo ? __atomic_load_n(memo, __ATOMIC_RELAXED) : 0;
}

static inline void
image_memo_set(uint64_t *memo, uint64_t value)
{
	if (memo)
		__atomic_store_n(memo, value, __ATOMIC_RELAXED);
}

#endif
