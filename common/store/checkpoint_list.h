/*
 * checkpoint_list.h -- the stored states as an operator sees them: without a claim, whoever owns them.
 *
 * What is returned lies in the caller's arena.  A name that is "" stands for all.  All calls connect when needed and fail
 * with STORE_DOWN, STORE_SCHEMA (a table is missing: it is named), STORE_REFUSED, NO_MEMORY.
 */
#ifndef FOREBAY_STORE_CHECKPOINT_LIST_H
#define FOREBAY_STORE_CHECKPOINT_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/span.h"
#include "common/store/connection.h"

/* Offsets by source, as a partition's row names them: the primary input first. */
struct checkpoint_offsets {
	const char **sources;
	int64_t *at; /* CHECKPOINT_NO_OFFSET: nothing of it was read */
	size_t n;    /* 0: nothing was stored yet */
};

/* From comma separated text; AT (zero-terminated) may be shorter than SOURCES, or SPAN_NONE: *RET is then empty. */
int checkpoint_offsets_read(struct arena *a, struct span sources, struct span at, struct checkpoint_offsets *ret,
			    struct err *err);

/* A partition of a group in a run, and what is stored for it. */
struct checkpoint_summary {
	int64_t id;
	const char *run, *group, *topic, *instance;
	int32_t partition;
	int64_t epoch;
	struct checkpoint_offsets frontier;
	int64_t keys, bytes, rungs;
	int64_t oldest_us; /* when the oldest of the newest states was taken; 0: there is none */
	int64_t claimed_us, updated_us;
};

int checkpoint_list(struct store *s, const char *run, const char *group, struct arena *arena,
		    struct checkpoint_summary **ret, size_t *n, struct err *err);

/* ---- single keys ---- */

/* Keys from LOW to before HIGH, bytewise. */
struct checkpoint_range {
	struct span low, high;
};

/* A stored state, without its bytes. */
struct checkpoint_found {
	int64_t id; /* of the partition's row */
	const char *topic;
	int32_t partition;
	struct span key;
	struct checkpoint_offsets positions;
	int64_t clock, born, active_us, epoch, taken_us, size;
	bool rung; /* an older one, from the ladder */
};

/* The keys of the ranges, each with its newest state whose clock is not beyond AT (INT64_MAX: its newest).  At most LIMIT. */
int checkpoint_find(struct store *s, const char *run, const char *group, const struct checkpoint_range *ranges,
		    size_t n_ranges, int64_t at, int64_t limit, struct arena *arena, struct checkpoint_found **ret,
		    size_t *n, struct err *err);

/* Its bytes; SPAN_NONE when it has been replaced or dropped in the meantime. */
int checkpoint_bytes(struct store *s, const struct checkpoint_found *f, struct arena *arena, struct span *ret,
		     struct err *err);

/* The clocks and times of the key's states in the ladder before F's, the newest first; at most LIMIT. */
int checkpoint_before(struct store *s, const struct checkpoint_found *f, int64_t limit, struct arena *arena,
		      struct checkpoint_found **ret, size_t *n, struct err *err);

/* What states with this fingerprint mean; SPAN_NONE: not known. */
int checkpoint_layout_of(struct store *s, int64_t fingerprint, struct arena *arena, struct span *ret, struct err *err);

/* ---- dropping ---- */

struct checkpoint_dropped {
	int64_t partitions, states, rungs;
};

/* Rungs taken before BEFORE_US.  DRY: only count. */
int checkpoint_drop_rungs(struct store *s, const char *run, const char *group, int64_t before_us, bool dry,
			  struct checkpoint_dropped *ret, struct err *err);

/* Everything of a run.  Its owner, if it is still at work, is fenced. */
int checkpoint_drop_run(struct store *s, const char *run, const char *group, bool dry, struct checkpoint_dropped *ret,
			struct err *err);

/*
 * The states and rungs of these keys, all or nothing.  -1 on USAGE: the instance that claimed one of their partitions has a
 * session, so that it would store them again.
 */
int checkpoint_drop_keys(struct store *s, const struct checkpoint_found *keys, size_t n, bool dry,
			 struct checkpoint_dropped *ret, struct err *err);

#endif
