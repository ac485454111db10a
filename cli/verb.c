/* verb.c -- see verb.h. */
#include "cli/verb.h"

#include <float.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/verbs.h"
#include "common/record/registry.h"

const struct option kafka_access_table[] = {
	{ "bootstrap.servers", OPTION_TEXT, offsetof(struct kafka_access, bootstrap_servers), "localhost:9092", 1, 4096,
	  "", "brokers to start from, host:port, comma separated" },
	{ "request.timeout.ms", OPTION_INT, offsetof(struct kafka_access, timeout_ms), "15000", 100, 600000, "ms",
	  "how long an answer of the cluster is waited for" },
};
const size_t kafka_access_count = ARRAY_LEN(kafka_access_table);

int
kafka_client(const struct kafka_access *access, const struct property_list *overrides, struct arena *arena,
	     struct client_config *ret, struct err *err)
{
	struct client_property *properties = arena_alloc(arena, (overrides->n_items + 1) * sizeof(*properties));

	if (!properties)
		return err_set(err, REASON_NO_MEMORY, "client properties");
	for (size_t i = 0; i < overrides->n_items; i++)
		properties[i] = (struct client_property){ overrides->items[i].key, overrides->items[i].value };
	*ret = (struct client_config){
		.bootstrap_servers = access->bootstrap_servers,
		.client_id = "forebay",
		.overrides = properties,
		.n_overrides = overrides->n_items,
	};
	return 0;
}

const char *
verb_path(const char *given, const char *here, const char *installed)
{
	return *given ? given : access(here, R_OK) == 0 ? here : installed;
}

const char *
verb_schema_dir(const char *dir)
{
	return *dir ? dir : access("schemas/index.json", R_OK) == 0 ? "schemas" : SCHEMA_DIR_DEFAULT;
}

static bool
is_usage(enum err_reason reason)
{
	return reason == REASON_USAGE || reason == REASON_OPTION_UNKNOWN || reason == REASON_OPTION_INVALID;
}

int
verb_fail(const char *verb, const struct err *err)
{
	const char *remedy = err_reason_remedy(err->reason);
	bool told = *remedy && strncmp(remedy, "nothing", 7) != 0; /* "nothing: ..." is for who keeps running */
	char line[sizeof(err->text)];

	snprintf(line, sizeof(line), "%s", err->text);
	for (char *c = line; *c; c++)
		if ((unsigned char)*c < ' ')
			*c = ' ';
	fprintf(stderr, "forebay %s: %s [%s%s%s]\n", verb, line, err_reason_name(err->reason), told ? ": " : "",
		told ? remedy : "");
	return is_usage(err->reason) ? EXIT_WRONG_USAGE : EXIT_FAILED;
}

int
verb_print_json(json_t *object, struct err *err)
{
	int failed;

	if (!object)
		return err_set(err, REASON_NO_MEMORY, "JSON output");
	/* A measured value comes out with the digits that it was read with. */
	failed = json_dumpf(object, stdout, JSON_COMPACT | JSON_REAL_PRECISION(DBL_DIG)) < 0 || puts("") < 0 ||
		 fflush(stdout);
	json_decref(object);
	return failed ? err_set(err, REASON_IO, "standard output cannot be written") : 0;
}

int
verb_run(const struct option_program *program, bool takes_words, int argc, char **argv, void *self, verb_body *body)
{
	const char *name = program->name + strlen("forebay ");
	enum options_verdict verdict;
	struct err err = ERR_INIT;
	char **words = NULL;
	int n = 0, result;

	if (options_load(program, argc, argv, takes_words ? &n : NULL, takes_words ? &words : NULL, &verdict, &err) < 0)
		return verb_fail(name, &err);
	result = verdict == OPTIONS_DONE ? 0 : body(self, n, words, &err);
	if (result >= 0 && (fflush(stdout) || ferror(stdout)))
		result = err_set(&err, REASON_IO, "standard output cannot be written");
	options_clear(program);
	if (result < 0)
		return verb_fail(name, &err);
	return result ? EXIT_FAILED : EXIT_DONE;
}
