/* models_show.c -- `forebay models show` and `diff`: the facts of one version, of two side by side. */
#include <stdio.h>
#include <string.h>

#include "cli/columns.h"
#include "cli/models.h"

#define MOST_CHANGES 1000

/* A version and its facts; an artefact that cannot be read leaves those of its row. */
struct shown {
	struct model model;
	json_t *facts;
	struct err why; /* REASON_NONE: the artefact was read */
};

static void
shown_clear_cleanup(struct shown *s)
{
	json_decref(s->facts);
}

static int
look(struct models *c, const char *word, struct shown *s, struct err *err)
{
	struct artefact a;
	bool readable;

	if (models_find(c, word, &s->model, err) < 0)
		return -1;
	readable = artefact_read(s->model.artefact, &a, &s->why) == 0;
	s->facts = models_facts(c, &s->model, readable ? &a : NULL);
	if (readable)
		artefact_clear(&a);
	else
		c->broken = true;
	return s->facts ? 0 : err_set(err, REASON_NO_MEMORY, "facts of a model");
}

/* "ensemble_from_step_0" for people. */
static const char *
title(struct models *c, const char *name)
{
	char *text = arena_printf(c->arena, "%s", name);

	for (char *at = text; at && (at = strchr(at, '_'));)
		*at = ' ';
	return text ? text : "";
}

static void
complain(const struct shown *s)
{
	if (s->why.reason != REASON_NONE)
		fprintf(stderr, "forebay models: %.*s/%.*s: the artefact cannot be read: %s [%s]\n",
			SPAN_ARG(s->model.name), SPAN_ARG(s->model.version), s->why.text,
			err_reason_name(s->why.reason));
}

/* ---- one ---- */

/* Those of this version, newest first. */
static json_t *
changes_json(struct models *c, const struct model *m, const struct model_change *changes, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		if (span_equal(changes[i].version, m->version))
			json_array_append_new(
			    list,
			    json_pack("{s:s, s:s?, s:s, s:s}", "time", models_time(c, changes[i].time_us), "from",
				      changes[i].from == MODEL_UNKNOWN ? NULL : model_status_name(changes[i].from),
				      "to", model_status_name(changes[i].to), "why", models_text(c, changes[i].why)));
	return list;
}

static void
print_changes(struct models *c, const struct model *m, const struct model_change *changes, size_t n)
{
	puts("changes, newest first");
	for (size_t i = 0; i < n; i++) {
		if (!span_equal(changes[i].version, m->version))
			continue;
		printf("  %s  %s%s%s: %.*s\n", models_since(c, changes[i].time_us),
		       changes[i].from == MODEL_UNKNOWN ? "" : model_status_name(changes[i].from),
		       changes[i].from == MODEL_UNKNOWN ? "added as " : " -> ", model_status_name(changes[i].to),
		       SPAN_ARG(changes[i].why));
	}
}

static void
print_facts(struct models *c, json_t *facts)
{
	const char *name;
	json_t *value;

	json_object_foreach(facts, name, value) printf("%-22s  %s\n", title(c, name), models_fact_text(c, value));
}

int
models_do_show(struct models *c, struct err *err)
{
	CLEANUP(shown_clear)
	struct shown s = { .facts = NULL };
	struct model_change *changes;
	size_t n;

	if (look(c, c->words[0], &s, err) < 0 ||
	    models_changes(c->store, s.model.name, MOST_CHANGES, c->arena, &changes, &n, err) < 0)
		return -1;
	complain(&s);
	if (c->options->json) {
		json_object_set_new(s.facts, "readable", json_boolean(s.why.reason == REASON_NONE));
		json_object_set_new(s.facts, "changes", changes_json(c, &s.model, changes, n));
		return verb_print_json(json_incref(s.facts), err);
	}
	print_facts(c, s.facts);
	print_changes(c, &s.model, changes, n);
	return 0;
}

/* ---- two ---- */

/* Every fact of either as ["name", of A or null, of B or null]; in the order of A, then what only B has. */
static json_t *
pairs(json_t *a, json_t *b)
{
	json_t *list = json_array(), *value;
	const char *name;

	json_object_foreach(a, name, value)
	    json_array_append_new(list, json_pack("[s, O, O?]", name, value, json_object_get(b, name)));
	json_object_foreach(b, name, value) if (!json_object_get(a, name))
	    json_array_append_new(list, json_pack("[s, n, O]", name, value));
	return list;
}

static bool
differ(const json_t *pair)
{
	return !json_equal(json_array_get(pair, 1), json_array_get(pair, 2));
}

static int
print_pairs(struct models *c, const json_t *list, struct err *err)
{
	static const struct column columns[] = { { "", false }, { "", false }, { "A", false }, { "B", false } };
	CLEANUP(buffer_clear)
	struct buffer out = BUFFER_INIT(0);
	size_t n = json_array_size(list), i;
	const char **cells = arena_alloc(c->arena, (n + 1) * ARRAY_LEN(columns) * sizeof(*cells)), **cell = cells;
	const json_t *pair;

	json_array_foreach(list, i, pair)
	{
		if (!cells)
			break;
		*cell++ = differ(pair) ? "*" : " ";
		*cell++ = title(c, json_string_value(json_array_get(pair, 0)));
		*cell++ = models_fact_text(c, json_array_get(pair, 1));
		*cell++ = models_fact_text(c, json_array_get(pair, 2));
	}
	if (!cells || columns_print(columns, ARRAY_LEN(columns), cells, n, &out) < 0)
		return err_set(err, REASON_NO_MEMORY, "table");
	fwrite(out.ptr, 1, out.len, stdout);
	return 0;
}

static json_t *
pairs_json(const json_t *list)
{
	json_t *facts = json_object();
	const json_t *pair;
	size_t i;

	json_array_foreach(list, i, pair)
	    json_object_set_new(facts, json_string_value(json_array_get(pair, 0)),
				json_pack("{s:O, s:O, s:b}", "a", json_array_get(pair, 1), "b", json_array_get(pair, 2),
					  "differs", differ(pair)));
	return json_pack("{s:o}", "facts", facts);
}

int
models_do_diff(struct models *c, struct err *err)
{
	CLEANUP(shown_clear)
	struct shown a = { .facts = NULL };
	CLEANUP(shown_clear)
	struct shown b = { .facts = NULL };
	json_t *list;
	int failed;

	if (look(c, c->words[0], &a, err) < 0 || look(c, c->words[1], &b, err) < 0)
		return -1;
	complain(&a);
	complain(&b);
	list = pairs(a.facts, b.facts);
	failed = c->options->json ? verb_print_json(pairs_json(list), err) : print_pairs(c, list, err);
	json_decref(list);
	return failed;
}
