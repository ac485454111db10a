/* meters.c -- see meters.h.  Nothing here is added to often: the series are looked up each time. */
#include "workers/model-trainer/meters.h"

static const struct metric_spec specs[METER_COUNT] = {
	[METER_READY] = { "forebay_ready", METRIC_GAUGE, "", "1 while brokers and database answer" },
	[METER_RETRIES] = { "forebay_retries_total", METRIC_COUNTER, "reason", "attempts that will be repeated" },
	[METER_OUTCOMES] = { "forebay_outcomes_read_total", METRIC_COUNTER, "",
			     "outcomes of forecasts that were read" },
	[METER_EPOCHS] = { "forebay_training_epochs_total", METRIC_COUNTER, "model", "epochs trained" },
	[METER_SHARE] = { "forebay_training_share", METRIC_GAUGE, "model",
			  "of the training's epochs or CPU time, whichever is further; 1: it has ended" },
	[METER_LOSS] = { "forebay_training_loss", METRIC_GAUGE, "model", "mean loss of the newest epoch" },
	[METER_VALIDATION] = { "forebay_training_validation_wql", METRIC_GAUGE, "model",
			       "mean wQL of the newest validation" },
	[METER_SECONDS] = { "forebay_training_cpu_seconds", METRIC_GAUGE, "model", "CPU time of the training so far" },
	[METER_TRAININGS] = { "forebay_trainings_total", METRIC_COUNTER, "model,result",
			      "trainings that ended: live, canary, rejected, same, failed" },
	[METER_FIGURE] = { "forebay_model_figure", METRIC_GAUGE, "model,figure", "of the newest training" },
	[METER_TRIAL_RATIO] = { "forebay_canary_loss_ratio", METRIC_GAUGE, "model",
				"loss of the canary over that of the live version" },
	[METER_TRIAL_OUTCOMES] = { "forebay_canary_outcomes", METRIC_GAUGE, "model",
				   "outcomes that the trial rests on" },
	[METER_DRIFT] = { "forebay_drift_share", METRIC_GAUGE, "model", "of the series, with an alarm in the window" },
};

void
meter(struct metrics *m, enum meter which, const char *label, const char *more, double value)
{
	const char *const labels[] = { label, more };
	struct metric_series *s = metrics_series(m, &specs[which], labels);

	if (specs[which].kind == METRIC_COUNTER)
		metric_add(s, value);
	else
		metric_set(s, value);
}
