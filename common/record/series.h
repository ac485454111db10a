/* series.h -- telemetry.series: a window of one device's metric on a fixed step, in the shape of DeepAR's input. */
#ifndef FOREBAY_RECORD_SERIES_H
#define FOREBAY_RECORD_SERIES_H

#include <stddef.h>
#include <stdint.h>

#include "common/record/codec.h"

/* Bits of series.flags, one byte per step. */
#define POINT_IMPUTED 1 /* no reading fell into this step: filled from its neighbours */
#define POINT_OUTLIER 2 /* a reading in this step was flagged as an outlier */
#define POINT_CLIPPED 4 /* ... and was moved to the edge of the accepted range */

struct series {
	struct span device, metric;
	struct span unit; /* SPAN_NONE: not known */
	int64_t start_us; /* of the first step; step i covers [start + i*step, start + (i+1)*step) */
	int64_t step_us;
	int64_t sequence; /* number of this window for this device and metric, from 0 */
	double *target;   /* n_target values; NaN where nothing is known */
	uint8_t *flags;   /* n_target bytes of POINT_* */
	size_t n_target;
	int64_t readings; /* that went into this window */
	int64_t imputed, outliers, dropped, late, repeated;
	int64_t ingest_us; /* greatest ingest time among the readings */
};

extern const struct record_type series_record;

#endif
