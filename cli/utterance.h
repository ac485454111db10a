/* utterance.h -- how a made-up device writes its message: one of several forms of time, one of the forms of its kind. */
#ifndef FOREBAY_CLI_UTTERANCE_H
#define FOREBAY_CLI_UTTERANCE_H

#include <stdint.h>

#include "cli/templates.h"
#include "common/base/buffer.h"
#include "common/base/error.h"
#include "common/base/span.h"

struct utterance {
	const struct device_template *template;
	struct span device;
	uint64_t seed;
	int64_t number, step; /* of the device; of the reading */
	int64_t time_us;
	const double *values;
	int n_values;
	int bad; /* which value is none; -1 */
};

/* Append the message to OUT.  -1 on NO_MEMORY. */
int utter(const struct utterance *u, struct buffer *out, struct err *err);

/* Append something that no path map can read, one of several kinds; *REASON is what the router says to it.  Nothing is
 * appended for EMPTY_VALUE. */
int utter_malformed(const struct utterance *u, struct buffer *out, enum err_reason *reason, struct err *err);

#endif
