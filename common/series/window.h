/*
 * window.h -- consecutive steps gathered to a window: flat arrays of values and flags, and what is known of all its
 * readings together.  One owner; a zeroed structure is an empty window number 0.
 */
#ifndef FOREBAY_SERIES_WINDOW_H
#define FOREBAY_SERIES_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/series/calendar.h"
#include "common/series/resample.h"

struct window {
	int64_t first;    /* number of its first step; only with n > 0 */
	int64_t sequence; /* windows of this series that were finished before */
	size_t n, cap;    /* steps in it, at most window_rule.steps */
	double *values;   /* NaN: not known */
	uint8_t *flags;   /* STEP_* */
	struct moments readings;
	struct tally tally;
};

/* COPY becomes a deep copy of W (its own content is not freed).  -1 when memory is out: *COPY may then be cleared. */
int window_copy(struct window *copy, const struct window *w);
void window_clear(struct window *w);

/*
 * Add S, the step that follows the last one, with VALUE (its own or a filled one).  W must not be full.
 * -1 when memory is out.
 */
int window_append(struct window *w, const struct step *s, double value);

/* Has W reached its end? */
bool window_full(const struct window *w, const struct window_rule *rule);

/* W is done with: empty, the next in sequence. */
void window_next(struct window *w);

#endif
