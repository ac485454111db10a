/* attribution.h -- which columns make something strange: an array in scores, anomalies and alerts. */
#ifndef FOREBAY_RECORD_ATTRIBUTION_H
#define FOREBAY_RECORD_ATTRIBUTION_H

#include "common/base/span.h"

enum attribution_direction {
	ATTRIBUTION_HIGH,    /* above what is usual */
	ATTRIBUTION_LOW,     /* below it */
	ATTRIBUTION_MISSING, /* it did not come and was imputed */
	ATTRIBUTION_UNKNOWN, /* a direction of a later version */
	ATTRIBUTION_DIRECTION_COUNT
};

const char *attribution_direction_name(enum attribution_direction d); /* "high", "low", "missing", "unknown" */

struct attribution {
	struct span column;
	double share; /* of the score, 0..1; 0 where it is missing */
	enum attribution_direction direction;
};

#define ATTRIBUTION_MAX 256 /* in one record */

struct attributions {
	struct attribution *items;
	size_t n;
};

#endif
