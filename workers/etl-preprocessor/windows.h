/* windows.h -- a finished window as the two records that the worker writes. */
#ifndef FOREBAY_ETL_WINDOWS_H
#define FOREBAY_ETL_WINDOWS_H

#include "common/record/aggregate.h"
#include "common/record/series.h"
#include "workers/etl-preprocessor/cleaner.h"

/* Arrays and texts of the results are those of C, DEVICE and METRIC. */
struct series windows_series(const struct cleaner *c, struct span device, struct span metric);

/*
 * The statistics of the readings that went into the window: without dropped ones, clipped ones as clipped.  The deviation
 * is that of a sample (divisor count - 1): NaN for fewer than two.
 */
struct aggregate windows_aggregate(const struct cleaner *c, struct span device, struct span metric);

#endif
