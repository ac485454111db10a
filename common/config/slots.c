/*
 * slots.c -- one slot per key.  Every source in turn, the weakest first, puts its text and where it stood into the
 * slot; what is left at the end is in force.
 */
#include <stdlib.h>
#include <string.h>

#include "common/config/private.h"

#define MAX_SLOTS 4096

int
load_no_memory(struct err *err)
{
	return err_set(err, REASON_NO_MEMORY, "no memory for the options");
}

int
err_at(struct err *err, const char *where)
{
	struct err e;

	if (!err)
		return -1;
	e = *err;
	return err_set(err, e.reason, "%s (%s)", e.text, where);
}

static struct slot *
slot_add(struct load *l, const struct slot *values)
{
	struct slot *s;

	if (l->n_slots == MAX_SLOTS || !(s = arena_alloc(l->arena, sizeof(*s))))
		return NULL;
	*s = *values;
	if (map_put(l->by_key, span_of(s->key), s) < 0)
		return NULL;
	l->slots[l->n_slots++] = s;
	return s;
}

int
slots_new(struct load *l, struct err *err)
{
	l->arena = arena_new(16384, 0);
	l->by_key = map_new(NULL);
	l->slots = calloc(MAX_SLOTS, sizeof(struct slot *));
	if (!l->arena || !l->by_key || !l->slots)
		return load_no_memory(err);
	for (size_t i = 0; i < l->program->n_sets; i++) {
		const struct option_set *set = &l->program->sets[i];

		for (size_t k = 0; k < set->n_options; k++) {
			const struct option *o = &set->options[k];
			struct slot s = { o, set->target, NULL, o->key, o->fallback, "its default" };

			if (!slot_add(l, &s))
				return load_no_memory(err);
		}
	}
	l->n_options = l->n_slots;
	return 0;
}

/* Everything that a user may have meant: keys and the flags of options.h. */
static const char *
suggest(struct load *l, const char *word)
{
	static const char *const flags[] = { "config", "help", "version", "check", "print-options-page" };
	const char **all = arena_alloc(l->arena, (l->n_options + ARRAY_LEN(flags)) * sizeof(*all));
	size_t n = 0;

	if (!all)
		return NULL;
	for (; n < l->n_options; n++)
		all[n] = l->slots[n]->key;
	memcpy(all + n, flags, sizeof(flags));
	return options_nearest(word, all, n + ARRAY_LEN(flags));
}

int
slot_unknown(struct load *l, const char *key, const char *where, struct err *err)
{
	const char *near = suggest(l, key);

	if (near)
		return err_set(err, REASON_OPTION_UNKNOWN, "%.100s: unknown key (%s); did you mean %s?", key, where,
			       near);
	return err_set(err, REASON_OPTION_UNKNOWN, "%.100s: unknown key (%s); --help lists all keys", key, where);
}

struct slot *
slot_of(struct load *l, const char *key)
{
	struct slot *s = map_get(l->by_key, span_of(key));

	for (size_t i = 0; !s && i < l->program->n_lists; i++) {
		struct property_list *list = &l->program->lists[i];
		size_t len = strlen(list->prefix);

		if (strncmp(key, list->prefix, len) == 0 && key[len]) {
			struct slot item = { .list = list, .key = arena_printf(l->arena, "%s", key) };

			return item.key ? slot_add(l, &item) : NULL;
		}
	}
	return s;
}

int
slot_put(struct load *l, const char *key, const char *text, const char *where, struct err *err)
{
	struct slot *s;

	if (!where || !text)
		return load_no_memory(err);
	s = slot_of(l, key);
	if (!s && l->n_slots == MAX_SLOTS)
		return err_set(err, REASON_OPTION_INVALID, "%.100s: more than %d keys (%s)", key, MAX_SLOTS, where);
	if (!s)
		return slot_unknown(l, key, where, err);
	s->text = text;
	s->where = where;
	return 0;
}
