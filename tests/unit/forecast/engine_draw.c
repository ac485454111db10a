/* engine_draw.c -- what paths are drawn from, by their moments, and the quantiles made of them. */
#include "tests/unit/forecast/engine_cases.h"

/* ---- distribution: a network of zeros draws the same parameters at every step ---- */

#define STEPS 4
#define PATHS 1000
#define REQUESTS 40

static void
moments_of(const float *samples, size_t step, double *mean, double *variance)
{
	double n = REQUESTS * PATHS;

	*mean = *variance = 0;
	for (size_t r = 0; r < REQUESTS; r++)
		for (size_t p = 0; p < PATHS; p++)
			*mean += (double)samples[(r * STEPS + step) * PATHS + p] / n;
	for (size_t r = 0; r < REQUESTS; r++)
		for (size_t p = 0; p < PATHS; p++)
			*variance += pow((double)samples[(r * STEPS + step) * PATHS + p] - *mean, 2) / n;
}

/* Of step A of a request and step B of one SHIFT requests on. */
static double
correlation(const float *samples, size_t a, size_t b, size_t shift)
{
	double mean_a, mean_b, var_a, var_b, sum = 0;

	moments_of(samples, a, &mean_a, &var_a);
	moments_of(samples, b, &mean_b, &var_b);
	for (size_t r = 0; r < REQUESTS; r++)
		for (size_t p = 0; p < PATHS; p++)
			sum += ((double)samples[(r * STEPS + a) * PATHS + p] - mean_a) *
			       ((double)samples[((r + shift) % REQUESTS * STEPS + b) * PATHS + p] - mean_b);
	return sum / (REQUESTS * PATHS) / sqrt(var_a * var_b);
}

static double
variance_of(enum deepar_head head, const double *p, double scale)
{
	double mean = head_mean(head, p, scale);

	switch (head) {
	case HEAD_STUDENT_T: return scale * scale * p[2] * p[2] * p[0] / (p[0] - 2);
	case HEAD_NORMAL: return scale * scale * p[1] * p[1];
	case HEAD_NEGATIVE_BINOMIAL: return mean + mean * mean / p[0];
	default: return mean * (1 - mean) / (p[0] + p[1] + 1);
	}
}

static void
check_moments(const struct deepar *m, const double *raw, const float *samples)
{
	double params[DEEPAR_PARAMS_MAX], scale = 0, n = REQUESTS * PATHS;
	struct deepar_window w;
	struct err err = ERR_INIT;

	assert_int_equal(deepar_window_new(m, &w, &err), 0);
	deepar_window_fill(m, &targets[8], targets[8].n, &w);
	scale = w.scale;
	deepar_window_clear(&w);
	head_map(m->config.head, raw, params);
	for (size_t k = 0; k < STEPS; k++) {
		double mean, variance, want = variance_of(m->config.head, params, scale);

		moments_of(samples, k, &mean, &variance);
		if (fabs(mean - head_mean(m->config.head, params, scale)) > 4 * sqrt(want / n))
			fail_msg("%s: step %zu has mean %g, must be %g", deepar_head_name(m->config.head), k, mean,
				 head_mean(m->config.head, params, scale));
		if (fabs(variance / want - 1) > 0.05)
			fail_msg("%s: step %zu has variance %g, must be %g", deepar_head_name(m->config.head), k,
				 variance, want);
		for (size_t j = 0; j < STEPS; j++)
			for (size_t shift = j == k; shift < 3; shift++)
				assert_true(fabs(correlation(samples, k, j, shift)) < 5 / sqrt(n));
	}
}

static void
draws_have_the_moments_of_their_head(void **state)
{
	static const struct {
		enum deepar_head head;
		double raw[DEEPAR_PARAMS_MAX];
	} rows[] = {
		{ HEAD_STUDENT_T, { 10, 1.5, -0.5 } },
		{ HEAD_NORMAL, { 0.5, -1 } },
		{ HEAD_NEGATIVE_BINOMIAL, { 2, 0.25 } },
		{ HEAD_BETA, { 1, 2 } },
	};
	CLEANUP(heap_free) float *samples = calloc(REQUESTS * STEPS * PATHS, sizeof(*samples));
	struct engine_request requests[REQUESTS];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(deepar_free) struct deepar *m = network("1h", rows[i].head, 1, 8, STEPS);
		struct engine *e;

		memset(m->weights, 0, m->n_weights * sizeof(*m->weights));
		for (size_t p = 0; p < m->n_params; p++) {
			char name[48];

			snprintf(name, sizeof(name), "param_proj.proj.%zu.bias", p);
			*deepar_numbers(m, name) = (float)rows[i].raw[p];
		}
		e = engine_of(m, NULL, PATHS);
		for (size_t r = 0; r < REQUESTS; r++)
			requests[r] = (struct engine_request){ &targets[8], r };
		engine_sample(e, requests, REQUESTS, STEPS, samples);
		check_moments(m, rows[i].raw, samples);
		for (size_t j = 0; j < REQUESTS * STEPS * PATHS && rows[i].head == HEAD_NEGATIVE_BINOMIAL; j++)
			assert_true(samples[j] >= 0 && samples[j] == floorf(samples[j]));
		engine_free(e);
	}
}

/* ---- quantiles ---- */

static int
ascending(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static void
quantiles_are_between_ranks_of_the_samples(void **state)
{
	enum { H = 5, N = 11, LEVELS = 6 };
	static const double levels[LEVELS] = { 0, 0.005, 0.1, 0.5, 0.9, 1 };
	/* Of 100, counted from 0: (100 + 1/3) level - 2/3, inside [0, 99]. */
	static const double ranks[LEVELS] = { 0, 0, 9.366666666666667, 49.5, 89.63333333333333, 99 };
	CLEANUP(deepar_free) struct deepar *m = network("1h", HEAD_NEGATIVE_BINOMIAL, 1, 8, H);
	CLEANUP(engine_free) struct engine *e = engine_of(m, NULL, 100);
	float samples[N * H * 100];
	double got[N * H * LEVELS];
	struct engine_request requests[N];

	make_requests(requests, N);
	engine_sample(e, requests, N, H, samples);
	engine_quantiles(e, requests, N, H, levels, LEVELS, got);
	for (size_t r = 0; r < N * H; r++) {
		qsort(samples + r * 100, 100, sizeof(*samples), ascending);
		for (size_t l = 0; l < LEVELS; l++) {
			const float *at = samples + r * 100 + (size_t)ranks[l];
			double part = ranks[l] - floor(ranks[l]), next = part > 0 ? (double)at[1] : 0;

			assert_true(fabs(got[r * LEVELS + l] - (double)at[0] * (1 - part) - next * part) < 1e-9);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(draws_have_the_moments_of_their_head),
		cmocka_unit_test(quantiles_are_between_ranks_of_the_samples),
	};

	make_targets();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
