/*
 * image.h -- a structure as bytes that another process, machine or year can read: a table of its members (image_table.h).
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
 *
 * The description is a line of text: name, version, members in the order of the bytes.  `24*f64` is an array, `[u8]` a list,
 * `?{...}` an optional.
 */
#ifndef FOREBAY_BASE_IMAGE_H
#define FOREBAY_BASE_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/error.h"
#include "common/base/image_table.h"
#include "common/base/span.h"

/* Hash of name, version, members.  The same for the same table in every build.  0: memory is out. */
uint64_t image_fingerprint(const struct image_type *type);

/* Bytes that image_write() would append.  A table without lists and optionals costs nothing. */
size_t image_bytes(const struct image_type *type, const void *object);

/* Of an object whose lists and optionals hold nothing, wherever they are: the least of its type, without a look at its members. */
size_t image_bytes_least(const struct image_type *type);

/* The same as image_bytes() of the members alone, as they are inside of another image. */
size_t image_table_bytes(const struct image_table *table, const void *object);

/* Append.  -1 when the buffer may not grow, or an image would have more than 2^32 bytes. */
int image_write(const struct image_type *type, const void *object, struct buffer *out);

/*
 * The same with the description in it, "fbi2": the length of the members counts it, too, as 4 bytes of its length and its text in front
 * of them.  For files, which have to be read where nobody knows layouts of the past.
 */
int image_write_described(const struct image_type *type, const void *object, struct buffer *out);

/*
 * Read BYTES, which may be anything, into *OBJECT (undefined before; members that the table leaves out become zeros; what it
 * points to comes from malloc()).  Another layout of the same version is read as by image_translate() where its description is in
 * the image.  -1 on STATE_CORRUPT (not an image, cut short, checksum), STATE_VERSION (another fingerprint: says which),
 * NO_MEMORY; *OBJECT is then zeros and owns nothing.
 */
int image_read(const struct image_type *type, struct span bytes, void *object, struct err *err);

/*
 * Append an image of TYPE as it is now, made of BYTES that were written in another layout of it, as DESCRIPTION says; both may be
 * anything.  Members go by their names.  What is new becomes zeros, also elements of a new list that shares its count with an old
 * one; what is gone is dropped.  A whole number may become one of another kind that can hold its value, f32 become f64.  -1 on
 * STATE_VERSION (another name or version, another form or kind of a member: says which), STATE_CORRUPT, NO_MEMORY; OUT is then as
 * it was.
 */
int image_translate(const struct image_type *type, struct span description, struct span bytes, struct buffer *out,
		    struct err *err);

/*
 * BYTES, read from the file PATH, are what image_read() has refused with *ERR: say so of the file, FILE_INVALID instead of reasons
 * that are about states.  WHAT it should be ("model file"), REMEDY: what to do.  Any other *ERR only gets PATH in front.  -1.
 */
int image_refuse_file(const char *path, struct span bytes, const char *what, const char *remedy, struct err *err);

/* Free what the table's pointers own; *OBJECT is zeros afterwards. */
void image_clear(const struct image_type *type, void *object);

/* The table as text: `cleaner 1 {order:{items:[{time_us:i64,...}],...},ring:24*f64,...}`.  -1 when the buffer may not grow. */
int image_describe(const struct image_type *type, struct buffer *out);

/* Of bytes: their fingerprint, 0 when they are no image (the checksum is looked at). */
uint64_t image_fingerprint_of(struct span bytes);

/*
 * Append BYTES as a JSON object by DESCRIPTION; both may be anything.  Integers are exact, also beyond 2^53; NaN and
 * infinities are null; lists and arrays of char are strings, an array's up to its first NUL.  -1 on STATE_CORRUPT,
 * STATE_VERSION (they do not belong together), NO_MEMORY (also: OUT may not grow); OUT is then as it was.
 */
int image_json(struct span description, struct span bytes, struct buffer *out, struct err *err);

/* CRC-32C (Castagnoli) of BYTES. */
uint32_t image_crc32c(struct span bytes);

#endif
