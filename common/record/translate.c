/* translate.c -- walking a plan: reads what the writer wrote, writes what the reader's schema asks for. */
#include "common/record/plan.h"

#include <stdlib.h>

struct run {
	struct reader *in;
	struct writer *out;
	struct err *err;
	int depth;
};

static int translate(struct run *run, const struct step *s);

/* Skipping a value of schema S. */
static void
skip(struct reader *in, const struct schema *s, int depth)
{
	size_t n;

	if (depth > SCHEMA_DEPTH_MAX) {
		reader_fail(in, "nested deeper than 64 levels");
		return;
	}
	switch (s->kind) {
	case SCHEMA_BOOLEAN: reader_boolean(in); break;
	case SCHEMA_INT:
	case SCHEMA_LONG: reader_long(in); break;
	case SCHEMA_FLOAT: reader_bytes(in, 4); break;
	case SCHEMA_DOUBLE: reader_bytes(in, 8); break;
	case SCHEMA_BYTES:
	case SCHEMA_STRING: reader_text(in); break;
	case SCHEMA_FIXED: reader_bytes(in, s->size); break;
	case SCHEMA_ENUM: reader_branch(in, s->symbols.n); break;
	case SCHEMA_UNION: skip(in, s->branches[reader_branch(in, s->n_branches)], depth + 1); break;
	case SCHEMA_RECORD:
		for (size_t i = 0; i < s->n_fields && !in->fault; i++)
			skip(in, s->fields[i].type, depth + 1);
		break;
	case SCHEMA_ARRAY:
	case SCHEMA_MAP:
		while ((n = reader_block(in, s->kind == SCHEMA_MAP || !schema_may_be_empty(s->items))) > 0) {
			for (; n > 0 && !in->fault; n--) {
				if (s->kind == SCHEMA_MAP)
					reader_text(in);
				skip(in, s->items, depth + 1);
			}
		}
		break;
	default: break;
	}
}

static void
write_real(struct writer *out, enum schema_kind kind, double value)
{
	if (kind == SCHEMA_FLOAT)
		writer_float(out, (float)value);
	else
		writer_double(out, value);
}

static void
primitive(struct run *run, const struct step *s)
{
	enum schema_kind to = s->reader->kind;
	int64_t whole;
	struct span text;

	switch (s->writer->kind) {
	case SCHEMA_BOOLEAN: writer_boolean(run->out, reader_boolean(run->in)); break;
	case SCHEMA_INT:
	case SCHEMA_LONG:
		whole = s->writer->kind == SCHEMA_INT ? reader_int(run->in) : reader_long(run->in);
		if (to == SCHEMA_INT || to == SCHEMA_LONG)
			writer_long(run->out, whole);
		else if (to == SCHEMA_FLOAT)
			writer_float(run->out, (float)whole);
		else
			writer_double(run->out, (double)whole);
		break;
	case SCHEMA_FLOAT: write_real(run->out, to, (double)reader_float(run->in)); break;
	case SCHEMA_DOUBLE: write_real(run->out, to, reader_double(run->in)); break;
	case SCHEMA_BYTES:
	case SCHEMA_STRING:
		text = reader_text(run->in);
		writer_text(run->out, text.ptr, text.len);
		break;
	default: break; /* null */
	}
}

static int
items(struct run *run, const struct step *s)
{
	bool map = s->writer->kind == SCHEMA_MAP;
	size_t least = map || !schema_may_be_empty(s->writer->items), n;

	while ((n = reader_block(run->in, least)) > 0) {
		writer_long(run->out, (int64_t)n);
		for (; n > 0 && !run->in->fault && !run->out->full; n--) {
			if (map) {
				struct span key = reader_text(run->in);

				writer_text(run->out, key.ptr, key.len);
			}
			if (translate(run, s->inner) < 0)
				return -1;
		}
		if (run->out->full)
			return 0;
	}
	writer_long(run->out, 0);
	return 0;
}

static int
move(struct run *run, const struct step *s, const struct move *m)
{
	switch (m->kind) {
	case MOVE_SKIP: skip(run->in, s->writer->fields[m->from].type, 0); return 0;
	case MOVE_DEFAULT: writer_bytes(run->out, m->bytes.ptr, m->bytes.len); return 0;
	default: return translate(run, m->step);
	}
}

/* The reader wants another order: find where each field begins, then go from one to the other. */
static int
record_scattered(struct run *run, const struct step *s)
{
	CLEANUP(heap_free)
	const unsigned char **starts = calloc(s->writer->n_fields + 1, sizeof(*starts));
	const unsigned char *end;

	if (!starts)
		return err_set(run->err, REASON_NO_MEMORY, "no memory for %zu fields", s->writer->n_fields);
	for (size_t i = 0; i < s->writer->n_fields; i++) {
		starts[i] = run->in->at;
		skip(run->in, s->writer->fields[i].type, 0);
	}
	end = run->in->at;
	for (size_t i = 0; i < s->n_moves && !run->in->fault; i++) {
		if (s->moves[i].kind == MOVE_FIELD)
			run->in->at = starts[s->moves[i].from];
		if (move(run, s, &s->moves[i]) < 0)
			return -1;
	}
	run->in->at = end;
	return 0;
}

static int
record(struct run *run, const struct step *s)
{
	if (!s->in_order)
		return record_scattered(run, s);
	for (size_t i = 0; i < s->n_moves && !run->in->fault; i++) {
		if (move(run, s, &s->moves[i]) < 0)
			return -1;
	}
	return 0;
}

static int
symbol(struct run *run, const struct step *s)
{
	size_t from = reader_branch(run->in, s->writer->symbols.n);

	if (s->symbols[from] < 0)
		return err_set(run->err, REASON_AVRO_SCHEMA_MISMATCH, "the reader's %s has no symbol %s",
			       s->reader->name, s->writer->symbols.items[from]);
	writer_long(run->out, s->symbols[from]);
	return 0;
}

static int
step(struct run *run, const struct step *s)
{
	const unsigned char *bytes;

	switch (s->kind) {
	case STEP_PRIMITIVE: primitive(run, s); return 0;
	case STEP_ENUM: return symbol(run, s);
	case STEP_FIXED:
		if ((bytes = reader_bytes(run->in, s->writer->size)))
			writer_bytes(run->out, bytes, s->writer->size);
		return 0;
	case STEP_ITEMS: return items(run, s);
	case STEP_RECORD: return record(run, s);
	case STEP_FROM_UNION: return translate(run, s->branches[reader_branch(run->in, s->writer->n_branches)]);
	case STEP_TO_UNION: writer_long(run->out, s->to); return translate(run, s->inner);
	default: return run->in->fault ? 0 : err_set(run->err, REASON_AVRO_SCHEMA_MISMATCH, "%s", s->mismatch);
	}
}

static int
translate(struct run *run, const struct step *s)
{
	int ret;

	if (run->depth > SCHEMA_DEPTH_MAX) {
		reader_fail(run->in, "nested deeper than 64 levels");
		return 0;
	}
	run->depth++;
	ret = step(run, s);
	run->depth--;
	return ret;
}

int
plan_run(const struct step *root, struct reader *in, struct writer *out, struct err *err)
{
	struct run run = { in, out, err, 0 };

	return translate(&run, root);
}
