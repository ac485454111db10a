/* candidate.h -- a version that was just trained gets its standing: the gate, the database, the topic of models. */
#ifndef FOREBAY_TRAINER_CANDIDATE_H
#define FOREBAY_TRAINER_CANDIDATE_H

#include "common/forecast/artefact.h"
#include "workers/model-trainer/collect.h"
#include "workers/model-trainer/job.h"

#define CANDIDATE_MAX_BYTES ((size_t)256 << 20) /* of an artefact that is stored */

enum standing {
	STANDING_STOPPED, /* asked to stop before anything was decided */
	STANDING_SAME,    /* the very version exists already and has its standing: nothing was new */
	STANDING_LIVE,
	STANDING_CANARY,
	STANDING_REJECTED,
};
const char *standing_name(enum standing s); /* "stopped", "same", "live", "canary", "rejected" */

/*
 * Judge A by the windows of G that its training did not see, store it, give it its standing.  Once more after a crash at any
 * point: the same.  Adds figures to A.  -1 on what models.h and panel.h say; the topic is told by candidate_announce().
 */
int candidate_settle(struct job *j, struct artefact *a, const struct frequency *f, const struct group *g,
		     enum standing *ret, struct err *err);

/* Tell the topic what it has not been told. */
int candidate_announce(struct job *j, struct err *err);

#endif
