/*
 * outlier.h -- is a value too far from what was normal so far?  |value - mean| > threshold * deviation, with mean and
 * deviation of the values before it.
 */
#ifndef FOREBAY_SERIES_OUTLIER_H
#define FOREBAY_SERIES_OUTLIER_H

#include <stdint.h>

#include "common/series/moments.h"

enum outlier_policy { OUTLIER_DROP, OUTLIER_CLIP, OUTLIER_KEEP };

struct outlier_rule {
	enum outlier_policy policy;
	double threshold; /* deviations, > 0 */
	int64_t warmup;   /* values before the first judgement, >= 2 */
	int64_t restart; /* so many outliers in a row are a new normal: learning starts again with the last; 0: never */
};

/* Of one series; zeroed: nothing seen. */
struct outlier {
	struct moments normal; /* what the judgement rests on */
	int64_t row;           /* outliers without a normal value between them */
};

enum outlier_verdict { OUTLIER_NONE, OUTLIER_KEPT, OUTLIER_CLIPPED, OUTLIER_DROPPED };

/*
 * Judge VALUE (finite) and learn from it; *CLEAN is VALUE, or the edge of the accepted range where it was clipped.
 * Outliers teach nothing unless they are kept.  Where all values were equal any other one is an outlier, and the accepted range
 * is their value.
 */
enum outlier_verdict outlier_judge(const struct outlier_rule *rule, struct outlier *o, double value, double *clean);

#endif
