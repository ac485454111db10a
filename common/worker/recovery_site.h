/*
 * recovery_site.h -- what the files behind recovery.h share.  Private to them.
 *
 *	recovery.c	the stages, and claiming
 *	recovery_load.c	stored states: loading, waking, replacing broken ones, giving up
 *	recovery_fold.c	folding records again, and a bounded run that goes on from there
 *
 * What cannot be read or is not there any more is never passed over: a state with a broken checksum is replaced by an older
 * one and a longer fold (or by its birth, where the log still reaches so far); if that is not possible either,
 * recovery.policy says whether to stop or to begin anew, with a record in fleet.audit.
 */
#ifndef FOREBAY_WORKER_RECOVERY_SITE_H
#define FOREBAY_WORKER_RECOVERY_SITE_H

#include "common/worker/internal.h"

#define PEEK_MS 5

enum stage { STAGE_CLAIM, STAGE_LOAD, STAGE_OPEN, STAGE_FOLD, STAGE_LIVE };

/* One partition number. */
struct site {
	int32_t partition;
	bool rebuild, loaded;
	bool live; /* a bounded run: a record of its own has been processed */
	struct checkpoint_claim claim;
	struct vector from, to; /* what is folded of each source */
	struct vector at;       /* up to where it is */
	struct fold fold;
	size_t journal; /* index of the journal among the sources */
};

struct recovery {
	enum stage stage;
	struct site *sites;
	size_t n, which;
	struct checkpoint_load *load;
	struct reader *reader;
	struct arena *arena;
	size_t folded;          /* since the last pseudo-commit */
	int64_t records, total; /* of all sites: folded, to be folded (an estimate: offsets) */
	int64_t begun_us, loaded_us, logged_us;
	size_t states, sleepers;
};

size_t recovery_journal_at(const struct worker *w); /* index of the journal among the sources */
const char *recovery_source(const struct worker *w, size_t i);
/* Where the log of a source begins; in a bounded run that starts from nothing, where its plan does. */
int recovery_log_start(struct worker *w, const struct site *s, size_t source, int64_t *start, struct err *err);

/* One step of a stage; it moves on to the next stage by itself. */
int recovery_load_step(struct worker *w, struct recovery *r, struct err *err);
int recovery_open_step(struct worker *w, struct recovery *r, struct err *err);
int recovery_fold_step(struct worker *w, struct recovery *r, struct err *err);

/* Policy reset: TOPIC begins at LOW, behind what would have to be folded; all states of the partition begin anew. */
int recovery_forget_all(struct worker *w, struct site *s, const char *topic, int64_t low, struct err *err);

#endif
