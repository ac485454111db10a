/*
 * mapping.h -- one raw message in, its readings out.  Pure: the result depends on the message, its key, topic and time
 * stamp, the maps and the rules, and on nothing else.
 *
 * All or nothing: a message of several event times of which one is condemned (no time, no device, no value at all) is
 * refused as a whole.  A value that is there but bad stays, as null with its quality and text; one good value in the
 * message is enough.  A value that is absent is left out.  true and false are 1 and 0.  A metric that comes twice in one
 * reading is left to the reading's codec, which refuses it with RECORD_INVALID: nobody knows which one is meant.
 */
#ifndef FOREBAY_INGEST_ROUTER_MAPPING_H
#define FOREBAY_INGEST_ROUTER_MAPPING_H

#include "common/record/reading.h"
#include "workers/ingest-router/pathmap.h"

#define NAME_MAX_BYTES 256 /* device ids, metric names, units */
#define BAD_TEXT_MAX 256   /* what is kept of a bad value */

struct raw_message {
	struct span topic, key, json;
	int64_t ingest_us; /* time stamp of the record; -1: none */
};

struct mapping_rules {
	struct scan_limits limits;
	size_t values_max; /* of a message, over all its event times */
	int64_t time_min_us;
	int64_t time_future_max_us; /* beyond the record's time stamp */
	bool time_default_ingest;   /* where neither message nor map say otherwise */
};

struct mapped {
	const struct pathmap *map;
	struct reading *readings; /* at least one */
	size_t n;
};

/*
 * Readings live in ARENA and point into the message and the maps.  -1 on what scan_json() says, SOURCE_UNKNOWN, DEVICE_MISSING,
 * DEVICE_INVALID, TIME_MISSING, TIME_SYNTAX, TIME_RANGE, NO_VALUE, TOO_MANY_VALUES, RECORD_INVALID, NO_MEMORY.
 */
int mapping_apply(const struct pathmaps *maps, const struct mapping_rules *rules, const struct raw_message *message,
		  struct arena *arena, struct mapped *ret, struct err *err);

#endif
