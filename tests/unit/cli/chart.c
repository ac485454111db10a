/* tests/unit/cli/chart.c -- pictures as golden texts: four days of a triangle wave, a hole, a spike, a fan. */
#include "cli/chart.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"

#define HOUR_US INT64_C(3600000000)
#define START_US INT64_C(1709251200000000) /* 2024-03-01 */
#define BEFORE 32
#define STEPS 8

enum scene { SCENE_FULL, SCENE_FORECAST_ONLY, SCENE_HISTORY_ONLY, SCENE_CONSTANT, SCENE_NOTHING, SCENE_WILD };

struct data {
	int64_t times[BEFORE + STEPS];
	double values[BEFORE + STEPS], fan[STEPS][CHART_LEVELS];
};

static double
triangle(int i)
{
	return 20 + 5 * (i % 8 < 4 ? i % 8 - 2 : 6 - i % 8);
}

static struct chart
scene(enum scene what, struct data *d)
{
	struct chart c = { { d->times, d->values, BEFORE },       { d->times + BEFORE, d->values + BEFORE, STEPS },
			   START_US + BEFORE * HOUR_US,           HOUR_US,
			   (const double(*)[CHART_LEVELS])d->fan, STEPS };

	for (int i = 0; i < BEFORE + STEPS; i++) {
		d->times[i] = START_US + i * HOUR_US;
		d->values[i] = what == SCENE_CONSTANT ? 7 : what == SCENE_NOTHING ? NAN : triangle(i);
	}
	for (int h = 0; h < STEPS; h++)
		for (int k = 0; k < CHART_LEVELS; k++)
			d->fan[h][k] = d->values[h] + (what == SCENE_CONSTANT ? 0 : (k - 2) * (1.5 + h * 0.5));
	if (what == SCENE_FULL || what == SCENE_WILD) {
		d->values[26] = NAN;
		d->values[35] = 90;
	}
	if (what == SCENE_WILD) {
		d->values[3] = INFINITY;
		d->values[5] = -1e308;
		d->values[6] = -1e308;
		d->values[7] = 1e308;
		d->values[8] = 1e308;
		d->fan[4][CHART_P05] = NAN;
	}
	if (what == SCENE_FORECAST_ONLY)
		c.history.n = c.actual.n = 0;
	if (what == SCENE_HISTORY_ONLY)
		c.actual.n = c.n_steps = 0;
	return c;
}

static const struct row {
	const char *name;
	enum scene scene;
	int width, height;
	enum chart_style style;
	const char *golden;
} rows[] = {
	{ "all there is, ASCII", SCENE_FULL, 56, 10, CHART_ASCII,
	  "      44.52 |                                  |  o\n"
	  "            |                                  |\n"
	  "            |                                  |    :\n"
	  "            |    *       *        *        *   |   o-:\n"
	  "            |                                  |   ===:\n"
	  "      23.72 |   * *     * *      * *      * *  |  :-o-=:\n"
	  "            |  *   *   *    *   *   *        * | o-: o-=\n"
	  "            | *     * *      * *     * *      *|o-:  :o-\n"
	  "            |*       *        *       *        o==    :=\n"
	  "       7.08 |                                  |       :\n"
	  "             03-01 00:00                     03-02 16:00\n" },
	{ "all there is, UTF-8", SCENE_FULL, 56, 10, CHART_UTF8,
	  "      44.52 ┤                                  │  ⢸\n"
	  "            ┤                                  │  ⡸⡇\n"
	  "            ┤                                  │  ⡇⡇░\n"
	  "            ┤    ⡀       ⢀        ⢀        ⡀   │  ⡇⢸─░\n"
	  "            ┤   ⡰⠱⡀     ⢀⠎⢆      ⢠⠋⢆      ⡰⠱⡀  │ ⢀⠇⠈⢆▒░\n"
	  "      23.72 ┤  ⢠⠃ ⢣     ⡜ ⠈⢆    ⢠⠃ ⠘⡄     ⠁ ⢣  │ ⢸░─⠘⡄▒░\n"
	  "            ┤ ⢀⠇   ⢣   ⡸   ⠈⢆  ⢀⠇   ⠸⡀       ⢇ │ ⡜─░ ⠸⡀▒\n"
	  "            ┤ ⡎     ⢣ ⢰⠁    ⠈⡆ ⡎     ⢱ ⢠     ⠈⠆│⡜─░  ░⠱─\n"
	  "            ┤⡜       ⢣⠃      ⠘⡜       ⢣⠃       ⡜▒▒    ░▒\n"
	  "       7.08 ┤                                  │       ░\n"
	  "             03-01 00:00                     03-02 16:00\n" },
	{ "only a forecast", SCENE_FORECAST_ONLY, 40, 6, CHART_ASCII,
	  "      34.33 ||            ::::\n"
	  "            ||         :::----===::::\n"
	  "            ||      :::---::::---====:::\n"
	  "      18.33 ||  ::::---:::    ===----===\n"
	  "            ||::----:::          ====---\n"
	  "      7.667 ||--                     ===\n"
	  "             03-02 08:00     03-02 16:00\n" },
	{ "only history", SCENE_HISTORY_ONLY, 48, 6, CHART_ASCII,
	  "      28.33 |    *        *       *        *\n"
	  "            |   * *      * *     * *      * *\n"
	  "            |\n"
	  "      18.33 |  *   *   *    *   *    *   *   *\n"
	  "            | *     * *      * *      * *     *\n"
	  "      11.67 |*       *        *        *\n"
	  "             03-01 00:00             03-02 08:00\n" },
	{ "a constant lies in the middle", SCENE_CONSTANT, 40, 5, CHART_ASCII,
	  "       7.56 |                     |\n"
	  "            |                     |\n"
	  "          7 |*********************oooooo\n"
	  "            |                     |\n"
	  "       6.44 |                     |\n"
	  "             03-01 00:00     03-02 16:00\n" },
	{ "nothing", SCENE_NOTHING, 40, 6, CHART_UTF8, "(no values)\n" },
	{ "numbers beyond all bounds", SCENE_WILD, 40, 5, CHART_ASCII,
	  "     8e+307 |    **               |\n"
	  "            |                     |\n"
	  "          0 |***   *********** ***oooooo\n"
	  "            |                     |\n"
	  "    -8e+307 |   **                |\n"
	  "             03-01 00:00     03-02 16:00\n" },
};

static void
draws(void **state)
{
	const struct row *row = *state;
	CLEANUP(buffer_clear)
	struct buffer out = BUFFER_INIT(1 << 20);
	struct err err = ERR_INIT;
	struct data d;
	struct chart c = scene(row->scene, &d);

	assert_int_equal(chart_draw(&c, row->width, row->height, row->style, &out, &err), 0);
	assert_int_equal(buffer_append(&out, "", 1), 0);
	assert_string_equal(out.ptr, row->golden);
}

/* Columns of TEXT's widest line: code points without escapes. */
static int
widest(const char *text)
{
	int most = 0, now = 0;

	for (; *text; text++) {
		if (*text == '\033') {
			text = strchr(text, 'm');
			assert_non_null(text);
			continue;
		}
		now = *text == '\n' ? 0 : now + ((*text & 0xc0) != 0x80);
		most = now > most ? now : most;
	}
	return most;
}

static void
stays_within_its_size(void **state)
{
	(void)state;
	for (int style = CHART_ASCII; style <= CHART_COLOUR; style++)
		for (int width = -1; width < 300; width += 7) {
			int allowed = width < CHART_LEAST_WIDTH  ? CHART_LEAST_WIDTH
				      : width > CHART_MOST_WIDTH ? CHART_MOST_WIDTH
								 : width;
			struct buffer out = BUFFER_INIT(1 << 20);
			struct err err = ERR_INIT;
			struct data d;
			struct chart c = scene(width % 2 ? SCENE_FULL : SCENE_WILD, &d);

			assert_int_equal(chart_draw(&c, width, width / 5, (enum chart_style)style, &out, &err), 0);
			assert_int_equal(buffer_append(&out, "", 1), 0);
			assert_true(widest(out.ptr) <= allowed);
			buffer_clear(&out);
		}
}

/* Colours end where they began: a line that is cut out of the picture does not stain what follows. */
static void
colours_end_with_the_line(void **state)
{
	CLEANUP(buffer_clear)
	struct buffer out = BUFFER_INIT(1 << 20);
	struct err err = ERR_INIT;
	struct data d;
	struct chart c = scene(SCENE_FULL, &d);
	const char *last = "\033[0m";

	(void)state;
	assert_int_equal(chart_draw(&c, 60, 10, CHART_COLOUR, &out, &err), 0);
	assert_int_equal(chart_legend(CHART_COLOUR, &out, &err), 0);
	assert_int_equal(buffer_append(&out, "", 1), 0);
	for (const char *at = out.ptr; *at; at++) {
		if (*at == '\033')
			last = at;
		else if (*at == '\n')
			assert_memory_equal(last, "\033[0m", 4);
	}
	assert_non_null(strstr(out.ptr, "48;5;24")); /* both bands are there */
	assert_non_null(strstr(out.ptr, "48;5;31"));
}

static void
says_when_memory_is_out(void **state)
{
	CLEANUP(buffer_clear)
	struct buffer out = BUFFER_INIT(200);
	struct err err = ERR_INIT;
	struct data d;
	struct chart c = scene(SCENE_FULL, &d);

	(void)state;
	assert_int_equal(chart_draw(&c, 60, 10, CHART_ASCII, &out, &err), -1);
	assert_int_equal(err.reason, REASON_NO_MEMORY);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + 3];
	size_t n = 0;

	for (; n < ARRAY_LEN(rows); n++)
		tests[n] = (struct CMUnitTest){ .name = rows[n].name,
						.test_func = draws,
						.initial_state = (void *)(uintptr_t)&rows[n] };
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(stays_within_its_size);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(colours_end_with_the_line);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(says_when_memory_is_out);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
