/*
 * trainer.h -- one training from series to a version with its standing.  Its plan and its progress are in the database: whoever
 * is killed or stopped at any point is followed by a process that goes on with the very same training.
 */
#ifndef FOREBAY_TRAINER_TRAINER_H
#define FOREBAY_TRAINER_TRAINER_H

#include "workers/model-trainer/job.h"
#include "workers/model-trainer/source.h"

enum trained {
	TRAINED,            /* a version has got its standing */
	TRAINED_NOT_ENOUGH, /* too few series or points, or of a step that no model is for: logged */
	TRAINED_STOPPED,    /* asked to stop: saved as far as it is */
};

/* "deepar-1h" for series of that step.  -1 on OPTION_INVALID: there is no model for such a step. */
int trainer_name(const struct job *j, int64_t step_us, struct frequency *f, char name[ARTEFACT_TEXT_BYTES],
		 struct err *err);

/* Is this step asked for (train.frequencies)? */
bool trainer_wants(const struct job *j, const struct frequency *f);

/*
 * Train on group G of C, or go on with the training of that name that is under way.  The topic is to be told afterwards
 * (candidate_announce): a training that has ended is not begun anew because the brokers are away.  -1 on what is worth a retry (then
 * the same call goes on), and on what is not: NO_MEMORY, STORE_SCHEMA; OPTION_INVALID and RECORD_INVALID: with these options or
 * data there is no training, and it is not under way any more.
 */
int trainer_train(struct job *j, const struct collection *c, const struct group *g, enum trained *ret, struct err *err);

#endif
