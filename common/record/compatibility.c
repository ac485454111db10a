/*
 * compatibility.c -- one recursive walk over two schemas by the rules of Apache Avro 1.11, "Schema Resolution".
 *
 * Stricter than reading (resolve.c): every branch of a union and every symbol of an enum that the writer may use must be
 * readable, since a value with it may already lie in a topic.
 */
#include "common/record/compatibility.h"

#include <stdio.h>
#include <string.h>

#include "common/record/json.h"
#include "common/record/match.h"

/* The way to where we are; also ends a recursion, since a pair of records on the way is being checked already. */
struct place {
	const struct place *up;
	const char *name;
	const struct schema *reader, *writer;
	int depth;
};

static int check(const struct place *at, struct err *err);

static void
path_text(const struct place *at, char *text, size_t size)
{
	size_t len;

	if (at->up)
		path_text(at->up, text, size);
	else
		text[0] = '\0';
	len = strlen(text);
	snprintf(text + len, size - len, "%s%s", len && at->name[0] && at->name[0] != '[' ? "." : "", at->name);
}

static int
refuse(const struct place *at, struct err *err, const char *why)
{
	char path[256];

	path_text(at, path, sizeof(path));
	return err_set(err, REASON_SCHEMA_INCOMPATIBLE, "%s: %s", path, why);
}

static int
below(const struct place *at, const char *name, const struct schema *reader, const struct schema *writer,
      struct err *err)
{
	const struct place next = { at, name, reader, writer, at->depth + 1 };

	return check(&next, err);
}

static int
refuse_kinds(const struct place *at, struct err *err)
{
	const char *was = at->writer->name ? at->writer->name : schema_kind_name(at->writer->kind);
	const char *is = at->reader->name ? at->reader->name : schema_kind_name(at->reader->kind);
	char why[256];

	snprintf(why, sizeof(why), "was %.100s, which cannot be read as %.100s", was, is);
	return refuse(at, err, why);
}

/* A field that the writer did not have: its default must be there and must be a value of its type. */
static int
check_default(const struct place *at, const struct schema_field *field, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer bytes = BUFFER_INIT(SCHEMA_TEXT_MAX);
	const struct place here = { at, field->name, field->type, NULL, at->depth + 1 };
	struct writer w = { &bytes, false };
	struct err wrong = ERR_INIT;
	char why[512];

	if (!field->fallback)
		return refuse(&here, err, "a new field needs a default");
	if (json_to_avro(field->type, field->fallback, JSON_DEFAULT, &w, &wrong) == 0)
		return 0;
	snprintf(why, sizeof(why), "its default is wrong: %.400s", wrong.text);
	return refuse(&here, err, why);
}

static int
check_record(const struct place *at, struct err *err)
{
	for (const struct place *up = at->up; up; up = up->up) {
		if (up->reader == at->reader && up->writer == at->writer)
			return 0;
	}
	for (size_t i = 0; i < at->reader->n_fields; i++) {
		const struct schema_field *field = &at->reader->fields[i];
		int from = match_field(at->writer, field);

		if (from < 0 && check_default(at, field, err) < 0)
			return -1;
		if (from >= 0 && below(at, field->name, field->type, at->writer->fields[from].type, err) < 0)
			return -1;
	}
	return 0;
}

static int
check_enum(const struct place *at, struct err *err)
{
	for (size_t i = 0; i < at->writer->symbols.n && !at->reader->fallback; i++) {
		const char *symbol = at->writer->symbols.items[i];
		bool found = false;
		char why[256];

		for (size_t k = 0; k < at->reader->symbols.n && !found; k++)
			found = strcmp(symbol, at->reader->symbols.items[k]) == 0;
		if (!found) {
			snprintf(why, sizeof(why), "the symbol %.100s is gone, and there is no default", symbol);
			return refuse(at, err, why);
		}
	}
	return 0;
}

static int
check_from_union(const struct place *at, struct err *err)
{
	for (size_t i = 0; i < at->writer->n_branches; i++) {
		const struct schema *branch = at->writer->branches[i];
		char name[128];

		snprintf(name, sizeof(name), "[%.100s]", branch->name ? branch->name : schema_kind_name(branch->kind));
		if (below(at, name, at->reader, branch, err) < 0)
			return -1;
	}
	return 0;
}

static int
check(const struct place *at, struct err *err)
{
	const struct schema *reader = at->reader, *writer = at->writer;

	if (at->depth > 4 * SCHEMA_DEPTH_MAX)
		return refuse(at, err, "nested too deeply to be checked");
	if (writer->kind == SCHEMA_UNION)
		return check_from_union(at, err);
	if (reader->kind == SCHEMA_UNION) {
		int branch = match_branch(writer, reader);

		return branch < 0 ? refuse_kinds(at, err) : below(at, "", reader->branches[branch], writer, err);
	}
	if (!match_kinds(writer->kind, reader->kind) || !match_names(writer, reader))
		return refuse_kinds(at, err);
	switch (writer->kind) {
	case SCHEMA_RECORD: return check_record(at, err);
	case SCHEMA_ENUM: return check_enum(at, err);
	case SCHEMA_FIXED: return writer->size == reader->size ? 0 : refuse(at, err, "the size has changed");
	case SCHEMA_ARRAY: return below(at, "[items]", reader->items, writer->items, err);
	case SCHEMA_MAP: return below(at, "[values]", reader->items, writer->items, err);
	default: return 0;
	}
}

int
compatibility_check(const struct schema *reader, const struct schema *writer, struct err *err)
{
	const char *name = reader->name ? schema_short_name(reader->name) : schema_kind_name(reader->kind);
	const struct place root = { NULL, name, reader, writer, 0 };

	return check(&root, err);
}
