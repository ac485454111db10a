/* reading.h -- telemetry.readings, telemetry.deferred: one device, one event time, an array of values. */
#ifndef FOREBAY_RECORD_READING_H
#define FOREBAY_RECORD_READING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/span.h"
#include "common/record/codec.h"

enum quality {
	QUALITY_GOOD,
	QUALITY_NULL,         /* JSON null, an empty field */
	QUALITY_NOT_A_NUMBER, /* a text that is no number, an object, an array */
	QUALITY_NOT_FINITE,   /* NaN, an infinity, a number beyond the range of a double */
	QUALITY_OUT_OF_RANGE, /* outside the range that the path map allows, or its sentinel value */
	QUALITY_UNKNOWN,      /* a code of a later version */
	QUALITY_COUNT
};

const char *quality_name(enum quality q); /* "good", "null", "not_a_number", "not_finite", "out_of_range", "unknown" */
enum quality quality_parse(struct span name);

struct reading_value {
	struct span metric;
	double value;     /* NaN unless quality is GOOD */
	struct span unit; /* SPAN_NONE: not known */
	enum quality quality;
	struct span text; /* what a bad value was in the message (cut at 256 bytes); SPAN_NONE for a good one */
};

struct reading {
	struct span device;
	int64_t event_us;   /* when it was measured */
	int64_t ingest_us;  /* time stamp of the raw record */
	struct span source; /* name of the path map that read it */
	struct reading_value *values;
	size_t n_values; /* at least one; metrics are distinct */
};

extern const struct record_type reading_record;

#endif
