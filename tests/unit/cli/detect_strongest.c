/* The strongest of many rows: which they are, in which order. */
#include "cli/detect_strongest.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/random.h"

static const char *const names[] = { "flow", "pressure", "level" };

static void
add(struct strongest *s, int64_t line, double onset, double p, const char *reason)
{
	const struct span texts[] = { SPAN("1.5"), SPAN("\x1b[2J"), SPAN("2") };
	const double values[] = { 1.5, NAN, 2 };
	const struct group_blame blame[] = { { 2, 0.6, false }, { 1, 0.25, true }, { 0, 0.15, true } };
	const struct sheet_row row = { .line = line, .time = SPAN("2024-01-01"), .values = values, .texts = texts };
	const struct judgement j = { .onset = onset,
				     .p = p,
				     .column = line == 8,
				     .members = { p, NAN, NAN, NAN },
				     .group = NAN,
				     .blame = blame,
				     .n_blame = line == 8 ? ARRAY_LEN(blame) : 0,
				     .reason = reason };

	strongest_add(s, &row, &j);
}

static void
keeps_the_strongest(void **state)
{
	struct strongest s;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(strongest_new(5, names, &s, &err), 0);
	for (int64_t i = 0; i < 1000; i++) {
		double onset = 10 * random_uniform(1, 2, (uint64_t)i);

		if (i % 200 == 7)
			onset = 20 + (double)i;
		add(&s, i, onset, pow(10, -onset), NULL);
	}
	strongest_sort(&s);
	assert_int_equal(s.n, 5);
	for (size_t i = 0; i < s.n; i++)
		assert_int_equal(s.items[i].line, 807 - 200 * (int64_t)i);
	strongest_clear(&s);
}

static void
equals_by_p_then_by_place(void **state)
{
	struct strongest s;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(strongest_new(3, names, &s, &err), 0);
	add(&s, 1, 0, 0.5, NULL);
	add(&s, 2, 0, 1, NULL); /* nothing was strange at all */
	add(&s, 3, 0, 0.1, NULL);
	add(&s, 4, 0, 0.5, NULL);
	add(&s, 5, 0, 0.5, NULL);
	strongest_sort(&s);
	assert_int_equal(s.n, 3);
	assert_int_equal(s.items[0].line, 3);
	assert_int_equal(s.items[1].line, 1);
	assert_int_equal(s.items[2].line, 4);
	strongest_clear(&s);
}

static void
is_told(void **state)
{
	CLEANUP(buffer_clear)
	struct buffer out = BUFFER_INIT(0);
	struct strongest s;
	struct err err = ERR_INIT;
	json_t *json;

	(void)state;
	assert_int_equal(strongest_new(2, names, &s, &err), 0);
	add(&s, 7, 6, 1e-6, "flow 1.5 is unusual");
	strongest_sort(&s);
	assert_int_equal(strongest_print(&s, &out, &err), 0);
	assert_int_equal(buffer_append(&out, "", 1), 0);
	assert_non_null(strstr(out.ptr, "0.5000"));
	assert_non_null(strstr(out.ptr, "flow 1.5 is unusual"));
	assert_null(strstr(out.ptr, "forecast")); /* nobody had that opinion */
	assert_null(strstr(out.ptr, "shares"));
	json = strongest_json(&s);
	assert_int_equal(json_array_size(json), 1);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(json, 0), "line")), 7);
	assert_float_equal(
	    json_real_value(json_object_get(json_object_get(json_array_get(json, 0), "members"), "scalar")), 1e-6,
	    1e-20);
	json_decref(json);
	strongest_clear(&s);
}

/* Whose parts they are, the largest first; what did not come is not to blame, and its text cannot steer a terminal. */
static void
shares_are_told(void **state)
{
	CLEANUP(buffer_clear)
	struct buffer out = BUFFER_INIT(0);
	struct strongest s;
	struct err err = ERR_INIT;
	json_t *json;
	char *text;

	(void)state;
	assert_int_equal(strongest_new(2, names, &s, &err), 0);
	add(&s, 7, 5, 1e-5, NULL);
	add(&s, 8, 6, 1e-6, NULL);
	strongest_sort(&s);
	assert_int_equal(strongest_print(&s, &out, &err), 0);
	assert_int_equal(buffer_append(&out, "", 1), 0);
	assert_non_null(strstr(out.ptr, "level 60 % low, flow 15 % high\n"));
	assert_null(strchr(out.ptr, '\x1b'));
	json = strongest_json(&s);
	text =
	    json_dumps(json_object_get(json_array_get(json, 0), "attribution"), JSON_COMPACT | JSON_REAL_PRECISION(3));
	assert_string_equal(text, "[{\"column\":\"level\",\"share\":0.6,\"direction\":\"low\"},"
				  "{\"column\":\"flow\",\"share\":0.15,\"direction\":\"high\"}]");
	assert_int_equal(json_array_size(json_object_get(json_array_get(json, 1), "attribution")), 0);
	free(text);
	json_decref(json);
	strongest_clear(&s);
}

/* Long texts are cut between characters: what is left is UTF-8 still. */
static void
long_texts_are_cut(void **state)
{
	struct strongest s;
	struct err err = ERR_INIT;
	char reason[1000] = "x";
	json_t *json;

	(void)state;
	for (size_t i = 1; i + 3 < sizeof(reason); i += 3)
		memcpy(reason + i, "\u2013", 4);
	assert_int_equal(strongest_new(1, names, &s, &err), 0);
	add(&s, 7, 6, 1e-6, reason);
	assert_true(strlen(s.items[0].reason) >= sizeof(s.items[0].reason) - 4);
	json = strongest_json(&s);
	assert_non_null(json);
	json_decref(json);
	strongest_clear(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(keeps_the_strongest),
					    cmocka_unit_test(equals_by_p_then_by_place), cmocka_unit_test(is_told),
					    cmocka_unit_test(shares_are_told), cmocka_unit_test(long_texts_are_cut) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
