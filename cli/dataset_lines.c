/* dataset_lines.c -- DeepAR's JSON Lines. */
#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/dataset_parts.h"
#include "common/series/timestamp.h"

static int
refuse(struct err *err, const char *place, const char *field, const char *why)
{
	return err_set(err, REASON_FILE_INVALID, "%s: \"%s\" %s", place, field, why);
}

/* A number, or what stands for a missing one. */
static bool
read_value(const json_t *item, double *ret)
{
	const char *text = json_string_value(item);

	if (json_is_number(item)) {
		*ret = json_number_value(item);
		return isfinite(*ret);
	}
	*ret = NAN;
	return json_is_null(item) || (text && (strcmp(text, "NaN") == 0 || strcmp(text, "nan") == 0));
}

static int
read_numbers(const json_t *array, const char *place, const char *field, bool gaps, struct arena *arena, double **ret,
	     size_t *n, struct err *err)
{
	char why[80];

	if (!json_is_array(array))
		return refuse(err, place, field, "must be an array of numbers");
	*n = json_array_size(array);
	*ret = arena_alloc(arena, (*n ? *n : 1) * sizeof(**ret));
	if (!*ret)
		return err_set(err, REASON_NO_MEMORY, "%s", place);
	for (size_t i = 0; i < *n; i++)
		if (!read_value(json_array_get(array, i), &(*ret)[i]) || (!gaps && isnan((*ret)[i]))) {
			snprintf(why, sizeof(why), "[%zu] is no %snumber", i, gaps ? "finite " : "known ");
			return refuse(err, place, field, why);
		}
	return 0;
}

static int
read_cats(const json_t *array, const char *place, struct arena *arena, struct dataset_row *row, struct err *err)
{
	int32_t *cats;

	if (!array)
		return 0;
	if (!json_is_array(array) || json_array_size(array) > DEEPAR_CATS_MAX)
		return refuse(err, place, "cat", "must be an array of at most 16 categories");
	row->target.n_cats = json_array_size(array);
	cats = arena_alloc(arena, (row->target.n_cats + 1) * sizeof(*cats));
	if (!cats)
		return err_set(err, REASON_NO_MEMORY, "%s", place);
	for (size_t i = 0; i < row->target.n_cats; i++) {
		const json_t *item = json_array_get(array, i);

		if (!json_is_integer(item) || json_integer_value(item) < 0 || json_integer_value(item) >= INT32_MAX)
			return refuse(err, place, "cat", "must hold whole numbers from 0");
		cats[i] = (int32_t)json_integer_value(item);
	}
	row->target.cats = cats;
	return 0;
}

static int
read_dynamic(const json_t *rows, const char *place, struct arena *arena, struct dataset_row *row, struct err *err)
{
	size_t n = json_array_size(rows), length;
	struct target *t = &row->target;
	const double **dynamic;

	if (!rows)
		return 0;
	if (!json_is_array(rows))
		return refuse(err, place, "dynamic_feat", "must be an array of arrays");
	dynamic = arena_alloc(arena, (n + 1) * sizeof(*dynamic));
	if (!dynamic)
		return err_set(err, REASON_NO_MEMORY, "%s", place);
	for (size_t i = 0; i < n; i++) {
		double *numbers;

		if (read_numbers(json_array_get(rows, i), place, "dynamic_feat", false, arena, &numbers, &length, err) <
		    0)
			return -1;
		if (length < t->n || (i > 0 && length != t->n_dynamic))
			return refuse(err, place, "dynamic_feat",
				      "has rows of another length than the target (or the target and horizon)");
		dynamic[i] = numbers;
		t->n_dynamic = length;
	}
	t->dynamic = n ? dynamic : NULL;
	t->n_features = n;
	return 0;
}

static int
read_start(const json_t *start, const char *place, struct target *t, struct err *err)
{
	static const struct time_format iso = { .form = TIME_ISO8601 };

	if (!json_is_string(start))
		return refuse(err, place, "start", "must be a text such as \"2024-01-01 00:00:00\"");
	if (timestamp_parse(span_of(json_string_value(start)), &iso, &t->start_us, err) < 0) {
		err->reason = REASON_FILE_INVALID;
		return err_wrap(err, "%s: \"start\"", place);
	}
	return 0;
}

/* "id", or "item_id". */
static int
read_name(const json_t *object, struct arena *arena, struct dataset_row *ret, struct err *err)
{
	const json_t *id = json_object_get(object, "id");

	if (!id)
		id = json_object_get(object, "item_id");
	ret->numeric = json_is_number(id);
	if (json_is_string(id))
		ret->name = arena_printf(arena, "%s", json_string_value(id));
	else if (json_is_integer(id))
		ret->name = arena_printf(arena, "%" JSON_INTEGER_FORMAT, json_integer_value(id));
	else if (json_is_real(id))
		ret->name = arena_printf(arena, "%.17g", json_real_value(id));
	else
		return 0;
	return ret->name ? 0 : err_set(err, REASON_NO_MEMORY, "the name of a series");
}

static int
read_members(const json_t *object, const char *place, struct arena *arena, struct dataset_row *ret, struct err *err)
{
	struct target *t = &ret->target;
	double *values;

	if (read_start(json_object_get(object, "start"), place, t, err) < 0 ||
	    read_numbers(json_object_get(object, "target"), place, "target", true, arena, &values, &t->n, err) < 0)
		return -1;
	t->values = values;
	if (read_cats(json_object_get(object, "cat"), place, arena, ret, err) < 0)
		return -1;
	return read_dynamic(json_object_get(object, "dynamic_feat"), place, arena, ret, err);
}

static int
read_object(const json_t *object, const char *place, struct arena *arena, struct dataset_row *ret, struct err *err)
{
	char named[400];

	if (!json_is_object(object))
		return err_set(err, REASON_FILE_INVALID, "%s: is no JSON object", place);
	if (read_name(object, arena, ret, err) < 0)
		return -1;
	snprintf(named, sizeof(named), "%s%s%.60s", place, ret->name ? ", series " : "", ret->name ? ret->name : "");
	if (read_members(object, named, arena, ret, err) == 0)
		return 0;
	ret->target = (struct target){ 0 };
	return -1;
}

int
dataset_line(struct span line, const char *place, struct arena *arena, struct dataset_row *ret, struct err *err)
{
	json_error_t where;
	json_t *object = json_loadb(line.ptr, line.len, JSON_REJECT_DUPLICATES, &where);
	int result;

	*ret = (struct dataset_row){ 0 };
	if (!object)
		return err_set(err, REASON_FILE_INVALID, "%s: no JSON: %s (column %d)", place, where.text,
			       where.column);
	result = read_object(object, place, arena, ret, err);
	json_decref(object);
	return result;
}

bool
dataset_blank(struct span line)
{
	for (size_t i = 0; i < line.len; i++)
		if (!strchr(" \t\r", line.ptr[i]))
			return false;
	return true;
}

/* A model has one shape for all series: what is missing on one line cannot be made up. */
static int
check_shape(const struct dataset *d, const struct dataset_row *row, const char *file, struct err *err)
{
	const struct dataset_row *first = &d->rows[0];
	const struct target *t = &row->target, *u = &first->target;
	bool cats = t->n_cats != u->n_cats;

	if (!cats && t->n_features == u->n_features)
		return 0;
	return err_set(err, REASON_FILE_INVALID, "%.100s: line %zu%s%.40s: \"%s\" has %zu%s, that of line %zu has %zu",
		       file, row->line, row->name ? ", series " : "", row->name ? row->name : "",
		       cats ? "cat" : "dynamic_feat", cats ? t->n_cats : t->n_features,
		       (cats ? t->cats == NULL : t->dynamic == NULL) ? " (it is not there)" : "", first->line,
		       cats ? u->n_cats : u->n_features);
}

static int
add_line(struct dataset *d, struct span line, size_t number, const char *file, struct err *err)
{
	char place[300];
	struct dataset_row row;

	snprintf(place, sizeof(place), "%.250s: line %zu", file, number);
	if (dataset_line(line, place, d->arena, &row, err) < 0)
		return -1;
	row.line = number;
	if (d->n && check_shape(d, &row, file, err) < 0)
		return -1;
	for (size_t i = 0; i < row.target.n_cats; i++)
		if (row.target.cats[i] >= d->cardinality[i])
			d->cardinality[i] = row.target.cats[i] + 1;
	return dataset_add(d, &row, err);
}

int
dataset_lines(struct input *in, struct dataset *d, struct err *err)
{
	struct span line;
	size_t number = 0;
	int got;

	while ((got = input_whole_line(in, &line, err)) > 0) {
		number++;
		if (!dataset_blank(line) && add_line(d, line, number, input_name(in), err) < 0)
			return -1;
	}
	return got < 0 ? err_wrap(err, "%s: line %zu", input_name(in), number + 1) : 0;
}
