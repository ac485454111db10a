/*
 * schema.c -- reading a schema.  Apache Avro 1.11 specification, "Schema Declaration" and "Names".
 *
 * JSON text -> jansson -> one pass that resolves names as it meets them (a name must be declared before it is used, in
 * the order of the text) into nodes of an arena.
 */
#include "common/record/schema.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/map.h"

#define NAME_MAX_BYTES 1024

static const char *const kind_names[SCHEMA_KIND_COUNT] = {
	"null",   "boolean", "int",  "long",  "float", "double", "bytes",
	"string", "record",  "enum", "array", "map",   "union",  "fixed",
};

struct parser {
	struct arena *arena;
	struct map *named; /* full name -> struct schema */
	struct err *err;
	int depth;
};

static const struct schema *parse(struct parser *p, const json_t *json, const char *namespace);

const char *
schema_kind_name(enum schema_kind kind)
{
	return kind_names[kind];
}

const char *
schema_short_name(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot ? dot + 1 : name;
}

static void *
fail(struct parser *p, const char *what, const char *which)
{
	err_set(p->err, REASON_SCHEMA_INVALID, "%s %s", what, which);
	return NULL;
}

static void *
no_memory(struct parser *p)
{
	err_set(p->err, REASON_NO_MEMORY, "no memory for a schema");
	return NULL;
}

/* Dots are for namespaces; else letters, digits and underscores, no digit first. */
static bool
is_name(const char *text, bool dots)
{
	bool start = true;

	if (!text || !*text || strlen(text) > NAME_MAX_BYTES)
		return false;
	for (const char *c = text; *c; c++) {
		if (dots && *c == '.' && !start) {
			start = true;
			continue;
		}
		if (!(isascii(*c) &&
		      (isalpha((unsigned char)*c) || *c == '_' || (!start && isdigit((unsigned char)*c)))))
			return false;
		start = false;
	}
	return !start;
}

static const char *
full_name(struct parser *p, const char *name, const char *namespace)
{
	const char *full = name;

	if (!is_name(name, true))
		return fail(p, "not a name:", name ? name : "(none)");
	if (!strchr(name, '.') && namespace && *namespace)
		full = arena_printf(p->arena, "%s.%s", namespace, name);
	else
		full = arena_printf(p->arena, "%s", name);
	return full ? full : no_memory(p);
}

/* The namespace that what lies inside a type called FULL inherits. */
static const char *
namespace_of(struct parser *p, const char *full)
{
	const char *dot = strrchr(full, '.');
	const char *ns = dot ? arena_printf(p->arena, "%.*s", (int)(dot - full), full) : "";

	return ns ? ns : no_memory(p);
}

static int
parse_names(struct parser *p, const json_t *array, struct schema_names *ret)
{
	size_t n = json_array_size(array);

	*ret = (struct schema_names){ arena_zalloc(p->arena, (n + 1) * sizeof(char *)), n };
	if (!ret->items) {
		no_memory(p);
		return -1;
	}
	for (size_t i = 0; i < n; i++) {
		const char *text = json_string_value(json_array_get(array, i));

		if (!is_name(text, true)) {
			fail(p, "not a name:", text ? text : "(no text)");
			return -1;
		}
		ret->items[i] = text;
	}
	return 0;
}

static int
parse_aliases(struct parser *p, const json_t *json, const char *namespace, struct schema_names *ret)
{
	if (parse_names(p, json_object_get(json, "aliases"), ret) < 0)
		return -1;
	for (size_t i = 0; namespace && i < ret->n; i++) {
		ret->items[i] = full_name(p, ret->items[i], namespace);
		if (!ret->items[i])
			return -1;
	}
	return 0;
}

static struct schema *
node(struct parser *p, enum schema_kind kind)
{
	struct schema *s = arena_zalloc(p->arena, sizeof(*s));

	if (!s)
		return no_memory(p);
	s->kind = kind;
	return s;
}

static int
parse_fields(struct parser *p, const json_t *json, const char *namespace, struct schema *s)
{
	const json_t *fields = json_object_get(json, "fields");

	if (!json_is_array(fields)) {
		fail(p, "a record without fields:", s->name);
		return -1;
	}
	s->n_fields = json_array_size(fields);
	s->fields = arena_zalloc(p->arena, (s->n_fields + 1) * sizeof(*s->fields));
	if (!s->fields) {
		no_memory(p);
		return -1;
	}
	for (size_t i = 0; i < s->n_fields; i++) {
		const json_t *f = json_array_get(fields, i);
		struct schema_field *field = &s->fields[i];

		field->name = json_string_value(json_object_get(f, "name"));
		field->fallback = json_object_get(f, "default");
		if (!is_name(field->name, false)) {
			fail(p, "a field without a proper name in", s->name);
			return -1;
		}
		for (size_t k = 0; k < i; k++) {
			if (strcmp(s->fields[k].name, field->name) == 0) {
				fail(p, "the same field twice:", field->name);
				return -1;
			}
		}
		if (parse_aliases(p, f, NULL, &field->aliases) < 0 ||
		    !(field->type = parse(p, json_object_get(f, "type"), namespace)))
			return err_wrap(p->err, "%s", field->name);
	}
	return 0;
}

static int
parse_symbols(struct parser *p, const json_t *json, struct schema *s)
{
	const char *fallback = json_string_value(json_object_get(json, "default"));

	if (parse_names(p, json_object_get(json, "symbols"), &s->symbols) < 0)
		return -1;
	for (size_t i = 0; fallback && i < s->symbols.n; i++) {
		if (strcmp(s->symbols.items[i], fallback) == 0)
			s->fallback = s->symbols.items[i];
	}
	if (s->symbols.n > 0 && (!fallback || s->fallback))
		return 0;
	fail(p, "an enum without symbols, or whose default is none of them:", s->name);
	return -1;
}

static const struct schema *
parse_named(struct parser *p, const json_t *json, enum schema_kind kind, const char *namespace)
{
	const char *own = json_string_value(json_object_get(json, "namespace"));
	const json_t *size = json_object_get(json, "size");
	struct schema *s = node(p, kind);
	const char *inside;

	if (!s || !(s->name = full_name(p, json_string_value(json_object_get(json, "name")), own ? own : namespace)) ||
	    !(inside = namespace_of(p, s->name)))
		return NULL;
	if (map_get(p->named, span_of(s->name)))
		return fail(p, "declared twice:", s->name);
	if (map_put(p->named, span_of(s->name), s) < 0)
		return no_memory(p);
	if (parse_aliases(p, json, inside, &s->aliases) < 0)
		return NULL;
	if (kind == SCHEMA_RECORD)
		return parse_fields(p, json, inside, s) < 0 ? NULL : s;
	if (kind == SCHEMA_ENUM)
		return parse_symbols(p, json, s) < 0 ? NULL : s;
	if (!json_is_integer(size) || json_integer_value(size) < 0 || json_integer_value(size) > SCHEMA_TEXT_MAX)
		return fail(p, "a fixed type needs a size of at most a mebibyte:", s->name);
	s->size = (size_t)json_integer_value(size);
	return s;
}

static bool
is_named(const struct schema *s)
{
	return s->kind == SCHEMA_RECORD || s->kind == SCHEMA_ENUM || s->kind == SCHEMA_FIXED;
}

static const struct schema *
parse_union(struct parser *p, const json_t *json, const char *namespace)
{
	struct schema *s = node(p, SCHEMA_UNION);

	if (!s)
		return NULL;
	s->n_branches = json_array_size(json);
	s->branches = arena_zalloc(p->arena, (s->n_branches + 1) * sizeof(*s->branches));
	if (!s->branches)
		return no_memory(p);
	for (size_t i = 0; i < s->n_branches; i++) {
		const struct schema *b = s->branches[i] = parse(p, json_array_get(json, i), namespace);

		if (!b)
			return NULL;
		if (b->kind == SCHEMA_UNION)
			return fail(p, "a union directly", "inside a union");
		for (size_t k = 0; k < i; k++) {
			const struct schema *a = s->branches[k];

			if (a->kind == b->kind && (!is_named(b) || strcmp(a->name, b->name) == 0))
				return fail(p, "a union has the same branch twice:", kind_names[b->kind]);
		}
	}
	return s->n_branches ? s : fail(p, "a union", "without branches");
}

/* A type's name alone: a primitive, or something declared before. */
static const struct schema *
parse_word(struct parser *p, const char *word, const char *namespace)
{
	const struct schema *s;
	const char *full;

	for (enum schema_kind k = SCHEMA_NULL; k <= SCHEMA_STRING; k++) {
		if (strcmp(word, kind_names[k]) == 0)
			return node(p, k);
	}
	if (!(full = full_name(p, word, namespace)))
		return NULL;
	s = map_get(p->named, span_of(full));
	if (!s)
		s = map_get(p->named, span_of(word));
	return s ? s : fail(p, "an unknown type:", word);
}

static const struct schema *
parse_object(struct parser *p, const json_t *json, const char *namespace)
{
	const json_t *type = json_object_get(json, "type");
	const char *word = json_string_value(type);
	const struct schema *inner;
	struct schema *s;

	if (!word) /* {"type": {...}} and {"type": [...]} mean what is inside */
		return parse(p, type, namespace);
	for (enum schema_kind k = SCHEMA_RECORD; k < SCHEMA_KIND_COUNT; k++) {
		if (strcmp(word, kind_names[k]) != 0 || k == SCHEMA_UNION)
			continue;
		if (k != SCHEMA_ARRAY && k != SCHEMA_MAP)
			return parse_named(p, json, k, namespace);
		inner = parse(p, json_object_get(json, k == SCHEMA_ARRAY ? "items" : "values"), namespace);
		if (!inner || !(s = node(p, k)))
			return NULL;
		s->items = inner;
		return s;
	}
	inner = parse_word(p, word, namespace);
	if (!inner || is_named(inner) || !(s = node(p, inner->kind)))
		return inner;
	s->logical = json_string_value(json_object_get(json, "logicalType"));
	return s;
}

static const struct schema *
parse(struct parser *p, const json_t *json, const char *namespace)
{
	const struct schema *s;

	if (++p->depth > SCHEMA_DEPTH_MAX)
		return fail(p, "nested deeper", "than 64 levels");
	if (json_is_string(json))
		s = parse_word(p, json_string_value(json), namespace);
	else if (json_is_array(json))
		s = parse_union(p, json, namespace);
	else if (json_is_object(json))
		s = parse_object(p, json, namespace);
	else
		s = fail(p, "a type is a name, an object or an array:", "this is none");
	p->depth--;
	return s;
}

int
schema_parse(struct span text, struct schema_document **ret, struct err *err)
{
	CLEANUP(schema_document_free)
	struct schema_document *d = calloc(1, sizeof(*d));
	CLEANUP(map_free)
	struct map *named = map_new(NULL);
	struct parser parser = { .named = named, .err = err };
	json_error_t where;

	if (!d || !named || !(parser.arena = d->arena = arena_new(4096, 0)))
		return err_set(err, REASON_NO_MEMORY, "no memory for a schema");
	if (text.len > SCHEMA_TEXT_MAX)
		return err_set(err, REASON_SCHEMA_INVALID, "a schema of more than %d bytes", SCHEMA_TEXT_MAX);
	/* A schema may be a text alone ("string"); the default of a field of bytes may hold \u0000. */
	d->json = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &where);
	if (!d->json)
		return err_set(err, REASON_SCHEMA_INVALID, "line %d: %s", where.line, where.text);
	d->text = arena_copy(d->arena, text).ptr;
	if (!d->text)
		return err_set(err, REASON_NO_MEMORY, "no memory for a schema");
	d->root = parse(&parser, d->json, NULL);
	if (!d->root)
		return -1;
	*ret = TAKE(d);
	return 0;
}

void
schema_document_free(struct schema_document *d)
{
	if (!d)
		return;
	arena_free(d->arena);
	json_decref(d->json);
	free(d);
}
