/* Words for what is unusual: golden texts. */
#include "common/detect/reason.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/cleanup.h"

#define NONE NAN, NAN, NAN

static const struct row {
	const char *name;
	double value, p[DETECTOR_MEMBERS], expected, lower, upper, mean, deviation;
	uint32_t run;
	const char *text;
	bool together;
	enum scalar_feature sign;
	double slot, slot_deviation, newest;
} rows[] = {
	{ "above the forecast",
	  13,
	  { 1, 1e-5, NAN, NAN },
	  10,
	  8,
	  12,
	  9,
	  1,
	  0,
	  "flow 13 is above the expected 10 (5–95 %: 8–12)",
	  false },
	{ "far below it",
	  -1,
	  { 1, 1e-9, NAN, NAN },
	  10,
	  8,
	  12,
	  9,
	  1,
	  0,
	  "flow -1 is far below the expected 10 (5–95 %: 8–12)",
	  false },
	{ "inside it",
	  11,
	  { 1e-5, 0.5, NAN, NAN },
	  10,
	  8,
	  12,
	  9,
	  1,
	  0,
	  "flow 11 behaves unusually, though it is near the expected 10 (5–95 %: 8–12)",
	  false },
	{ "still, inside it",
	  11,
	  { 1e-5, 0.5, NAN, NAN },
	  10,
	  8,
	  12,
	  9,
	  1,
	  40,
	  "flow stands still at 11 for 41 readings",
	  false },
	{ "still, without one",
	  11,
	  { 1e-5, NAN, NAN, NAN },
	  NONE,
	  9,
	  1,
	  10,
	  "flow stands still at 11 for 11 readings",
	  false },
	{ "far from the mean",
	  4,
	  { 1e-5, NAN, NAN, NAN },
	  NONE,
	  9,
	  1,
	  0,
	  "flow 4 is unusual: 5 deviations below its mean of 9",
	  false },
	{ "moved",
	  10,
	  { 1e-5, NAN, 0.5, NAN },
	  NONE,
	  9,
	  1,
	  0,
	  "flow 10 has moved unusually, though only 1 deviations above its mean of 9",
	  .sign = SCALAR_SHIFT },
	{ "unusual for the time of day",
	  10,
	  { 1e-5, NAN, 0.5, NAN },
	  NONE,
	  9,
	  1,
	  0,
	  "flow 10 is unusual for the time of day: 6 deviations above its mean of 4 then",
	  .sign = SCALAR_SLOT,
	  .slot = 4,
	  .slot_deviation = 1 },
	{ "for a time of day that never had another",
	  0,
	  { 1e-5, NAN, 0.5, NAN },
	  NONE,
	  0.5,
	  0.5,
	  0,
	  "flow 0 is unusual for the time of day: over 1000 deviations below its mean of 1 then",
	  .sign = SCALAR_SLOT,
	  .slot = 1 - 1e-12,
	  .slot_deviation = 1e-9 },
	{ "a step",
	  4083,
	  { 1e-5, NAN, 0.5, NAN },
	  NONE,
	  2682,
	  900,
	  0,
	  "flow 4083 is 40 below the value before: a larger step than usual",
	  .sign = SCALAR_STEP,
	  .newest = 4123 },
	{ "hardly moved so far",
	  1.2,
	  { 1e-5, NAN, 0.5, NAN },
	  NONE,
	  2.9e-19,
	  1.9e-18,
	  0,
	  "flow 1.2 is unusual: over 1000 deviations above its mean of 0" },
	{ "a meter that hardly moved so far",
	  1316,
	  { 1e-5, NAN, 0.5, NAN },
	  NONE,
	  1234.00005,
	  1.6e-4,
	  0,
	  "flow 1316 is unusual: over 1000 deviations above its mean of 1234" },
	{ "a sentinel",
	  -999,
	  { 1e-5, NAN, 0.5, NAN },
	  NONE,
	  19.909,
	  3.6,
	  0,
	  "flow -999 is unusual: 283 deviations below its mean of 19.909" },
	{ "at the mean",
	  0,
	  { 0.5, NAN, 1e-5, 0.1 },
	  NONE,
	  1e-19,
	  0.04,
	  0,
	  "flow 0 stands apart from the values and changes of the past, though it is at its mean of 0" },
	{ "the forest minds",
	  10,
	  { 0.5, NAN, 1e-5, 0.1 },
	  NONE,
	  9,
	  1,
	  0,
	  "flow 10 stands apart from the values and changes of the past, though only 1 deviations above its mean of 9",
	  false },
	{ "the neighbours mind",
	  10,
	  { NAN, NAN, NAN, 1e-5 },
	  NONE,
	  9,
	  1,
	  0,
	  "flow 10 ends a shape unlike any before, though only 1 deviations above its mean of 9",
	  false },
	{ "a meter's digits",
	  1234567.25,
	  { 1e-5, NAN, NAN, NAN },
	  NONE,
	  1234560,
	  .5,
	  0,
	  "flow 1234567.25 is unusual: 14 deviations above its mean of 1234560",
	  false },
	{ "a meter's digits beside its forecast",
	  1234567.25,
	  { 1, 1e-5, NAN, NAN },
	  1234560,
	  1234559,
	  1234561,
	  1234000,
	  300,
	  0,
	  "flow 1234567.2 is far above the expected 1234560 (5–95 %: 1234559–1234561)",
	  false },
	{ "nothing ever moved",
	  10,
	  { 1e-5, NAN, NAN, NAN },
	  NONE,
	  9,
	  0,
	  0,
	  "flow 10 is unusual: it had long been 9",
	  false },
	{ "together with those before it",
	  10.25,
	  { 1e-2, NAN, NAN, NAN },
	  NONE,
	  9,
	  .5,
	  0,
	  "flow 10.25 is not rare alone, but the last readings are together; its mean is 9",
	  true },
	{ "together, beside its forecast",
	  10,
	  { 1, 1e-2, NAN, NAN },
	  9,
	  8,
	  10.5,
	  12,
	  3,
	  0,
	  "flow 10 is not rare alone, but the last readings are together: expected 9 (5–95 %: 8–10.5)",
	  true },
	{ "together, standing still",
	  10,
	  { 1e-2, NAN, NAN, NAN },
	  NONE,
	  9,
	  .5,
	  30,
	  "flow stands still at 10 for 31 readings",
	  true },
};

static void
tells(void **state)
{
	const struct row *r = *state;
	const struct circumstances c = { .name = SPAN("flow"),
					 .value = r->value,
					 .p = r->p,
					 .together = r->together,
					 .expected = r->expected,
					 .lower = r->lower,
					 .upper = r->upper,
					 .usual = { .mean = r->mean,
						    .deviation = r->deviation,
						    .slot = r->slot,
						    .slot_deviation = r->slot_deviation,
						    .newest = r->newest },
					 .sign = r->sign,
					 .run = r->run };
	CLEANUP(arena_free)
	struct arena *arena = arena_new(1024, 0);

	assert_non_null(arena);
	assert_string_equal(reason_tell(&c, arena), r->text);
}

static const struct shift {
	double before, after;
	uint32_t run;
	const char *text;
} shifts[] = {
	{ 20, 25.5, 0, "flow: a level of 25.5 is taken as usual from here on, instead of 20" },
	{ 20, 20.00001, 0, "flow: what it does now, about 20 as before, is taken as usual from here on" },
	{ 20, 25, 9, "flow: a level of 25 is taken as usual from here on, instead of 20" },
	{ 20, 20, 50, "flow: standing still, at 20 now, is taken as usual from here on" },
	{ 20, 25, 10, "flow: standing still, at 25 now, is taken as usual from here on" },
};

static void
tells_shifts(void **state)
{
	CLEANUP(arena_free)
	struct arena *arena = arena_new(1024, 0);

	(void)state;
	assert_non_null(arena);
	for (size_t i = 0; i < ARRAY_LEN(shifts); i++) {
		const struct verdict v = { .shifted = true,
					   .level_before = shifts[i].before,
					   .level_after = shifts[i].after };

		assert_string_equal(reason_tell_shift(SPAN("flow"), &v, shifts[i].run, arena), shifts[i].text);
	}
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + 1] = { { .name = "another normal", .test_func = tells_shifts } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[i + 1] =
		    (struct CMUnitTest){ .name = rows[i].name, .test_func = tells, .initial_state = (void *)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
