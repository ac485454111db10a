/* A plan is read strictly: what it does not say clearly is an error that names the line. */
#include "common/worker/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/worker/internal.h"

static char readings[] = "telemetry.readings", forecasts[] = "forecasts", live[] = "live", again[] = "again",
	    none[] = "";
static char *topics[] = { readings }, *sides[] = { forecasts };
static const struct worker_spec spec = { .name = "test" };

/* 0 or the reason. */
static enum err_reason
load(struct worker *w, const char *text, struct err *err)
{
	char path[] = "/tmp/forebay-plan-XXXXXX";
	int fd = mkstemp(path);
	enum err_reason reason;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	*w = (struct worker){ .spec = &spec,
			      .topics = topics,
			      .n_topics = 1,
			      .side_topics = sides,
			      .n_side = 1,
			      .opt = { .run_id = again, .run_plan = path, .run_source_group = none } };
	err_clear(err);
	reason = plan_load(w, err) < 0 ? err->reason : REASON_NONE;
	unlink(path);
	w->opt.run_plan = again;
	return reason;
}

static void
lines(void **state)
{
	struct err err = ERR_INIT;
	struct worker w;

	(void)state;
	assert_int_equal(load(&w,
			      "# what to repeat\n\n  telemetry.readings.0 = 5..9\ntelemetry.readings.12=0..0\n"
			      "forecasts.0\t= 1..2  \n",
			      &err),
			 REASON_NONE);
	assert_true(plan_bounded(&w));
	assert_true(plan_names_sides(&w));
	assert_int_equal(plan_find(&w, "telemetry.readings", 0)->start, 5);
	assert_int_equal(plan_find(&w, "telemetry.readings", 0)->end, 9);
	assert_int_equal(plan_find(&w, "telemetry.readings", 12)->end, 0);
	assert_null(plan_find(&w, "telemetry.readings", 1));
	plan_clear(&w.plan);
}

static void
refused(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{ "", "no partition" },
		{ "telemetry.readings.0 = 5\n", "line 1" },
		{ "\ntelemetry.readings.0 = 9..5\n", "line 2" },
		{ "telemetry.readings.0 = -1..5\n", "line 1" },
		{ "telemetry.readings = 1..5\n", "line 1" },
		{ "telemetry.readings.x = 1..5\n", "line 1" },
		{ "telemetry.readings.99999999999 = 1..5\n", "line 1" },
		{ "telemetry.readings.0 = 1..5 and more\n", "line 1" },
		{ "telemetry.readings.0 = 1..5\ntelemetry.readings.0 = 6..7\n", "second time" },
		{ "telemetry.raw.0 = 1..5\n", "does not read topic telemetry.raw" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = ERR_INIT;
		struct worker w;

		assert_int_equal(load(&w, rows[i].text, &err), REASON_FILE_INVALID);
		if (!strstr(err.text, rows[i].says))
			fail_msg("\"%s\" does not say \"%s\"", err.text, rows[i].says);
		plan_clear(&w.plan);
	}
}

static void
plan_and_name_go_together(void **state)
{
	struct worker w = { .spec = &spec, .opt = { .run_id = live, .run_plan = again } };
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(plan_load(&w, &err), -1);
	assert_int_equal(err.reason, REASON_OPTION_INVALID);
	w.opt = (struct worker_options){ .run_id = again, .run_plan = none };
	assert_int_equal(plan_load(&w, &err), -1);
	w.opt = (struct worker_options){ .run_id = live, .run_plan = none, .run_outputs = OUTPUTS_SHADOW };
	assert_int_equal(plan_load(&w, &err), -1);
	w.opt = (struct worker_options){ .run_id = live, .run_plan = none };
	assert_int_equal(plan_load(&w, &err), 0);
	assert_false(plan_bounded(&w));
	w.opt = (struct worker_options){ .run_id = again, .run_plan = (char[]){ "/nowhere/plan" } };
	assert_int_equal(plan_load(&w, &err), -1);
	assert_int_equal(err.reason, REASON_FILE_UNREADABLE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(refused),
		cmocka_unit_test(plan_and_name_go_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
