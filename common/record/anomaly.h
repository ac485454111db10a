/* anomaly.h -- anomalies: one record per strange value, when it begins, and one when a new level is accepted as usual. */
#ifndef FOREBAY_RECORD_ANOMALY_H
#define FOREBAY_RECORD_ANOMALY_H

#include <stdint.h>

#include "common/record/attribution.h"
#include "common/record/codec.h"

enum anomaly_kind {
	ANOMALY_ONSET,
	ANOMALY_SHIFT_ACCEPTED, /* the level that was strange is the usual one from here on */
	ANOMALY_UNKNOWN,        /* a kind of a later version */
	ANOMALY_KIND_COUNT
};

const char *anomaly_kind_name(enum anomaly_kind k); /* "onset", "shift_accepted", "unknown" */

struct anomaly {
	struct span device, metric; /* metric: "group:NAME" for a group */
	int64_t event_us;
	enum anomaly_kind kind;
	double value;                                        /* of a group the score of its forest */
	double expected, lower, upper;                       /* of the forecast, else of the past; NaN for a group */
	double p_value, onset, state;                        /* as in the score */
	double p_scalar, p_forecast, p_forest, p_neighbours; /* NaN: not computed */
	int64_t forecast_origin_us;                          /* TIME_NONE without a forecast */
	struct span model;                                   /* of that forecast, "name/version" */
	struct span detector;                                /* whose p-value was the smallest */
	struct attributions attribution;                     /* of a group's columns */
	struct span reason;                                  /* one line for people */
	struct span alert;                                   /* id of the alert that is open; "": none is */
	int64_t ingest_us;
};

extern const struct record_type anomaly_record;

#endif
