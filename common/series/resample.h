/*
 * resample.h -- the readings that fall into one step become one point.  Readings come in order of event time, which makes
 * the last one the one with the greatest time.
 */
#ifndef FOREBAY_SERIES_RESAMPLE_H
#define FOREBAY_SERIES_RESAMPLE_H

#include <stdint.h>

#include "common/series/moments.h"

enum resample_method { RESAMPLE_MEAN, RESAMPLE_LAST };

/* Bits of a point's flags. */
enum { STEP_IMPUTED = 1, STEP_OUTLIER = 2, STEP_CLIPPED = 4 };

/* What a step or a window says about its readings beside their values. */
struct tally {
	int64_t imputed;   /* steps that were filled from their neighbours */
	int64_t outliers;  /* readings flagged */
	int64_t dropped;   /* readings left out: outliers by policy */
	int64_t late;      /* readings left out: too late, or with a time stamp that the next one contradicted */
	int64_t repeated;  /* readings whose time was there before */
	int64_t ingest_us; /* greatest ingest time; 0: none yet */
};

void tally_add(struct tally *to, const struct tally *more);

struct step {
	int64_t number; /* see calendar.h */
	uint8_t flags;
	struct moments readings; /* that count; none if all were dropped */
	struct tally tally;
};

/* The point's value; NaN without readings. */
double step_value(enum resample_method method, const struct step *s);

#endif
