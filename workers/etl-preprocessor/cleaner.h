/*
 * cleaner.h -- one series (a device's metric) from readings as they arrive to windows of points on a fixed step.
 *
 *	reading --> order --> outlier? --> step --> gap --> window --> sink
 *
 * A pure fold: windows are a function of the series' readings in their order, of the rule, and of nothing else.
 *
 * A step is finished when a reading of a later step is released; a gap is filled when the next step with a value is
 * finished.  So the value on the far side of a gap is that step's own (its mean), not its first reading: readings at
 * 12:00 (100), 12:01.5 (110), 12:03.2 (115) and any at or after 12:04 give 100, 110, 112.5, 115 at steps of a minute with
 * linear filling, for mean and for last.
 *
 * A gap of more than gap_max_steps ends the window early, without the gap; the next window begins behind it.  So does a
 * change of step_us between two readings: a state may be older than the configuration.
 *
 * So does a change of unit between two values, in the order of event time; what an outlier is is then learnt anew.  A reading
 * that names no unit is in the unit of the one before, and the first one that is named is that of what was before it.  Where
 * the unit changes within a step both windows have that step, each with its own readings.
 */
#ifndef FOREBAY_ETL_CLEANER_H
#define FOREBAY_ETL_CLEANER_H

#include "common/base/error.h"
#include "common/base/span.h"
#include "common/series/gap.h"
#include "common/series/outlier.h"
#include "common/series/window.h"
#include "workers/etl-preprocessor/reorder.h"

struct cleaner_rule {
	struct reorder_rule order;
	bool count_late; /* late readings, and wild ones, show in the windows' tally */
	struct outlier_rule outlier;
	int64_t step_us;
	enum resample_method resample;
	struct gap_rule gap;
	int64_t gap_max_steps;
	struct window_rule window;
};

/* The state of one series.  Zeroed: nothing seen.  Owns what its parts own. */
struct cleaner {
	struct reorder order;
	struct outlier outlier;
	int64_t step_us;  /* that steps and window are counted in; 0: none so far */
	struct step step; /* being filled, while has_step */
	bool has_step;
	struct step *blank; /* finished since the last value with all readings dropped; at most gap_max_steps */
	size_t n_blank, cap_blank;
	double value; /* of the last finished step with a value, number `known`, while has_value */
	int64_t known;
	bool has_value;
	struct window window;
	char *unit; /* names of units, see units.h; not terminated */
	size_t unit_len, cap_unit;
	bool has_unit;
	uint8_t unit_at; /* while has_unit: which of them is that of step and window, from 0 */
};

/* What happened to readings, for the worker's metrics.  The caller starts it zeroed. */
struct cleaner_count {
	int64_t taken, missing, late, repeated, outliers, dropped, wild;
	int64_t unit_changes;
};

/* Receives a finished window; C->window is it.  -1 with *ERR goes up. */
typedef int cleaner_sink(void *ctx, const struct cleaner *c, struct err *err);

/*
 * Take one reading: S (repeated 0, unit 0) and its UNIT (SPAN_NONE: not named; without a NUL).  Calls SINK for every window
 * that it finishes.  -1 on NO_MEMORY, or what the sink says.
 */
int cleaner_add(const struct cleaner_rule *rule, struct cleaner *c, const struct sample *s, struct span unit,
		cleaner_sink *sink, void *ctx, struct cleaner_count *count, struct err *err);

/* -1 on TIME_RANGE: a window around TIME_US would leave the years 1 to 9999. */
int cleaner_check_time(const struct cleaner_rule *rule, int64_t time_us, struct err *err);

/* For struct state_type. */
int cleaner_copy(void *to, const void *from);
void cleaner_clear(void *state);
size_t cleaner_room(const void *state);
void cleaner_save(const void *state, void *to);
void cleaner_restore(void *state, const void *saved);
void cleaner_fetch(const void *state);

#endif
