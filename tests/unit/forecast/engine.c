/*
 * engine.c -- paths of the kernels against the plain network in double (deepar_trace), and that a forecast does not depend on its
 * neighbours, good or bad.
 */
#include "tests/unit/forecast/engine_cases.h"
#include "tests/unit/forecast/vectors_file.h"

static const char *const kernels[] = { "portable", "avx2", "avx512" };

#define CLOSE 1e-5 /* |a - b| / (1 + |b|) */

static void
assert_close(const char *what, double got, double want)
{
	if (!(fabs(got - want) <= CLOSE * (1 + fabs(want))))
		fail_msg("%s: %.9g, must be %.9g", what, got, want);
}

/* ---- the numbers of the network ---- */

/* What the plain network says when the path of means is its future. */
static void
compare_with_trace(const struct deepar *m, const struct target *t, const float *path, size_t paths,
		   const double *params)
{
	size_t context = (size_t)m->config.context, horizon = (size_t)m->config.horizon, n = m->n_params;
	CLEANUP(heap_free) double *longer = malloc((t->n + horizon) * sizeof(*longer));
	CLEANUP(heap_free) double *want = calloc((context + horizon) * n, sizeof(*want));
	struct deepar_trace trace = { .params = want };
	struct target with = *t;
	struct deepar_window w;
	struct err err = ERR_INIT;

	assert_true(longer && want);
	memcpy(longer, t->values, t->n * sizeof(*longer));
	for (size_t k = 0; k < horizon; k++)
		longer[t->n + k] = (double)path[k * paths];
	with.values = longer;
	with.n += horizon;
	assert_int_equal(deepar_window_new(m, &w, &err), 0);
	deepar_window_fill(m, &with, t->n, &w);
	assert_int_equal(deepar_trace(m, &w, &trace, &err), 0);
	for (size_t i = 0; i < horizon * n; i++)
		assert_close("parameter", params[i], want[(context - 1) * n + i]);
	for (size_t k = 0; k < horizon; k++)
		assert_close("mean", (double)path[k * paths] / w.scale,
			     head_mean(m->config.head, want + (context - 1 + k) * n, w.scale) / w.scale);
	deepar_window_clear(&w);
}

static void
follows(const struct deepar *m, const char *kernel, size_t series, size_t paths)
{
	size_t horizon = (size_t)m->config.horizon, n = m->n_params;
	CLEANUP(heap_free) float *samples = calloc(series * horizon * paths, sizeof(*samples));
	CLEANUP(heap_free) double *params = calloc(series * horizon * n, sizeof(*params));
	CLEANUP(engine_free) struct engine *e = engine_of(m, kernel, paths);
	const struct engine_probe probe = { .mean = true, .params = params };
	struct engine_request requests[ENGINE_WIDE];

	make_requests(requests, series);
	engine_run(e, requests, series, horizon, &probe, samples);
	for (size_t s = 0; s < series; s++) {
		const float *of = samples + s * horizon * paths;

		compare_with_trace(m, &targets[s % SERIES], of, paths, params + s * horizon * n);
		for (size_t k = 0; k < horizon; k++)
			for (size_t p = 1; p < paths; p++)
				assert_true(of[k * paths + p] == of[k * paths]);
	}
}

static void
parameters_are_those_of_the_plain_network(void **state)
{
	static const struct {
		const char *frequency;
		enum deepar_head head;
		int32_t layers, hidden, horizon;
		size_t paths;
	} rows[] = {
		{ "1h", HEAD_STUDENT_T, 2, 40, 24, 100 },
		{ "1h", HEAD_NORMAL, 1, 7, 30, 5 },
		{ "15min", HEAD_STUDENT_T, 3, 16, 40, 33 },
		{ "1D", HEAD_NEGATIVE_BINOMIAL, 2, 19, 14, 16 },
		{ "1W", HEAD_BETA, 2, 8, 1, 3 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(deepar_free)
		struct deepar *m =
		    network(rows[i].frequency, rows[i].head, rows[i].layers, rows[i].hidden, rows[i].horizon);

		for (size_t k = 0; k < ARRAY_LEN(kernels); k++)
			for (size_t n = SERIES; n <= ENGINE_WIDE && kernel_find(kernels[k]); n += ENGINE_WIDE - SERIES)
				follows(m, kernels[k], n, rows[i].paths);
	}
}

static void
one_file(const char *folder, const char *name)
{
	struct vectors *v = vectors_load(folder, name);
	size_t horizon = (size_t)v->model->config.horizon, n = v->model->n_params, n_path, n_params;
	CLEANUP(engine_free) struct engine *e = engine_of(v->model, NULL, 3);
	CLEANUP(heap_free) float *samples = calloc(v->n * horizon * 3, sizeof(*samples));
	CLEANUP(heap_free) double *params = calloc(v->n * horizon * n, sizeof(*params));
	CLEANUP(heap_free) double *path = vectors_numbers(v, "expected/mean_decode_path", &n_path);
	CLEANUP(heap_free) double *want = vectors_numbers(v, "expected/mean_decode_params", &n_params);
	CLEANUP(heap_free) double *scale = vectors_numbers(v, "expected/scale", &(size_t){ 0 });
	const struct engine_probe probe = { .mean = true, .params = params };
	struct engine_request requests[VECTORS_SERIES_MAX];

	assert_true(samples && params && n_path == v->n * horizon && n_params == v->n * horizon * n);
	for (size_t s = 0; s < v->n; s++) {
		v->targets[s].n = v->split[s];
		requests[s] = (struct engine_request){ .target = &v->targets[s] };
	}
	engine_run(e, requests, v->n, horizon, &probe, samples);
	for (size_t i = 0; i < n_path; i++)
		assert_close(name, (double)samples[i * 3] / scale[i / horizon], path[i] / scale[i / horizon]);
	for (size_t i = 0; i < n_params; i++)
		assert_close(name, params[i], want[i]);
	vectors_free(v);
}

static void
mean_paths_are_those_of_the_reference(void **state)
{
	const char *folder = vectors_folder();

	if (!folder)
		skip();
	for (size_t i = 0; vectors_names[i]; i++)
		one_file(folder, vectors_names[i]);
}

/* ---- independence ---- */

#define MANY (ENGINE_READ + 6)

static void
alone_and_among_others(enum deepar_head head, size_t n, size_t paths)
{
	enum { H = 12 };
	CLEANUP(deepar_free) struct deepar *m = network("1h", head, 2, 12, H);
	CLEANUP(engine_free) struct engine *e = engine_of(m, NULL, paths);
	CLEANUP(heap_free) float *all = calloc(n * H * paths, sizeof(*all));
	CLEANUP(heap_free) float *some = calloc(n * H * paths, sizeof(*some));
	struct engine_request requests[MANY], turned[MANY];
	size_t size = H * paths;

	make_requests(requests, n);
	engine_sample(e, requests, n, H, all);
	for (size_t i = 0; i < n; i++)
		turned[i] = requests[n - 1 - i];
	engine_sample(e, turned, n, H, some);
	for (size_t i = 0; i < n; i++)
		assert_memory_equal(some + (n - 1 - i) * size, all + i * size, size * sizeof(*all));
	for (size_t i = 0; i < n; i++) {
		engine_sample(e, requests + i, 1, H, some);
		assert_memory_equal(some, all + i * size, size * sizeof(*all));
	}
	engine_sample(e, requests + 2, 5, H, some);
	assert_memory_equal(some, all + 2 * size, 5 * size * sizeof(*all));
	/* the beginning of a longer forecast */
	engine_sample(e, requests, n, 5, some);
	for (size_t i = 0; i < n; i++)
		assert_memory_equal(some + i * 5 * paths, all + i * size, 5 * paths * sizeof(*all));
}

/* More than are read together, and few enough to be read one by one. */
static void
neighbours_change_nothing(void **state)
{
	static const size_t paths[] = { 1, 7, 16, 37, 100, 250 }, n[] = { MANY, 40, ENGINE_WIDE, SERIES, SERIES, 7 };

	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		alone_and_among_others(HEAD_STUDENT_T, n[i], paths[i]);
	alone_and_among_others(HEAD_NORMAL, SERIES, 20);
	alone_and_among_others(HEAD_NEGATIVE_BINOMIAL, MANY, 5);
	alone_and_among_others(HEAD_BETA, SERIES, 20);
}

/* A path is the same whatever the number of paths. */
static void
more_paths_keep_the_first(void **state)
{
	CLEANUP(deepar_free) struct deepar *m = network("1h", HEAD_STUDENT_T, 2, 12, 6);
	CLEANUP(engine_free) struct engine *few = engine_of(m, NULL, 10);
	CLEANUP(engine_free) struct engine *many = engine_of(m, NULL, 300);
	float a[6 * 10], b[6 * 300];
	struct engine_request request;

	make_requests(&request, 1);
	engine_sample(few, &request, 1, 6, a);
	engine_sample(many, &request, 1, 6, b);
	for (size_t k = 0; k < 6; k++)
		assert_memory_equal(a + k * 10, b + k * 300, 10 * sizeof(*a));
}

static void
wide_vectors_give_the_same_bits(void **state)
{
	enum { H = 24, N = 50, PATHS = 50, SIZE = N * H * PATHS };
	CLEANUP(deepar_free) struct deepar *m = network("1h", HEAD_STUDENT_T, 2, 40, H);
	CLEANUP(heap_free) float *a = calloc(SIZE, sizeof(*a)), *b = calloc(SIZE, sizeof(*b));
	struct engine_request requests[N];

	if (!kernel_find("avx512"))
		skip();
	make_requests(requests, N);
	for (size_t n = ENGINE_WIDE - 1; n <= N; n += N - ENGINE_WIDE + 1) {
		for (int i = 0; i < 2; i++) {
			CLEANUP(engine_free) struct engine *e = engine_of(m, i == 0 ? "avx2" : "avx512", PATHS);

			engine_sample(e, requests, n, H, i == 0 ? a : b);
		}
		assert_memory_equal(a, b, n * H * PATHS * sizeof(*a));
	}
}

static void
noise_decides(void **state)
{
	enum { H = 6, PATHS = 50 };
	CLEANUP(deepar_free) struct deepar *m = network("1h", HEAD_STUDENT_T, 1, 8, H);
	CLEANUP(engine_free) struct engine *e = engine_of(m, NULL, PATHS);
	const struct engine_request requests[] = { { &targets[0], 1 }, { &targets[0], 2 }, { &targets[0], 1 } };
	float samples[3 * H * PATHS];
	size_t same = 0;

	engine_sample(e, requests, 3, H, samples);
	assert_memory_equal(samples, samples + 2 * H * PATHS, H * PATHS * sizeof(*samples));
	for (size_t i = 0; i < H * PATHS; i++)
		same += samples[i] == samples[H * PATHS + i];
	assert_true(same < 3);
}

/* ---- bad input ---- */

static void
numbers_out_of_range_spoil_only_their_own(void **state)
{
	enum { H = 6, PER = 20 };
	static const double huge[] = { 1e300, 2e300, 3e300 }, level = 0.5;
	const struct target bad = { .values = huge, .n = 3 };
	CLEANUP(deepar_free) struct deepar *m = network("1h", HEAD_STUDENT_T, 2, 8, H);
	CLEANUP(engine_free) struct engine *e = engine_of(m, NULL, PER);
	struct engine_request requests[3] = { { &targets[0], 5 }, { &bad, 6 }, { &targets[1], 7 } };
	float samples[3 * H * PER], alone[H * PER];
	double medians[3 * H];

	engine_sample(e, requests, 3, H, samples);
	engine_quantiles(e, requests, 3, H, &level, 1, medians);
	for (size_t i = 0; i < H * PER; i++)
		assert_true(isfinite(samples[i]) && isnan(samples[H * PER + i]) && isfinite(samples[2 * H * PER + i]));
	for (size_t i = 0; i < H; i++)
		assert_true(isfinite(medians[i]) && isnan(medians[H + i]) && isfinite(medians[2 * H + i]));
	engine_sample(e, requests + 2, 1, H, alone);
	assert_memory_equal(alone, samples + 2 * H * PER, sizeof(alone));
}

static void
wild_heads_give_no_infinity(void **state)
{
	enum { H = 30, PER = 1000 };
	CLEANUP(deepar_free) struct deepar *m = network("1h", HEAD_STUDENT_T, 1, 8, H);
	CLEANUP(heap_free) float *samples = calloc(H * PER, sizeof(*samples));
	struct engine_request request = { &targets[8], 9 };
	struct engine *e;

	memset(m->weights, 0, m->n_weights * sizeof(*m->weights));
	*deepar_numbers(m, "param_proj.proj.0.bias") = -1000; /* nu just above 2 */
	e = engine_of(m, NULL, PER);
	engine_sample(e, &request, 1, H, samples);
	for (size_t i = 0; i < H * PER; i++)
		assert_true(isfinite(samples[i]));
	engine_free(e);
}

static void
paths_have_limits(void **state)
{
	CLEANUP(deepar_free) struct deepar *m = network("1h", HEAD_STUDENT_T, 1, 8, 2);
	static const size_t bad[] = { 0, ENGINE_PATHS_MAX + 1 };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct engine *e = NULL;
		struct err err = ERR_INIT;

		assert_int_equal(engine_new(m, NULL, bad[i], &e, &err), -1);
		assert_int_equal(err.reason, REASON_OPTION_INVALID);
		assert_null(e);
	}
	engine_free(engine_of(m, NULL, ENGINE_PATHS_MAX));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parameters_are_those_of_the_plain_network),
		cmocka_unit_test(mean_paths_are_those_of_the_reference),
		cmocka_unit_test(neighbours_change_nothing),
		cmocka_unit_test(more_paths_keep_the_first),
		cmocka_unit_test(wide_vectors_give_the_same_bits),
		cmocka_unit_test(noise_decides),
		cmocka_unit_test(numbers_out_of_range_spoil_only_their_own),
		cmocka_unit_test(wild_heads_give_no_infinity),
		cmocka_unit_test(paths_have_limits),
	};

	make_targets();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
