/* modes.h -- what the program does: one training and its gate, or a watch over all models for ever. */
#ifndef FOREBAY_TRAINER_MODES_H
#define FOREBAY_TRAINER_MODES_H

#include "workers/model-trainer/job.h"

/*
 * Both return 0 when all was done or when asked to stop, and -1 on what waiting does not mend.  Trouble with brokers and
 * database is waited out.  *ENOUGH false: there was nothing to train on, which the log has told.
 */
int mode_once(struct job *j, bool *enough, struct err *err);
int mode_watch(struct job *j, struct err *err);

#endif
