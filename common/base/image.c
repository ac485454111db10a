/*
 * image.c -- the walk over a table: bytes, write, read, clear.
 *
 * What a table makes at least is computed once (its memo), so the size of a flat structure is known without a look at it,
 * and a list's count can be held against the bytes that are left before memory is asked for.
 *
 * A read starts with zeros and keeps the object such that it can be cleared at any time: a pointer is either NULL or leads to
 * as many elements as its count says.
 */
#include "common/base/image_parts.h"

#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>

#include "common/base/cleanup.h"

_Static_assert(sizeof(size_t) == 8 && sizeof(float) == 4 && sizeof(double) == 8 && CHAR_BIT == 8, "as image.h says");

/* ---- members in memory ---- */

static void **
pointer_of(const struct image_member *m, const void *object)
{
	return (void **)((char *)object + m->at);
}

static size_t
count_in(const void *object, size_t at)
{
	size_t n;

	memcpy(&n, (const char *)object + at, sizeof(n));
	return n;
}

/* The elements of M in OBJECT, *N of them. */
static void *
elements_of(const struct image_member *m, const void *object, size_t *n)
{
	if (m->form == IMAGE_ONE || m->form == IMAGE_ARRAY) {
		*n = m->form == IMAGE_ARRAY ? m->count : 1;
		return (char *)object + m->at;
	}
	*n = m->form == IMAGE_LIST ? count_in(object, m->count_at) : *pointer_of(m, object) != NULL;
	return *pointer_of(m, object);
}

/* Bytes of one element at least. */
static size_t
element_least(const struct image_member *m, int *lists)
{
	*lists = 0;
	return m->kind == IMAGE_STRUCT ? image_table_least(m->table, lists) : image_kind_words[m->kind].bytes;
}

/* ---- the memo of a table ---- */

static size_t table_least(const struct image_table *table, int *lists, int depth);

static size_t
member_least(const struct image_member *m, int *lists, int depth)
{
	size_t one =
	    m->kind == IMAGE_STRUCT ? table_least(m->table, lists, depth + 1) : image_kind_words[m->kind].bytes;

	assert(m->size == (m->kind == IMAGE_STRUCT ? m->table->size : one));
	if (m->form == IMAGE_LIST || m->form == IMAGE_OPTIONAL)
		*lists = 1;
	assert(m->form != IMAGE_ARRAY || m->count > 0);
	return m->form == IMAGE_LIST       ? 4
	       : m->form == IMAGE_OPTIONAL ? 1
	       : m->form == IMAGE_ARRAY    ? m->count * one
					   : one;
}

static size_t
table_least(const struct image_table *table, int *lists, int depth)
{
	size_t least = 0;

	assert(table->n > 0 && depth < IMAGE_DEPTH_MAX);
	for (size_t i = 0; i < table->n; i++)
		least += member_least(&table->members[i], lists, depth);
	return least;
}

size_t
image_table_least(const struct image_table *table, int *lists)
{
	uint64_t memo = image_memo_get(table->memo);

	if (!memo) {
		*lists = 0;
		memo = (uint64_t)table_least(table, lists, 0) << 1;
		memo |= (uint64_t)*lists;
		image_memo_set(table->memo, memo);
	}
	*lists = memo & 1;
	return memo >> 1;
}

/* ---- bytes ---- */

size_t
image_table_bytes(const struct image_table *table, const void *object)
{
	int lists, inside;
	size_t bytes = image_table_least(table, &lists), n;

	for (size_t i = 0; lists && i < table->n; i++) {
		const struct image_member *m = &table->members[i];
		size_t least = element_least(m, &inside);
		const char *element = elements_of(m, object, &n);

		if (m->form == IMAGE_LIST || m->form == IMAGE_OPTIONAL)
			bytes += n * least;
		for (size_t k = 0; inside && k < n; k++)
			bytes += image_table_bytes(m->table, element + k * m->size) - least;
	}
	return bytes;
}

size_t
image_bytes(const struct image_type *type, const void *object)
{
	return IMAGE_HEAD_BYTES + image_table_bytes(type->table, object) + IMAGE_TAIL_BYTES;
}

size_t
image_bytes_least(const struct image_type *type)
{
	int lists;

	return IMAGE_HEAD_BYTES + image_table_least(type->table, &lists) + IMAGE_TAIL_BYTES;
}

/* ---- numbers: N of SIZE bytes each ---- */

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && !defined(IMAGE_BY_SHIFTS)
static void
numbers_write(unsigned char *to, const void *from, size_t size, size_t n)
{
	memcpy(to, from, size * n);
}

static void
numbers_read(void *to, const unsigned char *from, size_t size, size_t n)
{
	memcpy(to, from, size * n);
}
#else
static void
numbers_write(unsigned char *to, const void *from, size_t size, size_t n)
{
	const char *p = from;

	for (size_t i = 0; i < n; i++, p += size) {
		uint16_t two;
		uint32_t four;
		uint64_t value;

		if (size == 1)
			value = (unsigned char)*p;
		else if (size == 2)
			value = (memcpy(&two, p, 2), two);
		else if (size == 4)
			value = (memcpy(&four, p, 4), four);
		else
			memcpy(&value, p, 8);
		image_store(to + i * size, value, size);
	}
}

static void
numbers_read(void *to, const unsigned char *from, size_t size, size_t n)
{
	char *p = to;

	for (size_t i = 0; i < n; i++, p += size) {
		uint64_t value = image_load(from + i * size, size);

		if (size == 1)
			*p = (char)value;
		else if (size == 2)
			memcpy(p, &(uint16_t){ (uint16_t)value }, 2);
		else if (size == 4)
			memcpy(p, &(uint32_t){ (uint32_t)value }, 4);
		else
			memcpy(p, &value, 8);
	}
}
#endif

/* ---- write: there is room for all of it ---- */

static unsigned char *
members_write(const struct image_table *table, const char *object, unsigned char *to)
{
	for (const struct image_member *m = table->members, *end = m + table->n; m < end; m++) {
		size_t n;
		const char *element = elements_of(m, object, &n);

		if (m->form == IMAGE_LIST) {
			image_store(to, n, 4);
			to += 4;
		} else if (m->form == IMAGE_OPTIONAL) {
			*to++ = n > 0;
		}
		if (m->kind == IMAGE_STRUCT) {
			for (size_t i = 0; i < n; i++)
				to = members_write(m->table, element + i * m->size, to);
		} else if (n) {
			numbers_write(to, element, m->size, n);
			to += n * m->size;
		}
	}
	return to;
}

/* DESCRIPTION SPAN_NONE: without. */
static int
write_image(const struct image_type *type, const void *object, struct span description, struct buffer *out)
{
	uint64_t fingerprint = image_fingerprint(type);
	size_t bytes = image_bytes(type, object) + (description.ptr ? 4 + description.len : 0);
	size_t covered = bytes - IMAGE_TAIL_BYTES;
	unsigned char *head, *at;

	if (!fingerprint || bytes > UINT32_MAX || buffer_reserve(out, bytes) < 0)
		return -1;
	head = (unsigned char *)out->ptr + out->len;
	memcpy(head, description.ptr ? IMAGE_MAGIC_DESCRIBED : IMAGE_MAGIC, IMAGE_MAGIC_BYTES);
	image_store(head + 4, type->version, 4);
	image_store(head + 8, fingerprint, 8);
	image_store(head + 16, covered - IMAGE_HEAD_BYTES, 4);
	at = head + IMAGE_HEAD_BYTES;
	if (description.ptr) {
		image_store(at, description.len, 4);
		memcpy(at + 4, description.ptr, description.len);
		at += 4 + description.len;
	}
	at = members_write(type->table, object, at);
	assert(at == head + covered);
	image_store(at, image_crc32c((struct span){ (char *)head, covered }), IMAGE_TAIL_BYTES);
	out->len += bytes;
	return 0;
}

int
image_write(const struct image_type *type, const void *object, struct buffer *out)
{
	return write_image(type, object, SPAN_NONE, out);
}

int
image_write_described(const struct image_type *type, const void *object, struct buffer *out)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT(0);

	return image_describe(type, &text) < 0 ? -1 : write_image(type, object, buffer_span(&text), out);
}

/* ---- clear ---- */

static void
members_clear(const struct image_table *table, void *object)
{
	int lists, inside;

	image_table_least(table, &lists);
	for (size_t i = 0; lists && i < table->n; i++) {
		const struct image_member *m = &table->members[i];
		size_t n;
		char *element = elements_of(m, object, &n);

		element_least(m, &inside);
		for (size_t k = 0; element && inside && k < n; k++)
			members_clear(m->table, element + k * m->size);
		if (m->form == IMAGE_LIST || m->form == IMAGE_OPTIONAL)
			free(element);
	}
}

void
image_clear(const struct image_type *type, void *object)
{
	members_clear(type->table, object);
	memset(object, 0, type->table->size);
}

/* ---- read ---- */

struct reader {
	const unsigned char *at, *end;
	struct err *err;
};

static int
cut_short(struct reader *r, const struct image_member *m)
{
	return err_set(r->err, REASON_STATE_CORRUPT, "the image ends in \"%s\"", m->name);
}

/* A list before M in TABLE that has the same count. */
static bool
shares_count(const struct image_table *table, const struct image_member *m)
{
	for (const struct image_member *k = table->members; k < m; k++)
		if (k->form == IMAGE_LIST && k->count_at == m->count_at)
			return true;
	return false;
}

/* Count of a list or optional, and memory for so many elements.  */
static int
elements_make(struct reader *r, const struct image_table *table, const struct image_member *m, char *object)
{
	size_t word = m->form == IMAGE_LIST ? 4 : 1, n;
	int lists;
	void *p;

	if ((size_t)(r->end - r->at) < word)
		return cut_short(r, m);
	n = image_load(r->at, word);
	r->at += word;
	if (m->form == IMAGE_OPTIONAL ? n > 1 : n > (size_t)(r->end - r->at) / element_least(m, &lists))
		return err_set(r->err, REASON_STATE_CORRUPT, "\"%s\" cannot have %zu elements", m->name, n);
	if (m->form == IMAGE_LIST) {
		if (shares_count(table, m) && count_in(object, m->count_at) != n)
			return err_set(r->err, REASON_STATE_CORRUPT, "\"%s\" has %zu elements, its twin %zu", m->name,
				       n, count_in(object, m->count_at));
		memcpy(object + m->count_at, &n, sizeof(n));
		if (m->cap_at)
			memcpy(object + m->cap_at, &n, sizeof(n));
	}
	if (!n)
		return 0;
	p = m->kind == IMAGE_STRUCT ? calloc(n, m->size) : malloc(n * m->size);
	if (!p)
		return err_set(r->err, REASON_NO_MEMORY, "no memory for %zu elements of \"%s\"", n, m->name);
	*pointer_of(m, object) = p;
	return 0;
}

static int
numbers_take(struct reader *r, const struct image_member *m, void *to, size_t n)
{
	if (n > (size_t)(r->end - r->at) / m->size)
		return cut_short(r, m);
	for (size_t i = 0; m->kind == IMAGE_BOOL && i < n; i++)
		if (r->at[i] > 1)
			return err_set(r->err, REASON_STATE_CORRUPT, "\"%s\" is %d, not 0 or 1", m->name, r->at[i]);
	numbers_read(to, r->at, m->size, n);
	r->at += n * m->size;
	return 0;
}

static int
members_read(struct reader *r, const struct image_table *table, char *object)
{
	for (const struct image_member *m = table->members, *end = m + table->n; m < end; m++) {
		size_t n;
		char *element;

		if ((m->form == IMAGE_LIST || m->form == IMAGE_OPTIONAL) && elements_make(r, table, m, object) < 0)
			return -1;
		element = elements_of(m, object, &n);
		if (m->kind != IMAGE_STRUCT && n && numbers_take(r, m, element, n) < 0)
			return -1;
		for (size_t i = 0; m->kind == IMAGE_STRUCT && i < n; i++)
			if (members_read(r, m->table, element + i * m->size) < 0)
				return -1;
	}
	return 0;
}

bool
image_has_magic(struct span bytes)
{
	return bytes.len >= IMAGE_HEAD_BYTES && (memcmp(bytes.ptr, IMAGE_MAGIC, IMAGE_MAGIC_BYTES) == 0 ||
						 memcmp(bytes.ptr, IMAGE_MAGIC_DESCRIBED, IMAGE_MAGIC_BYTES) == 0);
}

/* The description in front of the members. */
static int
split_members(struct image_head *head, struct err *err)
{
	const char *p = head->members.ptr;
	size_t len;

	if (head->members.len < 4 || (len = image_load((const unsigned char *)p, 4)) > head->members.len - 4)
		return err_set(err, REASON_STATE_CORRUPT, "the image ends in its description");
	head->description = (struct span){ p + 4, len };
	head->members = (struct span){ p + 4 + len, head->members.len - 4 - len };
	return 0;
}

int
image_open(struct span bytes, struct image_head *ret, struct err *err)
{
	const unsigned char *p = (const unsigned char *)bytes.ptr;
	size_t members;

	if (bytes.len < IMAGE_HEAD_BYTES + IMAGE_TAIL_BYTES || !image_has_magic(bytes))
		return err_set(err, REASON_STATE_CORRUPT, "%zu bytes that are no image", bytes.len);
	members = image_load(p + 16, 4);
	if (members != bytes.len - IMAGE_HEAD_BYTES - IMAGE_TAIL_BYTES)
		return err_set(err, REASON_STATE_CORRUPT, "%zu bytes, the image had %zu", bytes.len,
			       members + IMAGE_HEAD_BYTES + IMAGE_TAIL_BYTES);
	if (image_load(p + bytes.len - IMAGE_TAIL_BYTES, 4) !=
	    image_crc32c((struct span){ bytes.ptr, bytes.len - IMAGE_TAIL_BYTES }))
		return err_set(err, REASON_STATE_CORRUPT, "the checksum is wrong");
	ret->version = (uint32_t)image_load(p + 4, 4);
	ret->fingerprint = image_load(p + 8, 8);
	ret->description = SPAN_NONE;
	ret->members = (struct span){ bytes.ptr + IMAGE_HEAD_BYTES, members };
	return memcmp(p, IMAGE_MAGIC, IMAGE_MAGIC_BYTES) == 0 ? 0 : split_members(ret, err);
}

uint64_t
image_fingerprint_of(struct span bytes)
{
	struct image_head head;

	return image_open(bytes, &head, NULL) == 0 ? head.fingerprint : 0;
}

int
image_read(const struct image_type *type, struct span bytes, void *object, struct err *err)
{
	uint64_t fingerprint = image_fingerprint(type);
	struct image_head head;
	struct reader r;

	memset(object, 0, type->table->size);
	if (!fingerprint)
		return err_set(err, REASON_NO_MEMORY, "no memory for the layout of %s", type->name);
	if (image_open(bytes, &head, err) < 0)
		return err_wrap(err, "%s", type->name);
	if (head.fingerprint != fingerprint && head.version == type->version && head.description.ptr)
		return image_take(type, head.description, &head, object, err) < 0 ? err_wrap(err, "%s", type->name) : 0;
	if (head.fingerprint != fingerprint || head.version != type->version)
		return err_set(err, REASON_STATE_VERSION,
			       "written as version %" PRIu32 ", layout %016" PRIx64
			       "; this program has %s, version %" PRIu32 ", layout %016" PRIx64,
			       head.version, head.fingerprint, type->name, type->version, fingerprint);
	r = (struct reader){ (const unsigned char *)head.members.ptr, NULL, err };
	r.end = r.at + head.members.len;
	if (members_read(&r, type->table, object) == 0) {
		if (r.at == r.end)
			return 0;
		err_set(err, REASON_STATE_CORRUPT, "%td bytes too many", r.end - r.at);
	}
	image_clear(type, object);
	return err_wrap(err, "%s", type->name);
}
