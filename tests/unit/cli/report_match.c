/* tests/unit/cli/report_match.c -- alerts against labels.  Times are minutes; an alert is "device metric minute". */
#include "cli/report_match.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MINUTE_US INT64_C(60000000)
#define MOST 8

static const struct row {
	const char *name;
	const char *labels; /* "device metric from to kind;..." */
	const char *alerts; /* "device metric start;..." */
	int64_t found, false_alerts;
	const char *starts; /* of the first alert per label, "-" where it was missed */
} rows[] = {
	{ "nothing at all", "", "", 0, 0, "" },
	{ "an alert without labels is false", "", "a t 5;", 0, 1, "" },
	{ "a label without alerts is missed", "a t 5 9 spike;", "", 0, 0, "-" },
	{ "at its first reading", "a t 5 9 spike;", "a t 5;", 1, 0, "5" },
	{ "one before is false", "a t 5 9 spike;", "a t 4;", 0, 1, "-" },
	{ "at its last reading", "a t 5 9 spike;", "a t 9;", 1, 0, "9" },
	{ "within the tolerance", "a t 5 9 spike;", "a t 12;", 1, 0, "12" },
	{ "after it", "a t 5 9 spike;", "a t 13;", 0, 1, "-" },
	{ "another metric", "a t 5 9 spike;", "a u 5;", 0, 1, "-" },
	{ "another device", "a t 5 9 spike;", "b t 5;", 0, 1, "-" },
	{ "several alerts, the first counts, none is false", "a t 5 9 spike;", "a t 10;a t 6;a t 8;", 1, 0, "6" },
	{ "in the tolerance of one and the span of the next", "a t 5 9 spike;a t 11 20 drift;", "a t 12;", 1, 0,
	  "- 12" },
	{ "the same in another order", "a t 11 20 drift;a t 5 9 spike;", "a t 12;", 1, 0, "12 -" },
	{ "each its own", "a t 5 9 spike;a t 11 20 drift;b t 5 9 spike;", "b t 6;a t 7;a t 11;c t 7;", 3, 1, "7 11 6" },
};

static void
free_labels(struct anomaly_labels *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->items[i].device);
		free(l->items[i].metric);
	}
}

static void
parse_labels(const char *text, struct anomaly_labels *l)
{
	char device[8], metric[8];
	int from, to, taken;

	for (; *text; text += taken, l->n++) {
		struct anomaly_label *item = &l->items[l->n];

		assert_int_equal(
		    sscanf(text, "%7s %7s %d %d %31[a-z];%n", device, metric, &from, &to, item->kind, &taken), 5);
		item->device = strdup(device);
		item->metric = strdup(metric);
		item->from_us = from * MINUTE_US;
		item->to_us = to * MINUTE_US;
	}
}

static void
matches(void **state)
{
	const struct row *row = *state;
	struct anomaly_label items[MOST];
	struct anomaly_labels labels = { items, 0 };
	struct match_alert alerts[MOST];
	char names[MOST][2][8], starts[64] = "";
	int64_t found[MOST];
	struct match m;
	struct err err = ERR_INIT;
	size_t n = 0;
	int start, taken;

	parse_labels(row->labels, &labels);
	for (const char *text = row->alerts; *text; text += taken, n++) {
		assert_int_equal(sscanf(text, "%7s %7s %d;%n", names[n][0], names[n][1], &start, &taken), 3);
		alerts[n] = (struct match_alert){ names[n][0], names[n][1], start * MINUTE_US, 0 };
	}
	assert_int_equal(match_alerts(&labels, 3 * MINUTE_US, alerts, n, found, &m, &err), 0);
	for (size_t k = 0; k < labels.n; k++) {
		char one[24] = "-";

		if (found[k] >= 0)
			snprintf(one, sizeof(one), "%" PRId64, found[k] / MINUTE_US);
		snprintf(starts + strlen(starts), sizeof(starts) - strlen(starts), "%s%s", k ? " " : "", one);
	}
	assert_int_equal(m.injected, labels.n);
	assert_int_equal(m.alerts, n);
	assert_int_equal(m.found, row->found);
	assert_int_equal(m.false_alerts, row->false_alerts);
	assert_string_equal(starts, row->starts);
	free_labels(&labels);
}

/* Three spikes, found after 0, 2 and 9 minutes; a drift that is missed. */
static void
kinds_have_their_own_counts(void **state)
{
	struct anomaly_label items[MOST];
	struct anomaly_labels labels = { items, 0 };
	struct match_alert alerts[] = { { "a", "t", 10 * MINUTE_US, 0 },
					{ "b", "t", 12 * MINUTE_US, 0 },
					{ "c", "t", 19 * MINUTE_US, 0 } };
	int64_t found[MOST];
	struct match m;
	struct err err = ERR_INIT;

	(void)state;
	parse_labels("a t 10 20 spike;b t 10 20 spike;c t 10 20 spike;d t 10 20 drift;", &labels);
	assert_int_equal(match_alerts(&labels, 0, alerts, 3, found, &m, &err), 0);
	assert_int_equal(m.n_kinds, 2);
	assert_string_equal(m.kinds[0].name, "drift");
	assert_int_equal(m.kinds[0].injected, 1);
	assert_int_equal(m.kinds[0].found, 0);
	assert_int_equal(m.kinds[0].delay_us, -1);
	assert_string_equal(m.kinds[1].name, "spike");
	assert_int_equal(m.kinds[1].injected, 3);
	assert_int_equal(m.kinds[1].found, 3);
	assert_int_equal(m.kinds[1].delay_us, 2 * MINUTE_US);
	free_labels(&labels);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + 1];
	size_t n = 0;

	for (; n < ARRAY_LEN(rows); n++)
		tests[n] = (struct CMUnitTest){ .name = rows[n].name,
						.test_func = matches,
						.initial_state = (void *)(uintptr_t)&rows[n] };
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(kinds_have_their_own_counts);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
