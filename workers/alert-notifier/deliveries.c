/* deliveries.c -- the statements.  Rows go in as arrays, some hundreds in a round trip. */
#include "workers/alert-notifier/deliveries.h"

#include <stdio.h>
#include <string.h>

#define ARRAY_MAX_BYTES ((size_t)1 << 30) /* of PUT_ROWS payloads */
#define PUT_ROWS 500

/* Row d's alert has a later change. */
#define NEWER                                                                                                   \
	"EXISTS (SELECT 1 FROM forebay.deliveries n WHERE n.notifier = d.notifier AND n.receiver = d.receiver " \
	"AND n.alert_id = d.alert_id AND n.seq > d.seq)"

/* ---- arrays as parameters ---- */

enum {
	RECEIVER,
	ALERT,
	STATUS,
	SEVERITY,
	DEVICE,
	METRIC,
	PAYLOAD,
	TOPIC,
	PARTITION,
	OFFSET,
	TIMESTAMP,
	KEY,
	VALUE,
	SCHEMA,
	COLUMNS
};

struct columns {
	struct buffer at[COLUMNS];
};

static void
columns_clear_cleanup(struct columns *c)
{
	for (size_t i = 0; i < COLUMNS; i++)
		buffer_clear(&c->at[i]);
}

/* A text that PostgreSQL takes: UTF-8 without zero bytes. */
static int
make_shown(struct buffer *shown, struct span text)
{
	size_t n;
	int bad = buffer_reserve(shown, text.len + 1);

	for (size_t i = 0; i < text.len && !bad; i += n) {
		n = text.ptr[i] ? utf8_sequence(text.ptr + i, text.len - i) : 0;
		bad = n ? buffer_append(shown, text.ptr + i, n) : buffer_append(shown, "?", n = 1);
	}
	return bad;
}

static int
put_shown(struct buffer *array, struct span text)
{
	CLEANUP(buffer_clear)
	struct buffer shown = { 0 };

	return make_shown(&shown, text) < 0 ? -1 : query_array_text(array, buffer_span(&shown));
}

/* Bytes in hexadecimal; SPAN_NONE is NULL. */
static int
put_bytes(struct buffer *array, struct span bytes)
{
	static const char digits[] = "0123456789abcdef";
	CLEANUP(buffer_clear)
	struct buffer hex = { 0 };

	if (!bytes.ptr)
		return query_array_text(array, SPAN_NONE);
	if (buffer_reserve(&hex, 2 * bytes.len + 1) < 0)
		return -1;
	for (size_t i = 0; i < bytes.len; i++) {
		hex.ptr[hex.len++] = digits[(unsigned char)bytes.ptr[i] >> 4];
		hex.ptr[hex.len++] = digits[(unsigned char)bytes.ptr[i] & 15];
	}
	return query_array_text(array, buffer_span(&hex));
}

static int
columns_fill(struct columns *c, const struct debt *debts, size_t n, struct err *err)
{
	int bad = 0;

	for (size_t i = 0; i < COLUMNS; i++)
		c->at[i].max = ARRAY_MAX_BYTES;
	for (size_t i = 0; i < n; i++) {
		const struct debt *d = &debts[i];

		bad |= query_array_text(&c->at[RECEIVER], span_of(d->receiver)) |
		       query_array_text(&c->at[ALERT], d->alert_id) |
		       query_array_text(&c->at[STATUS], span_of(d->status)) |
		       query_array_text(&c->at[SEVERITY], span_of(d->severity)) | put_shown(&c->at[DEVICE], d->device) |
		       put_shown(&c->at[METRIC], d->metric) | query_array_text(&c->at[PAYLOAD], d->payload);
		bad |= query_array_text(&c->at[TOPIC], span_of(d->topic)) |
		       query_array_int(&c->at[PARTITION], d->partition) | query_array_int(&c->at[OFFSET], d->offset) |
		       query_array_int(&c->at[TIMESTAMP], d->timestamp_us) | put_bytes(&c->at[KEY], d->key) |
		       put_bytes(&c->at[VALUE], d->value) | put_bytes(&c->at[SCHEMA], d->schema_id);
	}
	for (size_t i = 0; i < COLUMNS; i++)
		bad |= query_array_end(&c->at[i]);
	return bad ? err_set(err, REASON_NO_MEMORY, "%zu changes of alerts", n) : 0;
}

static int
array_of(struct buffer *array, const int64_t *values, size_t n, struct err *err)
{
	int bad = 0;

	for (size_t i = 0; i < n; i++)
		bad |= query_array_int(array, values[i]);
	return bad | query_array_end(array) ? err_set(err, REASON_NO_MEMORY, "%zu deliveries", n) : 0;
}

/* ---- what is owed ---- */

static const char put_sql[] =
    "INSERT INTO forebay.deliveries AS d (notifier, receiver, alert_id, status, severity, device, metric, payload, "
    "origin_topic, origin_partition, origin_offset, timestamp_us, key, value, schema_id) "
    "SELECT $1, receiver, alert_id, status, severity, device, metric, payload, topic, partition, \"offset\", "
    "timestamp_us, decode(key, 'hex'), decode(value, 'hex'), decode(schema_id, 'hex') FROM ("
    "SELECT DISTINCT ON (receiver, alert_id, status, severity) * FROM unnest($2::text[], $3::text[], $4::text[], "
    "$5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::int[], $11::bigint[], $12::bigint[], "
    "$13::text[], $14::text[], $15::text[]) AS n (receiver, alert_id, status, severity, device, metric, payload, "
    "topic, partition, \"offset\", timestamp_us, key, value, schema_id) "
    "ORDER BY receiver, alert_id, status, severity, \"offset\") AS o ORDER BY partition, \"offset\", receiver "
    "ON CONFLICT (notifier, receiver, alert_id, status, severity) DO UPDATE SET state = 'pending', "
    "stored_at = now(), due_at = now(), owner = NULL, attempts = 0, first_attempt_at = NULL, http_status = NULL, "
    "reason = NULL, error = NULL, payload = excluded.payload, origin_topic = excluded.origin_topic, "
    "origin_partition = excluded.origin_partition, origin_offset = excluded.origin_offset, "
    "timestamp_us = excluded.timestamp_us, key = excluded.key, value = excluded.value, schema_id = excluded.schema_id "
    "WHERE d.state = 'dead' AND (d.origin_topic, d.origin_partition, d.origin_offset) <> "
    "(excluded.origin_topic, excluded.origin_partition, excluded.origin_offset) AND NOT EXISTS (SELECT 1 "
    "FROM forebay.deliveries n WHERE n.notifier = d.notifier AND n.receiver = d.receiver AND n.alert_id = d.alert_id "
    "AND n.seq > d.seq AND n.state = 'delivered')";

static const char supersede_sql[] =
    "UPDATE forebay.deliveries d SET standing_until = NULL WHERE notifier = $1 AND alert_id = ANY($2::text[]) "
    "AND standing_until IS NOT NULL AND " NEWER;

static int
put_some(const struct deliveries *d, const struct debt *debts, size_t n, struct err *err)
{
	CLEANUP(columns_clear)
	struct columns c = { 0 };
	struct param params[1 + COLUMNS] = { PARAM_TEXT(span_of(d->notifier)) };
	struct param superseded[] = { params[0], PARAM_NULL };

	if (columns_fill(&c, debts, n, err) < 0)
		return -1;
	for (size_t i = 0; i < COLUMNS; i++)
		params[1 + i] = PARAM_TEXT(buffer_span(&c.at[i]));
	superseded[1] = params[1 + ALERT];
	if (store_query(d->store, put_sql, params, ARRAY_LEN(params), NULL, err) < 0)
		return -1;
	return store_query(d->store, supersede_sql, superseded, ARRAY_LEN(superseded), NULL, err);
}

int
deliveries_put(const struct deliveries *d, const struct debt *debts, size_t n, struct err *err)
{
	int result = store_exec(d->store, "BEGIN", err);

	for (size_t i = 0; i < n && result == 0; i += PUT_ROWS)
		result = put_some(d, debts + i, n - i < PUT_ROWS ? n - i : PUT_ROWS, err);
	if (result == 0)
		result = store_commit(d->store, err);
	if (result < 0)
		store_rollback(d->store);
	return result;
}

/* ---- taking ---- */

#define TAKEN                                                         \
	"seq, alert_id, status, severity, payload, attempts, "        \
	"(extract(epoch FROM now() - stored_at) * 1000000)::bigint, " \
	"coalesce((extract(epoch FROM now() - first_attempt_at) * 1000000)::bigint, 0)"

static int
copy_taken(const struct rows *rows, struct arena *a, struct taken **ret, size_t *n, struct err *err)
{
	struct taken *all = arena_alloc(a, (rows_count(rows) + 1) * sizeof(*all));

	if (!all)
		return err_set(err, REASON_NO_MEMORY, "deliveries");
	for (size_t i = 0; i < rows_count(rows); i++) {
		all[i] = (struct taken){ .seq = rows_int(rows, i, 0),
					 .alert_id = arena_copy(a, rows_text(rows, i, 1)),
					 .status = arena_copy(a, rows_text(rows, i, 2)),
					 .severity = arena_copy(a, rows_text(rows, i, 3)),
					 .payload = arena_copy(a, rows_text(rows, i, 4)),
					 .attempts = rows_int(rows, i, 5),
					 .waiting_us = rows_int(rows, i, 6),
					 .trying_us = rows_int(rows, i, 7) };
		if (!all[i].alert_id.ptr || !all[i].status.ptr || !all[i].severity.ptr || !all[i].payload.ptr)
			return err_set(err, REASON_NO_MEMORY, "deliveries");
	}
	*ret = all;
	*n = rows_count(rows);
	return 0;
}

/* The oldest change of an alert comes first: nothing of it may be pending, or be told again right now, before this one. */
static const char take_sql[] =
    "WITH due AS (SELECT d.seq FROM forebay.deliveries d WHERE d.notifier = $1 AND d.receiver = $2 "
    "AND d.state = 'pending' AND d.due_at <= now() AND NOT EXISTS (SELECT 1 FROM forebay.deliveries e "
    "WHERE e.notifier = d.notifier AND e.receiver = d.receiver AND e.alert_id = d.alert_id AND e.seq < d.seq "
    "AND (e.state = 'pending' OR (e.owner IS NOT NULL AND e.due_at > now()))) "
    "ORDER BY d.due_at, d.seq LIMIT $3 FOR UPDATE OF d SKIP LOCKED) "
    "UPDATE forebay.deliveries d SET owner = $4, due_at = now() + make_interval(secs => $5::bigint / 1000.0) "
    "FROM due WHERE d.seq = due.seq RETURNING d." TAKEN;

int
deliveries_take(const struct deliveries *d, const char *receiver, size_t most, int64_t lease_ms, struct arena *a,
		struct taken **ret, size_t *n, struct err *err)
{
	CLEANUP(rows_free)
	struct rows *rows = NULL;
	struct param params[] = { PARAM_TEXT(span_of(d->notifier)), PARAM_TEXT(span_of(receiver)),
				  PARAM_INT((int64_t)most), PARAM_TEXT(span_of(d->instance)), PARAM_INT(lease_ms) };

	if (store_query(d->store, take_sql, params, ARRAY_LEN(params), &rows, err) < 0)
		return -1;
	return copy_taken(rows, a, ret, n, err);
}

int
deliveries_next(const struct deliveries *d, const char *receiver, int64_t most_ms, int64_t *ms, struct err *err)
{
	CLEANUP(rows_free)
	struct rows *rows = NULL;
	struct param params[] = { PARAM_TEXT(span_of(d->notifier)), PARAM_TEXT(span_of(receiver)) };

	if (store_query(d->store,
			"SELECT ceil(extract(epoch FROM min(due_at) - now()) * 1000)::bigint FROM forebay.deliveries "
			"WHERE notifier = $1 AND receiver = $2 AND state = 'pending' AND due_at > now()",
			params, ARRAY_LEN(params), &rows, err) < 0)
		return -1;
	*ms = rows_null(rows, 0, 0) || rows_int(rows, 0, 0) > most_ms ? most_ms : rows_int(rows, 0, 0);
	return 0;
}

/* A change that was put while the one before it was written down as delivered has not ended it: neither saw the other. */
static const char take_standing_sql[] =
    "WITH due AS (SELECT d.seq FROM forebay.deliveries d WHERE d.notifier = $1 AND d.receiver = $2 "
    "AND d.standing_until > now() AND d.sent_at <= now() - make_interval(secs => $6::bigint / 1000.0) "
    "AND (d.owner IS NULL OR d.due_at <= now()) AND NOT " NEWER
    " ORDER BY d.sent_at LIMIT $3 FOR UPDATE OF d SKIP LOCKED) "
    "UPDATE forebay.deliveries d SET owner = $4, due_at = now() + make_interval(secs => $5::bigint / 1000.0) "
    "FROM due WHERE d.seq = due.seq RETURNING d." TAKEN;

int
deliveries_take_standing(const struct deliveries *d, const char *receiver, int64_t every_ms, size_t most,
			 int64_t lease_ms, struct arena *a, struct taken **ret, size_t *n, struct err *err)
{
	CLEANUP(rows_free)
	struct rows *rows = NULL;
	struct param params[] = {
		PARAM_TEXT(span_of(d->notifier)), PARAM_TEXT(span_of(receiver)), PARAM_INT((int64_t)most),
		PARAM_TEXT(span_of(d->instance)), PARAM_INT(lease_ms),           PARAM_INT(every_ms)
	};

	if (store_query(d->store, take_standing_sql, params, ARRAY_LEN(params), &rows, err) < 0)
		return -1;
	return copy_taken(rows, a, ret, n, err);
}

int
deliveries_release(const struct deliveries *d, struct err *err)
{
	struct param params[] = { PARAM_TEXT(span_of(d->notifier)), PARAM_TEXT(span_of(d->instance)) };

	return store_query(
	    d->store, "UPDATE forebay.deliveries SET owner = NULL, due_at = now() WHERE notifier = $1 AND owner = $2",
	    params, ARRAY_LEN(params), NULL, err);
}

/* ---- what became of it ---- */

int
deliveries_delivered(const struct deliveries *d, const int64_t *seqs, size_t n, int status, bool forgets,
		     int64_t resolved_ms, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer array = { 0 };

	if (array_of(&array, seqs, n, err) < 0)
		return -1;
	struct param params[] = { PARAM_TEXT(buffer_span(&array)), PARAM_INT(status), PARAM_INT(forgets),
				  PARAM_INT(resolved_ms) };

	return store_query(
	    d->store,
	    "UPDATE forebay.deliveries d SET state = 'delivered', owner = NULL, attempts = attempts + 1, "
	    "first_attempt_at = coalesce(first_attempt_at, now()), last_attempt_at = now(), delivered_at = now(), "
	    "http_status = $2, reason = NULL, error = NULL, sent_at = now(), standing_until = CASE WHEN $3::int = 0 "
	    "OR " NEWER
	    " THEN NULL WHEN status = 'firing' THEN 'infinity' ELSE now() + make_interval(secs => $4::bigint / 1000.0) END "
	    "WHERE seq = ANY($1::bigint[]) AND state = 'pending'",
	    params, ARRAY_LEN(params), NULL, err);
}

int
deliveries_told(const struct deliveries *d, const int64_t *seqs, size_t n, bool ok, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer array = { 0 };

	if (array_of(&array, seqs, n, err) < 0)
		return -1;
	struct param params[] = { PARAM_TEXT(buffer_span(&array)), PARAM_INT(ok) };

	return store_query(
	    d->store,
	    "UPDATE forebay.deliveries SET owner = NULL, sent_at = now(), "
	    "delivered_at = CASE WHEN $2::int = 1 THEN coalesce(delivered_at, now()) ELSE delivered_at END, "
	    "state = CASE WHEN $2::int = 1 AND state = 'dead' THEN 'delivered' ELSE state END "
	    "WHERE seq = ANY($1::bigint[])",
	    params, ARRAY_LEN(params), NULL, err);
}

int
deliveries_again(const struct deliveries *d, const int64_t *seqs, const int64_t *pauses_ms, size_t n, int status,
		 const char *why, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer array = { 0 };
	CLEANUP(buffer_clear)
	struct buffer pauses = { 0 };
	CLEANUP(buffer_clear)
	struct buffer shown = { 0 };

	if (array_of(&array, seqs, n, err) < 0 || array_of(&pauses, pauses_ms, n, err) < 0)
		return -1;
	if (make_shown(&shown, span_of(why)) < 0)
		return err_set(err, REASON_NO_MEMORY, "%zu deliveries", n);
	struct param params[] = { PARAM_TEXT(buffer_span(&array)), PARAM_TEXT(buffer_span(&pauses)),
				  status ? PARAM_INT(status) : PARAM_NULL, PARAM_TEXT(buffer_span(&shown)) };

	return store_query(d->store,
			   "UPDATE forebay.deliveries d SET owner = NULL, attempts = attempts + 1, "
			   "first_attempt_at = coalesce(first_attempt_at, now()), last_attempt_at = now(), "
			   "http_status = $3, error = $4, due_at = now() + make_interval(secs => p.ms / 1000.0) "
			   "FROM unnest($1::bigint[], $2::bigint[]) AS p (seq, ms) "
			   "WHERE d.seq = p.seq AND state = 'pending'",
			   params, ARRAY_LEN(params), NULL, err);
}

int
deliveries_refused(const struct deliveries *d, const int64_t *seqs, size_t n, int status, const struct err *why,
		   bool stands, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer array = { 0 };
	CLEANUP(buffer_clear)
	struct buffer shown = { 0 };

	if (array_of(&array, seqs, n, err) < 0)
		return -1;
	if (make_shown(&shown, span_of(why->text)) < 0)
		return err_set(err, REASON_NO_MEMORY, "%zu deliveries", n);
	struct param params[] = { PARAM_TEXT(buffer_span(&array)), status ? PARAM_INT(status) : PARAM_NULL,
				  PARAM_TEXT(span_of(err_reason_name(why->reason))), PARAM_TEXT(buffer_span(&shown)),
				  PARAM_INT(stands) };

	return store_query(d->store,
			   "UPDATE forebay.deliveries d SET state = 'refused', owner = NULL, due_at = now(), "
			   "attempts = attempts + 1, first_attempt_at = coalesce(first_attempt_at, now()), "
			   "last_attempt_at = now(), http_status = $2, reason = $3, error = $4, sent_at = now(), "
			   "standing_until = CASE WHEN $5::int = 1 AND status = 'firing' AND NOT " NEWER
			   " THEN 'infinity'::timestamptz END WHERE seq = ANY($1::bigint[]) AND state = 'pending'",
			   params, ARRAY_LEN(params), NULL, err);
}

/* ---- dead letters ---- */

static enum err_reason
reason_named(struct span name)
{
	for (int i = 0; i < REASON_COUNT; i++)
		if (span_equal(span_of(err_reason_name((enum err_reason)i)), name))
			return (enum err_reason)i;
	return REASON_DELIVERY_REFUSED;
}

static const char take_refused_sql[] =
    "WITH due AS (SELECT seq FROM forebay.deliveries WHERE notifier = $1 AND state = 'refused' AND due_at <= now() "
    "ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED) "
    "UPDATE forebay.deliveries d SET owner = $3, due_at = now() + make_interval(secs => $4::bigint / 1000.0) "
    "FROM due WHERE d.seq = due.seq RETURNING d.seq, origin_topic, origin_partition, origin_offset, timestamp_us, "
    "key, value, schema_id, reason, coalesce(error, receiver)";

int
deliveries_take_refused(const struct deliveries *d, size_t most, int64_t lease_ms, struct arena *a,
			struct refused **ret, size_t *n, struct err *err)
{
	CLEANUP(rows_free)
	struct rows *rows = NULL;
	struct param params[] = { PARAM_TEXT(span_of(d->notifier)), PARAM_INT((int64_t)most),
				  PARAM_TEXT(span_of(d->instance)), PARAM_INT(lease_ms) };
	struct refused *all;

	if (store_query(d->store, take_refused_sql, params, ARRAY_LEN(params), &rows, err) < 0)
		return -1;
	all = arena_zalloc(a, (rows_count(rows) + 1) * sizeof(*all));
	if (!all)
		return err_set(err, REASON_NO_MEMORY, "dead letters");
	for (size_t i = 0; i < rows_count(rows); i++) {
		all[i] = (struct refused){ .seq = rows_int(rows, i, 0),
					   .topic = arena_copy(a, rows_text(rows, i, 1)),
					   .partition = (int32_t)rows_int(rows, i, 2),
					   .offset = rows_int(rows, i, 3),
					   .timestamp_us = rows_int(rows, i, 4),
					   .key = rows_bytes(rows, i, 5, a),
					   .value = rows_bytes(rows, i, 6, a),
					   .schema_id = rows_bytes(rows, i, 7, a),
					   .why.reason = reason_named(rows_text(rows, i, 8)) };
		snprintf(all[i].why.text, sizeof(all[i].why.text), "%s", rows_text(rows, i, 9).ptr);
		if (!all[i].topic.ptr || (!rows_null(rows, i, 6) && !all[i].value.ptr))
			return err_set(err, REASON_NO_MEMORY, "dead letters");
	}
	*ret = all;
	*n = rows_count(rows);
	return 0;
}

int
deliveries_dead(const struct deliveries *d, const int64_t *seqs, size_t n, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer array = { 0 };

	if (array_of(&array, seqs, n, err) < 0)
		return -1;
	struct param params[] = { PARAM_TEXT(buffer_span(&array)) };

	return store_query(d->store,
			   "UPDATE forebay.deliveries SET state = 'dead', owner = NULL "
			   "WHERE seq = ANY($1::bigint[]) AND state = 'refused'",
			   params, ARRAY_LEN(params), NULL, err);
}

/* ---- looking, and forgetting ---- */

int
deliveries_backlog(const struct deliveries *d, const char *receiver, int64_t *count, double *oldest_s, struct err *err)
{
	CLEANUP(rows_free)
	struct rows *rows = NULL;
	struct param params[] = { PARAM_TEXT(span_of(d->notifier)), PARAM_TEXT(span_of(receiver)) };

	if (store_query(d->store,
			"SELECT count(*), coalesce(extract(epoch FROM now() - min(stored_at)), 0)::float8 "
			"FROM forebay.deliveries WHERE notifier = $1 AND receiver = $2 AND state = 'pending'",
			params, ARRAY_LEN(params), &rows, err) < 0)
		return -1;
	*count = rows_int(rows, 0, 0);
	*oldest_s = rows_real(rows, 0, 1);
	return 0;
}

int
deliveries_forget(const struct deliveries *d, int64_t days, const char *const *receivers, size_t n, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer array = { 0 };
	int bad = 0;

	for (size_t i = 0; i < n; i++)
		bad |= query_array_text(&array, span_of(receivers[i]));
	if (bad | query_array_end(&array))
		return err_set(err, REASON_NO_MEMORY, "%zu receivers", n);
	struct param params[] = { PARAM_TEXT(span_of(d->notifier)), PARAM_INT(days), PARAM_TEXT(buffer_span(&array)) };

	return store_query(d->store,
			   "DELETE FROM forebay.deliveries d WHERE notifier = $1 "
			   "AND stored_at < now() - make_interval(days => $2::int) AND state <> 'refused' "
			   "AND (receiver <> ALL ($3::text[]) OR (state <> 'pending' "
			   "AND (standing_until IS NULL OR standing_until <= now() OR " NEWER ")))",
			   params, ARRAY_LEN(params), NULL, err);
}
