/* json_to_avro.c -- a JSON value as bytes of a schema: examples, tools, and the defaults that a schema gives in JSON. */
#include "common/record/json.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "common/record/base64.h"

struct walk {
	enum json_form form;
	struct writer *out;
	struct err *err;
	int depth;
};

static int value(struct walk *w, const struct schema *s, const json_t *json);

static const char *
json_kind(const json_t *json)
{
	static const char *const names[] = {
		[JSON_OBJECT] = "an object",   [JSON_ARRAY] = "an array", [JSON_STRING] = "a text",
		[JSON_INTEGER] = "an integer", [JSON_REAL] = "a number",  [JSON_TRUE] = "true",
		[JSON_FALSE] = "false",        [JSON_NULL] = "null",
	};

	return json ? names[json_typeof(json)] : "missing";
}

static int
unfit(struct walk *w, const struct schema *s, const json_t *json)
{
	return err_set(w->err, REASON_RECORD_INVALID, "%s is needed, this is %s", schema_kind_name(s->kind),
		       json_kind(json));
}

static struct span
text_of(const json_t *json)
{
	return (struct span){ json_string_value(json), json_string_length(json) };
}

/* Code points 0 to 255 of a UTF-8 text, each a byte. */
static int
latin1_decode(struct span text, struct buffer *out)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (c >= 0x80) {
			if (c > 0xc3 || i + 1 == text.len)
				return -1;
			c = (unsigned char)(c << 6 | ((unsigned char)text.ptr[++i] & 0x3f));
		}
		if (buffer_append(out, &c, 1) < 0)
			return -1;
	}
	return 0;
}

static int
bytes(struct walk *w, const struct schema *s, const json_t *json)
{
	CLEANUP(buffer_clear)
	struct buffer raw = BUFFER_INIT(0);
	struct span text = text_of(json);

	if (!json_is_string(json))
		return unfit(w, s, json);
	if ((w->form == JSON_PLAIN ? base64_decode(text, &raw) : latin1_decode(text, &raw)) < 0)
		return err_set(w->err, REASON_RECORD_INVALID, "not %s",
			       w->form == JSON_PLAIN ? "base64" : "code points of one byte");
	if (s->kind == SCHEMA_FIXED && raw.len != s->size)
		return err_set(w->err, REASON_RECORD_INVALID, "%zu bytes, %zu are needed", raw.len, s->size);
	if (s->kind == SCHEMA_FIXED)
		writer_bytes(w->out, raw.ptr, raw.len);
	else
		writer_text(w->out, raw.ptr, raw.len);
	return 0;
}

static int
whole(struct walk *w, const struct schema *s, const json_t *json)
{
	json_int_t n = json_integer_value(json);

	if (!json_is_integer(json) || (s->kind == SCHEMA_INT && n != (int32_t)n))
		return unfit(w, s, json);
	writer_long(w->out, n);
	return 0;
}

static int
real(struct walk *w, const struct schema *s, const json_t *json)
{
	double number = json_number_value(json);

	if (!json_is_number(json) || (s->kind == SCHEMA_FLOAT && fabs(number) > (double)FLT_MAX))
		return unfit(w, s, json);
	if (s->kind == SCHEMA_FLOAT)
		writer_float(w->out, (float)number);
	else
		writer_double(w->out, number);
	return 0;
}

static int
symbol(struct walk *w, const struct schema *s, const json_t *json)
{
	for (size_t i = 0; json_is_string(json) && i < s->symbols.n; i++) {
		if (strcmp(s->symbols.items[i], json_string_value(json)) == 0) {
			writer_long(w->out, (int64_t)i);
			return 0;
		}
	}
	return unfit(w, s, json);
}

static int
record(struct walk *w, const struct schema *s, const json_t *json)
{
	enum json_form form = w->form;

	if (!json_is_object(json))
		return unfit(w, s, json);
	for (size_t i = 0; i < s->n_fields; i++) {
		const json_t *member = json_object_get(json, s->fields[i].name);
		int failed;

		w->form = member ? form : JSON_DEFAULT;
		failed = value(w, s->fields[i].type, member ? member : s->fields[i].fallback);
		w->form = form;
		if (failed)
			return err_wrap(w->err, "%s", s->fields[i].name);
	}
	return 0;
}

static int
items(struct walk *w, const struct schema *s, const json_t *json)
{
	size_t n = json_array_size(json);

	if (!json_is_array(json))
		return unfit(w, s, json);
	if (n > 0)
		writer_long(w->out, (int64_t)n);
	for (size_t i = 0; i < n; i++) {
		if (value(w, s->items, json_array_get(json, i)) < 0)
			return err_wrap(w->err, "[%zu]", i);
	}
	writer_long(w->out, 0);
	return 0;
}

static int
members(struct walk *w, const struct schema *s, const json_t *json)
{
	const char *key;
	json_t *member;

	if (!json_is_object(json))
		return unfit(w, s, json);
	if (json_object_size(json) > 0)
		writer_long(w->out, (int64_t)json_object_size(json));
	json_object_foreach((json_t *)json, key, member)
	{
		writer_text(w->out, key, strlen(key));
		if (value(w, s->items, member) < 0)
			return err_wrap(w->err, "%s", key);
	}
	writer_long(w->out, 0);
	return 0;
}

static int
branch(struct walk *w, const struct schema *s, const json_t *json)
{
	size_t start = w->out->out->len;

	for (size_t i = 0; i < (w->form == JSON_DEFAULT ? 1 : s->n_branches); i++) {
		writer_long(w->out, (int64_t)i);
		if (value(w, s->branches[i], json) == 0)
			return 0;
		w->out->out->len = start;
	}
	return s->n_branches > 1 && w->form == JSON_PLAIN ? unfit(w, s, json) : -1;
}

static int
value(struct walk *w, const struct schema *s, const json_t *json)
{
	int ret;

	if (w->depth > SCHEMA_DEPTH_MAX)
		return err_set(w->err, REASON_RECORD_INVALID, "nested deeper than %d levels", SCHEMA_DEPTH_MAX);
	w->depth++;
	switch (s->kind) {
	case SCHEMA_NULL: ret = json_is_null(json) ? 0 : unfit(w, s, json); break;
	case SCHEMA_BOOLEAN:
		ret = json_is_boolean(json) ? 0 : unfit(w, s, json);
		if (ret == 0)
			writer_boolean(w->out, json_is_true(json));
		break;
	case SCHEMA_INT:
	case SCHEMA_LONG: ret = whole(w, s, json); break;
	case SCHEMA_FLOAT:
	case SCHEMA_DOUBLE: ret = real(w, s, json); break;
	case SCHEMA_STRING:
		ret = json_is_string(json) ? 0 : unfit(w, s, json);
		if (ret == 0)
			writer_text(w->out, json_string_value(json), json_string_length(json));
		break;
	case SCHEMA_BYTES:
	case SCHEMA_FIXED: ret = bytes(w, s, json); break;
	case SCHEMA_ENUM: ret = symbol(w, s, json); break;
	case SCHEMA_RECORD: ret = record(w, s, json); break;
	case SCHEMA_ARRAY: ret = items(w, s, json); break;
	case SCHEMA_MAP: ret = members(w, s, json); break;
	default: ret = branch(w, s, json); break;
	}
	w->depth--;
	return ret;
}

int
json_to_avro(const struct schema *schema, const json_t *json, enum json_form form, struct writer *w, struct err *err)
{
	struct walk walk = { form, w, err, 0 };

	if (value(&walk, schema, json) < 0)
		return -1;
	return w->full ? err_set(err, REASON_NO_MEMORY, "the record is larger than %zu bytes", w->out->max) : 0;
}
