/*
 * schemas.c -- `forebay schemas`: our schemas, and the registry that knows them by id.
 *
 *	list		every version of every record; with an http registry also the id it has there
 *	show WHAT	one schema: WHAT is a record, a subject, or an id of the registry
 *	check [FILE]	may every version follow the ones before it?  FILE: may this one follow all of them?
 *	register	all of them, in order; --dry-run only asks.  A file: registry has nothing to register: it is checked
 *	pin FILE	FILE of the schema directory becomes the next version of the record that it declares
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/verb.h"
#include "cli/verbs.h"
#include "common/base/cleanup.h"
#include "common/record/index.h"
#include "common/record/registry.h"
#include "common/record/registry_http.h"

struct schemas_options {
	char *url, *dir, *subject;
	bool dry_run, json;
};

#define AT(field) offsetof(struct schemas_options, field)

static const struct option table[] = {
	{ "schema.registry.url", OPTION_SECRET, AT(url), SCHEMA_REGISTRY_URL_DEFAULT, 1, 4096, "",
	  "file: (ids pinned beside the schemas) or http(s)://... of a Confluent-compatible registry" },
	{ "schema.dir", OPTION_TEXT, AT(dir), "", 0, 4096, "", SCHEMA_DIR_SUMMARY },
	{ "subject", OPTION_TEXT, AT(subject), "", 0, 512, "",
	  "pin: the subject of a record that is new; empty: those of the version before" },
	{ "dry.run", OPTION_BOOL, AT(dry_run), "false", 0, 0, "", "change nothing, say what would be done" },
	{ "json", OPTION_BOOL, AT(json), "false", 0, 0, "", "one JSON object on standard output" },
};

/* What a call works on. */
struct schemas_work {
	const struct schemas_options *options;
	struct registry *registry;
	const struct schema_index *index;
	struct registry_http *http; /* NULL: file: */
	json_t *result;             /* for --json; borrowed by the caller at the end */
};

static json_t *
entry_json(const struct index_entry *e)
{
	json_t *subjects = json_array();
	char guid[GUID_TEXT_BYTES];

	guid_text(e->guid, guid);
	for (size_t i = 0; i < e->n_subjects; i++)
		json_array_append_new(subjects, json_string(e->subjects[i]));
	return json_pack("{s:i, s:s, s:s, s:i, s:s, s:o}", "id", (int)e->id, "guid", guid, "record", e->record,
			 "version", e->version, "file", e->file, "subjects", subjects);
}

/* --- list --- */

/* IDS receives the id in an http registry, null where it is not registered. */
static int
list_subject(struct schemas_work *w, const struct index_entry *e, const char *subject, json_t *ids, struct err *err)
{
	struct err why = ERR_INIT;
	int32_t id = 0;

	if (w->http && registry_http_lookup(w->http, subject, e->document->text, &id, &why) < 0 &&
	    why.reason != REASON_AVRO_SCHEMA_UNKNOWN)
		return err_set(err, why.reason, "%s", why.text);
	json_object_set_new(ids, subject, id ? json_integer(id) : json_null());
	if (w->options->json)
		return 0;
	printf("%4d  %-14s %3d  %-22s %s", e->id, e->record, e->version, e->file, subject);
	if (id)
		printf(": registered as id %d", id);
	puts(w->http && !id ? ": not registered" : "");
	return 0;
}

static int
run_list(struct schemas_work *w, const char *what, struct err *err)
{
	json_t *list = json_array();

	(void)what;
	json_object_set_new(w->result, "schemas", list);
	if (!w->options->json)
		printf("%4s  %-14s %3s  %-22s %s\n", "id", "record", "ver", "file", "subject");
	for (size_t i = 0; i < w->index->n_entries; i++) {
		const struct index_entry *e = &w->index->entries[i];
		json_t *json = entry_json(e), *ids = json_object();

		json_array_append_new(list, json);
		if (w->http)
			json_object_set(json, "registered", ids);
		for (size_t k = 0; k < e->n_subjects; k++) {
			if (list_subject(w, e, e->subjects[k], ids, err) < 0) {
				json_decref(ids);
				return -1;
			}
		}
		json_decref(ids);
	}
	return 0;
}

/* --- show --- */

/* The newest entry that WHAT names: record or subject. */
static const struct index_entry *
find(const struct schema_index *index, const char *what)
{
	for (size_t i = index->n_entries; i-- > 0;) {
		const struct index_entry *e = &index->entries[i];

		if (strcasecmp(e->record, what) == 0)
			return e;
		for (size_t k = 0; k < e->n_subjects; k++) {
			if (strcmp(e->subjects[k], what) == 0)
				return e;
		}
	}
	return NULL;
}

static int
run_show(struct schemas_work *w, const char *what, struct err *err)
{
	const struct index_entry *e = find(w->index, what);
	const struct schema_document *d = e ? e->document : NULL;
	char *end;
	long id = strtol(what, &end, 10);

	if (!e && *what && !*end && id > 0 && id <= INT32_MAX) {
		if (registry_by_id(w->registry, (int32_t)id, &d, err) < 0)
			return -1;
		e = w->http ? NULL : index_by_id(w->index, (int32_t)id);
	}
	if (!d)
		return err_set(err, REASON_USAGE, "%s: no record, subject or id of that name; see `schemas list`",
			       what);
	if (!w->options->json) {
		size_t n = strlen(d->text);

		fputs(d->text, stdout);
		if (n == 0 || d->text[n - 1] != '\n')
			fputc('\n', stdout);
		return 0;
	}
	if (e)
		json_object_update_new(w->result, entry_json(e));
	json_object_set_new(w->result, "schema", json_loads(d->text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL));
	return 0;
}

/* --- check --- */

static int
check_with_registry(struct schemas_work *w, const struct index_entry *subjects_of, const char *text, struct err *err)
{
	for (size_t i = 0; w->http && subjects_of && i < subjects_of->n_subjects; i++) {
		if (registry_http_compatible(w->http, subjects_of->subjects[i], text, err) < 0)
			return -1;
	}
	return 0;
}

static int
check_file(struct schemas_work *w, const char *path, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer text = BUFFER_INIT(SCHEMA_TEXT_MAX);
	CLEANUP(schema_document_free)
	struct schema_document *d = NULL;
	const struct index_entry *last = NULL;

	if (index_read_file(NULL, path, &text, err) < 0)
		return -1;
	if (schema_parse(buffer_span(&text), &d, err) < 0 || index_can_follow(w->index, d->root, &last, err) < 0 ||
	    check_with_registry(w, last, d->text, err) < 0)
		return err_wrap(err, "%s", path);
	if (!w->options->json)
		printf("%s: may be version %d of %s\n", path, last ? last->version + 1 : 1,
		       schema_short_name(d->root->name));
	json_object_set_new(w->result, "record", json_string(schema_short_name(d->root->name)));
	json_object_set_new(w->result, "next_version", json_integer(last ? last->version + 1 : 1));
	return 0;
}

static int
run_check(struct schemas_work *w, const char *what, struct err *err)
{
	if (*what)
		return check_file(w, what, err);
	if (index_verify(w->index, err) < 0)
		return -1;
	for (size_t i = 0; i < w->index->n_entries; i++) {
		const struct index_entry *e = &w->index->entries[i];

		if (e == index_newest(w->index, e->record) && check_with_registry(w, e, e->document->text, err) < 0)
			return -1;
	}
	if (!w->options->json)
		printf("%zu schemas: each may follow the ones before it\n", w->index->n_entries);
	json_object_set_new(w->result, "checked", json_integer((json_int_t)w->index->n_entries));
	return 0;
}

/* --- register --- */

struct tally {
	json_t *actions;
	int created, kept;
};

static void
tell(const struct schemas_work *w, struct tally *t, const char *action, const struct index_entry *e,
     const char *subject, int32_t id)
{
	if (!w->options->json && id)
		printf("%-8s  %s version %d: id %d\n", action, subject, e->version, (int)id);
	else if (!w->options->json)
		printf("%-8s  %s version %d\n", action, subject, e->version);
	json_array_append_new(t->actions, json_pack("{s:s, s:s, s:i, s:o}", "action", action, "subject", subject,
						    "version", e->version, "id", id ? json_integer(id) : json_null()));
}

static int
register_one(struct schemas_work *w, struct tally *t, const struct index_entry *e, const char *subject, struct err *err)
{
	const char *text = e->document->text;
	struct err why = ERR_INIT;
	int32_t id = 0;

	if (registry_http_lookup(w->http, subject, text, &id, &why) == 0) {
		t->kept++;
		tell(w, t, "keep", e, subject, id);
		return w->options->dry_run ? 0 : registry_http_set_level(w->http, subject, SCHEMA_COMPATIBILITY, err);
	}
	if (why.reason != REASON_AVRO_SCHEMA_UNKNOWN)
		return err_set(err, why.reason, "%s", why.text);
	if (w->options->dry_run) {
		if (registry_http_compatible(w->http, subject, text, err) < 0)
			return -1;
	} else if (registry_http_set_level(w->http, subject, SCHEMA_COMPATIBILITY, err) < 0 ||
		   registry_http_register(w->http, subject, text, &id, err) < 0) {
		return -1;
	}
	t->created++;
	tell(w, t, "register", e, subject, id);
	return 0;
}

static int
run_register(struct schemas_work *w, const char *what, struct err *err)
{
	struct tally t = { .actions = json_array() };

	(void)what;
	json_object_set_new(w->result, "actions", t.actions);
	if (index_verify(w->index, err) < 0)
		return -1;
	for (size_t i = 0; w->http && i < w->index->n_entries; i++) {
		const struct index_entry *e = &w->index->entries[i];

		for (size_t k = 0; k < e->n_subjects; k++) {
			if (register_one(w, &t, e, e->subjects[k], err) < 0)
				return err_wrap(err, "%s", e->subjects[k]);
		}
	}
	if (!w->http)
		t.kept = (int)w->index->n_entries;
	if (!w->options->json)
		printf("%s: %d %s, %d as wanted\n", registry_name(w->registry), t.created,
		       w->options->dry_run ? "to register" : "registered", t.kept);
	json_object_set_new(w->result, "registered", json_integer(t.created));
	json_object_set_new(w->result, "kept", json_integer(t.kept));
	json_object_set_new(w->result, "applied", json_boolean(!w->options->dry_run));
	return 0;
}

/* --- pin --- */

static int
run_pin(struct schemas_work *w, const char *what, struct err *err)
{
	const char *subject = *w->options->subject ? w->options->subject : NULL;
	int32_t id = 0;
	bool there;

	if (!*what)
		return err_set(err, REASON_USAGE, "pin which file?");
	if (index_pin(w->index, what, subject, w->options->dry_run, &id, err) < 0)
		return -1;
	there = index_by_id(w->index, id) != NULL;
	if (!w->options->json)
		printf("%s: %s id %d\n", what,
		       there                 ? "is there already,"
		       : w->options->dry_run ? "would be"
					     : "is now",
		       id);
	json_object_set_new(w->result, "id", json_integer(id));
	json_object_set_new(w->result, "applied", json_boolean(!there && !w->options->dry_run));
	return 0;
}

static const struct word {
	const char *name;
	int (*run)(struct schemas_work *w, const char *what, struct err *err);
	int least, most; /* further words */
} words[] = {
	{ "list", run_list, 0, 0 }, { "show", run_show, 1, 1 },         { "check", run_check, 0, 1 },
	{ "pin", run_pin, 1, 1 },   { "register", run_register, 0, 0 },
};

static int
run(const struct schemas_options *options, int n, char **rest, struct err *err)
{
	CLEANUP(registry_free)
	struct registry *registry = NULL;
	struct schemas_work w = { .options = options };
	const struct word *word = words;
	int failed;

	while (word < words + ARRAY_LEN(words) && (n < 1 || strcmp(word->name, rest[0]) != 0))
		word++;
	if (word == words + ARRAY_LEN(words) || n - 1 < word->least || n - 1 > word->most)
		return err_set(err, REASON_USAGE,
			       "say what to do: list, show WHAT, check [FILE], register or pin FILE");
	if (registry_new(options->url, verb_schema_dir(options->dir), &registry, err) < 0)
		return -1;
	w.registry = registry;
	w.index = registry_index(registry);
	w.http = registry_client(registry);
	w.result = json_object();
	failed = !w.result ? err_set(err, REASON_NO_MEMORY, "JSON output") : word->run(&w, n > 1 ? rest[1] : "", err);
	if (!failed && options->json)
		return verb_print_json(w.result, err);
	json_decref(w.result);
	return failed;
}

static int
schemas(void *self, int n, char **rest, struct err *err)
{
	return run(self, n, rest, err);
}

int
verb_schemas(int argc, char **argv)
{
	struct schemas_options options = { 0 };
	const struct option_set sets[] = { { "Schemas", table, ARRAY_LEN(table), &options } };
	const struct option_program program = {
		"forebay schemas",
		"list | show WHAT | check [FILE] | register | pin FILE: the schemas of the records",
		sets,
		ARRAY_LEN(sets),
		NULL,
		0
	};

	return verb_run(&program, true, argc, argv, &options, schemas);
}
