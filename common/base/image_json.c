/*
 * image_json.c -- bytes as JSON by a description: recursive descent over the description's text, which takes the bytes along.
 *
 * Elements of an array or list are read by the same piece of text again and again.  Where there are none the piece is passed
 * over.  Every element has a byte at least, so what comes out is bounded by both inputs.
 */
#include "common/base/image_scan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct walk {
	struct image_scan scan;
	struct buffer *out;
};

static int walk_struct(struct walk *w);

static int
no_memory(struct walk *w)
{
	return err_set(w->scan.err, REASON_NO_MEMORY, "no memory for %zu bytes of JSON", w->out->len);
}

static int
put(struct walk *w, const char *text)
{
	return w->scan.passing || buffer_text(w->out, text) == 0 ? 0 : no_memory(w);
}

/* ---- numbers ---- */

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
	struct image_scan *s = &w->scan;
	int kind = image_scan_kind(s);
	const unsigned char *p;

	if (kind < 0)
		return image_scan_broken(s);
	if (kind == IMAGE_STRUCT)
		return walk_struct(w);
	s->text += strlen(image_kind_words[kind].name);
	if (s->passing)
		return 0;
	p = image_scan_take(s, image_kind_words[kind].bytes);
	if (!p)
		return image_scan_short(s);
	if (kind == IMAGE_BOOL && *p > 1)
		return err_set(s->err, REASON_STATE_CORRUPT, "a bool is %d", *p);
	return put_number(w->out, (enum image_kind)kind, p) == 0 ? 0 : no_memory(w);
}

static int
pass_element(struct walk *w)
{
	bool passing = w->scan.passing;
	int failed;

	w->scan.passing = true;
	failed = walk_element(w);
	w->scan.passing = passing;
	return failed;
}

static int
walk_text(struct walk *w, size_t n, bool list)
{
	const char *p = (const char *)image_scan_take(&w->scan, n);

	if (!p)
		return image_scan_short(&w->scan);
	w->scan.text += strlen(image_kind_words[IMAGE_CHAR].name);
	return buffer_json_string(w->out, (struct span){ p, list ? n : strnlen(p, n) }) == 0 ? 0 : no_memory(w);
}

static int
walk_elements(struct walk *w, size_t n, bool list)
{
	const char *element = w->scan.text;

	if (w->scan.passing)
		return walk_element(w);
	if (image_scan_kind(&w->scan) == IMAGE_CHAR)
		return walk_text(w, n, list);
	if (put(w, "[") < 0 || (n == 0 && pass_element(w) < 0))
		return -1;
	for (size_t i = 0; i < n; i++) {
		w->scan.text = element;
		if ((i && put(w, ",") < 0) || walk_element(w) < 0)
			return -1;
	}
	return put(w, "]");
}

static int
walk_member(struct walk *w)
{
	struct image_scan *s = &w->scan;
	enum image_form form;
	struct span name;
	size_t n;

	if (image_scan_name(s, &name) < 0)
		return -1;
	if (!s->passing && (buffer_json_string(w->out, name) || buffer_text(w->out, ":")))
		return no_memory(w);
	if (image_scan_form(s, &form, &n) < 0 || image_scan_count(s, form, &n) < 0)
		return -1;
	switch (form) {
	case IMAGE_LIST: return walk_elements(w, n, true) < 0 ? -1 : image_scan_expect(s, ']');
	case IMAGE_ARRAY: return walk_elements(w, n, false);
	case IMAGE_OPTIONAL:
		if (n == 0)
			return put(w, "null") < 0 ? -1 : pass_element(w);
		return walk_element(w);
	default: return walk_element(w);
	}
}

static int
walk_struct(struct walk *w)
{
	if (image_scan_enter(&w->scan) < 0 || put(w, "{") < 0 || walk_member(w) < 0)
		return -1;
	while (image_scan_is(&w->scan, ',')) {
		w->scan.text++;
		if (put(w, ",") < 0 || walk_member(w) < 0)
			return -1;
	}
	return image_scan_leave(&w->scan) < 0 ? -1 : put(w, "}");
}

int
image_json(struct span description, struct span bytes, struct buffer *out, struct err *err)
{
	struct walk w = { .out = out };
	struct span name, version;
	size_t start = out->len;
	struct image_head head;

	if (image_open(bytes, &head, err) < 0 || image_scan_open(description, &head, &w.scan, err) < 0)
		return -1;
	if (image_scan_title(&w.scan, &name, &version) == 0 && walk_struct(&w) == 0 && image_scan_end(&w.scan) == 0)
		return 0;
	out->len = start;
	return -1;
}
