/* ondemand.c -- the panel of the batch forecaster with one series. */
#include "workers/realtime-scorer/ondemand.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/random.h"

#define LEVELS 19

struct ondemand {
	struct ondemand_rule rule;
	struct panel_rule trained; /* of panels with a trained model */
	struct panel *panel;       /* without any; NULL: off */
	double levels[LEVELS];
	double *history, *values; /* rule.recent.steps; rule.horizon x LEVELS */
};

static int
open_panel(struct ondemand *o, struct err *err)
{
	struct panel_rule *rule = &o->trained, without;

	*rule = (struct panel_rule){ .horizon = o->rule.horizon,
				     .n_levels = LEVELS,
				     .members = o->rule.members,
				     .paths = o->rule.paths,
				     .share_paths = true,
				     .seed = o->rule.seed,
				     .history_max = o->rule.recent.steps,
				     .calibrate = true }; /* by what the model brings; nothing is learnt here */
	for (int i = 0; i < LEVELS; i++)
		rule->levels[i] = o->levels[i] = (i + 1) / (LEVELS + 1.0);
	if (frequency_of_step(o->rule.recent.step_us, &rule->frequency, err) < 0)
		return err_wrap(err, "ondemand.step.ms");
	without = *rule;
	without.calibrate = false;
	return panel_new(&without, NULL, NULL, &o->panel, err);
}

int
ondemand_new(const struct ondemand_rule *rule, struct ondemand **ret, struct err *err)
{
	CLEANUP(ondemand_free) struct ondemand *o = calloc(1, sizeof(*o));

	if (!o)
		return err_set(err, REASON_NO_MEMORY, "forecasts on demand");
	o->rule = *rule;
	if (rule->recent.steps > 0) {
		o->history = malloc(rule->recent.steps * sizeof(*o->history));
		o->values = malloc(rule->horizon * LEVELS * sizeof(*o->values));
		if (!o->history || !o->values)
			return err_set(err, REASON_NO_MEMORY, "forecasts on demand");
		if (open_panel(o, err) < 0)
			return -1;
	}
	*ret = TAKE(o);
	return 0;
}

void
ondemand_free(struct ondemand *o)
{
	if (!o)
		return;
	panel_free(o->panel);
	free(o->history);
	free(o->values);
	free(o);
}

bool
ondemand_wants_model(const struct ondemand *o)
{
	return o->panel && o->rule.members >> PANEL_DEEPAR & 1;
}

const struct panel_rule *
ondemand_panel_rule(const struct ondemand *o)
{
	return &o->trained;
}

static size_t
known(const double *values, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += !isnan(values[i]);
	return count;
}

/* With the expert, where it has something to say; else, and then as if there were none, without. */
static int
ask(struct ondemand *o, const struct ondemand_request *r, const struct target *target, int64_t origin_us,
    struct panel_forecast *made, struct err *err)
{
	const struct panel_request request = { .target = target,
					       .noise = random_u64(random_hash(r->key), 0, (uint64_t)origin_us) };

	made->basis = FORECAST_NOTHING;
	if (r->expert && target->n >= r->expert->past && panel_forecast(r->expert->panel, &request, made, 1, err) < 0)
		return -1;
	return made->basis == FORECAST_MODEL ? 0 : panel_forecast(o->panel, &request, made, 1, err);
}

static struct span
version_of(const struct ondemand *o, const struct ondemand_request *r, bool used)
{
	return used ? r->expert->version : ondemand_wants_model(o) ? SPAN("classical") : SPAN("");
}

int
ondemand_make(struct ondemand *o, const struct ondemand_request *r, struct held **ret, bool *used, struct err *err)
{
	const struct recent_rule *rule = &o->rule.recent;
	struct target target = { .values = o->history };
	struct panel_forecast made = { .values = o->values };
	struct forecast f = { .levels = o->levels,
			      .n_levels = LEVELS,
			      .values = o->values,
			      .n_steps = o->rule.horizon,
			      .model = SPAN("ondemand") };

	*ret = NULL;
	*used = false;
	if (!o->panel)
		return 0;
	target.n = recent_history(r->recent, rule, r->event_us, o->history);
	if (known(o->history, target.n) < ONDEMAND_KNOWN_MIN)
		return 0;
	f.origin_us = recent_step_of(rule, r->event_us) * rule->step_us;
	f.step_us = rule->step_us;
	target.start_us = f.origin_us - (int64_t)target.n * rule->step_us;
	if (ask(o, r, &target, f.origin_us, &made, err) < 0)
		return -1;
	if (made.basis == FORECAST_NOTHING)
		return 0;
	*used = made.basis == FORECAST_MODEL;
	f.version = version_of(o, r, *used);
	if (held_new(&f, o->rule.horizon, LEVELS, ret, err) < 0)
		return -1;
	held_mark(*ret);
	return 0;
}
