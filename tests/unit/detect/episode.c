/*
 * episode.c -- the alert machine as a list of stories.  A letter is a value: '.' p = 0.5, 'p' 5e-4 (pending), 'f' 5e-5
 * (firing), 'C' 1e-8 (critical), 'X' 1e-20.  The answer below it: '-' OK, 'p' pending, 'O' opened, 'F' firing, 'R' resolved.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/detect/episode.h"

static const struct episode_options options = {
	.pending = 1e-3,
	.firing = 1e-4,
	.critical = 1e-6,
	.m = 2,
	.n = 3,
	.calm_ratio = 0.6,
	.calm_values = 3,
	.refractory_values = 10,
	.refire = 1.5,
	.state_span = 2,
};

static const struct row {
	const char *name, *values, *answers;
} rows[] = {
	{ "nothing", "..........", "----------" },
	{ "one pending value, forgotten after n", "..p.....", "--ppp---" },
	{ "pending ones alone never fire", "pppppppp", "pppppppp" },
	{ "one firing value of three does not", ".f...f..", "-ppp-ppp" },
	{ "two of three do", ".ff.....", "-pOFFR--" },
	{ "two of three, one between", ".f.f....", "-ppOFFR-" },
	{ "two of four do not", ".f..f...", "-pppppp-" },
	{ "one critical value does", "..C......", "--OFFR---" },
	{ "trouble that stays is one episode", ".CCCCCCCC......", "-OFFFFFFFFFFR--" },
	{ "a dip does not end it", ".CC..CC......", "-OFFFFFFFFR--" },
	{ "quiet after it: the same again is not told", "C....C", "OFFR-p" },
	{ "quiet after it: twice as strong is", "C.....X", "OFFR--O" },
	{ "still quiet after nine", "C............C", "OFFR---------p" },
	{ "quiet is over after ten", "C.............C", "OFFR----------O" },
};

static double
p_of(char letter)
{
	switch (letter) {
	case 'p': return 5e-4;
	case 'f': return 5e-5;
	case 'C': return 1e-8;
	case 'X': return 1e-20;
	default: return 0.5;
	}
}

static char
answer_of(const struct episode *e, struct episode_step step)
{
	if (step.action == EPISODE_OPENED)
		return 'O';
	if (step.action == EPISODE_CLOSED)
		return 'R';
	return e->status == EPISODE_FIRING ? 'F' : e->status == EPISODE_PENDING ? 'p' : '-';
}

static void
tells_the_story(void **state)
{
	const struct row *row = *state;
	struct episode e = { 0 };
	char answers[64] = "";

	for (size_t i = 0; row->values[i]; i++)
		answers[i] = answer_of(
		    &e, episode_add(&e, &options, p_of(row->values[i]), p_of(row->values[i]), (int64_t)i * 1000));
	assert_string_equal(answers, row->answers);
}

static void
remembers_when_and_how_strong(void **state)
{
	static const char values[] = "..CXf";
	struct episode e = { 0 };

	for (size_t i = 0; values[i]; i++)
		episode_add(&e, &options, p_of(values[i]), p_of(values[i]), 100 + (int64_t)i);
	assert_int_equal(e.status, EPISODE_FIRING);
	assert_true(e.starts_us == 102 && e.smallest_p == 1e-20);
}

/* Onset: a spike, then silence for ten values, unless it is half as strong again (the less, the longer ago it was). */
static void
onset_is_a_spike(void **state)
{
	struct episode_options slow = options;
	struct episode e = { 0 }, before;
	double onset[16];

	slow.state_span = 10000; /* so that the state score adds nothing */
	for (int i = 0; i < 16; i++)
		onset[i] = episode_add(&e, &slow, i == 6 ? 1e-23 : 1e-8, i == 6 ? 1e-23 : 1e-8, i).onset;
	assert_true(fabs(onset[0] - 8) < 1e-9 && fabs(onset[6] - 23) < 1e-9);
	for (int i = 1; i < 16; i++)
		assert_true(i == 6 || onset[i] == 0);
	e = (struct episode){ 0 };
	for (int i = 0; i < 12; i++)
		onset[i] = episode_add(&e, &slow, 1e-8, 1e-8, i).onset;
	assert_true(onset[0] > 7 && onset[10] == 0 && onset[11] > 7);
	/* Late values are quiet with the others, and start nothing. */
	before = e;
	assert_true(episode_look(&e, &slow, 1e-8) == 0 && fabs(episode_look(&e, &slow, 1e-30) - 30) < 1e-9);
	assert_memory_equal(&e, &before, sizeof(e));
	assert_true(fabs(episode_look(&(struct episode){ 0 }, &slow, 1e-8) - 8) < 1e-9);
}

/* Unremarkable values pass as they are: they start no silence. */
static void
onset_is_plain_when_calm(void **state)
{
	struct episode e = { 0 };

	for (int i = 0; i < 50; i++)
		assert_true(fabs(episode_add(&e, &options, 0.37, 0.37, i).onset - 0.4318) < 0.01);
	assert_true(fabs((double)e.state - 0.4318) < 0.01);
	assert_true(episode_onset(1) == 0 && episode_onset(1e-300) > 299);
}

/* What is strange only together opens an alert, and holds it; the state score is of the values alone. */
static void
opens_on_what_lasts(void **state)
{
	struct episode e = { 0 };
	int i = 0;

	for (; i < 50; i++)
		assert_int_equal(episode_add(&e, &options, 0.37, 0.37, i).action, EPISODE_NOTHING);
	assert_int_equal(episode_add(&e, &options, 0.05, 1e-20, i++).action, EPISODE_OPENED);
	assert_true(e.smallest_p == 1e-20 && (double)e.state < 1);
	for (; i < 90; i++)
		assert_int_equal(episode_add(&e, &options, 0.05, 1e-9, i).action, EPISODE_NOTHING);
	for (int calm = 1; calm <= options.calm_values; calm++)
		assert_int_equal(episode_add(&e, &options, 0.37, 0.37, i++).action,
				 calm == options.calm_values ? EPISODE_CLOSED : EPISODE_NOTHING);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + 4];
	size_t n = 0;

	for (; n < ARRAY_LEN(rows); n++)
		tests[n] = (struct CMUnitTest){ .name = rows[n].name,
						.test_func = tells_the_story,
						.initial_state = (void *)(uintptr_t)&rows[n] };
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(remembers_when_and_how_strong);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(onset_is_a_spike);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(onset_is_plain_when_calm);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(opens_on_what_lasts);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
