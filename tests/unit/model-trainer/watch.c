/* watch.c -- trials with planted outcomes, drift by event time, when to train. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "common/base/clock.h"
#include "workers/model-trainer/watch.h"

#define HOUR_US (3600 * US_PER_SECOND)
#define SINCE (1000 * HOUR_US)

static const struct watch_rule rule = { .canary_series = 10,
					.canary_outcomes = 200,
					.bound_max = 1.01,
					.canary_us = 24 * HOUR_US,
					.drift_us = HOUR_US,
					.drift_share = .3,
					.drift_series = 3,
					.retrain_least_us = HOUR_US,
					.bootstrap = { 500, .95, 5 } };

static void
tell(struct watch *w, const struct outcome *o)
{
	struct err err = ERR_INIT;

	assert_int_equal(watch_outcome(w, o, &err), 0);
}

static struct outcome
outcome(char name[32], size_t device, double ours, double theirs)
{
	snprintf(name, 32, "pump-%zu", device);
	return (struct outcome){ .device = span_of(name),
				 .metric = SPAN("pressure"),
				 .event_us = SINCE,
				 .ingest_us = 2 * SINCE,
				 .version = SPAN("canary"),
				 .model_loss = ours,
				 .rival = SPAN("live"),
				 .rival_loss = theirs };
}

static struct watch *
trial(void)
{
	struct watch *w;
	struct err err = ERR_INIT;

	assert_int_equal(watch_new(&rule, &w, &err), 0);
	assert_int_equal(watch_trial(w, SPAN("canary"), SPAN("live"), SINCE, &err), 0);
	return w;
}

static enum trial_verdict
verdict(struct watch *w, int64_t hours, const char *why)
{
	struct trial_report report;
	enum trial_verdict v;
	struct err err = ERR_INIT;

	assert_int_equal(watch_verdict(w, SINCE + hours * HOUR_US, &v, &report, &err), 0);
	if (!strstr(report.why, why))
		fail_msg("\"%s\" instead of \"%s\"", report.why, why);
	return v;
}

static const struct row {
	const char *name;
	size_t devices, outcomes; /* in turn: device 0, 1, ... */
	double ratio, noise;      /* canary's loss over live's; a deviation from device to device */
	int64_t hours;
	enum trial_verdict verdict;
	const char *why;
} rows[] = {
	{ "nothing yet", 10, 0, 1, 0, 1, TRIAL_GOES_ON, "not enough" },
	{ "nothing for ever", 10, 0, 1, 0, 24, TRIAL_REJECT, "no proof" },
	{ "better", 10, 200, .9, .1, 1, TRIAL_PROMOTE, "as good as live" },
	{ "equal", 10, 200, 1, 0, 1, TRIAL_PROMOTE, "as good as live" },
	{ "one outcome short", 10, 199, .9, .1, 1, TRIAL_GOES_ON, "not enough" },
	{ "one series short", 9, 400, .9, .1, 1, TRIAL_GOES_ON, "not enough" },
	{ "better, but too few when the time is over", 9, 400, .9, .1, 24, TRIAL_REJECT, "no proof" },
	{ "clearly worse at once", 5, 30, 1.5, .1, 1, TRIAL_REJECT, "clearly worse" },
	{ "clearly worse, too few to tell", 4, 30, 1.5, .1, 1, TRIAL_GOES_ON, "not enough" },
	{ "clearly worse, too early to tell", 5, 29, 1.5, .1, 1, TRIAL_GOES_ON, "not enough" },
	{ "a little worse, in the end", 10, 2000, 1.02, .005, 1, TRIAL_REJECT, "clearly worse" },
	{ "no difference to be seen", 10, 200, 1, .3, 1, TRIAL_GOES_ON, "not enough" },
};

static void
tries(void **state)
{
	const struct row *row = *state;
	struct watch *w = trial();
	char name[32];

	for (size_t i = 0; i < row->outcomes; i++) {
		double live = .1 + .02 * (double)(i % row->devices);
		double noise = 1 + row->noise * (i % row->devices % 2 ? 1 : -1);
		struct outcome o = outcome(name, i % row->devices, live * row->ratio * noise, live);

		tell(w, &o);
	}
	assert_int_equal(verdict(w, row->hours, row->why), row->verdict);
	watch_free(w);
}

/* Devices that the live version serves judge the canary as well. */
static void
both_ways(void **state)
{
	struct watch *w = trial();
	char name[32];

	(void)state;
	for (size_t i = 0; i < 400; i++) {
		struct outcome o = outcome(name, i % 20, .1, .2);

		if (i % 20 >= 10) {
			o.version = SPAN("live");
			o.rival = SPAN("canary");
			o.model_loss = .2;
			o.rival_loss = .1;
		}
		tell(w, &o);
	}
	assert_int_equal(verdict(w, 1, "0.5 of live's (0.5 to 0.5) over 400 outcomes of 20 series"), TRIAL_PROMOTE);
	watch_free(w);
}

static void
others_do_not_count(void **state)
{
	struct watch *w = trial();
	struct outcome o;
	char name[32];

	(void)state;
	for (size_t i = 0; i < 300; i++) {
		o = outcome(name, i % 20, .1, .2);
		o.version = SPAN("another");
		tell(w, &o);
		o = outcome(name, i % 20, .1, .2);
		o.rival = SPAN("another");
		tell(w, &o);
		o = outcome(name, i % 20, .1, NAN);
		tell(w, &o);
		o = outcome(name, i % 20, NAN, NAN); /* nobody can forecast it */
		tell(w, &o);
		o.version = SPAN_NONE;
		tell(w, &o);
	}
	assert_int_equal(verdict(w, 1, "over 0 outcomes of 0 series, 0 failures"), TRIAL_GOES_ON);
	watch_free(w);
}

static void
failing(void **state)
{
	struct watch *w = trial();
	struct outcome o;
	char name[32];

	(void)state;
	for (size_t i = 0; i < 100; i++) {
		o = outcome(name, i % 4, i % 25 ? .1 : NAN, .1);
		tell(w, &o);
	}
	assert_int_equal(verdict(w, 1, "4 failures"), TRIAL_GOES_ON);
	for (size_t i = 0; i < 2; i++) {
		o = outcome(name, i, NAN, .1);
		tell(w, &o);
	}
	assert_int_equal(verdict(w, 1, "failing"), TRIAL_REJECT);
	watch_free(w);
}

static void
another_trial_begins_anew(void **state)
{
	struct watch *w = trial();
	struct err err = ERR_INIT;
	struct outcome o;
	char name[32];

	(void)state;
	for (size_t i = 0; i < 300; i++) {
		o = outcome(name, i % 20, .1, .2);
		tell(w, &o);
	}
	assert_int_equal(watch_trial(w, SPAN("canary"), SPAN("live"), SINCE, &err), 0);
	assert_int_equal(verdict(w, 1, "300 outcomes"), TRIAL_PROMOTE);
	assert_int_equal(watch_trial(w, SPAN("canary"), SPAN("other"), SINCE, &err), 0);
	assert_int_equal(verdict(w, 1, " 0 outcomes"), TRIAL_GOES_ON);
	assert_int_equal(watch_trial(w, SPAN_NONE, SPAN("other"), 0, &err), 0);
	assert_int_equal(verdict(w, 99, "no canary"), TRIAL_NONE);
	watch_free(w);
}

/* The order of records among series decides nothing. */
static void
order_does_not_matter(void **state)
{
	struct trial_report report[2];
	struct err err = ERR_INIT;
	char name[32];

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct watch *w = trial();
		enum trial_verdict v;

		for (size_t i = 0; i < 20; i++) {
			struct outcome o = outcome(name, k ? 19 - i : i, .25, .5);

			tell(w, &o);
		}
		assert_int_equal(watch_verdict(w, SINCE, &v, &report[k], &err), 0);
		watch_free(w);
	}
	assert_string_equal(report[0].why, report[1].why);
}

static void
alarm_at(struct watch *w, size_t device, int64_t event_us, bool drift)
{
	char name[32];
	struct outcome o = outcome(name, device, .1, .1);

	o.event_us = event_us;
	o.drift = drift;
	tell(w, &o);
}

static void
drifts(void **state)
{
	struct watch *w = trial();
	struct drift_report r = watch_drift(w);

	(void)state;
	assert_false(r.alarm);
	assert_true(r.share == 0);
	for (size_t i = 0; i < 10; i++)
		alarm_at(w, i, SINCE, i < 2);
	r = watch_drift(w);
	assert_true(r.series == 10 && r.drifted == 2 && !r.alarm);
	alarm_at(w, 2, SINCE, true);
	alarm_at(w, 2, SINCE, true);
	r = watch_drift(w);
	assert_true(r.drifted == 3 && fabs(r.share - .3) < 1e-12 && r.alarm);
	alarm_at(w, 0, SINCE + HOUR_US / 2, false); /* it is still in the window */
	assert_true(watch_drift(w).alarm);
	for (size_t i = 0; i < 10; i++)
		alarm_at(w, i, SINCE + HOUR_US + 1, false); /* the alarms are not */
	r = watch_drift(w);
	assert_true(r.series == 10 && r.drifted == 0 && !r.alarm);
	watch_free(w);
}

static void
few_series_do_not_drift(void **state)
{
	struct watch *w = trial();

	(void)state;
	alarm_at(w, 0, SINCE, true);
	alarm_at(w, 1, SINCE, true);
	assert_true(watch_drift(w).share == 1 && !watch_drift(w).alarm);
	alarm_at(w, 2, SINCE, true);
	assert_true(watch_drift(w).alarm);
	watch_forget_drift(w);
	assert_true(watch_drift(w).series == 3 && watch_drift(w).drifted == 0);
	alarm_at(w, 0, SINCE + 5 * HOUR_US, true); /* alone within the window */
	assert_true(watch_drift(w).series == 1 && !watch_drift(w).alarm);
	watch_free(w);
}

/* It may be a day ahead: the alarms of all others still count, and so does its own. */
static void
a_clock_that_is_ahead(void **state)
{
	struct watch *w = trial();
	struct outcome o;
	char name[32];

	(void)state;
	for (size_t i = 0; i < 10; i++)
		alarm_at(w, i, SINCE, i < 4);
	o = outcome(name, 10, .1, .1);
	o.event_us = SINCE + 24 * HOUR_US;
	o.ingest_us = SINCE + HOUR_US / 2;
	o.drift = true;
	tell(w, &o);
	assert_true(watch_drift(w).series == 11 && watch_drift(w).drifted == 5 && watch_drift(w).alarm);
	watch_free(w);
}

/* As many as may be, all of one time: the next ones have to wait until those have been silent for long enough. */
static void
silent_series_make_room(void **state)
{
	struct watch *w;
	struct err err = ERR_INIT;
	struct outcome o;
	char name[32];

	(void)state;
	assert_int_equal(watch_new(&rule, &w, &err), 0);
	for (size_t i = 0; i < WATCH_SERIES_MAX; i++)
		alarm_at(w, i, SINCE, false);
	for (size_t i = 0; i < 3; i++)
		alarm_at(w, WATCH_SERIES_MAX + i, SINCE, true);
	assert_true(watch_drift(w).series == WATCH_SERIES_MAX && watch_drift(w).drifted == 0);
	assert_int_equal(watch_trial(w, SPAN("canary"), SPAN("live"), SINCE, &err), 0);
	o = outcome(name, 0, .1, .2);
	tell(w, &o);
	for (size_t i = 0; i < 3; i++)
		alarm_at(w, WATCH_SERIES_MAX + i, SINCE + 2 * HOUR_US, true);
	assert_true(watch_drift(w).series == 3 && watch_drift(w).alarm);
	assert_int_equal(verdict(w, 1, "over 4 outcomes of 4 series"),
			 TRIAL_GOES_ON); /* what the trial rests on stays */
	watch_free(w);
}

static const struct retrain_row {
	const char *name;
	struct retrain_facts facts;
	int64_t every_hours, now_hours;
	enum retrain wanted;
} retrain_rows[] = {
	/* under way, live, trial, drift, ended */
	{ "no model at all", { false, false, false, false, 0 }, 0, 1000, RETRAIN_FIRST },
	{ "under way", { true, true, false, false, 999 * HOUR_US }, 0, 1000, RETRAIN_RESUME },
	{ "all is well", { false, true, false, false, 1 }, 0, 1000, RETRAIN_NO },
	{ "drift", { false, true, false, true, 1 }, 0, 1000, RETRAIN_DRIFT },
	{ "drift right after a training", { false, true, false, true, 1000 * HOUR_US }, 0, 1000, RETRAIN_NO },
	{ "drift an hour later", { false, true, false, true, 999 * HOUR_US }, 0, 1000, RETRAIN_DRIFT },
	{ "drift while a canary is on trial", { false, true, true, true, 1 }, 0, 1000, RETRAIN_NO },
	{ "rejected, just now", { false, false, false, false, 1000 * HOUR_US - 1 }, 0, 1000, RETRAIN_NO },
	{ "rejected, long ago", { false, false, false, false, 1 }, 0, 1000, RETRAIN_FIRST },
	{ "old", { false, true, false, false, 976 * HOUR_US }, 24, 1000, RETRAIN_AGE },
	{ "not old enough", { false, true, false, false, 977 * HOUR_US }, 24, 1000, RETRAIN_NO },
};

static void
retrains(void **state)
{
	const struct retrain_row *row = *state;
	struct watch_rule r = rule;

	r.retrain_every_us = row->every_hours * HOUR_US;
	assert_string_equal(retrain_name(watch_retrain(&r, &row->facts, row->now_hours * HOUR_US)),
			    retrain_name(row->wanted));
}

int
main(void)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(both_ways),
		cmocka_unit_test(others_do_not_count),
		cmocka_unit_test(failing),
		cmocka_unit_test(another_trial_begins_anew),
		cmocka_unit_test(order_does_not_matter),
		cmocka_unit_test(drifts),
		cmocka_unit_test(few_series_do_not_drift),
		cmocka_unit_test(a_clock_that_is_ahead),
		cmocka_unit_test(silent_series_make_room),
	};
	struct CMUnitTest tests[ARRAY_LEN(rows) + ARRAY_LEN(retrain_rows) + ARRAY_LEN(others)];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[n++] = (struct CMUnitTest){ rows[i].name, tries, NULL, NULL, (void *)&rows[i] };
	for (size_t i = 0; i < ARRAY_LEN(retrain_rows); i++)
		tests[n++] =
		    (struct CMUnitTest){ retrain_rows[i].name, retrains, NULL, NULL, (void *)&retrain_rows[i] };
	memcpy(tests + n, others, sizeof(others));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
