/* outbox.c -- letters go in by COPY, since poison may come in floods, and come out in pages. */
#include "workers/sink-writer/outbox.h"

#include <stdio.h>
#include <string.h>

#include "common/store/copy.h"
#include "common/store/query.h"
#include "workers/sink-writer/rows.h"

#define OUTBOX_MAX_BYTES ((size_t)1 << 30)
#define PAGE_ROWS "500"

int
outbox_put(struct store *s, const char *sink, const struct dead_letter *letters, size_t n, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer rows = BUFFER_INIT(OUTBOX_MAX_BYTES);
	struct span all;
	int64_t taken;
	int bad = 0;

	if (n == 0)
		return 0;
	for (size_t i = 0; i < n && !bad; i++) {
		const struct input *in = letters[i].input;

		bad |= copy_row(&rows, 10) | copy_text(&rows, span_of(sink)) | copy_text(&rows, span_of(in->topic));
		bad |=
		    copy_int4(&rows, in->partition) | copy_int8(&rows, in->offset) | copy_int8(&rows, in->timestamp_us);
		bad |= copy_text(&rows, in->key) | copy_text(&rows, in->value) | copy_text(&rows, in->schema_id);
		bad |= copy_text(&rows, span_of(err_reason_name(letters[i].why.reason)));
		bad |= put_shown(&rows, span_of(letters[i].why.text));
	}
	if (bad)
		return err_set(err, REASON_NO_MEMORY, "%zu dead letters", n);
	all = buffer_span(&rows);
	return copy_in(
	    s,
	    "COPY forebay.sink_outbox (sink, topic, partition, \"offset\", timestamp_us, key, value, schema_id, "
	    "reason, message) FROM STDIN WITH (FORMAT binary)",
	    &all, 1, &taken, err);
}

int
outbox_forget(struct store *s, const char *sink, const char *topic, int32_t partition, int64_t below, struct err *err)
{
	struct param params[] = { PARAM_TEXT(span_of(sink)), PARAM_TEXT(span_of(topic)), PARAM_INT(partition),
				  PARAM_INT(below) };

	return store_query(s,
			   "DELETE FROM forebay.sink_outbox WHERE sink = $1 AND topic = $2 AND partition = $3 "
			   "AND \"offset\" < $4",
			   params, ARRAY_LEN(params), NULL, err);
}

static enum err_reason
reason_named(struct span name)
{
	for (int i = 0; i < REASON_COUNT; i++)
		if (span_equal(span_of(err_reason_name((enum err_reason)i)), name))
			return (enum err_reason)i;
	return REASON_INTERNAL;
}

static int
page_visit(const struct rows *rows, const char *topic, int32_t partition, struct arena *a,
	   int (*visit)(void *ctx, const struct input *in, const struct err *why, struct err *err), void *ctx,
	   struct err *err)
{
	for (size_t i = 0; i < rows_count(rows); i++) {
		struct input *in = arena_zalloc(a, sizeof(*in));
		struct err why = { .reason = reason_named(rows_text(rows, i, 5)) };

		if (!in)
			return err_set(err, REASON_NO_MEMORY, "a dead letter");
		*in = (struct input){ .topic = topic,
				      .partition = partition,
				      .offset = rows_int(rows, i, 0),
				      .timestamp_us = rows_int(rows, i, 1),
				      .key = rows_bytes(rows, i, 2, a),
				      .value = rows_bytes(rows, i, 3, a),
				      .schema_id = rows_bytes(rows, i, 4, a) };
		snprintf(why.text, sizeof(why.text), "%s", rows_text(rows, i, 6).ptr);
		if (visit(ctx, in, &why, err) < 0)
			return -1;
	}
	return 0;
}

int
outbox_each(struct store *s, const char *sink, const char *topic, int32_t partition, int64_t from, struct arena *a,
	    int (*visit)(void *ctx, const struct input *in, const struct err *why, struct err *err), void *ctx,
	    struct err *err)
{
	struct span name = arena_copy(a, span_of(topic)); /* outlives the call, as the inputs do */

	if (!name.ptr)
		return err_set(err, REASON_NO_MEMORY, "dead letters");
	for (;;) {
		CLEANUP(rows_free)
		struct rows *rows = NULL;
		struct param params[] = { PARAM_TEXT(span_of(sink)), PARAM_TEXT(span_of(topic)), PARAM_INT(partition),
					  PARAM_INT(from) };

		if (store_query(s,
				"SELECT \"offset\", timestamp_us, key, value, schema_id, reason, message "
				"FROM forebay.sink_outbox WHERE sink = $1 AND topic = $2 AND partition = $3 "
				"AND \"offset\" >= $4 ORDER BY \"offset\" LIMIT " PAGE_ROWS,
				params, ARRAY_LEN(params), &rows, err) < 0)
			return -1;
		if (rows_count(rows) == 0)
			return 0;
		if (page_visit(rows, name.ptr, partition, a, visit, ctx, err) < 0)
			return -1;
		from = rows_int(rows, rows_count(rows) - 1, 0) + 1;
	}
}
