/*
 * backtest.h -- how good would the forecasts have been?  Rolling origins over the end of many series: at each origin the panel sees
 * what was known then and nothing later, weights and shifts included; what turned out is learnt before the next origin: by each
 * series for itself, and of the widths of intervals by up to BACKTEST_TOGETHER series that follow each other in the input, as far
 * as it was known before the earliest of their origins by the calendar.
 */
#ifndef FOREBAY_FORECAST_BACKTEST_H
#define FOREBAY_FORECAST_BACKTEST_H

#include "common/forecast/accuracy.h"
#include "common/forecast/panel.h"

#define BACKTEST_TOGETHER 64

struct backtest_rule {
	size_t windows, stride; /* origins, and steps between them; the last one is `horizon` before the end */
	size_t season;          /* of MASE, steps; 0: the frequency's */
	void (*report)(void *self, double share); /* NULL: nobody asks */
	void *self;
};

struct backtest {
	struct accuracy ensemble, uncalibrated, members[PANEL_MEMBERS];
	uint64_t forecasts;            /* series times origins */
	uint64_t bases[4];             /* by enum forecast_basis */
	uint64_t too_short;            /* series that have no value before their first origin: left out */
	double awake[PANEL_MEMBERS];   /* share of the forecasts that a member took part in */
	double weights[PANEL_MEMBERS]; /* mean weight in them */
};

/*
 * Add to *RET, zeroed at the beginning, what N targets give.  A series that is shorter than the windows need is judged at the
 * origins that it has.  -1 on OPTION_INVALID, NO_MEMORY.
 */
int backtest_run(const struct panel_rule *rule, const struct artefact *model, const struct backtest_rule *how,
		 const struct target *targets, size_t n, struct backtest *ret, struct err *err);

/* Mean wQL over the levels in [.1, .9] alone, as it is published: the outer ones are for coverage. */
double backtest_wql(const struct accuracy *a, const double *levels, size_t n_levels);

#endif
