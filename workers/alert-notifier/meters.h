/* meters.h -- what the notifier counts. */
#ifndef FOREBAY_NOTIFIER_METERS_H
#define FOREBAY_NOTIFIER_METERS_H

#include "common/metrics/metrics.h"

enum outcome {
	OUTCOME_DELIVERED,
	OUTCOME_RETRIED,
	OUTCOME_REFUSED,
	OUTCOME_TOLD_AGAIN,
	OUTCOME_NOT_TOLD,
	OUTCOME_COUNT
};

/* Of one receiver. */
struct lane_meters {
	struct metric_series *outcomes[OUTCOME_COUNT], *in_flight, *pending, *oldest, *seconds;
};

void lane_meters_init(struct lane_meters *m, struct metrics *metrics, const char *receiver);

#endif
