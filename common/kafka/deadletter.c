/* deadletter.c -- Connect's names and meanings: runtime/errors/DeadLetterQueueReporter of Apache Kafka. */
#include "common/kafka/deadletter.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/kafka/private.h"

#define ERROR_HEADERS 20
#define DEVICE_BYTES 256

struct list {
	struct header *items;
	size_t n, max;
	struct arena *arena;
};

static void
add(struct list *list, const char *name, struct span value)
{
	if (list->n < list->max && value.ptr)
		list->items[list->n++] = (struct header){ name, value };
}

static void
add_text(struct list *list, const char *name, const char *text)
{
	if (text)
		add(list, name, (struct span){ text, strnlen(text, DEADLETTER_MESSAGE_BYTES) });
}

static bool
is_error_header(const char *name)
{
	return strncmp(name, "__connect.errors.", 17) == 0 || strncmp(name, "forebay.", 8) == 0;
}

static rd_kafka_headers_t *
headers_of(const void *message)
{
	rd_kafka_headers_t *headers;

	return message && !rd_kafka_message_headers(message, &headers) ? headers : NULL;
}

/* An earlier value of one of our headers, or SPAN_NONE. */
static struct span
earlier(rd_kafka_headers_t *headers, const char *name)
{
	const void *value;
	size_t len;

	if (!headers || rd_kafka_header_get_last(headers, name, &value, &len) || !value)
		return SPAN_NONE;
	return (struct span){ value, len };
}

static void
add_own(struct list *list, rd_kafka_headers_t *headers)
{
	const char *name;
	const void *value;
	size_t len;

	for (size_t i = 0; headers && !rd_kafka_header_get_all(headers, i, &name, &value, &len); i++)
		if (!is_error_header(name) && list->n < list->max)
			list->items[list->n++] = (struct header){ name, { value, len } };
}

static void
add_connect(struct list *list, const struct deadletter_source *s, const struct deadletter_origin *o,
	    const struct err *why)
{
	const char *reason = err_reason_name(why->reason);

	add_text(list, "__connect.errors.topic", s->topic);
	add_text(list, "__connect.errors.partition", arena_printf(list->arena, "%d", s->partition));
	add_text(list, "__connect.errors.offset", arena_printf(list->arena, "%lld", (long long)s->offset));
	add_text(list, "__connect.errors.connector.name", o->worker);
	add_text(list, "__connect.errors.task.id", o->instance);
	add_text(list, "__connect.errors.stage", o->stage);
	add_text(list, "__connect.errors.class.name", arena_printf(list->arena, "forebay.%s", o->worker));
	add_text(list, "__connect.errors.exception.class.name", arena_printf(list->arena, "forebay.%s", reason));
	add_text(list, "__connect.errors.exception.message", arena_printf(list->arena, "%s", why->text));
	add_text(list, "__connect.errors.exception.stacktrace",
		 arena_printf(list->arena, "forebay.%s: %s", reason, err_reason_meaning(why->reason)));
}

static void
add_ours(struct list *list, rd_kafka_headers_t *headers, const struct deadletter_source *s,
	 const struct deadletter_origin *o, const struct err *why)
{
	struct span attempt = earlier(headers, "forebay.attempt"), first = earlier(headers, "forebay.first.failed.at");
	const unsigned char *v = (const unsigned char *)s->value.ptr;
	char now[CLOCK_TEXT_BYTES];
	long tries = 1;

	for (size_t i = 0, n = 0; i < attempt.len && attempt.len < 10; i++, tries = (long)n + 1)
		n = n * 10 + (size_t)(attempt.ptr[i] - '0') % 10;
	clock_iso8601(o->now_us, now);
	add_text(list, "forebay.reason", err_reason_name(why->reason));
	add_text(list, "forebay.worker", o->worker);
	if (s->key.ptr)
		add(list, "forebay.device",
		    (struct span){ s->key.ptr, s->key.len < DEVICE_BYTES ? s->key.len : DEVICE_BYTES });
	add_text(list, "forebay.attempt", arena_printf(list->arena, "%ld", tries));
	add(list, "forebay.first.failed.at", first.ptr ? first : arena_copy(list->arena, span_of(now)));
	if (s->value.len >= 5 && v[0] == 0)
		add_text(list, "forebay.schema.id",
			 arena_printf(list->arena, "%u",
				      (unsigned)v[1] << 24 | (unsigned)v[2] << 16 | (unsigned)v[3] << 8 | v[4]));
	add(list, "forebay.replay.id", earlier(headers, "forebay.replay.id"));
	if (o->original_timestamp_ms >= 0)
		add_text(list, "forebay.timestamp.ms",
			 arena_printf(list->arena, "%lld", (long long)o->original_timestamp_ms));
}

int
deadletter_headers(const struct deadletter_source *source, const struct deadletter_origin *origin,
		   const struct err *why, struct arena *arena, struct header **ret, size_t *n_ret, struct err *err)
{
	rd_kafka_headers_t *headers = headers_of(source->message);
	struct list list = { .max = ERROR_HEADERS + (headers ? rd_kafka_header_cnt(headers) : 0), .arena = arena };

	list.items = arena_alloc(arena, list.max * sizeof(*list.items));
	if (!list.items)
		return err_set(err, REASON_NO_MEMORY, "dead letter");
	add_own(&list, headers);
	add_connect(&list, source, origin, why);
	add_ours(&list, headers, source, origin, why);
	*ret = list.items;
	*n_ret = list.n;
	return 0;
}

const char *
deadletter_stage(enum err_reason reason)
{
	switch (reason) {
	case REASON_AVRO_FRAMING:
	case REASON_AVRO_DECODE:
	case REASON_AVRO_SCHEMA_UNKNOWN:
	case REASON_AVRO_SCHEMA_MISMATCH:
	case REASON_JSON_SYNTAX:
	case REASON_JSON_UTF8:
	case REASON_JSON_DEPTH:
	case REASON_JSON_DUPLICATE_KEY:
	case REASON_JSON_NUMBER:
	case REASON_EMPTY_VALUE: return "VALUE_CONVERTER";
	case REASON_DELIVERY_REFUSED:
	case REASON_DELIVERY_TIMEOUT:
	case REASON_ROW_REFUSED: return "TASK_PUT";
	case REASON_BROKER_REFUSED:
	case REASON_BROKER_REFUSED_SIZE:
	case REASON_BROKER_REFUSED_TIME: return "KAFKA_PRODUCE";
	default: return "TRANSFORMATION";
	}
}
