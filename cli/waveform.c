/*
 * waveform.c -- see waveform.h.
 *
 * Noise has a memory of a few steps (a moving average over white noise), because sensors have; so it stays a function of
 * the step alone, without a state to carry along.
 */
#include "cli/waveform.h"

#include <math.h>

#include "common/base/random.h"

#define TWO_PI 6.283185307179586
#define WAVES 3

enum draw { DRAW_MEAN, DRAW_PHASE, DRAW_DRIFT, DRAW_WAVE, DRAW_NOISE = DRAW_WAVE + 2 * WAVES };

/* Squares add up to 1. */
static const double memory[] = { 0.8, 0.5, 0.3, 0.14142135623730953 };

static uint64_t
stream(const struct waveform *w, enum draw what)
{
	return w->series * 64 + (uint64_t)what;
}

static double
noise(const struct waveform *w, int64_t step)
{
	double sum = 0;

	for (int i = 0; i < (int)(sizeof(memory) / sizeof(memory[0])); i++)
		sum += memory[i] * random_normal(w->seed, stream(w, DRAW_NOISE), (uint64_t)(step - i));
	return sum;
}

/* The day's course: a broad wave with a sharper one on it. */
static double
course(double phase)
{
	return (cos(TWO_PI * phase) + 0.3 * cos(2 * TWO_PI * phase)) / 1.3;
}

static double
wander(const struct waveform *w, double days)
{
	double sum = 0;

	for (int i = 0; i < WAVES; i++) {
		double period = 2 + 3 * random_uniform(w->seed, stream(w, DRAW_WAVE + 2 * (enum draw)i), 0);
		double phase = random_uniform(w->seed, stream(w, DRAW_WAVE + 2 * (enum draw)i + 1), 0);

		sum += sin(TWO_PI * (days / period + phase));
	}
	return sum / WAVES;
}

double
waveform_value(const struct waveform *w, int64_t time_us, int64_t step)
{
	const struct metric_template *m = w->metric;
	double days = (double)time_us / (double)w->day_us;
	double own = random_normal(w->seed, stream(w, DRAW_MEAN), 0);
	double shift = 0.04 * random_normal(w->seed, stream(w, DRAW_PHASE), 0);
	double slope = random_normal(w->seed, stream(w, DRAW_DRIFT), 0);

	/* Drift counts from the start of the week, so that it stays small however long ago 1970 is. */
	return m->base + m->spread * own + m->daily * course(days - m->peak_hour / 24 + shift) +
	       m->weekly * cos(TWO_PI * days / 7) + m->wander * wander(w, days) +
	       m->drift * slope * (days - 7 * floor(days / 7)) + m->noise * noise(w, step);
}

double
waveform_scale(const struct waveform *w)
{
	return w->metric->noise + 0.15 * w->metric->daily;
}

double
waveform_bound(const struct waveform *w, double value)
{
	if (value < w->metric->lowest)
		return w->metric->lowest;
	return value > w->metric->highest ? w->metric->highest : value;
}
