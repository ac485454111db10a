/* past.h -- the newest points of one series, put together from its windows: a hole becomes NaNs, as in the batch forecaster. */
#ifndef FOREBAY_TRAINER_PAST_H
#define FOREBAY_TRAINER_PAST_H

#include <stddef.h>
#include <stdint.h>

#include "common/record/series.h"

struct past_rule {
	size_t max_steps;      /* kept; older ones are forgotten */
	int64_t gap_max_steps; /* a hole that is longer begins the series anew */
};

struct past {
	char *device, *metric; /* texts that end in NUL */
	double *values;        /* n, oldest first, NaN where nothing is known; NULL while n is 0 */
	size_t n, cap;
	int64_t forgotten; /* points before values[0] since the series began */
	int64_t end_us, step_us;
	uint64_t unit; /* hash of its name; 0: not named so far */
};

/* Zeroed before.  -1 on NO_MEMORY. */
int past_name(struct past *p, struct span device, struct span metric, struct err *err);
/* Add what is new in S.  -1 on NO_MEMORY. */
int past_append(const struct past_rule *rule, struct past *p, const struct series *s, struct err *err);
void past_free(struct past *p); /* NULL is fine */

#endif
