/*
 * checkpoint_drop.c -- dropping stored states by hand; see checkpoint_list.h.
 *
 * What is counted and what is dropped are chosen by the same text, so that a dry run says what a real one does.
 */
#include <inttypes.h>

#include "common/store/checkpoint.h"
#include "common/store/checkpoint_list.h"
#include "common/store/query.h"

/* Of RUN and GROUP ($1, $2). */
#define PARTITIONS "(SELECT id FROM forebay.state_partitions WHERE $1 IN ('', run) AND $2 IN ('', worker))"

static const char count_rungs[] =
    "SELECT count(*) FROM forebay.state_rungs WHERE partition IN " PARTITIONS " AND taken_us < $3";
static const char drop_rungs[] = "DELETE FROM forebay.state_rungs WHERE partition IN " PARTITIONS " AND taken_us < $3";

/* A statement that counts or deletes: how many rows. */
static int
count_rows(struct store *s, const char *sql, bool dry, const struct param *params, size_t n_params, int64_t *ret,
	   struct err *err)
{
	CLEANUP(rows_free)
	struct rows *rows = NULL;

	if (store_query(s, sql, params, n_params, &rows, err) < 0)
		return -1;
	*ret = dry ? rows_int(rows, 0, 0) : rows_affected(rows);
	return 0;
}

int
checkpoint_drop_rungs(struct store *s, const char *run, const char *group, int64_t before_us, bool dry,
		      struct checkpoint_dropped *ret, struct err *err)
{
	const struct param params[] = { PARAM_TEXT(span_of(run)), PARAM_TEXT(span_of(group)), PARAM_INT(before_us) };

	*ret = (struct checkpoint_dropped){ 0 };
	if (store_connect(s, err) < 0)
		return -1;
	return count_rows(s, dry ? count_rungs : drop_rungs, dry, params, ARRAY_LEN(params), &ret->rungs, err);
}

/* In this order: what refers to the partition's row, then the row. */
static const struct step {
	const char *count, *drop;
	size_t to;
} of_run[] = {
	{ "SELECT count(*) FROM forebay.state_rungs WHERE partition IN " PARTITIONS,
	  "DELETE FROM forebay.state_rungs WHERE partition IN " PARTITIONS,
	  offsetof(struct checkpoint_dropped, rungs) },
	{ "SELECT count(*) FROM forebay.states WHERE partition IN " PARTITIONS,
	  "DELETE FROM forebay.states WHERE partition IN " PARTITIONS, offsetof(struct checkpoint_dropped, states) },
	{ "SELECT count(*) FROM forebay.state_partitions WHERE id IN " PARTITIONS,
	  "DELETE FROM forebay.state_partitions WHERE id IN " PARTITIONS,
	  offsetof(struct checkpoint_dropped, partitions) },
};

/* Who is at work on these partitions waits, and is fenced then. */
static const char lock_sql[] =
    "SELECT id FROM forebay.state_partitions WHERE $1 IN ('', run) AND $2 IN ('', worker) ORDER BY id FOR UPDATE";

static int
end(struct store *s, int failed, bool dry, struct err *err)
{
	if (!failed && !dry)
		return store_commit(s, err);
	store_rollback(s);
	return failed;
}

int
checkpoint_drop_run(struct store *s, const char *run, const char *group, bool dry, struct checkpoint_dropped *ret,
		    struct err *err)
{
	const struct param params[] = { PARAM_TEXT(span_of(run)), PARAM_TEXT(span_of(group)) };
	int failed;

	*ret = (struct checkpoint_dropped){ 0 };
	if (store_connect(s, err) < 0 || store_exec(s, "BEGIN", err) < 0)
		return -1;
	failed = dry ? 0 : store_query(s, lock_sql, params, ARRAY_LEN(params), NULL, err);
	for (size_t i = 0; !failed && i < ARRAY_LEN(of_run); i++)
		failed = count_rows(s, dry ? of_run[i].count : of_run[i].drop, dry, params, ARRAY_LEN(params),
				    (int64_t *)(void *)((char *)ret + of_run[i].to), err);
	return end(s, failed, dry, err);
}

static int
drop_key(struct store *s, const struct checkpoint_found *key, struct checkpoint_dropped *sum, struct err *err)
{
	const struct param params[] = { PARAM_INT(key->id), PARAM_BYTES(key->key) };
	int64_t states, rungs;

	if (count_rows(s, "DELETE FROM forebay.states WHERE partition = $1 AND key = $2", false, params,
		       ARRAY_LEN(params), &states, err) < 0 ||
	    count_rows(s, "DELETE FROM forebay.state_rungs WHERE partition = $1 AND key = $2", false, params,
		       ARRAY_LEN(params), &rungs, err) < 0)
		return -1;
	sum->states += states;
	sum->rungs += rungs;
	return 0;
}

/* A worker's sessions bear its instance's name, as far as PostgreSQL keeps it. */
static const char owner_sql[] =
    "SELECT p.instance, p.topic, p.partition FROM forebay.state_partitions p JOIN pg_stat_activity a "
    "ON a.datname = current_database() AND a.application_name = left(p.instance, 63) WHERE p.id = $1 LIMIT 1";

static int
refuse_owned(struct store *s, int64_t partition, struct err *err)
{
	const struct param params[] = { PARAM_INT(partition) };
	CLEANUP(rows_free)
	struct rows *rows = NULL;

	if (store_query(s, owner_sql, params, ARRAY_LEN(params), &rows, err) < 0)
		return -1;
	if (rows_count(rows) == 0)
		return 0;
	return err_set(err, REASON_USAGE,
		       "%.*s is at work on %.*s/%" PRId64
		       ": it has these keys in memory, and would store them again; stop it first",
		       SPAN_ARG(rows_text(rows, 0, 0)), SPAN_ARG(rows_text(rows, 0, 1)), rows_int(rows, 0, 2));
}

int
checkpoint_drop_keys(struct store *s, const struct checkpoint_found *keys, size_t n, bool dry,
		     struct checkpoint_dropped *ret, struct err *err)
{
	int failed = 0;

	*ret = (struct checkpoint_dropped){ 0 };
	if (store_connect(s, err) < 0 || store_exec(s, "BEGIN", err) < 0)
		return -1;
	for (size_t i = 0; !failed && !dry && i < n; i++)
		failed = i > 0 && keys[i].id == keys[i - 1].id ? 0 : refuse_owned(s, keys[i].id, err);
	for (size_t i = 0; !failed && i < n; i++)
		failed = drop_key(s, &keys[i], ret, err);
	return end(s, failed, dry, err);
}
