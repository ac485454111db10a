/* report_match.h -- alerts against the anomalies that a simulation planted.  Pure. */
#ifndef FOREBAY_CLI_REPORT_MATCH_H
#define FOREBAY_CLI_REPORT_MATCH_H

#include <stddef.h>
#include <stdint.h>

#include "cli/anomaly.h"

struct match_alert {
	const char *device, *metric;
	int64_t starts_us;
	size_t label; /* filled: the anomaly it belongs to; or MATCH_FALSE */
};

#define MATCH_FALSE ((size_t)-1)

struct match_kind {
	char name[32];
	int64_t injected, found;
	int64_t delay_us; /* median of the found: from the first unusual reading to the alert's start */
};

#define MATCH_MOST_KINDS 16

struct match {
	int64_t injected, found, alerts, false_alerts;
	struct match_kind kinds[MATCH_MOST_KINDS]; /* by name; further kinds count in the totals only */
	size_t n_kinds;
};

/*
 * An anomaly is found by an alert of its device and metric that starts within [from, to + TOLERANCE_US].  Further alerts in
 * there belong to it and are not false; an alert belongs to one anomaly, the one that begins last.  FOUND has a place per
 * label: the start of the first alert, or -1.  ALERTS are put in order of device, metric, start.  -1 on NO_MEMORY.
 */
int match_alerts(const struct anomaly_labels *labels, int64_t tolerance_us, struct match_alert *alerts, size_t n_alerts,
		 int64_t *found, struct match *ret, struct err *err);

#endif
