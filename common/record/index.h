/*
 * index.h -- DIR/index.json: our own schemas, every version ever pinned, with the ids of the file registry.
 *
 *	{ "schemas": [ { "id": 1, "guid": "...", "record": "Reading", "version": 1, "file": "reading.avsc",
 *			 "fingerprint": "...", "subjects": ["telemetry.readings-value", ...] }, ... ] }
 *
 * An entry is never changed or removed, since topics hold records that name its id; a new version is a new entry with a
 * file of its own.  The fingerprint (16 hex digits, CRC-64-AVRO) catches a file that was changed in place; what it does
 * not cover (documentation, defaults, aliases) may be improved.
 */
#ifndef FOREBAY_RECORD_INDEX_H
#define FOREBAY_RECORD_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "common/record/framing.h"
#include "common/record/schema.h"

struct index_entry {
	int32_t id;
	unsigned char guid[GUID_BYTES];
	const char *record; /* without namespace */
	int version;        /* within the record, from 1 */
	const char *file;   /* within the directory */
	const char **subjects;
	size_t n_subjects;
	struct schema_document *document;
};

struct schema_index {
	char *dir;
	struct index_entry *entries; /* in the order of the file: versions of a record ascend */
	size_t n_entries;
	/* Private: */
	struct arena *arena;
	json_t *json;
};

/* Reads index and schemas.  -1 on SCHEMA_INVALID (file, entry and what is wrong), NO_MEMORY. */
int index_load(const char *dir, struct schema_index **ret, struct err *err);
void index_free(struct schema_index *index);
DEFINE_CLEANUP(struct schema_index, index_free)

/* NULL: none.  The newest of a record or subject is the last one. */
const struct index_entry *index_by_id(const struct schema_index *index, int32_t id);
const struct index_entry *index_by_guid(const struct schema_index *index, const unsigned char guid[GUID_BYTES]);
const struct index_entry *index_newest(const struct schema_index *index, const char *record);

/* Every version of every record must be able to follow all earlier ones.  -1 on SCHEMA_INCOMPATIBLE. */
int index_verify(const struct schema_index *index, struct err *err);

/* Can SCHEMA follow all versions of the record of its name?  *LAST is the newest one, NULL for a record that is new. */
int index_can_follow(const struct schema_index *index, const struct schema *schema, const struct index_entry **last,
		     struct err *err);

/*
 * Add FILE of the index's directory as the next version of the record it declares, with the next id and a random GUID,
 * and write index.json anew (atomically) unless DRY_RUN.  *ID is the id, also that of a version that is there already
 * with the same content.  SUBJECT (NULL: those of the version before) is needed for a record that is new.
 * -1 on SCHEMA_INVALID, SCHEMA_INCOMPATIBLE, FILE_UNREADABLE, IO.
 */
int index_pin(const struct schema_index *index, const char *file, const char *subject, bool dry_run, int32_t *id,
	      struct err *err);

/* A whole file as text, DIR/FILE or, DIR being NULL, FILE.  -1 on FILE_UNREADABLE, NO_MEMORY. */
int index_read_file(const char *dir, const char *file, struct buffer *out, struct err *err);

#endif
