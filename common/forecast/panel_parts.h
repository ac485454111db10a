/* panel_parts.h -- what panel.c and panel_deepar.c share.  Nobody else includes it. */
#ifndef FOREBAY_FORECAST_PANEL_PARTS_H
#define FOREBAY_FORECAST_PANEL_PARTS_H

#include "common/forecast/engine.h"
#include "common/forecast/panel.h"

#define PANEL_BATCH 64 /* series that go through the networks together */

struct panel {
	struct panel_rule rule;
	const struct artefact *model;
	struct engine *engines[ARTEFACT_NETWORKS_MAX]; /* none: DeepAR sleeps */
	size_t n_engines;
	struct ensemble_rule ensemble;
	struct ensemble_rule seasonless; /* the same with another prior, of a series that has shown no season yet */
	bool selected;                   /* the prior is a model's, whatever a series has shown */
	struct calibration start;
};

/* One engine for each network, where DeepAR takes part.  -1 on OPTION_INVALID, NO_MEMORY. */
int panel_open_networks(struct panel *p, const struct kernel *kernel, struct err *err);

/*
 * DeepAR for N <= PANEL_BATCH requests: VALUES gets [n][horizon][n_levels], the mean over the networks; awake[i]: request i has
 * got numbers.  -1 on NO_MEMORY.
 */
int panel_deepar(struct panel *p, const struct panel_request *requests, size_t n, double *values, bool *awake,
		 struct err *err);

/* F's `lean`, by what its awake members would have lost in the history of IN: LOSSES [CLASSICAL_COUNT][horizon], NaN: not known. */
void panel_find_lean(const struct panel *p, const struct classical_input *in, const double *losses,
		     struct panel_forecast *f);

/* Prior weights where no model has brought any: of a frequency with a season, if SEASONAL, or of one without. */
void panel_default_prior(bool seasonal, struct ensemble_rule *ensemble);

#endif
