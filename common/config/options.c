/*
 * options.c -- options_load() in its four steps: collect the flags, apply the sources from the weakest to the
 * strongest, convert what is in force, answer --check.  On the way back: free it, print it.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/config/private.h"

static void
load_clear_cleanup(struct load *l)
{
	arena_free(l->arena);
	map_free(l->by_key);
	free(l->slots);
}

/* Call DO_THIS for every field of the program. */
static void
each_field(const struct option_program *program, void (*do_this)(const struct option *, void *))
{
	for (size_t i = 0; i < program->n_sets; i++)
		for (size_t k = 0; k < program->sets[i].n_options; k++)
			do_this(&program->sets[i].options[k], program->sets[i].target);
}

static void
forget_all(const struct option_program *program)
{
	each_field(program, value_forget);
	for (size_t i = 0; i < program->n_lists; i++) {
		program->lists[i].items = NULL;
		program->lists[i].n_items = 0;
	}
}

void
options_clear(const struct option_program *program)
{
	each_field(program, value_clear);
	for (size_t i = 0; i < program->n_lists; i++) {
		struct property_list *list = &program->lists[i];

		for (size_t k = 0; k < list->n_items; k++) {
			free(list->items[k].key);
			free(list->items[k].value);
		}
		free(list->items);
		list->items = NULL;
		list->n_items = 0;
	}
}

/* Whether a pass-through key (sasl.password, ssl.key.pem) speaks of something that may not be printed. */
static bool
speaks_of_secret(const char *key)
{
	static const char *const words[] = { "password",   "secret",  "token",      "jaas",
					     "credential", "private", "ssl.key.pem" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcasestr(key, words[i]))
			return true;
	return false;
}

static int
list_add(struct property_list *list, const char *key, const char *value, bool secret)
{
	struct property *items = realloc(list->items, (list->n_items + 1) * sizeof(*items)); /* few, once */
	struct property *item;

	if (!items)
		return -1;
	list->items = items;
	item = &items[list->n_items];
	*item = (struct property){ strdup(key), strdup(value), secret || speaks_of_secret(key) };
	if (!item->key || !item->value) {
		free(item->key);
		free(item->value);
		return -1;
	}
	list->n_items++;
	return 0;
}

static int
by_key(const void *a, const void *b)
{
	return strcmp(((const struct property *)a)->key, ((const struct property *)b)->key);
}

static int
missing(struct load *l, const char *key, struct err *err)
{
	const char *name = environment_name(l->arena, key);

	return err_set(
	    err, REASON_OPTION_INVALID,
	    "%s: required; give it in the file of --config (%s=...), in the environment (%s=...) or as a flag (--%s=...)",
	    key, key, name ? name : "", key);
}

/* Resolve and convert what is in force in one slot. */
static int
slot_store(struct load *l, const struct slot *s, struct buffer *value, struct err *err)
{
	bool read;

	if (!s->text)
		return missing(l, s->key, err);
	if (secrets_resolve(s->text, value, &read, err) < 0) {
		err_wrap(err, "%s", s->key);
		return err_at(err, s->where);
	}
	if (s->option)
		return value_store(s->option, s->target, value->ptr, read, err) < 0 ? err_at(err, s->where) : 0;
	if (list_add(s->list, s->key + strlen(s->list->prefix), value->ptr, read) < 0)
		return load_no_memory(err);
	return 0;
}

static int
store_all(struct load *l, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer value = BUFFER_INIT(VALUE_MAX_BYTES);

	for (size_t i = 0; i < l->n_slots; i++)
		if (slot_store(l, l->slots[i], &value, err) < 0)
			return -1;
	for (size_t i = 0; i < l->program->n_lists; i++)
		if (l->program->lists[i].n_items)
			qsort(l->program->lists[i].items, l->program->lists[i].n_items, sizeof(struct property),
			      by_key);
	return 0;
}

/* The words that are no flags: handed to the caller, or one of them refused (up to '=', it may hold a secret). */
static int
give_rest(int argc, char **argv, int first_word, int *n_rest, char ***rest, struct err *err)
{
	if (rest) {
		*n_rest = argc - first_word;
		*rest = argv + first_word;
	} else if (first_word < argc) {
		return err_set(err, REASON_USAGE, "%.*s: unexpected word; flags are written --key=value (--help)",
			       (int)strcspn(argv[first_word], "="), argv[first_word]);
	}
	return 0;
}

static int
load_all(struct load *l, int argc, char **argv, int *n_rest, char ***rest, struct err *err)
{
	int first_word;

	if (slots_new(l, err) < 0 || flags_collect(l, argc, argv, &first_word, err) < 0 ||
	    give_rest(argc, argv, first_word, n_rest, rest, err) < 0)
		return -1;
	if (read_file(l, err) < 0 || read_environment(l, err) < 0)
		return -1;
	for (size_t i = 0; i < l->n_flags; i++) {
		l->flags[i].slot->text = l->flags[i].text;
		l->flags[i].slot->where = l->flags[i].where;
	}
	return store_all(l, err);
}

/* --help and its like; true when one of them was answered. */
static bool
answer(const struct option_program *program, int argc, char **argv)
{
	if (flags_have(argc, argv, "--help") || flags_have(argc, argv, "-h"))
		help_print(program, stdout);
	else if (flags_have(argc, argv, "--version"))
		version_print(program, stdout);
	else if (flags_have(argc, argv, "--print-options-page"))
		options_page(program, stdout);
	else
		return false;
	return true;
}

static int
written(struct err *err)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	return err_set(err, REASON_IO, "standard output cannot be written");
}

static int
answer_check(const struct option_program *program, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer json = BUFFER_INIT(0);

	if (options_json(program, &json) < 0)
		return load_no_memory(err);
	printf("%.*s\n", (int)json.len, json.ptr);
	return written(err);
}

int
options_load(const struct option_program *program, int argc, char **argv, int *n_rest, char ***rest,
	     enum options_verdict *verdict, struct err *err)
{
	CLEANUP(load_clear)
	struct load load = { .program = program };

	*verdict = OPTIONS_RUN;
	if (rest) {
		*n_rest = 0;
		*rest = argv + argc;
	}
	forget_all(program);
	if (answer(program, argc, argv)) {
		*verdict = OPTIONS_DONE;
		return written(err);
	}
	if (load_all(&load, argc, argv, n_rest, rest, err) < 0 || (load.check && answer_check(program, err) < 0)) {
		options_clear(program);
		return -1;
	}
	if (load.check)
		*verdict = OPTIONS_DONE;
	return 0;
}

static int
list_json(const struct property_list *list, struct buffer *out)
{
	int bad = 0;

	for (size_t k = 0; k < list->n_items; k++) {
		const struct property *item = &list->items[k];
		char key[512];

		snprintf(key, sizeof(key), "%s%s", list->prefix, item->key);
		bad |= buffer_text(out, out->ptr[out->len - 1] == '{' ? "" : ",") |
		       buffer_json_string(out, span_of(key)) | buffer_text(out, ":") |
		       buffer_json_string(out, span_of(item->secret ? HIDDEN : item->value));
	}
	return bad;
}

int
options_json(const struct option_program *program, struct buffer *out)
{
	size_t start = out->len;
	int bad = buffer_text(out, "{");

	for (size_t i = 0; i < program->n_sets && !bad; i++) {
		const struct option_set *set = &program->sets[i];

		for (size_t k = 0; k < set->n_options; k++)
			bad |= buffer_text(out, out->ptr[out->len - 1] == '{' ? "" : ",") |
			       buffer_json_string(out, span_of(set->options[k].key)) | buffer_text(out, ":") |
			       value_json(&set->options[k], set->target, out);
	}
	for (size_t i = 0; i < program->n_lists && !bad; i++)
		bad |= list_json(&program->lists[i], out);
	bad |= buffer_text(out, "}");
	if (bad)
		out->len = start;
	return bad;
}
