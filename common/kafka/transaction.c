/* transaction.c -- librdkafka's transaction calls and the remedies for their failures (INTRODUCTION.md, "Transactional
 * Producer"; librdkafka #4849 and #5423, Jepsen's Bufstream report for why an unknown fate needs a new producer). */
#include "common/kafka/transaction.h"

#include "common/base/clock.h"
#include "common/kafka/private.h"

#define RETRY_PAUSE_US (20 * US_PER_MS)

enum transaction_outcome
transaction_decide(const struct transaction_failure *f, bool out_of_time)
{
	if (f->reason == REASON_FENCED)
		return TRANSACTION_FENCED;
	if (f->reason == REASON_BROKER_REFUSES_US)
		return TRANSACTION_REFUSED;
	if (f->fatal)
		return TRANSACTION_RENEW;
	if (f->requires_abort)
		return TRANSACTION_ABORTED;
	if (f->retriable && !out_of_time)
		return TRANSACTION_DONE;
	return TRANSACTION_RENEW;
}

/* Take ERROR apart; it is freed. */
static struct transaction_failure
failure_of(rd_kafka_error_t *error, const char *what, struct err *err)
{
	struct transaction_failure f = {
		.fatal = rd_kafka_error_is_fatal(error),
		.retriable = rd_kafka_error_is_retriable(error),
		.requires_abort = rd_kafka_error_txn_requires_abort(error),
		.reason = client_reason(rd_kafka_error_code(error)),
	};

	/* Within a transaction a refused record or a missing topic is no news about us. */
	err_set(err,
		f.reason == REASON_FENCED || f.reason == REASON_BROKER_REFUSES_US ? f.reason
										  : REASON_TRANSACTION_ABORTED,
		"%s: %s", what, rd_kafka_error_string(error));
	rd_kafka_error_destroy(error);
	return f;
}

int
transaction_init(struct producer *p, int timeout_ms, struct err *err)
{
	rd_kafka_error_t *error = rd_kafka_init_transactions(producer_handle(p), timeout_ms);
	struct transaction_failure f;

	if (!error)
		return 0;
	f = failure_of(error, "taking the transactional id", err);
	if (f.reason != REASON_FENCED && f.reason != REASON_BROKER_REFUSES_US)
		err->reason = f.fatal ? REASON_INTERNAL : REASON_BROKER_DOWN;
	return -1;
}

int
transaction_begin(struct producer *p, struct err *err)
{
	rd_kafka_error_t *error = rd_kafka_begin_transaction(producer_handle(p));

	if (!error)
		return 0;
	failure_of(error, "beginning a transaction", err);
	return -1;
}

/* Call STEP until it succeeds, fails for good, or DEADLINE_US passes. */
static enum transaction_outcome
repeat(rd_kafka_error_t *(*step)(void *), void *ctx, const char *what, int64_t deadline_us, struct err *err)
{
	for (;;) {
		rd_kafka_error_t *error = step(ctx);
		enum transaction_outcome outcome;
		struct transaction_failure f;

		if (!error)
			return TRANSACTION_DONE;
		f = failure_of(error, what, err);
		outcome = transaction_decide(&f, clock_monotonic_us() > deadline_us);
		if (outcome != TRANSACTION_DONE)
			return outcome;
		clock_sleep_us(RETRY_PAUSE_US);
	}
}

struct commit_step {
	rd_kafka_t *producer;
	rd_kafka_topic_partition_list_t *offsets;
	rd_kafka_consumer_group_metadata_t *group;
	int timeout_ms;
};

static rd_kafka_error_t *
send_offsets(void *ctx)
{
	struct commit_step *s = ctx;

	return rd_kafka_send_offsets_to_transaction(s->producer, s->offsets, s->group, s->timeout_ms);
}

static rd_kafka_error_t *
commit(void *ctx)
{
	struct commit_step *s = ctx;

	return rd_kafka_commit_transaction(s->producer, s->timeout_ms);
}

static rd_kafka_error_t *
abort_step(void *ctx)
{
	struct commit_step *s = ctx;

	return rd_kafka_abort_transaction(s->producer, s->timeout_ms);
}

enum transaction_outcome
transaction_abort(struct producer *p, int64_t timeout_ms, struct err *err)
{
	struct commit_step s = { .producer = producer_handle(p), .timeout_ms = (int)timeout_ms };
	struct err ignored = ERR_INIT;
	enum transaction_outcome outcome = repeat(abort_step, &s, "aborting the transaction",
						  clock_monotonic_us() + timeout_ms * US_PER_MS, err ? err : &ignored);

	return outcome == TRANSACTION_DONE      ? TRANSACTION_ABORTED
	       : outcome == TRANSACTION_ABORTED ? TRANSACTION_RENEW
						: outcome;
}

enum transaction_outcome
transaction_commit(struct producer *p, struct consumer *c, const struct topic_partition *offsets, size_t n,
		   int64_t timeout_ms, struct err *err)
{
	int64_t deadline = clock_monotonic_us() + timeout_ms * US_PER_MS;
	struct commit_step s = { .producer = producer_handle(p), .timeout_ms = (int)timeout_ms };
	enum transaction_outcome outcome = TRANSACTION_DONE;

	if (n) {
		s.group = rd_kafka_consumer_group_metadata(consumer_handle(c));
		s.offsets = rd_kafka_topic_partition_list_new((int)n);
		for (size_t i = 0; i < n; i++)
			rd_kafka_topic_partition_list_add(s.offsets, offsets[i].topic, offsets[i].partition)->offset =
			    offsets[i].offset;
		outcome = repeat(send_offsets, &s, "adding offsets to the transaction", deadline, err);
		rd_kafka_topic_partition_list_destroy(s.offsets);
		rd_kafka_consumer_group_metadata_destroy(s.group);
	}
	if (outcome == TRANSACTION_DONE)
		outcome = repeat(commit, &s, "committing the transaction", deadline, err);
	return outcome;
}
