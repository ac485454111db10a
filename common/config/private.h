/*
 * private.h -- what the files of common/config share: values.c knows one value of one option, slots.c which text is in
 * force for a key, sources.c and flags.c where texts come from.
 */
#ifndef FOREBAY_CONFIG_PRIVATE_H
#define FOREBAY_CONFIG_PRIVATE_H

#include "common/base/arena.h"
#include "common/base/buffer.h"
#include "common/base/map.h"
#include "common/config/options.h"

#define FILE_MAX_BYTES 1048576
#define VALUE_MAX_BYTES 65536
#define HIDDEN "[hidden]"
#define ENVIRONMENT_PREFIX "FOREBAY_"

/* A key, the text that is in force so far, and where that stood ("flag --x", "etc/x.properties:3"). */
struct slot {
	const struct option *option; /* NULL: an item of LIST */
	void *target;
	struct property_list *list;
	const char *key, *text, *where;
};

/* A flag as it was given: applied last. */
struct flag {
	struct slot *slot;
	const char *text, *where;
};

/* One call of options_load. */
struct load {
	const struct option_program *program;
	struct arena *arena; /* every text that is made on the way */
	struct map *by_key;  /* key -> slot */
	struct slot **slots; /* in the order of the tables, then list items as they come */
	size_t n_slots, n_options;
	struct flag *flags;
	size_t n_flags;
	const char *config_path, *config_where;
	bool check;
};

/* A slot for every row of every table, its default in it. */
int slots_new(struct load *l, struct err *err);

/* The slot of KEY, made when KEY is an item of a list; NULL when there is none (an unknown key, or no room). */
struct slot *slot_of(struct load *l, const char *key);

/* Put TEXT into the slot of KEY; both and WHERE are kept by reference (NULL: no memory for it). */
int slot_put(struct load *l, const char *key, const char *text, const char *where, struct err *err);

/* The error for a KEY that slot_of does not find. */
int slot_unknown(struct load *l, const char *key, const char *where, struct err *err);

/* The weaker sources, applied to the slots. */
int read_file(struct load *l, struct err *err);
int read_environment(struct load *l, struct err *err);

/* Collect the flags of ARGV; puts ARGV in order, flags first, and tells where the other words start (ARGC: none). */
int flags_collect(struct load *l, int argc, char **argv, int *first_word, struct err *err);

/* Whether FLAG ("--help") stands among the flags of ARGV. */
bool flags_have(int argc, char **argv, const char *flag);

int load_no_memory(struct err *err);

/* "(WHERE)" behind the text of ERR. */
int err_at(struct err *err, const char *where);

/*
 * Convert TEXT and store it in the field of O inside TARGET, freeing nothing.  HIDE keeps TEXT out of the error, which
 * names only the key: the caller adds where the text stood.  -1 on OPTION_INVALID, NO_MEMORY.
 */
int value_store(const struct option *o, void *target, const char *text, bool hide, struct err *err);

/* Free what the field owns and empty it; value_forget only empties it. */
void value_clear(const struct option *o, void *target);
void value_forget(const struct option *o, void *target);

/* true/false of one word; -1 when it is neither. */
int value_bool(const char *text, bool *ret);

/* The field as a JSON value, a secret hidden. */
int value_json(const struct option *o, const void *target, struct buffer *out);

/* "1..60000 ms", "one of none, all", "at most 200 bytes"; "" when there is nothing to say. */
#define RANGE_BYTES 256
void value_range(const struct option *o, char text[RANGE_BYTES]);

/* TEXT with every ${...} replaced, into OUT (NUL-terminated).  *USED says whether there was any. */
int secrets_resolve(const char *text, struct buffer *out, bool *used, struct err *err);

/* Append a whole file; -1 on FILE_UNREADABLE, or FILE_INVALID when it is larger than OUT may be. */
int file_append(const char *path, struct buffer *out, struct err *err);

/* FOREBAY_COMMIT_INTERVAL_MS for commit.interval.ms; NULL when memory is out. */
char *environment_name(struct arena *arena, const char *key);

/* --help and --version. */
void help_print(const struct option_program *program, FILE *out);
void version_print(const struct option_program *program, FILE *out);

#endif
