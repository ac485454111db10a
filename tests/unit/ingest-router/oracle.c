/*
 * oracle.c -- jansson parses; a plan is made of the path to each value of its tree; the scanner runs with that plan; then
 * tree and row are compared value by value.  A text that jansson refuses must be refused with an empty plan and accepted
 * by neither.
 */
#include "oracle.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "workers/ingest-router/scan.h"

#define FLAGS (JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL)
#define WATCHED_MAX 4096

struct watched {
	const json_t *json;
	size_t slot;
};

struct watch {
	struct plan *plan;
	struct path at;
	struct watched *list;
	size_t n;
	bool failed;
};

static void
watch(struct watch *w, const json_t *json)
{
	const char *key;
	size_t key_len, index;
	json_t *child;

	if (w->n == WATCHED_MAX)
		return;
	w->list[w->n].json = json;
	w->failed |= plan_slot(w->plan, w->plan->root, &w->at, &w->list[w->n++].slot, NULL) < 0;
	if (w->at.n_steps == PATH_STEPS_MAX)
		return;
	w->at.n_steps++;
	json_object_keylen_foreach((json_t *)json, key, key_len, child)
	{
		w->at.steps[w->at.n_steps - 1] = (struct path_step){ .key = { key, key_len } };
		watch(w, child);
	}
	json_array_foreach(json, index, child)
	{
		w->at.steps[w->at.n_steps - 1] = (struct path_step){ .index = (uint32_t)index };
		watch(w, child);
	}
	w->at.n_steps--;
}

static bool
same(const json_t *json, const struct scan_value *v, char why[ORACLE_WHY])
{
	double number = json_real_value(json);

	switch (json_typeof(json)) {
	case JSON_OBJECT: return v->kind == SCAN_OBJECT;
	case JSON_ARRAY: return v->kind == SCAN_ARRAY;
	case JSON_TRUE: return v->kind == SCAN_TRUE;
	case JSON_FALSE: return v->kind == SCAN_FALSE;
	case JSON_NULL: return v->kind == SCAN_NULL;
	case JSON_STRING:
		return v->kind == SCAN_STRING &&
		       span_equal(v->text, (struct span){ json_string_value(json), json_string_length(json) });
	case JSON_INTEGER: return false;
	case JSON_REAL:
		if (v->kind == SCAN_NUMBER && memcmp(&number, &v->number, sizeof(number)) == 0)
			return true;
		snprintf(why, ORACLE_WHY, "%.*s: %a here, %a in jansson", SPAN_ARG(v->text), v->number, number);
		return false;
	}
	return false;
}

static bool
compare(struct span text, const json_t *json, struct arena *arena, char why[ORACLE_WHY])
{
	const struct scan_limits limits = { .depth = ORACLE_DEPTH };
	CLEANUP(plan_free)
	struct plan *plan = NULL;
	struct watch w = { .list = arena_alloc(arena, WATCHED_MAX * sizeof(struct watched)) };
	const struct scan_row *row;
	struct err err = ERR_INIT;

	if (!w.list || plan_new(&plan, &err) < 0)
		return false;
	w.plan = plan;
	watch(&w, json);
	if (scan_json(plan, text, &limits, arena, &row, &err) < 0) {
		snprintf(why, ORACLE_WHY, "jansson accepts, here: %s %s", err_reason_name(err.reason), err.text);
		return err.reason == REASON_JSON_DEPTH;
	}
	for (size_t i = 0; i < w.n; i++) {
		snprintf(why, ORACLE_WHY, "value %zu differs", i);
		if (!same(w.list[i].json, &row->values[w.list[i].slot], why))
			return false;
	}
	return !w.failed;
}

bool
oracle_agrees(struct span text, char why[ORACLE_WHY])
{
	const struct scan_limits limits = { .depth = ORACLE_DEPTH };
	CLEANUP(arena_free)
	struct arena *arena = arena_new(65536, 0);
	CLEANUP(plan_free)
	struct plan *empty = NULL;
	const struct scan_row *row;
	struct err err = ERR_INIT;
	json_error_t error;
	json_t *json;
	bool accepted, agreed;

	if (!arena || plan_new(&empty, &err) < 0)
		return false;
	accepted = scan_json(empty, text, &limits, arena, &row, &err) == 0;
	json = json_loadb(text.ptr, text.len, FLAGS, &error);
	if (!json) {
		/* jansson refuses NUL in keys and texts of 2048 levels; RFC 8259 has neither limit. */
		snprintf(why, ORACLE_WHY, "jansson refuses: %s", error.text);
		return !accepted || json_error_code(&error) == json_error_null_byte_in_key;
	}
	if (memchr(text.ptr, '\0', text.len)) { /* jansson overlooks a zero byte behind a number */
		snprintf(why, ORACLE_WHY, "a zero byte is accepted");
		json_decref(json);
		return !accepted;
	}
	if (!accepted)
		snprintf(why, ORACLE_WHY, "jansson accepts, here: %s %s", err_reason_name(err.reason), err.text);
	agreed = accepted ? compare(text, json, arena, why) : err.reason == REASON_JSON_DEPTH;
	json_decref(json);
	return agreed;
}
