/*
 * flags.c -- the command line.  A flag's key decides whether the next word is its value, so words and flags may be
 * mixed.
 */
#include <stdlib.h>
#include <string.h>

#include "common/config/private.h"

bool
flags_have(int argc, char **argv, const char *flag)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], flag) == 0)
			return true;
	return false;
}

/* The key that a flag means: as it stands, or with dots for dashes.  NULL when memory is out. */
static const char *
flag_key(struct load *l, const char *name)
{
	char *dotted;

	if (map_get(l->by_key, span_of(name)))
		return name;
	dotted = arena_printf(l->arena, "%s", name);
	for (char *c = dotted; c && *c; c++)
		*c = *c == '-' ? '.' : *c;
	return dotted;
}

/* Find the value of a flag without '=': the word behind it, or "true" for a bool.  Returns how many words it took. */
static int
value_behind(const struct slot *slot, const char *next, const char **text)
{
	bool ignored;

	if (slot && slot->option && slot->option->type == OPTION_BOOL && (!next || value_bool(next, &ignored) < 0)) {
		*text = "true";
		return 0;
	}
	if (!next || strncmp(next, "--", 2) == 0)
		return -1;
	*text = next;
	return 1;
}

/* Read the flag ARG, followed by NEXT (or NULL).  Returns how many words it took, or -1. */
static int
take_flag(struct load *l, const char *arg, const char *next, struct err *err)
{
	size_t len = strcspn(arg + 2, "=");
	const char *text = arg[2 + len] == '=' ? arg + 3 + len : NULL, *key;
	char *name = arena_printf(l->arena, "%.*s", (int)len, arg + 2);
	char *where = arena_printf(l->arena, "flag --%.*s", (int)len, arg + 2);
	struct slot *slot = NULL;
	bool config;
	int more = 0;

	if (!name || !where || !(key = flag_key(l, name)))
		return load_no_memory(err);
	if (strcmp(arg, "--check") == 0) {
		l->check = true;
		return 1;
	}
	config = strcmp(name, "config") == 0;
	if (!config && !(slot = slot_of(l, key)))
		return slot_unknown(l, key, where, err);
	if (!text && (more = value_behind(slot, next, &text)) < 0)
		return err_set(err, REASON_USAGE, "--%.100s: needs a value (--%.100s=...)", name, name);
	if (config) {
		l->config_path = text;
		l->config_where = where;
	} else {
		l->flags[l->n_flags++] = (struct flag){ slot, text, where };
	}
	return 1 + more;
}

/* Flags in front, words behind, each in its order.  Returns the place of the first word. */
static int
put_in_order(int argc, char **argv, const bool *is_word, char **spare)
{
	int n = 0, first;

	for (int pass = 0; pass < 2; pass++) {
		first = n + 1;
		for (int i = 1; i < argc; i++)
			if (is_word[i] == (pass == 1))
				spare[n++] = argv[i];
	}
	if (n > 0)
		memcpy(argv + 1, spare, (size_t)n * sizeof(*spare));
	return first;
}

int
flags_collect(struct load *l, int argc, char **argv, int *first_word, struct err *err)
{
	size_t n = (size_t)(argc > 0 ? argc : 1);
	bool *is_word = arena_zalloc(l->arena, n * sizeof(*is_word));
	char **spare = arena_alloc(l->arena, n * sizeof(*spare));

	l->flags = arena_alloc(l->arena, n * sizeof(*l->flags));
	if (!is_word || !spare || !l->flags)
		return load_no_memory(err);
	for (int i = 1, took; i < argc; i += took) {
		took = 1;
		if (strcmp(argv[i], "--") == 0) {
			while (++i < argc)
				is_word[i] = true;
		} else if (strncmp(argv[i], "--", 2) == 0) {
			took = take_flag(l, argv[i], i + 1 < argc ? argv[i + 1] : NULL, err);
			if (took < 0)
				return -1;
		} else if (argv[i][0] == '-' && argv[i][1]) {
			return err_set(err, REASON_USAGE, "%.2s: unknown flag; flags are written --key=value (--help)",
				       argv[i]);
		} else {
			is_word[i] = true;
		}
	}
	*first_word = put_in_order(argc, argv, is_word, spare);
	return 0;
}
