/* chart_scale.h -- where a time and a value lie in a drawing: for chart.c. */
#ifndef FOREBAY_CLI_CHART_SCALE_H
#define FOREBAY_CLI_CHART_SCALE_H

#include <stdint.h>

#include "cli/chart.h"

struct chart_scale {
	int columns, rows; /* cells */
	int across, down;  /* dots in a cell */
	int64_t from_us, to_us;
	double low, high;
};

/* Set times and values, with the four sizes given, so that CHART fits.  1; 0: it holds no finite number; -1: no memory. */
int chart_measure(struct chart_scale *s, const struct chart *chart);

/* Dot column of a time from the left, dot row of a value from the top; at the edge for what lies outside. */
int chart_dot_x(const struct chart_scale *s, int64_t us);
int chart_dot_y(const struct chart_scale *s, double value);

/* What the middle of a row of cells stands for. */
double chart_row_value(const struct chart_scale *s, int row);

#endif
