/* bisect.c -- exactly the guilty ones are found, and in few tries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "common/base/cleanup.h"
#include "workers/sink-writer/bisect.h"

#define N_MAX 1024

struct crowd {
	const char *plan; /* one character each: '!' is guilty, '#' ends everything */
	char done[N_MAX + 1];
	int tries;
};

static int
attempt(void *ctx, size_t first, size_t end, struct err *err)
{
	struct crowd *c = ctx;

	c->tries++;
	assert_true(first < end);
	if (memchr(c->plan + first, '#', end - first))
		return err_set(err, REASON_STORE_DOWN, "gone");
	if (memchr(c->plan + first, '!', end - first))
		return err_set(err, REASON_ROW_REFUSED, "in %zu..%zu", first, end);
	for (size_t i = first; i < end; i++) {
		assert_int_equal(c->done[i], '?');
		c->done[i] = '.';
	}
	return 0;
}

static int
guilty(void *ctx, size_t at, const struct err *why, struct err *err)
{
	struct crowd *c = ctx;

	(void)err;
	assert_int_equal(why->reason, REASON_ROW_REFUSED);
	assert_int_equal(c->done[at], '?');
	c->done[at] = '!';
	return 0;
}

static const struct plan {
	const char *name, *plan;
	int most_tries;
} plans[] = {
	{ "nobody there", "", 0 },
	{ "one innocent", ".", 1 },
	{ "one guilty", "!", 1 },
	{ "two guilty", "!!", 3 },
	{ "first", "!...............", 9 },
	{ "last", "...............!", 9 },
	{ "middle pair", ".......!!.......", 16 },
	{ "every second", ".!.!.!.!", 15 },
	{ "all", "!!!!!!!!", 15 },
	{ "seven", "..!.!!!", 13 },
};

static void
finds(void **state)
{
	const struct plan *p = *state;

	for (int known = 0; known < 2; known++) {
		struct crowd c = { .plan = p->plan };
		const struct bisect b = { &c, attempt, guilty };
		struct err err = ERR_INIT;
		size_t n = strlen(p->plan);

		if (known && !strchr(p->plan, '!'))
			continue;
		memset(c.done, '?', n);
		assert_int_equal(bisect_run(&b, 0, n, known, &err), 0);
		assert_string_equal(c.done, p->plan);
		assert_true(c.tries <= p->most_tries);
	}
}

static void
few_among_many(void **state)
{
	char plan[N_MAX + 1];
	struct crowd c = { .plan = plan };
	const struct bisect b = { &c, attempt, guilty };

	(void)state;
	memset(plan, '.', N_MAX);
	plan[N_MAX] = '\0';
	plan[17] = plan[700] = plan[701] = '!';
	memset(c.done, '?', N_MAX);
	assert_int_equal(bisect_run(&b, 0, N_MAX, 1, NULL), 0);
	assert_string_equal(c.done, plan);
	assert_true(c.tries <= 2 * 3 * 10);
}

static void
stops_when_the_world_is_at_fault(void **state)
{
	struct crowd c = { .plan = "..!..#.!" };
	const struct bisect b = { &c, attempt, guilty };
	struct err err = ERR_INIT;

	(void)state;
	memset(c.done, '?', 8);
	assert_int_equal(bisect_run(&b, 0, 8, 0, &err), -1);
	assert_int_equal(err.reason, REASON_STORE_DOWN);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(plans) + 2] = {
		cmocka_unit_test(few_among_many),
		cmocka_unit_test(stops_when_the_world_is_at_fault),
	};

	for (size_t i = 0; i < ARRAY_LEN(plans); i++)
		tests[i + 2] = (struct CMUnitTest){ plans[i].name, finds, NULL, NULL, (void *)(uintptr_t)&plans[i] };
	return cmocka_run_group_tests_name("bisect", tests, NULL, NULL);
}
