/* follow.c -- see follow.h. */
#include "workers/model-trainer/follow.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/store/models.h"
#include "workers/model-trainer/source.h"

#define CHANGES 100                     /* of a model that are looked through for a canary's promotion */
#define MARGIN_US (600 * US_PER_SECOND) /* clocks of producers may be behind ours */

void
follow_clear(struct follow *f)
{
	for (size_t i = 0; i < f->n; i++)
		watch_free(f->models[i].watch);
	free(f->models);
	scan_free(f->scan);
	free(f->partitions);
	*f = (struct follow){ 0 };
}

struct followed *
follow_find(struct follow *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->models[i].name, name) == 0)
			return &f->models[i];
	return NULL;
}

void
follow_trained(struct followed *m)
{
	m->ended_us = clock_real_us();
	m->under_way = false;
	m->wanted = RETRAIN_NO;
	watch_forget_drift(m->watch);
}

/* ---- models ---- */

/* One of ours: "<model.name>-<frequency>".  A list's texts end in NUL. */
static bool
is_ours(const struct job *j, struct span name)
{
	size_t n = strlen(j->opt.model_name);
	struct frequency f;

	return name.len > n + 1 && name.len < ARTEFACT_TEXT_BYTES && memcmp(name.ptr, j->opt.model_name, n) == 0 &&
	       name.ptr[n] == '-' && frequency_parse(name.ptr + n + 1, &f, NULL) == 0;
}

static struct followed *
add(struct job *j, struct follow *f, const char *name, struct arena *arena, struct err *err)
{
	struct followed *grown = realloc(f->models, (f->n + 1) * sizeof(*grown)), *m;
	struct model_training t;

	if (!grown) {
		err_set(err, REASON_NO_MEMORY, "models");
		return NULL;
	}
	f->models = grown;
	m = &f->models[f->n];
	*m = (struct followed){ 0 };
	snprintf(m->name, sizeof(m->name), "%s", name);
	if (models_training_get(j->store, span_of(name), arena, &t, &m->under_way, err) < 0 ||
	    watch_new(&j->rules.watch, &m->watch, err) < 0)
		return NULL;
	f->n++;
	return m;
}

static int
promotion_time(struct job *j, struct followed *m, struct arena *arena, struct err *err)
{
	struct model_change *changes;
	size_t n;

	m->since_us = clock_real_us();
	if (models_changes(j->store, span_of(m->name), CHANGES, arena, &changes, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (changes[i].to == MODEL_CANARY && changes[i].from != MODEL_CANARY &&
		    span_equal(changes[i].version, span_of(m->canary))) {
			m->since_us = changes[i].time_us;
			break;
		}
	return 0;
}

static int
set_trial(struct job *j, struct followed *m, const char *live, const char *canary, struct arena *arena, struct err *err)
{
	bool other = strcmp(m->canary, canary) != 0;

	snprintf(m->live, sizeof(m->live), "%s", live);
	snprintf(m->canary, sizeof(m->canary), "%s", canary);
	if (other && canary[0]) {
		if (promotion_time(j, m, arena, err) < 0) {
			m->canary[0] = '\0';
			return -1;
		}
		log_event(LOG_INFO, "trial", "model", LOG_S(m->name), "canary", LOG_S(canary), "live", LOG_S(live),
			  NULL);
	}
	return watch_trial(m->watch, canary[0] ? span_of(m->canary) : SPAN_NONE, live[0] ? span_of(m->live) : SPAN_NONE,
			   m->since_us, err);
}

/* Model NAME as the list has it. */
static int
learn_of(struct job *j, struct follow *f, struct span name, const struct model *models, size_t n, struct arena *arena,
	 struct err *err)
{
	struct followed *m = follow_find(f, name.ptr);
	const char *live = "", *canary = "";

	if (!m && !(m = add(j, f, name.ptr, arena, err)))
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (!span_equal(models[i].name, name))
			continue;
		if (models[i].status == MODEL_LIVE)
			live = models[i].version.ptr;
		if (models[i].status == MODEL_CANARY)
			canary = models[i].version.ptr;
		if (m->ended_us < models[i].created_us)
			m->ended_us = models[i].created_us;
	}
	return set_trial(j, m, live, canary, arena, err);
}

int
follow_models(struct job *j, struct follow *f, struct err *err)
{
	CLEANUP(arena_free)
	struct arena *arena = arena_new(1 << 16, 0);
	struct model *models;
	size_t n;

	if (!arena)
		return err_set(err, REASON_NO_MEMORY, "models");
	if (models_current(j->store, arena, &models, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		bool told = !is_ours(j, models[i].name);

		for (size_t k = 0; k < i && !told; k++)
			told = span_equal(models[k].name, models[i].name);
		if (!told && learn_of(j, f, models[i].name, models, n, arena, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- outcomes ---- */

/* The earliest time from which any of the models has something to learn of itself. */
static int64_t
beginning(const struct follow *f)
{
	int64_t least = clock_real_us();

	for (size_t i = 0; i < f->n; i++) {
		const struct followed *m = &f->models[i];
		int64_t from = m->canary[0] ? m->since_us - MARGIN_US : m->ended_us;

		if (from < least)
			least = from;
	}
	return least > 0 ? least : 0;
}

static int
begin(struct job *j, struct follow *f, struct err *err)
{
	if (f->partitions)
		return 0;
	if (!f->scan && scan_new(&j->reading, &f->scan, err) < 0)
		return -1;
	f->caught_up = false;
	return source_partitions(j, j->opt.outcomes_topic, beginning(f) / US_PER_MS, &f->partitions, &f->n_partitions,
				 err);
}

struct visit {
	struct job *job;
	struct follow *follow;
	struct arena *arena;
	int64_t records;
	int32_t partition; /* of the record that could not be taken, */
	int64_t offset;    /* and its offset; -1: none */
};

static int
take(struct visit *v, const struct consumed *record, struct err *err)
{
	struct err trouble = ERR_INIT;
	struct outcome o;

	if (job_stop_wanted())
		return err_set(err, REASON_BROKER_DOWN, "asked to stop");
	arena_reset(v->arena);
	if (codec_decode(v->job->outcome, record->value, consumed_header(record->message, "__value_schema_id"),
			 v->arena, &o, &trouble) < 0) {
		if (err_class(&trouble) == ERR_RECORD)
			return 0;
		*err = trouble;
		return -1;
	}
	for (size_t i = 0; i < v->follow->n; i++) {
		const struct followed *m = &v->follow->models[i];
		struct outcome said = o;

		/* By name: the same data and seed give the same version under any name. */
		if (!span_equal(o.model, span_of(m->name)))
			continue;
		/* Read again after a restart: alarms before the last training are answered. */
		if (!v->follow->caught_up && record->timestamp_ms * US_PER_MS < m->ended_us)
			said.drift = false;
		if (watch_outcome(m->watch, &said, err) < 0)
			return -1;
	}
	v->records++;
	return 0;
}

static int
visit(void *ctx, const struct consumed *record, struct err *err)
{
	struct visit *v = ctx;

	if (take(v, record, err) == 0)
		return 0;
	v->partition = record->partition;
	v->offset = record->offset;
	return -1;
}

static int
read_on(struct job *j, struct follow *f, struct err *err)
{
	CLEANUP(arena_free)
	struct arena *arena = arena_new(1 << 16, 1 << 20);
	struct visit v = { .job = j, .follow = f, .arena = arena, .offset = -1 };
	int result;

	if (!arena)
		return err_set(err, REASON_NO_MEMORY, "outcomes");
	if (job_codecs(j, err) < 0 || begin(j, f, err) < 0)
		return -1;
	result =
	    scan_partitions(f->scan, f->partitions, f->n_partitions, (int)j->opt.request_timeout_ms, visit, &v, err);
	meter(j->metrics, METER_OUTCOMES, NULL, NULL, (double)v.records);
	for (size_t i = 0; i < f->n_partitions && v.offset >= 0; i++)
		if (f->partitions[i].partition == v.partition)
			f->partitions[i].offset = v.offset;
	f->caught_up |= result == 0;
	return result;
}

/* ---- verdicts ---- */

static int
end_trial(struct job *j, struct followed *m, enum trial_verdict verdict, const char *why, struct err *err)
{
	enum model_status to = verdict == TRIAL_PROMOTE ? MODEL_LIVE : MODEL_REJECTED;
	struct err refused = ERR_INIT;
	bool changed;

	if (models_change(j->store, span_of(m->name), span_of(m->canary), to, 0, why, &changed, &refused) < 0) {
		if (refused.reason != REASON_OPTION_INVALID) {
			*err = refused;
			return -1;
		}
		log_error(LOG_WARN, "trial was ended by somebody else", &refused, "model", LOG_S(m->name), NULL);
	} else {
		log_event(to == MODEL_LIVE ? LOG_INFO : LOG_WARN, "trial has ended", "model", LOG_S(m->name), "version",
			  LOG_S(m->canary), "standing", LOG_S(model_status_name(to)), "why", LOG_S(why), NULL);
	}
	if (to == MODEL_LIVE)
		snprintf(m->live, sizeof(m->live), "%s", m->canary);
	m->canary[0] = '\0'; /* the next look at the database says what is so */
	return watch_trial(m->watch, SPAN_NONE, SPAN_NONE, 0, err);
}

static int
judge(struct job *j, struct followed *m, struct err *err)
{
	struct trial_report report;
	enum trial_verdict verdict;

	if (watch_verdict(m->watch, clock_real_us(), &verdict, &report, err) < 0)
		return -1;
	if (verdict == TRIAL_NONE)
		return 0;
	meter(j->metrics, METER_TRIAL_RATIO, m->name, NULL, report.loss.ratio);
	meter(j->metrics, METER_TRIAL_OUTCOMES, m->name, NULL, (double)report.outcomes);
	return verdict == TRIAL_GOES_ON ? 0 : end_trial(j, m, verdict, report.why, err);
}

static void
want(struct job *j, struct followed *m)
{
	struct drift_report drift = watch_drift(m->watch);
	const struct retrain_facts facts = { .under_way = m->under_way,
					     .live = m->live[0],
					     .trial = m->canary[0],
					     .drift = drift.alarm,
					     .ended_us = m->ended_us };

	m->wanted = watch_retrain(&j->rules.watch, &facts, clock_real_us());
	meter(j->metrics, METER_DRIFT, m->name, NULL, drift.share);
	if (m->wanted == RETRAIN_DRIFT)
		log_event(LOG_WARN, "drift", "model", LOG_S(m->name), "series", LOG_I((int64_t)drift.series), "drifted",
			  LOG_I((int64_t)drift.drifted), "share", LOG_F(drift.share), NULL);
}

int
follow_outcomes(struct job *j, struct follow *f, struct err *err)
{
	if (!f->n)
		return 0;
	if (read_on(j, f, err) < 0)
		return -1;
	for (size_t i = 0; i < f->n; i++)
		if (judge(j, &f->models[i], err) < 0)
			return -1;
	for (size_t i = 0; i < f->n; i++)
		want(j, &f->models[i]);
	return 0;
}
