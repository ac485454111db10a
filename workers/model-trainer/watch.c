/*
 * watch.c -- for every series the sum of both versions' losses over the trial, when it was seen, when its detector alarmed.
 * Verdicts are worked out when asked for.
 */
#include "workers/model-trainer/watch.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/map.h"
#include "common/base/random.h"

#define VERSION_BYTES 200
#define EARLY_CONFIDENCE .995
#define EARLY_SERIES 5
#define EARLY_OUTCOMES 30
#define FAILURES_LEAST 5
#define FAILURES_SHARE .05

struct sight {
	double ours, theirs;
	uint64_t pairs;
	int64_t seen_us, drift_us; /* event times; INT64_MIN: never */
};

struct watch {
	struct watch_rule rule;
	struct map *series;
	char canary[VERSION_BYTES], live[VERSION_BYTES];
	int64_t since_us, newest_us, swept_us;
	uint64_t outcomes, failures;
	bool compared; /* the next two are of these outcomes */
	struct paired usual, early;
};

int
watch_new(const struct watch_rule *rule, struct watch **ret, struct err *err)
{
	CLEANUP(watch_free)
	struct watch *w = calloc(1, sizeof(*w));

	if (!w || !(w->series = map_new(free)))
		return err_set(err, REASON_NO_MEMORY, "watch");
	w->rule = *rule;
	w->newest_us = w->swept_us = INT64_MIN;
	*ret = TAKE(w);
	return 0;
}

void
watch_free(struct watch *w)
{
	if (!w)
		return;
	map_free(w->series);
	free(w);
}

static void
forget_trial(struct watch *w)
{
	struct span key;
	void *value;

	for (size_t at = 0; map_next(w->series, &at, &key, &value);) {
		struct sight *s = value;

		s->ours = s->theirs = 0;
		s->pairs = 0;
	}
	w->outcomes = w->failures = 0;
	w->compared = false;
	w->canary[0] = w->live[0] = '\0';
}

int
watch_trial(struct watch *w, struct span canary, struct span live, int64_t since_us, struct err *err)
{
	if (canary.len >= VERSION_BYTES || live.len >= VERSION_BYTES)
		return err_set(err, REASON_NO_MEMORY, "version \"%.*s\" has more than %d bytes", 40,
			       canary.ptr ? canary.ptr : live.ptr, VERSION_BYTES - 1);
	if (span_equal(canary, span_of(w->canary)) && (!canary.len || span_equal(live, span_of(w->live))))
		return 0;
	forget_trial(w);
	snprintf(w->canary, sizeof(w->canary), "%.*s", SPAN_ARG(canary));
	if (canary.len)
		snprintf(w->live, sizeof(w->live), "%.*s", SPAN_ARG(live));
	w->since_us = since_us;
	return 0;
}

/* Nothing of it counts any more. */
static bool
is_over(const struct watch *w, const struct sight *s)
{
	return !s->pairs && s->seen_us < w->newest_us - w->rule.drift_us;
}

/* There are as many series as may be: those that have fallen silent make room, looked for once in a window. */
static bool
make_room(struct watch *w)
{
	struct span key;
	void *value;

	if (w->swept_us != INT64_MIN && w->newest_us - w->swept_us < w->rule.drift_us)
		return false;
	w->swept_us = w->newest_us;
	for (size_t at = 0; map_next(w->series, &at, &key, &value);)
		if (is_over(w, value))
			free(map_take(w->series, key));
	return map_count(w->series) < WATCH_SERIES_MAX;
}

static struct sight *
sight_of(struct watch *w, const struct outcome *o)
{
	const struct span parts[] = { o->device, o->metric };
	char name[RANDOM_NAME_BYTES];
	struct sight *s;

	random_name(parts, ARRAY_LEN(parts), name);
	s = map_get(w->series, span_of(name));
	if (s || (map_count(w->series) >= WATCH_SERIES_MAX && !make_room(w)))
		return s;
	s = calloc(1, sizeof(*s));
	if (s)
		s->seen_us = s->drift_us = INT64_MIN;
	if (s && map_put(w->series, span_of(name), s) < 0) {
		free(s);
		s = NULL;
	}
	return s;
}

/* The canary serves and the live version is its rival, or the other way round. */
static void
judge(struct watch *w, const struct outcome *o, struct sight *s)
{
	struct span canary = span_of(w->canary), live = span_of(w->live);
	bool serves = span_equal(o->version, canary), rivals = span_equal(o->rival, canary);
	double ours = serves ? o->model_loss : o->rival_loss, theirs = NAN;

	if (!w->canary[0] || (!serves && !rivals))
		return;
	if (w->live[0] && span_equal(serves ? o->rival : o->version, live))
		theirs = serves ? o->rival_loss : o->model_loss;
	if (!isfinite(theirs)) /* such a series is for nobody */
		return;
	if (!isfinite(ours)) {
		w->failures++;
		return;
	}
	s->ours += ours;
	s->theirs += theirs;
	s->pairs++;
	w->outcomes++;
	w->compared = false;
}

/* Event times are the devices': one whose clock is ahead must not put all others out of the window. */
static int64_t
time_of(const struct outcome *o)
{
	return o->event_us < o->ingest_us ? o->event_us : o->ingest_us;
}

int
watch_outcome(struct watch *w, const struct outcome *o, struct err *err)
{
	int64_t time_us = time_of(o);
	struct sight *s;

	if (w->newest_us < time_us)
		w->newest_us = time_us;
	s = sight_of(w, o);
	if (!s)
		return map_count(w->series) >= WATCH_SERIES_MAX ? 0 : err_set(err, REASON_NO_MEMORY, "watch");
	if (s->seen_us < time_us)
		s->seen_us = time_us;
	if (o->drift && s->drift_us < time_us)
		s->drift_us = time_us;
	judge(w, o, s);
	return 0;
}

static int
compare(const struct watch *w, double confidence, struct paired *ret, struct err *err)
{
	CLEANUP(heap_free)
	struct pair *pairs = calloc(map_count(w->series) + 1, sizeof(*pairs));
	struct paired_rule rule = w->rule.bootstrap;
	struct span key;
	void *value;
	size_t n = 0;

	if (!pairs)
		return err_set(err, REASON_NO_MEMORY, "watch");
	for (size_t at = 0; map_next(w->series, &at, &key, &value);) {
		const struct sight *s = value;

		if (s->pairs)
			pairs[n++] = (struct pair){ s->ours / (double)s->pairs, s->theirs / (double)s->pairs };
	}
	rule.confidence = confidence;
	return paired_compare(&rule, pairs, n, ret, err);
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The verdict on numbers that are known; *WHY is a printf text for them. */
static enum trial_verdict
decide(const struct watch *w, const struct trial_report *r, const struct paired *early, int64_t now_us,
       const char **why)
{
	const struct watch_rule *rule = &w->rule;
	double judged = (double)(r->outcomes + r->failures);

	*why = "failing";
	if (r->failures >= FAILURES_LEAST && (double)r->failures > FAILURES_SHARE * judged)
		return TRIAL_REJECT;
	*why = "clearly worse than live";
	if (r->loss.n >= least(EARLY_SERIES, rule->canary_series) &&
	    r->outcomes >= least(EARLY_OUTCOMES, rule->canary_outcomes) && early->lower > 1)
		return TRIAL_REJECT;
	if (r->loss.n >= rule->canary_series && r->outcomes >= rule->canary_outcomes) {
		if (r->loss.lower > 1)
			return TRIAL_REJECT;
		*why = "as good as live, or better";
		if (r->loss.upper <= rule->bound_max)
			return TRIAL_PROMOTE;
	}
	*why = "no proof in its time";
	if (now_us - w->since_us >= rule->canary_us)
		return TRIAL_REJECT;
	*why = "not enough is known";
	return TRIAL_GOES_ON;
}

/* The bootstrap is worth its time only where something has come. */
static int
compare_anew(struct watch *w, struct err *err)
{
	if (w->compared)
		return 0;
	if (compare(w, w->rule.bootstrap.confidence, &w->usual, err) < 0 ||
	    compare(w, EARLY_CONFIDENCE, &w->early, err) < 0)
		return -1;
	w->compared = true;
	return 0;
}

int
watch_verdict(struct watch *w, int64_t now_us, enum trial_verdict *ret, struct trial_report *report, struct err *err)
{
	const char *why = "no canary";

	*report = (struct trial_report){ .outcomes = w->outcomes, .failures = w->failures };
	*ret = TRIAL_NONE;
	if (w->canary[0]) {
		if (compare_anew(w, err) < 0)
			return -1;
		report->loss = w->usual;
		*ret = decide(w, report, &w->early, now_us, &why);
	}
	snprintf(report->why, sizeof(report->why),
		 "canary %s: loss %.4g of live's (%.4g to %.4g) over %llu outcomes of %zu series, %llu failures", why,
		 report->loss.ratio, report->loss.lower, report->loss.upper, (unsigned long long)w->outcomes,
		 report->loss.n, (unsigned long long)w->failures);
	return 0;
}

struct drift_report
watch_drift(const struct watch *w)
{
	struct drift_report r = { 0 };
	struct span key;
	void *value;

	for (size_t at = 0; map_next(w->series, &at, &key, &value);) {
		const struct sight *s = value;

		if (s->seen_us < w->newest_us - w->rule.drift_us)
			continue;
		r.series++;
		r.drifted += s->drift_us != INT64_MIN && s->drift_us >= w->newest_us - w->rule.drift_us;
	}
	r.share = r.series ? (double)r.drifted / (double)r.series : 0;
	r.alarm = r.drifted && r.drifted >= w->rule.drift_series && r.share >= w->rule.drift_share;
	return r;
}

void
watch_forget_drift(struct watch *w)
{
	struct span key;
	void *value;

	for (size_t at = 0; map_next(w->series, &at, &key, &value);)
		((struct sight *)value)->drift_us = INT64_MIN;
}

const char *
retrain_name(enum retrain r)
{
	static const char *const names[] = { "no", "resume", "first", "drift", "age" };

	return names[r];
}

enum retrain
watch_retrain(const struct watch_rule *rule, const struct retrain_facts *f, int64_t now_us)
{
	int64_t age_us = now_us - f->ended_us;

	if (f->under_way)
		return RETRAIN_RESUME;
	if (f->trial || (f->ended_us && age_us < rule->retrain_least_us))
		return RETRAIN_NO;
	if (!f->live)
		return RETRAIN_FIRST;
	if (f->drift)
		return RETRAIN_DRIFT;
	return rule->retrain_every_us && age_us >= rule->retrain_every_us ? RETRAIN_AGE : RETRAIN_NO;
}
