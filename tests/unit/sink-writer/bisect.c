/* bisect.c -- exactly the guilty ones are found, and in few tries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "common/base/cleanup.h"
#include "workers/sink-writer/bisect.h"

#define N_MAX 20000

struct crowd {
	const char *plan; /* one character each: '!' is guilty, '#' ends everything */
	char done[N_MAX + 1];
	int tries;
	size_t tried; /* all tries together */
};

static int
attempt(void *ctx, size_t first, size_t end, struct err *err)
{
	struct crowd *c = ctx;

	c->tries++;
	c->tried += end - first;
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
	{ "first", "!...............", 10 },
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
	enum { N = 1024 };
	char plan[N + 1];
	struct crowd c = { .plan = plan };
	const struct bisect b = { &c, attempt, guilty };

	(void)state;
	memset(plan, '.', N);
	plan[N] = '\0';
	plan[17] = plan[700] = plan[701] = '!';
	memset(c.done, '?', N);
	assert_int_equal(bisect_run(&b, 0, N, 1, NULL), 0);
	assert_string_equal(c.done, plan);
	assert_true(c.tries <= 2 * 3 * 10);
}

/* Of a whole batch RUN in every PERIOD are guilty, one after the other. */
static const struct share {
	const char *name;
	int run, period, most_tries;
} shares[] = {
	{ "1 in 1000", 1, 1000, 400 },
	{ "1 in 100", 1, 100, 2600 },
	{ "1 in 10", 1, 10, 12100 },
	{ "1 in 3", 1, 3, 28000 },
	{ "1 in 2", 1, 2, 25100 },
	{ "9 in 10", 9, 10, 22100 },
	{ "a half at one go", 10000, 20000, 10100 },
	{ "halves of thousands", 1000, 2000, 10400 },
	{ "all of them", 1, 1, 20020 },
};

static void
many_among_many(void **state)
{
	const struct share *row = *state;
	static char plan[N_MAX + 1];
	static struct crowd c;
	const struct bisect b = { &c, attempt, guilty };

	for (int i = 0; i < N_MAX; i++)
		plan[i] = i % row->period >= row->period - row->run ? '!' : '.';
	c = (struct crowd){ .plan = plan };
	memset(c.done, '?', N_MAX);
	assert_int_equal(bisect_run(&b, 0, N_MAX, 1, NULL), 0);
	assert_string_equal(c.done, plan);
	if (c.tries > row->most_tries || c.tried >= 4 * N_MAX)
		fail_msg("%d tries of %zu together", c.tries, c.tried);
}

/* Every crowd of up to 14: each is done once or guilty, and 1.5 tries for each are enough. */
static void
every_crowd(void **state)
{
	(void)state;
	for (unsigned n = 1; n <= 14; n++)
		for (unsigned bits = 0; bits < 1u << n; bits++) {
			char plan[15] = "";
			struct crowd c = { .plan = plan };
			const struct bisect b = { &c, attempt, guilty };

			for (unsigned i = 0; i < n; i++)
				plan[i] = bits >> i & 1 ? '!' : '.';
			memset(c.done, '?', n);
			assert_int_equal(bisect_run(&b, 0, n, bits != 0, NULL), 0);
			assert_string_equal(c.done, plan);
			assert_true(c.tries <= (int)(n + n / 2));
		}
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
	struct CMUnitTest tests[ARRAY_LEN(plans) + ARRAY_LEN(shares) + 3] = {
		cmocka_unit_test(few_among_many),
		cmocka_unit_test(every_crowd),
		cmocka_unit_test(stops_when_the_world_is_at_fault),
	};
	size_t n = 3;

	for (size_t i = 0; i < ARRAY_LEN(plans); i++)
		tests[n++] = (struct CMUnitTest){ plans[i].name, finds, NULL, NULL, (void *)(uintptr_t)&plans[i] };
	for (size_t i = 0; i < ARRAY_LEN(shares); i++)
		tests[n++] =
		    (struct CMUnitTest){ shares[i].name, many_among_many, NULL, NULL, (void *)(uintptr_t)&shares[i] };
	return cmocka_run_group_tests_name("bisect", tests, NULL, NULL);
}
