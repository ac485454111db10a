/*
 * checkpoint_list.c -- lists travel as comma separated text: names of topics hold no comma.  Ranges of keys are ranges of the
 * primary key's index, so that a key is found without knowing its partition.
 */
#include "common/store/checkpoint_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/store/checkpoint.h"
#include "common/store/query.h"

#define ARRAY_MAX_BYTES ((size_t)64 << 20)

/* ---- reading columns ---- */

static const char *
text_of(struct arena *a, const struct rows *rows, size_t row, int column)
{
	struct span text = rows_text(rows, row, column);

	return arena_copy(a, text.ptr ? text : SPAN("")).ptr;
}

static size_t
count_of(struct span list)
{
	size_t n = list.len > 0;

	for (size_t i = 0; i < list.len; i++)
		n += list.ptr[i] == ',';
	return n;
}

static void
read_numbers(struct span list, size_t n, int64_t *ret)
{
	const char *at = list.ptr;

	for (size_t i = 0; i < n; i++) {
		char *end;

		ret[i] = strtoll(at, &end, 10);
		at = end + (*end == ',');
	}
}

int
checkpoint_offsets_read(struct arena *a, struct span sources, struct span at, struct checkpoint_offsets *ret,
			struct err *err)
{
	struct span names = arena_copy(a, sources);
	size_t n = count_of(names), n_at = count_of(at);
	char *name = (char *)(uintptr_t)names.ptr;

	*ret = (struct checkpoint_offsets){ 0 };
	if (!at.ptr)
		return 0;
	ret->sources = arena_zalloc(a, (n + 1) * sizeof(*ret->sources));
	ret->at = arena_alloc(a, (n + 1) * sizeof(*ret->at));
	if (!names.ptr || !ret->sources || !ret->at)
		return err_set(err, REASON_NO_MEMORY, "sources");
	for (; ret->n < n; ret->n++) {
		ret->sources[ret->n] = strsep(&name, ",");
		ret->at[ret->n] = CHECKPOINT_NO_OFFSET;
	}
	read_numbers(at, n < n_at ? n : n_at, ret->at);
	return 0;
}

/* ---- partitions ---- */

static const char list_sql[] =
    "SELECT p.id, p.run, p.worker, p.topic, p.partition, p.instance, p.epoch, array_to_string(p.sources, ','), "
    "array_to_string(p.frontier, ',', '-1'), s.keys, s.bytes, s.oldest, r.rungs, "
    "(extract(epoch FROM p.claimed_at) * 1000000)::bigint, (extract(epoch FROM p.updated_at) * 1000000)::bigint "
    "FROM forebay.state_partitions p "
    "CROSS JOIN LATERAL (SELECT count(*) AS keys, coalesce(sum(octet_length(state)), 0)::bigint AS bytes, "
    "min(taken_us) AS oldest FROM forebay.states WHERE partition = p.id) s "
    "CROSS JOIN LATERAL (SELECT count(*) AS rungs FROM forebay.state_rungs WHERE partition = p.id) r "
    "WHERE $1 IN ('', p.run) AND $2 IN ('', p.worker) ORDER BY p.run <> 'live', p.run, p.worker, p.topic, p.partition";

static int
read_summary(struct arena *a, const struct rows *rows, size_t i, struct checkpoint_summary *ret, struct err *err)
{
	*ret = (struct checkpoint_summary){
		.id = rows_int(rows, i, 0),
		.run = text_of(a, rows, i, 1),
		.group = text_of(a, rows, i, 2),
		.topic = text_of(a, rows, i, 3),
		.partition = (int32_t)rows_int(rows, i, 4),
		.instance = text_of(a, rows, i, 5),
		.epoch = rows_int(rows, i, 6),
		.keys = rows_int(rows, i, 9),
		.bytes = rows_int(rows, i, 10),
		.oldest_us = rows_int(rows, i, 11),
		.rungs = rows_int(rows, i, 12),
		.claimed_us = rows_int(rows, i, 13),
		.updated_us = rows_int(rows, i, 14),
	};
	if (!ret->run || !ret->group || !ret->topic || !ret->instance)
		return err_set(err, REASON_NO_MEMORY, "state partitions");
	return checkpoint_offsets_read(a, rows_text(rows, i, 7), rows_text(rows, i, 8), &ret->frontier, err);
}

int
checkpoint_list(struct store *s, const char *run, const char *group, struct arena *arena,
		struct checkpoint_summary **ret, size_t *n, struct err *err)
{
	const struct param params[] = { PARAM_TEXT(span_of(run)), PARAM_TEXT(span_of(group)) };
	CLEANUP(rows_free)
	struct rows *rows = NULL;

	if (store_connect(s, err) < 0 || store_query(s, list_sql, params, ARRAY_LEN(params), &rows, err) < 0)
		return -1;
	*n = rows_count(rows);
	*ret = arena_alloc(arena, (*n + 1) * sizeof(**ret));
	if (!*ret)
		return err_set(err, REASON_NO_MEMORY, "state partitions");
	for (size_t i = 0; i < *n; i++)
		if (read_summary(arena, rows, i, &(*ret)[i], err) < 0)
			return -1;
	return 0;
}

/* ---- keys ---- */

/* An element of a bytea[]. */
static int
array_bytes(struct buffer *array, struct span bytes)
{
	static const char digits[] = "0123456789abcdef";
	struct buffer hex = BUFFER_INIT(ARRAY_MAX_BYTES);
	int bad = buffer_text(&hex, "\\x");

	for (size_t i = 0; i < bytes.len; i++) {
		unsigned char c = (unsigned char)bytes.ptr[i];

		bad |= buffer_append(&hex, &digits[c >> 4], 1) | buffer_append(&hex, &digits[c & 15], 1);
	}
	bad |= query_array_text(array, buffer_span(&hex));
	buffer_clear(&hex);
	return bad;
}

#define FOUND_COLUMNS                                                                                        \
	"key, clock, array_to_string(positions, ',', '-1') AS positions, born, active_us, epoch, taken_us, " \
	"octet_length(state) AS size"

static const char find_sql[] =
    "SELECT DISTINCT ON (p.topic, p.partition, x.key) p.id, p.topic, p.partition, array_to_string(p.sources, ','), "
    "x.key, x.clock, x.positions, x.born, x.active_us, x.epoch, x.taken_us, x.size, x.rung "
    "FROM forebay.state_partitions p CROSS JOIN unnest($3::bytea[], $4::bytea[]) AS k (low, high) "
    "CROSS JOIN LATERAL (SELECT " FOUND_COLUMNS ", false AS rung FROM forebay.states "
    "WHERE partition = p.id AND key >= k.low AND key < k.high AND clock <= $5 "
    "UNION ALL SELECT " FOUND_COLUMNS ", true FROM forebay.state_rungs "
    "WHERE partition = p.id AND key >= k.low AND key < k.high AND clock <= $5) x "
    "WHERE p.run = $1 AND p.worker = $2 ORDER BY p.topic, p.partition, x.key, x.clock DESC, x.rung LIMIT $6";

static const char before_sql[] =
    "SELECT p.id, p.topic, p.partition, array_to_string(p.sources, ','), r.key, r.clock, "
    "array_to_string(r.positions, ',', '-1'), r.born, r.active_us, r.epoch, r.taken_us, octet_length(r.state), true "
    "FROM forebay.state_rungs r JOIN forebay.state_partitions p ON p.id = r.partition "
    "WHERE r.partition = $1 AND r.key = $2 AND r.clock < $3 ORDER BY r.clock DESC LIMIT $4";

static int
read_found(struct arena *a, const struct rows *rows, struct checkpoint_found **ret, size_t *n, struct err *err)
{
	*n = rows_count(rows);
	*ret = arena_alloc(a, (*n + 1) * sizeof(**ret));
	if (!*ret)
		return err_set(err, REASON_NO_MEMORY, "states");
	for (size_t i = 0; i < *n; i++) {
		struct checkpoint_found *f = &(*ret)[i];

		*f = (struct checkpoint_found){
			.id = rows_int(rows, i, 0),
			.topic = text_of(a, rows, i, 1),
			.partition = (int32_t)rows_int(rows, i, 2),
			.key = rows_bytes(rows, i, 4, a),
			.clock = rows_int(rows, i, 5),
			.born = rows_int(rows, i, 7),
			.active_us = rows_int(rows, i, 8),
			.epoch = rows_int(rows, i, 9),
			.taken_us = rows_int(rows, i, 10),
			.size = rows_int(rows, i, 11),
			.rung = rows_bool(rows, i, 12),
		};
		if (!f->topic || !f->key.ptr)
			return err_set(err, REASON_NO_MEMORY, "states");
		if (checkpoint_offsets_read(a, rows_text(rows, i, 3), rows_text(rows, i, 6), &f->positions, err) < 0)
			return -1;
	}
	return 0;
}

int
checkpoint_find(struct store *s, const char *run, const char *group, const struct checkpoint_range *ranges,
		size_t n_ranges, int64_t at, int64_t limit, struct arena *arena, struct checkpoint_found **ret,
		size_t *n, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer low = BUFFER_INIT(ARRAY_MAX_BYTES);
	CLEANUP(buffer_clear)
	struct buffer high = BUFFER_INIT(ARRAY_MAX_BYTES);
	CLEANUP(rows_free)
	struct rows *rows = NULL;
	struct param params[6];
	int bad = 0;

	for (size_t i = 0; i < n_ranges; i++)
		bad |= array_bytes(&low, ranges[i].low) | array_bytes(&high, ranges[i].high);
	if (bad | query_array_end(&low) | query_array_end(&high))
		return err_set(err, REASON_NO_MEMORY, "%zu ranges of keys", n_ranges);
	params[0] = PARAM_TEXT(span_of(run));
	params[1] = PARAM_TEXT(span_of(group));
	params[2] = PARAM_TEXT(buffer_span(&low));
	params[3] = PARAM_TEXT(buffer_span(&high));
	params[4] = PARAM_INT(at);
	params[5] = PARAM_INT(limit);
	if (store_connect(s, err) < 0 || store_query(s, find_sql, params, ARRAY_LEN(params), &rows, err) < 0)
		return -1;
	return read_found(arena, rows, ret, n, err);
}

int
checkpoint_before(struct store *s, const struct checkpoint_found *f, int64_t limit, struct arena *arena,
		  struct checkpoint_found **ret, size_t *n, struct err *err)
{
	const struct param params[] = { PARAM_INT(f->id), PARAM_BYTES(f->key), PARAM_INT(f->clock), PARAM_INT(limit) };
	CLEANUP(rows_free)
	struct rows *rows = NULL;

	if (store_connect(s, err) < 0 || store_query(s, before_sql, params, ARRAY_LEN(params), &rows, err) < 0)
		return -1;
	return read_found(arena, rows, ret, n, err);
}

int
checkpoint_bytes(struct store *s, const struct checkpoint_found *f, struct arena *arena, struct span *ret,
		 struct err *err)
{
	const struct param params[] = { PARAM_INT(f->id), PARAM_BYTES(f->key), PARAM_INT(f->clock) };
	CLEANUP(rows_free)
	struct rows *rows = NULL;

	*ret = SPAN_NONE;
	if (store_connect(s, err) < 0 ||
	    store_query(s,
			f->rung
			    ? "SELECT state FROM forebay.state_rungs WHERE partition = $1 AND key = $2 AND clock = $3"
			    : "SELECT state FROM forebay.states WHERE partition = $1 AND key = $2 AND clock = $3",
			params, ARRAY_LEN(params), &rows, err) < 0)
		return -1;
	if (rows_count(rows) == 0)
		return 0;
	*ret = rows_bytes(rows, 0, 0, arena);
	return ret->ptr ? 0 : err_set(err, REASON_NO_MEMORY, "a state");
}

int
checkpoint_layout_of(struct store *s, int64_t fingerprint, struct arena *arena, struct span *ret, struct err *err)
{
	const struct param params[] = { PARAM_INT(fingerprint) };
	CLEANUP(rows_free)
	struct rows *rows = NULL;

	*ret = SPAN_NONE;
	if (store_connect(s, err) < 0 ||
	    store_query(s, "SELECT layout FROM forebay.state_layouts WHERE fingerprint = $1", params, ARRAY_LEN(params),
			&rows, err) < 0)
		return -1;
	if (rows_count(rows) == 0)
		return 0;
	*ret = arena_copy(arena, rows_text(rows, 0, 0));
	return ret->ptr ? 0 : err_set(err, REASON_NO_MEMORY, "a layout");
}
