/* judge.c -- see judge.h. */
#include "workers/batch-forecaster/judge.h"

#include <math.h>

#include "common/forecast/accuracy.h"
#include "common/record/outcome.h"

#define LOSS_MOST 1e100

static const struct metric_spec outcome_spec = {
	"forebay_forecaster_outcomes_total", METRIC_COUNTER, "drift",
	"steps of forecasts that met their values, by whether the series' losses had grown for good then: no, yes"
};
static const struct metric_spec dropped_spec = {
	"forebay_forecaster_outcomes_unknown_total", METRIC_COUNTER, "",
	"steps of forecasts whose values never came: missing, or made up from their neighbours"
};
static const char *const drift_names[] = { "no", "yes" };

int
judge_open(struct judge *j, const struct forecaster_options *opt, const struct forecast_plan *plan, struct worker *w,
	   struct err *err)
{
	*j = (struct judge){ .plan = plan };
	for (size_t i = 0; i < ARRAY_LEN(j->outcomes); i++)
		j->outcomes[i] = metrics_series(worker_metrics(w), &outcome_spec, &drift_names[i]);
	j->dropped = metrics_series(worker_metrics(w), &dropped_spec, NULL);
	return opt->outcomes_topic[0] ? worker_output(w, opt->outcomes_topic, &outcome_record, &j->output, err) : 0;
}

/* A step and its value. */
struct hearing {
	struct owed_row row;
	struct owed_room room;
	const struct adopted *versions;
	double value, loss;
	bool drift;
};

static double
loss_of(const struct judge *j, const struct hearing *h, const double *quantiles)
{
	const struct panel_rule *rule = &j->plan->panel;
	double sum = 0;

	for (size_t q = 0; q < rule->n_levels; q++)
		sum += accuracy_pinball(rule->levels[q], quantiles[q], h->value) / (double)rule->n_levels;
	return fmin(sum / h->row.scale, LOSS_MOST);
}

/* The losses of the members that took part.  NULL: no memory. */
static struct outcome_loss *
member_losses(const struct judge *j, const struct hearing *h, struct arena *arena, size_t *n)
{
	struct outcome_loss *losses = arena_alloc(arena, PANEL_MEMBERS * sizeof(*losses));

	*n = 0;
	for (uint32_t m = 0; losses && m < PANEL_MEMBERS; m++)
		if (h->row.awake & 1U << m)
			losses[(*n)++] = (struct outcome_loss){ span_of(panel_member_name((enum panel_member)m)),
								loss_of(j, h, h->row.members + m * h->row.n_levels) };
	return losses;
}

static int
tell(struct judge *j, struct context *ctx, const struct order *o, const struct hearing *h, struct err *err)
{
	const struct owed_row *row = &h->row;
	struct adopted_parts parts = adopted_parts(h->versions);
	bool trained = parts.serving.len && row->awake & 1U << PANEL_DEEPAR;
	struct outcome record = {
		.device = o->device,
		.metric = o->metric,
		.origin_us = row->origin_us,
		.event_us = row->start_us,
		.step = (int32_t)row->step,
		.value = h->value,
		.scale = row->scale,
		.loss = h->loss,
		.lower = row->sent[0],
		.upper = row->sent[row->n_levels - 1],
		.model = row->awake & ~NAIVE_MEMBERS ? SPAN("ensemble") : SPAN("seasonal-naive"),
		.model_loss = NAN,
		.rival_loss = NAN,
		.drift = h->drift,
		.ingest_us = o->track->history.ingest_us,
	};

	if (trained) {
		record.model = parts.name;
		record.version = parts.serving;
		record.model_loss = loss_of(j, h, row->members + PANEL_DEEPAR * row->n_levels);
	}
	if (parts.rival.len && row->rival) {
		record.rival = parts.rival;
		record.rival_loss = loss_of(j, h, row->rival);
	}
	record.members = member_losses(j, h, context_arena(ctx), &record.n_members);
	if (!record.members)
		return err_set(err, REASON_NO_MEMORY, "outcome");
	return context_emit(ctx, j->output, o->device, &record, err);
}

/* The value of a step, if a reading tells it; NaN. */
static double
value_of(const struct history *h, const struct series *w, int64_t start_us)
{
	int64_t at = (start_us - w->start_us) / w->step_us;

	if (start_us >= w->start_us && at < (int64_t)w->n_target && w->flags[at] & POINT_IMPUTED)
		return NAN;
	return history_at(h, start_us);
}

static int
hear(struct judge *j, struct context *ctx, const struct desk *desk, const struct order *o, struct hearing *h,
     size_t bucket, struct panelist *learnt, struct err *err)
{
	const struct owed_row *row = &h->row;

	h->loss = loss_of(j, h, row->sent);
	h->drift = watch_add(&o->track->watch, &j->plan->drift, bucket, h->loss);
	panel_learn(desk->panel, learnt, row->step, row->awake, row->members, row->combined, h->value, row->scale);
	if (context_silent(ctx))
		return 0;
	metric_add(j->outcomes[h->drift], 1);
	return j->output ? tell(j, ctx, o, h, err) : 0;
}

/* One step owed whose time has come. */
static int
settle_one(struct judge *j, struct context *ctx, const struct desk *desk, const struct order *o, const struct series *w,
	   size_t bucket, struct panelist *learnt, bool *heard, struct err *err)
{
	struct owed *owed = o->track->owed[bucket];
	struct hearing h = { .versions = owed_versions(owed) };
	int result = 0;

	h.row = owed_look(owed, &h.room);
	h.value = value_of(&o->track->history, w, h.row.start_us);
	if (isfinite(h.value) && h.row.n_levels == j->plan->panel.n_levels && h.row.step < j->plan->panel.horizon) {
		*heard = true;
		result = hear(j, ctx, desk, o, &h, bucket, learnt, err);
	} else if (!context_silent(ctx)) {
		metric_add(j->dropped, 1);
	}
	owed_release(owed);
	o->track->owed[bucket] = NULL;
	return result;
}

int
judge_settle(struct judge *j, struct context *ctx, const struct desk *desk, const struct order *o,
	     const struct series *w, struct err *err)
{
	struct track *t = o->track;
	struct panelist learnt;
	struct learnt *packed = NULL;
	bool heard = false;

	learnt_unpack(t->learnt, desk->size, &learnt);
	for (size_t b = 0; b < ENSEMBLE_BUCKETS_MAX; b++)
		if (t->owed[b] && owed_start(t->owed[b]) < t->history.end_us &&
		    settle_one(j, ctx, desk, o, w, b, &learnt, &heard, err) < 0)
			return -1;
	if (!heard)
		return 0;
	if (learnt_pack(desk->size, &learnt, &packed, err) < 0)
		return -1;
	learnt_release(t->learnt);
	t->learnt = packed;
	return 0;
}
