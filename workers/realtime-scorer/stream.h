/*
 * stream.h -- one metric of one device as the scorer knows it: its detector, the forecast it holds, its clock.  A fold over
 * its values and forecasts in order; no clock, no cache, no other key.
 *
 * What a value may change is said by its event time (order.h): taken, it is scored and learned and may open or end an alert; late
 * or ahead, it is scored against what is known; repeated, it is not scored again.  (A repetition of a value that was late is not
 * recognised: it is scored again, as the same record for the sink.)
 */
#ifndef FOREBAY_SCORER_STREAM_H
#define FOREBAY_SCORER_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "common/detect/detector.h"
#include "common/detect/order.h"
#include "workers/realtime-scorer/held.h"
#include "workers/realtime-scorer/recent.h"

struct stream_rule {
	struct detector_options detector;
	struct order_rule order;
	struct recent_rule recent;
	int64_t retry_us; /* of event time, between two questions for a forecast */
};

/* Zeroed is new. */
struct stream {
	struct detector detector;
	struct held *forecast; /* the newest; NULL: none */
	struct order order;
	int32_t slots;    /* of the day, that the detector has learnt; 0: none so far */
	bool asked;       /* a forecast has been asked for ... */
	int64_t asked_us; /* ... last, by a value of that event time */
	struct recent recent;
};

int stream_copy(struct stream *to,
		const struct stream *from); /* TO is undefined before.  -1: memory is out; TO may be cleared */
void stream_clear(struct stream *s);
bool stream_owns(const struct stream *s); /* is there memory that it owns or shares?  Else its bytes are all of it */

/*
 * Is there nothing for EVENT_US: no forecast held, or one that has run out?  (One that begins later is not that: it was made for values
 * to come.)  And is it time to ask for one?
 */
bool stream_lacks(const struct stream *s, int64_t event_us);
bool stream_asks(const struct stream *s, const struct stream_rule *rule, int64_t event_us);

/* A value of EVENT_US has asked; H, which becomes the stream's, is what was found.  NULL: nothing. */
void stream_answer(struct stream *s, struct held *h, int64_t event_us);

struct stream_score {
	enum order_kind kind; /* ORDER_REPEATED: nothing else is set */
	struct verdict verdict;
	bool forecast; /* `outlook` is set ... */
	bool ondemand; /* ... by a forecast made on demand */
	bool lacked;   /* taken, and no forecast that came by topic or cache reaches to its event time */
	struct outlook outlook;
	struct scalar_usual usual; /* before this value */
	uint32_t run;              /* repetitions of this very value, where they are unusual */
};

/*
 * Score VALUE (finite) of EVENT_US and learn it as said above.  With another number of slots than before, what was learnt
 * of the times of the day is forgotten: a state may be older than the configuration.  Room for the value was made before
 * (recent_reserve).  KEY and errors: detector_add().
 */
int stream_add(struct stream *s, const struct stream_rule *rule, uint64_t key, double value, int64_t event_us,
	       struct stream_score *ret, struct err *err);

/*
 * Hold H, which becomes the stream's, unless the one held has a newer origin.  One made on demand gives way to any that has not
 * run out.
 */
void stream_hold(struct stream *s, struct held *h);

#endif
