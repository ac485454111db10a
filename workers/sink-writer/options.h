/* options.h -- the sink's own options. */
#ifndef FOREBAY_SINK_OPTIONS_H
#define FOREBAY_SINK_OPTIONS_H

#include <stdint.h>

#include "common/config/options.h"

struct sink_options {
	char *postgres_uri;
	int64_t connect_timeout_ms;
	char *mapping;
	int partition_interval; /* enum period */
	int64_t partition_new_max;
};

extern const struct option sink_option_table[];
extern const size_t sink_option_count;

#endif
