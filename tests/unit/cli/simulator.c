/* The simulator: the same messages for the same options, labels that tell the truth, and what is promised of each kind. */
#include "cli/simulator.h"

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/waveform.h"
#include "common/base/clock.h"

#define DAY_US (86400 * US_PER_SECOND)

static const struct simulator_options usual = {
	.seed = 7,
	.devices = 12,
	.steps = 400,
	.metrics = 2,
	.start_us = INT64_C(1709251200000000),
	.step_us = 60 * US_PER_SECOND,
	.day_us = DAY_US,
	.anomalies = 12,
	.duplicates = 0.05,
	.disorder = 0.1,
	.malformed = 0.05,
	.bad_values = 0.1,
	.gaps = 0.3,
	.templates = "",
};

static struct simulator *
make(const struct simulator_options *options)
{
	struct simulator *s = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(simulator_new(options, &s, &err), 0);
	return s;
}

static void
at(const struct simulator *s, int64_t i, struct buffer *scratch, struct simulated *m)
{
	struct err err = ERR_INIT;

	assert_int_equal(simulator_at(s, i, scratch, m, &err), 0);
}

/* ---- the same again ---- */

/* Forwards from one simulator, backwards from another. */
static void
repeats_itself(void **state)
{
	CLEANUP(simulator_free)
	struct simulator *a = make(&usual);
	CLEANUP(simulator_free)
	struct simulator *b = make(&usual);
	int64_t n = simulator_count(a);
	uint64_t *forwards = calloc((size_t)n, sizeof(*forwards));
	CLEANUP(buffer_clear)
	struct buffer scratch = BUFFER_INIT(0);
	struct simulated m;

	(void)state;
	assert_int_equal(simulator_count(b), n);
	for (int64_t i = 0; i < n; i++) {
		at(a, i, &scratch, &m);
		for (size_t k = 0; m.kind != SIMULATED_NOTHING && k < scratch.len; k++)
			forwards[i] = forwards[i] * 31 + (unsigned char)scratch.ptr[k];
	}
	for (int64_t i = n - 1; i >= 0; i--) {
		uint64_t again = 0;

		at(b, i, &scratch, &m);
		for (size_t k = 0; m.kind != SIMULATED_NOTHING && k < scratch.len; k++)
			again = again * 31 + (unsigned char)scratch.ptr[k];
		assert_int_equal(again, forwards[i]);
	}
	free(forwards);
}

/* The very bytes, so that a change of the generator is noticed: labels and tests elsewhere rest on it. */
static void
is_the_same_as_ever(void **state)
{
	static const struct {
		int64_t i;
		const char *key, *value;
	} golden[] = {
#include "tests/unit/cli/simulator.golden"
	};
	CLEANUP(simulator_free)
	struct simulator *s = make(&usual);
	CLEANUP(buffer_clear)
	struct buffer scratch = BUFFER_INIT(0);
	struct simulated m;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(golden); i++) {
		at(s, golden[i].i, &scratch, &m);
		assert_true(span_equal(m.key, span_of(golden[i].key)));
		if (!span_equal(m.value, span_of(golden[i].value)))
			fail_msg("message %lld is %.*s", (long long)golden[i].i, SPAN_ARG(m.value));
	}
}

static void
differs_by_seed(void **state)
{
	struct simulator_options other = usual;
	CLEANUP(simulator_free)
	struct simulator *a = make(&usual);
	CLEANUP(simulator_free)
	struct simulator *b = NULL;
	int same = 0;

	(void)state;
	other.seed++;
	b = make(&other);
	for (int64_t step = 0; step < 100; step++)
		same += simulator_value(a, 1, 0, step) == simulator_value(b, 1, 0, step);
	assert_int_equal(same, 0);
}

/* ---- labels ---- */

static const struct anomaly *
label_at(const struct simulator *s, int64_t device, int metric, int64_t step)
{
	size_t n;
	const struct anomaly *a = simulator_anomalies(s, &n);

	for (size_t i = 0; i < n; i++)
		if (a[i].device == device && a[i].metric == metric && a[i].from <= step && step <= a[i].to)
			return &a[i];
	return NULL;
}

/* With and without anomalies: different inside the labels, bit for bit the same outside. */
static void
labels_tell_the_truth(void **state)
{
	struct simulator_options calm = usual;
	CLEANUP(simulator_free)
	struct simulator *s = make(&usual);
	CLEANUP(simulator_free)
	struct simulator *without = NULL;

	(void)state;
	calm.anomalies = 0;
	without = make(&calm);
	for (int64_t d = 0; d < usual.devices; d++)
		for (int metric = 0; metric < usual.metrics; metric++)
			for (int64_t step = 0; step < usual.steps; step++) {
				const struct anomaly *a = label_at(s, d, metric, step);
				double is = simulator_value(s, d, metric, step);
				double were = simulator_value(without, d, metric, step);

				if (!a || (a->kind == ANOMALY_FLAT_LINE && step == a->from))
					assert_true(is == were);
				else
					assert_true(is != were);
			}
}

/* As many as wished, all kinds, after the first third, apart from each other, each large enough to be seen. */
static void
anomalies_are_as_promised(void **state)
{
	CLEANUP(simulator_free)
	struct simulator *s = make(&usual);
	int kinds[ANOMALY_KIND_COUNT] = { 0 };
	size_t n;
	const struct anomaly *a = simulator_anomalies(s, &n);

	(void)state;
	assert_int_equal(n, usual.anomalies);
	for (size_t i = 0; i < n; i++) {
		const struct waveform w = { simulator_metric(s, a[i].device, a[i].metric), usual.seed, 0, DAY_US };

		kinds[a[i].kind]++;
		assert_in_range(a[i].from, usual.steps / 3, usual.steps - 1);
		assert_in_range(a[i].to, a[i].from, usual.steps - 1);
		assert_true(i == 0 || a[i].device > a[i - 1].device || a[i].from > a[i - 1].to + 30);
		if (a[i].kind == ANOMALY_FLAT_LINE)
			assert_true(simulator_value(s, a[i].device, a[i].metric, a[i].from) ==
				    simulator_value(s, a[i].device, a[i].metric, a[i].to));
		else
			assert_true(fabs(a[i].size) * waveform_scale(&w) > 3 * w.metric->noise);
	}
	for (int k = 0; k < ANOMALY_KIND_COUNT; k++)
		assert_int_equal(kinds[k], usual.anomalies / ANOMALY_KIND_COUNT);
}

static void
reads_labels_back(void **state)
{
	char path[] = "/tmp/forebay-labels-XXXXXX";
	CLEANUP(anomaly_labels_free)
	struct anomaly_labels *l = NULL;
	struct err err = ERR_INIT;
	FILE *file = fdopen(mkstemp(path), "w");

	(void)state;
	assert_non_null(file);
	fputs(
	    "device,metric,from,to,kind\npump-0002,flow,2024-03-01T00:00:00.000000Z,2024-03-01T00:10:00.000000Z,spike\n",
	    file);
	fclose(file);
	assert_int_equal(anomaly_labels_read(path, &l, &err), 0);
	assert_int_equal(l->n, 1);
	assert_string_equal(l->items[0].device, "pump-0002");
	assert_string_equal(l->items[0].metric, "flow");
	assert_string_equal(l->items[0].kind, "spike");
	assert_int_equal(l->items[0].from_us, usual.start_us);
	assert_int_equal(l->items[0].to_us, usual.start_us + 600 * US_PER_SECOND);
	unlink(path);
}

static void
refuses_other_files(void **state)
{
	static const char *const texts[] = {
		"a,b,c\n",
		"pump,flow,2024-03-01,2024-03-01,spike\n",
		"device,metric,from,to,kind\npump,flow,yesterday,2024-03-01,spike\n",
		"device,metric,from,to,kind\npump,flow\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		char path[] = "/tmp/forebay-labels-XXXXXX";
		struct anomaly_labels *l = NULL;
		struct err err = ERR_INIT;
		FILE *file = fdopen(mkstemp(path), "w");

		assert_non_null(file);
		fputs(texts[i], file);
		fclose(file);
		assert_int_equal(anomaly_labels_read(path, &l, &err), -1);
		assert_int_equal(err.reason, REASON_FILE_INVALID);
		unlink(path);
	}
}

/* ---- messages ---- */

/* The value that a message gives for a metric, or NULL. */
static json_t *
value_in(json_t *root, const char *metric)
{
	size_t i;
	json_t *value = json_object_get(json_object_get(root, "metrics"), metric), *item;

	json_array_foreach(json_object_get(root, "values"), i,
			   item) if (strcmp(json_string_value(json_object_get(item, "metric")), metric) == 0) value =
	    json_object_get(item, "value");
	return value;
}

/* A regular message says what simulator_value() says, as exactly as it is written; all but the bad ones. */
static void
check_values(const struct simulator *s, const struct simulated *m)
{
	json_t *root = json_loadb(m->value.ptr, m->value.len, JSON_REJECT_DUPLICATES, NULL);
	int bad = 0;

	assert_non_null(root);
	assert_true(span_equal(span_of(json_string_value(json_object_get(root, "device"))), m->key));
	for (int k = 0; k < usual.metrics; k++) {
		const struct metric_template *t = simulator_metric(s, m->device, k);
		json_t *value = value_in(root, t->name);

		assert_non_null(value);
		if (json_is_number(value))
			assert_true(fabs(json_number_value(value) - simulator_value(s, m->device, k, m->step)) <=
				    0.51 * pow(10, -t->decimals));
		else
			bad++;
	}
	assert_int_equal(bad, m->bad_values);
	json_decref(root);
}

/* How often each step of each device came, and its bytes. */
struct seen {
	int regular, duplicates;
	uint64_t bytes;
	int64_t now;
};

static uint64_t
digest(struct span s)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < s.len; i++)
		sum = sum * 31 + (unsigned char)s.ptr[i];
	return sum;
}

static void
check_message(const struct simulator *s, const struct simulated *m, int64_t now, struct seen *seen)
{
	switch (m->kind) {
	case SIMULATED_REGULAR:
	case SIMULATED_HELD_UP:
		assert_int_equal(m->event_us, usual.start_us + m->step * usual.step_us);
		assert_in_range(now - m->step, m->kind == SIMULATED_HELD_UP, m->kind == SIMULATED_HELD_UP ? 3 : 0);
		seen->regular++;
		seen->bytes = digest(m->value);
		check_values(s, m);
		break;
	case SIMULATED_DUPLICATE:
		seen->duplicates++;
		assert_int_equal(seen->regular, 1); /* the first comes first */
		assert_int_equal(digest(m->value), seen->bytes);
		break;
	case SIMULATED_MALFORMED:
		assert_int_equal(err_reason_class(m->reason), ERR_RECORD);
		assert_int_equal(m->value.ptr == NULL, m->reason == REASON_EMPTY_VALUE);
		break;
	default: break;
	}
}

static void
sends_what_it_says(void **state)
{
	CLEANUP(simulator_free)
	struct simulator *s = make(&usual);
	struct seen *seen = calloc((size_t)(usual.devices * usual.steps), sizeof(*seen));
	CLEANUP(buffer_clear)
	struct buffer scratch = BUFFER_INIT(0);
	int64_t n = simulator_count(s), counts[SIMULATED_KIND_COUNT] = { 0 }, per_step = n / (usual.steps + 3), bad = 0;
	struct simulated m;

	(void)state;
	for (int64_t i = 0; i < n; i++) {
		at(s, i, &scratch, &m);
		counts[m.kind]++;
		bad += m.bad_values && m.kind != SIMULATED_DUPLICATE;
		if (m.kind != SIMULATED_NOTHING)
			check_message(s, &m, i / per_step, &seen[m.device * usual.steps + m.step]);
	}
	for (int64_t i = 0; i < usual.devices * usual.steps; i++) {
		assert_in_range(seen[i].regular, 0, 1);
		assert_in_range(seen[i].duplicates, 0, 1);
		/* Who is labelled is there to be seen. */
		if (label_at(s, i / usual.steps, 0, i % usual.steps) ||
		    label_at(s, i / usual.steps, 1, i % usual.steps))
			assert_int_equal(seen[i].regular, 1);
	}
	/* Shares are about what was asked for, of some 4,500 messages. */
	assert_in_range(counts[SIMULATED_REGULAR] + counts[SIMULATED_HELD_UP], 4200, 4790);
	assert_in_range(counts[SIMULATED_HELD_UP], 350, 560);
	assert_in_range(counts[SIMULATED_DUPLICATE], 150, 280);
	assert_in_range(counts[SIMULATED_MALFORMED], 170, 300);
	assert_in_range(bad, 330, 560);
	free(seen);
}

/* Without any fault every device sends every step, in order. */
static void
may_be_perfect(void **state)
{
	struct simulator_options perfect = usual;
	CLEANUP(simulator_free)
	struct simulator *s = NULL;
	CLEANUP(buffer_clear)
	struct buffer scratch = BUFFER_INIT(0);
	struct simulated m;
	int64_t sent = 0;

	(void)state;
	perfect.duplicates = perfect.disorder = perfect.malformed = perfect.bad_values = perfect.gaps = 0;
	s = make(&perfect);
	for (int64_t i = 0; i < simulator_count(s); i++) {
		at(s, i, &scratch, &m);
		if (m.kind == SIMULATED_NOTHING)
			continue;
		assert_int_equal(m.kind, SIMULATED_REGULAR);
		assert_int_equal(m.step, sent / perfect.devices);
		assert_int_equal(m.device, sent % perfect.devices);
		sent++;
	}
	assert_int_equal(sent, perfect.devices * perfect.steps);
}

static void
knows_its_templates(void **state)
{
	static const struct {
		const char *list, *first, *second;
	} lists[] = {
		{ "", "thermostat-0001", "pump-0002" },
		{ "meter", "meter-0001", "meter-0002" },
		{ "meter,pump", "pump-0001", "meter-0002" },
		{ "meter,fridge", NULL, NULL },
		{ "meter,", NULL, NULL },
	};
	char name[SIMULATOR_NAME_BYTES];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		struct simulator_options o = usual;
		CLEANUP(simulator_free)
		struct simulator *s = NULL;
		struct err err = ERR_INIT;

		o.templates = lists[i].list;
		assert_int_equal(simulator_new(&o, &s, &err), lists[i].first ? 0 : -1);
		assert_int_equal(err.reason, lists[i].first ? REASON_NONE : REASON_USAGE);
		if (!lists[i].first)
			continue;
		simulator_device(s, 0, name);
		assert_string_equal(name, lists[i].first);
		simulator_device(s, 1, name);
		assert_string_equal(name, lists[i].second);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(repeats_itself),
		cmocka_unit_test(is_the_same_as_ever),
		cmocka_unit_test(differs_by_seed),
		cmocka_unit_test(labels_tell_the_truth),
		cmocka_unit_test(anomalies_are_as_promised),
		cmocka_unit_test(reads_labels_back),
		cmocka_unit_test(refuses_other_files),
		cmocka_unit_test(sends_what_it_says),
		cmocka_unit_test(may_be_perfect),
		cmocka_unit_test(knows_its_templates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
