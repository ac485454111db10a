/* lane.c -- take, send, hear, write down. */
#include "workers/alert-notifier/lane.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"

#define LOOK_MS 1000 /* between two looks for what is due, at most; what is new does not wait for it */
#define SAME_LOG_US (60 * US_PER_SECOND)
#define VALID_FACTOR 4 /* what fires is believed for so many times the interval in which it is told */

void
lane_init(struct lane *l, const struct receiver *receiver, const struct lane_rule *rule, struct metrics *metrics)
{
	*l = (struct lane){ .receiver = receiver, .rule = rule };
	lane_meters_init(&l->meters, metrics, receiver->name);
}

/* ---- answers ---- */

static void
tell_trouble(struct lane *l, const struct err *why, int64_t now)
{
	if (!l->failing_us)
		l->failing_us = now;
	if (l->told_us && now - l->told_us < SAME_LOG_US)
		return;
	l->told_us = now;
	log_error(LOG_WARN, "a receiver does not take alerts", why, "receiver", LOG_S(l->receiver->name), NULL);
}

static void
tell_success(struct lane *l, int64_t now)
{
	if (l->told_us)
		log_event(LOG_INFO, "a receiver takes alerts again", "receiver", LOG_S(l->receiver->name), "after_s",
			  LOG_I((now - l->failing_us) / US_PER_SECOND), NULL);
	l->failing_us = l->told_us = 0;
}

void
lane_answered(const struct http_answer *answer, int64_t now)
{
	static const struct schedule at_once = { 0, 0 };
	struct flight *f = answer->tag;
	struct lane *l = f->lane;
	struct err why = ERR_INIT;

	f->answer = *answer;
	f->ended = true;
	if (verdict_of(answer, l->receiver->name, &why) == VERDICT_AGAIN)
		tell_trouble(l, &why, now);
	else
		tell_success(l, now);
	if (answer->status == 429 || answer->status == 503) /* they speak of the receiver, not of what it was sent */
		l->held_us = now + schedule_pause_ms(&at_once, 1, 0, answer->retry_after_ms) * US_PER_MS;
}

/* ---- what became of it ---- */

static void
seqs_of(const struct flight *f, int64_t seqs[RECEIVER_BATCH_MAX])
{
	for (size_t i = 0; i < f->n; i++)
		seqs[i] = f->parcels[i].seq;
}

/* Tried for too long, or waiting for too long while nothing gets through. */
static bool
overdue(const struct flight *f, size_t i, int64_t now)
{
	const struct lane *l = f->lane;
	int64_t under_way = now - f->started_us, limit = l->rule->timeout_us;

	if (f->parcels[i].attempts > 0 && f->parcels[i].trying_us + under_way >= limit)
		return true;
	return f->parcels[i].waiting_us + under_way >= limit && l->failing_us && now - l->failing_us >= limit;
}

/* Tried again, or given up, each by its own age. */
static int
settle_failed(struct flight *f, const struct deliveries *table, const struct err *why, int64_t now, struct err *err)
{
	int64_t again[RECEIVER_BATCH_MAX], pauses[RECEIVER_BATCH_MAX], over[RECEIVER_BATCH_MAX];
	struct err late = { .reason = REASON_DELIVERY_TIMEOUT };
	size_t n_again = 0, n_over = 0;
	struct lane *l = f->lane;

	strcpy(late.text, why->text);
	for (size_t i = 0; i < f->n; i++) {
		int64_t seq = f->parcels[i].seq;

		if (overdue(f, i, now)) {
			over[n_over++] = seq;
			continue;
		}
		pauses[n_again] = schedule_pause_ms(&l->rule->schedule, f->parcels[i].attempts + 1, (uint64_t)seq,
						    f->answer.retry_after_ms);
		again[n_again++] = seq;
	}
	if (n_again && deliveries_again(table, again, pauses, n_again, f->answer.status, why->text, err) < 0)
		return -1;
	if (n_over &&
	    deliveries_refused(table, over, n_over, f->answer.status, &late, receiver_forgets(l->receiver), err) < 0)
		return -1;
	f->outcomes[OUTCOME_RETRIED] = n_again;
	f->outcomes[OUTCOME_REFUSED] = n_over;
	return 0;
}

static int
settle_refused(struct flight *f, const struct deliveries *table, const struct err *why, struct err *err)
{
	int64_t seqs[RECEIVER_BATCH_MAX], at_once[RECEIVER_BATCH_MAX] = { 0 };

	seqs_of(f, seqs);
	if (f->n > 1) { /* one of them is to blame */
		f->lane->careful = f->n;
		return deliveries_again(table, seqs, at_once, f->n, f->answer.status, why->text, err);
	}
	if (deliveries_refused(table, seqs, 1, f->answer.status, why, false, err) < 0)
		return -1;
	f->outcomes[OUTCOME_REFUSED] = 1;
	return 0;
}

static int
settle_delivered(struct flight *f, const struct deliveries *table, struct err *err)
{
	const struct lane *l = f->lane;
	int64_t seqs[RECEIVER_BATCH_MAX];

	seqs_of(f, seqs);
	if (deliveries_delivered(table, seqs, f->n, f->answer.status, receiver_forgets(l->receiver),
				 l->rule->resolved_ms, err) < 0)
		return -1;
	f->outcomes[OUTCOME_DELIVERED] = f->n;
	return 0;
}

static int
settle_standing(struct flight *f, const struct deliveries *table, enum verdict verdict, int64_t now, struct err *err)
{
	bool ok = verdict == VERDICT_DELIVERED;
	int64_t seqs[RECEIVER_BATCH_MAX];

	seqs_of(f, seqs);
	if (verdict == VERDICT_REFUSED && f->n > 1)
		f->lane->careful_us =
		    now + 2 * f->lane->rule->resend_ms * US_PER_MS; /* each of them comes again in it */
	if (deliveries_told(table, seqs, f->n, ok, err) < 0)
		return -1;
	f->outcomes[ok ? OUTCOME_TOLD_AGAIN : OUTCOME_NOT_TOLD] = f->n;
	return 0;
}

static int
settle(struct flight *f, const struct deliveries *table, int64_t now, struct err *err)
{
	struct err why = ERR_INIT;
	enum verdict verdict = verdict_of(&f->answer, f->lane->receiver->name, &why);

	if (f->standing)
		return settle_standing(f, table, verdict, now, err);
	switch (verdict) {
	case VERDICT_DELIVERED: return settle_delivered(f, table, err);
	case VERDICT_REFUSED: return settle_refused(f, table, &why, err);
	case VERDICT_AGAIN: break;
	}
	return settle_failed(f, table, &why, now, err);
}

bool
lane_has_ended(const struct lane *l)
{
	for (size_t i = 0; i < LANE_FLIGHTS_MAX; i++)
		if (l->flights[i].lane && l->flights[i].ended)
			return true;
	return false;
}

int
lane_settle(struct lane *l, const struct deliveries *table, int64_t now, struct err *err)
{
	for (size_t i = 0; i < LANE_FLIGHTS_MAX; i++) {
		struct flight *f = &l->flights[i];

		memset(f->outcomes, 0, sizeof(f->outcomes)); /* it may be the second time */
		if (f->lane && f->ended && settle(f, table, now, err) < 0)
			return -1;
	}
	return 0;
}

void
lane_settled(struct lane *l, int64_t now)
{
	for (size_t i = 0; i < LANE_FLIGHTS_MAX; i++) {
		struct flight *f = &l->flights[i];

		if (!f->lane || !f->ended)
			continue;
		for (int k = 0; k < OUTCOME_COUNT; k++)
			metric_add(l->meters.outcomes[k], (double)f->outcomes[k]);
		for (size_t k = 0; k < f->outcomes[OUTCOME_DELIVERED]; k++)
			metric_observe(l->meters.seconds,
				       (double)(f->parcels[k].waiting_us + now - f->started_us) * 1e-6);
		f->lane = NULL;
		l->in_flight--;
		l->look_us = 0; /* what waited for it may go now */
	}
	metric_set(l->meters.in_flight, (double)l->in_flight);
}

/* ---- sending ---- */

static struct flight *
free_flight(struct lane *l)
{
	for (size_t i = 0; i < l->receiver->in_flight_max && i < LANE_FLIGHTS_MAX; i++)
		if (!l->flights[i].lane)
			return &l->flights[i];
	return NULL;
}

static int
start(struct lane *l, struct http_client *http, const struct taken *taken, size_t n, bool standing, int64_t now,
      struct err *err)
{
	int64_t valid_us = VALID_FACTOR * l->rule->resend_ms * US_PER_MS;
	struct parcel parcels[RECEIVER_BATCH_MAX];
	struct flight *f = free_flight(l);

	if (!f || n > RECEIVER_BATCH_MAX)
		return err_set(err, REASON_INTERNAL, "more deliveries taken than can be sent");
	*f = (struct flight){ .standing = standing, .n = n, .started_us = now };
	for (size_t i = 0; i < n; i++) {
		const struct taken *t = &taken[i];

		f->parcels[i].seq = t->seq;
		f->parcels[i].attempts = t->attempts;
		f->parcels[i].waiting_us = t->waiting_us;
		f->parcels[i].trying_us = t->trying_us;
		parcels[i] = (struct parcel){ t->alert_id, t->status, t->severity, t->payload };
	}
	if (receiver_send(l->receiver, http, parcels, n, clock_real_us(), valid_us, f, err) < 0)
		return -1;
	f->lane = l;
	l->in_flight++;
	metric_set(l->meters.in_flight, (double)l->in_flight);
	return 0;
}

static int
send_standing(struct lane *l, const struct deliveries *table, struct http_client *http, struct arena *arena,
	      int64_t now, struct err *err)
{
	size_t batch = now < l->careful_us ? 1 : l->receiver->batch_max, n;
	struct taken *taken;

	if (!receiver_forgets(l->receiver) || now < l->look_standing_us || !free_flight(l))
		return 0;
	if (deliveries_take_standing(table, l->receiver->name, l->rule->resend_ms, batch, l->rule->lease_ms, arena,
				     &taken, &n, err) < 0)
		return -1;
	if (n < batch)
		l->look_standing_us = now + LOOK_MS * US_PER_MS;
	return n ? start(l, http, taken, n, true, now, err) : 0;
}

static int
send_pending(struct lane *l, const struct deliveries *table, struct http_client *http, struct arena *arena, int64_t now,
	     struct err *err)
{
	size_t batch = l->careful ? 1 : l->receiver->batch_max;
	size_t room = (l->receiver->in_flight_max - l->in_flight) * batch, n;
	struct taken *taken;
	int64_t pause_ms = 0;

	if (now < l->look_us || room == 0)
		return 0;
	if (deliveries_take(table, l->receiver->name, room, l->rule->lease_ms, arena, &taken, &n, err) < 0)
		return -1;
	l->careful -= l->careful < n ? l->careful : n;
	if (n < room && deliveries_next(table, l->receiver->name, LOOK_MS, &pause_ms, err) < 0)
		return -1;
	l->look_us = now + pause_ms * US_PER_MS;
	for (size_t i = 0; i < n; i += batch)
		if (start(l, http, taken + i, n - i < batch ? n - i : batch, false, now, err) < 0)
			return -1;
	return 0;
}

int
lane_send(struct lane *l, const struct deliveries *table, struct http_client *http, struct arena *arena, int64_t now,
	  struct err *err)
{
	if (now < l->held_us)
		return 0;
	if (send_standing(l, table, http, arena, now, err) < 0)
		return -1;
	return send_pending(l, table, http, arena, now, err);
}

int64_t
lane_next_us(const struct lane *l)
{
	int64_t look = l->look_us;

	if (l->in_flight >= l->receiver->in_flight_max)
		return INT64_MAX;
	if (receiver_forgets(l->receiver) && l->look_standing_us < look)
		look = l->look_standing_us;
	return look > l->held_us ? look : l->held_us;
}
