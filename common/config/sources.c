/*
 * sources.c -- the file and the environment.  The environment is asked for the keys that exist; only lists are found by
 * walking it, so that variables of other programs do not matter.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/config/private.h"

char *
environment_name(struct arena *arena, const char *key)
{
	char *name = arena_printf(arena, ENVIRONMENT_PREFIX "%s", key);

	for (char *c = name; c && *c; c++)
		*c = *c == '.' || *c == '-' ? '_' : (char)toupper((unsigned char)*c);
	return name;
}

static int
put_from_file(void *ctx, const char *key, const char *value, int line, struct err *err)
{
	struct load *l = ctx;
	char *text = arena_printf(l->arena, "%s", value);

	return slot_put(l, key, text, arena_printf(l->arena, "%s:%d", l->config_path, line), err);
}

int
read_file(struct load *l, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer text = BUFFER_INIT(FILE_MAX_BYTES);

	if (!l->config_path) {
		l->config_path = getenv(ENVIRONMENT_PREFIX "CONFIG");
		l->config_where = "environment " ENVIRONMENT_PREFIX "CONFIG";
	}
	if (!l->config_path || !*l->config_path)
		return 0;
	if (file_append(l->config_path, &text, err) < 0)
		return err_at(err, l->config_where);
	return properties_parse(buffer_span(&text), l->config_path, put_from_file, l, err);
}

/* FOREBAY_CONSUMER_OVERRIDE_FETCH_MIN_BYTES: the items of a list are found by walking the environment. */
static int
read_environment_list(struct load *l, const struct property_list *list, struct err *err)
{
	const char *start = environment_name(l->arena, list->prefix);
	size_t len = start ? strlen(start) : 0;

	if (!start)
		return load_no_memory(err);
	for (char **e = environ; *e; e++) {
		const char *equals = strchr(*e, '=');
		char *key, *name;

		if (!equals || strncmp(*e, start, len) != 0 || equals == *e + len)
			continue;
		name = arena_printf(l->arena, "environment %.*s", (int)(equals - *e), *e);
		key = arena_printf(l->arena, "%s%.*s", list->prefix, (int)(equals - *e - (ptrdiff_t)len), *e + len);
		for (char *c = key ? key + strlen(list->prefix) : NULL; c && *c; c++)
			*c = *c == '_' ? '.' : (char)tolower((unsigned char)*c);
		if (!key)
			return load_no_memory(err);
		if (slot_put(l, key, equals + 1, name, err) < 0)
			return -1;
	}
	return 0;
}

int
read_environment(struct load *l, struct err *err)
{
	for (size_t i = 0; i < l->n_options; i++) {
		char *name = environment_name(l->arena, l->slots[i]->key);
		const char *text;

		if (!name)
			return load_no_memory(err);
		text = getenv(name);
		if (text &&
		    slot_put(l, l->slots[i]->key, text, arena_printf(l->arena, "environment %s", name), err) < 0)
			return -1;
	}
	for (size_t i = 0; i < l->program->n_lists; i++)
		if (read_environment_list(l, &l->program->lists[i], err) < 0)
			return -1;
	return 0;
}
