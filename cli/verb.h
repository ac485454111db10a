/* verb.h -- what the verbs share: how to reach Kafka, how a result is printed, and how a verb ends. */
#ifndef FOREBAY_CLI_VERB_H
#define FOREBAY_CLI_VERB_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/error.h"
#include "common/config/options.h"
#include "common/kafka/admin.h"

/* Filled by options_load(): kafka_access_table in a set, the list among the program's. */
struct kafka_access {
	char *bootstrap_servers;
	int64_t timeout_ms;
};

extern const struct option kafka_access_table[];
extern const size_t kafka_access_count;

#define CLIENT_OVERRIDES                                                                                         \
	{                                                                                                        \
		.prefix = "client.override.",                                                                    \
		.summary = "properties of the Kafka client (security.protocol, sasl.mechanism, ...), passed on", \
	}

/* For a store: whoever looks, or drops what is old, does not stand behind somebody else's lock for ever. */
#define VERB_LOCK_TIMEOUT_MS 30000

/* The configuration of a Kafka client; the overrides are put into ARENA. */
int kafka_client(const struct kafka_access *access, const struct property_list *overrides, struct arena *arena,
		 struct client_config *ret, struct err *err);

/* GIVEN, else HERE below this directory, where a checkout has it, else the installed one. */
const char *verb_path(const char *given, const char *here, const char *installed);

/* The folder of the schemas: DIR as the option has it, by the same rule. */
#define SCHEMA_DIR_SUMMARY "our schemas and their index; empty: schemas below this directory, else the installed ones"
const char *verb_schema_dir(const char *dir);

/* One line on standard error: verb, text, what to do.  Returns the exit code for *ERR. */
int verb_fail(const char *verb, const struct err *err);

/*
 * A whole verb: load the options of PROGRAM ("forebay VERB"), call BODY with SELF and the words that are left, flush standard output,
 * clear the options, say what went wrong.  TAKES_WORDS false: a word is an error.  Returns the exit code.
 *
 * BODY: 0 done; 1 done, but what it has found is bad: exit code 2; -1 with *ERR.
 */
typedef int verb_body(void *self, int n, char **words, struct err *err);
int verb_run(const struct option_program *program, bool takes_words, int argc, char **argv, void *self,
	     verb_body *body);

/*
 * ARGV as verb_run() takes it.  Verbs that want a word look at it first where no option is there: who does not say what to do is told
 * so before any option is asked for, such as where the database is.
 */
static inline bool
verb_begins_with_option(int argc, char **argv)
{
	return argc > 1 && *argv[1] == '-';
}

/* One JSON object and a newline on standard output; takes OBJECT.  -1 on IO, NO_MEMORY (OBJECT NULL). */
int verb_print_json(json_t *object, struct err *err);

#endif
