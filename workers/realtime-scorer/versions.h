/*
 * versions.h -- the version of a trained model that a forecast on demand rests on: of the models for steps like ours the first by
 * name, of that the version that lives, or the canary where the device is in its share.
 *
 * What there is is an answer from outside: the table of models says it, and is asked again once what it said is too old.  Whoever
 * uses a version notes its text, and asks for that very version when the same is done again.  One thread.
 */
#ifndef FOREBAY_SCORER_VERSIONS_H
#define FOREBAY_SCORER_VERSIONS_H

#include "common/forecast/library.h"
#include "common/record/model.h"
#include "workers/realtime-scorer/ondemand.h"

struct versions_source {
	struct library_source artefacts;
	/* What there is, without artefacts, in ARENA.  -1 on STORE_DOWN and what else its like can say. */
	int (*list)(void *self, struct arena *arena, struct model **ret, size_t *n, struct err *err);
	void *self;
};

struct versions_rule {
	struct panel_rule panel; /* that a model is to sit on */
	const char *family;      /* of models; the caller's */
	int64_t refresh_us;      /* what there is may be so old */
};

struct versions;

/* WATCH as library_new() has it; a failed list is told as a model of the family without a version.  -1 on NO_MEMORY. */
int versions_new(const struct versions_rule *rule, const struct versions_source *source,
		 const struct library_watch *watch, struct versions **ret, struct err *err);
void versions_free(struct versions *v);
DEFINE_CLEANUP(struct versions, versions_free)

struct version {
	struct expert expert;
	struct span text; /* names it for versions_again() */
};

/*
 * The version that serves DEVICE at present.  *RET NULL: none is at hand.  It is V's, until VERSIONS_KEPT others have been asked for.
 * -1 on NO_MEMORY.
 */
#define VERSIONS_KEPT 8
int versions_pick(struct versions *v, struct span device, const struct version **ret, struct err *err);

/* The one that was picked before.  *RET NULL: it is not for the present rule.  -1 on what library_take() says, STATE_CORRUPT (no text). */
int versions_again(struct versions *v, struct span text, const struct version **ret, struct err *err);

#endif
