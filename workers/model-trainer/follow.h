/*
 * follow.h -- the models that there are, and what the outcomes of their forecasts say: trials are ended by it, trainings asked for.
 *
 * Nothing of it is stored: after a restart the outcomes since a canary's promotion, or since the last training, are read again.
 */
#ifndef FOREBAY_TRAINER_FOLLOW_H
#define FOREBAY_TRAINER_FOLLOW_H

#include "common/forecast/artefact.h"
#include "common/kafka/scan.h"
#include "workers/model-trainer/job.h"

struct followed {
	char name[ARTEFACT_TEXT_BYTES];                              /* "deepar-1h" */
	char live[ARTEFACT_TEXT_BYTES], canary[ARTEFACT_TEXT_BYTES]; /* versions; "": none */
	struct watch *watch;
	int64_t since_us; /* the canary's promotion */
	int64_t ended_us; /* the last training, also one that failed: wall time; 0: never */
	bool under_way;   /* a training is */
	enum retrain wanted;
};

/* Zeroed: nothing. */
struct follow {
	struct followed *models;
	size_t n;
	struct scan *scan;
	struct topic_partition *partitions; /* where to read on; NULL: not begun */
	size_t n_partitions;
	bool caught_up; /* with what was there when it began */
};

void follow_clear(struct follow *f);

static inline void
follow_clear_cleanup(struct follow *f)
{
	follow_clear(f);
}

/* What the database says now: versions, trials, times of trainings.  -1 as models.h says. */
int follow_models(struct job *j, struct follow *f, struct err *err);

/* Read the outcomes that have come, end trials that can be ended, work out which models want a training.  -1 as scan.h, models.h
 * say, and BROKER_DOWN when asked to stop. */
int follow_outcomes(struct job *j, struct follow *f, struct err *err);

struct followed *follow_find(struct follow *f, const char *name); /* NULL: no such model yet */

/* A training of M has ended, or there is none with these data. */
void follow_trained(struct followed *m);

#endif
