/* owed.c -- one allocation; a median as base lets floats tell large values apart. */
#include "workers/batch-forecaster/owed.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/record/shape.h"

#define ALL_MEMBERS ((1U << PANEL_MEMBERS) - 1)
#define FLOAT_MOST 3e38

struct owed {
	size_t owners;
	int64_t origin_us, start_us;
	uint32_t step, awake, levels;
	bool has_rival;
	double scale, base;
	struct adopted *versions;
	float numbers[];
};

static size_t
rows_of(uint32_t awake, bool has_rival)
{
	return 2 + (size_t)__builtin_popcount(awake) + (has_rival ? 1 : 0);
}

static size_t
numbers_of(const struct owed *o)
{
	return rows_of(o->awake, o->has_rival) * o->levels;
}

static struct owed *
owed_alloc(uint32_t awake, bool has_rival, uint32_t levels)
{
	struct owed *o = malloc(sizeof(*o) + rows_of(awake, has_rival) * levels * sizeof(o->numbers[0]));

	if (o)
		*o = (struct owed){ .owners = 1, .awake = awake, .has_rival = has_rival, .levels = levels };
	return o;
}

/* False: one of them is not finite. */
static bool
narrow(const double *from, size_t n, double base, float **to)
{
	for (size_t i = 0; i < n; i++) {
		double x = from[i] - base;

		if (!isfinite(from[i]))
			return false;
		*(*to)++ = (float)(x > FLOAT_MOST ? FLOAT_MOST : x < -FLOAT_MOST ? -FLOAT_MOST : x);
	}
	return true;
}

static const double *
widen(const float **from, size_t n, double base, double *to)
{
	for (size_t i = 0; i < n; i++)
		to[i] = base + (double)*(*from)++;
	return to;
}

int
owed_new(const struct owed_row *row, struct adopted *versions, struct owed **ret, struct err *err)
{
	size_t n = row->n_levels;
	struct owed *o = owed_alloc(row->awake & ALL_MEMBERS, row->rival, (uint32_t)n);
	float *to;
	bool fine;

	*ret = NULL;
	if (!o)
		return err_set(err, REASON_NO_MEMORY, "a step of a forecast");
	o->origin_us = row->origin_us;
	o->start_us = row->start_us;
	o->step = row->step;
	o->scale = row->scale;
	o->base = row->combined[n / 2];
	to = o->numbers;
	fine = isfinite(o->base) && isfinite(o->scale) && o->scale > 0 && narrow(row->combined, n, o->base, &to) &&
	       narrow(row->sent, n, o->base, &to);
	for (size_t m = 0; fine && m < PANEL_MEMBERS; m++)
		if (o->awake & 1U << m)
			fine = narrow(row->members + m * n, n, o->base, &to);
	if (fine && row->rival)
		fine = narrow(row->rival, n, o->base, &to);
	if (!fine) {
		free(o);
		return 0;
	}
	o->versions = adopted_share(versions);
	*ret = o;
	return 0;
}

struct owed *
owed_share(struct owed *o)
{
	if (o)
		o->owners++;
	return o;
}

void
owed_release(struct owed *o)
{
	if (!o || --o->owners)
		return;
	adopted_release(o->versions);
	free(o);
}

struct owed_row
owed_look(const struct owed *o, struct owed_room *room)
{
	struct owed_row row = { .origin_us = o->origin_us,
				.start_us = o->start_us,
				.step = o->step,
				.awake = o->awake,
				.scale = o->scale,
				.n_levels = o->levels };
	const float *from = o->numbers;
	size_t n = o->levels;

	row.combined = widen(&from, n, o->base, room->combined);
	row.sent = widen(&from, n, o->base, room->sent);
	memset(room->members, 0, sizeof(room->members));
	for (size_t m = 0; m < PANEL_MEMBERS; m++)
		if (o->awake & 1U << m)
			widen(&from, n, o->base, room->members + m * n);
	row.members = room->members;
	row.rival = o->has_rival ? widen(&from, n, o->base, room->rival) : NULL;
	return row;
}

const struct adopted *
owed_versions(const struct owed *o)
{
	return o->versions;
}

int64_t
owed_start(const struct owed *o)
{
	return o->start_us;
}

struct owed_flat
owed_lay(struct owed *o, uint32_t bucket)
{
	struct span versions = o->versions ? adopted_text(o->versions) : SPAN_NONE;

	return (struct owed_flat){ .bucket = bucket,
				   .origin_us = o->origin_us,
				   .start_us = o->start_us,
				   .step = o->step,
				   .awake = o->awake,
				   .levels = o->levels,
				   .scale = o->scale,
				   .base = o->base,
				   .has_rival = o->has_rival,
				   .versions = (char *)versions.ptr, /* to be read only */
				   .versions_len = versions.len,
				   .numbers = o->numbers,
				   .n_numbers = numbers_of(o) };
}

static bool
in_time(int64_t time_us)
{
	return time_us >= TIME_MIN_US && time_us <= TIME_MAX_US;
}

static bool
flat_sound(const struct owed_flat *f)
{
	if (f->bucket >= ENSEMBLE_BUCKETS_MAX || !in_time(f->origin_us) || !in_time(f->start_us) ||
	    f->start_us < f->origin_us || (f->awake & ~ALL_MEMBERS) || !f->levels || f->levels > ENSEMBLE_LEVELS_MAX ||
	    f->step > INT32_MAX || !isfinite(f->scale) || !(f->scale > 0) || !isfinite(f->base) ||
	    f->n_numbers != rows_of(f->awake, f->has_rival) * f->levels)
		return false;
	for (size_t i = 0; i < f->n_numbers; i++)
		if (!isfinite(f->numbers[i]))
			return false;
	return true;
}

int
owed_restore(const struct owed_flat *f, struct owed **ret, struct err *err)
{
	struct owed *o;

	*ret = NULL;
	if (!flat_sound(f))
		return err_set(err, REASON_STATE_CORRUPT,
			       "a step of a forecast: %zu numbers at %u levels do not make one", f->n_numbers,
			       f->levels);
	o = owed_alloc(f->awake, f->has_rival, f->levels);
	if (!o)
		return err_set(err, REASON_NO_MEMORY, "a step of a forecast");
	if (adopted_read((struct span){ f->versions, f->versions_len }, &o->versions, err) < 0) {
		free(o);
		return -1;
	}
	o->origin_us = f->origin_us;
	o->start_us = f->start_us;
	o->step = f->step;
	o->scale = f->scale;
	o->base = f->base;
	memcpy(o->numbers, f->numbers, f->n_numbers * sizeof(o->numbers[0]));
	*ret = o;
	return 0;
}
