/*
 * watch.h -- what the outcomes of one model's forecasts say: is its canary as good as the live version, have its series drifted
 * away from it, is it time to train again?  Pure: outcomes in, verdicts out; time is an argument.  One thread.
 */
#ifndef FOREBAY_TRAINER_WATCH_H
#define FOREBAY_TRAINER_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/record/outcome.h"
#include "workers/model-trainer/paired.h"

#define WATCH_SERIES_MAX 20000 /* series beyond are not looked at, until some of these have been silent for drift_us */

struct watch_rule {
	size_t canary_series, canary_outcomes; /* so many are asked for before a canary may live */
	double bound_max;                      /* of the canary's loss over the live one's, upper bound: 1.01 */
	int64_t canary_us;                     /* without proof in this time it is rejected */
	int64_t drift_us;         /* event time (or arrival, if earlier) that counts, back from the newest */
	double drift_share;       /* of the series seen in it whose detector alarmed */
	size_t drift_series;      /* at least so many alarms */
	int64_t retrain_least_us; /* between the end of a training and the next */
	int64_t retrain_every_us; /* 0: only when the series drift */
	struct paired_rule bootstrap;
};

struct watch;

int watch_new(const struct watch_rule *rule, struct watch **ret, struct err *err);
void watch_free(struct watch *w);
DEFINE_CLEANUP(struct watch, watch_free)

/*
 * CANARY stands trial against LIVE since SINCE_US (wall time); texts are copied.  The same versions again change nothing; others
 * begin a new trial; SPAN_NONE: there is none.  -1 on NO_MEMORY.
 */
int watch_trial(struct watch *w, struct span canary, struct span live, int64_t since_us, struct err *err);

/* -1 on NO_MEMORY. */
int watch_outcome(struct watch *w, const struct outcome *o, struct err *err);

enum trial_verdict {
	TRIAL_NONE,    /* no canary */
	TRIAL_GOES_ON, /* not enough is known */
	TRIAL_PROMOTE, /* as good as the live one, or better */
	TRIAL_REJECT,  /* clearly worse, failing, or without proof when the time is over */
};

struct trial_report {
	uint64_t outcomes;  /* in which both versions took part */
	uint64_t failures;  /* the live version had something to say, the canary had not */
	struct paired loss; /* canary over live, a series a pair */
	char why[256];
};

/*
 * Asked again and again, a bound of 95 % would be crossed by chance sooner or later: before a trial has its outcomes a canary
 * is given up only at 99.5 %, with at least five series and thirty outcomes (or what the rule asks for, where that is less), or when one
 * forecast in twenty fails.  -1 on NO_MEMORY.
 */
int watch_verdict(struct watch *w, int64_t now_us, enum trial_verdict *ret, struct trial_report *report,
		  struct err *err);

struct drift_report {
	size_t series, drifted; /* seen within the window; of them with an alarm in it */
	double share;           /* 0 without any */
	bool alarm;
};
struct drift_report watch_drift(const struct watch *w);

/* A training has ended: alarms so far are answered. */
void watch_forget_drift(struct watch *w);

/* ---- when to train ---- */

enum retrain { RETRAIN_NO, RETRAIN_RESUME, RETRAIN_FIRST, RETRAIN_DRIFT, RETRAIN_AGE };
const char *retrain_name(enum retrain r); /* "no", "resume", "first", "drift", "age" */

struct retrain_facts {
	bool under_way;   /* a training was begun and has not ended */
	bool live;        /* there is a version that serves */
	bool trial;       /* a canary stands trial: nothing is trained meanwhile */
	bool drift;       /* the alarm */
	int64_t ended_us; /* the last training, wall time; 0: never */
};
enum retrain watch_retrain(const struct watch_rule *rule, const struct retrain_facts *facts, int64_t now_us);

#endif
