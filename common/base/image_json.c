/*
 * image_json.c -- bytes as JSON by a description: recursive descent over the description's text, which takes the bytes along.
 *
 *	description	name " " version " " struct
 *	struct		"{" member { "," member } "}"
 *	member		name ":" ( element | count "*" element | "[" element "]" | "?" element )
 *	element		a kind's name | struct
 *
 * Elements of an array or list are read by the same piece of text again and again.  Where there are none the piece is passed
 * over: `passing` says that text is read without bytes and nothing comes out.  Every element has a byte at least, so what
 * comes out is bounded by both inputs.
 */
#include "common/base/image_parts.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/random.h"

struct walk {
	const char *text, *text_end;
	const unsigned char *at, *end;
	struct buffer *out;
	struct err *err;
	int depth;
	bool passing;
};

static int walk_struct(struct walk *w);

static int
broken(struct walk *w)
{
	size_t left = (size_t)(w->text_end - w->text);

	return err_set(w->err, REASON_STATE_CORRUPT, "the description is broken at \"%.*s\"",
		       left < 20 ? (int)left : 20, w->text);
}

static int
cut_short(struct walk *w)
{
	return err_set(w->err, REASON_STATE_CORRUPT, "the image is shorter than its description says");
}

static int
no_memory(struct walk *w)
{
	return err_set(w->err, REASON_NO_MEMORY, "no memory for %zu bytes of JSON", w->out->len);
}

static int
put(struct walk *w, const char *text)
{
	return w->passing || buffer_text(w->out, text) == 0 ? 0 : no_memory(w);
}

/* ---- text ---- */

static bool
next_is(const struct walk *w, char c)
{
	return w->text < w->text_end && *w->text == c;
}

static int
expect(struct walk *w, char c)
{
	if (!next_is(w, c))
		return broken(w);
	w->text++;
	return 0;
}

static struct span
word(struct walk *w)
{
	const char *start = w->text;

	while (w->text < w->text_end &&
	       ((*w->text >= 'a' && *w->text <= 'z') || (*w->text >= 'A' && *w->text <= 'Z') ||
		(*w->text >= '0' && *w->text <= '9') || *w->text == '_' || *w->text == '.' || *w->text == '-'))
		w->text++;
	return (struct span){ start, (size_t)(w->text - start) };
}

/* The kind whose name stands next, IMAGE_STRUCT for a brace; -1: neither. */
static int
next_kind(struct walk *w)
{
	const char *start = w->text;
	struct span name;

	if (next_is(w, '{'))
		return IMAGE_STRUCT;
	name = word(w);
	w->text = start;
	for (int kind = 0; kind < IMAGE_STRUCT; kind++)
		if (span_equal(name, span_of(image_kind_words[kind].name)))
			return kind;
	return -1;
}

/* ---- bytes ---- */

/* The next N bytes; NULL: there are fewer. */
static const unsigned char *
take(struct walk *w, size_t n)
{
	const unsigned char *p = w->at;

	if (n > (size_t)(w->end - w->at))
		return NULL;
	w->at += n;
	return p;
}

static int64_t
with_sign(uint64_t value, size_t bytes)
{
	uint64_t sign = UINT64_C(1) << (8 * bytes - 1);

	return (int64_t)((value ^ sign) - sign);
}

/* The shortest decimal of a float is shorter than that of the double it is. */
static double
float_value(uint32_t bits)
{
	char text[32];
	float f;

	memcpy(&f, &bits, sizeof(f));
	for (int digits = 6; digits <= 9; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, (double)f);
		if (strtof(text, NULL) == f)
			return strtod(text, NULL);
	}
	return (double)f;
}

static int
put_number(struct buffer *out, enum image_kind kind, const unsigned char *p)
{
	size_t bytes = image_kind_words[kind].bytes;
	uint64_t value = image_load(p, bytes);
	double number;

	switch (kind) {
	case IMAGE_BOOL: return buffer_text(out, value ? "true" : "false");
	case IMAGE_CHAR: return buffer_json_string(out, (struct span){ (const char *)p, 1 });
	case IMAGE_I8:
	case IMAGE_I16:
	case IMAGE_I32:
	case IMAGE_I64: return buffer_printf(out, "%" PRId64, with_sign(value, bytes));
	case IMAGE_F32: return buffer_json_number(out, float_value((uint32_t)value));
	case IMAGE_F64: memcpy(&number, &value, sizeof(number)); return buffer_json_number(out, number);
	default: return buffer_printf(out, "%" PRIu64, value);
	}
}

/* ---- the descent ---- */

static int
walk_element(struct walk *w)
{
	int kind = next_kind(w);
	const unsigned char *p;

	if (kind < 0)
		return broken(w);
	if (kind == IMAGE_STRUCT)
		return walk_struct(w);
	w->text += strlen(image_kind_words[kind].name);
	if (w->passing)
		return 0;
	p = take(w, image_kind_words[kind].bytes);
	if (!p)
		return cut_short(w);
	if (kind == IMAGE_BOOL && *p > 1)
		return err_set(w->err, REASON_STATE_CORRUPT, "a bool is %d", *p);
	return put_number(w->out, (enum image_kind)kind, p) == 0 ? 0 : no_memory(w);
}

static int
pass_element(struct walk *w)
{
	bool passing = w->passing;
	int failed;

	w->passing = true;
	failed = walk_element(w);
	w->passing = passing;
	return failed;
}

static int
walk_text(struct walk *w, size_t n, bool list)
{
	const char *p = (const char *)take(w, n);

	if (!p)
		return cut_short(w);
	w->text += strlen(image_kind_words[IMAGE_CHAR].name);
	return buffer_json_string(w->out, (struct span){ p, list ? n : strnlen(p, n) }) == 0 ? 0 : no_memory(w);
}

static int
walk_elements(struct walk *w, size_t n, bool list)
{
	const char *element = w->text;

	if (w->passing)
		return walk_element(w);
	if (next_kind(w) == IMAGE_CHAR)
		return walk_text(w, n, list);
	if (put(w, "[") < 0 || (n == 0 && pass_element(w) < 0))
		return -1;
	for (size_t i = 0; i < n; i++) {
		w->text = element;
		if ((i && put(w, ",") < 0) || walk_element(w) < 0)
			return -1;
	}
	return put(w, "]");
}

static int
walk_list(struct walk *w)
{
	const unsigned char *p = NULL;

	w->text++;
	if (!w->passing && !(p = take(w, 4)))
		return cut_short(w);
	return walk_elements(w, p ? image_load(p, 4) : 0, true) < 0 ? -1 : expect(w, ']');
}

static int
walk_array(struct walk *w)
{
	size_t n = 0;

	for (; w->text < w->text_end && *w->text >= '0' && *w->text <= '9'; w->text++)
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, *w->text - '0', &n))
			return broken(w);
	if (n == 0 || expect(w, '*') < 0)
		return broken(w);
	return walk_elements(w, n, false);
}

static int
walk_optional(struct walk *w)
{
	const unsigned char *p;

	w->text++;
	if (w->passing)
		return walk_element(w);
	p = take(w, 1);
	if (!p)
		return cut_short(w);
	if (*p > 1)
		return err_set(w->err, REASON_STATE_CORRUPT, "an optional is there %d times", *p);
	return *p ? walk_element(w) : put(w, "null") < 0 ? -1 : pass_element(w);
}

static int
walk_member(struct walk *w)
{
	struct span name = word(w);

	if (!name.len || !next_is(w, ':'))
		return broken(w);
	w->text++;
	if (!w->passing && (buffer_json_string(w->out, name) || buffer_text(w->out, ":")))
		return no_memory(w);
	if (next_is(w, '['))
		return walk_list(w);
	if (next_is(w, '?'))
		return walk_optional(w);
	return w->text < w->text_end && *w->text >= '0' && *w->text <= '9' ? walk_array(w) : walk_element(w);
}

static int
walk_struct(struct walk *w)
{
	if (++w->depth > IMAGE_DEPTH_MAX || expect(w, '{') < 0)
		return broken(w);
	if (put(w, "{") < 0 || walk_member(w) < 0)
		return -1;
	while (next_is(w, ',')) {
		w->text++;
		if (put(w, ",") < 0 || walk_member(w) < 0)
			return -1;
	}
	w->depth--;
	return expect(w, '}') < 0 ? -1 : put(w, "}");
}

static int
walk_all(struct walk *w)
{
	if (!word(w).len || expect(w, ' ') < 0 || !word(w).len || expect(w, ' ') < 0)
		return broken(w);
	if (walk_struct(w) < 0)
		return -1;
	if (w->text < w->text_end)
		return broken(w);
	return w->at == w->end ? 0 : err_set(w->err, REASON_STATE_CORRUPT, "%td bytes too many", w->end - w->at);
}

int
image_json(struct span description, struct span bytes, struct buffer *out, struct err *err)
{
	struct walk w = { .out = out, .err = err };
	size_t start = out->len;
	struct image_head head;

	if (image_open(bytes, &head, err) < 0)
		return -1;
	if (head.fingerprint != random_hash(description))
		return err_set(err, REASON_STATE_VERSION,
			       "written as version %" PRIu32 ", layout %016" PRIx64
			       "; the description is layout %016" PRIx64 ", \"%.*s...\"",
			       head.version, head.fingerprint, random_hash(description),
			       (int)(description.len < 40 ? description.len : 40), description.ptr);
	w.text = description.ptr;
	w.text_end = description.ptr + description.len;
	w.at = (const unsigned char *)head.members.ptr;
	w.end = w.at + head.members.len;
	if (walk_all(&w) == 0)
		return 0;
	out->len = start;
	return -1;
}
