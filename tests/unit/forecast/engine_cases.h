/* engine_cases.h -- for the tests of the engine: series of many kinds, networks, requests. */
#ifndef FOREBAY_TESTS_ENGINE_CASES_H
#define FOREBAY_TESTS_ENGINE_CASES_H

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
#include "common/forecast/engine_parts.h"
#include "common/forecast/head.h"

#define POINTS 900
#define SERIES 20

extern struct target targets[SERIES];

/* Series of different heights with a day in them, some gaps, one short, one empty of values. */
void make_targets(void);

/* With weights of its own; the caller gives it back. */
struct deepar *network(const char *frequency, enum deepar_head head, int32_t layers, int32_t hidden, int32_t horizon);

/* KERNEL NULL: the best. */
struct engine *engine_of(const struct deepar *m, const char *kernel, size_t paths);

/* Of the series in turn, each with noise of its own. */
void make_requests(struct engine_request *requests, size_t n);

#endif
