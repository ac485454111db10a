/*
 * simulator.h -- the messages of made-up devices.  Message number I is a function of the options and of I: nothing is drawn
 * from a state, so a test can compute again what was sent, in any order.
 *
 * Time goes by in steps.  At each step each device has a few places for messages: its regular one, regular ones of earlier
 * steps that were held up, a repetition, something malformed.  Most places stay empty (SIMULATED_NOTHING).
 */
#ifndef FOREBAY_CLI_SIMULATOR_H
#define FOREBAY_CLI_SIMULATOR_H

#include <stddef.h>
#include <stdint.h>

#include "cli/anomaly.h"
#include "cli/templates.h"
#include "common/base/buffer.h"
#include "common/base/cleanup.h"
#include "common/base/error.h"
#include "common/base/span.h"

#define SIMULATOR_HELD_UP 3 /* steps that a message may be late, at most */

struct simulator_options {
	uint64_t seed;
	int64_t devices, steps;
	int metrics;                       /* of each device, 1 to TEMPLATE_METRICS */
	int64_t start_us, step_us, day_us; /* the first step; from one to the next; length of a simulated day */
	int64_t anomalies;
	/* Shares of the regular messages, 0 to 1. */
	double duplicates, disorder, malformed, bad_values;
	double gaps;           /* share of stretches of 48 steps with a hole of 3 to 16 */
	const char *templates; /* names, comma separated; "": all */
};

enum simulated_kind {
	SIMULATED_NOTHING,
	SIMULATED_REGULAR,
	SIMULATED_HELD_UP, /* a regular message, up to SIMULATOR_HELD_UP steps late */
	SIMULATED_DUPLICATE,
	SIMULATED_MALFORMED,
	SIMULATED_KIND_COUNT,
};

struct simulated {
	enum simulated_kind kind;
	int64_t device, step; /* step that the readings are of */
	int64_t event_us;
	int bad_values;         /* of REGULAR and HELD_UP: values that are none */
	enum err_reason reason; /* of MALFORMED: what the router will say, with the default path map */
	struct span key, value; /* value.ptr NULL: none at all */
};

struct simulator;

/* -1 on USAGE (an unknown template), NO_MEMORY. */
int simulator_new(const struct simulator_options *options, struct simulator **ret, struct err *err);
void simulator_free(struct simulator *s);
DEFINE_CLEANUP(struct simulator, simulator_free)

/* Places for messages: I runs from 0 to this, in the order of sending. */
int64_t simulator_count(const struct simulator *s);

/* Message I.  Its key and value are in SCRATCH, until it is used again.  -1 on NO_MEMORY. */
int simulator_at(const struct simulator *s, int64_t i, struct buffer *scratch, struct simulated *ret, struct err *err);

/* The value of a device's metric at a step, as the message says it, without the bad ones. */
double simulator_value(const struct simulator *s, int64_t device, int metric, int64_t step);

/* Names. */
#define SIMULATOR_NAME_BYTES 64
void simulator_device(const struct simulator *s, int64_t device, char name[SIMULATOR_NAME_BYTES]);
const struct metric_template *simulator_metric(const struct simulator *s, int64_t device, int metric);

int64_t simulator_time(const struct simulator *s, int64_t step);
const struct anomaly *simulator_anomalies(const struct simulator *s, size_t *n);

#endif
