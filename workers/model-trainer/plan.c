/* plan.c -- {"topic":"telemetry.series","offsets":[[0,0,17],...],"step_us":60000000,"options":"<hex>","data":"<hex>"}. */
#include "workers/model-trainer/plan.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

#include "common/base/cleanup.h"

int
plan_write(const struct training_plan *p, struct buffer *out)
{
	int failed =
	    buffer_text(out, "{\"topic\":") | buffer_json_string(out, p->topic) | buffer_text(out, ",\"offsets\":[");

	for (size_t i = 0; i < p->n_ranges; i++)
		failed |= buffer_printf(out, "%s[%" PRId32 ",%" PRId64 ",%" PRId64 "]", i ? "," : "",
					p->ranges[i].partition, p->ranges[i].from, p->ranges[i].to);
	failed |=
	    buffer_printf(out, "],\"step_us\":%" PRId64 ",\"options\":\"%016" PRIx64 "\",\"data\":\"%016" PRIx64 "\"}",
			  p->step_us, p->options, p->data);
	return failed ? -1 : 0;
}

static int
read_ranges(const json_t *offsets, struct arena *arena, struct training_plan *ret, struct err *err)
{
	size_t n = json_array_size(offsets);

	ret->ranges = arena_zalloc(arena, (n + 1) * sizeof(*ret->ranges));
	if (!ret->ranges)
		return err_set(err, REASON_NO_MEMORY, "plan");
	for (size_t i = 0; i < n; i++) {
		const json_t *row = json_array_get(offsets, i);

		if (json_array_size(row) != 3 || !json_is_integer(json_array_get(row, 0)) ||
		    !json_is_integer(json_array_get(row, 1)) || !json_is_integer(json_array_get(row, 2)))
			return err_set(err, REASON_STATE_CORRUPT, "plan of a training: offsets, row %zu", i);
		ret->ranges[i] = (struct plan_range){ (int32_t)json_integer_value(json_array_get(row, 0)),
						      json_integer_value(json_array_get(row, 1)),
						      json_integer_value(json_array_get(row, 2)) };
	}
	ret->n_ranges = n;
	return 0;
}

int
plan_read(struct span text, struct arena *arena, struct training_plan *ret, struct err *err)
{
	json_error_t where;
	json_t *root = json_loadb(text.ptr, text.len, 0, &where), *offsets = NULL;
	const char *topic, *options, *data;
	json_int_t step;
	int result;

	if (!root)
		return err_set(err, REASON_STATE_CORRUPT, "plan of a training: %s", where.text);
	*ret = (struct training_plan){ 0 };
	if (json_unpack_ex(root, &where, 0, "{s:s, s:o, s:I, s:s, s:s}", "topic", &topic, "offsets", &offsets,
			   "step_us", &step, "options", &options, "data", &data) < 0) {
		result = err_set(err, REASON_STATE_CORRUPT, "plan of a training: %s", where.text);
	} else {
		ret->topic = arena_copy(arena, span_of(topic));
		ret->step_us = step;
		ret->options = strtoull(options, NULL, 16);
		ret->data = strtoull(data, NULL, 16);
		result =
		    ret->topic.ptr ? read_ranges(offsets, arena, ret, err) : err_set(err, REASON_NO_MEMORY, "plan");
	}
	json_decref(root);
	return result;
}
