/*
 * fit.h -- from series to an artefact: train the networks, select the ensemble's weights and the calibration on windows held back,
 * state how good it all is there.  What `forebay train` and the model trainer do.
 */
#ifndef FOREBAY_FORECAST_FIT_H
#define FOREBAY_FORECAST_FIT_H

#include "common/forecast/artefact.h"
#include "common/forecast/panel.h"
#include "common/forecast/train.h"

/*
 * Fill ensemble, calibration, figures and version of A, whose networks are trained, by rolling forecasts over the last WINDOWS windows of
 * RULE->horizon steps of TARGETS (at most MOST series, evenly chosen): greedy weights on all of them, shifts of what is combined
 * by leaving each window out in turn.  Figures: wql, mase, coverage80, coverage95 of the ensemble, wql.<member> of each member.  REPORT (may be
 * NULL) is told the share done, 0 to 1.  -1 on NO_MEMORY, OPTION_INVALID (no series is long enough).
 */
int fit_ensemble(struct artefact *a, const struct panel_rule *rule, const struct target *targets, size_t n,
		 size_t windows, size_t most, void (*report)(void *self, double share), void *self, struct err *err);

/*
 * How many windows to hold back: so many that 200 forecasts are judged, at least 2 and at most 20, and not more than a tenth of a
 * series' usual length.
 */
size_t fit_windows(const struct target *targets, size_t n, size_t horizon);

/*
 * A training that has ended becomes an artefact: networks are copied, name, version, cut-off and data hash filled.  The weakest
 * networks are left out: those whose validation is worse than the best by more than half.
 */
int fit_artefact(const struct training *t, const char *name, const struct target *targets, size_t n, int64_t now_us,
		 struct artefact *ret, struct err *err);

/* Of the series' values, beginnings and lengths, in order: what artefact.data has of those that were learnt from. */
uint64_t fit_data_hash(const struct target *targets, size_t n);

/* Name A by a hash of the data and of all that its forecasts depend on: weights, and what ensemble and calibration start from. */
void fit_version(struct artefact *a);

#endif
