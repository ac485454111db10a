/* pathmap_file.c -- path maps from files: deploy/pathmaps/README.md is the description of what is read here. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/base/buffer.h"
#include "workers/ingest-router/loader.h"
#include "workers/ingest-router/mapping.h"

#define FILE_MAX_BYTES (1 << 20)
#define BLOCK_BYTES 16384

static int
read_condition(struct loader *l, const json_t *json, struct condition *ret, struct err *err)
{
	static const char *const known[] = { "topic", "path", "equals", "after", "until", NULL };

	if (!json_is_object(json))
		return loader_fail(l, err, "an object with topic or path belongs here");
	if (loader_check_keys(l, json, known, err) < 0)
		return -1;
	if (json_object_get(json, "topic")) {
		if (json_object_size(json) > 1)
			return loader_fail(l, err, "topic stands alone; several conditions are a list of objects");
		ret->kind = CONDITION_TOPIC;
		return loader_text(l, json, "topic", &ret->text, err);
	}
	ret->kind = json_object_get(json, "equals") ? CONDITION_EQUALS : CONDITION_PRESENT;
	return loader_text(l, json, "equals", &ret->text, err) < 0 ? -1 : loader_reference(l, json, &ret->from, err);
}

static int
read_match(struct loader *l, const json_t *json, struct pathmap *map, struct err *err)
{
	bool list = json_is_array(json);
	size_t n = !json ? 0 : list ? json_array_size(json) : 1;
	struct condition *conditions = arena_zalloc(l->maps->arena, (n + 1) * sizeof(*conditions));

	if (!conditions)
		return err_set(err, REASON_NO_MEMORY, "%s", l->file);
	loader_enter(l, "match");
	if (json && (n == 0 || n > PATHMAP_LIST_MAX))
		return loader_fail(l, err,
				   "a condition or a list of them belongs here; a default map has no match at all");
	for (size_t i = 0; i < n; i++) {
		if (list)
			loader_enter_element(l, i);
		if (read_condition(l, list ? json_array_get(json, i) : json, &conditions[i], err) < 0)
			return -1;
		if (list)
			loader_leave(l);
	}
	map->conditions = conditions;
	map->n_conditions = n;
	loader_leave(l);
	return 0;
}

static int
read_items(struct loader *l, const json_t *json, struct pathmap *map, struct err *err)
{
	struct err why = ERR_INIT;
	enum level level;
	struct path path;

	if (!json)
		return 0;
	loader_enter(l, "items");
	if (loader_path(l, json, &path, &level, err) < 0)
		return -1;
	if (plan_each(l->maps->plan, l->groups[LEVEL_MESSAGE], &path, &l->groups[LEVEL_ITEM], &why) < 0)
		return loader_fail(l, err, "%s", why.text);
	map->items = l->groups[LEVEL_ITEM];
	loader_leave(l);
	return 0;
}

static int
read_device(struct loader *l, const json_t *json, struct pathmap *map, struct err *err)
{
	int bad;

	loader_enter(l, "device");
	if (!json)
		return loader_fail(l, err, "is missing: a path, a list of texts and paths, or \"key\"");
	map->device_is_key = json_is_string(json) && strcmp(json_string_value(json), "key") == 0;
	bad = map->device_is_key ? 0 : loader_phrase(l, json, &map->device, err);
	if (!bad)
		loader_leave(l);
	return bad;
}

/* The keys of a time that is an object. */
static int
read_time_rules(struct loader *l, const json_t *json, struct pathmap *map, struct err *err)
{
	static const char *const known[] = { "path", "after", "until", "format", "zone", "default", NULL };
	struct span format = SPAN("auto"), zone = SPAN("Z"), fallback = SPAN_NONE;

	if (loader_check_keys(l, json, known, err) < 0 || loader_text(l, json, "format", &format, err) < 0 ||
	    loader_text(l, json, "zone", &zone, err) < 0 || loader_text(l, json, "default", &fallback, err) < 0)
		return -1;
	if (time_format_parse(format.ptr, &map->time_format) < 0) {
		loader_enter(l, "format");
		return loader_fail(
		    l, err,
		    "auto, epoch_s, epoch_ms, epoch_us, epoch_ns, iso8601 or a pattern such as %%Y-%%m-%%d belongs here");
	}
	if (time_zone_parse(zone, &map->time_format.zone_s) < 0) {
		loader_enter(l, "zone");
		return loader_fail(l, err, "a fixed offset from UTC belongs here, such as \"+01:00\"");
	}
	if (fallback.ptr && !span_equal(fallback, SPAN("ingest")) && !span_equal(fallback, SPAN("none"))) {
		loader_enter(l, "default");
		return loader_fail(l, err, "\"ingest\" or \"none\" belongs here");
	}
	map->time_default = !fallback.ptr                          ? TIME_DEFAULT_OPTION
			    : span_equal(fallback, SPAN("ingest")) ? TIME_DEFAULT_INGEST
								   : TIME_DEFAULT_NONE;
	return 0;
}

static int
read_time(struct loader *l, const json_t *json, struct pathmap *map, struct err *err)
{
	const json_t *path = json_is_object(json) ? json_object_get(json, "path") : json;

	if (!json) /* the record's time stamp is the event time */
		return 0;
	loader_enter(l, "time");
	if (json_is_object(json) && read_time_rules(l, json, map, err) < 0)
		return -1;
	if (json_is_array(path) && json_is_object(json)) {
		loader_enter(l, "path");
		if (loader_phrase(l, path, &map->time, err) < 0)
			return -1;
		loader_leave(l);
	} else if (loader_phrase(l, json, &map->time, err) < 0) {
		return -1;
	}
	loader_leave(l);
	return 0;
}

static int
read_source(struct loader *l, const json_t *json, struct pathmap *map, struct err *err)
{
	if (loader_text(l, json, "source", &map->source, err) < 0)
		return -1;
	loader_enter(l, "source");
	if (!map->source.ptr)
		return loader_fail(l, err, "is missing: the name that readings carry");
	if (map->source.len > NAME_MAX_BYTES)
		return loader_fail(l, err, "%zu bytes; readings take up to %d", map->source.len, NAME_MAX_BYTES);
	for (size_t i = 0; i < l->maps->n; i++)
		if (span_equal(l->maps->maps[i].source, map->source))
			return loader_fail(l, err, "\"%.*s\" is the source of %s already", SPAN_ARG(map->source),
					   l->maps->maps[i].file);
	loader_leave(l);
	return 0;
}

static int
read_map(struct loader *l, const json_t *json, struct pathmap *map, struct err *err)
{
	static const char *const known[] = { "source", "comment", "match", "items", "device", "time", "values", NULL };

	if (!json_is_object(json))
		return loader_fail(l, err, "a path map is an object");
	if (loader_check_keys(l, json, known, err) < 0 || read_source(l, json, map, err) < 0 ||
	    read_match(l, json_object_get(json, "match"), map, err) < 0 ||
	    read_items(l, json_object_get(json, "items"), map, err) < 0 ||
	    read_device(l, json_object_get(json, "device"), map, err) < 0 ||
	    read_time(l, json_object_get(json, "time"), map, err) < 0)
		return -1;
	return loader_values(l, json_object_get(json, "values"), map, err);
}

/* Put MAP behind the others, before the default one. */
static int
add_map(struct pathmaps *m, const struct pathmap *map, struct err *err)
{
	struct pathmap *maps = arena_alloc(m->arena, (m->n + 1) * sizeof(*maps));
	size_t at = m->n - m->has_default;

	if (!maps)
		return err_set(err, REASON_NO_MEMORY, "path maps");
	if (m->n == MAPS_MAX)
		return err_set(err, REASON_FILE_INVALID, "%s: more than %d path maps", map->file, MAPS_MAX);
	if (map->n_conditions == 0 && m->has_default)
		return err_set(err, REASON_FILE_INVALID,
			       "%s: a second map without match: %s is the default one already", map->file,
			       m->maps[m->n - 1].file);
	if (m->n)
		memcpy(maps, m->maps, m->n * sizeof(*maps));
	if (map->n_conditions == 0)
		m->has_default = true;
	else if (at < m->n)
		maps[at + 1] = maps[at];
	maps[at] = *map;
	m->maps = maps;
	m->n++;
	return 0;
}

static int
parse(struct pathmaps *m, const char *file, struct span text, struct err *err)
{
	struct loader l = { .maps = m, .text = text, .groups[LEVEL_MESSAGE] = m->plan->root };
	struct pathmap map = { 0 };
	json_error_t where;
	json_t *json = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, &where);
	int bad;

	if (!json)
		return err_set(err, REASON_FILE_INVALID, "%s:%d: %s", file, where.line, where.text);
	map.file = l.file = arena_copy(m->arena, span_of(file)).ptr;
	bad = map.file ? read_map(&l, json, &map, err) : err_set(err, REASON_NO_MEMORY, "%s", file);
	json_decref(json);
	return bad ? -1 : add_map(m, &map, err);
}

static int
new_maps(struct pathmaps **ret, struct err *err)
{
	CLEANUP(pathmaps_free)
	struct pathmaps *m = calloc(1, sizeof(*m));

	if (!m || !(m->arena = arena_new(BLOCK_BYTES, 0)))
		return err_set(err, REASON_NO_MEMORY, "path maps");
	if (plan_new(&m->plan, err) < 0)
		return -1;
	*ret = TAKE(m);
	return 0;
}

int
pathmaps_parse(const char *name, struct span text, struct pathmaps **ret, struct err *err)
{
	CLEANUP(pathmaps_free)
	struct pathmaps *m = NULL;

	if (new_maps(&m, err) < 0 || parse(m, name, text, err) < 0)
		return -1;
	*ret = TAKE(m);
	return 0;
}

static int
read_file(const char *path, struct buffer *out, struct err *err)
{
	CLEANUP(file_close) FILE *file = fopen(path, "re");
	char piece[4096];
	size_t n;

	if (!file)
		return err_set(err, REASON_FILE_UNREADABLE, "%s: %s", path, strerror(errno));
	while ((n = fread(piece, 1, sizeof(piece), file)) > 0)
		if (buffer_append(out, piece, n) < 0)
			return err_set(err, REASON_FILE_INVALID, "%s: larger than %zu bytes", path, out->max);
	return ferror(file) ? err_set(err, REASON_FILE_UNREADABLE, "%s: %s", path, strerror(errno)) : 0;
}

static int
load_file(struct pathmaps *m, const char *path, struct err *err)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT(FILE_MAX_BYTES);

	if (read_file(path, &text, err) < 0)
		return -1;
	return parse(m, path, text.len ? buffer_span(&text) : SPAN(""), err);
}

static int
is_map_file(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);

	return entry->d_name[0] != '.' && n > 5 && strcmp(entry->d_name + n - 5, ".json") == 0;
}

static int
load_directory(struct pathmaps *m, const char *path, struct err *err)
{
	struct dirent **entries;
	int n = scandir(path, &entries, is_map_file, alphasort), bad = 0;

	if (n < 0)
		return err_set(err, REASON_FILE_UNREADABLE, "%s: %s", path, strerror(errno));
	if (n == 0)
		bad = err_set(err, REASON_FILE_INVALID, "%s: no *.json in this directory", path);
	for (int i = 0; i < n; i++) {
		char *file = NULL;

		if (!bad)
			bad = asprintf(&file, "%s/%s", path, entries[i]->d_name) < 0
				  ? err_set(err, REASON_NO_MEMORY, "%s", path)
				  : load_file(m, file, err);
		free(file);
		free(entries[i]);
	}
	free(entries);
	return bad;
}

int
pathmaps_load(const char *list, struct pathmaps **ret, struct err *err)
{
	CLEANUP(pathmaps_free)
	struct pathmaps *m = NULL;
	CLEANUP(heap_free)
	char *copy = strdup(list);
	char *rest = copy;

	if (!copy || new_maps(&m, err) < 0)
		return err_set(err, REASON_NO_MEMORY, "path maps");
	for (char *path; (path = strsep(&rest, ",")) != NULL;) {
		struct stat about;

		path += strspn(path, " ");
		if (*path == '\0')
			continue;
		if (stat(path, &about) < 0)
			return err_set(err, REASON_FILE_UNREADABLE, "%s: %s", path, strerror(errno));
		if (S_ISDIR(about.st_mode) ? load_directory(m, path, err) < 0 : load_file(m, path, err) < 0)
			return -1;
	}
	if (m->n == 0)
		return err_set(err, REASON_OPTION_INVALID, "path.maps names no file and no directory");
	*ret = TAKE(m);
	return 0;
}
