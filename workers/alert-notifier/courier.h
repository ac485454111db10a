/*
 * courier.h -- brings what is owed to those who are to be told, on a thread of its own with a database session of its own.
 *
 * All it knows is in forebay.deliveries (deliveries.h); memory holds only what is under way.  So a receiver that hangs
 * costs its own requests' time and nothing else: neither the loop that reads alerts, nor the other receivers wait for it.
 * While PostgreSQL does not answer nothing new is sent, and what has ended meanwhile is written when it is back.
 */
#ifndef FOREBAY_NOTIFIER_COURIER_H
#define FOREBAY_NOTIFIER_COURIER_H

#include "common/base/cleanup.h"
#include "workers/alert-notifier/receiver.h"

struct courier;

struct courier_options {
	const struct notifier_options *options;
	const struct receivers *receivers;
	const char *notifier, *instance; /* see deliveries.h */
	struct metrics *metrics;
};

/* What the options point to must outlive it.  -1 on OPTION_INVALID (http.ca.file, postgres.uri), NO_MEMORY. */
int courier_start(const struct courier_options *options, struct courier **ret, struct err *err);

/* On any thread: there is something new. */
void courier_wake(struct courier *c);

/* On any thread: -1 with the error (class FATAL) for which it has given up. */
int courier_failed(struct courier *c, struct err *err);

/* Starts nothing more, waits up to WAIT_MS for what is under way, and writes what became of it. */
void courier_stop(struct courier *c, int64_t wait_ms);

#endif
