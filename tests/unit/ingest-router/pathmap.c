/* pathmap.c -- path maps that are wrong are refused with file, line and place; those of the house are right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/base/cleanup.h"
#include "workers/ingest-router/pathmap.h"

#define X16 "xxxxxxxxxxxxxxxx"
#define X64 X16 X16 X16 X16
#define X256 X64 X64 X64 X64
#define MAP(rest) "{\"source\":\"s\",\"device\":\"$.d\",\n" rest "}"
#define VALUES "\"values\":[{\"path\":\"$.v\",\"metric\":\"m\"}]"

static const struct row {
	const char *text;
	const char *says; /* part of the error; NULL: it is fine */
} rows[] = {
	{ MAP(VALUES), NULL },
	{ MAP("\"values\":[{\"path\":\"$.a\",\"metric\":\"m\"},{\"path\":\"$.b\",\"metric\":\"m\"}]"), NULL },
	{ "{\"source\":\"s\",\"device\":\"key\"," VALUES "}", NULL },
	{ "{", "x.json:1: " },
	{ "[]", "x.json:1: the file: a path map is an object" },
	{ "{\"source\":\"s\",\"source\":\"t\"}", "duplicate" },
	{ "{\"device\":\"$.d\"," VALUES "}", "x.json:1: source: is missing" },
	{ "{\"source\":\"" X256 "\",\"device\":\"key\"," VALUES "}", NULL },
	{ "{\"source\":\"" X256 "x\",\"device\":\"key\"," VALUES "}", "x.json:1: source: 257 bytes" },
	{ "{\"source\":\"s\"," VALUES "}", "device: is missing" },
	{ MAP("\"time\":\"$.t\""), "values: a list of 1 to" },
	{ MAP("\"values\":[]"), "x.json:2: values: a list of 1 to" },
	{ MAP("\"valeus\":[]," VALUES), "x.json:2: valeus: no such key; did you mean \"values\"?" },
	{ MAP("\"values\":[{\"path\":\"$.v\",\n\n\"metric\":\"m\",\"scael\":2}]"),
	  "x.json:4: values[0].scael: no such key; did you mean \"scale\"?" },
	{ MAP("\"values\":[{\"path\":\"v\",\"metric\":\"m\"}]"),
	  "values[0].path: path \"v\", byte 0: a path begins with $" },
	{ MAP("\"values\":[{\"path\":\"$.a b\",\"metric\":\"m\"}]"), "byte 3: a step begins with" },
	{ MAP("\"values\":[{\"path\":\"$.\",\"metric\":\"m\"}]"), "a name is missing" },
	{ MAP("\"values\":[{\"path\":\"$['a\",\"metric\":\"m\"}]"), "the quote is not closed" },
	{ MAP("\"values\":[{\"path\":\"$[0\",\"metric\":\"m\"}]"), "] is missing" },
	{ MAP("\"values\":[{\"path\":\"$[x]\",\"metric\":\"m\"}]"), "a number, * or a quoted name" },
	{ MAP("\"values\":[{\"path\":\"$.a[*]\",\"metric\":\"m\"}]"), "[*] may end only the paths of items and each" },
	{ MAP("\"values\":[{\"path\":\"$.a[*].b\",\"metric\":\"m\"}]"), "[*] may only stand at the end" },
	{ MAP("\"values\":[{\"path\":\"@.a\",\"metric\":\"m\"}]"), "@ has no meaning here" },
	{ MAP("\"values\":[{\"path\":\"$.a\"}]"), "metric: a text of 1 to 256 bytes" },
	{ MAP("\"values\":[{\"metric\":\"m\"}]"), "values[0].path: a path belongs here" },
	{ MAP("\"values\":[{\"path\":\"$.a\",\"metric\":\"m\",\"scale\":0}]"), "scale: a scale of 0" },
	{ MAP("\"values\":[{\"path\":\"$.a\",\"metric\":\"m\",\"scale\":\"2\"}]"), "scale: a number belongs here" },
	{ MAP("\"values\":[{\"path\":\"$.a\",\"metric\":\"m\",\"min\":2,\"max\":1}]"), "min is larger than max" },
	{ MAP("\"values\":[{\"path\":\"$.a\",\"metric\":\"m\",\"decimal\":\";\"}]"), "decimal: \".\" or \",\"" },
	{ MAP("\"values\":[{\"path\":\"$.a\",\"metric\":\"m\",\"sentinel\":[1,\"x\"]}]"),
	  "sentinel: a number or a list" },
	{ MAP("\"values\":[{\"each\":\"$.a\",\"metric\":\"@.m\"}]"), "each needs metric and value" },
	{ MAP("\"values\":[{\"members\":\"$.a\"},{\"path\":\"$.a.b\",\"metric\":\"m\"}]"),
	  "members of an object are taken" },
	{ MAP("\"values\":[{\"path\":\"$.a.b\",\"metric\":\"m\"},{\"members\":\"$.a\"}]"),
	  "members of an object are taken" },
	{ MAP("\"items\":\"$.a\",\"values\":[{\"path\":\"$.a[0]\",\"metric\":\"m\"}]"),
	  "elements of an array are taken" },
	{ MAP("\"items\":\"$.a[*]\",\"values\":[{\"path\":\"@.v\",\"metric\":\"m\"}]"), NULL },
	{ MAP("\"time\":{\"path\":\"$.t\",\"format\":\"epoch\"}," VALUES), "x.json:2: time.format: auto, epoch_s" },
	{ MAP("\"time\":{\"path\":\"$.t\",\n\"format\":\"\\u0041\"}," VALUES), "x.json:2: time.format: auto, epoch_s" },
	{ MAP("\"time\":{\"path\":\"$.t\",\"format\":\"%Q\"}," VALUES), "time.format: auto, epoch_s" },
	{ MAP("\"time\":{\"path\":\"$.t\",\"zone\":\"CET\"}," VALUES), "time.zone: a fixed offset" },
	{ MAP("\"time\":{\"path\":\"$.t\",\"default\":\"now\"}," VALUES), "time.default: \"ingest\" or \"none\"" },
	{ MAP("\"time\":{\"format\":\"auto\"}," VALUES), "time.path: a path belongs here" },
	{ MAP("\"time\":{\"path\":[\"$.a\",\" \",\"b.c\"]}," VALUES), NULL },
	{ MAP("\"time\":[]," VALUES), "time: a list of texts and paths" },
	{ MAP("\"match\":[]," VALUES), "match: a condition or a list of them" },
	{ MAP("\"match\":{\"topic\":\"t\",\"path\":\"$.a\"}," VALUES), "topic stands alone" },
	{ MAP("\"match\":{\"equals\":\"t\"}," VALUES), "match.path: a path belongs here" },
	{ MAP("\"match\":[{\"topic\":\"t\"},{\"pth\":\"$.a\"}]," VALUES),
	  "match[1].pth: no such key; did you mean \"path\"?" },
};

static void
refuses_with_place_and_advice(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(pathmaps_free) struct pathmaps *maps = NULL;
		struct err err = ERR_INIT;
		int bad = pathmaps_parse("x.json", span_of(rows[i].text), &maps, &err);

		if (bad != (rows[i].says ? -1 : 0) || (rows[i].says && !strstr(err.text, rows[i].says)))
			fail_msg("%s\n\t%s\n\tnot: %s", rows[i].text, err.text, rows[i].says);
		if (bad)
			assert_int_equal(err.reason, REASON_FILE_INVALID);
	}
}

static void
the_maps_of_the_house_load_together(void **state)
{
	CLEANUP(pathmaps_free) struct pathmaps *maps = NULL;
	struct err err = ERR_INIT;

	if (pathmaps_load(SOURCE_DIR "/deploy/pathmaps", &maps, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(maps->has_default);
	assert_true(maps->n >= 8);
	assert_string_equal(maps->maps[maps->n - 1].source.ptr, "default");
}

static void
refuses_lists_that_lead_nowhere(void **state)
{
	static const struct {
		const char *list;
		enum err_reason reason;
	} lists[] = {
		{ "/no/such/file.json", REASON_FILE_UNREADABLE },
		{ " , ", REASON_OPTION_INVALID },
		{ SOURCE_DIR "/common/base", REASON_FILE_INVALID }, /* no *.json in it */
		{ SOURCE_DIR "/deploy/pathmaps/nab.json," SOURCE_DIR "/deploy/pathmaps/nab.json", REASON_FILE_INVALID },
	};

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		CLEANUP(pathmaps_free) struct pathmaps *maps = NULL;
		struct err err = ERR_INIT;

		assert_int_equal(pathmaps_load(lists[i].list, &maps, &err), -1);
		assert_int_equal(err.reason, lists[i].reason);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_with_place_and_advice),
		cmocka_unit_test(the_maps_of_the_house_load_together),
		cmocka_unit_test(refuses_lists_that_lead_nowhere),
	};

	return cmocka_run_group_tests_name("pathmap", tests, NULL, NULL);
}
