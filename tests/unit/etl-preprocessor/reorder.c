/* reorder.c -- what comes out of the order buffer, and what is said of each reading. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/buffer.h"
#include "common/base/cleanup.h"
#include "workers/etl-preprocessor/reorder.h"

#define GO                               \
	{                                \
		10, 100, 3, REPEAT_FIRST \
	} /* lateness 10, jump 100, at most 3 held */
#define LAST                            \
	{                               \
		10, 100, 3, REPEAT_LAST \
	}
#define STRICT                          \
	{                               \
		0, 100, 1, REPEAT_FIRST \
	}

/*
 * Readings are "time=value" (value "-": missing); what is expected are releases ("time=value", "+n" repeats) and verdicts
 * (R repeated, G it was gone, L late, W the one before was wild) in the order of their happening.
 */
static const struct row {
	const char *name;
	struct reorder_rule rule;
	const char *readings, *expected;
} rows[] = {
	{ "in order", GO, "0=1 10=2 20=3 30=4", "0=1 10=2 20=3 " },
	{ "the first waits for the second", GO, "0=1", "" },
	{ "disorder within the lateness", GO, "0=1 8=2 4=3 14=4 24=5", "0=1 4=3 8=2 14=4 " },
	{ "exactly the lateness behind", GO, "0=1 20=2 10=3 30=4", "0=1 10=3 20=2 " },
	{ "late", GO, "0=1 20=2 30=3 19=4 41=5", "0=1 20=2 L 30=3 " },
	{ "behind the clock but before nothing released", GO, "0=1 50=2 30=3 60=4", "0=1 30=3 50=2 " },
	{ "no lateness", STRICT, "0=1 1=2 3=3 2=4 4=5", "0=1 1=2 3=3 L 4=5 " },
	{ "repeated, first counts", GO, "0=1 5=2 5=3 20=4", "R 0=1 5=2+1 " },
	{ "repeated, last counts", LAST, "0=1 5=2 5=3 20=4", "R 0=1 5=3+1 " },
	{ "repeated twice", LAST, "0=1 5=2 5=3 5=4 20=5", "R R 0=1 5=4+2 " },
	{ "a value beats a missing one", GO, "0=1 5=- 5=3 20=4", "R 0=1 5=3+1 " },
	{ "a missing one beats nothing", LAST, "0=1 5=3 5=- 20=4", "R 0=1 5=3+1 " },
	{ "repeated after release", GO, "0=1 20=2 30=3 20=4", "0=1 20=2 RG " },
	{ "more than it holds", GO, "0=1 1=2 2=3 3=4 4=5", "0=1 1=2 " },
	{ "more than it holds, then late", GO, "2=1 3=2 4=3 5=4 1=5", "2=1 L " },
	{ "a wild stamp", GO, "0=1 10=2 5000=3 20=4 30=5", "0=1 W10=2 20=4 " },
	{ "a true jump", GO, "0=1 10=2 5000=3 5010=4 5020=5", "0=1 10=2 5000=3 5010=4 " },
	{ "a jump confirmed from behind", GO, "0=1 10=2 5000=3 4990=4 5010=5", "0=1 10=2 4990=4 5000=3 " },
	{ "a jump from the jump", GO, "0=1 10=2 5000=3 9000=4 9010=5", "0=1 10=2 5000=3 9000=4 " },
	{ "slow: every reading is a jump", GO, "0=1 1000=2 2000=3 3000=4", "0=1 1000=2 " },
	{ "a wild first stamp", GO, "9999=1 10=2 20=3 30=4", "W10=2 20=3 " },
	{ "a wild first stamp at zero", GO, "0=1 -5000=2 -4990=3 -4980=4", "W-5000=2 -4990=3 " },
	{ "a first one that the next is just behind of", GO, "90=1 60=2 70=3 110=4", "60=2 70=3 90=1 " },
	{ "all backwards", GO, "90=1 60=2 30=3 0=4 100=5", "60=2 L L 90=1 " },
	{ "a first one exactly a jump ahead", GO, "100=1 0=2 10=3", "0=2 10=3 " },
	{ "a first one farther ahead than a jump", GO, "101=1 0=2 10=3", "W0=2 " },
	{ "a jump, then what was kept", GO, "0=1 10=2 5060=3 5000=4 5010=5 5050=6 5070=7",
	  "0=1 10=2 5000=4 5010=5 5050=6 5060=3 " },
	{ "a jump, then one far behind it", GO, "0=1 10=2 9000=3 5000=4 5010=5", "0=1 W10=2 5000=4 " },
	{ "a jump, then one exactly a jump ahead", GO, "0=1 10=2 115=3 110=4 120=5", "0=1 10=2 110=4 " },
	{ "a jump, then one on the old side", GO, "0=1 10=2 150=3 110=4 120=5", "0=1 W10=2 110=4 " },
	{ "what is newest before what was kept, no lateness", STRICT, "3=1 1=2 2=3 4=4", "W1=2 2=3 4=4 " },
	{ "a wild stamp sent twice", GO, "0=1 10=2 5000=3 5000=3 20=4 30=5", "0=1 R W10=2 20=4 " },
	{ "before 1970", GO, "-30=1 -20=2 -25=3 -10=4 0=5", "-30=1 -25=3 -20=2 -10=4 " },
};

static void
print_verdict(struct buffer *out, int what)
{
	buffer_printf(out, "%s%s%s%s", what & REORDER_WILD ? "W" : "", what & REORDER_REPEATED ? "R" : "",
		      what & REORDER_GONE ? "G" : "", what & REORDER_LATE ? "L" : "");
	if (what & ~REORDER_WILD)
		buffer_text(out, " ");
}

static void
orders(void **state)
{
	const struct row *row = *state;
	CLEANUP(buffer_clear)
	struct buffer out = BUFFER_INIT(1000);
	struct reorder r = { 0 };
	char readings[200], *rest = readings, *word;

	snprintf(readings, sizeof(readings), "%s", row->readings);
	while ((word = strsep(&rest, " "))) {
		struct sample s = { .ingest_us = 1, .value = NAN };
		long long time;
		int what;

		assert_true(sscanf(word, "%lld=%lf", &time, &s.value) >= 1);
		s.time_us = time;
		assert_int_equal(reorder_push(&row->rule, &r, &s, &what), 0);
		print_verdict(&out, what);
		while (reorder_pop(&row->rule, &r, &s)) {
			buffer_printf(&out, "%lld=%g", (long long)s.time_us, s.value);
			if (s.repeated)
				buffer_printf(&out, "+%lld", (long long)s.repeated);
			buffer_text(&out, " ");
		}
	}
	buffer_append(&out, "", 1);
	assert_string_equal(out.ptr, row->expected);
	reorder_clear(&r);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows)];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, orders, NULL, NULL, (void *)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
