/*
 * sink.h -- the sink between the loop and the database: rows and offsets in one transaction.
 *
 *	sink_flush:   BEGIN; lock our offsets; COPY and merge every table; find who is to blame if a row is refused
 *	sink_commit:  offsets, dead letters; COMMIT
 *
 * Whatever breaks in between, the rows stay in memory and the next call of sink_commit() does all of it again.  A COMMIT
 * whose answer was lost is recognised by the offsets: they stand where this commit would have put them.
 */
#ifndef FOREBAY_SINK_SINK_H
#define FOREBAY_SINK_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/map.h"
#include "common/store/epoch.h"
#include "common/worker/worker.h"
#include "workers/sink-writer/load.h"
#include "workers/sink-writer/mapping.h"
#include "workers/sink-writer/options.h"

struct sink {
	struct sink_options options;
	char *group, *instance;
	struct mapping *mapping;
	struct store *store;
	struct epoch *epoch;
	struct load load;
	bool applied;  /* the batch's rows stand in the open transaction */
	bool doubtful; /* a COMMIT was sent and no answer came */
	struct map
	    *outboxes; /* "topic/partition" -> its letters of the last commit: delivered when the next one comes */
	struct epoch_step *steps;
	size_t cap_steps;
	int64_t retain_at_us; /* monotonic */
};

/* Read the mapping, make the tables; does not connect.  GROUP, INSTANCE: see epoch_new(). */
int sink_init(struct sink *s, const char *group, const char *instance, struct metrics *metrics, struct err *err);
void sink_clear(struct sink *s); /* all but the options */

int sink_claim(struct sink *s, const char *topic, int32_t partition, int64_t kafka_offset, int64_t *offset,
	       struct err *err);
void sink_release(struct sink *s, const char *topic, int32_t partition);

/* Write the batch into a transaction that stays open.  Refused inputs are marked in load.units.  Never of class RECORD. */
int sink_flush(struct sink *s, struct err *err);
int sink_commit(struct sink *s, const struct position *positions, size_t n_positions, const struct dead_letter *letters,
		size_t n_letters, struct err *err);
void sink_rollback(struct sink *s);

/* Drop what the mapping says is too old, at most once an hour; NOW_US is real time. */
int sink_retain(struct sink *s, int64_t now_us, int64_t monotonic_us, struct err *err);

#endif
