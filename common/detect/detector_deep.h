/* detector_deep.h -- the detector's members that look at several values together, for detector*.c alone. */
#ifndef FOREBAY_DETECT_DETECTOR_DEEP_H
#define FOREBAY_DETECT_DETECTOR_DEEP_H

#include "common/detect/detector.h"

/* Raw scores of one value, NaN: none. */
struct deep_scores {
	double raw[DETECTOR_DEEP_MEMBERS], p[DETECTOR_DEEP_MEMBERS];
};

/*
 * *DEEP has what the members of O need and nothing else; what was made by other rules begins anew.  -1 on NO_MEMORY,
 * OPTION_INVALID.
 */
int deep_fit(struct detector_deep **deep, const struct detector_options *o, uint64_t key, struct err *err);

/*
 * Judge VALUE, a value GRAIN of which is nothing, and learn it unless TROUBLED (calibrations learn later).  DEEP: NULL, then there are no
 * opinions.
 */
int deep_add(struct detector_deep *deep, const double row[DETECTOR_COLUMNS], double value, double grain, bool troubled,
	     struct deep_scores *ret, struct err *err);
void deep_learn(struct detector_deep *deep, const struct deep_scores *scores, bool suspicious);

int deep_copy(const struct detector_deep *from, struct detector_deep **ret);
void deep_fetch_forest(const struct detector_deep *deep); /* NULL is fine */
void deep_free(struct detector_deep *deep);               /* NULL is fine */
size_t deep_memory(const struct detector_deep *deep);

#endif
