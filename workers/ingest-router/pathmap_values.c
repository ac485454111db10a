/* pathmap_values.c -- the list `values` of a path map: metrics at fixed places, and places where messages name them. */
#include <math.h>

#include "workers/ingest-router/loader.h"
#include "workers/ingest-router/mapping.h"

static int
read_decimal(struct loader *l, const json_t *json, struct measure *m, struct err *err)
{
	struct span point = SPAN(".");

	if (loader_text(l, json, "decimal", &point, err) < 0)
		return -1;
	if (point.len != 1 || (*point.ptr != '.' && *point.ptr != ',')) {
		loader_enter(l, "decimal");
		return loader_fail(l, err, "\".\" or \",\" belongs here");
	}
	m->point = *point.ptr;
	return 0;
}

static int
read_scale(struct loader *l, const json_t *json, struct measure *m, struct err *err)
{
	double scale = 1, inverse;

	if (loader_number(l, json, "scale", &scale, err) < 0)
		return -1;
	if (scale == 0) {
		loader_enter(l, "scale");
		return loader_fail(l, err, "a scale of 0 leaves nothing of a value");
	}
	inverse = round(1 / scale);
	m->factor = m->divisor = 1;
	if (fabs(scale) < 1 && isfinite(inverse) && 1 / inverse == scale)
		m->divisor = inverse;
	else
		m->factor = scale;
	return 0;
}

static int
read_sentinels(struct loader *l, const json_t *json, struct measure *m, struct err *err)
{
	const json_t *list = json_object_get(json, "sentinel");
	size_t n = json_is_array(list) ? json_array_size(list) : list ? 1 : 0;
	double *sentinels;

	loader_enter(l, "sentinel");
	if (n > PATHMAP_LIST_MAX)
		return loader_fail(l, err, "more than %d numbers", PATHMAP_LIST_MAX);
	sentinels = arena_alloc(l->maps->arena, (n + 1) * sizeof(*sentinels));
	if (!sentinels)
		return err_set(err, REASON_NO_MEMORY, "%s", l->file);
	for (size_t i = 0; i < n; i++) {
		const json_t *number = json_is_array(list) ? json_array_get(list, i) : list;

		if (!json_is_number(number))
			return loader_fail(l, err, "a number or a list of numbers belongs here");
		sentinels[i] = json_number_value(number);
	}
	m->sentinels = sentinels;
	m->n_sentinels = n;
	loader_leave(l);
	return 0;
}

static int
read_measure(struct loader *l, const json_t *json, struct measure *m, struct err *err)
{
	*m = (struct measure){ .min = -INFINITY, .max = INFINITY };
	if (read_decimal(l, json, m, err) < 0 || read_scale(l, json, m, err) < 0 ||
	    read_sentinels(l, json, m, err) < 0 || loader_number(l, json, "offset", &m->offset, err) < 0 ||
	    loader_number(l, json, "min", &m->min, err) < 0 || loader_number(l, json, "max", &m->max, err) < 0)
		return -1;
	if (m->min > m->max) {
		loader_enter(l, "min");
		return loader_fail(l, err, "min is larger than max");
	}
	return 0;
}

static int
check_name(struct loader *l, const char *key, struct span name, struct err *err)
{
	bool ok = name.len > 0 && name.len <= NAME_MAX_BYTES;

	for (size_t i = 0; i < name.len; i++)
		ok = ok && (unsigned char)name.ptr[i] >= 0x20 && name.ptr[i] != 0x7f;
	if (ok)
		return 0;
	loader_enter(l, key);
	return loader_fail(l, err, "a text of 1 to %d bytes without control characters belongs here", NAME_MAX_BYTES);
}

static int
read_field(struct loader *l, const json_t *json, struct field *f, struct err *err)
{
	static const char *const known[] = { "path",   "after", "until", "metric",   "unit",    "scale",
					     "offset", "min",   "max",   "sentinel", "decimal", NULL };

	if (loader_check_keys(l, json, known, err) < 0 || loader_reference(l, json, &f->from, err) < 0 ||
	    loader_text(l, json, "metric", &f->metric, err) < 0 || loader_text(l, json, "unit", &f->unit, err) < 0 ||
	    check_name(l, "metric", f->metric, err) < 0 || (f->unit.ptr && check_name(l, "unit", f->unit, err) < 0))
		return -1;
	return read_measure(l, json, &f->measure, err);
}

/* The array or object whose rows are taken one by one; from then on @ is one of them. */
static int
read_group(struct loader *l, const json_t *json, struct series *s, struct err *err)
{
	const char *key = s->members ? "members" : "each";
	struct plan_group *group;
	struct err why = ERR_INIT;
	struct path path;
	int bad;

	loader_enter(l, key);
	if (loader_path(l, json_object_get(json, key), &path, &s->level, err) < 0)
		return -1;
	if (s->members && path.all)
		return loader_fail(l, err, "[*] may end only the paths of items and each");
	bad = s->members ? plan_members(l->maps->plan, l->groups[s->level], &path, &group, &why)
			 : plan_each(l->maps->plan, l->groups[s->level], &path, &group, &why);
	if (bad)
		return loader_fail(l, err, "%s", why.text);
	s->group = l->groups[LEVEL_EACH] = group;
	loader_leave(l);
	return 0;
}

/* The reference at KEY, or what it is by default; *HAS tells whether there is one. */
static int
read_reference(struct loader *l, const json_t *json, const char *key, bool *has, struct reference *ret, struct err *err)
{
	static const char *const known[] = { "path", "after", "until", NULL };
	const json_t *value = json_object_get(json, key);

	*has = value != NULL;
	if (!value)
		return 0;
	loader_enter(l, key);
	if ((json_is_object(value) && loader_check_keys(l, value, known, err) < 0) ||
	    loader_reference(l, value, ret, err) < 0)
		return -1;
	loader_leave(l);
	return 0;
}

static int
read_references(struct loader *l, const json_t *json, struct series *s, struct err *err)
{
	const json_t *unit = json_object_get(json, "unit");
	const struct path self = { .relative = true };
	bool has_metric, has_value;

	if (json_is_string(unit) && !loader_is_path(unit)) {
		if (loader_text(l, json, "unit", &s->fixed_unit, err) < 0 ||
		    check_name(l, "unit", s->fixed_unit, err) < 0)
			return -1;
	} else if (read_reference(l, json, "unit", &s->has_unit, &s->unit, err) < 0) {
		return -1;
	}
	if (read_reference(l, json, "quality", &s->has_quality, &s->quality, err) < 0 ||
	    read_reference(l, json, "metric", &has_metric, &s->metric, err) < 0 ||
	    read_reference(l, json, "value", &has_value, &s->value, err) < 0)
		return -1;
	if (!s->members && (!has_metric || !has_value))
		return loader_fail(l, err, "each needs metric and value, the paths of both in an element (\"@.name\")");
	if (has_value)
		return 0;
	s->value = (struct reference){ .level = LEVEL_EACH };
	return plan_slot(l->maps->plan, l->groups[LEVEL_EACH], &self, &s->value.slot, err);
}

static int
read_series(struct loader *l, const json_t *json, struct series *s, struct err *err)
{
	static const char *const each[] = { "each",   "metric", "value", "unit",     "quality", "scale",
					    "offset", "min",    "max",   "sentinel", "decimal", NULL };
	static const char *const members[] = { "members", "value", "unit",     "quality", "scale", "offset",
					       "min",     "max",   "sentinel", "decimal", NULL };
	int bad;

	s->members = json_object_get(json, "members") != NULL;
	bad = loader_check_keys(l, json, s->members ? members : each, err) < 0 || read_group(l, json, s, err) < 0 ||
	      read_references(l, json, s, err) < 0 || read_measure(l, json, &s->measure, err) < 0;
	l->groups[LEVEL_EACH] = NULL;
	return bad ? -1 : 0;
}

int
loader_values(struct loader *l, const json_t *json, struct pathmap *map, struct err *err)
{
	size_t n = json_array_size(json);
	struct field *fields = arena_zalloc(l->maps->arena, (n + 1) * sizeof(*fields));
	struct series *series = arena_zalloc(l->maps->arena, (n + 1) * sizeof(*series));

	if (!fields || !series)
		return err_set(err, REASON_NO_MEMORY, "%s", l->file);
	loader_enter(l, "values");
	if (n == 0 || n > PATHMAP_LIST_MAX)
		return loader_fail(l, err, "a list of 1 to %d objects belongs here", PATHMAP_LIST_MAX);
	map->fields = fields;
	map->series = series;
	for (size_t i = 0; i < n; i++) {
		const json_t *entry = json_array_get(json, i);

		loader_enter_element(l, i);
		if (!json_is_object(entry))
			return loader_fail(l, err, "an object with path, each or members belongs here");
		if (json_object_get(entry, "each") || json_object_get(entry, "members")) {
			if (read_series(l, entry, &series[map->n_series], err) < 0)
				return -1;
			map->n_series++;
		} else {
			if (read_field(l, entry, &fields[map->n_fields], err) < 0)
				return -1;
			map->n_fields++;
		}
		loader_leave(l);
	}
	loader_leave(l);
	return 0;
}
