/*
 * history.h -- the last points of one series, grown window by window: a pure fold of its windows.
 *
 * A copy costs nothing: copies share their points, which are only ever written behind what anyone sees of them.  One
 * thread.
 */
#ifndef FOREBAY_FORECASTER_HISTORY_H
#define FOREBAY_FORECASTER_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/record/series.h"

struct history_rule {
	int64_t max_steps; /* kept; older ones are forgotten */
	int64_t
	    gap_max_steps; /* a hole between windows of at most this becomes NaNs; behind a longer one all begins anew */
};

struct points;

/* Zeroed: nothing seen. */
struct history {
	struct points *points;
	size_t first, n;
	int64_t end_us, step_us; /* where the last point's step ends; meaningless while n is 0 */
	uint64_t unit;           /* a hash of the unit's name; 0: not named so far; meaningless while n is 0 */
	int64_t ingest_us;       /* greatest so far */
	int64_t forgotten;       /* points before the first that is kept, since all began */
	bool pending;            /* its newest end waits for a forecast, until the transaction's end at the latest */
	int64_t stamp_us;        /* while pending: time stamp of the record it came with */
};

enum history_verdict {
	HISTORY_OLD,      /* the window ends no later than the history: nothing has changed */
	HISTORY_GROWN,    /* by what of it is new */
	HISTORY_RESTARTED /* a long gap, another step, another unit: the window is all there is */
};

/* What would become of H with S. */
enum history_verdict history_judge(const struct history_rule *rule, const struct history *h, const struct series *s);

/* -1 on NO_MEMORY. */
int history_append(const struct history_rule *rule, struct history *h, const struct series *s,
		   enum history_verdict *verdict, struct err *err);

/* h->n values, oldest first, NaN where nothing is known.  NULL while n is 0. */
const double *history_values(const struct history *h);

/* The value of the step that begins at START_US; NaN: it is not known, or not any more. */
double history_at(const struct history *h, int64_t start_us);

/* Give H, which has none, copies of N values.  -1 on NO_MEMORY. */
int history_restore(struct history *h, const double *values, size_t n, struct err *err);

/* For struct state_type. */
int history_copy(void *to, const void *from);
void history_clear(void *state);

#endif
