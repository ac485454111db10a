/*
 * ondemand.h -- a forecast made in process from a stream's near past, where no other is to be had: classical members alone, as
 * a trained model comes by topic and cache.  The same past gives the same forecast.  One owner.
 */
#ifndef FOREBAY_SCORER_ONDEMAND_H
#define FOREBAY_SCORER_ONDEMAND_H

#include "common/base/cleanup.h"
#include "workers/realtime-scorer/held.h"
#include "workers/realtime-scorer/recent.h"

#define ONDEMAND_KNOWN_MIN 12 /* steps with a value; from fewer no spread can be told */

struct ondemand;

struct ondemand_rule {
	struct recent_rule recent;
	size_t horizon;   /* steps */
	uint32_t members; /* bits of enum panel_member, classical ones */
};

/* With rule->recent.steps 0 nothing is ever made.  -1 on OPTION_INVALID, NO_MEMORY. */
int ondemand_new(const struct ondemand_rule *rule, struct ondemand **ret, struct err *err);
void ondemand_free(struct ondemand *o);
DEFINE_CLEANUP(struct ondemand, ondemand_free)

/*
 * The forecast from the beginning of EVENT_US's step on, marked as made on demand; the caller's.  *RET NULL: too little is known.  Bounded:
 * one series of at most rule->recent.steps points, no random draws.  -1 on NO_MEMORY.
 */
int ondemand_make(struct ondemand *o, const struct recent *recent, int64_t event_us, struct held **ret,
		  struct err *err);

#endif
