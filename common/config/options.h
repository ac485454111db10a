/*
 * options.h -- configuration as tables.  A program lists its keys once; file, environment, flags, --help and the pages
 * of docs/ walk the same table.
 *
 * A value comes from, the later the stronger: the table's default; the file named by --config FILE (or FOREBAY_CONFIG),
 * a properties file: `key=value`, '#' and '!' comments, a backslash continues a line; the environment
 * (commit.interval.ms is FOREBAY_COMMIT_INTERVAL_MS); the flag --commit.interval.ms=50 (also as two words).
 * Inside a value ${env:NAME} and ${file:PATH} (whole file, trailing newline cut) or ${file:PATH:KEY} (a properties file)
 * are replaced.  Unknown and ill-typed keys fail with key, file, line and a suggestion.
 */
#ifndef FOREBAY_CONFIG_OPTIONS_H
#define FOREBAY_CONFIG_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/base/buffer.h"
#include "common/base/error.h"

enum option_type {
	OPTION_TEXT,   /* char *, owned by the options; min/max bound the length in bytes */
	OPTION_SECRET, /* as OPTION_TEXT, printed as [hidden] everywhere */
	OPTION_BOOL,   /* bool: true/false (also yes/no, on/off, 1/0) */
	OPTION_INT,    /* int64_t within min..max, in the unit that the key or `unit` names */
	OPTION_BYTES,  /* int64_t, a number with an optional unit: 512, 64k, 16M, 1G (powers of 1024) */
	OPTION_REAL,   /* double within min..max */
	OPTION_CHOICE, /* int: index into `choices` ("none|all") */
};

struct option {
	const char *key;
	enum option_type type;
	size_t offset;        /* of the field in the target structure: offsetof() */
	const char *fallback; /* the default as text; NULL: required */
	double min, max;
	const char *unit; /* "ms", "bytes", "records", ""; for OPTION_CHOICE the choices */
	const char *summary;
};

/* A table and the structure its offsets point into.  A program passes several: the worker library's and its own. */
struct option_set {
	const char *title; /* heading on the page and in --help */
	const struct option *options;
	size_t n_options;
	void *target;
};

/* Key/value pairs under a prefix that are passed on as they are: consumer.override.*, producer.override.* */
struct property {
	char *key, *value; /* key without the prefix */
};
struct property_list {
	const char *prefix; /* "consumer.override." */
	const char *summary;
	struct property *items;
	size_t n_items;
};

struct option_program {
	const char *name;    /* "ingest-router" */
	const char *summary; /* one line for --help */
	const struct option_set *sets;
	size_t n_sets;
	struct property_list *lists;
	size_t n_lists;
};

enum options_verdict { OPTIONS_RUN, OPTIONS_DONE };

/*
 * Fill every target.  *VERDICT is OPTIONS_DONE when --help, --version or --print-options-page was asked for and has been
 * printed on standard output: leave with exit code 0.  *N_REST and REST receive the words that are no flags (may be NULL:
 * then a word is an error).  -1 on OPTION_UNKNOWN, OPTION_INVALID, FILE_UNREADABLE, FILE_INVALID.
 */
int options_load(const struct option_program *program, int argc, char **argv, int *n_rest, char ***rest,
		 enum options_verdict *verdict, struct err *err);

/* Free the texts of every target and the lists' items.  The targets may be loaded again. */
void options_clear(const struct option_program *program);

/* The effective configuration, one JSON object of key: value, secrets hidden: for the log and for REST. */
int options_json(const struct option_program *program, struct buffer *out);

/* Markdown for docs/options.md: one section per set of this program. */
int options_page(const struct option_program *program, FILE *out);

/*
 * Read a properties file and hand every pair to VISIT in order (key, value, line number; secrets are resolved).  Used
 * for declarative files such as deploy/topics.properties and path maps.  VISIT returns -1 with *ERR to stop.
 */
int properties_read(const char *path,
		    int (*visit)(void *ctx, const char *key, const char *value, int line, struct err *err), void *ctx,
		    struct err *err);

/* The candidate nearest to WORD by edit distance, or NULL when none is near (for "did you mean"). */
const char *options_nearest(const char *word, const char *const *candidates, size_t n);

#endif
