/*
 * order.h -- whose turn is it: what a value may change, by its event time.  A pure step; it never asks a clock.
 *
 * A stream's clock is its newest event time.  A value that is not newer than it does not move the statistics:
 *
 *	newer		taken: scored, learned, may open or end an alert
 *	the same	repeated: not scored again
 *	older		late: scored against what is known, nothing is learned, no alert.  After `late_max` late values in a row
 *			the clock was wrong (a device in the future, now set right), and the next one is taken
 *	far newer	by more than jump_max_us: ahead.  Treated as a late one until the next value confirms it
 */
#ifndef FOREBAY_DETECT_ORDER_H
#define FOREBAY_DETECT_ORDER_H

#include <stdbool.h>
#include <stdint.h>

struct order_rule {
	int64_t jump_max_us;
	int late_max;
};

/* Zeroed is new.  Plain bytes: may be copied. */
struct order {
	int64_t last_us;  /* the clock; means something once `begun` */
	int64_t ahead_us; /* event time of the value that was ahead, when `ahead` */
	uint32_t late;    /* late values in a row */
	bool begun, ahead;
};

enum order_kind { ORDER_TAKEN, ORDER_LATE, ORDER_AHEAD, ORDER_REPEATED, ORDER_KINDS };

/* What a value of EVENT_US would be. */
enum order_kind order_kind_of(const struct order *o, const struct order_rule *rule, int64_t event_us);

/* A value of EVENT_US has come, and was that. */
enum order_kind order_add(struct order *o, const struct order_rule *rule, int64_t event_us);

#endif
