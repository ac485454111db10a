/* engine_cases.c -- series, networks and requests of the engine's tests. */
#include "tests/unit/forecast/engine_cases.h"

static double values[SERIES][POINTS];
struct target targets[SERIES];

void
make_targets(void)
{
	for (size_t s = 0; s < SERIES; s++) {
		for (size_t i = 0; i < POINTS; i++) {
			double day = sin((double)(i + s) * 2 * M_PI / 24);

			values[s][i] = pow(3, (double)s - 8) * (5 + 3 * day + random_uniform(s, 1, i));
			if (random_uniform(s, 2, i) < 0.02)
				values[s][i] = NAN;
		}
		targets[s] = (struct target){ .start_us = INT64_C(1700000000000000), .values = values[s], .n = POINTS };
	}
	targets[3].n = 5;
	for (size_t i = 0; i < POINTS; i++)
		values[4][i] = NAN;
}

struct deepar *
network(const char *frequency, enum deepar_head head, int32_t layers, int32_t hidden, int32_t horizon)
{
	struct deepar_config c;
	struct frequency f;
	struct deepar *m = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(frequency_parse(frequency, &f, &err), 0);
	deepar_config_default(&f, horizon, &c);
	c.head = head;
	c.layers = layers;
	c.hidden = hidden;
	if (deepar_new(&c, &m, &err) < 0)
		fail_msg("%s", err.text);
	deepar_init(m, 42);
	return m;
}

struct engine *
engine_of(const struct deepar *m, const char *kernel, size_t paths)
{
	struct engine *e = NULL;
	struct err err = ERR_INIT;

	if (engine_new(m, kernel ? kernel_find(kernel) : NULL, paths, &e, &err) < 0)
		fail_msg("%s", err.text);
	return e;
}

void
make_requests(struct engine_request *requests, size_t n)
{
	for (size_t i = 0; i < n; i++)
		requests[i] = (struct engine_request){ .target = &targets[i % SERIES], .noise = 1000 + i };
}
