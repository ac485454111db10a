/*
 * holdout.h -- what the gate judges: forecasts of windows that the training did not see, by the new version, by the live one, and by
 * the naive members.
 */
#ifndef FOREBAY_TRAINER_HOLDOUT_H
#define FOREBAY_TRAINER_HOLDOUT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/forecast/accuracy.h"
#include "common/forecast/panel.h"
#include "workers/model-trainer/gate.h"

struct holdout_rule {
	struct panel_rule panel;
	size_t windows; /* of panel.horizon, at the end of every series */
	size_t needs;   /* points: shorter series are left out */
	size_t most;    /* series, evenly chosen among the others */
	bool (*stop)(void);
};

/* Zeroed before. */
struct holdout {
	struct gate_series *series; /* those about which anything is known */
	size_t n;
	uint64_t failures;
	double latency_ms;        /* p99 of the candidate's forecasts, CPU time */
	struct accuracy accuracy; /* of the candidate */
};

void holdout_clear(struct holdout *h);

static inline void
holdout_clear_cleanup(struct holdout *h)
{
	holdout_clear(h);
}

/* LIVE may be NULL.  *STOPPED: RULE->stop() said so; *RET is then of no use.  -1 on what panel.h says. */
int holdout_run(const struct holdout_rule *rule, const struct artefact *candidate, const struct artefact *live,
		const struct target *targets, size_t n, struct holdout *ret, bool *stopped, struct err *err);

#endif
