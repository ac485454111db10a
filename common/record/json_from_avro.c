/* json_from_avro.c -- one walk along the writer's schema; the reader's bounds and a depth keep hostile bytes harmless. */
#include "common/record/json.h"

#include <inttypes.h>
#include <string.h>

#include "common/record/base64.h"

struct walk {
	struct reader *in;
	struct buffer *out;
	bool full;
};

static void value(struct walk *w, const struct schema *s, int depth);

static void
text(struct walk *w, const char *literal)
{
	w->full |= buffer_text(w->out, literal) < 0;
}

static void
string(struct walk *w, struct span s)
{
	w->full |= buffer_json_string(w->out, s) < 0;
}

/* "70.0", not "70": who reads the JSON sees that it is no integer. */
static void
real(struct walk *w, double number)
{
	size_t start = w->out->len;

	w->full |= buffer_json_number(w->out, number) < 0;
	for (size_t i = start; i < w->out->len; i++) {
		if (strchr(".eEnul", w->out->ptr[i]))
			return;
	}
	text(w, ".0");
}

static void
bytes(struct walk *w, struct span s)
{
	text(w, "\"");
	w->full |= base64_encode(s, w->out) < 0;
	text(w, "\"");
}

static void
record(struct walk *w, const struct schema *s, int depth)
{
	text(w, "{");
	for (size_t i = 0; i < s->n_fields && !w->in->fault; i++) {
		text(w, i ? "," : "");
		string(w, span_of(s->fields[i].name));
		text(w, ":");
		value(w, s->fields[i].type, depth + 1);
	}
	text(w, "}");
}

static void
items(struct walk *w, const struct schema *s, int depth)
{
	size_t item_bytes = s->kind == SCHEMA_MAP || !schema_may_be_empty(s->items);
	bool first = true;
	size_t n;

	text(w, s->kind == SCHEMA_MAP ? "{" : "[");
	while ((n = reader_block(w->in, item_bytes)) > 0) {
		for (; n > 0 && !w->in->fault && !w->full; n--, first = false) {
			text(w, first ? "" : ",");
			if (s->kind == SCHEMA_MAP) {
				string(w, reader_text(w->in));
				text(w, ":");
			}
			value(w, s->items, depth + 1);
		}
		if (w->full)
			break;
	}
	text(w, s->kind == SCHEMA_MAP ? "}" : "]");
}

static void
fixed(struct walk *w, size_t size)
{
	const unsigned char *p = reader_bytes(w->in, size);

	if (p)
		bytes(w, (struct span){ (const char *)p, size });
}

static void
value(struct walk *w, const struct schema *s, int depth)
{
	if (depth > SCHEMA_DEPTH_MAX) {
		reader_fail(w->in, "nested deeper than 64 levels");
		return;
	}
	switch (s->kind) {
	case SCHEMA_NULL: text(w, "null"); break;
	case SCHEMA_BOOLEAN: text(w, reader_boolean(w->in) ? "true" : "false"); break;
	case SCHEMA_INT: w->full |= buffer_printf(w->out, "%" PRId32, reader_int(w->in)) < 0; break;
	case SCHEMA_LONG: w->full |= buffer_printf(w->out, "%" PRId64, reader_long(w->in)) < 0; break;
	case SCHEMA_FLOAT: real(w, (double)reader_float(w->in)); break;
	case SCHEMA_DOUBLE: real(w, reader_double(w->in)); break;
	case SCHEMA_STRING: string(w, reader_text(w->in)); break;
	case SCHEMA_BYTES: bytes(w, reader_text(w->in)); break;
	case SCHEMA_FIXED: fixed(w, s->size); break;
	case SCHEMA_ENUM: string(w, span_of(s->symbols.items[reader_branch(w->in, s->symbols.n)])); break;
	case SCHEMA_UNION: value(w, s->branches[reader_branch(w->in, s->n_branches)], depth + 1); break;
	case SCHEMA_RECORD: record(w, s, depth); break;
	case SCHEMA_ARRAY:
	case SCHEMA_MAP: items(w, s, depth); break;
	case SCHEMA_KIND_COUNT: break;
	}
}

int
json_from_avro(const struct schema *schema, struct reader *r, struct buffer *out, struct err *err)
{
	struct walk w = { r, out, false };

	value(&w, schema, 0);
	if (reader_check(r, err) < 0)
		return -1;
	return w.full ? err_set(err, REASON_NO_MEMORY, "the record as JSON is larger than %zu bytes", out->max) : 0;
}
