/*
 * checkpoint_compare.h -- are the stored states what the log says?  The live ones are remembered as digests, a bounded run builds
 * them again up to the same offsets, and the two are compared in the database.
 *
 *	remember	digests of a group's states and where its partitions stand, of one moment, into a temporary table
 *	compare		with the states of a run
 *
 * All of it in one session: when that is lost, what was remembered is gone (STORE_DOWN).  What is returned lies in the
 * caller's arena.
 */
#ifndef FOREBAY_STORE_CHECKPOINT_COMPARE_H
#define FOREBAY_STORE_CHECKPOINT_COMPARE_H

#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/span.h"
#include "common/store/checkpoint_list.h"
#include "common/store/connection.h"

/* A partition as it was remembered. */
struct checkpoint_basis {
	const char *topic;
	int32_t partition;
	struct checkpoint_offsets frontier; /* n 0: nothing was stored; then nothing can be compared */
	int64_t keys;
	int64_t oldest; /* the earliest offset for which all keys have a state; -1: there are no keys */
};

/* States of the live run of GROUP; PARTITION -1: all.  A state is comparable that is not beyond the frontier. */
int checkpoint_remember(struct store *s, const char *group, int32_t partition, struct arena *arena,
			struct checkpoint_basis **ret, size_t *n, struct err *err);

struct checkpoint_tally {
	int64_t equal, different;
	int64_t missing;   /* remembered, but the run has none */
	int64_t surplus;   /* the run has one, but none was remembered */
	int64_t beyond;    /* changed after the frontier: not comparable */
	int64_t untouched; /* as old as START or older: the run took it as it was, which proves nothing */
	int64_t relaid;    /* stored in another layout than the run's, by another version: not comparable */
};

/* The remembered states of B against those that RUN has built from offset START on. */
int checkpoint_compare(struct store *s, const struct checkpoint_basis *b, const char *run, int64_t start,
		       struct checkpoint_tally *ret, struct err *err);

enum checkpoint_odd_kind { CHECKPOINT_DIFFERENT, CHECKPOINT_MISSING, CHECKPOINT_SURPLUS };

struct checkpoint_odd {
	struct span key;
	enum checkpoint_odd_kind kind;
	int64_t clock; /* of the remembered state; of the run's where there is no other */
};

/* The first LIMIT keys that are not as they should be. */
int checkpoint_odd_ones(struct store *s, const struct checkpoint_basis *b, const char *run, int64_t start,
			int64_t limit, struct arena *arena, struct checkpoint_odd **ret, size_t *n, struct err *err);

/* How far RUN's states are: the sum over its partitions of the frontier's clock; 0 while there is none. */
int checkpoint_progress(struct store *s, const char *run, int64_t *ret, struct err *err);

#endif
