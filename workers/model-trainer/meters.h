/* meters.h -- the trainer's own metrics: a table. */
#ifndef FOREBAY_TRAINER_METERS_H
#define FOREBAY_TRAINER_METERS_H

#include "common/metrics/metrics.h"

enum meter {
	METER_READY,
	METER_RETRIES,  /* reason */
	METER_OUTCOMES, /* read */
	METER_EPOCHS,   /* model; all that follow have it first */
	METER_SHARE,
	METER_LOSS,
	METER_VALIDATION,
	METER_SECONDS,
	METER_TRAININGS, /* model, result */
	METER_FIGURE,    /* model, figure */
	METER_TRIAL_RATIO,
	METER_TRIAL_OUTCOMES,
	METER_DRIFT,
	METER_COUNT
};

/* LABEL, MORE: as many as the meter names, else NULL.  Counters: add; gauges: set. */
void meter(struct metrics *m, enum meter which, const char *label, const char *more, double value);

#endif
