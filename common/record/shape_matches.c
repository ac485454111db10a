/*
 * shape_matches.c -- is a table of fields what a schema file describes?  Asked once, when a codec starts, so that a
 * program never writes bytes under the id of a schema that it was not built for.
 */
#include "common/record/shape.h"

#include <string.h>

/* What a field's schema must be: optional means ["null", kind]; array fields name the kind of their items. */
static const struct {
	enum schema_kind kind;
	bool optional;
	enum schema_kind item;
	bool item_optional;
} wanted[] = {
	[FIELD_TEXT] = { SCHEMA_STRING },
	[FIELD_OPTIONAL_TEXT] = { SCHEMA_STRING, .optional = true },
	[FIELD_BYTES] = { SCHEMA_BYTES },
	[FIELD_OPTIONAL_BYTES] = { SCHEMA_BYTES, .optional = true },
	[FIELD_TIME] = { SCHEMA_LONG },
	[FIELD_OPTIONAL_TIME] = { SCHEMA_LONG, .optional = true },
	[FIELD_LONG] = { SCHEMA_LONG },
	[FIELD_INT] = { SCHEMA_INT },
	[FIELD_REAL] = { SCHEMA_DOUBLE },
	[FIELD_OPTIONAL_REAL] = { SCHEMA_DOUBLE, .optional = true },
	[FIELD_CODE] = { SCHEMA_STRING },
	[FIELD_BOOLEAN] = { SCHEMA_BOOLEAN },
	[FIELD_RECORDS] = { SCHEMA_ARRAY, .item = SCHEMA_RECORD },
	[FIELD_MAP] = { SCHEMA_MAP },
	[FIELD_TEXTS] = { SCHEMA_ARRAY, .item = SCHEMA_STRING },
	[FIELD_REALS] = { SCHEMA_ARRAY, .item = SCHEMA_DOUBLE },
	[FIELD_OPTIONAL_REALS] = { SCHEMA_ARRAY, .item = SCHEMA_DOUBLE, .item_optional = true },
	[FIELD_MATRIX] = { SCHEMA_ARRAY, .item = SCHEMA_DOUBLE },
	[FIELD_FLAGS] = { SCHEMA_BYTES },
};

static bool
is_kind(const struct schema *s, enum schema_kind kind, bool optional)
{
	if (!optional)
		return s->kind == kind;
	return s->kind == SCHEMA_UNION && s->n_branches == 2 && s->branches[0]->kind == SCHEMA_NULL &&
	       s->branches[1]->kind == kind;
}

static bool
is_micros(const struct schema *s)
{
	return s->logical && strcmp(s->logical, "timestamp-micros") == 0;
}

static bool
field_matches(const struct field *f, const struct schema *s, struct err *err)
{
	if (!is_kind(s, wanted[f->kind].kind, wanted[f->kind].optional))
		return false;
	switch (f->kind) {
	case FIELD_TIME: return is_micros(s);
	case FIELD_OPTIONAL_TIME: return is_micros(s->branches[1]);
	case FIELD_RECORDS: return shape_matches(f->item, s->items, err) == 0;
	case FIELD_MAP: return is_kind(s->items, wanted[f->item->fields[1].kind].kind, false);
	case FIELD_TEXTS:
	case FIELD_REALS:
	case FIELD_OPTIONAL_REALS:
	case FIELD_MATRIX: return is_kind(s->items, wanted[f->kind].item, wanted[f->kind].item_optional);
	default: return true;
	}
}

int
shape_matches(const struct shape *shape, const struct schema *schema, struct err *err)
{
	if (schema->kind != SCHEMA_RECORD)
		return err_set(err, REASON_SCHEMA_INVALID, "a record is needed, not a %s",
			       schema_kind_name(schema->kind));
	for (size_t i = 0; i < shape->n_fields; i++) {
		const struct field *f = &shape->fields[i];

		if (i >= schema->n_fields || strcmp(schema->fields[i].name, f->name) != 0)
			return err_set(err, REASON_SCHEMA_INVALID, "field %zu is %s, this program writes %s", i,
				       i < schema->n_fields ? schema->fields[i].name : "missing", f->name);
		if (!field_matches(f, schema->fields[i].type, err))
			return err_set(err, REASON_SCHEMA_INVALID,
				       "field %s is of another type than this program writes", f->name);
	}
	if (schema->n_fields > shape->n_fields)
		return err_set(err, REASON_SCHEMA_INVALID, "field %s is not known to this program",
			       schema->fields[shape->n_fields].name);
	return 0;
}
