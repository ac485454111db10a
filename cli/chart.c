/*
 * chart.c -- see chart.h.
 *
 * The drawing is a grid of cells.  A cell has a shade (in which band of the fan it lies), a mark (the strongest thing in it)
 * and, for lines, dots: 2 x 4 of them where braille can show them, one in ASCII.  Time and value are first turned into dots;
 * everything after that is whole numbers.
 */
#include "cli/chart.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/chart_scale.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"

#define LABEL_COLUMNS 12 /* "-1.234e+307 " */
#define TIME_COLUMNS 11  /* "03-01 08:00" */

enum mark { MARK_NONE, MARK_ORIGIN, MARK_MEDIAN, MARK_HISTORY, MARK_ACTUAL };
enum shade { SHADE_NONE, SHADE_90, SHADE_50 };

struct cell {
	unsigned char dots, mark, shade;
};

struct grid {
	struct chart_scale scale;
	bool connected; /* lines between the points */
	struct cell *cells;
};

/* How a style shows things.  Colours are parameters of SGR; "" none. */
static const struct look {
	const char *shade[3], *mark[5], *shade_colour[3], *mark_colour[5], *corner;
} looks[] = {
	[CHART_ASCII] = { { " ", ":", "=" }, { "", "|", "-", "*", "o" }, { "", "", "" }, { "", "", "", "", "" }, "|" },
	[CHART_UTF8] = { { " ", "░", "▒" }, { "", "│", "─", "", "" }, { "", "", "" }, { "", "", "", "", "" }, "┤" },
	[CHART_COLOUR] = { { " ", " ", " " },
			   { "", "│", "─", "", "" },
			   { "", "48;5;24", "48;5;31" },
			   { "", "38;5;244", "38;5;159", "38;5;250", "1;38;5;220" },
			   "┤" },
};

/* ---- drawing ---- */

static int
clamp(int value, int least, int most)
{
	return value < least ? least : value > most ? most : value;
}

static struct cell *
cell_at(const struct grid *g, int column, int row)
{
	return &g->cells[row * g->scale.columns + column];
}

static void
put_mark(const struct grid *g, int column, int row, enum mark mark)
{
	struct cell *cell = cell_at(g, column, row);

	if (cell->mark < mark) {
		cell->mark = (unsigned char)mark;
		cell->dots = 0;
	}
}

static void
put_dot(const struct grid *g, int x, int y, enum mark mark)
{
	static const unsigned char braille[4][2] = { { 0x01, 0x08 }, { 0x02, 0x10 }, { 0x04, 0x20 }, { 0x40, 0x80 } };
	struct cell *cell = cell_at(g, x / g->scale.across, y / g->scale.down);

	put_mark(g, x / g->scale.across, y / g->scale.down, mark);
	if (cell->mark == mark)
		cell->dots |= braille[y % g->scale.down][x % g->scale.across];
}

/* All dots between two, as Bresenham walks. */
static void
put_stroke(const struct grid *g, int x0, int y0, int x1, int y1, enum mark mark)
{
	int dx = abs(x1 - x0), dy = -abs(y1 - y0), sx = x0 < x1 ? 1 : -1, sy = y0 < y1 ? 1 : -1, off = dx + dy;

	for (;;) {
		int twice = 2 * off;

		put_dot(g, x0, y0, mark);
		if (x0 == x1 && y0 == y1)
			return;
		if (twice >= dy) {
			off += dy;
			x0 += sx;
		}
		if (twice <= dx) {
			off += dx;
			y0 += sy;
		}
	}
}

/* A hole is not bridged, nor is a pause of more than six steps. */
static void
draw_line(const struct grid *g, const struct chart_line *line, int64_t step_us, enum mark mark)
{
	int x = 0, y = 0;
	bool joined = false;

	for (size_t i = 0; i < line->n; i++) {
		int was_x = x, was_y = y;

		if (!isfinite(line->values[i])) {
			joined = false;
			continue;
		}
		if (i > 0 && line->times_us[i] - line->times_us[i - 1] > 6 * step_us)
			joined = false;
		x = chart_dot_x(&g->scale, line->times_us[i]);
		y = chart_dot_y(&g->scale, line->values[i]);
		if (g->connected && joined)
			put_stroke(g, was_x, was_y, x, y, mark);
		else
			put_dot(g, x, y, mark);
		joined = true;
	}
}

/* Cells of COLUMN whose middle lies between two quantiles; at least the one that the lower quantile is in. */
static void
shade_column(const struct grid *g, int column, double low, double high, enum shade shade)
{
	for (int row = 0; row < g->scale.rows; row++) {
		double middle = chart_row_value(&g->scale, row);

		if ((middle >= low && middle <= high) || row == chart_dot_y(&g->scale, low) / g->scale.down)
			cell_at(g, column, row)->shade = (unsigned char)shade;
	}
}

/* The step of the fan in the middle of COLUMN, or NULL: none, or not all of it is known. */
static const double *
fan_at(const struct grid *g, const struct chart *c, int column)
{
	int64_t at = g->scale.from_us +
		     (int64_t)((double)(g->scale.to_us - g->scale.from_us) * (column + 0.5) / g->scale.columns);
	size_t h = at < c->origin_us || c->step_us <= 0 ? c->n_steps : (size_t)((at - c->origin_us) / c->step_us);

	if (h >= c->n_steps)
		return NULL;
	for (int level = 0; level < CHART_LEVELS; level++)
		if (!isfinite(c->fan[h][level]))
			return NULL;
	return c->fan[h];
}

static void
draw_fan(const struct grid *g, const struct chart *c)
{
	int origin = chart_dot_x(&g->scale, c->origin_us) / g->scale.across;

	for (int row = 0; row < g->scale.rows && c->n_steps > 0; row++)
		put_mark(g, origin, row, MARK_ORIGIN);
	for (int column = origin + 1; column < g->scale.columns; column++) {
		const double *levels = fan_at(g, c, column);

		if (!levels)
			continue;
		shade_column(g, column, levels[CHART_P05], levels[CHART_P95], SHADE_90);
		shade_column(g, column, levels[CHART_P25], levels[CHART_P75], SHADE_50);
		put_mark(g, column, chart_dot_y(&g->scale, levels[CHART_P50]) / g->scale.down, MARK_MEDIAN);
	}
}

/* ---- text ---- */

/* Shade and mark of CELL as colours, where they are not those of BEFORE (NULL: none). */
static int
write_colours(const struct cell *before, const struct cell *cell, const struct look *look, struct buffer *out)
{
	const char *was_shade = before ? look->shade_colour[before->shade] : "";
	const char *was_mark = before ? look->mark_colour[before->mark] : "";
	const char *shade = cell ? look->shade_colour[cell->shade] : "",
		   *mark = cell ? look->mark_colour[cell->mark] : "";

	if (strcmp(was_shade, shade) == 0 && strcmp(was_mark, mark) == 0)
		return 0;
	return buffer_printf(out, "\033[0%s%s%s%sm", *shade ? ";" : "", shade, *mark ? ";" : "", mark);
}

static int
write_cell(const struct cell *before, const struct cell *cell, const struct look *look, struct buffer *out)
{
	const char *sign = cell->mark ? look->mark[cell->mark] : look->shade[cell->shade];
	/* U+2800 and the dots */
	const char dots[] = { (char)0xe2, (char)(0xa0 | cell->dots >> 6), (char)(0x80 | (cell->dots & 0x3f)) };

	if (write_colours(before, cell, look, out) < 0)
		return -1;
	return *sign ? buffer_text(out, sign) : buffer_append(out, dots, sizeof(dots));
}

static int
write_row(const struct grid *g, int row, const struct look *look, struct buffer *out)
{
	const struct cell *before = NULL;
	int last = g->scale.columns - 1;
	bool labelled = row == 0 || row == g->scale.rows - 1 || row == g->scale.rows / 2;
	double middle = chart_row_value(&g->scale, row);

	if (fabs(middle) < 1e-9 * (g->scale.high / 2 - g->scale.low / 2))
		middle = 0;
	if ((labelled ? buffer_printf(out, "%*.4g ", LABEL_COLUMNS - 1, middle)
		      : buffer_printf(out, "%*s", LABEL_COLUMNS, "")) < 0 ||
	    buffer_text(out, look->corner) < 0)
		return -1;
	while (last >= 0 && !cell_at(g, last, row)->mark && !cell_at(g, last, row)->shade)
		last--;
	for (int column = 0; column <= last; column++) {
		const struct cell *cell = cell_at(g, column, row);

		if (write_cell(before, cell, look, out) < 0)
			return -1;
		before = cell;
	}
	return write_colours(before, NULL, look, out) < 0 ? -1 : buffer_text(out, "\n");
}

static void
put_time(char *line, int at, int64_t us)
{
	time_t seconds = (time_t)(us / US_PER_SECOND);
	char text[TIME_COLUMNS + 1];
	struct tm utc;

	if (gmtime_r(&seconds, &utc) && strftime(text, sizeof(text), "%m-%d %H:%M", &utc) == TIME_COLUMNS)
		memcpy(line + at, text, TIME_COLUMNS);
}

/* The first time, the last, and between them that of the origin where there is room. */
static int
write_times(const struct grid *g, const struct chart *c, struct buffer *out)
{
	char line[CHART_MOST_WIDTH + 1];
	int left = LABEL_COLUMNS + 1, right = left + g->scale.columns - TIME_COLUMNS;
	int origin = left + chart_dot_x(&g->scale, c->origin_us) / g->scale.across - TIME_COLUMNS / 2;

	memset(line, ' ', sizeof(line));
	put_time(line, left, g->scale.from_us);
	put_time(line, right, g->scale.to_us);
	if (origin > left + TIME_COLUMNS + 1 && origin + TIME_COLUMNS + 1 < right)
		put_time(line, origin, c->origin_us);
	return buffer_printf(out, "%.*s\n", left + g->scale.columns, line);
}

static int
draw(struct grid *g, const struct chart *c, const struct look *look, struct buffer *out)
{
	draw_fan(g, c);
	draw_line(g, &c->history, c->step_us, MARK_HISTORY);
	draw_line(g, &c->actual, c->step_us, MARK_ACTUAL);
	for (int row = 0; row < g->scale.rows; row++)
		if (write_row(g, row, look, out) < 0)
			return -1;
	return write_times(g, c, out);
}

int
chart_draw(const struct chart *c, int width, int height, enum chart_style style, struct buffer *out, struct err *err)
{
	struct grid g = { .scale = { .columns = clamp(width, CHART_LEAST_WIDTH, CHART_MOST_WIDTH) - LABEL_COLUMNS - 1,
				     .rows = clamp(height, CHART_LEAST_HEIGHT, CHART_MOST_HEIGHT),
				     .across = style == CHART_ASCII ? 1 : 2,
				     .down = style == CHART_ASCII ? 1 : 4 },
			  .connected = style != CHART_ASCII };
	int failed, measured = chart_measure(&g.scale, c);

	if (measured < 0)
		return err_set(err, REASON_NO_MEMORY, "chart");
	if (measured == 0)
		return buffer_text(out, "(no values)\n") < 0 ? err_set(err, REASON_NO_MEMORY, "chart") : 0;
	g.cells = calloc((size_t)(g.scale.columns * g.scale.rows), sizeof(*g.cells));
	failed = !g.cells || draw(&g, c, &looks[style], out) < 0;
	free(g.cells);
	return failed ? err_set(err, REASON_NO_MEMORY, "chart") : 0;
}

int
chart_legend(enum chart_style style, struct buffer *out, struct err *err)
{
	static const struct {
		struct cell cell;
		const char *text;
	} entries[] = {
		{ { .mark = MARK_HISTORY, .dots = 0x36 }, "history" },
		{ { .mark = MARK_MEDIAN }, "median" },
		{ { .shade = SHADE_50 }, "50 %" },
		{ { .shade = SHADE_90 }, "90 % of the forecast" },
		{ { .mark = MARK_ACTUAL, .dots = 0x36 }, "what came" },
	};
	int failed = buffer_printf(out, "%*s", LABEL_COLUMNS + 1, "") < 0;

	for (size_t i = 0; i < ARRAY_LEN(entries) && !failed; i++)
		failed = write_cell(NULL, &entries[i].cell, &looks[style], out) < 0 ||
			 write_cell(&entries[i].cell, &entries[i].cell, &looks[style], out) < 0 ||
			 write_colours(&entries[i].cell, NULL, &looks[style], out) < 0 ||
			 buffer_printf(out, " %s%s", entries[i].text, i + 1 < ARRAY_LEN(entries) ? "   " : "\n") < 0;
	return failed ? err_set(err, REASON_NO_MEMORY, "chart") : 0;
}
