/*
 * checkpoint_load.c -- states as they come back: all of a partition through a cursor, or one by its key.
 *
 * Values are fetched in binary form, so that a state is copied once and never decoded from text.  How many rows a fetch asks
 * for follows from the size of those before it, in powers of two: few statements, and a portion of about PORTION_BYTES.
 */
#include <inttypes.h>
#include <stdio.h>

#include "common/store/checkpoint.h"
#include "common/store/checkpoint_private.h"

#define PORTION_BYTES ((size_t)8 << 20)
#define PORTION_ROWS 2048
#define FIRST_ROWS 16

struct checkpoint_load {
	struct store *store;
	int64_t session;
	struct checkpoint_claim claim;
	size_t n_rows; /* of the next fetch */
	bool done;
};

int
checkpoint_state_read(const struct checkpoint_claim *claim, const struct rows *rows, size_t row, struct arena *arena,
		      struct checkpoint_state *ret, struct err *err)
{
	struct span bytes = rows_text(rows, row, 4);

	ret->key = arena_copy(arena, rows_text(rows, row, 0));
	checkpoint_positions_read(claim, rows, row, 1, ret->positions);
	ret->born = rows_binary_int(rows, row, 2);
	ret->active_us = rows_binary_int(rows, row, 3);
	ret->bytes = arena_copy(arena, bytes);
	return ret->key.ptr && (ret->bytes.ptr || !bytes.ptr) ? 0 : err_set(err, REASON_NO_MEMORY, "a stored state");
}

int
checkpoint_load_open(struct store *s, const struct checkpoint_claim *claim, size_t n_sources, int64_t active_since_us,
		     struct checkpoint_load **ret, struct err *err)
{
	CLEANUP(checkpoint_load_free)
	struct checkpoint_load *l = NULL;
	struct param params[] = { PARAM_INT(claim->id), PARAM_INT(active_since_us) };

	if (checkpoint_sources_check(claim, n_sources, err) < 0 || store_connect(s, err) < 0)
		return -1;
	l = calloc(1, sizeof(*l));
	if (!l)
		return err_set(err, REASON_NO_MEMORY, "a load of states");
	*l = (struct checkpoint_load){ .store = s, .claim = *claim, .n_rows = FIRST_ROWS };
	l->session = store_session(s);
	/* All rows will be fetched: no plan that is good for the first ones. */
	if (store_exec(s, "BEGIN READ ONLY; SET LOCAL cursor_tuple_fraction = 1", err) < 0 ||
	    store_query(s,
			"DECLARE checkpoint_load NO SCROLL CURSOR FOR SELECT key, positions, born, active_us, "
			"CASE WHEN active_us >= $2 THEN state END FROM forebay.states WHERE partition = $1",
			params, ARRAY_LEN(params), NULL, err) < 0)
		return -1;
	*ret = TAKE(l);
	return 0;
}

void
checkpoint_load_free(struct checkpoint_load *l)
{
	if (!l)
		return;
	if (l->session == store_session(l->store))
		store_rollback(l->store);
	free(l);
}

/* For a portion of N states with BYTES of keys and states behind us: how many to ask for next. */
static size_t
rows_next(size_t n_rows, size_t n, size_t bytes)
{
	size_t fit = PORTION_BYTES / (bytes / n + 64), next = n_rows * 8;

	while (next > 1 && (next > fit || next > PORTION_ROWS))
		next /= 2;
	return next;
}

int
checkpoint_load_next(struct checkpoint_load *l, struct arena *arena, struct checkpoint_state **states, size_t *n,
		     struct err *err)
{
	CLEANUP(rows_free)
	struct rows *rows = NULL;
	char fetch[64];
	size_t bytes = 0;

	*n = 0;
	if (l->done)
		return 0;
	if (l->session != store_session(l->store))
		return err_set(err, REASON_STORE_DOWN, "%s: the session was lost while states were loaded",
			       store_address(l->store));
	snprintf(fetch, sizeof(fetch), "FETCH FORWARD %zu FROM checkpoint_load", l->n_rows);
	if (store_query_binary(l->store, fetch, NULL, 0, &rows, err) < 0)
		return -1;
	*states = arena_alloc(arena, (rows_count(rows) + 1) * sizeof(**states));
	if (!*states)
		return err_set(err, REASON_NO_MEMORY, "stored states");
	for (size_t i = 0; i < rows_count(rows); i++) {
		if (checkpoint_state_read(&l->claim, rows, i, arena, &(*states)[i], err) < 0)
			return -1;
		bytes += (*states)[i].key.len + (*states)[i].bytes.len;
	}
	*n = rows_count(rows);
	l->done = *n < l->n_rows;
	if (*n > 0)
		l->n_rows = rows_next(l->n_rows, *n, bytes);
	return l->done ? checkpoint_end(l->store, 0, err) : 0;
}

static int
get(struct store *s, const struct checkpoint_claim *claim, size_t n_sources, const char *sql,
    const struct param *params, size_t n_params, struct arena *arena, struct checkpoint_state *ret, bool *found,
    struct err *err)
{
	CLEANUP(rows_free)
	struct rows *rows = NULL;

	if (checkpoint_sources_check(claim, n_sources, err) < 0 || store_connect(s, err) < 0 ||
	    store_query_binary(s, sql, params, n_params, &rows, err) < 0)
		return -1;
	*found = rows_count(rows) > 0;
	return *found ? checkpoint_state_read(claim, rows, 0, arena, ret, err) : 0;
}

int
checkpoint_get(struct store *s, const struct checkpoint_claim *claim, size_t n_sources, struct span key,
	       struct arena *arena, struct checkpoint_state *ret, bool *found, struct err *err)
{
	struct param params[] = { PARAM_INT(claim->id), PARAM_BYTES(key) };

	return get(s, claim, n_sources,
		   "SELECT " CHECKPOINT_STATE " FROM forebay.states WHERE partition = $1 AND key = $2", params,
		   ARRAY_LEN(params), arena, ret, found, err);
}

int
checkpoint_get_rung(struct store *s, const struct checkpoint_claim *claim, size_t n_sources, struct span key,
		    int64_t before, struct arena *arena, struct checkpoint_state *ret, bool *found, struct err *err)
{
	struct param params[] = { PARAM_INT(claim->id), PARAM_BYTES(key), PARAM_INT(before) };

	return get(s, claim, n_sources,
		   "SELECT " CHECKPOINT_STATE " FROM forebay.state_rungs WHERE partition = $1 AND key = $2 "
		   "AND clock < $3 ORDER BY clock DESC LIMIT 1",
		   params, ARRAY_LEN(params), arena, ret, found, err);
}
