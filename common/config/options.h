/*
 * options.h -- configuration as tables.  A program lists its keys once; file, environment, flags, --help and the pages
 * of docs/ walk the same table.
 *
 * A value comes from, the later the stronger:
 *	the table's default
 *	the file named by --config FILE (or FOREBAY_CONFIG), a properties file (see properties_parse)
 *	the environment: commit.interval.ms is FOREBAY_COMMIT_INTERVAL_MS
 *	the flag --commit.interval.ms=50, also as two words, also with dashes for dots; a bare --key sets a bool;
 *	of equal flags the last counts; `--` ends the flags
 * Only the strongest is looked at.  Inside it ${env:NAME} and ${file:PATH} (whole file, trailing newlines cut) or
 * ${file:PATH:KEY} (a properties file) are replaced, once; $${ stands for ${.  Unknown and ill-typed keys fail with
 * key, place and a suggestion; a secret, or what was read by ${...}, is never part of an error text.
 * Unknown FOREBAY_... variables are left alone: other programs, scripts and tests share the prefix.
 *
 * Flags that every program has: --help (-h), --version, --check (read everything, print what would be in force as
 * JSON), --print-options-page, --config FILE.
 */
#ifndef FOREBAY_CONFIG_OPTIONS_H
#define FOREBAY_CONFIG_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/base/buffer.h"
#include "common/base/error.h"
#include "common/base/span.h"

enum option_type {
	OPTION_TEXT,   /* char *, owned by the options; min/max bound the length in bytes */
	OPTION_SECRET, /* as OPTION_TEXT, its value printed as [hidden] everywhere */
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
	double min, max;      /* both 0: no bounds */
	const char *unit;     /* "ms", "bytes", "records", ""; for OPTION_CHOICE the choices */
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
	bool secret;       /* read by ${...}, or the key speaks of a password, token, private key: not to be printed */
};
struct property_list {
	const char *prefix; /* "consumer.override." */
	const char *summary;
	struct property *items; /* sorted by key */
	size_t n_items;
};

struct option_program {
	const char *name;    /* "ingest-router" */
	const char *summary; /* one line for --help */
	const struct option_set *sets;
	size_t n_sets;
	struct property_list *lists;
	size_t n_lists;
	const char *words; /* that stand behind the name, for --help: "FILE"; NULL: none */
};

enum options_verdict { OPTIONS_RUN, OPTIONS_DONE };

/*
 * Fill every target; what the targets held before is overwritten, not freed.  *VERDICT is OPTIONS_DONE when --help,
 * --version, --check or --print-options-page was asked for and has been printed on standard output: leave with exit
 * code 0.  *N_REST and *REST receive the words that are no flags (may be NULL: then a word is an error): ARGV is put
 * in order, flags first, and *REST points into it.  -1 on USAGE, OPTION_UNKNOWN, OPTION_INVALID, FILE_UNREADABLE,
 * FILE_INVALID, IO (standard output), NO_MEMORY; nothing is then left to clear.
 */
int options_load(const struct option_program *program, int argc, char **argv, int *n_rest, char ***rest,
		 enum options_verdict *verdict, struct err *err);

/* Free the texts of every target and the lists' items.  The targets may be loaded again. */
void options_clear(const struct option_program *program);

/*
 * The effective configuration, one JSON object of key: value, secrets hidden: for the log and for REST.  -1: OUT is
 * full.
 */
int options_json(const struct option_program *program, struct buffer *out);

/* Markdown for docs/options.md: one section ("## title") per set of this program.  -1 when writing failed. */
int options_page(const struct option_program *program, FILE *out);

/*
 * Hand every pair of a properties text to VISIT, in order: key, value, number of the line that it starts in.  As Java
 * reads them: `key=value` or `key: value`, '#' and '!' comment lines, a backslash at the end continues a line (white
 * space at the start of the next one is skipped), \t \n \r \f \uXXXX, and \x for any other x.  Stricter than Java: a
 * line without '=' or ':', white space inside a key, a broken \u and a key given twice are errors, and white space at
 * the end of a value is cut.  At most 1 MiB of text and 64 KiB of line.  ${...} is not looked at.
 * NAME stands for the file in errors.  VISIT returns -1 with *ERR to stop.  -1 on FILE_INVALID, NO_MEMORY, or what
 * VISIT says, as it says it.
 */
typedef int property_visit(void *ctx, const char *key, const char *value, int line, struct err *err);
int properties_parse(struct span text, const char *name, property_visit *visit, void *ctx, struct err *err);

/*
 * The same for a file, with ${...} in the values replaced.  Used for declarative files such as deploy/topics.properties
 * and path maps; "PATH:LINE: " is put in front of what VISIT says.  -1 also on FILE_UNREADABLE and OPTION_INVALID (a
 * ${...} that leads nowhere).
 */
int properties_read(const char *path, property_visit *visit, void *ctx, struct err *err);

/* The candidate nearest to WORD by edit distance, or NULL when none is near (for "did you mean"). */
const char *options_nearest(const char *word, const char *const *candidates, size_t n);

#endif
