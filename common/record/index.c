/* index.c -- reading the index, and being strict about it: a wrong id would be a wrong meaning of every record. */
#include "common/record/index.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/record/compatibility.h"
#include "common/record/standard.h"

#define INDEX_BYTES_MAX (4 << 20)

int
index_read_file(const char *dir, const char *file, struct buffer *out, struct err *err)
{
	CLEANUP(heap_free)
	char *path = NULL;
	CLEANUP(file_close)
	FILE *stream = NULL;
	char chunk[8192];
	size_t n;

	if (asprintf(&path, "%s%s%s", dir ? dir : "", dir ? "/" : "", file) < 0)
		return err_set(err, REASON_NO_MEMORY, "no memory for a path");
	stream = fopen(path, "re");
	if (!stream)
		return err_set(err, REASON_FILE_UNREADABLE, "%s: %s", path, strerror(errno));
	while ((n = fread(chunk, 1, sizeof(chunk), stream)) > 0) {
		if (buffer_append(out, chunk, n) < 0)
			return err_set(err, REASON_FILE_UNREADABLE, "%s: larger than %zu bytes", path, out->max);
	}
	return ferror(stream) ? err_set(err, REASON_FILE_UNREADABLE, "%s: %s", path, strerror(errno)) : 0;
}

static int
read_schema(const char *dir, struct index_entry *e, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer text = BUFFER_INIT(SCHEMA_TEXT_MAX);

	if (strchr(e->file, '/'))
		return err_set(err, REASON_SCHEMA_INVALID, "%s: a file of the index lies beside it", e->file);
	if (index_read_file(dir, e->file, &text, err) < 0 || schema_parse(buffer_span(&text), &e->document, err) < 0 ||
	    standard_accepts(buffer_span(&text), err) < 0) {
		err->reason = err->reason == REASON_NO_MEMORY ? REASON_NO_MEMORY : REASON_SCHEMA_INVALID;
		return err_wrap(err, "%s", e->file);
	}
	if (e->document->root->kind != SCHEMA_RECORD ||
	    strcmp(schema_short_name(e->document->root->name), e->record) != 0)
		return err_set(err, REASON_SCHEMA_INVALID, "%s: is not the record %s", e->file, e->record);
	return 0;
}

/* The file must still be what was pinned. */
static int
check_fingerprint(const struct index_entry *e, const char *pinned, struct err *err)
{
	uint64_t fingerprint;
	char text[32];

	if (schema_fingerprint(e->document->root, &fingerprint) < 0)
		return err_set(err, REASON_NO_MEMORY, "no memory for a schema");
	snprintf(text, sizeof(text), "%016" PRIx64, fingerprint);
	if (pinned && strcmp(pinned, text) == 0)
		return 0;
	return err_set(err, REASON_SCHEMA_INVALID,
		       "%s: its fingerprint is %s, pinned is %s: restore it, and pin the change as a file of its own",
		       e->file, text, pinned ? pinned : "none");
}

static int
read_subjects(struct schema_index *index, const json_t *json, struct index_entry *e, struct err *err)
{
	const json_t *subjects = json_object_get(json, "subjects");

	e->n_subjects = json_array_size(subjects);
	e->subjects = arena_zalloc(index->arena, (e->n_subjects + 1) * sizeof(*e->subjects));
	if (!e->subjects)
		return err_set(err, REASON_NO_MEMORY, "no memory for the schema index");
	for (size_t i = 0; i < e->n_subjects; i++) {
		e->subjects[i] = json_string_value(json_array_get(subjects, i));
		if (!e->subjects[i])
			return err_set(err, REASON_SCHEMA_INVALID, "a subject is no text");
	}
	return 0;
}

static int
read_entry(struct schema_index *index, const json_t *json, struct index_entry *e, struct err *err)
{
	const char *guid = json_string_value(json_object_get(json, "guid"));
	json_int_t id = json_integer_value(json_object_get(json, "id"));
	const struct index_entry *before;

	e->record = json_string_value(json_object_get(json, "record"));
	e->file = json_string_value(json_object_get(json, "file"));
	if (id < 1 || id > INT32_MAX || !guid || !e->record || !e->file)
		return err_set(err, REASON_SCHEMA_INVALID, "id (from 1), guid, record and file are needed");
	if (guid_parse(span_of(guid), e->guid) < 0)
		return err_set(err, REASON_SCHEMA_INVALID, "guid: '%s' is none", guid);
	if (index_by_id(index, (int32_t)id) || index_by_guid(index, e->guid))
		return err_set(err, REASON_SCHEMA_INVALID, "id or guid is there twice");
	before = index_newest(index, e->record);
	e->id = (int32_t)id;
	e->version = (int)json_integer_value(json_object_get(json, "version"));
	if (e->version != (before ? before->version + 1 : 1))
		return err_set(err, REASON_SCHEMA_INVALID, "versions of %s do not count up from 1", e->record);
	if (read_subjects(index, json, e, err) < 0)
		return -1;
	if (read_schema(index->dir, e, err) < 0)
		return -1;
	return check_fingerprint(e, json_string_value(json_object_get(json, "fingerprint")), err);
}

static int
read_index(struct schema_index *index, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer text = BUFFER_INIT(INDEX_BYTES_MAX);
	json_error_t where;
	json_t *list;
	size_t n;

	if (index_read_file(index->dir, "index.json", &text, err) < 0) {
		err->reason = REASON_SCHEMA_INVALID;
		return -1;
	}
	index->json = json_loadb(text.ptr ? text.ptr : "", text.len, JSON_REJECT_DUPLICATES, &where);
	list = json_object_get(index->json, "schemas");
	n = json_array_size(list);
	if (!index->json)
		return err_set(err, REASON_SCHEMA_INVALID, "%s/index.json:%d: %s", index->dir, where.line, where.text);
	if (n == 0)
		return err_set(err, REASON_SCHEMA_INVALID, "%s/index.json: no array \"schemas\"", index->dir);
	index->entries = arena_zalloc(index->arena, n * sizeof(*index->entries));
	if (!index->entries)
		return err_set(err, REASON_NO_MEMORY, "no memory for the schema index");
	for (size_t i = 0; i < n; i++) {
		struct index_entry *e = &index->entries[i];
		int failed = read_entry(index, json_array_get(list, i), e, err);

		index->n_entries += e->document != NULL;
		if (failed)
			return err_wrap(err, "%s/index.json, entry %zu", index->dir, i + 1);
	}
	return 0;
}

int
index_load(const char *dir, struct schema_index **ret, struct err *err)
{
	CLEANUP(index_free)
	struct schema_index *index = calloc(1, sizeof(*index));

	if (!index || !(index->arena = arena_new(4096, 0)) || !(index->dir = strdup(dir)))
		return err_set(err, REASON_NO_MEMORY, "no memory for the schema index");
	if (read_index(index, err) < 0)
		return -1;
	*ret = TAKE(index);
	return 0;
}

void
index_free(struct schema_index *index)
{
	if (!index)
		return;
	for (size_t i = 0; i < index->n_entries; i++)
		schema_document_free(index->entries[i].document);
	arena_free(index->arena);
	json_decref(index->json);
	free(index->dir);
	free(index);
}

const struct index_entry *
index_by_id(const struct schema_index *index, int32_t id)
{
	for (size_t i = 0; i < index->n_entries; i++) {
		if (index->entries[i].id == id)
			return &index->entries[i];
	}
	return NULL;
}

const struct index_entry *
index_by_guid(const struct schema_index *index, const unsigned char guid[GUID_BYTES])
{
	for (size_t i = 0; i < index->n_entries; i++) {
		if (memcmp(index->entries[i].guid, guid, GUID_BYTES) == 0)
			return &index->entries[i];
	}
	return NULL;
}

const struct index_entry *
index_newest(const struct schema_index *index, const char *record)
{
	for (size_t i = index->n_entries; i-- > 0;) {
		if (strcmp(index->entries[i].record, record) == 0)
			return &index->entries[i];
	}
	return NULL;
}

/* SCHEMA against the first N entries. */
static int
can_follow(const struct schema_index *index, size_t n, const struct schema *schema, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		const struct index_entry *e = &index->entries[i];

		if (strcmp(e->record, schema_short_name(schema->name)) == 0 &&
		    compatibility_check(schema, e->document->root, err) < 0)
			return err_wrap(err, "after version %d (id %d)", e->version, e->id);
	}
	return 0;
}

int
index_verify(const struct schema_index *index, struct err *err)
{
	for (size_t i = 0; i < index->n_entries; i++) {
		if (can_follow(index, i, index->entries[i].document->root, err) < 0)
			return err_wrap(err, "%s", index->entries[i].file);
	}
	return 0;
}

int
index_can_follow(const struct schema_index *index, const struct schema *schema, const struct index_entry **last,
		 struct err *err)
{
	if (schema->kind != SCHEMA_RECORD)
		return err_set(err, REASON_SCHEMA_INVALID, "a record is needed, not a %s",
			       schema_kind_name(schema->kind));
	*last = index_newest(index, schema_short_name(schema->name));
	return can_follow(index, index->n_entries, schema, err);
}
