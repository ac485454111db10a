/*
 * transaction.h -- outputs, dead letters and consumed offsets become visible together or not at all (KIP-98, KIP-447:
 * fenced by the consumer group's generation).
 *
 * Every step has one of five outcomes, and each outcome one remedy:
 *
 *	DONE	go on
 *	ABORTED	the transaction has to be, or was, given up: rewind every partition still held to the group's committed offsets
 *	RENEW	its fate is unknown or the client is beyond repair: destroy the producer, make a new one, init, then read the
 *		committed offsets: they tell whether it was committed (a delayed EndTxn could otherwise hit a later one)
 *	FENCED	a newer producer has our transactional id: leave, touch nothing
 *	REFUSED	the broker does not allow it (rights, version): stop
 */
#ifndef FOREBAY_KAFKA_TRANSACTION_H
#define FOREBAY_KAFKA_TRANSACTION_H

#include "common/kafka/consumer.h"
#include "common/kafka/producer.h"

enum transaction_outcome {
	TRANSACTION_DONE,
	TRANSACTION_ABORTED,
	TRANSACTION_RENEW,
	TRANSACTION_FENCED,
	TRANSACTION_REFUSED
};

/* What librdkafka says about a failed call. */
struct transaction_failure {
	bool fatal, retriable, requires_abort;
	enum err_reason reason;
};

/* The decision, pure: OUT_OF_TIME says that a retriable failure has used its time up.  A failure that may be retried is
 * answered by TRANSACTION_DONE: call again. */
enum transaction_outcome transaction_decide(const struct transaction_failure *failure, bool out_of_time);

/* Take our transactional id: older producers with it are fenced, what they left open is finished.  -1 on BROKER_DOWN (call
 * again), FENCED, BROKER_REFUSES_US. */
int transaction_init(struct producer *p, int timeout_ms, struct err *err);

int transaction_begin(struct producer *p, struct err *err);

/* Add the consumer's offsets and commit.  ABORTED: call transaction_abort().  *ERR says why, unless DONE. */
enum transaction_outcome transaction_commit(struct producer *p, struct consumer *c,
					    const struct topic_partition *offsets, size_t n, int64_t timeout_ms,
					    struct err *err);

/* ABORTED when it is, else RENEW, FENCED or REFUSED. */
enum transaction_outcome transaction_abort(struct producer *p, int64_t timeout_ms, struct err *err);

#endif
