/*
 * members.c -- the rules fitted to one series, on public data: the last day of 203 clients' electricity, each from its 976 hours
 * before.  The weekly seasonal naive with empirical residuals is the floor: a fitted rule that does not pass it by a tenth has lost something.
 *
 * wQL over the nine deciles, share inside .1 to .9: accuracy.h.
 * Data: $FOREBAY_TEST_DATA, by default ../shared/data beside the project; without it the test is skipped (exit code 77).
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/forecast/accuracy.h"
#include "common/forecast/classical.h"
#include "common/forecast/naive.h"

#define SKIPPED 77
#define LEVELS 9
#define CLIENTS 203
#define HOURS 1000
#define HORIZON 24

static const double levels[LEVELS] = { .1, .2, .3, .4, .5, .6, .7, .8, .9 };

static FILE *
unpack(void)
{
	const char *dir = getenv("FOREBAY_TEST_DATA");
	char path[1024], command[1200];

	snprintf(path, sizeof(path), "%s/electricity/electricity_203clients_1000h.csv.gz",
		 dir ? dir : "../shared/data");
	if (access(path, R_OK) != 0 || strchr(path, '\'')) {
		fprintf(stderr, "SKIPPED: %s is not there; set FOREBAY_TEST_DATA\n", path);
		return NULL;
	}
	snprintf(command, sizeof(command), "gzip -dc '%s'", path);
	return popen(command, "r");
}

/* A client a column, behind the time; 0 when all is there. */
static int
read_clients(FILE *in, double (*y)[HOURS])
{
	CLEANUP(heap_free)
	char *line = NULL;
	size_t cap = 0, row = 0, column = 0;

	for (; getline(&line, &cap, in) > 0 && row <= HOURS; row++) {
		char *at = line, *field = strsep(&at, ",");

		for (column = 0; row && column < CLIENTS && (field = strsep(&at, ",\n\r")); column++)
			y[column][row - 1] = strtod(field, NULL);
	}
	return row == HOURS + 1 && column == CLIENTS ? 0 : -1;
}

static int
told(const char *name, const struct accuracy *a, struct accuracy_figures *ret)
{
	*ret = accuracy_figures(a, levels, LEVELS);
	printf("%s: %llu clients, wQL %.4f MASE %.3f coverage %.3f\n", name, (unsigned long long)a->series, ret->wql,
	       ret->mase, ret->coverage80);
	return a->series >= CLIENTS - 3 ? 0 : -1;
}

static int
judge_floor(double (*y)[HOURS], struct accuracy_figures *ret)
{
	static const int64_t week = 168;
	const struct naive_rule rule = { &week, 1, 336, 8, true };
	struct accuracy a = { 0 };
	struct err err = ERR_INIT;
	size_t n = HOURS - HORIZON;

	for (size_t i = 0; i < CLIENTS; i++) {
		double values[HORIZON * LEVELS];
		enum naive_basis basis;

		if (naive_forecast(&rule, y[i], n, HORIZON, levels, LEVELS, values, &basis, &err) < 0)
			return -1;
		if (basis == NAIVE_SEASONAL)
			accuracy_add(&a, levels, LEVELS, y[i] + n, values, HORIZON,
				     accuracy_seasonal_error(y[i], n, 24));
	}
	return told("floor", &a, ret);
}

static int
judge(enum classical_kind kind, double (*y)[HOURS], struct accuracy_figures *ret)
{
	struct accuracy a = { 0 };
	struct err err = ERR_INIT;
	size_t n = HOURS - HORIZON;

	for (size_t i = 0; i < CLIENTS; i++) {
		const struct classical_input in = { .history = y[i],
						    .n = n,
						    .season = 24,
						    .long_season = 168,
						    .lags = (int32_t[]){ 1, 2, 3, 23, 24, 25, 48, 72, 167, 168, 169 },
						    .n_lags = 11,
						    .horizon = HORIZON,
						    .levels = levels,
						    .n_levels = LEVELS };
		double values[HORIZON * LEVELS];
		bool awake = false;

		if (classical_forecast(kind, &in, values, NULL, &awake, &err) < 0)
			return -1;
		if (awake)
			accuracy_add(&a, levels, LEVELS, y[i] + n, values, HORIZON,
				     accuracy_seasonal_error(y[i], n, 24));
	}
	return told(classical_name(kind), &a, ret);
}

int
main(void)
{
	CLEANUP(heap_free)
	double(*y)[HOURS] = calloc(CLIENTS, sizeof(*y));
	struct accuracy_figures floor, f;
	FILE *in = unpack();
	int wrong = 0;

	if (!in)
		return SKIPPED;
	if (!y || read_clients(in, y) < 0 || pclose(in) != 0 || judge_floor(y, &floor) < 0)
		return 1;
	for (size_t k = CLASSICAL_THETA; k < CLASSICAL_COUNT; k++) {
		int bad = judge((enum classical_kind)k, y, &f) < 0 || !(f.wql < .9 * floor.wql) ||
			  !(f.coverage80 > .7 && f.coverage80 < .9);

		printf("%s %s\n", bad ? "not ok" : "ok", classical_name((enum classical_kind)k));
		wrong += bad;
	}
	return wrong != 0;
}
