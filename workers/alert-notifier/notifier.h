/*
 * notifier.h -- the notifier as the loop sees it.
 *
 * Offsets live in Kafka and what is owed in PostgreSQL, without one transaction over both: a change's rows are written before
 * its offset is committed, and their key (receiver, alert, status, severity) makes a repetition the same rows.  So nothing is
 * lost, nothing is owed twice, and the loop is done with a change when it is durable, however long its delivery takes.  An
 * owner who was replaced without noticing can do no harm either: he writes what his successor would write.
 *
 * A change that is given up goes to <topic>.dlq from idle(), long after its offset: first the letter, then the row says
 * "dead".  A crash in between repeats the letter.
 */
#ifndef FOREBAY_NOTIFIER_NOTIFIER_H
#define FOREBAY_NOTIFIER_NOTIFIER_H

#include "common/worker/worker.h"
#include "workers/alert-notifier/courier.h"
#include "workers/alert-notifier/deliveries.h"

#define NOTIFIER_LETTERS_MAX 100 /* in one transaction */

/* What one transaction's changes are owed as. */
struct owed {
	struct debt *items;
	size_t n, cap;
};

struct notifier {
	struct notifier_options options;
	struct receivers receivers;
	struct worker *worker;
	const char *const *topics;
	size_t n_topics;
	struct codec **codecs; /* a topic each; the worker's */
	struct store *store;   /* of the loop's thread */
	struct deliveries table;
	struct owed owed; /* in the batch's memory */
	struct courier *courier;
	struct arena *arena;                   /* of idle() */
	int64_t letters[NOTIFIER_LETTERS_MAX]; /* rows whose dead letters are under way, or in Kafka */
	size_t n_letters;
	bool letters_sent; /* they are in Kafka for certain */
	int64_t look_us;   /* monotonic: when to look for letters again */
	int64_t alone_us;  /* until then they go one by one: some that went together were given up */
};

extern const struct worker_spec notifier_spec;

#endif
