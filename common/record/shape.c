/*
 * shape.c -- the walks over a record's table: structure to bytes, bytes to structure, rules of single fields in both
 * directions.  A record of four values is about twenty-five fields; a field is a branch or two and a few bytes.
 */
#include "common/record/shape.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "common/record/codec.h"
#include "common/record/utf8.h"

/* Union branches of every optional field of ours: null first, so that null can be its default. */
#define BRANCH_NULL 0
#define BRANCH_VALUE 1

static int
refuse_range(const struct field *f, int64_t value, struct err *err)
{
	return err_set(err, REASON_RECORD_INVALID, "%s: %" PRId64 " is not within %" PRId64 "..%" PRId64, f->name,
		       value, f->min, f->max);
}

static int
refuse_real(const struct field *f, double value, struct err *err)
{
	return err_set(err, REASON_RECORD_INVALID, "%s: %g is not within %g..%g", f->name, value, f->low, f->high);
}

static int
check_text(const struct field *f, struct span text, struct err *err)
{
	if ((int64_t)text.len < f->min || (int64_t)text.len > f->max)
		return err_set(err, REASON_RECORD_INVALID, "%s: %zu bytes, %" PRId64 " to %" PRId64 " are allowed",
			       f->name, text.len, f->min, f->max);
	if ((f->kind == FIELD_TEXT || f->kind == FIELD_OPTIONAL_TEXT) && !utf8_valid(text))
		return err_set(err, REASON_RECORD_INVALID, "%s: not UTF-8, or with a NUL in it", f->name);
	return 0;
}

static inline bool
in_range(const struct field *f, double value)
{
	return value >= f->low && value <= f->high; /* false for NaN */
}

int
codes_parse(const struct codes *codes, struct span text)
{
	for (size_t i = 0; i < codes->n; i++) {
		if (span_equal(text, span_of(codes->names[i])))
			return (int)i;
	}
	return codes->unknown;
}

/* --- structure to bytes --- */

static int
write_text(const struct field *f, struct span text, struct writer *w, struct err *err)
{
	if (f->kind == FIELD_OPTIONAL_TEXT || f->kind == FIELD_OPTIONAL_BYTES) {
		writer_long(w, text.ptr ? BRANCH_VALUE : BRANCH_NULL);
		if (!text.ptr)
			return 0;
	}
	if (check_text(f, text, err) < 0)
		return -1;
	writer_text(w, text.ptr, text.len);
	return 0;
}

static int
write_code(const struct field *f, int code, struct writer *w, struct err *err)
{
	if (code < 0 || (size_t)code >= f->codes->n)
		return err_set(err, REASON_RECORD_INVALID, "%s: there is no code %d", f->name, code);
	writer_text(w, f->codes->names[code], strlen(f->codes->names[code]));
	return 0;
}

static int
write_real(const struct field *f, bool optional, double value, struct writer *w, struct err *err)
{
	if (optional) {
		writer_long(w, isnan(value) ? BRANCH_NULL : BRANCH_VALUE);
		if (isnan(value))
			return 0;
	}
	if (!in_range(f, value))
		return refuse_real(f, value, err);
	writer_double(w, value);
	return 0;
}

static int
write_reals(const struct field *f, const double *values, size_t n, struct writer *w, struct err *err)
{
	if (n > 0)
		writer_long(w, (int64_t)n);
	for (size_t i = 0; i < n; i++) {
		if (write_real(f, f->kind == FIELD_OPTIONAL_REALS, values[i], w, err) < 0)
			return err_wrap(err, "item %zu", i);
	}
	writer_long(w, 0);
	return 0;
}

static int
write_items(const struct field *f, const char *items, size_t n, struct writer *w, struct err *err)
{
	if (n > 0)
		writer_long(w, (int64_t)n);
	for (size_t i = 0; i < n; i++) {
		if (shape_write(f->item, items + i * f->item->size, w, err) < 0)
			return err_wrap(err, "%s[%zu]", f->name, i);
	}
	writer_long(w, 0);
	return 0;
}

static int
write_array(const struct field *f, const char *base, struct writer *w, struct err *err)
{
	const void *items = *(void *const *)(base + f->at);
	size_t n = *(const size_t *)(base + f->count_at);
	size_t columns = f->kind == FIELD_MATRIX ? *(const size_t *)(base + f->columns_at) : 1;

	if (n > ITEMS_MAX || columns > ITEMS_MAX || (int64_t)(n * columns) < f->min || (int64_t)(n * columns) > f->max)
		return refuse_range(f, n > ITEMS_MAX ? ITEMS_MAX : (int64_t)(n * columns), err);
	if (f->kind == FIELD_FLAGS) {
		writer_text(w, items, n);
		return 0;
	}
	if (f->kind == FIELD_REALS || f->kind == FIELD_OPTIONAL_REALS || f->kind == FIELD_MATRIX)
		return write_reals(f, items, n * columns, w, err);
	return write_items(f, items, n, w, err);
}

static int
write_time(const struct field *f, int64_t us, struct writer *w, struct err *err)
{
	if (f->kind == FIELD_OPTIONAL_TIME) {
		writer_long(w, us == TIME_NONE ? BRANCH_NULL : BRANCH_VALUE);
		if (us == TIME_NONE)
			return 0;
	}
	if (us < f->min || us > f->max)
		return refuse_range(f, us, err);
	writer_long(w, us);
	return 0;
}

static int
write_field(const struct field *f, const char *base, struct writer *w, struct err *err)
{
	const void *at = base + f->at;
	int64_t whole;

	switch (f->kind) {
	case FIELD_TEXT:
	case FIELD_OPTIONAL_TEXT:
	case FIELD_BYTES:
	case FIELD_OPTIONAL_BYTES: return write_text(f, *(const struct span *)at, w, err);
	case FIELD_TIME:
	case FIELD_OPTIONAL_TIME: return write_time(f, *(const int64_t *)at, w, err);
	case FIELD_LONG:
	case FIELD_INT:
		whole = f->kind == FIELD_INT ? *(const int32_t *)at : *(const int64_t *)at;
		if (whole < f->min || whole > f->max)
			return refuse_range(f, whole, err);
		writer_long(w, whole);
		return 0;
	case FIELD_REAL:
	case FIELD_OPTIONAL_REAL: return write_real(f, f->kind == FIELD_OPTIONAL_REAL, *(const double *)at, w, err);
	case FIELD_CODE: return write_code(f, *(const int *)at, w, err);
	case FIELD_BOOLEAN: writer_boolean(w, *(const bool *)at); return 0;
	default: return write_array(f, base, w, err);
	}
}

int
shape_write(const struct shape *shape, const void *record, struct writer *w, struct err *err)
{
	for (size_t i = 0; i < shape->n_fields; i++) {
		if (write_field(&shape->fields[i], record, w, err) < 0)
			return -1;
	}
	return 0;
}

/* --- bytes to structure --- */

static int
read_text(const struct field *f, struct reader *r, struct span *ret, struct err *err)
{
	*ret = SPAN_NONE;
	if ((f->kind == FIELD_OPTIONAL_TEXT || f->kind == FIELD_OPTIONAL_BYTES) && reader_branch(r, 2) == BRANCH_NULL)
		return 0;
	*ret = reader_text(r);
	return r->fault ? 0 : check_text(f, *ret, err);
}

static int
read_real(const struct field *f, bool optional, struct reader *r, double *ret, struct err *err)
{
	*ret = NAN;
	if (optional && reader_branch(r, 2) == BRANCH_NULL)
		return 0;
	*ret = reader_double(r);
	if (r->fault || in_range(f, *ret) || (optional && isnan(*ret)))
		return 0;
	return refuse_real(f, *ret, err);
}

static int
read_time(const struct field *f, struct reader *r, int64_t *ret, struct err *err)
{
	*ret = TIME_NONE;
	if (f->kind == FIELD_OPTIONAL_TIME && reader_branch(r, 2) == BRANCH_NULL)
		return 0;
	*ret = reader_long(r);
	return r->fault || (*ret >= f->min && *ret <= f->max) ? 0 : refuse_range(f, *ret, err);
}

static int
read_code(const struct field *f, struct reader *r, int *ret, struct err *err)
{
	struct span text = reader_text(r);

	*ret = codes_parse(f->codes, text);
	if (r->fault || *ret >= 0)
		return 0;
	return err_set(err, REASON_RECORD_INVALID, "%s: '%.*s' is not known", f->name,
		       (int)(text.len < 64 ? text.len : 64), text.ptr);
}

struct items {
	char *ptr;
	size_t n, cap;
};

/* Room for MORE items; doubling, so that many small blocks do not cost their square. */
static int
items_grow(struct items *items, size_t more, size_t size, struct arena *arena, struct err *err)
{
	size_t cap = items->n + more > 2 * items->cap ? items->n + more : 2 * items->cap;
	char *p;

	if (items->n + more <= items->cap)
		return 0;
	if (!(p = arena_alloc(arena, cap * size)))
		return err_set(err, REASON_NO_MEMORY, "no memory for %zu items", cap);
	if (items->n > 0)
		memcpy(p, items->ptr, items->n * size);
	items->ptr = p;
	items->cap = cap;
	return 0;
}

static int
read_item(const struct field *f, struct reader *r, struct arena *arena, void *item, struct err *err)
{
	if (f->item)
		return shape_read(f->item, r, arena, item, err);
	return read_real(f, f->kind == FIELD_OPTIONAL_REALS, r, item, err);
}

static int
read_items(const struct field *f, struct reader *r, struct arena *arena, struct items *items, struct err *err)
{
	size_t size = f->item ? f->item->size : sizeof(double);
	size_t least = f->item ? f->item->item_bytes : f->kind == FIELD_OPTIONAL_REALS ? 1 : sizeof(double);
	size_t n;

	while ((n = reader_block(r, least)) > 0) {
		if (items->n + n > (size_t)f->max)
			return refuse_range(f, (int64_t)(items->n + n), err);
		if (items_grow(items, n, size, arena, err) < 0)
			return -1;
		for (; n > 0 && !r->fault; n--, items->n++) {
			if (read_item(f, r, arena, items->ptr + items->n * size, err) < 0)
				return err_wrap(err, "%s[%zu]", f->name, items->n);
		}
	}
	return 0;
}

/* Flags share the count of an array that was read before them. */
static int
read_flags(const struct field *f, struct reader *r, char *base, struct err *err)
{
	size_t n = *(const size_t *)(base + f->count_at);
	struct span bytes = reader_text(r);

	*(uint8_t **)(base + f->at) = (uint8_t *)bytes.ptr;
	if (r->fault || bytes.len == n)
		return 0;
	return err_set(err, REASON_RECORD_INVALID, "%s: %zu bytes for %zu steps", f->name, bytes.len, n);
}

static int
read_array(const struct field *f, struct reader *r, struct arena *arena, char *base, struct err *err)
{
	size_t columns = f->kind == FIELD_MATRIX ? *(const size_t *)(base + f->columns_at) : 1;
	struct items items = { NULL, 0, 0 };

	if (f->kind == FIELD_FLAGS)
		return read_flags(f, r, base, err);
	if (read_items(f, r, arena, &items, err) < 0)
		return -1;
	*(void **)(base + f->at) = items.ptr;
	*(size_t *)(base + f->count_at) = columns ? items.n / columns : 0;
	if (r->fault)
		return 0;
	if ((int64_t)items.n < f->min)
		return refuse_range(f, (int64_t)items.n, err);
	if (columns == 0 || items.n % columns != 0)
		return err_set(err, REASON_RECORD_INVALID, "%s: %zu numbers are no rows of %zu", f->name, items.n,
			       columns);
	return 0;
}

static int
read_field(const struct field *f, struct reader *r, struct arena *arena, char *base, struct err *err)
{
	void *at = base + f->at;
	int64_t whole;

	switch (f->kind) {
	case FIELD_TEXT:
	case FIELD_OPTIONAL_TEXT:
	case FIELD_BYTES:
	case FIELD_OPTIONAL_BYTES: return read_text(f, r, (struct span *)at, err);
	case FIELD_TIME:
	case FIELD_OPTIONAL_TIME: return read_time(f, r, (int64_t *)at, err);
	case FIELD_LONG:
	case FIELD_INT:
		whole = f->kind == FIELD_INT ? reader_int(r) : reader_long(r);
		if (f->kind == FIELD_INT)
			*(int32_t *)at = (int32_t)whole;
		else
			*(int64_t *)at = whole;
		return r->fault || (whole >= f->min && whole <= f->max) ? 0 : refuse_range(f, whole, err);
	case FIELD_REAL:
	case FIELD_OPTIONAL_REAL: return read_real(f, f->kind == FIELD_OPTIONAL_REAL, r, (double *)at, err);
	case FIELD_CODE: return read_code(f, r, (int *)at, err);
	case FIELD_BOOLEAN: *(bool *)at = reader_boolean(r); return 0;
	default: return read_array(f, r, arena, base, err);
	}
}

int
shape_read(const struct shape *shape, struct reader *r, struct arena *arena, void *record, struct err *err)
{
	for (size_t i = 0; i < shape->n_fields && !r->fault; i++) {
		if (read_field(&shape->fields[i], r, arena, record, err) < 0)
			return -1;
	}
	return reader_check(r, err);
}
