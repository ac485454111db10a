/* units.c -- the unit of a window is that of its readings, in the order of their event times. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "tests/unit/etl-preprocessor/harness.h"
#include "workers/etl-preprocessor/state.h"
#include "workers/etl-preprocessor/units.h"
#include "workers/etl-preprocessor/windows.h"

#define MINUTE (60 * US_PER_SECOND)
#define RULE(lateness, policy)                                                                                         \
	{                                                                                                              \
		.order = { (lateness)*MINUTE, 20 * MINUTE, 1000, (policy) }, .count_late = true,                       \
		.outlier = { OUTLIER_KEEP, 3, 6, 0 }, .step_us = MINUTE, .gap = { GAP_LINEAR, 4 }, .gap_max_steps = 6, \
		.window = { WINDOW_BY_COUNT, 3 },                                                                      \
	}

static const struct cleaner_rule strict = RULE(0, REPEAT_FIRST), patient = RULE(3, REPEAT_FIRST),
				 newest = RULE(3, REPEAT_LAST);

/* Readings are "minute=value" or "minute=value:unit", the value "-" where it is of bad quality; windows begin with their unit. */
static const struct row {
	const char *name;
	const struct cleaner_rule *rule;
	const char *readings, *windows;
	int64_t changes;
} rows[] = {
	{ "nobody names one", &strict, "0=1 1=2 2=3 3=4", "- #0 @0: 1 2 3 | 3 readings; ", 0 },
	{ "all name it", &strict, "0=1:C 1=2:C 2=3:C 3=4:C", "C #0 @0: 1 2 3 | 3 readings; ", 0 },
	{ "some name it", &strict, "0=1 1=2:C 2=3 3=4 4=5 5=6 6=7",
	  "C #0 @0: 1 2 3 | 3 readings; C #1 @3: 4 5 6 | 3 readings; ", 0 },
	{ "named too late for the first", &strict, "0=1 1=2 2=3 3=4:C 4=5 5=6 6=7",
	  "- #0 @0: 1 2 3 | 3 readings; C #1 @3: 4 5 6 | 3 readings; ", 0 },
	{ "named by one that waits", &patient, "0=1 1=2 2=3 3=4 4=5 5=6:C 6=7 7=8 8=9 9=10",
	  "- #0 @0: 1 2 3 | 3 readings; C #1 @3: 4 5 6 | 3 readings; ", 0 },
	{ "changed between windows", &strict, "0=1:C 1=2:C 2=3:C 3=4:F 4=5:F 5=6:F 6=7:F",
	  "C #0 @0: 1 2 3 | 3 readings; F #1 @3: 4 5 6 | 3 readings; ", 1 },
	{ "changed within one", &strict, "0=1:C 1=2:C 2=9:F 3=9:F 4=9:F 5=9:F",
	  "C #0 @0: 1 2 | 2 readings; F #1 @2: 9 9 9 | 3 readings; ", 1 },
	{ "changed within a step", &strict, "0=1:C 1=2:C 1.5=9:F 2=9:F 3=9:F 4=9:F",
	  "C #0 @0: 1 2 | 2 readings; F #1 @1: 9 9 9 | 3 readings; ", 1 },
	{ "changed behind a gap, which stays open", &strict, "0=1:C 3=9:F 4=9:F 5=9:F 6=9:F",
	  "C #0 @0: 1 | 1 readings; F #1 @3: 9 9 9 | 3 readings; ", 1 },
	{ "changed and back", &strict, "0=1:C 1=9:F 2=3:C 3=4 4=5 5=6",
	  "C #0 @0: 1 | 1 readings; F #1 @1: 9 | 1 readings; C #2 @2: 3 4 5 | 3 readings; ", 2 },
	{ "of those that wait", &patient, "0=1:C 1=2:C 2=9:F 3=4:C 4=5:K 5=6:K 6=6:K 7=7:K 8=8:K 9=8",
	  "C #0 @0: 1 2 | 2 readings; F #1 @2: 9 | 1 readings; C #2 @3: 4 | 1 readings; ", 3 },
	{ "the same in disorder", &patient, "1=2:C 0=1:C 3=4:C 2=9:F 5=6:K 4=5:K 6=6:K 8=8:K 7=7:K 9=8",
	  "C #0 @0: 1 2 | 2 readings; F #1 @2: 9 | 1 readings; C #2 @3: 4 | 1 readings; ", 3 },
	{ "of a late one", &strict, "0=1:C 1=2:C 0.5=9:F 2=3 3=4", "C #0 @0: 1 2 3 | 3 readings, 1 late; ", 0 },
	{ "of a bad value", &strict, "0=1:C 1=2:C 1.5=-:F 2=3 3=4", "C #0 @0: 1 2 3 | 3 readings; ", 0 },
	{ "of a repeated one that is gone", &strict, "0=1:C 1=2:C 1=9:F 2=3 3=4",
	  "C #0 @0: 1 2 3 | 3 readings, 1 repeated; ", 0 },
	{ "of a repeated one, first counts", &patient, "0=1:C 1=2:C 1=9:F 2=3 3=4 4=5 5=6 6=7",
	  "C #0 @0: 1 2 3 | 3 readings, 1 repeated; ", 0 },
	{ "of a repeated one, last counts", &newest, "0=1:C 1=2:C 1=9:F 2=9 3=9 4=9 5=9 6=9 7=9",
	  "C #0 @0: 1 | 1 readings; F #1 @1: 9 9 9 | 3 readings, 1 repeated; ", 1 },
	{ "of a value behind a bad one", &patient, "0=1:C 1=-:F 1=9:F 2=9 3=9 4=9 5=9 6=9 7=9",
	  "C #0 @0: 1 | 1 readings; F #1 @1: 9 9 9 | 3 readings, 1 repeated; ", 1 },
	{ "of a stamp years ahead", &strict, "0=1:C 1=2:C 9000000=9:F 2=3 3=4", "C #0 @0: 1 2 3 | 3 readings, 1 late; ",
	  0 },
	{ "the empty text", &strict,
	  "0=1: 1=2: 2=3:C 3=4:C 4=5:C 5=6: 6=7:", " #0 @0: 1 2 | 2 readings; C #1 @2: 3 4 5 | 3 readings; ", 2 },
	{ "one that begins like another", &strict, "0=1:Cel 1=2:C 2=3:C 3=4:C 4=5:Cel",
	  "Cel #0 @0: 1 | 1 readings; C #1 @1: 2 3 4 | 3 readings; ", 2 },
};

static int
print(void *ctx, const struct cleaner *c, struct err *err)
{
	struct span unit = windows_series(c, SPAN("d"), SPAN("m")).unit;

	if (buffer_printf(ctx, "%.*s ", unit.ptr ? (int)unit.len : 1, unit.ptr ? unit.ptr : "-") < 0)
		return -1;
	return harness_print(ctx, c, err);
}

static void
add(const struct cleaner_rule *rule, struct cleaner *c, int64_t time_us, double value, struct span unit,
    struct buffer *out, struct cleaner_count *count)
{
	const struct sample s = { .time_us = time_us, .value = value };
	struct err err = ERR_INIT;

	assert_int_equal(cleaner_add(rule, c, &s, unit, print, out, count, &err), 0);
}

static void
has_the_unit_of_its_readings(void **state)
{
	const struct row *row = *state;
	CLEANUP(buffer_clear) struct buffer out = BUFFER_INIT(10000);
	struct cleaner_count count = { 0 };
	char words[400], *rest = words, *word;
	struct cleaner c = { 0 };

	snprintf(words, sizeof(words), "%s", row->readings);
	while ((word = strsep(&rest, " "))) {
		char *unit = strchr(word, ':');
		double minute, value = NAN;

		assert_true(sscanf(word, "%lf=%lf", &minute, &value) >= 1);
		add(row->rule, &c, (int64_t)(minute * (double)MINUTE), value, unit ? span_of(unit + 1) : SPAN_NONE,
		    &out, &count);
	}
	buffer_append(&out, "", 1);
	assert_string_equal(out.ptr, row->windows);
	assert_int_equal(count.unit_changes, row->changes);
	assert_true(units_known(&c) <= 2);
	cleaner_clear(&c);
}

/* What was normal in one unit says nothing of the other. */
static void
outliers_are_learnt_anew(void **state)
{
	CLEANUP(buffer_clear) struct buffer out = BUFFER_INIT(10000);
	struct cleaner_count count = { 0 };
	struct cleaner c = { 0 };

	for (int64_t i = 0; i < 40; i++)
		add(&strict, &c, i * MINUTE, (double)(i % 3) + (i < 20 ? 0 : 1000), i < 20 ? SPAN("C") : SPAN("F"),
		    &out, &count);
	assert_int_equal(count.outliers, 0);
	assert_int_equal(count.unit_changes, 1);
	assert_int_equal(c.outlier.normal.count, 20);
	cleaner_clear(&c);
}

/* More units than there are numbers for: what is too much is as if it named none, and memory does not grow. */
static void
too_many(void **state)
{
	CLEANUP(buffer_clear) struct buffer out = BUFFER_INIT(1000000);
	const struct cleaner_rule rule = RULE(1000, REPEAT_FIRST);
	struct cleaner_count count = { 0 };
	struct cleaner c = { 0 };

	for (int64_t i = 0; i < 2000; i++) {
		char unit[20];

		snprintf(unit, sizeof(unit), "unit %lld", (long long)i);
		add(&rule, &c, i * MINUTE, 1, span_of(unit), &out, &count);
		assert_true(units_known(&c) <= UNITS_MAX && c.unit_len < UNITS_MAX * 10);
	}
	assert_true(count.unit_changes > 250 && count.unit_changes < 1000);
	cleaner_clear(&c);
}

/* ---- states of the version before, whose readings brought no unit along ---- */

struct sample_before {
	int64_t time_us, ingest_us;
	double value;
	int64_t repeated;
};

struct before {
	struct sample_before *items;
	size_t n;
	int64_t newest_us, released_us;
	bool started, released;
};

struct cleaner_before {
	struct before order;
	int64_t step_us;
	char *unit;
	size_t unit_len;
	bool has_unit;
};

static const struct image_member sample_members[] = {
	IMAGE_FIELD(struct sample_before, time_us, IMAGE_I64),
	IMAGE_FIELD(struct sample_before, ingest_us, IMAGE_I64),
	IMAGE_FIELD(struct sample_before, value, IMAGE_F64),
	IMAGE_FIELD(struct sample_before, repeated, IMAGE_I64),
};
static const struct image_table sample_table = IMAGE_TABLE(struct sample_before, sample_members);
static const struct image_member order_members[] = {
	IMAGE_NESTED_LIST(struct before, items, n, sample_table), IMAGE_FIELD(struct before, newest_us, IMAGE_I64),
	IMAGE_FIELD(struct before, released_us, IMAGE_I64),       IMAGE_FIELD(struct before, started, IMAGE_BOOL),
	IMAGE_FIELD(struct before, released, IMAGE_BOOL),
};
static const struct image_table order_table = IMAGE_TABLE(struct before, order_members);
static const struct image_member cleaner_members[] = {
	IMAGE_NESTED(struct cleaner_before, order, order_table),
	IMAGE_FIELD(struct cleaner_before, step_us, IMAGE_I64),
	IMAGE_LIST_OF(struct cleaner_before, unit, unit_len, IMAGE_CHAR),
	IMAGE_FIELD(struct cleaner_before, has_unit, IMAGE_BOOL),
};
static const struct image_table cleaner_table = IMAGE_TABLE(struct cleaner_before, cleaner_members);
static const struct image_type type_before = IMAGE_TYPE("cleaner", 1, cleaner_table);

static void
of_the_version_before(void **state)
{
	CLEANUP(buffer_clear) struct buffer bytes = BUFFER_INIT(0), back = BUFFER_INIT(0), text = BUFFER_INIT(0);
	CLEANUP(buffer_clear) struct buffer out = BUFFER_INIT(10000);
	struct sample_before waiting[] = { { 0, 7, 1, 0 }, { MINUTE, 8, 2, 5 } };
	char cel[] = "Cel";
	const struct cleaner_before before = { .order = { waiting, 2, MINUTE, 0, true, false },
					       .step_us = MINUTE,
					       .unit = cel,
					       .unit_len = 3,
					       .has_unit = true };
	struct cleaner_before again = { 0 };
	struct cleaner_count count = { 0 };
	struct cleaner c = { 0 };
	struct err err = ERR_INIT;

	assert_int_equal(image_write_described(&type_before, &before, &bytes), 0);
	assert_int_equal(etl_state.decode(buffer_span(&bytes), &c, &err), 0);
	/* And a step back. */
	assert_int_equal(etl_state.encode(&c, &back), 0);
	assert_int_equal(image_describe(etl_state.image, &text), 0);
	bytes.len = 0;
	assert_int_equal(image_translate(&type_before, buffer_span(&text), buffer_span(&back), &bytes, &err), 0);
	assert_int_equal(image_read(&type_before, buffer_span(&bytes), &again, &err), 0);
	assert_true(span_equal((struct span){ again.unit, again.unit_len }, SPAN("Cel")) && again.has_unit);
	assert_true(again.order.n == 2 && again.order.items[1].repeated == 5);
	image_clear(&type_before, &again);

	for (int64_t minute = 2; minute < 8; minute++)
		add(&patient, &c, minute * MINUTE, 3, SPAN_NONE, &out, &count);
	buffer_append(&out, "", 1);
	assert_string_equal(out.ptr, "Cel #0 @0: 1 2 3 | 3 readings, 5 repeated, 8 us ingested; ");
	cleaner_clear(&c);
}

#define OTHERS 3

int
main(void)
{
	struct CMUnitTest tests[OTHERS + ARRAY_LEN(rows)] = { cmocka_unit_test(outliers_are_learnt_anew),
							      cmocka_unit_test(too_many),
							      cmocka_unit_test(of_the_version_before) };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[OTHERS + i] =
		    (struct CMUnitTest){ rows[i].name, has_the_unit_of_its_readings, NULL, NULL, (void *)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
