/*
 * image_translate.c -- bytes of another layout into an object of ours, member by member, by their names.
 *
 * One descent over the description takes the bytes along; where the table has no member of that name the bytes are passed over (TO is
 * NULL).  The object starts as zeros and can be cleared at any time: a pointer is NULL or leads to as many elements as its count says.
 */
#include "common/base/image_scan.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/base/cleanup.h"

/* A number as a value: whole, with its sign, or not. */
struct value {
	bool real;
	bool negative;
	uint64_t whole; /* two's complement */
	double number;
};

static int take_struct(struct image_scan *s, const struct image_table *table, char *to);

static const struct image_member *
find(const struct image_table *table, struct span name)
{
	for (size_t i = 0; table && i < table->n; i++)
		if (span_equal(span_of(table->members[i].name), name))
			return &table->members[i];
	return NULL;
}

static int
changed(struct image_scan *s, const struct image_member *m, const char *how)
{
	return err_set(s->err, REASON_STATE_VERSION, "\"%s\" of the layout that it was written in is %s here", m->name,
		       how);
}

/* ---- numbers ---- */

static bool
is_signed(enum image_kind kind)
{
	return kind == IMAGE_I8 || kind == IMAGE_I16 || kind == IMAGE_I32 || kind == IMAGE_I64;
}

static bool
is_real(enum image_kind kind)
{
	return kind == IMAGE_F32 || kind == IMAGE_F64;
}

static struct value
value_of(enum image_kind kind, const unsigned char *p)
{
	size_t bits = 8 * image_kind_words[kind].bytes;
	struct value v = { .real = is_real(kind), .whole = image_load(p, bits / 8) };
	uint32_t low = (uint32_t)v.whole;
	float f;

	if (kind == IMAGE_F32) {
		memcpy(&f, &low, sizeof(f));
		v.number = (double)f;
	} else if (kind == IMAGE_F64) {
		memcpy(&v.number, &v.whole, sizeof(v.number));
	} else if (is_signed(kind) && v.whole >> (bits - 1)) {
		v.negative = true;
		v.whole |= bits < 64 ? ~UINT64_C(0) << bits : 0;
	}
	return v;
}

/* May KIND hold V, and if so, as which bits. */
static bool
fits(const struct value *v, enum image_kind kind, uint64_t *bits)
{
	size_t width = 8 * image_kind_words[kind].bytes;
	uint64_t magnitude = v->negative ? ~v->whole : v->whole;

	*bits = v->whole;
	if (kind == IMAGE_F64 && v->real)
		memcpy(bits, &v->number, sizeof(*bits));
	if (v->real || is_real(kind))
		return v->real && kind == IMAGE_F64;
	if (kind == IMAGE_BOOL)
		return v->whole <= 1;
	if (is_signed(kind))
		return magnitude >> (width - 1) == 0;
	return !v->negative && (width == 64 || magnitude >> width == 0);
}

static void
store(enum image_kind kind, uint64_t bits, char *to)
{
	switch (image_kind_words[kind].bytes) {
	case 1: *(unsigned char *)to = (unsigned char)bits; break;
	case 2: memcpy(to, &(uint16_t){ (uint16_t)bits }, 2); break;
	case 4: memcpy(to, &(uint32_t){ (uint32_t)bits }, 4); break;
	default: memcpy(to, &bits, 8); break;
	}
}

static int
take_number(struct image_scan *s, const struct image_member *m, enum image_kind kind, char *to)
{
	const unsigned char *p = image_scan_take(s, image_kind_words[kind].bytes);
	struct value v;
	uint64_t bits;

	if (!p)
		return image_scan_short(s);
	if (kind == IMAGE_BOOL && *p > 1)
		return err_set(s->err, REASON_STATE_CORRUPT, "a bool is %d", *p);
	if (!m)
		return 0;
	v = value_of(kind, p);
	bits = image_load(p, image_kind_words[kind].bytes);
	if (kind != m->kind && !fits(&v, m->kind, &bits))
		return v.real || is_real(m->kind) ? changed(s, m, "of another kind")
						  : changed(s, m, "of a kind that cannot hold its value");
	store(m->kind, bits, to);
	return 0;
}

/* ---- elements ---- */

/* The structure's text alone. */
static int
pass_struct(struct image_scan *s)
{
	bool passing = s->passing;
	int failed;

	s->passing = true;
	failed = take_struct(s, NULL, NULL);
	s->passing = passing;
	return failed;
}

/* N of them at TO; M NULL: they are passed over. */
static int
take_elements(struct image_scan *s, const struct image_member *m, size_t n, char *to)
{
	const char *element = s->text;
	int kind = image_scan_kind(s);

	if (kind < 0)
		return image_scan_broken(s);
	if (m && (kind == IMAGE_STRUCT) != (m->kind == IMAGE_STRUCT))
		return changed(s, m, "of another kind");
	if (kind != IMAGE_STRUCT)
		s->text += strlen(image_kind_words[kind].name);
	else if (n == 0)
		return pass_struct(s);
	for (size_t i = 0; i < n; i++) {
		char *at = m ? to + i * m->size : NULL;

		if (kind == IMAGE_STRUCT)
			s->text = element;
		if ((kind == IMAGE_STRUCT ? take_struct(s, m ? m->table : NULL, at)
					  : take_number(s, m, (enum image_kind)kind, at)) < 0)
			return -1;
	}
	return 0;
}

/* ---- members ---- */

static void **
pointer_of(const struct image_member *m, char *object)
{
	return (void **)(object + m->at);
}

/* A count that another list of the same structure has, too, has to be the same. */
static int
set_count(struct image_scan *s, const struct image_table *table, const struct image_member *m, size_t n, char *object)
{
	size_t before;

	memcpy(&before, object + m->count_at, sizeof(before));
	for (size_t i = 0; i < table->n; i++) {
		const struct image_member *twin = &table->members[i];

		if (twin != m && twin->form == IMAGE_LIST && twin->count_at == m->count_at &&
		    *pointer_of(twin, object) && before != n)
			return err_set(s->err, REASON_STATE_CORRUPT, "\"%s\" has %zu elements, its twin %zu", m->name,
				       n, before);
	}
	memcpy(object + m->count_at, &n, sizeof(n));
	if (m->cap_at)
		memcpy(object + m->cap_at, &n, sizeof(n));
	return 0;
}

/* Memory for the N elements of a list or optional. */
static int
make_room(struct image_scan *s, const struct image_table *table, const struct image_member *m, size_t n, char *object)
{
	if (n > (size_t)(s->end - s->at))
		return image_scan_short(s);
	if (*pointer_of(m, object))
		return image_scan_broken(s); /* a name that comes twice: its count is that of the first */
	if (m->form == IMAGE_LIST && set_count(s, table, m, n, object) < 0)
		return -1;
	if (n > 0 && !(*pointer_of(m, object) = calloc(n, m->size)))
		return err_set(s->err, REASON_NO_MEMORY, "no memory for %zu elements of \"%s\"", n, m->name);
	return 0;
}

static int
take_member(struct image_scan *s, const struct image_table *table, char *object)
{
	const struct image_member *m;
	enum image_form form;
	struct span name;
	char *to = NULL;
	size_t n;

	if (image_scan_name(s, &name) < 0 || image_scan_form(s, &form, &n) < 0)
		return -1;
	m = s->passing ? NULL : find(table, name);
	if (m && (form != m->form || (form == IMAGE_ARRAY && n != m->count)))
		return changed(s, m, "of another form");
	if (image_scan_count(s, form, &n) < 0)
		return -1;
	if (m && (form == IMAGE_LIST || form == IMAGE_OPTIONAL)) {
		if (make_room(s, table, m, n, object) < 0)
			return -1;
		to = *pointer_of(m, object);
	} else if (m) {
		to = object + m->at;
	}
	if (take_elements(s, m, n, to) < 0)
		return -1;
	return form == IMAGE_LIST ? image_scan_expect(s, ']') : 0;
}

/* Lists that are new and share their count with one that is not: as many zeros. */
static int
fill_lists(struct image_scan *s, const struct image_table *table, char *object)
{
	for (size_t i = 0; table && !s->passing && i < table->n; i++) {
		const struct image_member *m = &table->members[i];
		size_t n;

		if (m->form != IMAGE_LIST || *pointer_of(m, object))
			continue;
		memcpy(&n, object + m->count_at, sizeof(n));
		if (n > 0 && !(*pointer_of(m, object) = calloc(n, m->size)))
			return err_set(s->err, REASON_NO_MEMORY, "no memory for %zu elements of \"%s\"", n, m->name);
	}
	return 0;
}

static int
take_struct(struct image_scan *s, const struct image_table *table, char *to)
{
	if (image_scan_enter(s) < 0 || take_member(s, table, to) < 0)
		return -1;
	while (image_scan_is(s, ',')) {
		s->text++;
		if (take_member(s, table, to) < 0)
			return -1;
	}
	return image_scan_leave(s) < 0 ? -1 : fill_lists(s, table, to);
}

/* ---- the whole ---- */

static int
check_title(struct image_scan *s, const struct image_type *type, const struct image_head *head)
{
	struct span name, version;

	if (image_scan_title(s, &name, &version) < 0)
		return -1;
	if (span_equal(name, span_of(type->name)) && head->version == type->version)
		return 0;
	return err_set(s->err, REASON_STATE_VERSION,
		       "written as %.*s, version %" PRIu32 "; this program has %s, version %" PRIu32, SPAN_ARG(name),
		       head->version, type->name, type->version);
}

int
image_take(const struct image_type *type, struct span description, const struct image_head *head, void *object,
	   struct err *err)
{
	struct image_scan s;

	memset(object, 0, type->table->size);
	if (image_scan_open(description, head, &s, err) == 0 && check_title(&s, type, head) == 0 &&
	    take_struct(&s, type->table, object) == 0 && image_scan_end(&s) == 0)
		return 0;
	image_clear(type, object);
	return -1;
}

int
image_translate(const struct image_type *type, struct span description, struct span bytes, struct buffer *out,
		struct err *err)
{
	CLEANUP(heap_free) void *object = malloc(type->table->size);
	struct image_head head;
	int failed = 0;

	if (!object)
		return err_set(err, REASON_NO_MEMORY, "%s", type->name);
	if (image_open(bytes, &head, err) < 0 || image_take(type, description, &head, object, err) < 0)
		return err_wrap(err, "%s", type->name);
	if (image_write(type, object, out) < 0)
		failed = err_set(err, REASON_NO_MEMORY, "%s: no memory for %zu bytes", type->name,
				 image_bytes(type, object));
	image_clear(type, object);
	return failed;
}
