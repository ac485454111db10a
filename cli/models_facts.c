/*
 * models_facts.c -- a version as a flat list of facts, in JSON, from which everything else follows: what is shown, what is
 * compared, what people read.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/models.h"
#include "common/forecast/panel.h"

static const char *const features[] = {
	[FEATURE_SECOND_OF_MINUTE] = "second of minute", [FEATURE_MINUTE_OF_HOUR] = "minute of hour",
	[FEATURE_HOUR_OF_DAY] = "hour of day",           [FEATURE_DAY_OF_WEEK] = "day of week",
	[FEATURE_DAY_OF_MONTH] = "day of month",         [FEATURE_DAY_OF_YEAR] = "day of year",
	[FEATURE_WEEK_OF_YEAR] = "week of year",         [FEATURE_MONTH_OF_YEAR] = "month of year",
};

static void
put_text(json_t *facts, const char *name, const char *text)
{
	json_object_set_new(facts, name, json_string(text));
}

static void
put_whole(json_t *facts, const char *name, int64_t value)
{
	json_object_set_new(facts, name, json_integer(value));
}

/* What is no number in JSON (NaN) is null. */
static json_t *
real(double value)
{
	json_t *number = json_real(value);

	return number ? number : json_null();
}

static json_t *
wholes(const int32_t *values, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_integer(values[i]));
	return list;
}

static json_t *
reals(const double *values, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, real(values[i]));
	return list;
}

static json_t *
feature_names(const struct frequency *f)
{
	json_t *list = json_array();

	for (size_t i = 0; i < f->n_features; i++)
		json_array_append_new(
		    list,
		    json_string((size_t)f->features[i] < ARRAY_LEN(features) ? features[f->features[i]] : "unknown"));
	return list;
}

static void
put_networks(json_t *facts, const struct artefact *a)
{
	const struct deepar *m = a->networks[0];
	const struct deepar_config *c = &m->config;

	put_text(facts, "frequency", c->frequency.name);
	put_whole(facts, "horizon", c->horizon);
	put_whole(facts, "context", c->context);
	put_whole(facts, "layers", c->layers);
	put_whole(facts, "hidden", c->hidden);
	put_text(facts, "head", deepar_head_name(c->head));
	json_object_set_new(facts, "lags", wholes(c->frequency.lags, c->frequency.n_lags));
	json_object_set_new(facts, "features", feature_names(&c->frequency));
	json_object_set_new(facts, "cardinality", wholes(c->cardinality, (size_t)c->n_cats));
	put_whole(facts, "static_numbers", c->n_reals);
	put_whole(facts, "dynamic_features", c->n_dynamic);
	json_object_set_new(facts, "default_scale", real(c->default_scale));
	json_object_set_new(facts, "dropout", real(c->dropout));
	put_whole(facts, "inputs", (int64_t)m->n_inputs);
	put_whole(facts, "weights", (int64_t)m->n_weights);
	json_object_set_new(facts, "networks_wql", reals(a->validation, a->n_networks));
}

static void
put_ensemble(json_t *facts, const struct artefact *a)
{
	const struct ensemble_rule *rule = &a->ensemble;

	json_object_set_new(facts, "levels", reals(a->levels, a->n_levels));
	for (size_t b = 0; b < rule->n_buckets && b < ENSEMBLE_BUCKETS_MAX; b++) {
		json_t *weights = json_object();
		char name[48];

		for (size_t m = 0; m < rule->n_members && m < PANEL_MEMBERS; m++)
			json_object_set_new(weights, panel_member_name((enum panel_member)m), real(rule->prior[b][m]));
		snprintf(name, sizeof(name), "ensemble_from_step_%" PRIu32, rule->edges[b]);
		json_object_set_new(facts, name, weights);
	}
}

static void
put_artefact(json_t *facts, const struct artefact *a)
{
	char hash[24];

	put_text(facts, "code", a->code);
	snprintf(hash, sizeof(hash), "%016" PRIx64, a->data);
	put_text(facts, "data", hash);
	put_whole(facts, "series", (int64_t)a->n_series);
	put_whole(facts, "points", (int64_t)a->n_points);
	put_whole(facts, "networks", (int64_t)a->n_networks);
	if (a->n_networks > 0)
		put_networks(facts, a);
	put_ensemble(facts, a);
}

json_t *
models_facts(struct models *c, const struct model *m, const struct artefact *a)
{
	json_t *facts = json_object();
	char sha256[65] = "";

	put_text(facts, "name", models_text(c, m->name));
	put_text(facts, "version", models_text(c, m->version));
	put_text(facts, "family", models_text(c, m->family));
	put_text(facts, "status", model_status_name(m->status));
	json_object_set_new(facts, "share", real(m->canary_share));
	put_text(facts, "created_at", models_time(c, m->created_us));
	put_text(facts, "from", models_time(c, m->from_us));
	put_text(facts, "cutoff", models_time(c, m->to_us));
	json_object_set_new(facts, "parent", m->parent.ptr ? json_string(models_text(c, m->parent)) : json_null());
	put_whole(facts, "bytes", (int64_t)m->artefact.len);
	for (size_t i = 0; i < m->sha256.len && i < 32; i++)
		snprintf(sha256 + 2 * i, 3, "%02x", (unsigned char)m->sha256.ptr[i]);
	put_text(facts, "sha256", sha256);
	if (a)
		put_artefact(facts, a);
	for (size_t i = 0; i < m->n_figures; i++) {
		const char *name = arena_printf(c->arena, "figure_%.*s", SPAN_ARG(m->figures[i].name));

		if (name)
			json_object_set_new(facts, name, real(m->figures[i].value));
	}
	return facts;
}

/* ---- for people ---- */

static int
put_value(struct buffer *out, const json_t *value)
{
	const char *key;
	json_t *item;
	size_t i;
	int bad = 0;

	switch (json_typeof(value)) {
	case JSON_STRING: return buffer_text(out, json_string_value(value));
	case JSON_INTEGER: return buffer_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	case JSON_REAL: return buffer_printf(out, "%.6g", json_real_value(value));
	case JSON_ARRAY:
		json_array_foreach(value, i, item) bad |= buffer_text(out, i ? ", " : "") | put_value(out, item);
		return bad;
	case JSON_OBJECT:
		i = 0;
		json_object_foreach((json_t *)(uintptr_t)value, key, item) bad |=
		    buffer_printf(out, "%s%s ", i++ ? ", " : "", key) | put_value(out, item);
		return bad;
	default: return 0;
	}
}

const char *
models_fact_text(struct models *c, const json_t *value)
{
	CLEANUP(buffer_clear)
	struct buffer out = BUFFER_INIT(0);

	if (!value || put_value(&out, value) < 0 || out.len == 0)
		return "-";
	return models_text(c, buffer_span(&out));
}
