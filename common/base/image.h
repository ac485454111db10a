/*
 * image.h -- a structure as bytes that another process, machine or year can read: a table of its members.
 *
 * One walk over the table writes the members, little-endian and without padding, in the order of the table; another reads
 * them; a third writes the table itself as text (image_describe).  With that text bytes can be shown as JSON by somebody who
 * does not know the structure.
 *
 *	offset	bytes
 *	0	4	"fbi1"
 *	4	4	version, the type's own number
 *	8	8	fingerprint: a hash of the description
 *	16	4	length of the members
 *	20	n	the members
 *	20+n	4	CRC-32C of everything before
 *
 * Members: a number is its bytes; an array in the structure is its elements; a list (a pointer and its count) is a count of 4
 * bytes and its elements; an optional (a pointer that may be NULL) is a byte 0 or 1 and the element.
 */
#ifndef FOREBAY_BASE_IMAGE_H
#define FOREBAY_BASE_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/error.h"
#include "common/base/span.h"

enum image_kind {
	IMAGE_BOOL, /* bool: 0 or 1 */
	IMAGE_I8,
	IMAGE_U8,
	IMAGE_I16,
	IMAGE_U16,
	IMAGE_I32,
	IMAGE_U32,
	IMAGE_I64,
	IMAGE_U64,
	IMAGE_SIZE, /* size_t, as 8 bytes */
	IMAGE_F32,
	IMAGE_F64,
	IMAGE_STRUCT, /* a structure with a table of its own */

};

enum image_form {
	IMAGE_ONE,
	IMAGE_ARRAY,    /* `count` elements, in the structure */
	IMAGE_LIST,     /* a pointer from malloc() at `at`, its count (size_t) at `count_at`; NULL when the count is 0 */
	IMAGE_OPTIONAL, /* a pointer from malloc() at `at`, or NULL */
};

struct image_table;

struct image_member {
	const char *name;
	enum image_kind kind;
	enum image_form form;
	size_t at, count, count_at;
	size_t cap_at; /* IMAGE_LIST: where the list's capacity (size_t) is kept, set to the count; 0: nowhere */
	const struct image_table *table; /* IMAGE_STRUCT */
};

/* A structure that does not lie flat (a ring, shared points) is first turned into one that does, by its owner. */
struct image_table {
	const struct image_member *members;
	size_t n, size; /* size of the structure */
};

struct image_type {
	const char *name; /* "cleaner" */
	uint32_t version; /* of the meaning; raise it when the same bytes mean something else */
	const struct image_table *table;
};

/* Hash of name, version, members.  The same for the same table in every build. */
uint64_t image_fingerprint(const struct image_type *type);

/* Bytes that image_write() would append.  Cheap where there are few lists. */
size_t image_bytes(const struct image_type *type, const void *object);

/* Append.  -1 when the buffer may not grow. */
int image_write(const struct image_type *type, const void *object, struct buffer *out);

/*
 * Read BYTES into *OBJECT (undefined before; what it points to comes from malloc()).  -1 on STATE_CORRUPT (not an image,
 * cut short, checksum), STATE_VERSION (another fingerprint: says which), NO_MEMORY; *OBJECT then owns nothing.
 */
int image_read(const struct image_type *type, struct span bytes, void *object, struct err *err);

/* The table as text: `cleaner 1 {order:{items:[{time_us:i64,...}],...},ring:f64*24,...}`. */
int image_describe(const struct image_type *type, struct buffer *out);

/* Of bytes: their fingerprint, 0 when they are no image (the checksum is looked at). */
uint64_t image_fingerprint_of(struct span bytes);

/* BYTES as JSON by DESCRIPTION.  -1 on STATE_CORRUPT, STATE_VERSION (they do not belong together), NO_MEMORY. */
int image_json(struct span description, struct span bytes, struct buffer *out, struct err *err);

/* CRC-32C (Castagnoli) of BYTES. */
uint32_t image_crc32c(struct span bytes);

#endif
