/* score.h -- scores: how unusual one value of a reading is, or one reading's values of a group together. */
#ifndef FOREBAY_RECORD_SCORE_H
#define FOREBAY_RECORD_SCORE_H

#include <stdint.h>

#include "common/record/attribution.h"
#include "common/record/codec.h"

struct score {
	struct span device, metric; /* metric: "group:NAME" for a group */
	int64_t event_us;
	double value;                  /* of a group the score of its forest */
	double p_value;                /* calibrated, in (0, 1]: chance of something this unusual when all is well */
	double onset;                  /* -log10 p with a refractory time: for alerts */
	double state;                  /* smoothed -log10 p: for dashboards */
	double p_scalar;               /* of the scalar statistics */
	double p_forecast;             /* two-sided tail under the forecast; NaN: no forecast covers this time */
	double expected, lower, upper; /* median and the 5 % and 95 % quantiles of the forecast; NaN without one */
	int64_t ingest_us;
	struct span basis; /* "forecast" (topic, cache), "ondemand" (the scorer's own), "none"; "": an old record */
	double p_forest, p_neighbours;   /* NaN: not computed */
	int64_t forecast_origin_us;      /* TIME_NONE without a forecast */
	struct span model;               /* of that forecast, "name/version"; "": none, or not known */
	struct attributions attribution; /* of a group's columns */
	struct span note; /* "late", "ahead", "learning", "constant", "capped"; "": nothing else is to be known */
};

extern const struct record_type score_record;

#endif
