/*
 * worker.h -- what a worker supplies, and what it is given.
 *
 * One loop serves all workers: poll -> process -> emit -> commit (loop.c).  A worker is a table of functions: each is
 * called on the loop's thread, one at a time.  In the order of their calls:
 *
 *	open		once, when configuration is read and connections stand
 *	record		one input record.  A fold: what it emits and how it changes the key's state depends on the key's
 *			state and on the record alone -- no clock, no randomness without a seed, no other key.  It decodes and
 *			checks first: when it fails, it has changed nothing.
 *	side		one record of a side input, between two primary records
 *	flush		before a commit: emit what a micro-batch still holds
 *	rollback	what was processed since the last commit is given up: it is read again, or by another
 *	idle		between two transactions: dead letters of records that were done with long ago; what it sends is a
 *			transaction of its own, which was committed if idle is called again without a rollback before it
 *			(after one: a letter may have been refused, so it sends them one by one, or which one is never known)
 *	close		once, at the end; also after a failed open
 *
 * A failure is answered by its class: RECORD dead-letters the record, RETRY repeats the same call after a pause, FATAL
 * stops the worker with nothing committed.  Everything emitted, dead letters and offsets are one transaction.
 */
#ifndef FOREBAY_WORKER_WORKER_H
#define FOREBAY_WORKER_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/buffer.h"
#include "common/base/error.h"
#include "common/base/image.h"
#include "common/base/span.h"
#include "common/config/options.h"
#include "common/metrics/metrics.h"
#include "common/record/codec.h"
#include "common/record/registry.h"
#include "common/worker/options.h"

struct worker;
struct context; /* one call's view of the loop: emit, state, memory */
struct output;  /* an output topic with its codec */

/* One consumed record.  Everything is valid until the call returns; with worker_spec.holds_inputs until the commit. */
struct input {
	const char *topic;
	int32_t partition;
	int64_t offset;
	int64_t timestamp_us; /* the Kafka record's time stamp, in whole milliseconds; -1: none */
	struct span key, value;
	struct span schema_id; /* header __value_schema_id, or SPAN_NONE */
	void *message;         /* the client's message, for the loop alone */
};

/*
 * State per key: an object of SIZE bytes that may own memory and be moved.  The loop keeps what it was before the transaction and
 * puts it back when the transaction is given up; it stores states in PostgreSQL and reads them back, see checkpoint.h.
 */
struct state_type {
	size_t size;
	/* Deep.  *TO is undefined before; -1 when memory is out: *TO may then be cleared.  NULL: a plain copy of the bytes. */
	int (*copy)(void *to, const void *from);
	void (*clear)(void *state); /* free what it owns; NULL: nothing.  A zeroed state is a new one */
	/*
	 * All three or none: a state put aside without memory of its own, which costs less than a copy.  `room`: the bytes that
	 * `save` writes behind the SIZE bytes of the state itself; SIZE_MAX: this one is to be copied instead.  `restore` cannot
	 * fail: between the two a state gives no memory back, so that what it owns has room for what it was.
	 */
	size_t (*room)(const void *state);
	void (*save)(const void *state, void *to);
	void (*restore)(void *state, const void *saved);
	void (*fetch)(const void *state);   /* it is about to be used: prefetch what it owns; NULL: nothing */
	size_t (*bytes)(const void *state); /* that encode would append; called often */
	int (*encode)(const void *state, struct buffer *out); /* append an image; -1: the buffer may not grow */
	/* Fill the zeroed *STATE.  -1 on STATE_CORRUPT, STATE_VERSION, NO_MEMORY; the state then owns nothing. */
	int (*decode)(struct span bytes, void *state, struct err *err);
	const struct image_type *image; /* what the bytes mean */
};

/* A partition and the offset of its next record. */
struct position {
	const char *topic;
	int32_t partition;
	int64_t offset;
};

/* A record that goes to <topic>.dlq.  Spans point into the input or the batch's memory. */
struct dead_letter {
	const struct input *input;
	struct err why;
};

/*
 * A worker that keeps its offsets in a store of its own (the sink), in the same transaction as its results.  Order of a
 * commit: flush, store.commit, then the Kafka transaction with dead letters and offsets.  A crash between the last two
 * is healed by `undelivered`: the group's offset in Kafka says up to where dead letters were delivered.
 */
struct worker_store {
	/* Claim the partition (epoch + 1) and give the offset to start from; KAFKA_OFFSET is the group's, -1 if none. */
	int (*claim)(void *self, const char *topic, int32_t partition, int64_t kafka_offset, int64_t *offset,
		     struct err *err);
	/* Make results, positions and dead letters durable, or nothing of it.  RETRY: called again, same arguments. */
	int (*commit)(void *self, const struct position *positions, size_t n_positions,
		      const struct dead_letter *letters, size_t n_letters, struct err *err);
	/* Forget what was processed since the last commit. */
	void (*rollback)(void *self);
	/* Give back every stored dead letter of the partition at or after OFFSET by context_redeliver(). */
	int (*undelivered)(void *self, struct context *ctx, const char *topic, int32_t partition, int64_t offset,
			   struct err *err);
};

struct worker_spec {
	const char *name;                 /* "ingest-router" */
	const char *summary;              /* one line for --help */
	const char *topics, *side_topics; /* where the options name none, comma separated; NULL: none */
	int (*open)(void *self, struct worker *w, struct err *err);
	int (*record)(void *self, struct context *ctx, const struct input *in, struct err *err);
	int (*side)(void *self, struct context *ctx, const struct input *in,
		    struct err *err);                                      /* NULL: no side inputs */
	int (*flush)(void *self, struct context *ctx, struct err *err);    /* may be NULL */
	void (*rollback)(void *self);                                      /* may be NULL */
	int (*idle)(void *self, struct context *ctx, struct err *err);     /* may be NULL; about every 100 ms */
	void (*revoked)(void *self, const char *topic, int32_t partition); /* may be NULL */
	void (*close)(void *self);                                         /* may be NULL */
	const struct state_type *state;                                    /* NULL: stateless */
	const struct worker_store *store;                                  /* NULL: offsets live in Kafka */
	bool holds_inputs;                                                 /* inputs stay valid until the commit */
	bool rekeys; /* outputs go to the partition of their key (murmur2), not of the input */
};

/* A header of the record, the last of that name; SPAN_NONE. */
struct span input_header(const struct input *in, const char *name);

/* ---- for open() ---- */

struct metrics *worker_metrics(struct worker *w);
struct registry *worker_registry(struct worker *w);
const struct worker_options *worker_opts(const struct worker *w);

/* An output topic whose values are TYPE, or raw bytes with TYPE NULL.  The worker owns it. */
int worker_output(struct worker *w, const char *topic, const struct record_type *type, struct output **ret,
		  struct err *err);

/* The consumer group, and our name in it: texts of the worker's. */
const char *worker_group(const struct worker *w);
const char *worker_instance(const struct worker *w);

/* postgres.uri of a worker with states, not to be printed; "": none is given. */
const char *worker_postgres_uri(const struct worker *w);

/* state.key.max.bytes: a record that would make a state larger is dead-lettered. */
int64_t worker_state_max_bytes(const struct worker *w);

/* True in a bounded run: what is shared with the live run (a cache) is left alone. */
bool worker_bounded(const struct worker *w);

/* The topics that are read, after the options: names and their number. */
const char *const *worker_topics(const struct worker *w, size_t *n);

/* A codec to decode an input topic with.  The worker owns it. */
int worker_input(struct worker *w, const char *topic, const struct record_type *type, struct codec **ret,
		 struct err *err);

/* ---- for record(), side(), flush() ---- */

/* Memory of this call: gone when it returns. */
struct arena *context_arena(struct context *ctx);

/* Memory of this transaction: gone after commit or abort. */
struct arena *context_batch_arena(struct context *ctx);

/*
 * The state of KEY on the partition of the record at hand, zeroed when new.  The pointer holds until the call returns.  In
 * flush(), where no record is at hand, only states used in this transaction are found; others are NULL without an error.
 * NULL on NO_MEMORY, STORE_DOWN (it sleeps in PostgreSQL), STATE_CORRUPT and the like: return -1 then.
 */
void *context_state(struct context *ctx, struct span key, struct err *err);

/*
 * True while states are rebuilt from records that were processed before: what is emitted goes nowhere, so that work for the
 * outside alone (metrics, caches, costly outputs) can be left out.  What the state becomes must not depend on it.
 */
bool context_silent(const struct context *ctx);

/*
 * What a record's processing takes from outside the topics (a cache) is noted in fleet.journal, so that repeating the record
 * repeats the answer.  context_recall: true when this record is being repeated; *VALUE is then what was noted under KEY, or
 * SPAN_NONE.  False: the record is new: look outside, and note what was found.
 */
bool context_recall(struct context *ctx, struct span key, struct span *value);
int context_note(struct context *ctx, struct span key, struct span value, struct err *err);

/*
 * Send RECORD to OUT under KEY.  Nothing leaves before the call returns 0: a record that fails emits nothing.  Goes to
 * the partition of the input at hand, or by murmur2 of the key with worker_spec.rekeys (the router) and in flush().
 * Time stamp: that of the input at hand, in flush() the newest of the transaction.
 */
int context_emit(struct context *ctx, struct output *out, struct span key, const void *record, struct err *err);

/* The same with a time stamp of its own: of what had to wait, that of the input it came from, whenever it is sent. */
int context_emit_at(struct context *ctx, struct output *out, struct span key, const void *record, int64_t stamp_us,
		    struct err *err);

/* Deliver again a dead letter that the store kept (worker_store.undelivered): key, value and coordinates are IN's. */
int context_redeliver(struct context *ctx, const struct input *in, const struct err *why, struct err *err);

/* Dead-letter one input that is not the one at hand: a row that the database refuses (needs holds_inputs), in idle() any. */
int context_dead_letter(struct context *ctx, const struct input *in, const struct err *why, struct err *err);

/* The event time that the input at hand carries, for the latency histogram; call it once a record. */
void context_event_time(struct context *ctx, int64_t event_us);

/* Long work that one call does goes on: `watchdog.timeout.ms` counts from here.  For each step of it, not on a timer. */
void worker_beat(struct worker *w);

/* ---- for main() ---- */

/*
 * Load options, run until SIGTERM or a fatal error, clean up.  Returns the exit code: 0 after an orderly end, 1 usage or
 * configuration, 2 a fatal error at work, 3 fenced (a newer instance took over), 4 stuck (watchdog).
 * OWN is the worker's own option table (target inside SELF), may be NULL.
 */
int worker_main(const struct worker_spec *spec, void *self, const struct option_set *own, size_t n_own, int argc,
		char **argv);

#endif
