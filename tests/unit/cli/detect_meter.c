/* Which columns are a meter's, and what is said of them. */
#include "cli/detect_meter.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"

static const struct row {
	const char *name;
	int rises, still, falls;
	bool is;
} rows[] = {
	{ "nothing", 0, 0, 0, false },
	{ "too few to say", 99, 0, 0, false },
	{ "only grows", 100, 0, 0, true },
	{ "grows by day, stands still by night", 100, 1000, 0, true },
	{ "falls", 0, 0, 1000, false },
	{ "a new meter after long", 3000, 0, 3, true },
	{ "emptied every day", 5760, 0, 20, false },
};

static struct meter
meter_of(const struct row *r)
{
	struct meter m = { 0 };
	double value = 50;

	meter_add(&m, NAN);
	meter_add(&m, value);
	for (int i = 0; i < r->rises; i++)
		meter_add(&m, ++value);
	for (int i = 0; i < r->still; i++)
		meter_add(&m, value);
	for (int i = 0; i < r->falls; i++) {
		meter_add(&m, --value);
		meter_add(&m, NAN);
	}
	return m;
}

static void
is_known(void **state)
{
	const struct row *r = *state;
	const struct meter m = meter_of(r);

	assert_int_equal(m.rises, r->rises);
	assert_int_equal(m.falls, r->falls);
	assert_int_equal(meter_is(&m), r->is);
}

static void
is_told(void **state)
{
	const struct meter meters[] = { meter_of(&rows[2]), meter_of(&rows[4]), meter_of(&rows[5]) };
	const char *const names[] = { "energy", "level", "water" };
	CLEANUP(buffer_clear)
	struct buffer text = BUFFER_INIT(0);

	(void)state;
	assert_int_equal(meter_tell(&meters[1], &names[1], 1, &text), 0);
	assert_int_equal(text.len, 0);
	assert_int_equal(meter_tell(meters, names, 3, &text), 0);
	assert_int_equal(buffer_append(&text, "", 1), 0);
	assert_string_equal(
	    text.ptr,
	    "energy, water only grow, as a meter does: what it counts in a while is seen in the differences of its rows");
}

int
main(void)
{
	struct CMUnitTest tests[1 + ARRAY_LEN(rows)] = { cmocka_unit_test(is_told) };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[i + 1] = (struct CMUnitTest){ .name = rows[i].name,
						    .test_func = is_known,
						    .initial_state = (void *)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
