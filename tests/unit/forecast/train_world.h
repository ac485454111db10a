/* train_world.h -- what the tests of training share: series that repeat themselves every day, each at its own hour and of its own size. */
#ifndef FOREBAY_TESTS_TRAIN_WORLD_H
#define FOREBAY_TESTS_TRAIN_WORLD_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/random.h"
#include "common/forecast/train_parts.h"

#define SERIES 12
#define POINTS 400
#define HORIZON 12

struct world {
	double values[SERIES][POINTS];
	int32_t cats[SERIES];
	struct target targets[SERIES];
	struct deepar_config config;
	struct train_options options;
};

static void
world_new(struct world *w)
{
	struct frequency f;

	memset(w, 0, sizeof(*w));
	assert_int_equal(frequency_parse("h", &f, NULL), 0);
	deepar_config_default(&f, HORIZON, &w->config);
	w->config.hidden = 10;
	w->config.n_cats = 1;
	w->config.cardinality[0] = 3;
	train_options_default(&w->options);
	w->options.networks = 2;
	w->options.epochs = 4;
	w->options.batches = 3;
	w->options.batch = 8;
	w->options.validation_every = 2;
	w->options.validation_series = 5;
	w->options.rate = 0.01;
	for (size_t i = 0; i < SERIES; i++) {
		double size = pow(10, (double)(i % 4) - 1);

		for (size_t k = 0; k < POINTS; k++)
			w->values[i][k] = size * (2 + sin(((double)k + 5 * (double)i) * 6.2831853 / 24) +
						  0.3 * random_normal(1, i, k));
		w->cats[i] = (int32_t)(i % 3);
		w->targets[i] = (struct target){ .start_us = 1700000000000000 / 3600000000 * 3600000000,
						 .values = w->values[i],
						 .n = POINTS,
						 .cats = &w->cats[i],
						 .n_cats = 1 };
	}
}

static struct training *
start(const struct world *w)
{
	struct training *t = NULL;
	struct err err = ERR_INIT;

	if (training_new(&w->config, &w->options, w->targets, SERIES, NULL, &t, &err) < 0)
		fail_msg("%s", err.text);
	return t;
}

/* Returns the number of epochs. */
static int
run(struct training *t, struct train_progress *last)
{
	struct err err = ERR_INIT;
	int n = 0, rc;

	do {
		rc = training_epoch(t, last, &err);
		n++;
	} while (rc == 1);
	if (rc < 0)
		fail_msg("%s", err.text);
	return n;
}

static bool
same_weights(const struct deepar *a, const struct deepar *b)
{
	return a && b && memcmp(a->weights, b->weights, a->n_weights * sizeof(float)) == 0;
}

#endif
