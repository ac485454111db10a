/*
 * group.c -- rows judged together: what is said of what is usual, strange, missing and changed; the parts of the columns; false alarms;
 * what was read back goes on to the bit.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/arena.h"
#include "common/base/buffer.h"
#include "common/base/random.h"
#include "common/detect/group_image.h"
#include "common/detect/group_reason.h"

#define SECOND INT64_C(1000000)
#define COLUMNS 4

static const struct group_options options = {
	.forest = { .trees = 30, .sample = 128, .columns = COLUMNS, .shingle = 1, .decay = 1.0 / 1280, .seed = 1 },
	.warmup_rows = 60,
	.episode = { .pending = 1e-3,
		     .firing = 1e-4,
		     .critical = 1e-6,
		     .m = 2,
		     .n = 3,
		     .calm_ratio = 0.6,
		     .calm_values = 5,
		     .refractory_values = 50,
		     .refire = 1.5,
		     .state_span = 12,
		     .accept_values = 120 },
};

static struct group *
make(const struct group_options *o)
{
	struct group *g = NULL;
	struct err err = ERR_INIT;

	if (group_new(o, 7, &g, &err) < 0)
		fail_msg("%s", err.text);
	return g;
}

static struct group_verdict
add(struct group *g, const double row[COLUMNS], int64_t second)
{
	struct group_verdict v;
	struct err err = ERR_INIT;

	if (group_add(g, &options, row, second * SECOND, &v, &err) < 0)
		fail_msg("%s", err.text);
	return v;
}

/* Independent columns of different size. */
static void
usual(double row[COLUMNS], int64_t i)
{
	for (uint64_t k = 0; k < COLUMNS; k++)
		row[k] = 10 * (double)k + (1 + (double)k) * random_normal(1, k, (uint64_t)i);
}

static struct group_verdict
feed(struct group *g, int64_t from, int64_t to)
{
	struct group_verdict v = { 0 };
	double row[COLUMNS];

	for (int64_t i = from; i < to; i++) {
		usual(row, i);
		v = add(g, row, i);
	}
	return v;
}

/* Rows that are all drawn alike: how often is p below a level? */
static void
p_values_are_what_they_say(void **state)
{
	static const double levels[] = { 0.3, 0.1, 0.03, 0.01, 3e-3, 1e-3 };
	const int rows = 40000;
	struct group *g = make(&options);
	size_t below[ARRAY_LEN(levels)] = { 0 };
	double row[COLUMNS];

	feed(g, 0, 2000);
	for (int64_t i = 2000; i < 2000 + rows; i++) {
		struct group_verdict v;

		usual(row, i);
		v = add(g, row, i);
		assert_true(v.judged && !v.learning);
		for (size_t k = 0; k < ARRAY_LEN(levels); k++)
			below[k] += v.p_value < levels[k];
	}
	for (size_t k = 0; k < ARRAY_LEN(levels); k++) {
		double ratio = (double)below[k] / rows / levels[k];

		print_message("p < %g: %.2f times as often as it says\n", levels[k], ratio);
		assert_true(ratio < 1.6);
		assert_true(k > 3 || ratio > 0.4);
	}
	group_free(g);
}

/* One column far out, in either direction: it is blamed first, and what should have been there is named. */
static void
blames_the_right_column(void **state)
{
	const int turns = 200;
	struct group *g = make(&options);
	int right = 0, explained = 0;

	feed(g, 0, 2000);
	for (int turn = 0; turn < turns; turn++) {
		size_t column = (size_t)turn % COLUMNS;
		bool high = turn / COLUMNS % 2;
		double row[COLUMNS], middle = 10 * (double)column, unit = 1 + (double)column, sum = 0;
		struct group_blame blame[COLUMNS];
		struct group_verdict v;
		struct group *copy = NULL;
		struct err err = ERR_INIT;

		assert_int_equal(group_copy(g, &copy, &err), 0);
		usual(row, 2000 + turn);
		row[column] = middle + (high ? 8 : -8) * unit;
		v = add(copy, row, 2000);
		group_free(copy);
		if (!v.explained)
			continue;
		explained++;
		for (int k = 0; k < COLUMNS; k++)
			sum += v.shares[k].high + v.shares[k].low;
		assert_true(fabs(sum - v.score) < 1e-5);
		assert_true(group_blame(&v, COLUMNS, blame) >= 1);
		right += blame[0].column == column && blame[0].high == high;
		if (blame[0].column == column)
			assert_true(fabs(v.expected[column] - middle) < 4 * unit);
	}
	print_message("%d of %d explained, %d right\n", explained, turns, right);
	assert_true(explained > turns * 8 / 10 && right >= explained * 95 / 100);
	group_free(g);
}

static void
speaks(void **state)
{
	static const struct span names[] = { SPAN("flow"), SPAN("level"), SPAN("pressure"), SPAN("speed") };
	const double row[COLUMNS] = { 12.3, NAN, 9.1, 1 };
	struct group_verdict v = { .explained = true,
				   .score = 4,
				   .shares = { { 0, 2.4 }, { 0, 0.1 }, { 1.2, 0 }, { 0.2, 0.1 } },
				   .expected = { 15.2, NAN, NAN, NAN } };
	const struct group_circumstances c = { SPAN("pump"), names, COLUMNS, row, &v };
	struct group_blame blame[COLUMNS];
	struct arena *arena = arena_new(4096, 0);

	assert_string_equal(group_reason_tell(&c, arena),
			    "pump is unusual as a whole: flow 12.3 is low, expected 15.2 (60 %), "
			    "pressure 9.1 is high (30 %); missing: level");
	assert_int_equal(group_blame(&v, COLUMNS, blame), 4);
	assert_true(blame[1].column == 2 && blame[1].high && fabs(blame[1].share - 0.3) < 1e-12);
	/* What is told agrees with its numbers, whichever side the cuts were on. */
	v.expected[0] = 11.5;
	v.expected[2] = 9.100001;
	assert_string_equal(group_reason_tell(&c, arena),
			    "pump is unusual as a whole: flow 12.3 is high, expected 11.5 (60 %), "
			    "pressure 9.1 is high (30 %); missing: level");
	v.explained = false;
	assert_int_equal(group_blame(&v, COLUMNS, blame), 0);
	assert_string_equal(group_reason_tell(&c, arena), "pump is unusual as a whole; missing: level");
	arena_free(arena);
}

/* Rows with holes: half of the columns suffice; below that nothing is said, and the alert machine stands still. */
static void
missing_columns(void **state)
{
	struct group *g = make(&options), *copy = NULL;
	double row[COLUMNS];
	struct group_verdict v;
	struct err err = ERR_INIT;
	struct episode before;

	feed(g, 0, 1000);
	usual(row, 1000);
	row[0] = NAN;
	row[3] = INFINITY;
	v = add(g, row, 1000);
	assert_true(v.judged && v.p_value > 1e-3);
	before = *group_episode(g);
	row[1] = NAN;
	v = add(g, row, 1001);
	assert_true(!v.judged && v.p_value == 1 && v.onset == 0 && v.action == EPISODE_NOTHING);
	assert_memory_equal(&before, group_episode(g), sizeof(before));
	assert_int_equal(group_copy(g, &copy, &err), 0);
	for (int64_t i = 1002; i < 1100; i++) { /* a column that is gone for good */
		usual(row, i);
		row[2] = NAN;
		v = add(g, row, i);
		assert_true(v.judged && v.p_value > 1e-4);
	}
	v = feed(copy, 1002, 1100); /* and the copy has not seen it */
	assert_true(v.judged);
	group_free(copy);
	group_free(g);
}

/* Constant rows are not strange, and the first that is another one is. */
static void
constant_rows(void **state)
{
	struct group *g = make(&options);
	double row[COLUMNS] = { 1, 2, 3, 4 };
	struct group_verdict v;

	for (int64_t i = 0; i < 500; i++) {
		v = add(g, row, i);
		assert_true(v.p_value > 0.1 && isfinite(v.score));
	}
	row[2] = 30;
	v = add(g, row, 500);
	print_message("after constant rows: score %g, p %g\n", v.score, v.p_value);
	assert_true(v.p_value < 0.02);
	group_free(g);
}

/* A unit that changes by a factor of 1000 opens an alert; when it has lasted, it is the new normal, and the alert is over. */
static void
another_unit(void **state)
{
	struct group *g = make(&options);
	size_t opened = 0, closed = 0;
	double row[COLUMNS];

	feed(g, 0, 2000);
	for (int64_t i = 2000; i < 4000; i++) {
		struct group_verdict v;

		usual(row, i);
		row[1] *= 1000;
		v = add(g, row, i);
		assert_true(isfinite(v.score) && v.p_value > 0 && v.p_value <= 1);
		if (i == 2000)
			assert_true(v.p_value < 1e-3);
		opened += v.action == EPISODE_OPENED;
		closed += v.action == EPISODE_CLOSED;
		assert_true(opened <= 2 && closed <= opened);
	}
	assert_true(opened >= 1 && closed == opened);
	group_free(g);
}

/* Other columns, or another forest: all is learnt anew, but for the alert that is open. */
static void
renews(void **state)
{
	struct group_options other = options;
	struct group *g = make(&options);
	struct group_verdict v;
	double row[COLUMNS];
	struct err err = ERR_INIT;
	bool closed = false;

	feed(g, 0, 1000);
	for (int64_t i = 1000; i < 1003; i++) {
		usual(row, i);
		row[0] += 50;
		add(g, row, i);
	}
	assert_int_equal(group_episode(g)->status, EPISODE_FIRING);
	other.forest.columns = 2;
	assert_true(group_fits(g, &options) && !group_fits(g, &other));
	assert_int_equal(group_renew(g, &other, 7, &err), 0);
	assert_true(group_fits(g, &other) && group_episode(g)->status == EPISODE_FIRING);
	for (int64_t i = 1003; i < 1200; i++) {
		usual(row, i);
		assert_int_equal(group_add(g, &other, row, i * SECOND, &v, &err), 0);
		assert_true(i > 1003 + 60 || v.learning);
		closed |= v.action == EPISODE_CLOSED;
	}
	assert_true(closed && !v.learning);
	group_free(g);
	other.forest.columns = FOREST_COLUMNS_MAX + 1;
	assert_int_equal(group_new(&other, 7, &g, &err), -1);
	assert_int_equal(err.reason, REASON_OPTION_INVALID);
}

static const struct image_type image = { "group", 1, &group_image_table, NULL };

static void
write_image(const struct group *g, struct buffer *bytes)
{
	struct group_flat flat;
	struct err err = ERR_INIT;

	bytes->len = 0;
	assert_int_equal(group_lay(g, &flat, &err), 0);
	assert_int_equal(image_write(&image, &flat, bytes), 0);
	group_flat_clear(&flat);
	assert_int_equal(bytes->len, group_image_bytes(g) + 24); /* and the frame of an image */
}

static struct group *
read_image(const struct buffer *bytes)
{
	struct group_flat flat;
	struct group *g = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(image_read(&image, buffer_span(bytes), &flat, &err), 0);
	if (group_restore(&flat, &g, &err) < 0)
		fail_msg("%s", err.text);
	image_clear(&image, &flat);
	return g;
}

static void
goes_on_after_reading_back(void **state)
{
	static const int64_t stops[] = { 0, 3, 17, 100, 1500 };
	CLEANUP(buffer_clear) struct buffer bytes = BUFFER_INIT(0), other = BUFFER_INIT(0);

	for (size_t i = 0; i < ARRAY_LEN(stops); i++) {
		struct group *g = make(&options), *read;
		double row[COLUMNS];

		feed(g, 0, stops[i]);
		write_image(g, &bytes);
		read = read_image(&bytes);
		for (int64_t k = stops[i]; k < stops[i] + 300; k++) {
			struct group_verdict a, b;

			usual(row, k);
			row[k % COLUMNS] += k % 50 == 0 ? 40 : 0;
			a = add(g, row, k);
			b = add(read, row, k);
			assert_true(a.score == b.score && a.p_value == b.p_value && a.state == b.state &&
				    a.action == b.action && a.explained == b.explained);
			if (a.explained)
				assert_memory_equal(a.shares, b.shares, COLUMNS * sizeof(a.shares[0]));
		}
		write_image(g, &bytes);
		write_image(read, &other);
		assert_true(span_equal(buffer_span(&bytes), buffer_span(&other)));
		group_free(read);
		group_free(g);
	}
	print_message("%zu bytes\n", bytes.len);
}

static void
refuses_what_is_no_group(void **state)
{
	struct group *g = make(&options), *none = NULL;
	struct group_flat good;
	struct err err = ERR_INIT;

	feed(g, 0, 300);
	assert_int_equal(group_lay(g, &good, &err), 0);
	for (int i = 0; i < 5; i++) {
		struct group_flat bad = good;

		if (i == 0)
			bad.mean = NAN;
		else if (i == 1)
			bad.distance = -1;
		else if (i == 2)
			bad.tails.total++;
		else if (i == 3)
			bad.episode.status = 9;
		else
			bad.forest.columns = 0;
		err_clear(&err);
		assert_int_equal(group_restore(&bad, &none, &err), -1);
		assert_int_equal(err.reason, REASON_STATE_CORRUPT);
		assert_null(none);
	}
	group_flat_clear(&good);
	group_free(g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(p_values_are_what_they_say),
		cmocka_unit_test(blames_the_right_column),
		cmocka_unit_test(speaks),
		cmocka_unit_test(missing_columns),
		cmocka_unit_test(constant_rows),
		cmocka_unit_test(another_unit),
		cmocka_unit_test(renews),
		cmocka_unit_test(goes_on_after_reading_back),
		cmocka_unit_test(refuses_what_is_no_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
