/* resample.c -- mean or last of a step's readings. */
#include "common/series/resample.h"

#include <math.h>

void
tally_add(struct tally *to, const struct tally *more)
{
	to->imputed += more->imputed;
	to->outliers += more->outliers;
	to->dropped += more->dropped;
	to->late += more->late;
	to->repeated += more->repeated;
	if (to->ingest_us < more->ingest_us)
		to->ingest_us = more->ingest_us;
}

double
step_value(enum resample_method method, const struct step *s)
{
	if (!s->readings.count)
		return NAN;
	return method == RESAMPLE_MEAN ? s->readings.mean : s->readings.last;
}
