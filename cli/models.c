/*
 * models.c -- `forebay models`: trained models, their standing, and what topic models is told of it.
 *
 *	list			every version, newest first
 *	show VERSION		what it is, how good it was, and what has happened to it
 *	diff A B		two versions side by side
 *	promote VERSION		candidate, canary, live
 *	roll-back NAME		the version before lives again
 *	export VERSION FILE	the artefact as a file
 *	import FILE		an artefact becomes a candidate
 *	announce		tell the topic what it has not been told
 */
#include "cli/models.h"

#include <stdio.h>
#include <string.h>

#include "cli/verbs.h"
#include "common/base/clock.h"
#include "common/record/registry.h"
#include "common/worker/announce.h"

#define AT(field) offsetof(struct models_options, field)

static const struct option table[] = {
	{ "postgres.uri", OPTION_SECRET, AT(postgres_uri), NULL, 1, 4096, "",
	  "postgresql://user:password@host:port/database" },
	{ "postgres.connect.timeout.ms", OPTION_INT, AT(connect_timeout_ms), "10000", 100, 600000, "ms",
	  "how long to try to connect, all hosts of the URI together" },
	{ "name", OPTION_TEXT, AT(name), "", 0, 512, "", "versions of this model alone; empty: of all" },
	{ "to", OPTION_TEXT, AT(to), "", 0, 16, "",
	  "promote: canary or live; empty: the next one, from candidate to canary to live" },
	{ "share", OPTION_REAL, AT(share), "0.1", 0, 1, "", "promote: of the devices, for a canary" },
	{ "why", OPTION_TEXT, AT(why), "", 0, 400, "", "a line for whoever asks later; empty: the command" },
	{ "topic", OPTION_TEXT, AT(topic), ANNOUNCE_TOPIC, 1, 249, "", "the topic that is told" },
	{ "schema.registry.url", OPTION_SECRET, AT(registry_url), SCHEMA_REGISTRY_URL_DEFAULT, 1, 4096, "",
	  "file: (ids pinned beside the schemas) or http(s)://... of a Confluent-compatible registry" },
	{ "schema.dir", OPTION_TEXT, AT(schema_dir), "", 0, 4096, "", SCHEMA_DIR_SUMMARY },
	{ "json", OPTION_BOOL, AT(json), "false", 0, 0, "", "one JSON object on standard output" },
};

static const struct word {
	const char *name;
	int (*run)(struct models *c, struct err *err);
	int n; /* words behind it */
	const char *wants;
} words[] = {
	{ "list", models_do_list, 0, "" },
	{ "show", models_do_show, 1, " VERSION" },
	{ "diff", models_do_diff, 2, " VERSION VERSION" },
	{ "promote", models_do_promote, 1, " VERSION" },
	{ "roll-back", models_do_roll_back, 1, " NAME" },
	{ "export", models_do_export, 2, " VERSION FILE" },
	{ "import", models_do_import, 1, " FILE" },
	{ "announce", models_do_announce, 0, "" },
};

/* ---- what the words share ---- */

const char *
models_text(struct models *c, struct span text)
{
	const char *copy = arena_copy(c->arena, text).ptr;

	return copy ? copy : "";
}

const char *
models_time(struct models *c, int64_t us)
{
	char text[CLOCK_TEXT_BYTES];

	clock_iso8601(us, text);
	return models_text(c, span_of(text));
}

const char *
models_since(struct models *c, int64_t us)
{
	char text[CLOCK_TEXT_BYTES];

	clock_iso8601(us, text);
	text[strcspn(text, "T")] = ' ';
	return models_text(c, (struct span){ text, strcspn(text, ".") - 3 });
}

/* WORD is "[name/]version"; how much of M's version it is: 0: none, 1: its beginning, 2: all. */
static int
matches(const struct model *m, const char *word)
{
	const char *slash = strchr(word, '/');
	struct span name = { word, slash ? (size_t)(slash - word) : 0 };
	struct span version = span_of(slash ? slash + 1 : word);

	if (slash && !span_equal(name, m->name))
		return 0;
	if (span_equal(version, m->version))
		return 2;
	return version.len > 0 && version.len < m->version.len && memcmp(version.ptr, m->version.ptr, version.len) == 0;
}

static int
several(const char *word, const struct model *list, size_t n, int match, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer names = BUFFER_INIT(300);

	for (size_t i = 0; i < n; i++)
		if (matches(&list[i], word) == match &&
		    buffer_printf(&names, "%s%.*s/%.*s", names.len ? ", " : "", SPAN_ARG(list[i].name),
				  SPAN_ARG(list[i].version)) < 0)
			break;
	return err_set(err, REASON_USAGE, "%.200s may be %.*s: say more of it", word, SPAN_ARG(buffer_span(&names)));
}

/* The live version of model NAME, or its newest one; NULL: there is no such model. */
static const struct model *
newest_of(const char *name, const struct model *list, size_t n)
{
	const struct model *newest = NULL;

	for (size_t i = 0; i < n; i++) {
		if (!span_equal(list[i].name, span_of(name)))
			continue;
		if (list[i].status == MODEL_LIVE)
			return &list[i];
		newest = newest ? newest : &list[i];
	}
	return newest;
}

int
models_find(struct models *c, const char *word, struct model *ret, struct err *err)
{
	struct span name = *c->options->name ? span_of(c->options->name) : SPAN_NONE;
	const struct model *found = NULL;
	struct model *list;
	size_t n, count[3] = { 0 };
	bool there;
	int match;

	if (models_list(c->store, name, c->arena, &list, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		count[matches(&list[i], word)]++;
	match = count[2] ? 2 : 1;
	for (size_t i = 0; i < n; i++)
		if (matches(&list[i], word) == match)
			found = &list[i];
	if (!found)
		found = newest_of(word, list, n);
	if (!found)
		return err_set(err, REASON_USAGE, "no model has a version %.200s or is called so (forebay models list)",
			       word);
	if (count[match] > 1)
		return several(word, list, n, match, err);
	if (models_get(c->store, found->name, found->version, c->arena, ret, &there, err) < 0)
		return -1;
	return there ? 0 : err_set(err, REASON_USAGE, "version %.200s has just been deleted", word);
}

/* ---- the verb ---- */

static int
run(const struct models_options *o, const struct property_list *overrides, const struct word *word, char **given,
    bool *broken, struct err *err)
{
	const struct store_options where = { .uri = o->postgres_uri,
					     .application_name = "forebay models",
					     .connect_timeout_ms = o->connect_timeout_ms };
	CLEANUP(store_free)
	struct store *store = NULL;
	CLEANUP(arena_free)
	struct arena *arena = arena_new(1 << 16, 0);
	struct models c = { .options = o, .overrides = overrides, .words = given, .arena = arena };

	if (!arena)
		return err_set(err, REASON_NO_MEMORY, "models");
	if (store_new(&where, &store, err) < 0)
		return -1;
	c.store = store;
	if (word->run(&c, err) < 0)
		return -1;
	*broken = c.broken;
	return 0;
}

static int
check_words(int n, char **given, const struct word **ret, struct err *err)
{
	for (size_t i = 0; n > 0 && i < ARRAY_LEN(words); i++) {
		if (strcmp(given[0], words[i].name) != 0)
			continue;
		*ret = &words[i];
		if (n - 1 == words[i].n)
			return 0;
		return err_set(err, REASON_USAGE, "%s: it is `forebay models %s%s`", given[0], given[0],
			       words[i].wants);
	}
	return err_set(err, REASON_USAGE,
		       "%.40s%ssay what to do: list, show, diff, promote, roll-back, export, import or announce",
		       n > 0 ? given[0] : "", n > 0 ? " is none of what there is: " : "");
}

static bool
says_nothing(int argc, char **argv)
{
	bool known = verb_begins_with_option(argc, argv);

	for (size_t i = 0; argc > 1 && i < ARRAY_LEN(words); i++)
		known |= strcmp(argv[1], words[i].name) == 0;
	return !known;
}

struct models_call {
	struct models_options options;
	struct property_list overrides;
};

static int
models(void *self, int n, char **given, struct err *err)
{
	const struct models_call *c = self;
	const struct word *word = NULL;
	bool broken = false;

	if (check_words(n, given, &word, err) < 0 || run(&c->options, &c->overrides, word, given + 1, &broken, err) < 0)
		return -1;
	return broken;
}

int
verb_models(int argc, char **argv)
{
	struct models_call c = { .overrides = CLIENT_OVERRIDES };
	const struct option_set sets[] = { { "Models", table, ARRAY_LEN(table), &c.options },
					   { "Kafka", kafka_access_table, kafka_access_count, &c.options.kafka } };
	const struct option_program program = {
		"forebay models",
		"list | show V | diff V V | promote V | roll-back NAME | export V FILE | import FILE | announce: trained "
		"models and their standing (V: a version, its beginning, or a NAME for the one that is live)",
		sets,
		ARRAY_LEN(sets),
		&c.overrides,
		1
	};
	const struct word *none;
	struct err err = ERR_INIT;

	if (says_nothing(argc, argv)) {
		check_words(argc - 1, argv + 1, &none, &err);
		return verb_fail("models", &err);
	}
	return verb_run(&program, true, argc, argv, &c, models);
}
