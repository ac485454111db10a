/*
 * detector.h -- one stream's whole detector: its members, their calibration, their fusion, the alert machine.  Numbers in, a
 * verdict out; a fold of (value, event time, what the forecast says), and of nothing else.
 *
 * Each member that is asked for has an opinion on each value, a p-value; NaN while it cannot have one:
 *
 *	scalar		distances from what this stream usually does (scalar.h), calibrated (tails.h)
 *	forecast	the tail probability under a forecast that somebody else made, calibrated
 *	forest		a Random Cut Forest over the last values (forest.h), calibrated
 *	neighbours	the distance of the last values' shape to the nearest earlier ones (neighbours.h), calibrated
 *
 * What is a little strange for long counts as what is very strange once (lasting.h).  What lasts is taken for the new normal
 * after a while (episode.h): levels, scales and calibrations then start from what is.
 */
#ifndef FOREBAY_DETECT_DETECTOR_H
#define FOREBAY_DETECT_DETECTOR_H

#include "common/base/error.h"
#include "common/detect/episode.h"
#include "common/detect/forest.h"
#include "common/detect/lasting.h"
#include "common/detect/neighbours.h"
#include "common/detect/scalar.h"
#include "common/detect/tails.h"

enum detector_member { DETECTOR_SCALAR, DETECTOR_FORECAST, DETECTOR_FOREST, DETECTOR_NEIGHBOURS, DETECTOR_MEMBERS };

extern const char *const detector_member_names[DETECTOR_MEMBERS];

/* "scalar,forecast" as a set of 1 << member.  -1 on OPTION_INVALID: an unknown name, or none. */
int detector_members_parse(const char *text, unsigned *ret, struct err *err);

struct detector_options {
	unsigned members;          /* set of 1 << enum detector_member */
	int slots;                 /* of the day, 1..SCALAR_SLOTS_MAX */
	int warmup_values;         /* up to so many values p_value is 1, whatever comes */
	struct forest_rule forest; /* its columns are the detector's to set */
	struct neighbours_rule neighbours;
	struct episode_options episode;
};

/* The one configuration that everything else is measured with. */
struct detector_options detector_defaults(void);

#define DETECTOR_COLUMNS 2 /* of the forest: the value, and how far it is from the one before */

#define DETECTOR_CALIBRATED 4     /* features with a calibration of their own, the first ones */
#define DETECTOR_TAIL_FUSED 4     /* of the features' sum of -ln p */
#define DETECTOR_TAIL_FORECAST 5  /* of -ln p under the forecast */
#define DETECTOR_TAIL_STRANGEST 6 /* of the greatest -ln p of features, forest and neighbours */
#define DETECTOR_TAILS 7
#define DETECTOR_SUMMED 3 /* features in the sum: the first ones */

/* Of the members that look at several values together: what they know, and what their scores usually are. */
enum detector_deep_member { DETECTOR_DEEP_FOREST, DETECTOR_DEEP_NEIGHBOURS, DETECTOR_DEEP_MEMBERS };

struct detector_deep {
	struct forest *forest;         /* NULL: not asked for */
	struct neighbours *neighbours; /* likewise */
	struct tails tails[DETECTOR_DEEP_MEMBERS];
};

/* Zeroed is new. */
struct detector {
	struct scalar scalar;
	struct tails tails[DETECTOR_TAILS];
	struct lasting lasting;
	struct episode episode;
	struct detector_deep *deep; /* the detector's own; NULL: neither was asked for so far */
	float forecast_excess;      /* how much stranger forecasts find the values of late than they should, >= 0 */
	bool troubled;              /* the last value was part of something */
};

/* TO, undefined before, becomes the same as FROM; what is large is shared until one of them changes.  -1: memory is out. */
int detector_copy(struct detector *to, const struct detector *from);
void detector_clear(struct detector *d); /* free what it owns; it is new again */

/*
 * Before a detector_add() that is soon to come, among those of many others: its memory is on its way to the processor meanwhile
 * (but that of forest and neighbours).  Changes nothing, never waits.  About six values ahead is best.
 */
void detector_fetch(const struct detector *d);

/* Right before a detector_add(), for a stream among many others: its forest, if it has one, is read in one sweep, see forest_fetch(). */
void detector_fetch_forest(const struct detector *d);

/* Bytes of memory that it keeps, itself included, shared ones counted in full.  In constant time. */
size_t detector_memory(const struct detector *d);

struct verdict {
	double p_alone;             /* of the value, by all members together, in (0, 1] */
	double p_value;             /* of it and those before it together (lasting.h), in (0, p_alone] */
	double p[DETECTOR_MEMBERS]; /* each member's own, NaN: no opinion */
	double onset, state;        /* see episode.h */
	enum episode_action action;
	enum scalar_feature sign; /* what the scalar statistics mind most; means something where they do */
	bool learning;            /* too few values so far, or since all was learnt anew: p_value is 1 whatever came */
	bool
	    together; /* the value is not strange by itself (p_alone >= episode.pending), but those before it make it so */
	bool
	    constant; /* the stream has not varied yet, or not for long: only flat lines and the end of them mean something */
	bool outside;                     /* beyond all values before it, by a twentieth of their range and more */
	bool capped;                      /* an alert would have opened, but for the number of those before it */
	bool shifted;                     /* what has lasted is the new normal; an open alert closes */
	double level_before, level_after; /* where `shifted` */
};

/*
 * Add VALUE (finite) of EVENT_US, later than the one before.  P_FORECAST is its two-sided tail under the forecast, NaN: none.
 * KEY tells this stream's random numbers from another's.  -1 on NO_MEMORY, OPTION_INVALID (the rules of forest and neighbours): the
 * detector may then be part of the way, and only good for detector_clear().
 */
int detector_add(struct detector *d, const struct detector_options *o, uint64_t key, double value, int64_t event_us,
		 double p_forecast, struct verdict *ret, struct err *err);

/* Verdict on a value that comes late: the detector is asked, not changed. */
struct verdict detector_look(const struct detector *d, const struct detector_options *o, double value, int64_t event_us,
			     double p_forecast);

#endif
