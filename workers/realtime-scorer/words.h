/* words.h -- what is said of a value or a row, in one line for people. */
#ifndef FOREBAY_SCORER_WORDS_H
#define FOREBAY_SCORER_WORDS_H

#include "common/base/arena.h"
#include "workers/realtime-scorer/collective.h"
#include "workers/realtime-scorer/stream.h"

enum occasion {
	OCCASION_STRANGE,  /* why it is */
	OCCASION_OVER,     /* an alert is */
	OCCASION_ACCEPTED, /* what was strange is usual from here on */
	OCCASIONS
};

/* The texts live in ARENA; SPAN_NONE: memory is out. */
struct span words_of_stream(enum occasion what, struct span metric, double value, const struct stream_score *s,
			    struct arena *arena);
struct span words_of_group(enum occasion what, const struct group_rule *which, const struct collective_score *s,
			   struct arena *arena);

/* The member whose p-value is the smallest, the first of equals. */
struct span words_detector(const double p[DETECTOR_MEMBERS]);

#endif
