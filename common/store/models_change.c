/*
 * models_change.c -- who is what: a change of standing locks all versions of the name, in one order, so that changes of one
 * name follow each other and each sees what the one before it has left.
 *
 * What lived before what is read from the changes, as from a stack: a promotion puts a version on top, a roll-back takes one
 * away.  Rolling back twice goes two versions back and never to the one that has just been found wanting.
 */
#include <stdio.h>

#include "common/store/models_private.h"

/* From (row) to (column), as drawn in models.h. */
static const bool allowed[MODEL_STATUS_COUNT][MODEL_STATUS_COUNT] = {
	[MODEL_CANDIDATE] = { [MODEL_CANARY] = true, [MODEL_REJECTED] = true },
	[MODEL_CANARY] = { [MODEL_CANARY] = true, [MODEL_LIVE] = true, [MODEL_REJECTED] = true },
	[MODEL_LIVE] = { [MODEL_RETIRED] = true },
	[MODEL_RETIRED] = { [MODEL_LIVE] = true },
};

struct change {
	struct store *store;
	struct span name;
	const char *why;
	bool rolled_back;
	struct rows *rows; /* version, status, canary_share of all versions of the name, locked */
};

static void
change_clear_cleanup(struct change *c)
{
	rows_free(c->rows);
}

static int
begin(struct change *c, struct err *err)
{
	const struct param params[] = { PARAM_TEXT(c->name) };

	if (store_connect(c->store, err) < 0 || store_exec(c->store, "BEGIN", err) < 0)
		return -1;
	return store_query(c->store,
			   "SELECT version, status, canary_share FROM forebay.models WHERE name = $1 ORDER BY version "
			   "FOR UPDATE",
			   params, ARRAY_LEN(params), &c->rows, err);
}

/* The row of VERSION, of the version that has STATUS; -1: there is none. */
static int
row_of_version(const struct change *c, struct span version)
{
	for (size_t i = 0; i < rows_count(c->rows); i++)
		if (span_equal(rows_text(c->rows, i, 0), version))
			return (int)i;
	return -1;
}

static int
row_of_status(const struct change *c, enum model_status status)
{
	for (size_t i = 0; i < rows_count(c->rows); i++)
		if (span_equal(rows_text(c->rows, i, 1), models_status_text(status)))
			return (int)i;
	return -1;
}

#define SHARE_BYTES 32

/* The same number again, read back. */
static struct span
share_text(double share, char text[SHARE_BYTES])
{
	snprintf(text, SHARE_BYTES, "%.17g", share);
	return span_of(text);
}

static int
set(const struct change *c, size_t row, enum model_status to, double share, bool rolled_back, const char *why,
    struct err *err)
{
	struct span version = rows_text(c->rows, row, 0), from = rows_text(c->rows, row, 1);
	char number[SHARE_BYTES];
	const struct param params[] = { PARAM_TEXT(c->name), PARAM_TEXT(version), PARAM_TEXT(models_status_text(to)),
					PARAM_TEXT(share_text(to == MODEL_CANARY ? share : 0, number)) };

	if (store_query(c->store,
			"UPDATE forebay.models SET status = $3, canary_share = $4::float8, changed_us = " MODELS_NOW
			", announced_time = NULL WHERE name = $1 AND version = $2",
			params, ARRAY_LEN(params), NULL, err) < 0)
		return -1;
	return models_note(c->store, c->name, version, from, to, rolled_back, why, err);
}

/* Whoever has the place that ROW is to take leaves it first. */
static int
make_room(const struct change *c, size_t row, enum model_status to, struct err *err)
{
	int holder = to == MODEL_LIVE || to == MODEL_CANARY ? row_of_status(c, to) : -1;
	struct span version = rows_text(c->rows, row, 0);
	char why[600];

	if (holder < 0 || (size_t)holder == row)
		return 0;
	snprintf(why, sizeof(why), "%.*s %s: %s", SPAN_ARG(version),
		 c->rolled_back     ? "lives again"
		 : to == MODEL_LIVE ? "lives"
				    : "is the canary",
		 c->why);
	return set(c, (size_t)holder, to == MODEL_LIVE ? MODEL_RETIRED : MODEL_REJECTED, 0, false, why, err);
}

static int
move(const struct change *c, size_t row, enum model_status to, double share, struct err *err)
{
	if (make_room(c, row, to, err) < 0)
		return -1;
	return set(c, row, to, share, c->rolled_back, c->why, err);
}

/* ---- to another standing ---- */

static int
refuse(const struct change *c, struct span version, struct span from, enum model_status to, struct err *err)
{
	enum model_status now = models_status_of(from);

	if (now == MODEL_CANDIDATE && to == MODEL_LIVE)
		return err_set(
		    err, REASON_OPTION_INVALID,
		    "model %.*s/%.*s is candidate: it has to be canary before it lives, since another version does",
		    SPAN_ARG(c->name), SPAN_ARG(version));
	return err_set(err, REASON_OPTION_INVALID, "model %.*s/%.*s is %.*s: it cannot become %s", SPAN_ARG(c->name),
		       SPAN_ARG(version), SPAN_ARG(from), model_status_name(to));
}

/* The first of its name has no live version to be compared with as a canary. */
static bool
nobody_to_compare_with(const struct change *c, enum model_status now, enum model_status to)
{
	return now == MODEL_CANDIDATE && to == MODEL_LIVE && row_of_status(c, MODEL_LIVE) < 0;
}

static int
change(const struct change *c, struct span version, enum model_status to, double share, bool *changed, struct err *err)
{
	int row = row_of_version(c, version);
	enum model_status now;

	if (row < 0)
		return err_set(err, REASON_OPTION_INVALID, "there is no model %.*s/%.*s", SPAN_ARG(c->name),
			       SPAN_ARG(version));
	now = models_status_of(rows_text(c->rows, (size_t)row, 1));
	if (now == to && (to != MODEL_CANARY || rows_real(c->rows, (size_t)row, 2) == share))
		return 0;
	if (!allowed[now][to] && !nobody_to_compare_with(c, now, to))
		return refuse(c, version, rows_text(c->rows, (size_t)row, 1), to, err);
	*changed = true;
	return move(c, (size_t)row, to, share, err);
}

int
models_change(struct store *s, struct span name, struct span version, enum model_status to, double share,
	      const char *why, bool *changed, struct err *err)
{
	CLEANUP(change_clear)
	struct change c = { .store = s, .name = name, .why = why };
	int failed;

	*changed = false;
	if (to == MODEL_CANARY && !(share > 0 && share <= 1))
		return err_set(err, REASON_OPTION_INVALID, "a canary's share is above 0 and at most 1, not %g", share);
	if ((unsigned)to >= MODEL_UNKNOWN)
		return err_set(err, REASON_OPTION_INVALID, "model %.*s/%.*s: %s is no standing", SPAN_ARG(name),
			       SPAN_ARG(version), model_status_name(to));
	failed = begin(&c, err) < 0 || change(&c, version, to, share, changed, err) < 0;
	if (models_end(s, failed, err) == 0)
		return 0;
	*changed = false;
	return -1;
}

/* ---- back to the version before ---- */

/* What has lived under this name and was not taken back: the last is live. */
static int
lives(const struct change *c, struct rows **rows, size_t **stack, size_t *n, struct err *err)
{
	const struct param params[] = { PARAM_TEXT(c->name) };

	if (store_query(c->store,
			"SELECT version, rolled_back FROM forebay.model_changes WHERE name = $1 AND to_status = 'live' "
			"ORDER BY id",
			params, ARRAY_LEN(params), rows, err) < 0)
		return -1;
	*n = 0;
	*stack = calloc(rows_count(*rows) + 1, sizeof(**stack));
	if (!*stack)
		return err_set(err, REASON_NO_MEMORY, "changes of a model");
	for (size_t i = 0; i < rows_count(*rows); i++) {
		if (*n > 0 && rows_bool(*rows, i, 1))
			--*n;
		else if (*n == 0 || !span_equal(rows_text(*rows, (*stack)[*n - 1], 0), rows_text(*rows, i, 0)))
			(*stack)[(*n)++] = i;
	}
	return 0;
}

static int
roll_back(const struct change *c, struct err *err)
{
	CLEANUP(rows_free)
	struct rows *rows = NULL;
	CLEANUP(heap_free)
	size_t *stack = NULL;
	int live = row_of_status(c, MODEL_LIVE), before;
	size_t n;

	if (live < 0)
		return err_set(err, REASON_OPTION_INVALID, "no version of model %.*s is live", SPAN_ARG(c->name));
	if (lives(c, &rows, &stack, &n, err) < 0)
		return -1;
	before = n >= 2 ? row_of_version(c, rows_text(rows, stack[n - 2], 0)) : -1;
	if (before < 0)
		return err_set(err, REASON_OPTION_INVALID, "model %.*s/%.*s is live, and none lived before it",
			       SPAN_ARG(c->name), SPAN_ARG(rows_text(c->rows, (size_t)live, 0)));
	return move(c, (size_t)before, MODEL_LIVE, 0, err);
}

int
models_roll_back(struct store *s, struct span name, const char *why, struct err *err)
{
	CLEANUP(change_clear)
	struct change c = { .store = s, .name = name, .why = why, .rolled_back = true };

	return models_end(s, begin(&c, err) < 0 || roll_back(&c, err) < 0, err);
}

/* ---- what happened ---- */

int
models_changes(struct store *s, struct span name, size_t limit, struct arena *arena, struct model_change **ret,
	       size_t *n, struct err *err)
{
	const struct param params[] = { PARAM_TEXT(name), PARAM_INT((int64_t)limit) };
	CLEANUP(rows_free)
	struct rows *rows = NULL;

	if (store_connect(s, err) < 0 ||
	    store_query(s,
			"SELECT name, version, why, from_status, to_status, changed_us FROM forebay.model_changes "
			"WHERE $1::text IS NULL OR name = $1 ORDER BY id DESC LIMIT $2",
			params, ARRAY_LEN(params), &rows, err) < 0)
		return -1;
	*n = rows_count(rows);
	*ret = arena_alloc(arena, (*n + 1) * sizeof(**ret));
	if (!*ret)
		return err_set(err, REASON_NO_MEMORY, "changes of models");
	for (size_t i = 0; i < *n; i++) {
		struct model_change *c = &(*ret)[i];

		*c = (struct model_change){
			.name = arena_copy(arena, rows_text(rows, i, 0)),
			.version = arena_copy(arena, rows_text(rows, i, 1)),
			.why = arena_copy(arena, rows_text(rows, i, 2)),
			.from = models_status_of(rows_text(rows, i, 3)),
			.to = models_status_of(rows_text(rows, i, 4)),
			.time_us = rows_int(rows, i, 5),
		};
		if (!c->name.ptr || !c->version.ptr || !c->why.ptr)
			return err_set(err, REASON_NO_MEMORY, "changes of models");
	}
	return 0;
}

/* ---- telling ---- */

#define TURN "7307199658149177444" /* of the advisory lock: any number that nobody else uses */

int
models_turn(struct store *s, struct err *err)
{
	/* The lock is the session's and outlives the transaction, which is there for its time limit. */
	if (store_connect(s, err) < 0 || store_exec(s, "BEGIN; SET LOCAL lock_timeout = 30000", err) < 0)
		return -1;
	if (models_end(s, store_exec(s, "SELECT pg_advisory_lock(" TURN ")", err), err) < 0)
		return err_wrap(err, "waiting for another process that tells of models");
	return 0;
}

void
models_turn_over(struct store *s)
{
	if (store_session(s) > 0 && store_exec(s, "SELECT pg_advisory_unlock(" TURN ")", NULL) < 0)
		store_disconnect(s);
}

int
models_told(struct store *s, const struct model *m, struct err *err)
{
	char share[SHARE_BYTES];
	const struct param params[] = { PARAM_TEXT(m->name), PARAM_TEXT(m->version),
					PARAM_TEXT(models_status_text(m->status)),
					PARAM_TEXT(share_text(m->canary_share, share)) };

	/* Has it changed meanwhile, then the topic is to be told again, whatever somebody else may have told it. */
	if (store_connect(s, err) < 0)
		return -1;
	return store_query(s,
			   "UPDATE forebay.models SET announced_time = CASE WHEN status = $3 AND canary_share = "
			   "$4::float8 THEN clock_timestamp() END WHERE name = $1 AND version = $2",
			   params, ARRAY_LEN(params), NULL, err);
}
