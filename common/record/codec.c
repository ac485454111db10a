/*
 * codec.c -- a record's way to bytes and back.
 *
 * What our own schema wrote is read straight into the structure.  What another schema wrote is first translated to bytes
 * of ours (resolve.h), by a plan that is made when a schema is met for the first time.
 */
#include "common/record/codec.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/map.h"
#include "common/record/framing.h"
#include "common/record/index.h"
#include "common/record/json.h"
#include "common/record/resolve.h"
#include "common/record/type.h"

#define TRANSLATED_BYTES_MAX (64 << 20)
#define SCRATCH_KEEP_BYTES (1 << 20)

/* How values of one writer's schema are read. */
struct way {
	struct resolution *resolution; /* NULL: as our own */
};

struct codec {
	struct registry *registry;
	const struct record_type *type;
	const struct schema_document *own;
	int32_t id;
	char prefix[FRAMING_ID_BYTES];
	struct map *ways; /* address of the writer's schema_document -> struct way */
	struct buffer scratch;
};

static void
way_free(void *p)
{
	struct way *way = p;

	if (way)
		resolution_free(way->resolution);
	free(way);
}

static void
way_free_typed(struct way *way)
{
	way_free(way);
}
DEFINE_CLEANUP(struct way, way_free_typed)

/* The newest version of the record that this program was built for. */
static int
find_own(struct codec *c, struct err *err)
{
	const struct schema_index *index = registry_index(c->registry);
	struct err newest = ERR_INIT;

	for (size_t i = index->n_entries; i-- > 0;) {
		const struct index_entry *e = &index->entries[i];
		struct err why = ERR_INIT;

		if (strcmp(e->record, c->type->name) != 0)
			continue;
		if (shape_matches(c->type->shape, e->document->root, &why) == 0) {
			c->own = e->document;
			return 0;
		}
		if (newest.reason == REASON_NONE)
			newest = why;
	}
	return err_set(err, REASON_SCHEMA_INVALID, "%s: no version of %s is the one of this program: %s", index->dir,
		       c->type->name, newest.reason ? newest.text : "there is none at all");
}

int
codec_new(struct registry *registry, const struct record_type *type, const char *topic, struct codec **ret,
	  struct err *err)
{
	CLEANUP(codec_free)
	struct codec *c = calloc(1, sizeof(*c));
	CLEANUP(heap_free)
	char *subject = NULL;

	if (!c || !(c->ways = map_new(way_free)) || asprintf(&subject, "%s-value", topic) < 0)
		return err_set(err, REASON_NO_MEMORY, "no memory for a codec");
	c->registry = registry;
	c->type = type;
	c->scratch.max = TRANSLATED_BYTES_MAX;
	if (find_own(c, err) < 0 || registry_register(registry, subject, c->own, &c->id, err) < 0)
		return err_wrap(err, "topic %s", topic);
	framing_prefix(c->id, c->prefix);
	*ret = TAKE(c);
	return 0;
}

void
codec_free(struct codec *c)
{
	if (!c)
		return;
	map_free(c->ways);
	buffer_clear(&c->scratch);
	free(c);
}

int32_t
codec_schema_id(const struct codec *c)
{
	return c->id;
}

int
codec_encode(struct codec *c, const void *record, struct buffer *out, struct err *err)
{
	struct writer w = { out, false };
	size_t start = out->len;

	writer_bytes(&w, c->prefix, sizeof(c->prefix));
	if (shape_write(c->type->shape, record, &w, err) < 0 || (c->type->check && c->type->check(record, err) < 0)) {
		out->len = start;
		return err_wrap(err, "%s", c->type->name);
	}
	if (!w.full)
		return 0;
	out->len = start;
	return err_set(err, REASON_NO_MEMORY, "%s: does not fit into a buffer of %zu bytes", c->type->name, out->max);
}

static const struct way *
way_new(struct codec *c, const struct schema_document *writer, struct err *err)
{
	CLEANUP(way_free_typed)
	struct way *way = calloc(1, sizeof(*way));
	struct span key = { (const char *)&writer, sizeof(writer) };

	if (!way) {
		err_set(err, REASON_NO_MEMORY, "no memory for a schema's resolution");
		return NULL;
	}
	if (!schema_same(writer->root, c->own->root) &&
	    resolution_new(writer->root, c->own->root, &way->resolution, err) < 0)
		return NULL;
	if (map_put(c->ways, key, way) < 0) {
		err_set(err, REASON_NO_MEMORY, "no memory for a schema's resolution");
		return NULL;
	}
	return TAKE(way);
}

static int
find_document(struct registry *registry, const struct framing *f, const struct schema_document **ret, struct err *err)
{
	if (f->kind == FRAMED_BY_ID)
		return registry_by_id(registry, f->id, ret, err);
	return registry_by_guid(registry, f->guid, ret, err);
}

static const struct way *
find_way(struct codec *c, const struct framing *f, struct err *err)
{
	static const struct way own = { NULL };
	const struct schema_document *writer;
	const struct way *way;

	if (f->kind == FRAMED_BY_ID && f->id == c->id)
		return &own;
	if (find_document(c->registry, f, &writer, err) < 0)
		return NULL;
	way = map_get(c->ways, (struct span){ (const char *)&writer, sizeof(writer) });
	return way ? way : way_new(c, writer, err);
}

/* BODY becomes bytes of our own schema, in the scratch buffer. */
static int
translate(struct codec *c, const struct resolution *resolution, struct span value, struct span *body, struct err *err)
{
	struct reader in = reader_of(value, *body);

	if (c->scratch.cap > SCRATCH_KEEP_BYTES)
		buffer_clear(&c->scratch);
	c->scratch.len = 0;
	if (resolution_run(resolution, &in, &c->scratch, err) < 0)
		return -1;
	reader_finish(&in);
	*body = c->scratch.ptr ? buffer_span(&c->scratch) : SPAN("");
	return reader_check(&in, err);
}

/* BODY lies inside VALUE, or alone in the scratch buffer.  The copy is what the record's texts point into. */
static int
read_body(struct codec *c, size_t prefix_bytes, struct span body, struct arena *arena, void *record, struct err *err)
{
	char *copy = arena_alloc(arena, prefix_bytes + body.len + 1);
	struct reader in;

	if (!copy)
		return err_set(err, REASON_NO_MEMORY, "no memory for a record of %zu bytes", body.len);
	memcpy(copy + prefix_bytes, body.ptr, body.len);
	in = reader_of((struct span){ copy, prefix_bytes + body.len }, (struct span){ copy + prefix_bytes, body.len });
	if (shape_read(c->type->shape, &in, arena, record, err) < 0)
		return -1;
	reader_finish(&in);
	if (reader_check(&in, err) < 0)
		return -1;
	return c->type->check ? c->type->check(record, err) : 0;
}

int
codec_decode(struct codec *c, struct span value, struct span schema_id, struct arena *arena, void *record,
	     struct err *err)
{
	struct framing framing;
	const struct way *way;
	size_t prefix_bytes;

	if (framing_parse(value, schema_id, &framing, err) < 0)
		return -1;
	prefix_bytes = value.len - framing.body.len;
	way = find_way(c, &framing, err);
	if (!way)
		return -1;
	if (way->resolution) {
		if (translate(c, way->resolution, value, &framing.body, err) < 0)
			return err_wrap(err, "%s", c->type->name);
		prefix_bytes = 0;
	}
	if (read_body(c, prefix_bytes, framing.body, arena, record, err) < 0)
		return err_wrap(err, "%s", c->type->name);
	return 0;
}

int
codec_to_json(struct registry *registry, struct span value, struct span schema_id, struct buffer *out, struct err *err)
{
	const struct schema_document *writer;
	struct framing framing;
	struct reader in;
	size_t start = out->len;

	if (framing_parse(value, schema_id, &framing, err) < 0 || find_document(registry, &framing, &writer, err) < 0)
		return -1;
	in = reader_of(value, framing.body);
	if (json_from_avro(writer->root, &in, out, err) == 0) {
		reader_finish(&in);
		if (reader_check(&in, err) == 0)
			return 0;
	}
	out->len = start;
	return -1;
}
