/*
 * lane.h -- one receiver and what is under way to it.  Owned by the courier's thread.
 *
 * What goes wrong with a receiver stays in its lane: the pause that it asks for, the time since when it has been failing, and
 * how carefully it is served (an Alertmanager that refuses a request with many alerts gets them one by one, so that the good
 * ones among them arrive).
 */
#ifndef FOREBAY_NOTIFIER_LANE_H
#define FOREBAY_NOTIFIER_LANE_H

#include "workers/alert-notifier/deliveries.h"
#include "workers/alert-notifier/meters.h"
#include "workers/alert-notifier/receiver.h"
#include "workers/alert-notifier/verdict.h"

#define LANE_FLIGHTS_MAX 64

/* What all lanes go by. */
struct lane_rule {
	struct schedule schedule;
	int64_t timeout_us;             /* then a change is given up */
	int64_t resend_ms, resolved_ms; /* what stands is told so often; what is resolved stands so long */
	int64_t lease_ms;               /* how long a request may take, and be written down */
};

/* A request, from its start until what became of it is written. */
struct flight {
	struct lane *lane; /* NULL: free */
	bool ended, standing;
	size_t n;
	struct {
		int64_t seq, attempts, waiting_us, trying_us;
	} parcels[RECEIVER_BATCH_MAX];
	int64_t started_us;
	struct http_answer answer;
	size_t outcomes[OUTCOME_COUNT]; /* as written: counted when that is committed */
};

struct lane {
	const struct receiver *receiver;
	const struct lane_rule *rule;
	struct lane_meters meters;
	struct flight flights[LANE_FLIGHTS_MAX];
	size_t in_flight;
	int64_t look_us, look_standing_us; /* when to look for what is due; monotonic, as all below */
	int64_t held_us;                   /* until then it wants to be left alone */
	int64_t failing_us;                /* since then nothing got through; 0: it works */
	int64_t told_us;                   /* of the trouble, in the log; 0: there is none */
	size_t careful;                    /* so many more changes go one by one */
	int64_t careful_us;                /* until then what stands goes one by one */
};

/* RECEIVER and RULE must outlive it. */
void lane_init(struct lane *l, const struct receiver *receiver, const struct lane_rule *rule, struct metrics *metrics);

/* ANSWER, whose tag is a flight, has come. */
void lane_answered(const struct http_answer *answer, int64_t now_us);

/* Is there something to write down? */
bool lane_has_ended(const struct lane *l);

/* In a transaction: write what became of those that have ended; then, when it is committed, be done with them. */
int lane_settle(struct lane *l, const struct deliveries *table, int64_t now_us, struct err *err);
void lane_settled(struct lane *l, int64_t now_us);

/* Take what is due and send it, as far as there is room.  Texts pass through ARENA. */
int lane_send(struct lane *l, const struct deliveries *table, struct http_client *http, struct arena *arena,
	      int64_t now_us, struct err *err);

/* When lane_send() may have something to do next, without news from outside; INT64_MAX: no room. */
int64_t lane_next_us(const struct lane *l);

#endif
