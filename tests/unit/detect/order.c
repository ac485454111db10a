/* Whose turn it is: streams of event times and what each value was. */
#include "common/detect/order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"

static const struct order_rule rule = { .jump_max_us = 100, .late_max = 3 };

/* Kinds: t taken, l late, a ahead, r repeated. */
static const struct row {
	const char *name;
	int64_t times[12];
	const char *kinds;
} rows[] = {
	{ "on and on", { 0, 1, 5, 105 }, "tttt" },
	{ "a first one before the epoch", { -7, -7, -6 }, "trt" },
	{ "repeated", { 10, 10, 10, 11 }, "trrt" },
	{ "late", { 10, 9, 9, 11 }, "tllt" },
	{ "late is forgiven by one in order", { 10, 9, 8, 11, 10, 10, 10 }, "tlltlll" },
	{ "the clock was wrong", { 10, 1, 2, 3, 4, 5, 4 }, "tlllttl" },
	{ "a jump that is confirmed", { 0, 101, 102, 103 }, "tatt" },
	{ "a jump that is not", { 0, 101, 5, 6 }, "tatt" },
	{ "a jump that is repeated", { 0, 101, 101, 102 }, "tart" },
	{ "a jump after a jump", { 0, 101, 300, 301 }, "taat" },
	{ "a jump back after a jump", { 0, 300, 200, 201 }, "taat" },
	{ "late while ahead", { 10, 300, 5, 301, 302 }, "talat" },
};

static void
turns(void **state)
{
	static const char letters[ORDER_KINDS] = {
		[ORDER_TAKEN] = 't', [ORDER_LATE] = 'l', [ORDER_AHEAD] = 'a', [ORDER_REPEATED] = 'r'
	};
	const struct row *row = *state;
	struct order o = { 0 };

	for (size_t i = 0; i < strlen(row->kinds); i++) {
		enum order_kind would = order_kind_of(&o, &rule, row->times[i]);

		assert_int_equal(letters[would], row->kinds[i]);
		assert_int_equal(order_add(&o, &rule, row->times[i]), would);
	}
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows)];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[i] =
		    (struct CMUnitTest){ .name = rows[i].name, .test_func = turns, .initial_state = (void *)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
