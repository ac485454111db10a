/* candidate.c -- see candidate.h.  Order: judge, store as candidate, change the standing; each step may find itself done already. */
#include "workers/model-trainer/candidate.h"

#include <math.h>
#include <string.h>

#include "common/base/log.h"
#include "common/store/models.h"
#include "common/worker/announce.h"
#include "workers/model-trainer/holdout.h"

#define WHY_BYTES 500

struct settling {
	struct job *job;
	struct artefact *ours;
	struct arena *arena;
	struct span name, version;
	bool exists;            /* by an earlier attempt, */
	enum model_status now;  /* which has left it as this */
	struct span live;       /* version; SPAN_NONE: there is none */
	struct artefact theirs; /* the live one's */
	bool comparable;
};

const char *
standing_name(enum standing s)
{
	static const char *const names[] = { "stopped", "same", "live", "canary", "rejected" };

	return names[s];
}

static void
settling_clear_cleanup(struct settling *s)
{
	if (s->comparable)
		artefact_clear(&s->theirs);
	arena_free(s->arena);
}

/* What is there: our version, a live one. */
static int
look(struct settling *s, struct err *err)
{
	struct model *models;
	size_t n;

	s->now = MODEL_CANDIDATE;
	if (models_list(s->job->store, s->name, s->arena, &models, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (models[i].status == MODEL_LIVE)
			s->live = models[i].version;
		if (!span_equal(models[i].version, s->version))
			continue;
		s->exists = true;
		s->now = models[i].status;
	}
	return 0;
}

/* A version that was brought from outside may want more than there is: in the fleet nobody is served by it. */
static bool
takes_our_series(const struct artefact *a, struct err *why)
{
	return !a->n_networks || deepar_check_plain(&a->networks[0]->config, why) == 0;
}

/* The live version's artefact, if the two can be compared at all. */
static int
fetch_live(struct settling *s, const struct panel_rule *rule, struct err *err)
{
	struct err why = ERR_INIT;
	struct model m;
	CLEANUP(panel_free)
	struct panel *panel = NULL;
	bool found;

	if (!s->live.ptr)
		return 0;
	if (models_get(s->job->store, s->name, s->live, s->arena, &m, &found, err) < 0)
		return -1;
	if (!found)
		err_set(&why, REASON_STATE_CORRUPT, "it is not there any more");
	else if (artefact_read(m.artefact, &s->theirs, &why) == 0)
		s->comparable = true;
	if (s->comparable &&
	    (panel_new(rule, &s->theirs, NULL, &panel, &why) < 0 || !takes_our_series(&s->theirs, &why))) {
		artefact_clear(&s->theirs);
		s->comparable = false;
	}
	if (!s->comparable)
		log_error(LOG_WARN, "live version is not compared with", &why, "model", LOG_S(s->ours->name), "version",
			  LOG_S(s->live.ptr), NULL);
	return 0;
}

/* Has what passes to stand trial? */
static bool
trial_wanted(const struct settling *s)
{
	return s->comparable && s->job->opt.canary_share > 0;
}

/* Ours has its standing already; a canary without a trial was on its way to live. */
static bool
is_settled(const struct settling *s)
{
	return s->now != MODEL_CANDIDATE && (s->now != MODEL_CANARY || trial_wanted(s));
}

static int
judge(struct settling *s, const struct panel_rule *panel, const struct group *g, struct gate_report *report,
      bool *stopped, struct err *err)
{
	const struct trainer_options *opt = &s->job->opt;
	const struct holdout_rule rule = { *panel, (size_t)opt->gate_windows, trainer_needs(opt),
					   (size_t)opt->gate_series, job_stop_wanted };
	CLEANUP(holdout_clear)
	struct holdout h = { 0 };
	struct gate_evidence evidence;

	if (holdout_run(&rule, s->ours, s->comparable ? &s->theirs : NULL, g->targets, g->n, &h, stopped, err) < 0)
		return -1;
	evidence = (struct gate_evidence){ h.series, h.n, s->comparable, h.failures, h.latency_ms };
	return gate_judge(&s->job->rules.gate, &evidence, report, err);
}

/* Verdicts into figures, metrics and the log. */
static void
tell_verdicts(struct settling *s, const struct gate_report *r)
{
	for (int c = 0; c < GATE_CONDITIONS; c++) {
		const struct gate_verdict *v = &r->of[c];
		char figure[32];

		if (!v->asked)
			continue;
		snprintf(figure, sizeof(figure), "gate.%s", gate_condition_name((enum gate_condition)c));
		if (c != GATE_NUMBERS)
			artefact_set_figure(s->ours, figure, v->value);
		meter(s->job->metrics, METER_FIGURE, s->ours->name, figure, v->value);
		log_event(v->passed ? LOG_INFO : LOG_WARN, "gate", "model", LOG_S(s->ours->name), "version",
			  LOG_S(s->ours->version), "condition", LOG_S(gate_condition_name((enum gate_condition)c)),
			  "passed", LOG_S(v->passed ? "yes" : "no"), "value", LOG_F(v->value), "least", LOG_F(v->least),
			  "most", LOG_F(v->most), "series", LOG_I((int64_t)r->series), NULL);
	}
}

static int
store_candidate(struct settling *s, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer bytes = BUFFER_INIT(CANDIDATE_MAX_BYTES);
	struct artefact *a = s->ours;
	struct model m = { .name = s->name,
			   .version = s->version,
			   .family = SPAN("deepar"),
			   .status = MODEL_CANDIDATE,
			   .created_us = a->created_us,
			   .from_us = a->from_us,
			   .to_us = a->cutoff_us,
			   .parent = s->live };

	m.figures = arena_zalloc(s->arena, (a->n_figures + 1) * sizeof(*m.figures));
	if (!m.figures)
		return err_set(err, REASON_NO_MEMORY, "figures");
	for (size_t i = 0; i < a->n_figures; i++)
		if (isfinite(a->figures[i].value))
			m.figures[m.n_figures++] =
			    (struct model_figure){ span_of(a->figures[i].name), a->figures[i].value };
	if (artefact_write(a, &bytes, err) < 0)
		return -1;
	m.artefact = buffer_span(&bytes);
	return models_add(s->job->store, &m, "trained", err);
}

/* Whoever takes the place of a live version has been canary, without a trial for a moment. */
static int
give(struct settling *s, enum standing standing, const char *why, struct err *err)
{
	static const enum model_status statuses[] = {
		[STANDING_LIVE] = MODEL_LIVE, [STANDING_CANARY] = MODEL_CANARY, [STANDING_REJECTED] = MODEL_REJECTED
	};
	struct store *store = s->job->store;
	bool changed;

	if (standing == STANDING_LIVE && s->live.ptr &&
	    models_change(store, s->name, s->version, MODEL_CANARY, 1, why, &changed, err) < 0)
		return -1;
	return models_change(store, s->name, s->version, statuses[standing], s->job->opt.canary_share, why, &changed,
			     err);
}

static int
decide(struct settling *s, const struct gate_report *report, enum standing *ret, struct err *err)
{
	char why[WHY_BYTES];

	gate_text(report, why, sizeof(why));
	*ret = !report->passed ? STANDING_REJECTED : trial_wanted(s) ? STANDING_CANARY : STANDING_LIVE;
	if (give(s, *ret, why, err) < 0)
		return -1;
	log_event(report->passed ? LOG_INFO : LOG_WARN, "standing", "model", LOG_S(s->ours->name), "version",
		  LOG_S(s->ours->version), "standing", LOG_S(standing_name(*ret)), "why", LOG_S(why), NULL);
	return 0;
}

int
candidate_settle(struct job *j, struct artefact *a, const struct frequency *f, const struct group *g,
		 enum standing *ret, struct err *err)
{
	CLEANUP(settling_clear)
	struct settling s = { .job = j, .ours = a, .arena = arena_new(1 << 16, 0) };
	struct panel_rule panel = trainer_panel(&j->opt, &j->rules, f);
	struct gate_report report;
	bool stopped;

	if (!s.arena)
		return err_set(err, REASON_NO_MEMORY, "candidate");
	s.name = span_of(a->name);
	s.version = span_of(a->version);
	if (look(&s, err) < 0 || fetch_live(&s, &panel, err) < 0)
		return -1;
	*ret = is_settled(&s) ? STANDING_SAME : STANDING_STOPPED;
	if (is_settled(&s))
		return 0;
	if (judge(&s, &panel, g, &report, &stopped, err) < 0)
		return -1;
	if (stopped)
		return 0;
	tell_verdicts(&s, &report);
	if (!s.exists && store_candidate(&s, err) < 0)
		return -1;
	return decide(&s, &report, ret, err);
}

int
candidate_announce(struct job *j, struct err *err)
{
	size_t told = 0;

	if (announce_models(j->store, j->registry, &j->telling, j->opt.models_topic, &told, err) < 0)
		return -1;
	if (told)
		log_event(LOG_INFO, "announced", "topic", LOG_S(j->opt.models_topic), "versions", LOG_I((int64_t)told),
			  NULL);
	return 0;
}
