/*
 * backtest.h -- how good would the forecasts have been?  Rolling origins over the end of many series: at each origin the panel sees
 * what was known then and nothing later, weights and shifts included; what turned out is learnt before the next origin: by each
 * series for itself, and of the widths of intervals by up to BACKTEST_TOGETHER series that follow each other in the input, as far
 * as it was known before the earliest of their origins by the calendar.
 *
 * Origins are counted from the end of each series, or, where series end at different times and a model must not have seen what comes
 * behind any of them, back from the latest end of all: then they are the same moments for all series.  One that ends within a window is
 * judged by what it has of it; one that has ended before it, or has not begun, has no part in it.
 */
#ifndef FOREBAY_FORECAST_BACKTEST_H
#define FOREBAY_FORECAST_BACKTEST_H

#include "common/forecast/accuracy.h"
#include "common/forecast/panel.h"

#define BACKTEST_TOGETHER 64

struct backtest_rule {
	size_t windows, stride; /* origins, and steps between them; the last one is `horizon` before the end */
	bool calendar;          /* the end is that of the series that ends last; else of each */
	size_t season;          /* of MASE, steps; 0: the frequency's */
	void (*report)(void *self, double share); /* NULL: nobody asks */
	/* What came of series I, once, in order (points 0: nothing); NULL: nobody asks. */
	void (*each)(void *self, size_t i, const struct accuracy *own);
	void *self;
};

struct backtest {
	struct accuracy ensemble, uncalibrated, members[PANEL_MEMBERS];
	uint64_t forecasts;            /* series times origins */
	uint64_t bases[4];             /* by enum forecast_basis */
	uint64_t cut_short;            /* of those: of series that end before the last step, judged by the others */
	uint64_t too_short;            /* series that have no value before any origin: left out */
	uint64_t ended;                /* series that end before the first origin by the calendar: left out */
	double awake[PANEL_MEMBERS];   /* share of the forecasts that a member took part in */
	double weights[PANEL_MEMBERS]; /* mean weight in all of them; asleep: 0 */
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
