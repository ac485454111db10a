/* cleaner.c -- from readings to windows, case by case.  Times are in units of a step unless the row says otherwise. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "tests/unit/etl-preprocessor/harness.h"
#include "workers/etl-preprocessor/windows.h"

#define MINUTE (60 * US_PER_SECOND)

/* Steps of a minute; no lateness. */
#define RULE(fill, sampling, ...)                                                                      \
	{                                                                                              \
		.order = { 0, 20 * MINUTE, 100, REPEAT_FIRST }, .count_late = true,                    \
		.outlier = { OUTLIER_KEEP, 3, 1000000, 0 }, .step_us = MINUTE, .resample = (sampling), \
		.gap = { (fill), 4 }, .gap_max_steps = 6, .window = { __VA_ARGS__ },                   \
	}
#define COUNT WINDOW_BY_COUNT, 3
#define TIME WINDOW_BY_TIME, 5

static const struct cleaner_rule forward = RULE(GAP_FORWARD, RESAMPLE_MEAN, COUNT),
				 linear = RULE(GAP_LINEAR, RESAMPLE_MEAN, COUNT),
				 linear_last = RULE(GAP_LINEAR, RESAMPLE_LAST, COUNT),
				 none = RULE(GAP_NONE, RESAMPLE_MEAN, COUNT),
				 by_time = RULE(GAP_LINEAR, RESAMPLE_MEAN, TIME),
				 single = RULE(GAP_LINEAR, RESAMPLE_MEAN, WINDOW_BY_COUNT, 1),
				 patient = { .order = { MINUTE, 20 * MINUTE, 100, REPEAT_FIRST },
					     .outlier = { OUTLIER_KEEP, 3, 1000000, 0 },
					     .step_us = MINUTE,
					     .gap_max_steps = 6,
					     .window = { COUNT } };

/* Readings are "minute=value", the value "-" where it is of bad quality. */
static const struct row {
	const char *name;
	const struct cleaner_rule *rule;
	const char *readings, *windows;
} rows[] = {
	/* The golden cases: 65, -, 75, and 12:00 100, 12:01.5 110, 12:03.2 115. */
	{ "65 - 75, forward", &forward, "0=65 2=75 3=0", "#0 @0: 65 65i 75 | 2 readings; " },
	{ "65 - 75, linear", &linear, "0=65 2=75 3=0", "#0 @0: 65 70i 75 | 2 readings; " },
	{ "65 bad 75, forward", &forward, "0=65 1=- 2=75 3=-", "#0 @0: 65 65i 75 | 2 readings; " },
	{ "65 bad 75, linear", &linear, "0=65 1=- 2=75 3=-", "#0 @0: 65 70i 75 | 2 readings; " },
	{ "65 - 75, none", &none, "0=65 2=75 3=0", "#0 @0: 65 - 75 | 2 readings; " },
	{ "noon, mean", &linear, "720=100 721.5=110 723.2=115 724=0", "#0 @720: 100 110 112.5i | 2 readings; " },
	{ "noon, last", &linear_last, "720=100 721.5=110 723.2=115 724=0", "#0 @720: 100 110 112.5i | 2 readings; " },
	{ "noon, not known before 12:04", &linear, "720=100 721.5=110 723.2=115 723.9=115", "" },
	{ "mean", &linear, "0=1 0.5=2 1=5 2=7 2.1=9 3=0", "#0 @0: 1.5 5 8 | 5 readings; " },
	{ "last", &linear_last, "0=1 0.5=2 1=5 2=7 2.1=9 3=0", "#0 @0: 2 5 9 | 5 readings; " },
	{ "windows follow each other", &linear, "0=0 1=1 2=2 3=3 4=4 5=5 6=6",
	  "#0 @0: 0 1 2 | 3 readings; #1 @3: 3 4 5 | 3 readings; " },
	{ "by count from anywhere", &linear, "4=0 5=1 6=2 7=3", "#0 @4: 0 1 2 | 3 readings; " },
	{ "by time, the first is shorter", &by_time, "3=3 4=4 5=5 6=6 7=7 8=8 9=9 10=10",
	  "#0 @3: 3 4 | 2 readings; #1 @5: 5 6 7 8 9 | 5 readings; " },
	{ "by time, before 1970", &by_time, "-7=1 -6=2 -5=3 -4=4", "#0 @-7: 1 2 | 2 readings; " },
	{ "a gap over the end of a window", &linear, "0=0 1=1 5=5 6=0",
	  "#0 @0: 0 1 2i | 2 readings; #1 @3: 3i 4i 5 | 1 readings; " },
	{ "a gap too long to fill", &linear, "0=0 6=6 7=0 8=0 9=0",
	  "#0 @0: 0 - - | 1 readings; #1 @3: - - - | 0 readings; #2 @6: 6 0 0 | 3 readings; " },
	{ "a gap that ends the window", &linear, "0=0 1=1 9=9 10=10 11=11 12=0",
	  "#0 @0: 0 1 | 2 readings; #1 @9: 9 10 11 | 3 readings; " },
	{ "a gap behind a full window", &linear, "0=0 1=1 2=2 30=30 31=31 32=32 33=0",
	  "#0 @0: 0 1 2 | 3 readings; #1 @30: 30 31 32 | 3 readings; " },
	{ "years ahead", &linear, "0=0 1=1 9000000=9 9000001=10 9000002=11 9000003=0",
	  "#0 @0: 0 1 | 2 readings; #1 @9000000: 9 10 11 | 3 readings; " },
	{ "one stamp years ahead", &linear, "0=0 1=1 9000000=9 2=2 3=3", "#0 @0: 0 1 2 | 3 readings, 1 late; " },
	{ "one stamp years ahead, sent again", &linear, "0=0 1=1 9000000=9 9000000=9 9000000=9 2=2 3=3",
	  "#0 @0: 0 1 2 | 3 readings, 1 late, 2 repeated; " },
	{ "the newest before what was kept", &patient, "1003=3 1000=0 1001=1 1002=2 1005=5",
	  "#0 @1000: 0 1 2 | 3 readings; " },
	{ "the newest after a gap before what was kept", &patient, "0=0 1=1 1003=3 1000=0 1001=1 1002=2 1005=5",
	  "#0 @0: 0 1 | 2 readings; #1 @1000: 0 1 2 | 3 readings; " },
	{ "late", &linear, "0=0 1=1 0.5=7 2=2 3=3", "#0 @0: 0 1 2 | 3 readings, 1 late; " },
	{ "repeated", &linear, "0=0 1=1 1=8 2=2 3=3", "#0 @0: 0 1 2 | 3 readings, 1 repeated; " },
	{ "bad values alone", &linear, "0=- 1=- 2=- 3=- 4=- 50=-", "" },
	{ "a bad value finishes a step", &single, "0=5 1=-", "#0 @0: 5 | 1 readings; " },
};

static void
feed_text(const struct cleaner_rule *rule, const char *text, struct buffer *out, struct cleaner_count *count)
{
	struct cleaner c = { 0 };
	char words[400], *rest = words, *word;

	snprintf(words, sizeof(words), "%s", text);
	while ((word = strsep(&rest, " "))) {
		struct sample s = { .value = NAN };
		double minute;

		assert_true(sscanf(word, "%lf=%lf", &minute, &s.value) >= 1);
		s.time_us = (int64_t)(minute * (double)MINUTE);
		harness_feed(rule, &c, &s, 1, 0, out, count);
	}
	cleaner_clear(&c);
	buffer_append(out, "", 1);
}

static void
makes_windows(void **state)
{
	const struct row *row = *state;
	CLEANUP(buffer_clear)
	struct buffer out = BUFFER_INIT(10000);
	struct cleaner_count count = { 0 };

	feed_text(row->rule, row->readings, &out, &count);
	assert_string_equal(out.ptr, row->windows);
}

/* Values 1 and 3 in turn: mean 2, deviation about 1; then a spike.  Dropped, it leaves a step to be filled, flagged. */
static void
outliers(void **state)
{
	static const struct {
		enum outlier_policy policy;
		const char *windows;
	} cases[] = {
		{ OUTLIER_KEEP, "#0 @0: 1 3 1 3 | 4 readings; #1 @4: 1 3 90o 3 | 4 readings, 1 outliers; " },
		{ OUTLIER_DROP, "#0 @0: 1 3 1 3 | 4 readings; #1 @4: 1 3 3io 3 | 3 readings, 1 outliers, 1 dropped; " },
		{ OUTLIER_CLIP,
		  "#0 @0: 1 3 1 3 | 4 readings; #1 @4: 1 3 5.286335345030997oc 3 | 4 readings, 1 outliers; " },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(buffer_clear)
		struct buffer out = BUFFER_INIT(10000);
		struct cleaner_rule rule = linear;
		struct cleaner_count count = { 0 };

		rule.window.steps = 4;
		rule.outlier = (struct outlier_rule){ cases[i].policy, 3, 6, 0 };
		feed_text(&rule, "0=1 1=3 2=1 3=3 4=1 5=3 6=90 7=3 8=0", &out, &count);
		assert_string_equal(out.ptr, cases[i].windows);
		assert_int_equal(count.outliers, 1);
		assert_int_equal(count.dropped, cases[i].policy == OUTLIER_DROP);
	}
}

/* Each dropped reading is found again in the gap that it belongs to. */
static void
outliers_in_two_gaps(void **state)
{
	CLEANUP(buffer_clear) struct buffer out = BUFFER_INIT(10000);
	struct cleaner_rule rule = linear;
	struct cleaner_count count = { 0 };

	rule.window.steps = 11;
	rule.outlier = (struct outlier_rule){ OUTLIER_DROP, 3, 6, 0 };
	feed_text(&rule, "0=1 1=3 2=1 3=3 4=1 5=3 6=90 7=3 9=-90 10=0 11=0", &out, &count);
	assert_string_equal(out.ptr, "#0 @0: 1 3 1 3 1 3 3io 3 2i 1io 0 | 8 readings, 2 outliers, 2 dropped; ");
}

/* Nothing but dropped readings for longer than a gap may be: the window ends, memory does not grow, counts go on. */
static void
only_outliers(void **state)
{
	CLEANUP(buffer_clear)
	struct buffer out = BUFFER_INIT(10000);
	struct cleaner_rule rule = linear;
	struct cleaner_count count = { 0 };
	struct cleaner c = { 0 };

	rule.outlier = (struct outlier_rule){ OUTLIER_DROP, 3, 2, 0 };
	for (int i = 0; i < 105; i++) {
		struct sample s = { .time_us = i * MINUTE, .value = i < 4 || i > 100 ? i % 2 : 1e6 };

		harness_feed(&rule, &c, &s, 1, 0, &out, &count);
		assert_true(c.n_blank <= (size_t)rule.gap_max_steps);
	}
	buffer_append(&out, "", 1);
	assert_string_equal(out.ptr, "#0 @0: 0 1 0 | 3 readings; #1 @3: 1 | 1 readings; "
				     "#2 @101: 1 0 1 | 3 readings, 97 outliers, 97 dropped; ");
	cleaner_clear(&c);
}

static int
check_records(void *ctx, const struct cleaner *c, struct err *err)
{
	struct series s = windows_series(c, SPAN("d"), SPAN("m"));
	struct aggregate a = windows_aggregate(c, SPAN("d"), SPAN("m"));
	int *windows = ctx;

	assert_true(span_equal(s.unit, SPAN("C")) && span_equal(s.device, SPAN("d")) &&
		    span_equal(s.metric, SPAN("m")));
	assert_int_equal(s.sequence, *windows);
	assert_int_equal(s.start_us, *windows * 3 * MINUTE);
	assert_int_equal(s.step_us, MINUTE);
	assert_int_equal(s.n_target, 3);
	assert_int_equal(a.start_us, s.start_us);
	assert_int_equal(a.end_us, s.start_us + 3 * MINUTE);
	assert_int_equal(a.count, s.readings);
	if (*windows == 0) { /* 4, 8, then a hole */
		assert_int_equal(s.imputed, 1);
		assert_int_equal(s.readings, 2);
		assert_int_equal(s.ingest_us, 1001);
		assert_true(a.mean == 6 && a.minimum == 4 && a.maximum == 8 && a.first == 4 && a.last == 8);
		assert_true(fabs(a.deviation - sqrt(8)) < 1e-15); /* of a sample: (4 + 4) / 1 */
	} else {                                                  /* one reading, then a hole of two */
		assert_int_equal(s.readings, 1);
		assert_true(a.mean == 5 && isnan(a.deviation));
	}
	++*windows;
	return 0;
}

static void
records(void **state)
{
	static const struct sample samples[] = {
		{ 0, 1000, 4, 0 },          { MINUTE, 1001, 8, 0 },     { 3 * MINUTE, 1002, 5, 0 },
		{ 6 * MINUTE, 1003, 5, 0 }, { 7 * MINUTE, 1004, 5, 0 },
	};
	struct cleaner c = { 0 };
	struct cleaner_count count = { 0 };
	struct err err = ERR_INIT;
	int windows = 0;

	for (size_t i = 0; i < ARRAY_LEN(samples); i++)
		assert_int_equal(
		    cleaner_add(&linear, &c, &samples[i], SPAN("C"), check_records, &windows, &count, &err), 0);
	assert_int_equal(windows, 2);
	cleaner_clear(&c);
}

static void
times(void **state)
{
	struct err err = ERR_INIT;

	assert_int_equal(cleaner_check_time(&linear, 0, &err), 0);
	assert_int_equal(cleaner_check_time(&linear, INT64_C(253402300799999999), &err), -1);
	assert_int_equal(err.reason, REASON_TIME_RANGE);
	assert_int_equal(cleaner_check_time(&linear, INT64_C(-62135596800000000), &err), -1);
}

#define OTHERS 5

int
main(void)
{
	struct CMUnitTest tests[OTHERS + ARRAY_LEN(rows)] = { cmocka_unit_test(outliers),
							      cmocka_unit_test(outliers_in_two_gaps),
							      cmocka_unit_test(only_outliers),
							      cmocka_unit_test(records), cmocka_unit_test(times) };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[OTHERS + i] = (struct CMUnitTest){ rows[i].name, makes_windows, NULL, NULL, (void *)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
