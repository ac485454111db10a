/* attribution_shape.h -- Attribution's table.  For this module only. */
#ifndef FOREBAY_RECORD_ATTRIBUTION_SHAPE_H
#define FOREBAY_RECORD_ATTRIBUTION_SHAPE_H

#include "common/record/attribution.h"
#include "common/record/shape.h"

extern const struct shape attribution_shape;

/* The field of TYPE's `attribution`. */
#define ATTRIBUTION_FIELD(type)                                                                        \
	{                                                                                              \
		"attribution", FIELD_RECORDS, AT(type, attribution.items), COUNT(type, attribution.n), \
		    LENGTH(0, ATTRIBUTION_MAX), .item = &attribution_shape                             \
	}

#endif
