/*
 * episode.h -- when p-values become an alert, and when it is over.  A pure step: state, p-value and event time in, state
 * and actions out; it counts values and never asks a clock.
 *
 *	OK --p < pending--> PENDING --m of the last n below firing, or one below critical--> FIRING
 *	FIRING --state score calm and p >= pending for `calm_values` values--> OK, and quiet for `refractory_values`
 *
 * PENDING falls back to OK when none of the last n was below pending.  While quiet, only what is REFIRE times as strong (in
 * -log10 p) as the peak before is let through to an alert; to the onset score, what is stronger than the spike before by a factor
 * that falls from REFIRE to 1.  Beyond these levels, which are fixed, an
 * alert must be a discovery of the stream's account (fdr.h), and no more of them open than so many in a span of event time.
 *
 * Trouble -- an alert is open, or the state score is far from what chance makes of it -- that lasts for `accept_values` is
 * the new normal: the alert closes, and the caller is told to take what is as what should be.
 */
#ifndef FOREBAY_DETECT_EPISODE_H
#define FOREBAY_DETECT_EPISODE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/detect/fdr.h"

#define EPISODE_N_MAX 32

struct episode_options {
	double pending, firing, critical; /* p-values, descending */
	int m, n;              /* of the last n values, m must be below firing; 1 <= m <= n <= EPISODE_N_MAX */
	double calm_ratio;     /* the state score is calm below this times -log10(firing), in (0, 1) */
	int calm_values;       /* so many calm values in a row end an episode, >= 1 */
	int refractory_values; /* quiet after a spike and after an episode, >= 0 */
	double refire;         /* >= 1 */
	int state_span;        /* values over which the state score is smoothed, >= 1 */
	int accept_values;     /* trouble that lasts so long is the new normal; 0: never */
	int flap_alerts;       /* so many alerts may open in flap_us of event time; 0: any number */
	int64_t flap_us;       /* > 0 with flap_alerts */
	struct fdr_options fdr;
};

enum episode_status { EPISODE_OK, EPISODE_PENDING, EPISODE_FIRING };
enum episode_action { EPISODE_NOTHING, EPISODE_OPENED, EPISODE_CLOSED };

/* Zeroed is new.  Plain bytes: may be copied. */
struct episode {
	int64_t starts_us;  /* event time of the value that opened the present or last episode */
	int64_t flap_us;    /* event time at which `opened` was brought up to date */
	double smallest_p;  /* of the present or last episode */
	float state;        /* smoothed -log10 p */
	float spike;        /* the onset that made it quiet */
	float peak;         /* strongest value of the last episode */
	uint32_t pending;   /* the last values, newest lowest: 1 where p < pending */
	uint32_t firing;    /* the same for p < firing */
	int32_t spike_left; /* values for which the onset score stays quiet */
	int32_t quiet_left; /* values for which no alert opens */
	int32_t troubled;   /* values in trouble, less those out of it since; >= 0 */
	float opened;       /* alerts opened, those of the past fading away by flap_alerts in flap_us */
	struct fdr fdr;
	int16_t calm;   /* calm values in a row */
	uint8_t status; /* enum episode_status */
};

struct episode_step {
	enum episode_action action;
	double onset;  /* -log10 p, and 0.6 of what the state score is above the usual; 0 while quiet */
	double state;  /* smoothed -log10 p */
	bool troubled; /* something is going on: what comes now is no example of what is usual */
	bool accepted; /* ... for so long that it is, from now on */
	bool capped;   /* an alert would have opened, but for the number of those before it */
};

/* P is the value's own p-value, of which the state score is made; TOGETHER, with the values before it, is what opens alerts. */
struct episode_step episode_add(struct episode *e, const struct episode_options *o, double p, double together,
				int64_t event_us);

/* How strong P is: -log10 p. */
double episode_onset(double p);

/* Onset that a value outside the order has, 0 after a spike like any other: it changes nothing. */
double episode_look(const struct episode *e, const struct episode_options *o, double p);

#endif
