/*
 * detector.h -- one stream's whole detector: its members, their calibration, their fusion, the alert machine.  Numbers in, a
 * verdict out; a fold of (value, event time, what the forecast says), and of nothing else.
 *
 * Each member that is asked for has an opinion on each value, a p-value; NaN while it cannot have one:
 *
 *	scalar		distances from what this stream usually does (scalar.h), calibrated (tails.h)
 *	forecast	the tail probability under a forecast that somebody else made, calibrated
 *	forest		a Random Cut Forest over the last values (forest.h), calibrated
 *	neighbours	the distance of the last values' shape to the nearest earlier one (neighbours.h), calibrated
 */
#ifndef FOREBAY_DETECT_DETECTOR_H
#define FOREBAY_DETECT_DETECTOR_H

#include "common/base/error.h"
#include "common/detect/episode.h"
#include "common/detect/scalar.h"
#include "common/detect/tails.h"

enum detector_member { DETECTOR_SCALAR, DETECTOR_FORECAST, DETECTOR_FOREST, DETECTOR_NEIGHBOURS, DETECTOR_MEMBERS };

extern const char *const detector_member_names[DETECTOR_MEMBERS];

/* "scalar,forecast" as a set of 1 << member.  -1 on OPTION_INVALID: an unknown name, or none. */
int detector_members_parse(const char *text, unsigned *ret, struct err *err);

struct detector_options {
	unsigned members;  /* set of 1 << enum detector_member */
	int slots;         /* of the day, 1..SCALAR_SLOTS_MAX */
	int warmup_values; /* up to so many values p_value is 1, whatever comes */
	struct episode_options episode;
};

#define DETECTOR_CALIBRATED 3    /* features with a calibration of their own, the first ones */
#define DETECTOR_TAIL_FUSED 3    /* of the features' sum of -ln p */
#define DETECTOR_TAIL_FORECAST 4 /* of -ln p under the forecast */
#define DETECTOR_TAILS 5

/* Zeroed is new. */
struct detector {
	struct scalar scalar;
	struct tails tails[DETECTOR_TAILS];
	struct episode episode;
	uint16_t held; /* values in trouble lately, see detector.c */
};

/* TO, undefined before, becomes the same as FROM; what is large is shared until one of them changes.  -1: memory is out. */
int detector_copy(struct detector *to, const struct detector *from);
void detector_clear(struct detector *d); /* free what it owns; it is new again */

struct verdict {
	double p_value;             /* of all members together, in (0, 1] */
	double p[DETECTOR_MEMBERS]; /* each member's own, NaN: no opinion */
	double onset, state;        /* see episode.h */
	enum episode_action action;
};

/*
 * Add VALUE (finite) of EVENT_US, later than the one before.  P_FORECAST is its two-sided tail under the forecast, NaN: none.
 * KEY tells this stream's random numbers from another's.  -1 on NO_MEMORY: the detector may then be part of the way, and only
 * good for detector_clear().
 */
int detector_add(struct detector *d, const struct detector_options *o, uint64_t key, double value, int64_t event_us,
		 double p_forecast, struct verdict *ret, struct err *err);

/* Verdict on a value that comes late: the detector is asked, not changed. */
struct verdict detector_look(const struct detector *d, const struct detector_options *o, double value, int64_t event_us,
			     double p_forecast);

#endif
