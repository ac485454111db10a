/*
 * panel.h -- all members around one table: the classical ones, a live model and perhaps a canary; their forecasts combined and
 * calibrated.  This is the one way from a series to its forecast: backtests, files, the batch forecaster and the scorer's
 * forecasts on demand go through it.
 *
 * What a series has taught (weights, shifts, drift) is a `struct panelist` that the caller keeps and hands in; the panel itself
 * learns nothing.  A series learns slowly by itself.  A caller that has many alike at hand, one origin after the other, may also
 * keep one `struct calibration` for all of them, which learns fast: a caller whose forecasts must not depend on who else is there,
 * like the batch forecaster, does without.  One thread.
 */
#ifndef FOREBAY_FORECAST_PANEL_H
#define FOREBAY_FORECAST_PANEL_H

#include "common/forecast/artefact.h"
#include "common/forecast/calibrate.h"
#include "common/forecast/classical.h"
#include "common/forecast/drift.h"
#include "common/forecast/ensemble.h"
#include "common/forecast/kernel.h"
#include "common/forecast/target.h"

enum panel_member {
	PANEL_LAST = CLASSICAL_LAST,
	PANEL_SEASON = CLASSICAL_SEASON,
	PANEL_LONG_SEASON = CLASSICAL_LONG_SEASON,
	PANEL_THETA = CLASSICAL_THETA,
	PANEL_ETS = CLASSICAL_ETS,
	PANEL_RIDGE = CLASSICAL_RIDGE,
	PANEL_DEEPAR = CLASSICAL_COUNT, /* the model that serves this series: live, or the canary */
	PANEL_MEMBERS                   /* <= ENSEMBLE_MEMBERS_MAX */
};

const char *panel_member_name(enum panel_member m);
/* Comma separated names ("season,theta,deepar"), "all": a set of bits.  -1 on OPTION_INVALID. */
int panel_members_parse(const char *text, uint32_t *members, struct err *err);

#define PANEL_PATHS_LEAST 32

struct panel_rule {
	struct frequency frequency;
	size_t horizon;
	double levels[ENSEMBLE_LEVELS_MAX];
	size_t n_levels;
	uint32_t members; /* bits of those that take part */

	/*
	 * Of DeepAR: 100 for each network; or, where somebody waits, for all of them together, in whole vectors and at least
	 * PANEL_PATHS_LEAST each.
	 */
	size_t paths;
	bool share_paths;

	uint64_t seed;      /* of noise */
	size_t history_max; /* points that classical members look at, 0: all; 1000 */
	bool calibrate;

	/* panel_learn() is told one step of each part of a forecast's horizon, as by a fleet; else all, as by a backtest. */
	bool single_steps;
};

struct panel;

/*
 * MODEL may be NULL: DeepAR sleeps, the ensemble's prior is the frequency's default (for a series that has not been seen for a season
 * yet, that of series without).  With it, prior weights and shifts are the
 * artefact's, as far as its levels are RULE's (others are interpolated).  The panel keeps a reference; it must outlive it.  -1 on
 * OPTION_INVALID (another frequency; a horizon beyond the model's: says both), NO_MEMORY.
 */
int panel_new(const struct panel_rule *rule, const struct artefact *model, const struct kernel *kernel,
	      struct panel **ret, struct err *err);
void panel_free(struct panel *p);
DEFINE_CLEANUP(struct panel, panel_free)

const struct ensemble_rule *panel_ensemble(const struct panel *p);

/*
 * What shifts of a step are counted in: the width of its COMBINED row from level .1 to .9 (or the nearest that there are), at least
 * a thousandth of the series' SCALE; 0 where it has no width, as that of a constant series, which no shift is to move.
 */
double panel_unit(const struct panel *p, const double *combined, double scale);

/* What a series has taught.  Zeroed: nothing. */
struct panelist {
	struct ensemble ensemble;
	struct calibration calibration;
};

enum forecast_basis {
	FORECAST_NOTHING, /* no value is known: there is no forecast */
	FORECAST_NAIVE,   /* only the last value, or naive members, had something to say */
	FORECAST_CLASSICAL,
	FORECAST_MODEL, /* the trained model took part */
};

struct panel_forecast {
	enum forecast_basis basis;
	uint32_t awake;   /* members that took part */
	double scale;     /* of the series: mean |value| of its last two horizons, for losses and units; > 0 */
	double *values;   /* horizon x n_levels: combined and calibrated; the caller's memory, like all below */
	double *combined; /* the same before calibration; NULL: not wanted */
	double *members;  /* horizon x n_members x n_levels; NULL: not wanted */
	float weights[PANEL_MEMBERS]; /* mean over steps and levels */
	/* See panel_lean(); NaN: nothing is known of that member; undefined without a forecast. */
	float lean[ENSEMBLE_BUCKETS_MAX][CLASSICAL_COUNT];
};

struct panel_request {
	const struct target *target;
	const struct panelist *learnt; /* NULL: nothing */
	uint64_t noise;
	const struct calibration *together; /* what series alike have taught, panel_learn_together(); NULL: nothing */
};

/*
 * Forecast N series from their ends.  As long as little has been learnt, weights of classical members lean on what each would have lost
 * at the end of the series itself.  Quantiles go to values that the series keeps coming back to (mass.h).  One bad series spoils no
 * other: what is wrong with it (categories, dynamic features) puts DeepAR to sleep for it alone.  -1 on NO_MEMORY.
 */
int panel_forecast(struct panel *p, const struct panel_request *requests, struct panel_forecast *ret, size_t n,
		   struct err *err);

/*
 * *RET is RULE with the prior weights that it would have had in forecast F: what classical members have together is theirs by their
 * factors in F's `lean`.
 */
void panel_lean(const struct ensemble_rule *rule, const struct panel_forecast *f, struct ensemble_rule *ret);

/* Step STEP of a forecast turned out to be VALUE: COMBINED and MEMBERS are its rows of that step. */
void panel_learn(const struct panel *p, struct panelist *learnt, size_t step, uint32_t awake, const double *members,
		 const double *combined, double value, double scale);

/*
 * The same for all of SERIES series that were forecast at one origin, of one of them, which has taught LEARNT: *TOGETHER, zeroed at
 * the beginning, makes the intervals of all of them wider or narrower.
 */
void panel_learn_together(const struct panel *p, const struct panelist *learnt, struct calibration *together,
			  size_t series, size_t step, const double *combined, double value, double scale);

#endif
