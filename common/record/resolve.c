/*
 * resolve.c -- making the plan.  Apache Avro 1.11 specification, "Schema Resolution".
 *
 * Two schemas are walked together.  What does not fit ends the plan, except below a union of the writer's: there only
 * the values of that branch are unreadable.  A pair of records that is met again is the same step, which ends recursion.
 */
#include "common/record/plan.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/record/json.h"
#include "common/record/match.h"

#define DEFAULT_BYTES_MAX (1 << 20)

struct known {
	struct known *next;
	struct step *step;
};

struct resolution {
	struct arena *arena;
	struct step *root;
};

struct planner {
	struct arena *arena;
	struct known *records;
	struct err *err;
	int depth;
};

static struct step *plan(struct planner *p, const struct schema *writer, const struct schema *reader);

static void *
no_memory(struct planner *p)
{
	err_set(p->err, REASON_NO_MEMORY, "no memory for a schema's resolution");
	return NULL;
}

static struct step *
step_new(struct planner *p, enum step_kind kind, const struct schema *writer, const struct schema *reader)
{
	struct step *s = arena_zalloc(p->arena, sizeof(*s));

	if (!s)
		return no_memory(p);
	s->kind = kind;
	s->writer = writer;
	s->reader = reader;
	return s;
}

static struct step *
mismatch(struct planner *p, const struct schema *writer, const struct schema *reader)
{
	const char *w = writer->name ? writer->name : schema_kind_name(writer->kind);
	const char *r = reader->name ? reader->name : schema_kind_name(reader->kind);

	err_set(p->err, REASON_AVRO_SCHEMA_MISMATCH, "written as %s, cannot be read as %s", w, r);
	return NULL;
}

static struct step *
plan_enum(struct planner *p, const struct schema *writer, const struct schema *reader)
{
	struct step *s = step_new(p, STEP_ENUM, writer, reader);

	if (!s || !(s->symbols = arena_alloc(p->arena, writer->symbols.n * sizeof(int))))
		return no_memory(p);
	for (size_t i = 0; i < writer->symbols.n; i++) {
		s->symbols[i] = -1;
		for (size_t k = 0; k < reader->symbols.n; k++) {
			if (strcmp(writer->symbols.items[i], reader->symbols.items[k]) == 0)
				s->symbols[i] = (int)k;
			else if (s->symbols[i] < 0 && reader->fallback == reader->symbols.items[k])
				s->symbols[i] = (int)k;
		}
	}
	return s;
}

static int
move_default(struct planner *p, const struct schema_field *field, struct move *ret)
{
	CLEANUP(buffer_clear)
	struct buffer bytes = BUFFER_INIT(DEFAULT_BYTES_MAX);
	struct writer w = { &bytes, false };

	if (!field->fallback) {
		err_set(p->err, REASON_AVRO_SCHEMA_MISMATCH, "missing in what was written, and without a default");
		return err_wrap(p->err, "%s", field->name);
	}
	if (json_to_avro(field->type, field->fallback, JSON_DEFAULT, &w, p->err) < 0) {
		p->err->reason = REASON_AVRO_SCHEMA_MISMATCH;
		return err_wrap(p->err, "%s: default", field->name);
	}
	*ret = (struct move){ .kind = MOVE_DEFAULT };
	ret->bytes = arena_copy(p->arena, bytes.ptr ? buffer_span(&bytes) : SPAN(""));
	return ret->bytes.ptr ? 0 : (no_memory(p), -1);
}

static int
move_field(struct planner *p, struct step *s, size_t from, const struct schema_field *field)
{
	struct step *inner = plan(p, s->writer->fields[from].type, field->type);

	if (!inner)
		return err_wrap(p->err, "%s", field->name);
	s->moves[s->n_moves++] = (struct move){ .kind = MOVE_FIELD, .from = from, .step = inner };
	return 0;
}

/* Skips keep the place where the reader takes the fields in the writer's order; else translate.c finds each first. */
static void
skip_until(struct step *s, size_t *next, size_t until)
{
	while (s->in_order && *next < until)
		s->moves[s->n_moves++] = (struct move){ .kind = MOVE_SKIP, .from = (*next)++ };
	*next = until + 1;
}

static bool
fields_in_order(const struct schema *writer, const struct schema *reader)
{
	int last = -1;

	for (size_t i = 0; i < reader->n_fields; i++) {
		int from = match_field(writer, &reader->fields[i]);

		if (from >= 0 && from <= last)
			return false;
		if (from >= 0)
			last = from;
	}
	return true;
}

static int
plan_moves(struct planner *p, struct step *s)
{
	size_t most = s->writer->n_fields + s->reader->n_fields + 1, next = 0;

	s->in_order = fields_in_order(s->writer, s->reader);
	s->moves = arena_zalloc(p->arena, most * sizeof(*s->moves));
	if (!s->moves) {
		no_memory(p);
		return -1;
	}
	for (size_t i = 0; i < s->reader->n_fields; i++) {
		const struct schema_field *field = &s->reader->fields[i];
		int from = match_field(s->writer, field);

		if (from < 0) {
			if (move_default(p, field, &s->moves[s->n_moves++]) < 0)
				return -1;
			continue;
		}
		skip_until(s, &next, (size_t)from);
		if (move_field(p, s, (size_t)from, field) < 0)
			return -1;
	}
	skip_until(s, &next, s->writer->n_fields);
	return 0;
}

static struct step *
plan_record(struct planner *p, const struct schema *writer, const struct schema *reader)
{
	struct known *known;
	struct step *s;

	for (known = p->records; known; known = known->next) {
		s = known->step;
		if (s->writer == writer && s->reader == reader)
			return s->kind == STEP_MISMATCH ? mismatch(p, writer, reader) : s;
	}
	s = step_new(p, STEP_RECORD, writer, reader);
	known = arena_alloc(p->arena, sizeof(*known));
	if (!s || !known)
		return no_memory(p);
	*known = (struct known){ p->records, s };
	p->records = known;
	if (plan_moves(p, s) == 0)
		return s;
	s->kind = STEP_MISMATCH;
	s->mismatch = "its record cannot be read";
	return NULL;
}

static struct step *
plan_from_union(struct planner *p, const struct schema *writer, const struct schema *reader)
{
	struct step *s = step_new(p, STEP_FROM_UNION, writer, reader);
	size_t readable = 0;

	if (!s || !(s->branches = arena_zalloc(p->arena, writer->n_branches * sizeof(*s->branches))))
		return no_memory(p);
	for (size_t i = 0; i < writer->n_branches; i++) {
		struct step *branch = plan(p, writer->branches[i], reader);

		readable += branch != NULL;
		if (!branch && p->err->reason == REASON_NO_MEMORY)
			return NULL;
		if (!branch) {
			branch = step_new(p, STEP_MISMATCH, writer->branches[i], reader);
			if (!branch || !(branch->mismatch = arena_copy(p->arena, span_of(p->err->text)).ptr))
				return no_memory(p);
		}
		s->branches[i] = branch;
	}
	return readable ? s : NULL; /* the error is that of the last branch */
}

static struct step *
plan_inner(struct planner *p, enum step_kind kind, const struct schema *writer, const struct schema *reader,
	   const struct schema *inner_writer, const struct schema *inner_reader)
{
	struct step *s = step_new(p, kind, writer, reader);

	if (s && (s->inner = plan(p, inner_writer, inner_reader)))
		return s;
	return NULL;
}

static struct step *
plan_kinds(struct planner *p, const struct schema *writer, const struct schema *reader)
{
	int branch;
	struct step *s;

	if (writer->kind == SCHEMA_UNION)
		return plan_from_union(p, writer, reader);
	if (reader->kind == SCHEMA_UNION) {
		branch = match_branch(writer, reader);
		if (branch < 0)
			return mismatch(p, writer, reader);
		s = plan_inner(p, STEP_TO_UNION, writer, reader, writer, reader->branches[branch]);
		if (s)
			s->to = branch;
		return s;
	}
	if (!match_kinds(writer->kind, reader->kind) || !match_names(writer, reader) || writer->size != reader->size)
		return mismatch(p, writer, reader);
	switch (writer->kind) {
	case SCHEMA_RECORD: return plan_record(p, writer, reader);
	case SCHEMA_ENUM: return plan_enum(p, writer, reader);
	case SCHEMA_FIXED: return step_new(p, STEP_FIXED, writer, reader);
	case SCHEMA_ARRAY:
	case SCHEMA_MAP: return plan_inner(p, STEP_ITEMS, writer, reader, writer->items, reader->items);
	default: return step_new(p, STEP_PRIMITIVE, writer, reader);
	}
}

static struct step *
plan(struct planner *p, const struct schema *writer, const struct schema *reader)
{
	struct step *s = NULL;

	if (++p->depth > 4 * SCHEMA_DEPTH_MAX)
		mismatch(p, writer, reader);
	else
		s = plan_kinds(p, writer, reader);
	p->depth--;
	return s;
}

int
resolution_new(const struct schema *writer, const struct schema *reader, struct resolution **ret, struct err *err)
{
	CLEANUP(resolution_free)
	struct resolution *r = calloc(1, sizeof(*r));
	struct err reason = ERR_INIT;
	struct planner planner = { .err = &reason };

	if (!r || !(planner.arena = r->arena = arena_new(4096, 0)))
		return err_set(err, REASON_NO_MEMORY, "no memory for a schema's resolution");
	r->root = plan(&planner, writer, reader);
	if (!r->root)
		return err_set(err, reason.reason, "%s", reason.text);
	*ret = TAKE(r);
	return 0;
}

void
resolution_free(struct resolution *r)
{
	if (!r)
		return;
	arena_free(r->arena);
	free(r);
}

int
resolution_run(const struct resolution *r, struct reader *in, struct buffer *out, struct err *err)
{
	struct writer w = { out, false };

	if (plan_run(r->root, in, &w, err) < 0 || reader_check(in, err) < 0)
		return -1;
	if (w.full)
		return err_set(err, REASON_AVRO_DECODE, "larger than %zu bytes in the reader's schema", out->max);
	return 0;
}
