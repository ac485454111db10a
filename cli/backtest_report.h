/*
 * backtest_report.h -- what a backtest has found, as JSON or as tables: member by member, all together, and the series that were forecast
 * worst.  Of a series a few figures are kept, however many windows it has.
 */
#ifndef FOREBAY_CLI_BACKTEST_REPORT_H
#define FOREBAY_CLI_BACKTEST_REPORT_H

#include "cli/series_options.h"
#include "common/forecast/backtest.h"

/* Of one series; NaN: not known. */
struct backtest_own {
	double wql, mase, coverage80, coverage95;
	uint64_t points; /* values that it was judged by; 0: none */
};

struct backtest_report {
	struct dataset data;
	struct panel_rule rule;
	const struct backtest_rule *how;
	const struct artefact *model; /* NULL: none */
	int64_t first_us;             /* by the calendar: when the first window begins */
	struct backtest result;
	struct backtest_own *own; /* of each of the data's series */
	double seconds, cpu_seconds;
};

/* Keep figures of series I; for backtest_rule.each. */
void backtest_report_own(struct backtest_report *r, size_t i, const struct accuracy *own);

/* Was anything judged at all?  -1 on FILE_INVALID: says why not. */
int backtest_report_check(const struct backtest_report *r, const char *path, struct err *err);

/* To standard output, with the WORST series.  -1 on NO_MEMORY, IO. */
int backtest_report_json(struct backtest_report *r, size_t worst, struct err *err);
int backtest_report_text(struct backtest_report *r, size_t worst, struct err *err);

#endif
