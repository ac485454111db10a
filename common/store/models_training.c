/* models_training.c -- trainings under way: a row a name, replaced as a whole. */
#include "common/store/models_private.h"

int
models_training_save(struct store *s, const struct model_training *t, struct err *err)
{
	const struct param params[] = { PARAM_TEXT(t->name), PARAM_TEXT(t->plan), PARAM_BYTES(t->progress),
					PARAM_INT(t->started_us), PARAM_INT(t->saved_us) };

	if (store_connect(s, err) < 0)
		return -1;
	return store_query(
	    s,
	    "INSERT INTO forebay.trainings (name, plan, progress, started_us, saved_us) "
	    "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (name) DO UPDATE SET plan = excluded.plan, "
	    "progress = excluded.progress, started_us = excluded.started_us, saved_us = excluded.saved_us",
	    params, ARRAY_LEN(params), NULL, err);
}

int
models_training_get(struct store *s, struct span name, struct arena *arena, struct model_training *ret, bool *found,
		    struct err *err)
{
	const struct param params[] = { PARAM_TEXT(name) };
	CLEANUP(rows_free)
	struct rows *rows = NULL;

	if (store_connect(s, err) < 0 ||
	    store_query_binary(s, "SELECT plan, progress, started_us, saved_us FROM forebay.trainings WHERE name = $1",
			       params, ARRAY_LEN(params), &rows, err) < 0)
		return -1;
	*found = rows_count(rows) > 0;
	if (!*found)
		return 0;
	*ret = (struct model_training){
		.name = arena_copy(arena, name),
		.plan = arena_copy(arena, rows_text(rows, 0, 0)),
		.progress = arena_copy(arena, rows_text(rows, 0, 1)),
		.started_us = rows_binary_int(rows, 0, 2),
		.saved_us = rows_binary_int(rows, 0, 3),
	};
	if (!ret->name.ptr || !ret->plan.ptr || (!rows_null(rows, 0, 1) && !ret->progress.ptr))
		return err_set(err, REASON_NO_MEMORY, "a training");
	return 0;
}

int
models_training_end(struct store *s, struct span name, struct err *err)
{
	const struct param params[] = { PARAM_TEXT(name) };

	if (store_connect(s, err) < 0)
		return -1;
	return store_query(s, "DELETE FROM forebay.trainings WHERE name = $1", params, ARRAY_LEN(params), NULL, err);
}
