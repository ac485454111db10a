/*
 * epoch.c -- fencing by a counter in the row that every commit must update (the "epoch" of distributed logs).
 *
 * All statements take the partitions as arrays, so that a commit is one round trip whatever their number.
 */
#include "common/store/epoch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/map.h"
#include "common/store/query.h"

#define ARRAY_MAX_BYTES ((size_t)4 << 20)
#define TEXT_OF(number) TEXT_OF_(number)
#define TEXT_OF_(number) #number

struct epoch {
	struct store *store;
	char *group, *instance;
	struct map *held; /* "topic/partition" -> int64_t epoch */
};

/* Arrays for the parameters of a statement over several partitions. */
struct arrays {
	struct buffer topic, partition, epoch, next, inserted, repeated, dead_letters;
};

static void
arrays_clear_cleanup(struct arrays *a)
{
	buffer_clear(&a->topic);
	buffer_clear(&a->partition);
	buffer_clear(&a->epoch);
	buffer_clear(&a->next);
	buffer_clear(&a->inserted);
	buffer_clear(&a->repeated);
	buffer_clear(&a->dead_letters);
}

struct key {
	char text[300];
};

static struct span
key_of(struct key *key, const char *topic, int32_t partition)
{
	int n = snprintf(key->text, sizeof(key->text), "%.249s/%" PRId32, topic, partition);

	return (struct span){ key->text, (size_t)n };
}

int
epoch_new(struct store *store, const char *group, const char *instance, struct epoch **ret, struct err *err)
{
	CLEANUP(epoch_free)
	struct epoch *e = calloc(1, sizeof(*e));

	if (!e)
		return err_set(err, REASON_NO_MEMORY, "claims");
	e->store = store;
	e->group = strdup(group);
	e->instance = strdup(instance);
	e->held = map_new(free);
	if (!e->group || !e->instance || !e->held)
		return err_set(err, REASON_NO_MEMORY, "claims");
	*ret = TAKE(e);
	return 0;
}

void
epoch_free(struct epoch *e)
{
	if (!e)
		return;
	free(e->group);
	free(e->instance);
	map_free(e->held);
	free(e);
}

int64_t
epoch_of(const struct epoch *e, const char *topic, int32_t partition)
{
	struct key key;
	const int64_t *epoch = map_get(e->held, key_of(&key, topic, partition));

	return epoch ? *epoch : 0;
}

void
epoch_release(struct epoch *e, const char *topic, int32_t partition)
{
	struct key key;

	free(map_take(e->held, key_of(&key, topic, partition)));
}

static int
claim_remember(struct epoch *e, const char *topic, int32_t partition, int64_t epoch, struct err *err)
{
	struct key key;
	int64_t *value = malloc(sizeof(*value));

	if (!value || map_put(e->held, key_of(&key, topic, partition), value) < 0) {
		free(value);
		return err_set(err, REASON_NO_MEMORY, "a claim");
	}
	*value = epoch;
	return 0;
}

static int
claim_row(struct epoch *e, const char *topic, int32_t partition, int64_t fallback, struct rows **rows, struct err *err)
{
	struct param params[] = { PARAM_TEXT(span_of(e->group)), PARAM_TEXT(span_of(topic)), PARAM_INT(partition),
				  PARAM_TEXT(span_of(e->instance)), fallback >= 0 ? PARAM_INT(fallback) : PARAM_NULL };

	if (store_exec(e->store, "BEGIN; SET LOCAL lock_timeout = " TEXT_OF(EPOCH_CLAIM_WAIT_MS), err) < 0)
		return -1;
	if (store_query(
		e->store,
		"INSERT INTO forebay.sink_offsets AS o (sink, topic, partition, instance, next_offset, epoch, "
		"backend_pid, backend_start) "
		"SELECT $1, $2, $3, $4, $5, 1, pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid() "
		"ON CONFLICT (sink, topic, partition) DO UPDATE SET epoch = o.epoch + 1, "
		"instance = excluded.instance, next_offset = coalesce(o.next_offset, excluded.next_offset), "
		"backend_pid = excluded.backend_pid, backend_start = excluded.backend_start, updated_at = now() "
		"RETURNING epoch, next_offset",
		params, ARRAY_LEN(params), rows, err) < 0)
		return -1;
	return store_commit(e->store, err);
}

/* The owner's transaction has not ended for too long: end its session, if it is the one that claimed. */
static void
claim_evict(struct epoch *e, const char *topic, int32_t partition)
{
	struct param params[] = { PARAM_TEXT(span_of(e->group)), PARAM_TEXT(span_of(topic)), PARAM_INT(partition) };

	store_query(e->store,
		    "SELECT pg_terminate_backend(a.pid) FROM forebay.sink_offsets o JOIN pg_stat_activity a "
		    "ON a.pid = o.backend_pid AND a.backend_start = o.backend_start "
		    "WHERE o.sink = $1 AND o.topic = $2 AND o.partition = $3 AND a.pid <> pg_backend_pid()",
		    params, ARRAY_LEN(params), NULL, NULL);
}

int
epoch_claim(struct epoch *e, const char *topic, int32_t partition, int64_t fallback, int64_t *offset, struct err *err)
{
	CLEANUP(rows_free)
	struct rows *rows = NULL;
	struct err why = ERR_INIT;

	if (store_connect(e->store, err) < 0)
		return -1;
	if (claim_row(e, topic, partition, fallback, &rows, &why) < 0) {
		bool locked = strcmp(store_sqlstate(e->store), "55P03") == 0;

		store_rollback(e->store);
		if (locked)
			claim_evict(e, topic, partition);
		if (err)
			*err = why;
		return err_wrap(err, "claim of %s/%" PRId32, topic, partition);
	}
	if (claim_remember(e, topic, partition, rows_int(rows, 0, 0), err) < 0)
		return -1;
	*offset = rows_null(rows, 0, 1) ? -1 : rows_int(rows, 0, 1);
	return 0;
}

static int
arrays_fill(struct arrays *a, const struct epoch *e, const struct epoch_step *steps, size_t n, struct err *err)
{
	int bad = 0;

	a->topic.max = ARRAY_MAX_BYTES;
	for (size_t i = 0; i < n; i++) {
		bad |= query_array_text(&a->topic, span_of(steps[i].topic));
		bad |= query_array_int(&a->partition, steps[i].partition);
		bad |= query_array_int(&a->epoch, epoch_of(e, steps[i].topic, steps[i].partition));
		bad |= query_array_int(&a->next, steps[i].next_offset);
		bad |= query_array_int(&a->inserted, steps[i].inserted);
		bad |= query_array_int(&a->repeated, steps[i].repeated);
		bad |= query_array_int(&a->dead_letters, steps[i].dead_letters);
	}
	bad |= query_array_end(&a->topic) | query_array_end(&a->partition) | query_array_end(&a->epoch) |
	       query_array_end(&a->next) | query_array_end(&a->inserted) | query_array_end(&a->repeated) |
	       query_array_end(&a->dead_letters);
	return bad ? err_set(err, REASON_NO_MEMORY, "offsets of %zu partitions", n) : 0;
}

/* Say which partition was lost, and to whom. */
static int
fenced(struct epoch *e, const struct arrays *a, struct err *err)
{
	CLEANUP(rows_free)
	struct rows *rows = NULL;
	struct param params[] = { PARAM_TEXT(span_of(e->group)), PARAM_TEXT(buffer_span(&a->topic)),
				  PARAM_TEXT(buffer_span(&a->partition)), PARAM_TEXT(buffer_span(&a->epoch)) };

	if (store_query(
		e->store,
		"SELECT p.topic, p.partition, p.epoch, o.epoch, o.instance "
		"FROM unnest($2::text[], $3::int[], $4::bigint[]) AS p (topic, partition, epoch) "
		"LEFT JOIN forebay.sink_offsets o ON o.sink = $1 AND o.topic = p.topic AND o.partition = p.partition "
		"WHERE o.epoch IS DISTINCT FROM p.epoch LIMIT 1",
		params, ARRAY_LEN(params), &rows, err) < 0)
		return -1;
	if (rows_count(rows) == 0)
		return err_set(err, REASON_STORE_FENCED, "a partition has a newer owner");
	if (rows_null(rows, 0, 3))
		return err_set(err, REASON_STORE_FENCED, "forebay.sink_offsets has no row for %s/%" PRId64 " any more",
			       rows_text(rows, 0, 0).ptr, rows_int(rows, 0, 1));
	return err_set(err, REASON_STORE_FENCED,
		       "%s/%" PRId64 " belongs to instance %s (epoch %" PRId64 ", ours %" PRId64 ")",
		       rows_text(rows, 0, 0).ptr, rows_int(rows, 0, 1), rows_text(rows, 0, 4).ptr, rows_int(rows, 0, 3),
		       rows_int(rows, 0, 2));
}

int
epoch_lock(struct epoch *e, const struct epoch_step *steps, size_t n, bool *reached, struct err *err)
{
	CLEANUP(arrays_clear)
	struct arrays a = { 0 };
	CLEANUP(rows_free)
	struct rows *rows = NULL;
	struct param params[5];

	*reached = n > 0;
	if (n == 0)
		return 0;
	if (arrays_fill(&a, e, steps, n, err) < 0)
		return -1;
	params[0] = PARAM_TEXT(span_of(e->group));
	params[1] = PARAM_TEXT(buffer_span(&a.topic));
	params[2] = PARAM_TEXT(buffer_span(&a.partition));
	params[3] = PARAM_TEXT(buffer_span(&a.epoch));
	params[4] = PARAM_TEXT(buffer_span(&a.next));
	if (store_query(
		e->store,
		"SELECT coalesce(o.next_offset >= p.next, false) "
		"FROM unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[]) AS p (topic, partition, epoch, next) "
		"JOIN forebay.sink_offsets o ON o.sink = $1 AND o.topic = p.topic AND o.partition = p.partition "
		"AND o.epoch = p.epoch ORDER BY o.topic, o.partition FOR UPDATE OF o",
		params, ARRAY_LEN(params), &rows, err) < 0)
		return -1;
	if (rows_count(rows) != n)
		return fenced(e, &a, err);
	for (size_t i = 0; i < n; i++)
		*reached = *reached && rows_bool(rows, i, 0);
	return 0;
}

int
epoch_advance(struct epoch *e, const struct epoch_step *steps, size_t n, struct err *err)
{
	CLEANUP(arrays_clear)
	struct arrays a = { 0 };
	CLEANUP(rows_free)
	struct rows *rows = NULL;
	struct param params[8];

	if (n == 0)
		return 0;
	if (arrays_fill(&a, e, steps, n, err) < 0)
		return -1;
	params[0] = PARAM_TEXT(span_of(e->group));
	params[1] = PARAM_TEXT(buffer_span(&a.topic));
	params[2] = PARAM_TEXT(buffer_span(&a.partition));
	params[3] = PARAM_TEXT(buffer_span(&a.epoch));
	params[4] = PARAM_TEXT(buffer_span(&a.next));
	params[5] = PARAM_TEXT(buffer_span(&a.inserted));
	params[6] = PARAM_TEXT(buffer_span(&a.repeated));
	params[7] = PARAM_TEXT(buffer_span(&a.dead_letters));
	if (store_query(
		e->store,
		"UPDATE forebay.sink_offsets o SET next_offset = p.next, rows_inserted = o.rows_inserted + p.inserted, "
		"rows_repeated = o.rows_repeated + p.repeated, dead_letters = o.dead_letters + p.dead, "
		"updated_at = now() FROM unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[], $6::bigint[], "
		"$7::bigint[], $8::bigint[]) AS p (topic, partition, epoch, next, inserted, repeated, dead) "
		"WHERE o.sink = $1 AND o.topic = p.topic AND o.partition = p.partition AND o.epoch = p.epoch",
		params, ARRAY_LEN(params), &rows, err) < 0)
		return -1;
	return rows_affected(rows) == (int64_t)n ? 0 : fenced(e, &a, err);
}
