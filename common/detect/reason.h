/* reason.h -- why a value is called unusual, in words for people: one line, the same for an alert and for a row of a file. */
#ifndef FOREBAY_DETECT_REASON_H
#define FOREBAY_DETECT_REASON_H

#include "common/base/arena.h"
#include "common/base/span.h"
#include "common/detect/detector.h"

/* The value, the verdict on it, and what was usual before it. */
struct circumstances {
	struct span name; /* of the quantity */
	double value;
	const double *p;               /* each member's, DETECTOR_MEMBERS of them; NaN: no opinion */
	bool together;                 /* see struct verdict */
	double expected, lower, upper; /* by a forecast: its median and its 5 and 95 % quantiles; NaN: none */
	struct scalar_usual usual;     /* before the value */
	enum scalar_feature sign;      /* see struct verdict */
	uint32_t run;                  /* how often the value has been repeated, where that is unusual; else 0 */
};

/* "flow 12.3 is far above the expected 4.5 (5–95 %: 4–5)".  NULL: memory is out. */
char *reason_tell(const struct circumstances *c, struct arena *arena);

/* Of a verdict that is `shifted`: what is taken as usual from here on.  RUN as above.  NULL: memory is out. */
char *reason_tell_shift(struct span name, const struct verdict *v, uint32_t run, struct arena *arena);

#endif
