/*
 * ondemand.h -- a forecast made in process from a stream's near past, where no other is to be had: by classical members, and by a
 * trained model where one is told to take part and at hand.  The same past and the same model give the same forecast: what is drawn
 * at random depends on the seed, the stream's key and the forecast's origin alone.  One owner.
 */
#ifndef FOREBAY_SCORER_ONDEMAND_H
#define FOREBAY_SCORER_ONDEMAND_H

#include "common/base/cleanup.h"
#include "common/forecast/panel.h"
#include "workers/realtime-scorer/held.h"
#include "workers/realtime-scorer/recent.h"

#define ONDEMAND_KNOWN_MIN 12 /* steps with a value; from fewer no spread can be told */

struct ondemand;

struct ondemand_rule {
	struct recent_rule recent;
	size_t horizon;   /* steps */
	uint32_t members; /* bits of enum panel_member */
	size_t paths;     /* that a trained model draws, see panel_rule.share_paths */
	uint64_t seed;    /* of what is drawn */
};

/* With rule->recent.steps 0 nothing is ever made.  -1 on OPTION_INVALID, NO_MEMORY. */
int ondemand_new(const struct ondemand_rule *rule, struct ondemand **ret, struct err *err);
void ondemand_free(struct ondemand *o);
DEFINE_CLEANUP(struct ondemand, ondemand_free)

/* Is a trained model to take part, where there is one? */
bool ondemand_wants_model(const struct ondemand *o);

/* The rule of a panel that a trained model sits on; only where one is wanted. */
const struct panel_rule *ondemand_panel_rule(const struct ondemand *o);

/* A trained model, and the panel of ondemand_panel_rule() that it sits on. */
struct expert {
	struct panel *panel;
	size_t past; /* steps that it looks back */
	struct span version;
};

struct ondemand_request {
	const struct recent *recent;
	struct span key; /* of the stream */
	int64_t event_us;
	const struct expert *expert; /* NULL: none is at hand */
};

/*
 * The forecast from the beginning of event_us' step on, marked as made on demand; the caller's.  *RET NULL: too little is known.  *USED:
 * the expert took part; else the forecast is what it would be without one.  That is so when the past is shorter than an expert looks
 * back, or moves in nothing.  Bounded: one series of at most rule->recent.steps points.  -1 on NO_MEMORY.
 *
 * Its model is "ondemand", its version the expert's; where one is wanted and took no part "classical", where none is wanted "".
 */
int ondemand_make(struct ondemand *o, const struct ondemand_request *request, struct held **ret, bool *used,
		  struct err *err);

#endif
