/*
 * letters.h -- how many records topics hold, counted one by one (offsets alone count control records, too), and for dead
 * letters the reasons in their headers.
 */
#ifndef FOREBAY_CLI_LETTERS_H
#define FOREBAY_CLI_LETTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/fleet.h"
#include "common/base/arena.h"
#include "common/base/error.h"
#include "common/kafka/client.h"

#define LETTERS_MAX_REASONS 64

struct letters_reason {
	const char *name; /* of the header forebay.reason, readable and cut to a line; "none" without it */
	int64_t count;
};

struct letters_topic {
	const char *name;
	int64_t count;
	bool exact;                                         /* false: more than the limit, taken from the offsets */
	struct letters_reason reasons[LETTERS_MAX_REASONS]; /* by first occurrence; what does not fit is only counted */
	size_t n_reasons;
};

/*
 * Count the records of N topics that are committed by now, one count each in *RET, in ARENA.  When they hold more than LIMIT
 * records together, offsets stand in.  -1 as scan_partitions() says.
 */
int letters_count(const struct client_config *config, const struct fleet_topic *topics, size_t n, int64_t limit,
		  int timeout_ms, struct arena *arena, struct letters_topic **ret, struct err *err);

#endif
