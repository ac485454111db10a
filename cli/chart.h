/*
 * chart.h -- a forecast as a picture of characters: what came before, the fan of quantiles, what came after.
 *
 *	   24.1 |      *                         history *, median -, 50 % of the fan =, 90 % :, what came o
 *	        |    ** **        |:::::::
 *	   20.9 |   *     **      |==--oo=
 *	        |  *        **    |oooo::
 *	   17.8 |**           ****|
 *	         03-01 00:00   03-01 08:00   03-01 12:00
 *
 * Pure: numbers and a size in, text out.
 */
#ifndef FOREBAY_CLI_CHART_H
#define FOREBAY_CLI_CHART_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/error.h"

#define CHART_LEAST_WIDTH 40
#define CHART_MOST_WIDTH 240
#define CHART_LEAST_HEIGHT 4
#define CHART_MOST_HEIGHT 60

enum chart_style {
	CHART_ASCII,
	CHART_UTF8,   /* braille dots for lines, shades for the fan */
	CHART_COLOUR, /* the same, the fan as background colours (256 of them, ANSI) */
};

/* Points in order of time; NaN is a hole. */
struct chart_line {
	const int64_t *times_us;
	const double *values;
	size_t n;
};

enum chart_level { CHART_P05, CHART_P25, CHART_P50, CHART_P75, CHART_P95, CHART_LEVELS };

struct chart {
	struct chart_line history, actual;
	int64_t origin_us, step_us; /* step h of the fan covers [origin + h * step, origin + (h+1) * step) */
	const double (*fan)[CHART_LEVELS];
	size_t n_steps;
};

/*
 * Append HEIGHT rows of drawing, one of times, at most WIDTH columns each; sizes outside of the bounds above are moved into
 * them.  A chart without any finite number is a line that says so.  -1 on NO_MEMORY (also: OUT is full).
 */
int chart_draw(const struct chart *c, int width, int height, enum chart_style style, struct buffer *out,
	       struct err *err);

/* What the signs mean: one line, the same for every chart of this style. */
int chart_legend(enum chart_style style, struct buffer *out, struct err *err);

#endif
