/*
 * checkpoint.h -- the states of keys in PostgreSQL: tables forebay.state_partitions, states, state_rungs, state_layouts.
 *
 * A *partition* here is one partition number of one consumer group in one run ("live", or a replay's name).  Its row holds
 * the epoch of its owner and the *frontier*: for every source (the group's input topics, then fleet.journal) an offset such
 * that each key's stored state holds all records of that key before it.  A state stands for `positions`: the offset of the
 * next record of every source, in the same order.  positions[0] is the clock: the offset in the primary input.
 *
 *	claim		epoch + 1; from then on the database refuses whatever an older owner writes, in the statement that
 *			writes: STORE_FENCED
 *	write		states and frontier of a partition, in one transaction; the states before go to the ladder where a
 *			rung is due
 *	load		all states of a partition, streamed; get: that of one key
 *	fork, rewind	the states as they were at an earlier offset: from the ladder
 *
 * Offsets are Kafka's; times are microseconds since 1970, UTC.  One `struct store` is one session: one thread.  All calls
 * connect when they have to.  Sources may be added to a group and taken away again: the row keeps what it knows of each by
 * its name.
 */
#ifndef FOREBAY_STORE_CHECKPOINT_H
#define FOREBAY_STORE_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/buffer.h"
#include "common/base/cleanup.h"
#include "common/base/span.h"
#include "common/store/connection.h"

#define CHECKPOINT_SOURCES_MAX 8
#define CHECKPOINT_STORED_MAX 32         /* sources a row may know: a topic taken out of the options stays known */
#define CHECKPOINT_NO_OFFSET INT64_C(-1) /* nothing of this source was read yet */

/* Which partition: texts are the caller's. */
struct checkpoint_name {
	const char *run, *group, *topic; /* topic: the primary input */
	int32_t partition;
};

/* The group's sources in the order of positions, the primary input first, fleet.journal last. */
struct checkpoint_sources {
	const char *names[CHECKPOINT_SOURCES_MAX];
	size_t n;
};

/* What a claim found, and what it gives the right to. */
struct checkpoint_claim {
	int64_t id;    /* of the partition's row */
	int64_t epoch; /* ours now */
	bool fresh;    /* nothing was ever written: no frontier */
	int64_t
	    frontier[CHECKPOINT_SOURCES_MAX]; /* in the order of the sources given; CHECKPOINT_NO_OFFSET where the row
						   * does not know the source */
	int64_t reached;                      /* greatest clock of a stored state; -1: none */
	int64_t active_us;                    /* greatest active_us of a stored state; 0: none */

	/* Of this module: the row has its own list of sources, ours stand at these places of it. */
	size_t n_sources, n_stored;
	size_t place[CHECKPOINT_SOURCES_MAX];
};

/* One state.  Bytes are opaque here. */
struct checkpoint_state {
	struct span key, bytes;
	int64_t positions[CHECKPOINT_SOURCES_MAX];
	int64_t born;      /* clock at which the key was new */
	int64_t active_us; /* time stamp of the newest record it has seen */
};

/* The tables are there, as this program needs them, and may be written to.  -1 on STORE_SCHEMA (names the table; forebay db
 * migrate), STORE_REFUSED (rights, read-only), STORE_DOWN (also: a standby). */
int checkpoint_check(struct store *s, struct err *err);

/* The first of SOURCES is the topic of NAME.  -1 on STORE_DOWN (also while another session holds the row: call again; one that
 * holds it for EPOCH_CLAIM_WAIT_MS is ended on the server, as in epoch.h), STORE_SCHEMA. */
int checkpoint_claim(struct store *s, const struct checkpoint_name *name, const struct checkpoint_sources *sources,
		     const char *instance, struct checkpoint_claim *ret, struct err *err);

/* Remember what the bytes of states with this fingerprint mean (text of image_describe), once. */
int checkpoint_layout(struct store *s, int64_t fingerprint, struct span text, struct err *err);

/* ---- writing ---- */

/* The ladder: one state per key is kept for every EVERY_US of the last KEEP * EVERY_US. */
struct checkpoint_rung {
	int64_t every_us, keep;
};

/* Rungs in the order of their EVERY_US, ascending; at most 8.  N 0: no ladder. */
struct checkpoint_ladder {
	struct checkpoint_rung rungs[8];
	size_t n;
};

/* "10m:6,1h:24,1d:7" -> the ladder; "" is none.  Units s, m, h, d.  -1 on OPTION_INVALID. */
int checkpoint_ladder_parse(const char *text, struct checkpoint_ladder *ret, struct err *err);

/* Append STATE to OUT in the form checkpoint_write() sends.  -1 when the buffer may not grow. */
int checkpoint_encode(struct buffer *out, const struct checkpoint_state *state, size_t n_sources);

/* States of one partition, and where they leave its frontier. */
struct checkpoint_batch {
	struct checkpoint_claim claim;
	size_t n_sources;
	int64_t frontier[CHECKPOINT_SOURCES_MAX];
	struct span states; /* N of checkpoint_encode(), no key twice */
	size_t n;
	int64_t active_us; /* greatest of them */
	int64_t taken_us;  /* now */
	int64_t rung_us;   /* finest rung of the ladder: a state is kept as a rung when it is replaced by one of another
			     * such period; 0: none */
};

/* Write it, all or nothing; N 0 moves the frontier alone.  -1 on STORE_FENCED (names the new owner; nothing was written),
 * STORE_DOWN (may or may not have been: write it again, that is harmless), STORE_SCHEMA. */
int checkpoint_write(struct store *s, const struct checkpoint_batch *b, struct err *err);

/* Drop the rungs that LADDER keeps no longer; at most LIMIT rows at a time.  *DROPPED says how many: LIMIT, and there may be
 * more; an owner that was replaced drops none.  Each call reads the partition's index of rungs: not too often. */
int checkpoint_thin(struct store *s, const struct checkpoint_claim *claim, const struct checkpoint_ladder *ladder,
		    int64_t now_us, int64_t limit, int64_t *dropped, struct err *err);

/* ---- reading ---- */

/* The states of one partition, read in portions of about 8 MB, as they were when it was opened.  It is a transaction: until it
 * is freed or has come to its end the store takes no other calls of this header but checkpoint_get and checkpoint_get_rung,
 * and the server ends the session when nothing is read for half a minute (STORE_DOWN). */
struct checkpoint_load;

/* States with active_us < ACTIVE_SINCE_US come without bytes: only their keys are of interest. */
int checkpoint_load_open(struct store *s, const struct checkpoint_claim *claim, size_t n_sources,
			 int64_t active_since_us, struct checkpoint_load **ret, struct err *err);
void checkpoint_load_free(struct checkpoint_load *l);
DEFINE_CLEANUP(struct checkpoint_load, checkpoint_load_free)

/* The next portion: *N states, in ARENA; *N 0: that was all.  Asleep ones have bytes SPAN_NONE. */
int checkpoint_load_next(struct checkpoint_load *l, struct arena *arena, struct checkpoint_state **states, size_t *n,
			 struct err *err);

/* The state of one key; *FOUND false: none is stored. */
int checkpoint_get(struct store *s, const struct checkpoint_claim *claim, size_t n_sources, struct span key,
		   struct arena *arena, struct checkpoint_state *ret, bool *found, struct err *err);

/* The newest state of KEY in the ladder before clock BEFORE: for one whose bytes cannot be read. */
int checkpoint_get_rung(struct store *s, const struct checkpoint_claim *claim, size_t n_sources, struct span key,
			int64_t before, struct arena *arena, struct checkpoint_state *ret, bool *found,
			struct err *err);

/*
 * The states as they were at clock AT, as far as the ladder knows them: for every key the newest one that is not newer.
 * rewind: the partition's own, newer ones are forgotten.  fork: those of SOURCE become the (so far empty) partition's.
 * CLAIM's frontier, reached and active_us are renewed: the frontier is where the fold has to begin so that all keys come out
 * right.  A partition that has a frontier already is not forked into again, and where nothing was ever written nothing is
 * brought: CLAIM stays as it is.
 * -1 on STATE_TOO_OLD: names a key that existed then and of which no state is old enough, and the earliest clock that
 * would do.
 */
int checkpoint_rewind(struct store *s, struct checkpoint_claim *claim, const struct checkpoint_sources *sources,
		      int64_t at, struct err *err);
int checkpoint_fork(struct store *s, struct checkpoint_claim *claim, const struct checkpoint_name *source,
		    const struct checkpoint_sources *sources, int64_t at, struct err *err);

#endif
