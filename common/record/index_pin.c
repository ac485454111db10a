/* index_pin.c -- a new version: checked against all before, appended, and the file replaced in one step. */
#include "common/record/index.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/record/standard.h"

/* A random GUID, version 4 of RFC 9562. */
static int
guid_new(char text[GUID_TEXT_BYTES], struct err *err)
{
	unsigned char guid[GUID_BYTES];

	if (getrandom(guid, sizeof(guid), 0) != sizeof(guid))
		return err_set(err, REASON_IO, "no random bytes: %s", strerror(errno));
	guid[6] = (unsigned char)((guid[6] & 0x0f) | 0x40);
	guid[8] = (unsigned char)((guid[8] & 0x3f) | 0x80);
	guid_text(guid, text);
	return 0;
}

static int32_t
next_id(const struct schema_index *index)
{
	int32_t id = 0;

	for (size_t i = 0; i < index->n_entries; i++)
		id = index->entries[i].id > id ? index->entries[i].id : id;
	return id + 1;
}

/* The entry of the same record with the same fields, names, types and defaults; NULL: none. */
static const struct index_entry *
pinned(const struct schema_index *index, const struct schema_document *d)
{
	for (size_t i = 0; i < index->n_entries; i++) {
		const struct index_entry *e = &index->entries[i];

		if (json_equal(e->document->json, d->json))
			return e;
	}
	return NULL;
}

static json_t *
subjects_json(const struct index_entry *last, const char *subject)
{
	json_t *list = json_array();

	if (subject)
		json_array_append_new(list, json_string(subject));
	for (size_t i = 0; !subject && last && i < last->n_subjects; i++)
		json_array_append_new(list, json_string(last->subjects[i]));
	return list;
}

static int
write_index(const struct schema_index *index, struct err *err)
{
	CLEANUP(heap_free)
	char *path = NULL, *fresh = NULL;

	if (asprintf(&path, "%s/index.json", index->dir) < 0 || asprintf(&fresh, "%s.new", path) < 0)
		return err_set(err, REASON_NO_MEMORY, "no memory for a path");
	if (json_dump_file(index->json, fresh, JSON_INDENT(2) | JSON_ENSURE_ASCII) < 0 || rename(fresh, path) < 0) {
		err_set(err, REASON_IO, "%s: %s", path, strerror(errno));
		unlink(fresh);
		return -1;
	}
	return 0;
}

static int
append(const struct schema_index *index, const char *file, const struct schema_document *d,
       const struct index_entry *last, const char *subject, struct err *err)
{
	json_t *list = json_object_get(index->json, "schemas"), *entry;
	char guid[GUID_TEXT_BYTES], fingerprint[32];
	uint64_t crc;

	if (guid_new(guid, err) < 0)
		return -1;
	if (schema_fingerprint(d->root, &crc) < 0)
		return err_set(err, REASON_NO_MEMORY, "no memory for a schema");
	snprintf(fingerprint, sizeof(fingerprint), "%016" PRIx64, crc);
	entry = json_pack("{s:i,s:s,s:s,s:i,s:s,s:s,s:o}", "id", (int)next_id(index), "guid", guid, "record",
			  schema_short_name(d->root->name), "version", last ? last->version + 1 : 1, "file", file,
			  "fingerprint", fingerprint, "subjects", subjects_json(last, subject));
	if (!entry || json_array_append_new(list, entry) < 0)
		return err_set(err, REASON_NO_MEMORY, "no memory for the schema index");
	return write_index(index, err);
}

int
index_pin(const struct schema_index *index, const char *file, const char *subject, bool dry_run, int32_t *id,
	  struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer text = BUFFER_INIT(SCHEMA_TEXT_MAX);
	CLEANUP(schema_document_free)
	struct schema_document *d = NULL;
	const struct index_entry *last, *same;

	if (strchr(file, '/'))
		return err_set(err, REASON_SCHEMA_INVALID, "%s: must lie in %s and be named without a path", file,
			       index->dir);
	if (index_read_file(index->dir, file, &text, err) < 0)
		return -1;
	if (schema_parse(buffer_span(&text), &d, err) < 0 || standard_accepts(buffer_span(&text), err) < 0)
		return err_wrap(err, "%s", file);
	if ((same = pinned(index, d))) {
		*id = same->id;
		return 0;
	}
	if (index_can_follow(index, d->root, &last, err) < 0)
		return err_wrap(err, "%s", file);
	if (!last && !subject)
		return err_set(err, REASON_SCHEMA_INVALID, "%s: the record %s is new, so its subject is needed", file,
			       schema_short_name(d->root->name));
	*id = next_id(index);
	return dry_run ? 0 : append(index, file, d, last, subject, err);
}
