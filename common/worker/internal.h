/*
 * internal.h -- the loop's own structures.  Only files of this module include it.
 *
 *	worker.c	main: options, connections, open, run, close
 *	loop.c		poll -> process -> commit; the phases
 *	process.c	one record and the answers to its failures
 *	connect.c	topics checked, producer made, group joined
 *	assignment.c	partitions held: load, rewind, let go
 *	gap.c		what was to be read next is not in the log
 *	commit.c	the end of a transaction and its five outcomes
 *	context.c	what a worker may do during a call
 *	batch.c		what one transaction has gathered
 *	state.c		states per key, and what is dirty
 *	checkpointer.c	states to PostgreSQL
 *	recovery.c	states from there, and records folded again (fold.c)
 *	journal.c	what the order of a fold was
 *	plan.c		bounded runs
 *	lifecycle.c	signals, watchdog, health and REST
 */
#ifndef FOREBAY_WORKER_INTERNAL_H
#define FOREBAY_WORKER_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "common/base/arena.h"
#include "common/base/map.h"
#include "common/http/admin.h"
#include "common/kafka/admin.h"
#include "common/kafka/consumer.h"
#include "common/kafka/deadletter.h"
#include "common/kafka/producer.h"
#include "common/kafka/transaction.h"
#include "common/worker/audit.h"
#include "common/worker/checkpointer.h"
#include "common/worker/fold.h"
#include "common/worker/journal.h"
#include "common/worker/meters.h"
#include "common/worker/plan.h"
#include "common/worker/recovery.h"
#include "common/worker/retry.h"
#include "common/worker/state.h"
#include "common/worker/worker.h"

#define LOOKUP_TIMEOUT_MS 5000 /* of a question about a log's bounds */

/* Where the loop stands.  Changed by phase_set() alone, which logs it. */
enum phase {
	PHASE_CONNECTING, /* no producer yet, or topics not there */
	PHASE_JOINED,     /* a member of the group without partitions (yet) */
	PHASE_LOADING,    /* partitions assigned, positions not known yet */
	PHASE_RUNNING,
	PHASE_RETRYING, /* fetching nothing; a commit or a record is tried again at retry.at_us */
	PHASE_PAUSED,   /* by REST */
	PHASE_STOPPING,
	PHASE_COUNT
};

/* A partition assigned to us. */
struct held {
	const char *topic; /* one of the worker's own, as below: lives as long as the worker */
	int32_t partition;
	size_t source; /* index of its topic among the worker's, side inputs last */
	bool side, loaded;
	int64_t next;      /* offset of the next record to process */
	int64_t committed; /* as known; OFFSET_NONE: nothing yet */
	int64_t attempted; /* where a transaction of unknown fate would have put it */
	int64_t end;       /* until.caught.up: where to stop; -1: not asked yet */
};

/* Where a partition stood when it was let go: its keys' states are good for exactly this offset. */
struct parked {
	const char *topic;
	int32_t partition;
	int64_t offset;
};

struct output {
	char *topic;
	struct codec *codec; /* NULL: raw bytes */
};

/* A record on its way out: sent when the call that emitted it succeeds. */
struct emission {
	const struct output *out;
	struct span key;
	size_t start, len; /* of the value in batch.values */
	int64_t stamp_us;  /* TIME_NONE: the input's */
};

struct timing {
	int64_t ingest_us, event_us; /* -1: none */
};

/* What one transaction has gathered.  Emptied by batch_reset(). */
struct batch {
	struct arena *arena, *call_arena;
	struct buffer values; /* encoded outputs of the call at hand */
	struct emission *emissions;
	size_t n_emissions, cap_emissions;
	struct input **inputs; /* holds_inputs: all of them; else none */
	size_t n_inputs, cap_inputs;
	struct dead_letter *letters; /* of workers with a store: sent after store.commit */
	size_t n_letters, cap_letters;
	struct letter_count {
		const char *topic;
		enum err_reason reason;
	} * counts; /* dead letters of this transaction, for the metrics */
	size_t n_counts, cap_counts;
	struct timing *timings;
	size_t n_timings, cap_timings;
	struct journal_entry *journal;
	size_t n_journal, cap_journal;
	size_t n_records, n_bytes, bytes_out, n_out;
	int64_t begun_us;  /* first record; 0: empty */
	int64_t newest_ms; /* newest time stamp of an input */
	struct position
	    sole;        /* the record at hand latest: the guilty one when a transaction of one record is refused */
	bool kafka_open; /* the producer's transaction has begun */
	bool flushed, stored;
	bool spoilt; /* a state has grown beyond what the call alone could undo */
};

/* A record that the broker refused an output of: dead-lettered when it is met again. */
struct conviction {
	struct position where;
	struct err why;
	bool letter_refused; /* its dead letter was refused too, for its time stamp: send that as now */
};

struct refusal {
	bool any;
	bool letter; /* a dead letter was refused */
	struct err why;
};

struct context {
	struct worker *w;
	const struct input *input; /* NULL in flush() */
	int64_t event_us;
};

/* How the end of a transaction came out. */
enum commit_result {
	COMMIT_DONE,
	COMMIT_RETRY,  /* call commit_batch() again later */
	COMMIT_REWIND, /* given up: load positions and read again */
	COMMIT_RENEW,  /* ... with a new producer */
	COMMIT_STOP,   /* *err says why */
};

struct worker {
	const struct worker_spec *spec;
	void *self;
	struct worker_options opt;
	struct state_options state_opt;
	struct property_list lists[2]; /* consumer.override., producer.override. */
	struct client_property *overrides[2];
	struct option_program program;
	char instance[256], base_group[256], group[400], transactional_id[700]; /* group: of this run */
	struct plan plan;
	char **topics, **side_topics;
	size_t n_topics, n_side;

	struct metrics *metrics;
	struct meters meters;
	struct registry *registry;
	struct admin *admin;
	struct consumer *consumer;
	struct producer *producer;
	struct output **outputs;
	size_t n_outputs;
	struct codec **codecs;
	size_t n_codecs;
	bool topics_checked;
	int32_t partitions; /* of every co-partitioned topic */

	struct state_table *states;
	size_t n_sources;        /* input topics, and fleet.journal */
	struct cluster *cluster; /* asks for the true ends of logs, open transactions included */
	struct store *store;     /* of the loop; NULL: states are in memory alone */
	struct checkpointer *checkpointer;
	struct claim *claims;
	size_t n_claims;
	struct recovery *recovery;  /* while LOADING; in a bounded run that follows a journal, until the end */
	const struct fold *folding; /* the record at hand is being repeated */
	bool silent;                /* what is emitted goes nowhere */
	bool rebuild;               /* load all states anew */
	struct map *broken;         /* keys whose stored state could not be read */
	struct layouts *layouts;
	struct codec *journal, *audit_codec;
	struct audit_line *audit;
	struct client_config client; /* of consumer and readers */
	struct held *held;
	size_t n_held, last_held;
	struct parked *parked;
	size_t n_parked;
	bool doubt; /* the fate of the last transaction is not known */
	bool opened, subscribed, assigned_nothing;
	bool lost;             /* our partitions were taken away: the broker has not heard of us for a session */
	bool seated, old_seat; /* there was an assignment; it is one for other topics than ours */

	struct batch batch;
	size_t batch_limit; /* records; smaller after a refusal, to find the guilty one */
	size_t suspects;    /* records still to be read that carefully */
	struct map *convictions;
	struct refusal refusal;
	bool letters_now; /* of a store: a broker refused their time stamps, so they go with the present one */
	enum commit_result hook_result; /* of a revoke inside consumer_poll(); COMMIT_DONE: nothing to do */
	struct err hook_error;

	enum phase phase;
	struct retry retry;
	bool backlogged;   /* paused until states are stored */
	bool retry_commit; /* PHASE_RETRYING: the commit is tried again; else input is read again */
	int64_t wait_logged_us, shown_us;
	struct totals {
		int64_t started_us;
		size_t records, outputs, letters;
	} totals; /* committed since the start */

	_Atomic bool wants_pause;
	_Atomic int64_t beat_us; /* the loop was alive then */
	pthread_t watchdog;
	bool watchdog_runs;
	_Atomic bool watchdog_stop;
	pthread_mutex_t face_lock; /* what the HTTP thread sees */
	struct face {
		enum phase phase;
		bool lost;
		char message[256];
		char cluster_id[64];
		struct held *held;
		size_t n_held;
	} face;
};

/* ---- loop.c ---- */
int loop_run(struct worker *w, struct err *err);
void phase_set(struct worker *w, enum phase to, const char *why);
const char *phase_name(enum phase p);
/* Trouble outside the records: wait and try again; -1 when errors.retry.timeout is used up or the class is FATAL. */
int loop_trouble(struct worker *w, enum phase then, struct err *err);
/* Commit, and do what its result asks for (a pause, a rewind, a new producer).  -1: stop, *ERR says why. */
int loop_commit(struct worker *w, struct err *err);
int loop_settle(struct worker *w, enum commit_result result, struct err *err);

/* ---- process.c ---- */
int process_record(struct worker *w, const struct consumed *m, struct err *err); /* takes the message */
/* The same for a record whose message stays its owner's; SKIPPED: it goes by without reaching the worker. */
int process_given(struct worker *w, const struct consumed *m, bool skipped, struct err *err);
/* While states are rebuilt: call the worker, send nothing.  0 also when the record was poison. */
int process_silently(struct worker *w, const struct held *h, const struct input *in, struct err *err);
struct input process_input_of(const struct held *h, const struct consumed *m);
/* *ERR came when states had changed already: undo the transaction, and go on after a pause. */
int process_undo(struct worker *w, struct err *err);
/* A bounded run: nothing of this partition number is left. */
void process_passed_all(struct worker *w, int32_t partition);
/* A bounded run: nothing of H before OFFSET, which may lie behind its end, is left to read. */
void process_passed(struct worker *w, struct held *h, int64_t offset);

/* ---- connect.c ---- */
const struct client_config *worker_client(struct worker *w);
int worker_consumer(struct worker *w, struct err *err); /* a new one, which has not subscribed */
/* Check the topics, make the producer, subscribe: what of it is still to do.  RETRY: call again. */
int connect_worker(struct worker *w, struct err *err);

/* ---- worker.c ---- */
/* Before the loop runs: wait until it is time to try again.  -1 with *ERR: stop. */
int worker_wait(struct worker *w, struct err *err);

/* ---- assignment.c ---- */
void assignment_assigned(void *ctx, const struct topic_partition *partitions, size_t n);
void assignment_revoked(void *ctx, const struct topic_partition *partitions, size_t n, bool lost);
struct held *assignment_find(struct worker *w, const char *topic, int32_t partition);
/* LOADING -> RUNNING.  *DONE false: call again, there is more to do; RETRY: call again later. */
int assignment_load(struct worker *w, bool *done, struct err *err);
int assignment_fetch(struct worker *w, bool fetch, struct err *err); /* from held[].next; false: nothing */
void assignment_measure(struct worker *w);                           /* lag per partition */
bool assignment_caught_up(const struct worker *w);
void assignment_clear(struct worker *w);
/* The states of a partition number are good for nothing any more: they have to be rebuilt. */
void assignment_forget_states(struct worker *w, int32_t partition);
/* Kafka's positions to commit, in ARENA. */
struct topic_partition *assignment_positions(struct worker *w, struct arena *arena, size_t *n);

/* ---- gap.c ---- */
/* The log of H has the offsets [LOW, HIGH): step over what was deleted before it was read, and say so.  -1 with OFFSET_GONE: it is another log. */
int gap_pass(struct worker *w, struct held *h, int64_t low, int64_t high, struct err *err);
int gap_check(struct worker *w, struct held *h, struct err *err); /* the same, with what the broker says now */
/* OFFSET_GONE: the log ends at HIGH, and NEXT lies behind it. */
int gap_refuse(const struct worker *w, const char *topic, int32_t partition, int64_t next, int64_t high,
	       struct err *err);
/* The consumer cannot read on at AT. */
int gap_found(struct worker *w, const struct consumed *at, struct err *err);

/* ---- commit.c ---- */
enum commit_result commit_batch(struct worker *w, struct err *err);
/* Give the open transaction up and forget what it did. */
enum commit_result commit_abort(struct worker *w, struct err *err);
/* The same of a worker that was fenced: whoever took its place has ended its transaction. */
void commit_forget(struct worker *w);
/* The states as they are now are those of the committed offsets. */
int commit_states(struct worker *w);
producer_refused commit_refused;

/* ---- batch.c ---- */
int batch_init(struct batch *b, struct err *err);
void batch_reset(struct batch *b);
void batch_clear(struct batch *b);
int batch_begin(struct worker *w, struct err *err); /* first record of a transaction */
int batch_letter(struct worker *w, const struct input *in, const struct err *why, bool again, struct err *err);
int batch_send(struct worker *w, const struct context *ctx, struct err *err); /* what the call emitted */
const char *batch_letter_topic(struct worker *w, const char *topic);
int batch_send_letter(struct worker *w, const struct input *in, const struct err *why, struct err *err);
/* A grown array with room for one more, or NULL; *CAP is updated. */
void *batch_grow(void *items, size_t n, size_t *cap, size_t item_bytes);
struct conviction *conviction_find(struct worker *w, const char *topic, int32_t partition, int64_t offset);
int conviction_add(struct worker *w, const struct conviction *c, struct err *err);

/* ---- lifecycle.c ---- */
int lifecycle_start(struct worker *w, struct err *err);
void lifecycle_stop(struct worker *w);
bool lifecycle_stop_wanted(void);
/* To the HTTP thread: phase, partitions and MESSAGE (NULL: the one before). */
void lifecycle_show(struct worker *w, const char *message);

#endif
