/* detect_meter.h -- is a column a meter's, a count that only grows?  As a level it hides what a meter may have to tell.  Pure. */
#ifndef FOREBAY_CLI_DETECT_METER_H
#define FOREBAY_CLI_DETECT_METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"

/* Zeroed is new. */
struct meter {
	bool begun;
	double last;
	int64_t rises, falls;
};

void meter_add(struct meter *m, double value); /* NaN: nothing */

/* It rose a hundred times at least, and a thousand times as often as it fell: a new meter now and then is one, too. */
bool meter_is(const struct meter *m);

/* Append which of N columns are meters, and what to do: nothing where none is.  -1 when the buffer may not grow. */
int meter_tell(const struct meter *meters, const char *const *names, size_t n, struct buffer *out);

#endif
