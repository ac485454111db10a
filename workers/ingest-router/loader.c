/*
 * loader.c -- jansson forgets where things stood in a file.  When something is wrong there, the scanner of this worker is
 * sent through the text once more, with the path of the place as its plan.
 */
#include "workers/ingest-router/loader.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "common/base/buffer.h"
#include "common/config/options.h"

void
loader_enter(struct loader *l, const char *key)
{
	if (l->at.n_steps < PATH_STEPS_MAX)
		l->at.steps[l->at.n_steps] = (struct path_step){ .key = span_of(key) };
	l->at.n_steps++;
}

void
loader_enter_element(struct loader *l, size_t index)
{
	if (l->at.n_steps < PATH_STEPS_MAX)
		l->at.steps[l->at.n_steps] = (struct path_step){ .index = (uint32_t)index };
	l->at.n_steps++;
}

void
loader_leave(struct loader *l)
{
	l->at.n_steps--;
}

/* Where the value at PATH begins in the text, or NULL: it is not there, or its escapes were resolved elsewhere. */
static const char *
find(const struct loader *l, const struct path *path)
{
	const struct scan_limits limits = { .depth = 64 };
	CLEANUP(plan_free) struct plan *plan = NULL;
	CLEANUP(arena_free) struct arena *arena = arena_new(4096, 0);
	const struct scan_row *row;
	const char *p;
	size_t slot;

	if (!arena || plan_new(&plan, NULL) < 0 || plan_slot(plan, plan->root, path, &slot, NULL) < 0 ||
	    scan_json(plan, l->text, &limits, arena, &row, NULL) < 0)
		return NULL;
	p = row->values[slot].text.ptr;
	return p >= l->text.ptr && p < l->text.ptr + l->text.len ? p : NULL;
}

/* The line of the place we are at, or of what is around it, from 1. */
static int
line_here(const struct loader *l)
{
	struct path path = l->at;
	const char *place = NULL;
	int line = 1;

	if (path.n_steps > PATH_STEPS_MAX)
		path.n_steps = PATH_STEPS_MAX;
	while (!(place = find(l, &path)) && path.n_steps > 0)
		path.n_steps--;
	for (const char *p = l->text.ptr; place && p < place; p++)
		line += *p == '\n';
	return line;
}

int
loader_fail(const struct loader *l, struct err *err, const char *fmt, ...)
{
	CLEANUP(buffer_clear)
	struct buffer where = BUFFER_INIT(1024);
	char what[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	for (size_t i = 0; i < l->at.n_steps && i < PATH_STEPS_MAX; i++) {
		const struct path_step *s = &l->at.steps[i];

		if (s->key.ptr)
			buffer_printf(&where, "%s%.*s", i ? "." : "", SPAN_ARG(s->key));
		else
			buffer_printf(&where, "[%u]", s->index);
	}
	return err_set(err, REASON_FILE_INVALID, "%s:%d: %.*s: %s", l->file, line_here(l),
		       where.len ? (int)where.len : 8, where.len ? where.ptr : "the file", what);
}

int
loader_check_keys(struct loader *l, const json_t *object, const char *const *known, struct err *err)
{
	const char *key;
	json_t *value;
	size_t n = 0;

	while (known[n])
		n++;
	json_object_foreach((json_t *)object, key, value)
	{
		const char *near;
		size_t i = 0;

		while (i < n && strcmp(key, known[i]) != 0)
			i++;
		if (i < n)
			continue;
		near = options_nearest(key, known, n);
		loader_enter(l, key);
		return near ? loader_fail(l, err, "no such key; did you mean \"%s\"?", near)
			    : loader_fail(l, err, "no such key here; deploy/pathmaps/README.md lists them");
	}
	return 0;
}

int
loader_text(struct loader *l, const json_t *object, const char *key, struct span *ret, struct err *err)
{
	const json_t *json = json_object_get(object, key);
	struct span text;

	if (!json)
		return 0;
	loader_enter(l, key);
	if (!json_is_string(json) || json_string_length(json) == 0 || json_string_length(json) > 1024)
		return loader_fail(l, err, "a text of 1 to 1024 bytes belongs here");
	text = arena_copy(l->maps->arena, (struct span){ json_string_value(json), json_string_length(json) });
	if (!text.ptr)
		return err_set(err, REASON_NO_MEMORY, "%s", l->file);
	*ret = text;
	loader_leave(l);
	return 0;
}

int
loader_number(struct loader *l, const json_t *object, const char *key, double *ret, struct err *err)
{
	const json_t *json = json_object_get(object, key);

	if (!json)
		return 0;
	loader_enter(l, key);
	if (!json_is_number(json) || !isfinite(json_number_value(json)))
		return loader_fail(l, err, "a number belongs here");
	*ret = json_number_value(json);
	loader_leave(l);
	return 0;
}

bool
loader_is_path(const json_t *json)
{
	const char *text = json_string_value(json);

	return text && (*text == '$' || *text == '@');
}

int
loader_path(struct loader *l, const json_t *json, struct path *ret, enum level *level, struct err *err)
{
	struct err why = ERR_INIT;

	if (!json_is_string(json))
		return loader_fail(l, err, "a path belongs here, such as \"$.device\"");
	if (path_parse((struct span){ json_string_value(json), json_string_length(json) }, l->maps->arena, ret, &why) <
	    0)
		return loader_fail(l, err, "%s", why.text);
	*level = ret->relative ? LEVEL_EACH : LEVEL_MESSAGE;
	while (*level > LEVEL_MESSAGE && !l->groups[*level])
		(*level)--;
	if (ret->relative && *level == LEVEL_MESSAGE)
		return loader_fail(l, err, "@ has no meaning here: there is no items, each or members around it");
	return 0;
}

int
loader_reference(struct loader *l, const json_t *json, struct reference *ret, struct err *err)
{
	bool wrapped = json_is_object(json);
	struct err why = ERR_INIT;
	struct path path;

	*ret = (struct reference){ 0 };
	if (wrapped) {
		if (loader_text(l, json, "after", &ret->after, err) < 0 ||
		    loader_text(l, json, "until", &ret->until, err) < 0)
			return -1;
		json = json_object_get(json, "path");
		loader_enter(l, "path");
	}
	if (loader_path(l, json, &path, &ret->level, err) < 0)
		return -1;
	if (path.all)
		return loader_fail(l, err, "[*] may end only the paths of items and each");
	if (plan_slot(l->maps->plan, l->groups[ret->level], &path, &ret->slot, &why) < 0)
		return loader_fail(l, err, "%s", why.text);
	if (wrapped)
		loader_leave(l);
	return 0;
}

/* One element of a list: a literal, a path, or an object with a path. */
static int
read_part(struct loader *l, const json_t *json, struct part *ret, struct err *err)
{
	static const char *const known[] = { "path", "after", "until", NULL };

	if (json_is_string(json) && !loader_is_path(json)) {
		ret->literal =
		    arena_copy(l->maps->arena, (struct span){ json_string_value(json), json_string_length(json) });
		return ret->literal.ptr ? 0 : err_set(err, REASON_NO_MEMORY, "%s", l->file);
	}
	if (json_is_object(json) && loader_check_keys(l, json, known, err) < 0)
		return -1;
	return loader_reference(l, json, &ret->from, err);
}

int
loader_phrase(struct loader *l, const json_t *json, struct phrase *ret, struct err *err)
{
	bool list = json_is_array(json);
	size_t n = list ? json_array_size(json) : 1;
	struct part *parts = arena_zalloc(l->maps->arena, (n + 1) * sizeof(*parts));

	if (!parts)
		return err_set(err, REASON_NO_MEMORY, "%s", l->file);
	if (n == 0 || n > PATHMAP_LIST_MAX)
		return loader_fail(l, err, "a list of texts and paths belongs here");
	*ret = (struct phrase){ parts, n };
	if (!list)
		return loader_reference(l, json, &parts[0].from, err);
	for (size_t i = 0; i < n; i++) {
		loader_enter_element(l, i);
		if (read_part(l, json_array_get(json, i), &parts[i], err) < 0)
			return -1;
		loader_leave(l);
	}
	return 0;
}
