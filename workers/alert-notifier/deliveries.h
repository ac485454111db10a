/*
 * deliveries.h -- table forebay.deliveries: what is owed to whom, who is at it, what became of it.
 *
 *	pending --take--> at work until due_at --+--> delivered (and standing, where the receiver forgets)
 *	   ^                                     |
 *	   `------- again, due_at later ---------+--> refused --> dead, once its dead letter is in Kafka
 *
 * A row is put when the change is read, before its offset is committed; its key makes a repetition one and the same.  Whoever
 * takes rows says until when to believe him at work: what a crash leaves is taken again then, or at once by the same instance.
 * Of one alert and receiver only the oldest row that is pending can be taken: its changes are told in order.
 *
 * All calls need a session (store_connect); deliveries_put() is a transaction, the others are one each or part of the caller's.
 * -1 as store_reason() says, NO_MEMORY.
 */
#ifndef FOREBAY_NOTIFIER_DELIVERIES_H
#define FOREBAY_NOTIFIER_DELIVERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/store/query.h"

/* Whose rows, and in whose name they are taken. */
struct deliveries {
	struct store *store;
	const char *notifier, *instance;
};

/* A change that a receiver is owed. */
struct debt {
	const char *receiver;
	struct span alert_id, device, metric, payload;
	const char *status, *severity;
	const char *topic; /* of the Kafka record, as all that follows */
	int32_t partition;
	int64_t offset, timestamp_us;
	struct span key, value, schema_id;
};

/*
 * Put those that are not there yet.  What is dead comes to life again by another record (a redriven dead letter), not by the
 * same one, and not when the receiver has been told of a later change since: it would take the alert for what it was.  What
 * Alertmanager is told again and again about these alerts ends with them.
 */
int deliveries_put(const struct deliveries *d, const struct debt *debts, size_t n, struct err *err);

/* A row that was taken.  Texts live in the arena. */
struct taken {
	int64_t seq;
	struct span alert_id, status, severity, payload;
	int64_t attempts;              /* that have failed */
	int64_t waiting_us, trying_us; /* since it was put, since the first attempt (0: none yet) */
};

/* Up to MOST that are due for RECEIVER, oldest first; nobody else gets them for LEASE_MS. */
int deliveries_take(const struct deliveries *d, const char *receiver, size_t most, int64_t lease_ms, struct arena *a,
		    struct taken **ret, size_t *n, struct err *err);

/* In how many milliseconds the next one that is not due yet will be; MOST_MS at most. */
int deliveries_next(const struct deliveries *d, const char *receiver, int64_t most_ms, int64_t *ms, struct err *err);

/* Up to MOST delivered ones that stand and were not told for EVERY_MS. */
int deliveries_take_standing(const struct deliveries *d, const char *receiver, int64_t every_ms, size_t most,
			     int64_t lease_ms, struct arena *a, struct taken **ret, size_t *n, struct err *err);

/* This instance is new: what a former life of it was at is free. */
int deliveries_release(const struct deliveries *d, struct err *err);

/* They were delivered, answered with STATUS.  FORGETS: what fires stands until it ends, what is resolved for RESOLVED_MS. */
int deliveries_delivered(const struct deliveries *d, const int64_t *seqs, size_t n, int status, bool forgets,
			 int64_t resolved_ms, struct err *err);

/* They were told again, or not (OK false).  What had been given up counts as delivered from now on. */
int deliveries_told(const struct deliveries *d, const int64_t *seqs, size_t n, bool ok, struct err *err);

/* An attempt failed; try again after PAUSES_MS.  STATUS 0: no answer. */
int deliveries_again(const struct deliveries *d, const int64_t *seqs, const int64_t *pauses_ms, size_t n, int status,
		     const char *why, struct err *err);

/* They are given up and are to become dead letters, for *WHY.  STANDS: what still fires is told when the receiver is back. */
int deliveries_refused(const struct deliveries *d, const int64_t *seqs, size_t n, int status, const struct err *why,
		       bool stands, struct err *err);

/* A refused row and the record it came of. */
struct refused {
	int64_t seq, offset, timestamp_us;
	struct span topic, key, value, schema_id;
	int32_t partition;
	struct err why;
};

/* Take up to MOST of them for LEASE_MS; then say that their dead letters are in Kafka. */
int deliveries_take_refused(const struct deliveries *d, size_t most, int64_t lease_ms, struct arena *a,
			    struct refused **ret, size_t *n, struct err *err);
int deliveries_dead(const struct deliveries *d, const int64_t *seqs, size_t n, struct err *err);

/* What is pending for RECEIVER: how many, and since when the oldest waits, in seconds (0: none). */
int deliveries_backlog(const struct deliveries *d, const char *receiver, int64_t *count, double *oldest_s,
		       struct err *err);

/*
 * Forget rows that were put more than DAYS ago and are done with: not what is still owed to one of the N RECEIVERS, what stands
 * there, or a dead letter that is still to be sent.
 */
int deliveries_forget(const struct deliveries *d, int64_t days, const char *const *receivers, size_t n,
		      struct err *err);

#endif
