/*
 * detector.h -- one stream's whole detector: scalar statistics, calibration, fusion, alert machine.  Numbers in, a verdict
 * out; a pure fold of (value, event time, what the forecast says).
 */
#ifndef FOREBAY_DETECT_DETECTOR_H
#define FOREBAY_DETECT_DETECTOR_H

#include "common/detect/episode.h"
#include "common/detect/scalar.h"
#include "common/detect/tails.h"

struct detector_options {
	int slots;         /* of the day, 1..SCALAR_SLOTS_MAX */
	int warmup_values; /* up to so many values p_value is 1, whatever comes */
	struct episode_options episode;
};

#define DETECTOR_CALIBRATED 3 /* features with a calibration of their own, the first ones */
#define DETECTOR_FUSED 3      /* of the features' sum of -ln p */
#define DETECTOR_FORECAST 4   /* of -ln p under the forecast */
#define DETECTOR_TAILS 5

/* Zeroed is new.  Plain bytes: may be copied. */
struct detector {
	struct scalar scalar;
	struct tails tails[DETECTOR_TAILS];
	struct episode episode;
	uint16_t held; /* values in trouble lately, see detector.c */
};

_Static_assert(sizeof(struct detector) <= 2048, "a stream's state is copied once a transaction");

struct verdict {
	double p_value, p_scalar; /* in (0, 1] */
	double onset, state;      /* see episode.h */
	enum episode_action action;
};

/* Add VALUE (finite) of EVENT_US, later than the one before.  P_FORECAST is its two-sided tail under the forecast, NaN: none. */
struct verdict detector_add(struct detector *d, const struct detector_options *o, double value, int64_t event_us,
			    double p_forecast);

/* Verdict on a value that comes late: the detector is asked, not changed. */
struct verdict detector_look(const struct detector *d, const struct detector_options *o, double value, int64_t event_us,
			     double p_forecast);

#endif
