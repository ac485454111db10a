/*
 * emit.c -- a verdict becomes records.
 *
 * An anomaly is an onset score at the firing level.  As that score is quiet for a while after a spike (episode.h), there is one per
 * strange value and not one per strange reading; whether it is part of an alert is the alert's business.
 */
#include "workers/realtime-scorer/emit.h"

#include <math.h>

#include "common/detect/group_reason.h"
#include "workers/realtime-scorer/alerts.h"

static const struct metric_spec basis_spec = {
	"forebay_scorer_scores_total", METRIC_COUNTER, "forecast",
	"scores by whether a forecast covered the event time: yes, ondemand (one made here), "
	"no"
};
static const struct metric_spec row_spec = {
	"forebay_scorer_rows_total", METRIC_COUNTER, "outcome",
	"readings by what they were to a group of their device: judged, outside (too few of its columns), learning (which columns there "
	"are), late, ahead, repeated"
};
static const struct metric_spec alert_spec = { "forebay_scorer_alerts_total", METRIC_COUNTER, "status",
					       "alert records by status" };
static const struct metric_spec anomaly_spec = { "forebay_scorer_anomalies_total", METRIC_COUNTER, "kind",
						 "anomaly records by kind" };

static const char *const basis_names[BASIS_COUNT] = { "yes", "ondemand", "no" };
static const char *const record_names[BASIS_COUNT] = { "forecast", "ondemand", "none" }; /* in Score.basis */

static void
register_meters(struct emitter *e, struct metrics *m)
{
	const char *firing = alert_status_name(ALERT_FIRING), *resolved = alert_status_name(ALERT_RESOLVED);
	const char *onset = anomaly_kind_name(ANOMALY_ONSET), *accepted = anomaly_kind_name(ANOMALY_SHIFT_ACCEPTED);

	for (size_t i = 0; i < BASIS_COUNT; i++)
		e->bases[i] = metrics_series(m, &basis_spec, &basis_names[i]);
	for (size_t i = 0; i < COLLECTIVE_KINDS; i++)
		e->rows[i] = metrics_series(m, &row_spec, &collective_kind_names[i]);
	e->opened = metrics_series(m, &alert_spec, &firing);
	e->resolved = metrics_series(m, &alert_spec, &resolved);
	e->onsets = metrics_series(m, &anomaly_spec, &onset);
	e->accepted = metrics_series(m, &anomaly_spec, &accepted);
}

int
emit_open(struct emitter *e, struct worker *w, const struct scorer_options *opt, struct err *err)
{
	e->critical_p = opt->settings.critical_p;
	e->firing_onset = -log10(opt->settings.firing_p);
	register_meters(e, worker_metrics(w));
	if (worker_output(w, opt->scores_topic, &score_record, &e->scores, err) < 0 ||
	    worker_output(w, opt->anomalies_topic, &anomaly_record, &e->anomalies, err) < 0)
		return -1;
	return worker_output(w, opt->alerts_topic, &alert_record, &e->alerts, err);
}

/* What there is to say beside the score record. */
struct speech {
	struct finding finding;
	enum episode_action action;
	bool accepted;
	struct span words[OCCASIONS];
};

static bool
is_onset(const struct emitter *e, const struct speech *s)
{
	return s->finding.record->onset >= e->firing_onset;
}

static bool
wants(const struct emitter *e, const struct speech *s, enum occasion what)
{
	switch (what) {
	case OCCASION_STRANGE: return s->action == EPISODE_OPENED || is_onset(e, s);
	case OCCASION_OVER: return s->action == EPISODE_CLOSED;
	default: return s->accepted;
	}
}

static int
emit_alert(struct emitter *e, struct context *ctx, const struct speech *s, enum occasion what, struct err *err)
{
	struct finding finding = s->finding;
	struct alert alert;

	finding.reason = s->words[what];
	if (alert_make(&finding, s->action, e->critical_p, context_arena(ctx), &alert, err) < 0)
		return -1;
	metric_add(alert.status == ALERT_FIRING ? e->opened : e->resolved, 1);
	return context_emit(ctx, e->alerts, alert.device, &alert, err);
}

static int
emit_anomaly(struct emitter *e, struct context *ctx, const struct speech *s, enum occasion what, struct err *err)
{
	struct finding finding = s->finding;
	enum anomaly_kind kind = what == OCCASION_ACCEPTED ? ANOMALY_SHIFT_ACCEPTED : ANOMALY_ONSET;
	struct anomaly anomaly;

	finding.reason = s->words[what];
	if (anomaly_make(&finding, kind, context_arena(ctx), &anomaly, err) < 0)
		return -1;
	metric_add(kind == ANOMALY_ONSET ? e->onsets : e->accepted, 1);
	return context_emit(ctx, e->anomalies, anomaly.device, &anomaly, err);
}

/* The score, then what else is due. */
static int
speak(struct emitter *e, struct context *ctx, const struct speech *s, struct err *err)
{
	const struct score *record = s->finding.record;

	for (int i = 0; i < OCCASIONS; i++)
		if (wants(e, s, (enum occasion)i) && !s->words[i].ptr)
			return err_set(err, REASON_NO_MEMORY, "words about an anomaly");
	if (context_emit(ctx, e->scores, record->device, record, err) < 0 ||
	    (is_onset(e, s) && emit_anomaly(e, ctx, s, OCCASION_STRANGE, err) < 0) ||
	    (s->action == EPISODE_OPENED && emit_alert(e, ctx, s, OCCASION_STRANGE, err) < 0) ||
	    (s->action == EPISODE_CLOSED && emit_alert(e, ctx, s, OCCASION_OVER, err) < 0))
		return -1;
	return s->accepted ? emit_anomaly(e, ctx, s, OCCASION_ACCEPTED, err) : 0;
}

static enum emit_basis
basis_of(const struct stream_score *s)
{
	return !s->forecast ? BASIS_NONE : s->ondemand ? BASIS_ONDEMAND : BASIS_FORECAST;
}

static struct span
note_of(bool learning, bool constant, bool capped)
{
	return learning ? SPAN("learning") : constant ? SPAN("constant") : capped ? SPAN("capped") : SPAN("");
}

static struct span
note_of_value(const struct stream_score *s)
{
	const struct verdict *v = &s->verdict;

	switch (s->kind) {
	case ORDER_LATE: return SPAN("late");
	case ORDER_AHEAD: return SPAN("ahead");
	default: return note_of(v->learning, v->constant, v->capped);
	}
}

static struct score
score_of_value(const struct reading *r, const struct reading_value *v, const struct stream_score *s)
{
	const struct outlook none = {
		.p = NAN, .expected = NAN, .lower = NAN, .upper = NAN, .origin_us = TIME_NONE, .model = SPAN("")
	};
	const struct outlook *o = s->forecast ? &s->outlook : &none;

	return (struct score){ .device = r->device,
			       .metric = v->metric,
			       .event_us = r->event_us,
			       .value = v->value,
			       .p_value = s->verdict.p_value,
			       .onset = s->verdict.onset,
			       .state = s->verdict.state,
			       .p_scalar = s->verdict.p[DETECTOR_SCALAR],
			       .p_forecast = o->p,
			       .p_forest = s->verdict.p[DETECTOR_FOREST],
			       .p_neighbours = s->verdict.p[DETECTOR_NEIGHBOURS],
			       .expected = o->expected,
			       .lower = o->lower,
			       .upper = o->upper,
			       .forecast_origin_us = o->origin_us,
			       .model = o->model,
			       .ingest_us = r->ingest_us,
			       .basis = span_of(record_names[basis_of(s)]),
			       .note = note_of_value(s) };
}

/* Without a forecast, what is expected is what was usual before. */
static struct finding
finding_of(const struct score *record, const struct episode *episode, const struct stream_score *s)
{
	const struct scalar_usual *u = &s->usual;
	struct finding f = { .record = record,
			     .episode = episode,
			     .detector = words_detector(s->verdict.p),
			     .expected = record->expected,
			     .lower = record->lower,
			     .upper = record->upper };

	if (s->forecast || !(u->deviation > 0))
		return f;
	f.expected = u->mean;
	f.lower = u->lower;
	f.upper = u->upper;
	return f;
}

int
emit_value(struct emitter *e, struct context *ctx, const struct reading *r, const struct reading_value *v,
	   const struct stream *stream, const struct stream_score *score, struct err *err)
{
	const struct score record = score_of_value(r, v, score);
	struct speech s = { .finding = finding_of(&record, &stream->detector.episode, score),
			    .action = score->verdict.action,
			    .accepted = score->verdict.shifted };

	metric_add(e->bases[basis_of(score)], 1);
	if (score->kind != ORDER_TAKEN) /* only taken values begin or end anything */
		return context_emit(ctx, e->scores, record.device, &record, err);
	for (int i = 0; i < OCCASIONS; i++)
		if (wants(e, &s, (enum occasion)i))
			s.words[i] = words_of_stream((enum occasion)i, v->metric, v->value, score, context_arena(ctx));
	return speak(e, ctx, &s, err);
}

/* The columns to blame, then those that did not come. */
static int
attribute(const struct collective_score *score, struct arena *arena, struct attributions *ret, struct err *err)
{
	struct group_blame blame[FOREST_COLUMNS_MAX];
	size_t columns = columns_count(score->columns), n = group_blame(&score->verdict, columns, blame);
	struct attribution *items = arena_alloc(arena, 2 * columns * sizeof(*items));

	*ret = (struct attributions){ items, 0 };
	if (!items)
		return err_set(err, REASON_NO_MEMORY, "attribution");
	for (size_t i = 0; i < n; i++)
		if (isfinite(score->row[blame[i].column]))
			items[ret->n++] =
			    (struct attribution){ columns_name(score->columns, blame[i].column), blame[i].share,
						  blame[i].high ? ATTRIBUTION_HIGH : ATTRIBUTION_LOW };
	for (size_t i = 0; i < columns; i++)
		if (!isfinite(score->row[i]))
			items[ret->n++] =
			    (struct attribution){ columns_name(score->columns, i), 0, ATTRIBUTION_MISSING };
	return 0;
}

int
emit_row(struct emitter *e, struct context *ctx, const struct reading *r, const struct group_rule *which,
	 const struct collective *c, const struct collective_score *score, struct err *err)
{
	const struct group_verdict *v = &score->verdict;
	struct score record = { .device = r->device,
				.metric = span_of(which->metric),
				.event_us = r->event_us,
				.value = v->score,
				.p_value = v->p_value,
				.onset = v->onset,
				.state = v->state,
				.p_scalar = NAN,
				.p_forecast = NAN,
				.p_forest = v->p_value,
				.p_neighbours = NAN,
				.expected = NAN,
				.lower = NAN,
				.upper = NAN,
				.forecast_origin_us = TIME_NONE,
				.ingest_us = r->ingest_us,
				.basis = span_of(record_names[BASIS_NONE]),
				.note = note_of(v->learning, false, v->capped) };
	struct speech s = { .finding = { .record = &record,
					 .detector = SPAN("group"),
					 .expected = NAN,
					 .lower = NAN,
					 .upper = NAN },
			    .action = v->action,
			    .accepted = v->shifted };

	metric_add(e->rows[score->kind], 1);
	if (score->kind != COLLECTIVE_JUDGED)
		return 0;
	s.finding.episode = group_episode(c->group);
	if (attribute(score, context_arena(ctx), &record.attribution, err) < 0)
		return -1;
	for (int i = 0; i < OCCASIONS; i++)
		if (wants(e, &s, (enum occasion)i))
			s.words[i] = words_of_group((enum occasion)i, which, score, context_arena(ctx));
	return speak(e, ctx, &s, err);
}
