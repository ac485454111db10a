/* Counting on many threads, and the text that Prometheus reads. */
#include "common/metrics/metrics.h"

#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const double bounds[] = { 1, 2.5, 10 };
static const struct metric_spec records = { "t_records_total", METRIC_COUNTER, "topic,partition", "records read" };
static const struct metric_spec depth = { "t_depth", METRIC_GAUGE, "", "a line\nand a \\ \"quote\"" };
static const struct metric_spec latency = { "t_seconds", METRIC_HISTOGRAM, "op", "time", bounds, 3 };
static const struct metric_spec plain = { "t_plain_seconds", METRIC_HISTOGRAM, "", "default bounds" };

static struct metrics *
fresh(void)
{
	struct metrics *m = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(metrics_new(&m, &err), 0);
	return m;
}

static void
exposes(struct metrics *m, const char *expected)
{
	CLEANUP(buffer_clear)
	struct buffer out = BUFFER_INIT(0);

	assert_int_equal(metrics_expose(m, &out), 0);
	buffer_append(&out, "", 1);
	assert_string_equal(out.ptr, expected);
}

static void
the_whole_page(void **state)
{
	CLEANUP(metrics_free)
	struct metrics *m = fresh();
	struct metric_series *h;

	exposes(m, "");
	metric_add(metrics_series(m, &records, (const char *[]){ "b", "10" }), 3);
	metric_set(metrics_series(m, &depth, NULL), -0.1);
	metric_add(metrics_series(m, &records, (const char *[]){ "a\"\\\n\xff", "0" }), 1e15);
	h = metrics_series(m, &latency, (const char *[]){ "commit" });
	metric_observe(h, 1); /* a bound belongs to its bucket */
	metric_observe(h, 1.5);
	metric_observe(h, 99);
	metric_observe(h, -1);
	exposes(m, "# HELP t_records_total records read\n# TYPE t_records_total counter\n"
		   "t_records_total{topic=\"b\",partition=\"10\"} 3\n"
		   "t_records_total{topic=\"a\\\"\\\\\\n\xef\xbf\xbd\",partition=\"0\"} 1000000000000000\n"
		   "# HELP t_depth a line\\nand a \\\\ \"quote\"\n# TYPE t_depth gauge\n"
		   "t_depth -0.1\n"
		   "# HELP t_seconds time\n# TYPE t_seconds histogram\n"
		   "t_seconds_bucket{op=\"commit\",le=\"1\"} 2\n"
		   "t_seconds_bucket{op=\"commit\",le=\"2.5\"} 3\n"
		   "t_seconds_bucket{op=\"commit\",le=\"10\"} 3\n"
		   "t_seconds_bucket{op=\"commit\",le=\"+Inf\"} 4\n"
		   "t_seconds_sum{op=\"commit\"} 100.5\n"
		   "t_seconds_count{op=\"commit\"} 4\n");
}

static const struct row {
	const char *name;
	double value;
	const char *text;
} rows[] = {
	{ "zero", 0, "t_depth 0\n" },
	{ "a large whole number", 9007199254740991.0, "t_depth 9007199254740991\n" },
	{ "all digits", 1234567.890123, "t_depth 1234567.890123\n" },
	{ "seventeen digits", 0.1 + 0.2, "t_depth 0.30000000000000004\n" },
	{ "infinite", INFINITY, "t_depth +Inf\n" },
	{ "minus infinite", -INFINITY, "t_depth -Inf\n" },
};

static void
numbers(void **state)
{
	const struct row *row = *state;
	CLEANUP(metrics_free)
	struct metrics *m = fresh();
	CLEANUP(buffer_clear)
	struct buffer out = BUFFER_INIT(0);
	struct metric_series *s = metrics_series(m, &depth, NULL);

	metric_set(s, row->value);
	assert_true(metric_value(s) == row->value);
	assert_int_equal(metrics_expose(m, &out), 0);
	buffer_append(&out, "", 1);
	assert_string_equal(strstr(out.ptr, "gauge\n") + 6, row->text);
}

static void
what_does_not_fit_is_ignored(void **state)
{
	CLEANUP(metrics_free)
	struct metrics *m = fresh();
	struct metric_series *c = metrics_series(m, &records, (const char *[]){ "t", "0" });
	struct metric_series *h = metrics_series(m, &latency, (const char *[]){ "x" });

	metric_add(c, 2);
	metric_add(c, -1);
	metric_add(c, NAN);
	metric_set(c, NAN);
	metric_observe(c, 1);
	assert_true(metric_value(c) == 2);
	metric_add(h, 5);
	metric_set(h, 5);
	metric_observe(h, NAN);
	assert_true(metric_value(h) == 0 && isnan(metric_quantile(h, 0.5)));
	metric_add(NULL, 1);
	metric_set(NULL, 1);
	metric_observe(NULL, 1);
	metric_remove(m, NULL);
	assert_true(metric_value(NULL) == 0 && isnan(metric_quantile(NULL, 0.5)));
	metrics_free(NULL);
}

/* The same labels are the same series; removed it is not exposed, asked for again it starts at zero. */
static void
comes_goes_and_comes_back(void **state)
{
	CLEANUP(metrics_free)
	struct metrics *m = fresh();
	struct metric_series *s = metrics_series(m, &records, (const char *[]){ "t", "0" });

	assert_ptr_equal(metrics_series(m, &records, (const char *[]){ "t", "0" }), s);
	assert_ptr_not_equal(metrics_series(m, &records, (const char *[]){ "t", "1" }), s);
	metric_add(s, 5);
	metric_remove(m, s);
	exposes(m, "# HELP t_records_total records read\n# TYPE t_records_total counter\n"
		   "t_records_total{topic=\"t\",partition=\"1\"} 0\n");
	metric_remove(m, metrics_series(m, &records, (const char *[]){ "t", "1" }));
	exposes(m, "");
	assert_ptr_equal(metrics_series(m, &records, (const char *[]){ "t", "0" }), s);
	exposes(m, "# HELP t_records_total records read\n# TYPE t_records_total counter\n"
		   "t_records_total{topic=\"t\",partition=\"0\"} 0\n");
}

static void
quantiles(void **state)
{
	CLEANUP(metrics_free)
	struct metrics *m = fresh();
	struct metric_series *h = metrics_series(m, &latency, (const char *[]){ "x" });
	struct metric_series *p = metrics_series(m, &plain, NULL);

	assert_true(isnan(metric_quantile(h, 0.5)));
	for (int i = 0; i < 10; i++)
		metric_observe(h, 2); /* 10 in (1, 2.5] */
	assert_true(metric_quantile(h, 0) == 1);
	assert_true(fabs(metric_quantile(h, 0.5) - 1.75) < 1e-12);
	assert_true(metric_quantile(h, 1) == 2.5);
	assert_true(metric_quantile(h, 7) == 2.5);
	for (int i = 0; i < 30; i++)
		metric_observe(h, 1000);
	assert_true(metric_quantile(h, 0.99) == 10); /* above the last bound nothing is known */
	metric_observe(p, 0.0004);
	assert_true(fabs(metric_quantile(p, 1) - 0.0005) < 1e-12);
	for (size_t i = 1; i < metric_seconds_n_bounds; i++)
		assert_true(metric_seconds_bounds[i] > metric_seconds_bounds[i - 1]);
}

enum { THREADS = 4, ROUNDS = 50000 };

struct shared {
	struct metrics *m;
	atomic_bool stop;
};

static void *
add_much(void *arg)
{
	struct shared *shared = arg;
	struct metric_series *c = metrics_series(shared->m, &records, (const char *[]){ "t", "0" });
	struct metric_series *h = metrics_series(shared->m, &latency, (const char *[]){ "x" });

	for (int i = 0; i < ROUNDS; i++) {
		metric_add(c, 1);
		metric_observe(h, i % 4);
		if (i % 1000 == 0) {
			char label[16];

			snprintf(label, sizeof(label), "%d", i);
			metric_add(metrics_series(shared->m, &records, (const char *[]){ "u", label }), 1);
		}
	}
	return NULL;
}

static void *
read_much(void *arg)
{
	struct shared *shared = arg;

	while (!atomic_load(&shared->stop)) {
		CLEANUP(buffer_clear)
		struct buffer out = BUFFER_INIT(0);

		metrics_expose(shared->m, &out);
		metric_remove(shared->m, metrics_series(shared->m, &records, (const char *[]){ "gone", "0" }));
	}
	return NULL;
}

/* Threads add, register, remove and read at once: nothing is lost. */
static void
totals_are_exact(void **state)
{
	CLEANUP(metrics_free)
	struct metrics *m = fresh();
	struct shared shared = { .m = m };
	pthread_t threads[THREADS], reader;
	struct metric_series *h;

	atomic_init(&shared.stop, false);
	assert_int_equal(pthread_create(&reader, NULL, read_much, &shared), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, add_much, &shared), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	atomic_store(&shared.stop, true);
	pthread_join(reader, NULL);
	assert_true(metric_value(metrics_series(m, &records, (const char *[]){ "t", "0" })) == THREADS * ROUNDS);
	assert_true(metric_value(metrics_series(m, &records, (const char *[]){ "u", "49000" })) == THREADS);
	h = metrics_series(m, &latency, (const char *[]){ "x" });
	assert_true(metric_value(h) == THREADS * ROUNDS / 4 * (0 + 1 + 2 + 3));
	assert_true(fabs(metric_quantile(h, 0.5) - 1) < 1e-12); /* half of 0, 1, 2, 3 is in the bucket up to 1 */
}

static void
too_many_series(void **state)
{
	CLEANUP(metrics_free)
	struct metrics *m = fresh();
	CLEANUP(buffer_clear)
	struct buffer out = BUFFER_INIT(0);
	char label[16];

	for (int i = 0; i < METRIC_MAX_SERIES + 3; i++) {
		struct metric_series *s;

		snprintf(label, sizeof(label), "%d", i);
		s = metrics_series(m, &records, (const char *[]){ "t", label });
		assert_int_equal(s != NULL, i < METRIC_MAX_SERIES);
		metric_add(s, 1);
	}
	assert_non_null(metrics_series(m, &records, (const char *[]){ "t", "0" }));
	metrics_expose(m, &out);
	buffer_append(&out, "", 1);
	assert_non_null(strstr(out.ptr, "\nforebay_metrics_refused_series_total 3\n"));
}

static void
a_full_buffer_stays_as_it_was(void **state)
{
	CLEANUP(metrics_free)
	struct metrics *m = fresh();
	CLEANUP(buffer_clear)
	struct buffer out = BUFFER_INIT(100);

	metric_set(metrics_series(m, &depth, NULL), 1);
	metric_add(metrics_series(m, &records, (const char *[]){ "a", "0" }), 1);
	buffer_text(&out, "before");
	assert_int_equal(metrics_expose(m, &out), -1);
	assert_int_equal(out.len, 6);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + 7] = {
		cmocka_unit_test(the_whole_page),
		cmocka_unit_test(what_does_not_fit_is_ignored),
		cmocka_unit_test(quantiles),
		cmocka_unit_test(comes_goes_and_comes_back),
		cmocka_unit_test(totals_are_exact),
		cmocka_unit_test(too_many_series),
		cmocka_unit_test(a_full_buffer_stays_as_it_was),
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[7 + i] = (struct CMUnitTest){ .name = rows[i].name,
						    .test_func = numbers,
						    .initial_state = (void *)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
