/* mapping.c -- map and message in, readings out, as text: device @event_us, then metric=value[unit] or metric!quality(text). */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/base/buffer.h"
#include "workers/ingest-router/mapping.h"

#define INGEST_US INT64_C(1767225600000000) /* 2026-01-01 */
#define FIXED "\"source\":\"s\",\"device\":\"$.d\",\"time\":\"$.t\","
#define V1 "\"values\":[{\"path\":\"$.v\",\"metric\":\"m\"}]"
#define M1(value) "{\"d\":\"a\",\"t\":1,\"v\":" value "}"
#define DEVICE(device) "{\"source\":\"s\",\"device\":" device "," V1 "}"
#define TIME(time) "{\"source\":\"s\",\"device\":\"$.d\",\"time\":" time "," V1 "}"
#define VALUE(rest) "{" FIXED "\"values\":[{\"path\":\"$.v\",\"metric\":\"m\"," rest "}]}"
#define VALUES(list) "{" FIXED "\"values\":[" list "]}"
#define ITEMS \
	"{\"source\":\"s\",\"items\":\"$.i\",\"device\":\"$.d\",\"time\":\"@.t\",\"values\":[{\"path\":\"@.v\",\"metric\":\"m\"}]}"

static const struct row {
	const char *map, *message, *expected; /* or the reason */
} rows[] = {
	/* devices */
	{ DEVICE("\"$.d\""), M1("1"), "a @I m=1" },
	{ DEVICE("\"$.d\""), "{\"d\":17,\"v\":1}", "17 @I m=1" },
	{ DEVICE("\"$.d\""), "{\"d\":1e3,\"v\":1}", "DEVICE_INVALID" },
	{ DEVICE("\"$.d\""), "{\"d\":\"\\u0085\",\"v\":1}", "DEVICE_INVALID" },
	{ DEVICE("\"$.d\""), "{\"d\":\" x \",\"v\":1}", " x  @I m=1" },
	{ DEVICE("\"key\""), M1("1"), "the key @I m=1" },
	{ DEVICE("[\"mote-\",\"$.n\"]"), "{\"n\":7,\"v\":1}", "mote-7 @I m=1" },
	{ DEVICE("[\"mote-\",\"$.n\"]"), "{\"v\":1}", "DEVICE_MISSING" },
	{ DEVICE("[\"mote-\",\"$.n\"]"), "{\"n\":null,\"v\":1}", "DEVICE_MISSING" },
	{ DEVICE("[\"mote-\",\"$.n\"]"), "{\"n\":{},\"v\":1}", "DEVICE_INVALID" },
	{ DEVICE("{\"path\":\"$.s\",\"after\":\"node: \",\"until\":\",\"}"), "{\"s\":\"x, node: 12, y\",\"v\":1}",
	  "12 @I m=1" },
	{ DEVICE("{\"path\":\"$.s\",\"after\":\"node: \"}"), "{\"s\":\"nothing\",\"v\":1}", "DEVICE_MISSING" },
	/* times */
	{ TIME("\"$.t\""), "{\"d\":\"a\",\"t\":1767225600123,\"v\":1}", "a @1767225600123000 m=1" },
	{ TIME("\"$.t\""), "{\"d\":\"a\",\"t\":\"2026-01-01T00:00:00.5Z\",\"v\":1}", "a @1767225600500000 m=1" },
	{ TIME("[\"$.day\",\" \",\"$.hour\"]"), "{\"d\":\"a\",\"day\":\"2026-01-01\",\"hour\":\"01:00\",\"v\":1}",
	  "a @1767229200000000 m=1" },
	{ TIME("{\"path\":\"$.t\",\"zone\":\"-05:00\"}"), "{\"d\":\"a\",\"t\":\"2025-12-31 19:00\",\"v\":1}",
	  "a @I m=1" },
	{ TIME("{\"path\":\"$.t\",\"format\":\"%d.%m.%Y\"}"), "{\"d\":\"a\",\"t\":\"01.01.2026\",\"v\":1}",
	  "a @I m=1" },
	{ TIME("{\"path\":[\"$.a\",\"T\",\"$.b\"],\"format\":\"iso8601\"}"),
	  "{\"d\":\"a\",\"a\":20260101,\"b\":\"00\",\"v\":1}", "a @I m=1" },
	{ TIME("\"$.t\""), "{\"d\":\"a\",\"v\":1}", "TIME_MISSING" },
	{ TIME("\"$.t\""), "{\"d\":\"a\",\"t\":\"\",\"v\":1}", "TIME_MISSING" },
	{ TIME("{\"path\":\"$.t\",\"default\":\"ingest\"}"), "{\"d\":\"a\",\"t\":null,\"v\":1}", "a @I m=1" },
	{ TIME("{\"path\":\"$.t\",\"default\":\"ingest\"}"), "{\"d\":\"a\",\"t\":\"x\",\"v\":1}", "TIME_SYNTAX" },
	{ TIME("\"$.t\""), "{\"d\":\"a\",\"t\":-1,\"v\":1}", "TIME_RANGE" },
	{ TIME("\"$.t\""), "{\"d\":\"a\",\"t\":1767229200,\"v\":1}",
	  "a @1767229200000000 m=1" }, /* an hour ahead: allowed */
	{ TIME("\"$.t\""), "{\"d\":\"a\",\"t\":1767229200.001,\"v\":1}", "TIME_RANGE" },
	/* single values */
	{ VALUE("\"unit\":\"V\""), M1("1.5"), "a @1000000 m=1.5[V]" },
	{ VALUE("\"scale\":0.01"), M1("2358"), "a @1000000 m=23.58" },
	{ VALUE("\"scale\":1.8,\"offset\":32"), M1("100"), "a @1000000 m=212" },
	{ VALUE("\"sentinel\":[-9999,65535]"), M1("65534"), "a @1000000 m=65534" },
	{ VALUE("\"decimal\":\",\""), M1("\" 21,25 \""), "a @1000000 m=21.25" },
	{ VALUE("\"min\":0"), M1("true"), "a @1000000 m=1" },
	{ VALUE("\"min\":0"), M1("\"-0.5\""), "NO_VALUE" },
	{ VALUE("\"after\":\"T: \",\"until\":\" C\""), M1("\"x T: 21.5 C y 3 C\""), "a @1000000 m=21.5" },
	{ VALUE("\"until\":\".\""), M1("21.5"), "a @1000000 m=21" },
	{ VALUES("{\"path\":\"$.ok\",\"metric\":\"ok\"},{\"path\":\"$.v\",\"metric\":\"m\",\"after\":\"T:\"}"),
	  "{\"d\":\"a\",\"t\":1,\"ok\":0,\"v\":42}", "a @1000000 ok=0 m!not_a_number(42)" },
	{ VALUES("{\"path\":\"$.ok\",\"metric\":\"ok\"},{\"path\":\"$.v\",\"metric\":\"m\"}"),
	  "{\"d\":\"a\",\"t\":1,\"ok\":0,\"v\":null}", "a @1000000 ok=0 m!null(null)" },
	{ VALUES("{\"path\":\"$.ok\",\"metric\":\"ok\"},{\"path\":\"$.v\",\"metric\":\"m\"}"),
	  "{\"d\":\"a\",\"t\":1,\"ok\":0,\"v\":\" \"}", "a @1000000 ok=0 m!null( )" },
	{ VALUES("{\"path\":\"$.ok\",\"metric\":\"ok\"},{\"path\":\"$.v\",\"metric\":\"m\"}"),
	  "{\"d\":\"a\",\"t\":1,\"ok\":0,\"v\":\"x\\u0000y\"}", "a @1000000 ok=0 m!not_a_number(x\xef\xbf\xbdy)" },
	{ VALUES("{\"path\":\"$.ok\",\"metric\":\"ok\"},{\"path\":\"$.v\",\"metric\":\"m\"}"),
	  "{\"d\":\"a\",\"t\":1,\"ok\":0,\"v\":[1, {}]}", "a @1000000 ok=0 m!not_a_number([1, {}])" },
	{ VALUES("{\"path\":\"$.ok\",\"metric\":\"ok\"},{\"path\":\"$.v\",\"metric\":\"m\"}"),
	  "{\"d\":\"a\",\"t\":1,\"ok\":0,\"v\":\"-inf\"}", "a @1000000 ok=0 m!not_finite(-inf)" },
	{ VALUES("{\"path\":\"$.ok\",\"metric\":\"ok\"},{\"path\":\"$.v\",\"metric\":\"m\",\"scale\":1e300}"),
	  "{\"d\":\"a\",\"t\":1,\"ok\":0,\"v\":1e300}", "a @1000000 ok=0 m!not_finite(1e300)" },
	{ VALUES(
	      "{\"path\":\"$.ok\",\"metric\":\"ok\"},{\"path\":\"$.v\",\"metric\":\"m\",\"sentinel\":[-9999,65535],\"scale\":0.1}"),
	  "{\"d\":\"a\",\"t\":1,\"ok\":0,\"v\":\"65535.0\"}", "a @1000000 ok=0 m!out_of_range(65535.0)" },
	{ VALUES("{\"path\":\"$.ok\",\"metric\":\"ok\"},{\"path\":\"$.v\",\"metric\":\"m\",\"min\":-5,\"max\":5}"),
	  "{\"d\":\"a\",\"t\":1,\"ok\":0,\"v\":5.0000001}", "a @1000000 ok=0 m!out_of_range(5.0000001)" },
	{ VALUES("{\"path\":\"$.a[1]['odd key']\",\"metric\":\"m\"}"),
	  "{\"d\":\"a\",\"t\":1,\"a\":[0,{\"odd key\":3}]}", "a @1000000 m=3" },
	/* metrics that the message names */
	{ VALUES("{\"members\":\"$.m\",\"unit\":\"V\"}"),
	  "{\"d\":\"a\",\"t\":1,\"m\":{\"x\":1,\"y\":\"2\",\"z\":null}}", "a @1000000 x=1[V] y=2[V] z!null(null)[V]" },
	{ VALUES("{\"members\":\"$.m\",\"value\":\"@.v\",\"unit\":\"@.u\"}"),
	  "{\"d\":\"a\",\"t\":1,\"m\":{\"x\":{\"v\":1,\"u\":\"V\"},\"y\":{\"v\":2}}}", "a @1000000 x=1[V] y=2" },
	{ VALUES("{\"each\":\"$.m[*]\",\"metric\":\"@.n\",\"value\":\"@.v\",\"unit\":\"@.u\",\"quality\":\"@.q\"}"),
	  "{\"d\":\"a\",\"t\":1,\"m\":[{\"n\":\"x\",\"v\":1,\"u\":\"V\"},{\"n\":\"y\",\"v\":2,\"u\":\"\",\"q\":\"good\"},{\"n\":\"z\",\"v\":3,\"q\":\"out_of_range\"},{\"n\":\"w\",\"v\":4,\"q\":\"odd\"},{\"n\":\"gone\"}]}",
	  "a @1000000 x=1[V] y=2 z!out_of_range(3) w!unknown(4)" },
	{ VALUES("{\"each\":\"$.m\",\"metric\":\"@.n\",\"value\":\"@.v\"}"), "{\"d\":\"a\",\"t\":1,\"m\":[{\"v\":1}]}",
	  "RECORD_INVALID" },
	{ VALUES("{\"each\":\"$.m\",\"metric\":\"@.n\",\"value\":\"@.v\"}"),
	  "{\"d\":\"a\",\"t\":1,\"m\":[1,2,3,4,5,6]}", "NO_VALUE" },
	{ VALUES("{\"each\":\"$.m\",\"metric\":\"@[0]\",\"value\":\"@[1]\"}"),
	  "{\"d\":\"a\",\"t\":1,\"m\":[[\"x\",1],[\"y\",2]]}", "a @1000000 x=1 y=2" },
	{ VALUES("{\"members\":\"$.m\"}"),
	  "{\"d\":\"a\",\"t\":1,\"m\":{\"1\":1,\"2\":1,\"3\":1,\"4\":1,\"5\":1,\"6\":1,\"7\":1,\"8\":1,\"9\":1}}",
	  "TOO_MANY_VALUES" },
	/* several event times */
	{ ITEMS, "{\"d\":\"a\",\"i\":[{\"t\":1,\"v\":1},{\"t\":2,\"v\":2}]}", "a @1000000 m=1; a @2000000 m=2" },
	{ ITEMS, "{\"i\":[{\"v\":1,\"t\":1}],\"d\":\"a\"}", "a @1000000 m=1" },
	{ ITEMS, "{\"d\":\"a\",\"i\":[{\"t\":1,\"v\":1},{\"t\":2,\"v\":null}]}",
	  "a @1000000 m=1; a @2000000 m!null(null)" },
	{ ITEMS, "{\"d\":\"a\",\"i\":[{\"t\":1,\"v\":null},{\"t\":2,\"v\":null}]}", "NO_VALUE" },
	{ ITEMS, "{\"d\":\"a\",\"i\":[{\"t\":1,\"v\":1},{\"t\":2}]}", "NO_VALUE" },
	{ ITEMS, "{\"d\":\"a\",\"i\":[{\"t\":1,\"v\":1},{\"v\":2}]}", "TIME_MISSING" },
	{ ITEMS, "{\"d\":\"a\",\"i\":[{\"t\":1,\"v\":1},7]}", "TIME_MISSING" },
	{ ITEMS, "{\"d\":\"a\",\"i\":{}}", "NO_VALUE" },
	{ "{\"source\":\"s\",\"items\":\"$\",\"device\":\"@.d\",\"time\":\"@.t\",\"values\":[{\"members\":\"@.m\"},{\"path\":\"@.v\",\"metric\":\"v\"}]}",
	  "[{\"d\":\"a\",\"t\":1,\"m\":{\"x\":1}},{\"d\":\"b\",\"t\":2,\"m\":{\"x\":2,\"y\":3},\"v\":4}]",
	  "a @1000000 x=1; b @2000000 v=4 x=2 y=3" },
	/* which map? */
	{ "{\"source\":\"s\",\"match\":{\"path\":\"$.type\",\"equals\":\"w\"},\"device\":\"$.d\"," V1 "}",
	  "{\"type\":\"w\",\"d\":\"a\",\"v\":1}", "a @I m=1" },
	{ "{\"source\":\"s\",\"match\":{\"path\":\"$.type\",\"equals\":\"w\"},\"device\":\"$.d\"," V1 "}",
	  "{\"type\":\"x\",\"d\":\"a\",\"v\":1}", "SOURCE_UNKNOWN" },
	{ "{\"source\":\"s\",\"match\":{\"path\":\"$.type\",\"equals\":\"7\"},\"device\":\"$.d\"," V1 "}",
	  "{\"type\":7,\"d\":\"a\",\"v\":1}", "a @I m=1" },
	{ "{\"source\":\"s\",\"match\":{\"path\":\"$.type\"},\"device\":\"$.d\"," V1 "}",
	  "{\"type\":{},\"d\":\"a\",\"v\":1}", "a @I m=1" },
	{ "{\"source\":\"s\",\"match\":[{\"topic\":\"telemetry.raw\"},{\"path\":\"$.d\"}],\"device\":\"$.d\"," V1 "}",
	  "{\"d\":\"a\",\"v\":1}", "a @I m=1" },
	{ "{\"source\":\"s\",\"match\":{\"topic\":\"other\"},\"device\":\"$.d\"," V1 "}", "{\"d\":\"a\",\"v\":1}",
	  "SOURCE_UNKNOWN" },
	{ "{\"source\":\"s\",\"device\":\"$.d\"," V1 "}", "{\"d\":\"a\",\"v\":1", "JSON_SYNTAX" },
};

static void
show(const struct mapped *mapped, struct buffer *out)
{
	for (size_t i = 0; i < mapped->n; i++) {
		const struct reading *r = &mapped->readings[i];

		buffer_printf(out, "%s%.*s @", i ? "; " : "", SPAN_ARG(r->device));
		if (r->event_us == INGEST_US)
			buffer_text(out, "I");
		else
			buffer_printf(out, "%" PRId64, r->event_us);
		for (size_t k = 0; k < r->n_values; k++) {
			const struct reading_value *v = &r->values[k];

			buffer_printf(out, " %.*s", SPAN_ARG(v->metric));
			if (v->quality == QUALITY_GOOD)
				buffer_text(out, "="), buffer_json_number(out, v->value);
			else
				buffer_printf(out, "!%s(%.*s)", quality_name(v->quality), SPAN_ARG(v->text));
			if (v->unit.ptr)
				buffer_printf(out, "[%.*s]", SPAN_ARG(v->unit));
		}
	}
}

static void
map_one(const struct row *row, struct arena *arena, struct buffer *out)
{
	const struct mapping_rules rules = { .limits = { .depth = 8, .rows = 16 },
					     .values_max = 8,
					     .time_future_max_us = INT64_C(3600000000) };
	const struct raw_message message = { .topic = SPAN("telemetry.raw"),
					     .key = SPAN("the key"),
					     .json = span_of(row->message),
					     .ingest_us = INGEST_US };
	CLEANUP(pathmaps_free) struct pathmaps *maps = NULL;
	struct err err = ERR_INIT;
	struct mapped mapped;

	if (pathmaps_parse("map.json", span_of(row->map), &maps, &err) < 0)
		fail_msg("%s: %s", row->map, err.text);
	if (mapping_apply(maps, &rules, &message, arena, &mapped, &err) < 0)
		buffer_text(out, err_reason_name(err.reason));
	else
		show(&mapped, out);
}

static void
maps_messages(void **state)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(4096, 4096);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(buffer_clear) struct buffer out = BUFFER_INIT(0);

		map_one(&rows[i], arena, &out);
		if (!span_equal(buffer_span(&out), span_of(rows[i].expected)))
			fail_msg("%s\n%s\n\t%.*s\n\tnot: %s", rows[i].map, rows[i].message, SPAN_ARG(buffer_span(&out)),
				 rows[i].expected);
		arena_reset(arena);
	}
}

/* A bad text of many bytes is cut between characters. */
static void
cuts_long_texts(void **state)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(4096, 4096);
	char message[1200] = "{\"d\":\"a\",\"t\":1,\"ok\":1,\"v\":\"";
	const struct row row = { VALUES("{\"path\":\"$.ok\",\"metric\":\"ok\"},{\"path\":\"$.v\",\"metric\":\"m\"}"),
				 message, "" };
	CLEANUP(buffer_clear) struct buffer out = BUFFER_INIT(0);

	for (int i = 0; i < 200; i++)
		strcat(message, "\xe2\x82\xac");
	strcat(message, "\"}");
	map_one(&row, arena, &out);
	/* 85 characters of three bytes are 255 bytes. */
	assert_int_equal(out.len, strlen("a @1000000 ok=1 m!not_a_number()") + 255);
}

/* The same message gives the same readings whatever maps are loaded beside its own. */
static void
maps_do_not_disturb_each_other(void **state)
{
	static const char *const lists[] = { SOURCE_DIR "/deploy/pathmaps/default.json",
					     SOURCE_DIR "/deploy/pathmaps" };
	const struct mapping_rules rules = { .limits = { .depth = 64, .rows = 100 }, .values_max = 50 };
	const struct raw_message message = {
		.topic = SPAN("telemetry.raw"),
		.json = SPAN(
		    "{\"time\":5,\"metrics\":{\"b\":1,\"a\":2},\"voltage\":7,\"device\":\"x\",\"values\":[{\"metric\":\"c\",\"value\":\"3\"}]}"),
		.ingest_us = INGEST_US,
	};

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(4096, 4096);
		CLEANUP(pathmaps_free) struct pathmaps *maps = NULL;
		CLEANUP(buffer_clear) struct buffer out = BUFFER_INIT(0);
		struct err err = ERR_INIT;
		struct mapped mapped;

		assert_int_equal(pathmaps_load(lists[i], &maps, &err), 0);
		assert_int_equal(mapping_apply(maps, &rules, &message, arena, &mapped, &err), 0);
		show(&mapped, &out);
		assert_true(span_equal(buffer_span(&out), SPAN("x @5000000 b=1 a=2 c=3")));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maps_messages),
		cmocka_unit_test(cuts_long_texts),
		cmocka_unit_test(maps_do_not_disturb_each_other),
	};

	return cmocka_run_group_tests_name("mapping", tests, NULL, NULL);
}
