/* match.c -- Apache Avro 1.11 specification, "Schema Resolution". */
#include "common/record/match.h"

#include <string.h>

#define BIT(kind) (1u << (kind))

static const unsigned readable_as[SCHEMA_KIND_COUNT] = {
	[SCHEMA_INT] = BIT(SCHEMA_LONG) | BIT(SCHEMA_FLOAT) | BIT(SCHEMA_DOUBLE),
	[SCHEMA_LONG] = BIT(SCHEMA_FLOAT) | BIT(SCHEMA_DOUBLE),
	[SCHEMA_FLOAT] = BIT(SCHEMA_DOUBLE),
	[SCHEMA_STRING] = BIT(SCHEMA_BYTES),
	[SCHEMA_BYTES] = BIT(SCHEMA_STRING),
};

bool
match_kinds(enum schema_kind writer, enum schema_kind reader)
{
	return writer == reader || (readable_as[writer] & BIT(reader)) != 0;
}

static bool
among(const struct schema_names *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++) {
		if (strcmp(names->items[i], name) == 0)
			return true;
	}
	return false;
}

bool
match_names(const struct schema *writer, const struct schema *reader)
{
	if (!writer->name || !reader->name)
		return writer->name == reader->name;
	return strcmp(schema_short_name(writer->name), schema_short_name(reader->name)) == 0 ||
	       among(&reader->aliases, writer->name);
}

int
match_field(const struct schema *writer, const struct schema_field *field)
{
	for (size_t i = 0; i < writer->n_fields; i++) {
		if (strcmp(writer->fields[i].name, field->name) == 0)
			return (int)i;
	}
	for (size_t i = 0; i < writer->n_fields; i++) {
		if (among(&field->aliases, writer->fields[i].name))
			return (int)i;
	}
	return -1;
}

int
match_branch(const struct schema *writer, const struct schema *reader)
{
	for (size_t i = 0; i < reader->n_branches; i++) {
		const struct schema *b = reader->branches[i];

		if (b->kind == writer->kind && b->name && strcmp(b->name, writer->name) == 0)
			return (int)i;
	}
	for (size_t i = 0; i < reader->n_branches; i++) {
		if (reader->branches[i]->kind == writer->kind && match_names(writer, reader->branches[i]))
			return (int)i;
	}
	for (size_t i = 0; i < reader->n_branches; i++) {
		if (match_kinds(writer->kind, reader->branches[i]->kind) && match_names(writer, reader->branches[i]))
			return (int)i;
	}
	return -1;
}
