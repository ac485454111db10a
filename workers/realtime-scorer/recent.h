/*
 * recent.h -- the near past of a stream: means over steps of a fixed length, as floats relative to the first.  A function of the
 * values that were added.  Copies share the means; counted without atomics: one thread.
 */
#ifndef FOREBAY_SCORER_RECENT_H
#define FOREBAY_SCORER_RECENT_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

#define RECENT_STEPS_MAX 10000

struct recent_rule {
	int64_t step_us; /* > 0; steps begin at whole multiples of it since 1970 */
	size_t steps;    /* means that are kept; 0: nothing is */
};

struct means;

/* Zeroed is new. */
struct recent {
	struct means *means; /* of finished steps, NaN where there was no value; the last is that of `step` - 1 */
	int64_t step_us;     /* of the rule it was made by; 0: nothing was added */
	int64_t step;        /* that is not finished */
	double mean;         /* of its `count` values */
	uint32_t count;
};

void recent_copy(struct recent *to, const struct recent *from);
void recent_clear(struct recent *r);

/* Make room for a value of EVENT_US: recent_add() with it cannot fail then.  Changes nothing that is known.  -1 on NO_MEMORY. */
int recent_reserve(struct recent *r, const struct recent_rule *rule, int64_t event_us, struct err *err);

/* Add the finite VALUE.  A step before the present one, or another rule: all before is forgotten. */
void recent_add(struct recent *r, const struct recent_rule *rule, double value, int64_t event_us);

/*
 * The steps before that of EVENT_US, oldest first, NaN where nothing is known, into VALUES, which has room for rule->steps.  Returns
 * their number.
 */
size_t recent_history(const struct recent *r, const struct recent_rule *rule, int64_t event_us, double *values);

int64_t recent_step_of(const struct recent_rule *rule, int64_t event_us);

/* Laid flat, to be stored. */
struct recent_flat {
	int64_t step_us, step;
	double mean, base;
	uint32_t count;
	float *means;
	size_t n_means;
};

/* The means of the result are R's. */
struct recent_flat recent_lay(const struct recent *r);

/* *R is zeroed before.  -1 on STATE_CORRUPT, NO_MEMORY. */
int recent_restore(const struct recent_flat *flat, struct recent *r, struct err *err);

#endif
