/* detect_weeks.c -- see detect_weeks.h. */
#include "cli/detect_weeks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/detect/pvalue.h"
#include "common/forecast/panel.h"

#define LEVELS 19
#define BEGIN 24 /* intervals that say how far values are apart */
#define STEP_LEAST_US (15 * 60 * US_PER_SECOND)
#define DAY_US (24 * 60 * 60 * US_PER_SECOND)
#define DAYS 7            /* of a week */
#define WEEKS 4           /* that are looked at */
#define HISTORY_LEAST 500 /* steps */
#define GRAIN 1e-6        /* of a value: a float says no more */
#define STRANGE 1e-3      /* a step with a smaller tail is no example ... */
#define SPARED_DAYS 2     /* ... for so long; each week that is as it should be gives a day of it back */

static const char members[] = "last,season,long-season,theta,ets,ridge";

struct weeks {
	uint64_t seed;
	/* At first: */
	int64_t newest_us, intervals[BEGIN];
	size_t n;    /* values so far */
	bool silent; /* values are more than a day apart */
	/* Then: */
	int64_t step_us;  /* 0: not known yet */
	size_t day, room; /* steps of a day, and of what is looked at */
	double *history;  /* `known` steps, the oldest first, NaN where there was no value */
	size_t known;
	int64_t step; /* that is not over; of its values: */
	double sum;
	uint32_t count;
	size_t spared;       /* steps that were no example, in sevenths */
	int64_t due;         /* the step at which the next day is looked at */
	struct panel *panel; /* NULL: there has been no rhythm */
	struct panelist learnt;
	/* The day that is forecast, from step `origin` on: */
	bool forecast;
	int64_t origin;
	struct panel_forecast made; /* its arrays are parts of `numbers` */
	double *numbers;
	float levels[LEVELS], *rows; /* values less `base` */
	double base;
};

int
weeks_new(uint64_t seed, struct weeks **ret, struct err *err)
{
	struct weeks *w = calloc(1, sizeof(*w));

	if (!w)
		return err_set(err, REASON_NO_MEMORY, "forecasts of a column");
	w->seed = seed;
	*ret = w;
	return 0;
}

void
weeks_free(struct weeks *w)
{
	if (!w)
		return;
	panel_free(w->panel);
	free(w->history);
	free(w->numbers);
	free(w->rows);
	free(w);
}

/* ---- how long a step is ---- */

static int
by_length(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* The usual interval, of whole seconds of which a day is a multiple; 0: there is none. */
static int64_t
find_step(struct weeks *w)
{
	int64_t usual, n;

	qsort(w->intervals, BEGIN, sizeof(w->intervals[0]), by_length);
	usual = w->intervals[BEGIN / 2];
	if (usual <= STEP_LEAST_US)
		return STEP_LEAST_US;
	n = (DAY_US + usual / 2) / usual;
	while (n > 1 && DAY_US % (n * US_PER_SECOND))
		n--;
	return n > 0 ? DAY_US / n : 0;
}

static int64_t
step_of(const struct weeks *w, int64_t event_us)
{
	return event_us / w->step_us - (event_us % w->step_us < 0);
}

static int
begin(struct weeks *w, int64_t event_us, struct err *err)
{
	w->step_us = find_step(w);
	w->silent = w->step_us == 0;
	if (w->silent)
		return 0;
	w->day = (size_t)(DAY_US / w->step_us);
	w->room = WEEKS * DAYS * w->day > HISTORY_LEAST ? WEEKS * DAYS * w->day : HISTORY_LEAST;
	w->step = w->due = step_of(w, event_us);
	w->history = malloc(w->room * sizeof(w->history[0]));
	return w->history ? 0 : err_set(err, REASON_NO_MEMORY, "%zu steps of a column", w->room);
}

/* ---- steps ---- */

/* Is VALUE what a holiday or an outage leaves behind, which is not to be expected again a week later? */
static bool
is_no_example(struct weeks *w, double value)
{
	struct weeks_view view;
	bool strange = weeks_look(w, w->step * w->step_us, value, 0, &view) && view.p < STRANGE;

	if (strange && w->spared < SPARED_DAYS * DAYS * w->day) {
		w->spared += DAYS;
		return true;
	}
	w->spared -= w->spared > 0;
	return false;
}

/* The step at hand is over. */
static void
finish_step(struct weeks *w)
{
	double value = w->count ? w->sum / w->count : NAN;
	size_t k = (size_t)(w->step - w->origin);

	if (w->count && is_no_example(w, value))
		value = NAN;
	if (w->forecast && k < w->day && isfinite(value))
		panel_learn(w->panel, &w->learnt, k, w->made.awake, w->made.members + k * PANEL_MEMBERS * LEVELS,
			    w->made.combined + k * LEVELS, value, w->made.scale);
	if (w->known == w->room)
		memmove(w->history, w->history + 1, --w->known * sizeof(w->history[0]));
	w->history[w->known++] = value;
	w->step++;
	w->sum = 0;
	w->count = 0;
}

/* Nothing of the past is known any more: STEP is the first. */
static void
start_anew(struct weeks *w, int64_t step)
{
	w->known = 0;
	w->step = w->due = step;
	w->sum = 0;
	w->count = 0;
	w->forecast = false;
}

/* Is a step what it was a week before, rather than what it was a day before? */
static bool
has_rhythm(const struct weeks *w)
{
	size_t week = DAYS * w->day, n = 0;
	double weekly = 0, daily = 0;

	for (size_t i = week; i < w->known; i++) {
		double of_week = fabs(w->history[i] - w->history[i - week]);
		double of_day = fabs(w->history[i] - w->history[i - w->day]);

		if (isnan(of_week) || isnan(of_day))
			continue;
		weekly += of_week;
		daily += of_day;
		n++;
	}
	return n >= 2 * week - week / DAYS && weekly < WEEKS_RHYTHM * daily;
}

/* ---- forecasts ---- */

static int
make_panel(struct weeks *w, struct err *err)
{
	struct panel_rule rule = {
		.horizon = w->day, .n_levels = LEVELS, .seed = w->seed, .history_max = w->room, .calibrate = true
	};
	size_t flat = w->day * LEVELS;

	if (frequency_of_step(w->step_us, &rule.frequency, err) < 0 ||
	    panel_members_parse(members, &rule.members, err) < 0)
		return -1;
	for (int i = 0; i < LEVELS; i++) {
		rule.levels[i] = (i + 1) / (LEVELS + 1.0);
		w->levels[i] = (float)rule.levels[i];
	}
	w->rows = malloc(flat * sizeof(w->rows[0]));
	w->numbers = malloc(flat * (2 + PANEL_MEMBERS) * sizeof(w->numbers[0]));
	if (!w->rows || !w->numbers)
		return err_set(err, REASON_NO_MEMORY, "forecasts of a column, %zu steps ahead", w->day);
	w->made.values = w->numbers;
	w->made.combined = w->numbers + flat;
	w->made.members = w->numbers + 2 * flat;
	return panel_new(&rule, NULL, NULL, &w->panel, err);
}

static int
forecast_day(struct weeks *w, struct err *err)
{
	const struct target target = { .start_us = (w->step - (int64_t)w->known) * w->step_us,
				       .values = w->history,
				       .n = w->known };
	const struct panel_request request = { .target = &target, .learnt = &w->learnt, .noise = (uint64_t)w->step };

	w->due = w->step + (int64_t)w->day;
	w->forecast = false;
	if (!has_rhythm(w))
		return 0;
	if ((!w->panel && make_panel(w, err) < 0) || panel_forecast(w->panel, &request, &w->made, 1, err) < 0)
		return -1;
	w->forecast = w->made.basis == FORECAST_CLASSICAL;
	w->origin = w->step;
	w->base = w->made.values[LEVELS / 2];
	for (size_t i = 0; w->forecast && i < w->day * LEVELS; i++)
		w->rows[i] = (float)(w->made.values[i] - w->base);
	return 0;
}

/* The first values: how far are they apart? */
static int
begin_with(struct weeks *w, int64_t event_us, struct err *err)
{
	if (w->n > 0)
		w->intervals[w->n - 1] = event_us - w->newest_us;
	w->newest_us = event_us;
	return w->n++ < BEGIN ? 0 : begin(w, event_us, err);
}

int
weeks_turn(struct weeks *w, int64_t event_us, struct err *err)
{
	int64_t step;

	if (w->silent)
		return 0;
	if (!w->step_us && begin_with(w, event_us, err) < 0)
		return -1;
	if (!w->step_us)
		return 0;
	step = step_of(w, event_us);
	if (step - w->step > (int64_t)w->room)
		start_anew(w, step);
	while (w->step < step)
		finish_step(w);
	return w->step < w->due ? 0 : forecast_day(w, err);
}

bool
weeks_look(const struct weeks *w, int64_t event_us, double value, double grain, struct weeks_view *ret)
{
	const float *row;
	int64_t at = w->forecast ? step_of(w, event_us) - w->origin : -1;
	double least = fmax(grain, fmax(fabs(w->base), fabs(value)) * GRAIN + 1e-30);

	if (at < 0 || at >= (int64_t)w->day)
		return false;
	row = w->rows + at * LEVELS;
	ret->p = pvalue_two_sided(w->levels, row, LEVELS, least, value - w->base);
	ret->expected = w->base + pvalue_quantile(w->levels, row, LEVELS, 0.5);
	ret->lower = w->base + pvalue_quantile(w->levels, row, LEVELS, 0.05);
	ret->upper = w->base + pvalue_quantile(w->levels, row, LEVELS, 0.95);
	return true;
}

void
weeks_add(struct weeks *w, double value)
{
	if (!w->step_us)
		return;
	w->sum += value;
	w->count++;
}
