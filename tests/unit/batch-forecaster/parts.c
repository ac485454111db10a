/* parts.c -- what a track is made of: versions as text, weights without slack, steps owed, and losses that grow. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/random.h"
#include "workers/batch-forecaster/adopted.h"
#include "workers/batch-forecaster/learnt.h"
#include "workers/batch-forecaster/owed.h"
#include "workers/batch-forecaster/watch.h"

static void
versions_are_a_text(void **state)
{
	static const struct {
		const char *name, *serving, *rival, *text; /* text NULL: no versions at all */
	} rows[] = {
		{ "net", "v1", "v2", "net\x1fv1\x1fv2" },
		{ "net", "v1", "", "net\x1fv1\x1f" },
		{ "net", "", "v2", "net\x1f\x1fv2" },
		{ "net", "", "", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct adopted_parts parts = { span_of(rows[i].name), span_of(rows[i].serving),
						     span_of(rows[i].rival) };
		struct adopted *a, *again;
		struct err err = ERR_INIT;

		assert_int_equal(adopted_new(&parts, &a, &err), 0);
		assert_int_equal(a != NULL, rows[i].text != NULL);
		assert_true(span_equal(adopted_text(a), span_of(rows[i].text ? rows[i].text : "\x1f\x1f")));
		assert_int_equal(adopted_read(adopted_text(a), &again, &err), 0);
		assert_true(span_equal(adopted_text(a), adopted_text(again)));
		assert_true(span_equal(adopted_parts(again).serving, span_of(rows[i].text ? rows[i].serving : "")));
		assert_true(span_equal(adopted_parts(again).rival, span_of(rows[i].text ? rows[i].rival : "")));
		adopted_release(adopted_share(a));
		adopted_release(a);
		adopted_release(again);
	}
}

static void
other_texts_are_refused(void **state)
{
	static const char *const texts[] = { "net", "net\x1fv1", "\x1fv1\x1fv2", "net\x1f\x1f", "net\x1fv1\x1fv2\x1f" };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct adopted *a;
		struct err err = ERR_INIT;

		assert_int_equal(adopted_read(span_of(texts[i]), &a, &err), -1);
		assert_int_equal(err.reason, REASON_STATE_CORRUPT);
		assert_null(a);
	}
}

static void
nothing_learnt_is_lost(void **state)
{
	const struct learnt_size size = { 3, 5, 4 }, other = { 3, 6, 4 };
	struct panelist p = { 0 }, back, zero = { 0 };
	struct learnt *l, *read;
	struct learnt_flat f;
	struct err err = ERR_INIT;

	for (uint64_t b = 0; b < 3; b++) {
		p.ensemble.seen[b] = (uint32_t)random_u64(1, 1, b) & 0xffff;
		for (uint64_t k = 0; k < 5; k++) {
			p.calibration.shift[b][k] = (float)random_normal(2, b, k);
			for (uint64_t m = 0; m < 4; m++) {
				p.ensemble.regret[b][k][m] = (float)random_normal(3, b, 8 * k + m);
				p.ensemble.variance[b][k][m] = (float)random_normal(4, b, 8 * k + m);
			}
		}
	}
	assert_int_equal(learnt_pack(size, &p, &l, &err), 0);
	learnt_unpack(l, size, &back);
	assert_memory_equal(&back, &p, sizeof(p));
	learnt_unpack(l, other, &back);
	assert_memory_equal(&back, &zero, sizeof(zero));
	learnt_unpack(NULL, size, &back);
	assert_memory_equal(&back, &zero, sizeof(zero));
	f = learnt_lay(l);
	assert_int_equal(f.n_numbers, 3 * 5 * (4 + 4 + 1));
	assert_int_equal(learnt_restore(&f, &read, &err), 0);
	learnt_unpack(read, size, &back);
	assert_memory_equal(&back, &p, sizeof(p));
	f.n_numbers--;
	assert_int_equal(learnt_restore(&f, &read, &err), -1);
	assert_int_equal(err.reason, REASON_STATE_CORRUPT);
	learnt_release(read);
	assert_int_equal(learnt_without_shifts(l, &read, &err), 0);
	learnt_unpack(read, size, &back);
	learnt_unpack(l, size, &p);
	assert_memory_equal(&back.ensemble, &p.ensemble, sizeof(p.ensemble));
	assert_true(p.calibration.shift[2][4] != 0 && back.calibration.shift[2][4] == 0);
	learnt_release(read);
	assert_int_equal(learnt_without_shifts(NULL, &read, &err), 0);
	assert_null(read);
	learnt_release(l);
}

/* Around a large base, where a plain float could not tell neighbours apart. */
static void
steps_keep_their_numbers(void **state)
{
	const double base = 1e12, combined[] = { base - 2, base + 1, base + 4 }, sent[] = { base - 3, base, base + 5 },
		     rival[] = { base - 7, base - 6, base };
	double members[3 * PANEL_MEMBERS] = { 0 };
	struct owed_row row = { 100,  300,     2,    1U << PANEL_DEEPAR | 1U << PANEL_SEASON, 1e12, 3, combined,
				sent, members, rival },
			back;
	struct owed_room room;
	struct owed *o, *read;
	struct owed_flat f;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < 3; i++) {
		members[PANEL_SEASON * 3 + i] = base + 100 + (double)i;
		members[PANEL_DEEPAR * 3 + i] = base - 100.5 + (double)i;
	}
	assert_int_equal(owed_new(&row, NULL, &o, &err), 0);
	f = owed_lay(o, 1);
	assert_int_equal(f.n_numbers, 3 * 5);
	assert_int_equal(owed_restore(&f, &read, &err), 0);
	back = owed_look(read, &room);
	assert_memory_equal(back.combined, combined, sizeof(combined));
	assert_memory_equal(back.sent, sent, sizeof(sent));
	assert_memory_equal(back.rival, rival, sizeof(rival));
	assert_memory_equal(back.members, members, sizeof(members));
	assert_int_equal(back.step, 2);
	assert_true(back.scale == 1e12);
	f.awake |= 1U << PANEL_LAST; /* whose numbers are not there */
	owed_release(read);
	assert_int_equal(owed_restore(&f, &read, &err), -1);
	assert_int_equal(err.reason, REASON_STATE_CORRUPT);
	owed_release(o);
	row.rival = (const double[]){ 1, NAN, 2 };
	assert_int_equal(owed_new(&row, NULL, &o, &err), 0);
	assert_null(o);
}

/* Usual losses around 1, of whatever size, never alarm; twice as large ones do, once, and are usual then. */
static void
grown_losses_alarm_once(void **state)
{
	const struct page_hinkley_rule rule = { 30, .5, 30, .9999 };
	const double sizes[] = { 1e-6, 1, 1e6 };

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct watch w = { 0 };
		int alarms = 0;

		for (uint64_t n = 0; n < 3000; n++)
			assert_false(watch_add(&w, &rule, n % 3, sizes[i] * fabs(random_normal(5, i, n))));
		for (uint64_t n = 3000; n < 6000; n++)
			alarms += watch_add(&w, &rule, n % 3, 3 * sizes[i] * fabs(random_normal(5, i, n)));
		assert_int_equal(alarms, 1);
	}
}

/* One reading that is off by millions hides nothing of what comes after it. */
static void
a_glitch_blinds_nobody(void **state)
{
	const struct page_hinkley_rule rule = { 30, .5, 30, .9999 };
	struct watch w = { 0 };
	int alarms = 0;

	for (uint64_t n = 0; n < 3000; n++)
		assert_false(watch_add(&w, &rule, 0, n == 1500 ? 1e6 : fabs(random_normal(5, 1, n))));
	for (uint64_t n = 3000; n < 3100; n++)
		alarms += watch_add(&w, &rule, 0, 3 * fabs(random_normal(5, 1, n)));
	assert_int_equal(alarms, 1);
}

static void
perfect_forecasts_do_not_alarm(void **state)
{
	const struct page_hinkley_rule rule = { 30, .5, 30, .9999 };
	struct watch w = { 0 };
	int alarms = 0;

	for (int n = 0; n < 1000; n++)
		assert_false(watch_add(&w, &rule, 0, 0));
	for (int n = 0; n < 100; n++)
		alarms += watch_add(&w, &rule, 0, 1);
	assert_int_equal(alarms, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions_are_a_text),
		cmocka_unit_test(other_texts_are_refused),
		cmocka_unit_test(nothing_learnt_is_lost),
		cmocka_unit_test(steps_keep_their_numbers),
		cmocka_unit_test(grown_losses_alarm_once),
		cmocka_unit_test(a_glitch_blinds_nobody),
		cmocka_unit_test(perfect_forecasts_do_not_alarm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
