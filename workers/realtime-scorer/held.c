/* held.c -- one allocation: the levels, then a row of quantiles per step, then the model's name. */
#include "workers/realtime-scorer/held.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/detect/pvalue.h"
#include "common/record/shape.h"
#include "common/record/utf8.h"

#define RELATIVE_GRAIN 1e-6 /* what a float can tell apart, and a bit */

struct held {
	int owners;
	bool ondemand;
	int64_t origin_us, step_us;
	size_t n_steps, n_levels;
	double base; /* the numbers are relative to it, so that floats tell large values apart */
	struct span model;
	float numbers[]; /* behind them the model's text */
};

static struct held *
held_alloc(size_t n_steps, size_t n_levels, size_t model_len)
{
	size_t numbers = n_levels * (n_steps + 1);
	struct held *h = malloc(sizeof(*h) + numbers * sizeof(h->numbers[0]) + model_len);

	if (!h)
		return NULL;
	*h = (struct held){ .owners = 1, .n_steps = n_steps, .n_levels = n_levels };
	h->model = (struct span){ (char *)(h->numbers + numbers), model_len };
	return h;
}

/* "name/version"; where both together are too long for a record, the name. */
static size_t
model_of(const struct forecast *f, char text[LABEL_BYTES])
{
	size_t name = f->model.len, version = f->version.len;

	if (name > LABEL_BYTES)
		return 0;
	if (name)
		memcpy(text, f->model.ptr, name);
	if (version == 0 || name + 1 + version > LABEL_BYTES)
		return name;
	text[name] = '/';
	memcpy(text + name + 1, f->version.ptr, version);
	return name + 1 + version;
}

static float
narrow(double x)
{
	const double most = 3e38;

	return (float)(x > most ? most : x < -most ? -most : x);
}

int
held_new(const struct forecast *f, size_t max_steps, size_t max_levels, struct held **ret, struct err *err)
{
	size_t steps = f->n_steps < max_steps ? f->n_steps : max_steps, len;
	char model[LABEL_BYTES];
	struct held *h;

	if (f->n_levels > max_levels)
		return err_set(err, REASON_RECORD_INVALID, "levels: %zu of them, forecast.max.levels allows %zu",
			       f->n_levels, max_levels);
	len = model_of(f, model);
	h = held_alloc(steps, f->n_levels, len);
	if (!h)
		return err_set(err, REASON_NO_MEMORY, "forecast");
	h->origin_us = f->origin_us;
	h->step_us = f->step_us;
	h->base = f->values[f->n_levels / 2];
	for (size_t i = 0; i < f->n_levels; i++)
		h->numbers[i] = (float)f->levels[i];
	for (size_t i = 0; i < f->n_levels * steps; i++)
		h->numbers[f->n_levels + i] = narrow(f->values[i] - h->base);
	memcpy((char *)h->model.ptr, model, len);
	*ret = h;
	return 0;
}

struct held *
held_share(struct held *h)
{
	if (h)
		h->owners++;
	return h;
}

void
held_release(struct held *h)
{
	if (h && --h->owners == 0)
		free(h);
}

int64_t
held_origin(const struct held *h)
{
	return h->origin_us;
}

int64_t
held_end(const struct held *h)
{
	return h->n_steps <= (size_t)((TIME_MAX_US - h->origin_us) / h->step_us)
		   ? h->origin_us + (int64_t)h->n_steps * h->step_us
		   : TIME_MAX_US;
}

void
held_mark(struct held *h)
{
	h->ondemand = true;
}

bool
held_marked(const struct held *h)
{
	return h->ondemand;
}

struct held_flat
held_lay(struct held *h)
{
	return (struct held_flat){ .origin_us = h->origin_us,
				   .step_us = h->step_us,
				   .base = h->base,
				   .levels = h->numbers,
				   .rows = h->numbers + h->n_levels,
				   .n_levels = h->n_levels,
				   .n_numbers = h->n_levels * h->n_steps,
				   .model = (char *)h->model.ptr, /* to be read only */
				   .model_len = h->model.len,
				   .ondemand = h->ondemand };
}

/* Finite numbers that do not descend. */
static bool
ascends(const float *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isfinite(x[i]) || (i > 0 && x[i] < x[i - 1]))
			return false;
	return true;
}

static bool
flat_sound(const struct held_flat *f)
{
	if (f->step_us <= 0 || f->n_levels == 0 || f->n_numbers % f->n_levels || !isfinite(f->base) ||
	    f->origin_us < TIME_MIN_US || f->origin_us > TIME_MAX_US)
		return false;
	if (!ascends(f->levels, f->n_levels) || f->levels[0] < 0 || f->levels[f->n_levels - 1] > 1)
		return false;
	if (f->model_len > LABEL_BYTES || !utf8_valid((struct span){ f->model, f->model_len }))
		return false;
	for (size_t at = 0; at < f->n_numbers; at += f->n_levels)
		if (!ascends(f->rows + at, f->n_levels))
			return false;
	return true;
}

int
held_restore(const struct held_flat *f, struct held **ret, struct err *err)
{
	struct held *h;

	if (!flat_sound(f))
		return err_set(err, REASON_STATE_CORRUPT, "forecast: %zu numbers at %zu levels do not make one",
			       f->n_numbers, f->n_levels);
	h = held_alloc(f->n_numbers / f->n_levels, f->n_levels, f->model_len);
	if (!h)
		return err_set(err, REASON_NO_MEMORY, "forecast");
	h->origin_us = f->origin_us;
	h->step_us = f->step_us;
	h->base = f->base;
	h->ondemand = f->ondemand;
	memcpy(h->numbers, f->levels, f->n_levels * sizeof(h->numbers[0]));
	if (f->n_numbers)
		memcpy(h->numbers + f->n_levels, f->rows, f->n_numbers * sizeof(h->numbers[0]));
	if (f->model_len)
		memcpy((char *)h->model.ptr, f->model, f->model_len);
	*ret = h;
	return 0;
}

bool
held_look(const struct held *h, int64_t event_us, double value, double grain, struct outlook *ret)
{
	const float *levels, *row;
	size_t step, n;
	double scale;

	if (!h || event_us < h->origin_us)
		return false;
	step = (size_t)((event_us - h->origin_us) / h->step_us);
	if (step >= h->n_steps)
		return false;
	n = h->n_levels;
	levels = h->numbers;
	row = h->numbers + n * (step + 1);
	scale = fmax(grain, fmax(fabs(h->base), fabs(value)) * RELATIVE_GRAIN + 1e-30);
	ret->p = pvalue_two_sided(levels, row, n, scale, value - h->base);
	ret->expected = h->base + pvalue_quantile(levels, row, n, 0.5);
	ret->lower = h->base + pvalue_quantile(levels, row, n, 0.05);
	ret->upper = h->base + pvalue_quantile(levels, row, n, 0.95);
	ret->origin_us = h->origin_us;
	ret->model = h->model;
	return true;
}
