/* Rows judged one after the other: what stands out, what is only marked, and that the future changes nothing. */
#include "cli/detect_judge.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/random.h"

enum { COLUMNS = 3 };

static const char *const names[COLUMNS] = { "flow", "pressure", "temperature" };
static const struct span texts[COLUMNS] = { { "1", 1 }, { "2", 1 }, { "3", 1 } };

static struct judge_rule
usual_rule(void)
{
	struct judge_rule rule = {
		.detector = detector_defaults(),
		.order = { .jump_max_us = INT64_C(86400000000), .late_max = 50 },
		.grouped = true,
		.group = { .forest = { .trees = 30, .sample = 128, .shingle = 1, .decay = 1.0 / 1280, .seed = 1 },
			   .warmup_rows = 200 },
	};

	rule.group.episode = rule.detector.episode;
	return rule;
}

/* Flow and pressure go together, temperature goes its own way. */
static void
machine(int64_t i, double *row)
{
	double load = sin((double)i / 17) + 0.3 * random_normal(1, 1, (uint64_t)i);

	row[0] = 20 + 3 * load + 0.1 * random_normal(1, 2, (uint64_t)i);
	row[1] = 5 + load + 0.1 * random_normal(1, 3, (uint64_t)i);
	row[2] = 60 + random_normal(1, 4, (uint64_t)i);
}

static struct judgement
judge_values(struct judge *j, int64_t time_us, const double *values)
{
	const struct sheet_row row = { .timed = true, .time_us = time_us, .values = values, .texts = texts };
	struct judgement ret;
	struct err err = ERR_INIT;

	assert_int_equal(judge_add(j, &row, &ret, &err), 0);
	assert_true(ret.p > 0 && ret.p <= 1 && ret.onset >= 0 && ret.state >= 0 && ret.column < COLUMNS);
	return ret;
}

static struct judgement
judge_step(struct judge *j, int64_t i, const double *values)
{
	return judge_values(j, i * 60000000, values);
}

static void
new_judge(size_t n, struct judge **ret)
{
	const struct judge_rule rule = usual_rule();
	struct err err = ERR_INIT;

	assert_int_equal(judge_new(&rule, names, n, ret, &err), 0);
}

static void
one_column_speaks_for_itself(void **state)
{
	CLEANUP(judge_free)
	struct judge *j = NULL;
	struct judgement last = { 0 };
	double row[COLUMNS];

	(void)state;
	new_judge(1, &j);
	for (int64_t i = 0; i < 2000; i++) {
		machine(i, row);
		last = judge_step(j, i, row);
		if (i < 20)
			assert_int_equal(last.mark, JUDGE_LEARNING);
	}
	assert_int_equal(last.mark, JUDGE_SCORED);
	row[0] = 90;
	last = judge_step(j, 2000, row);
	assert_true(last.p < 1e-4 && last.onset > 4 && last.members[DETECTOR_SCALAR] < 1e-4);
	assert_non_null(strstr(last.reason, "flow 90 is unusual"));
}

/* As busy as on a Sunday at noon on a Monday: no news to whoever knows times of day alone. */
static void
the_day_of_the_week_matters(void **state)
{
	enum { DAY = 24, WEEK = 7 * DAY };
	const int64_t monday_us = INT64_C(1767571200000000), hour_us = INT64_C(3600000000);
	CLEANUP(judge_free)
	struct judge *j = NULL;
	struct judgement last = { 0 };

	(void)state;
	new_judge(1, &j);
	for (int64_t hour = 0; hour <= 6 * WEEK + 12; hour++) {
		bool busy = hour % WEEK < 5 * DAY && hour % DAY >= 8 && hour % DAY < 18 && hour < 6 * WEEK;
		double value = (busy ? 100 : 10) + random_normal(1, 5, (uint64_t)hour);

		last = judge_values(j, monday_us + hour * hour_us, &value);
		assert_true(hour < WEEK || hour >= 6 * WEEK || last.p > 1e-5);
	}
	assert_true(last.members[DETECTOR_SCALAR] > 1e-2 && last.members[DETECTOR_FORECAST] < 1e-3);
	assert_true(last.p < 1e-3);
	assert_non_null(strstr(last.reason, "below the expected"));
}

static void
the_column_to_blame_is_named(void **state)
{
	CLEANUP(judge_free)
	struct judge *j = NULL;
	double row[COLUMNS];

	(void)state;
	new_judge(COLUMNS, &j);
	for (int64_t i = 0; i < 3000; i++) {
		struct judgement v;

		machine(i, row);
		if (i == 2000)
			row[2] = 90;
		if (i == 2500)
			row[1] = -20;
		v = judge_step(j, i, row);
		if (i != 2000 && i != 2500)
			continue;
		assert_true(v.n_blame > 0 && v.blame[0].column == v.column && v.blame[0].high == (i == 2000));
		assert_true(v.p < 1e-4);
		assert_int_equal(v.column, i == 2000 ? 2 : 1);
		assert_non_null(strstr(v.reason, names[v.column]));
	}
}

/* Values that are usual each by itself, but not together. */
static void
the_row_as_such_is_judged(void **state)
{
	CLEANUP(judge_free)
	struct judge *j = NULL;
	struct judgement v = { .p = 1 };
	double row[COLUMNS], least = 1;

	(void)state;
	new_judge(COLUMNS, &j);
	for (int64_t i = 0; i < 3000; i++) {
		machine(i, row);
		judge_step(j, i, row);
	}
	for (int64_t i = 3000; i < 3010; i++) {
		machine(i, row);
		row[0] = 20 + 3 * 1.2;
		row[1] = 5 - 1.2;
		v = judge_step(j, i, row);
		if (v.group < least)
			least = v.group;
	}
	assert_true(least < 1e-2);
}

/* A row of which a part came says so, if there is nothing worse to say of it. */
static void
what_is_missing_is_told(void **state)
{
	CLEANUP(judge_free)
	struct judge *j = NULL;
	double row[COLUMNS];

	(void)state;
	new_judge(COLUMNS, &j);
	for (int64_t i = 0; i < 1000; i++) {
		machine(i, row);
		assert_true(judge_step(j, i, row).reason == NULL || i < 100);
	}
	machine(1000, row);
	row[1] = NAN;
	assert_string_equal(judge_step(j, 1000, row).reason, "no value: pressure");
	machine(1001, row);
	row[1] = row[2] = NAN;
	assert_string_equal(judge_step(j, 1001, row).reason, "no value: pressure, temperature");
	row[0] = 90;
	assert_non_null(strstr(judge_step(j, 1002, row).reason, "flow 90 is unusual"));
}

/* Deviations of what never deviated are no measure. */
static void
a_constant_column_has_no_deviations(void **state)
{
	struct judge_rule rule = usual_rule();
	CLEANUP(judge_free)
	struct judge *j = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(judge_new(&rule, names, 1, &j, &err), 0);
	for (int64_t i = 0; i < 500; i++)
		judge_step(j, i, (double[]){ 5 });
	assert_string_equal(judge_step(j, 500, (double[]){ 6 }).reason, "flow 6 is unusual: it had long been 5");
}

/* A column that begins late learns by itself: what the others have is scored, and told. */
static void
one_column_learns_and_the_others_are_judged(void **state)
{
	struct judge_rule rule = usual_rule();
	CLEANUP(judge_free)
	struct judge *j = NULL;
	struct judgement v;
	struct err err = ERR_INIT;
	double row[COLUMNS];

	(void)state;
	rule.grouped = false;
	assert_int_equal(judge_new(&rule, names, COLUMNS, &j, &err), 0);
	for (int64_t i = 0; i < 1010; i++) {
		machine(i, row);
		row[1] = i < 1000 ? NAN : row[1];
		v = judge_step(j, i, row);
		assert_true(i >= 20 || v.mark == JUDGE_LEARNING);
		assert_true(i < 100 || v.mark == JUDGE_SCORED);
		assert_true(i < 1000 || v.reason == NULL);
	}
	machine(1010, row);
	row[0] = 90;
	v = judge_step(j, 1010, row);
	assert_int_equal(v.mark, JUDGE_SCORED);
	assert_true(v.p < 1e-4 && v.column == 0);
	assert_non_null(strstr(v.reason, "flow 90 is unusual"));
	v = judge_step(j, 1011, (double[]){ NAN, row[1], NAN });
	assert_int_equal(v.mark, JUDGE_LEARNING);
	assert_string_equal(v.reason, "learning: too few values so far");
}

/* What the row as such is found to be is told, though each of its columns still learns. */
static void
the_row_is_told_while_all_columns_learn(void **state)
{
	struct judge_rule rule = usual_rule();
	CLEANUP(judge_free)
	struct judge *j = NULL;
	struct judgement v;
	struct err err = ERR_INIT;
	double row[COLUMNS];

	(void)state;
	rule.detector.warmup_values = 5000;
	assert_int_equal(judge_new(&rule, names, COLUMNS, &j, &err), 0);
	for (int64_t i = 0; i < 2000; i++) {
		machine(i, row);
		judge_step(j, i, row);
	}
	row[1] = -20;
	v = judge_step(j, 2000, row);
	assert_int_equal(v.mark, JUDGE_LEARNING);
	assert_true(v.p < 1e-3 && v.column == 1);
	assert_non_null(strstr(v.reason, "pressure -20"));
	machine(2001, row);
	assert_string_equal(judge_step(j, 2001, row).reason, "learning: too few values so far");
}

/* The row in which flow, 60 higher since row 2000, is told to be usual again; pressure has values from row BEGINS on.  -1: none. */
static int64_t
shift_row(int64_t begins)
{
	struct judge_rule rule = usual_rule();
	CLEANUP(judge_free)
	struct judge *j = NULL;
	struct err err = ERR_INIT;
	double row[COLUMNS];

	rule.grouped = false;
	rule.detector.episode.accept_values = 20;
	assert_int_equal(judge_new(&rule, names, COLUMNS, &j, &err), 0);
	for (int64_t i = 0; i < 3000; i++) {
		struct judgement v;

		machine(i, row);
		row[0] += i < 2000 ? 0 : 60;
		row[1] = i < begins ? NAN : row[1];
		v = judge_step(j, i, row);
		if (i >= 2000 && v.reason && strstr(v.reason, "flow: ") && strstr(v.reason, "from here on"))
			return i;
	}
	return -1;
}

static void
a_shift_is_told_while_another_column_learns(void **state)
{
	int64_t at = shift_row(0);

	(void)state;
	assert_true(at > 2000);
	assert_int_equal(shift_row(at - 5), at);
}

/* Thousands of columns that do not come are no reason of thousands of names. */
static void
a_few_of_many_missing_are_named(void **state)
{
	enum { MANY = 9 };
	static const char *const many[MANY] = { "a", "b", "c", "d", "e", "f", "g", "h", "i" };
	static const struct span nothing[MANY];
	struct judge_rule rule = usual_rule();
	CLEANUP(judge_free)
	struct judge *j = NULL;
	struct err err = ERR_INIT;
	double row[MANY];

	(void)state;
	rule.grouped = false;
	assert_int_equal(judge_new(&rule, many, MANY, &j, &err), 0);
	for (int64_t i = 0; i <= 1000; i++) {
		const struct sheet_row at = { .timed = true, .time_us = i * 60000000, .values = row, .texts = nothing };
		struct judgement v;

		for (size_t k = 0; k < MANY; k++)
			row[k] = i == 1000 && k > 0 ? NAN : random_normal(1, k, (uint64_t)i);
		assert_int_equal(judge_add(j, &at, &v, &err), 0);
		if (i == 1000)
			assert_string_equal(v.reason, "no value: b, c, d, e, f and 3 more");
	}
}

static void
what_is_not_in_order_is_marked(void **state)
{
	static const struct {
		int64_t minutes;
		enum judge_mark mark;
	} turns[] = { { 100, JUDGE_SCORED }, { 100, JUDGE_REPEATED }, { 50, JUDGE_LATE },   { 101, JUDGE_SCORED },
		      { 9000, JUDGE_AHEAD }, { 102, JUDGE_SCORED },   { 103, JUDGE_SCORED } };
	double row[COLUMNS];

	(void)state;
	for (size_t n = 1; n <= COLUMNS; n += COLUMNS - 1) {
		CLEANUP(judge_free)
		struct judge *j = NULL;
		struct judgement v;

		new_judge(n, &j);
		for (int64_t i = -1000; i < 100; i++) {
			machine(i, row);
			judge_step(j, i, row);
		}
		for (size_t i = 0; i < ARRAY_LEN(turns); i++) {
			machine((int64_t)i, row);
			v = judge_step(j, turns[i].minutes, row);
			assert_int_equal(v.mark, turns[i].mark);
			assert_true((v.mark == JUDGE_SCORED) == (v.reason == NULL));
			assert_true(v.mark != JUDGE_REPEATED || v.p == 1);
		}
		v = judge_step(j, 104, (double[]){ NAN, INFINITY, -INFINITY });
		assert_int_equal(v.mark, JUDGE_NO_VALUE);
		assert_true(v.p == 1 && v.onset == 0);
	}
}

static void
a_row_without_a_time_is_no_row(void **state)
{
	const double values[COLUMNS] = { 1e9, 1e9, 1e9 };
	const struct sheet_row row = { .values = values, .texts = texts };
	CLEANUP(judge_free)
	struct judge *j = NULL;
	struct judgement v;
	struct err err = ERR_INIT;

	(void)state;
	new_judge(COLUMNS, &j);
	assert_int_equal(judge_add(j, &row, &v, &err), 0);
	assert_int_equal(v.mark, JUDGE_NO_TIME);
	assert_true(v.p == 1 && v.onset == 0 && !v.reason);
}

/* Two that see the same past say the same, to the last bit, whatever comes later. */
static void
the_past_is_not_changed(void **state)
{
	CLEANUP(judge_free)
	struct judge *a = NULL;
	CLEANUP(judge_free)
	struct judge *b = NULL;
	double row[COLUMNS];

	(void)state;
	new_judge(COLUMNS, &a);
	new_judge(COLUMNS, &b);
	for (int64_t i = 0; i < 1500; i++) {
		struct judgement x, y;

		machine(i, row);
		x = judge_step(a, i, row);
		y = judge_step(b, i, row);
		assert_memory_equal(&x.p, &y.p, sizeof(x.p));
		assert_memory_equal(&x.onset, &y.onset, sizeof(x.onset));
		assert_memory_equal(&x.state, &y.state, sizeof(x.state));
		assert_int_equal(x.column, y.column);
	}
}

static void
too_many_columns_for_a_group(void **state)
{
	const char *many[FOREST_COLUMNS_MAX + 1];
	struct judge_rule rule = usual_rule();
	struct judge *j = NULL;
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i] = "x";
	assert_int_equal(judge_new(&rule, many, ARRAY_LEN(many), &j, &err), -1);
	assert_int_equal(err.reason, REASON_OPTION_INVALID);
	assert_non_null(strstr(err.text, "--value-columns"));
	rule.grouped = false;
	assert_int_equal(judge_new(&rule, many, ARRAY_LEN(many), &j, &err), 0);
	judge_free(j);
}

static void
scores_are_alike_everywhere(void **state)
{
	(void)state;
	assert_true(judge_score(0) == 0 && judge_score(6) == 0.5 && judge_score(300) < 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_column_speaks_for_itself),
		cmocka_unit_test(the_day_of_the_week_matters),
		cmocka_unit_test(the_column_to_blame_is_named),
		cmocka_unit_test(the_row_as_such_is_judged),
		cmocka_unit_test(what_is_missing_is_told),
		cmocka_unit_test(a_constant_column_has_no_deviations),
		cmocka_unit_test(one_column_learns_and_the_others_are_judged),
		cmocka_unit_test(the_row_is_told_while_all_columns_learn),
		cmocka_unit_test(a_shift_is_told_while_another_column_learns),
		cmocka_unit_test(a_few_of_many_missing_are_named),
		cmocka_unit_test(what_is_not_in_order_is_marked),
		cmocka_unit_test(a_row_without_a_time_is_no_row),
		cmocka_unit_test(the_past_is_not_changed),
		cmocka_unit_test(too_many_columns_for_a_group),
		cmocka_unit_test(scores_are_alike_everywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
