/*
 * sender.h -- messages to one topic, at a rate, counted; idempotent, in order per key, waited for until the broker has all.
 */
#ifndef FOREBAY_CLI_SENDER_H
#define FOREBAY_CLI_SENDER_H

#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/error.h"
#include "common/base/span.h"
#include "common/kafka/client.h"

struct sender_counts {
	int64_t messages, bytes; /* handed over; bytes of keys and values */
	int64_t refused;         /* of them, what the broker or the client said no to for good */
	struct err first_refusal;
	double seconds;      /* since the sender was opened */
	double held_seconds; /* of them, by sender_hold() */
};

struct sender;

/* RATE: messages per second at most, 0: as fast as it goes.  -1 on BROKER_DOWN, BROKER_REFUSES_US, OPTION_INVALID,
 * TOPIC_MISSING. */
int sender_open(const struct client_config *config, const char *topic, double rate, int timeout_ms, struct sender **ret,
		struct err *err);
void sender_close(struct sender *s);
DEFINE_CLEANUP(struct sender, sender_close)

/* Send, when the rate allows it.  A message that is refused is counted, and is no error.  KEY may be SPAN_NONE.  -1 on
 * BROKER_DOWN and the like. */
int sender_send(struct sender *s, struct span key, struct span value, struct err *err);

/* Wait until the broker has answered for all of them.  -1 on BROKER_DOWN: flush after TIMEOUT_MS, finish when the client gives up. */
int sender_flush(struct sender *s, int timeout_ms, struct err *err);
int sender_finish(struct sender *s, struct err *err);

/* Nothing was sent for US on purpose: the rate does not make up for it. */
void sender_hold(struct sender *s, int64_t us);

void sender_counts(const struct sender *s, struct sender_counts *ret);

#endif
