/* options.h -- the router's own options, and the rules they make. */
#ifndef FOREBAY_INGEST_ROUTER_OPTIONS_H
#define FOREBAY_INGEST_ROUTER_OPTIONS_H

#include <stdint.h>

#include "common/config/options.h"
#include "workers/ingest-router/mapping.h"

struct router_options {
	char *path_maps, *readings_topic;
	int input_format; /* enum input_format, intake.h */
	int64_t message_max_bytes, message_max_values, json_max_depth;
	char *time_min;
	int64_t time_future_max_ms;
	int time_default; /* 0 none, 1 ingest */
};

extern const struct option router_option_table[];
extern const size_t router_option_count;

/* -1 on OPTION_INVALID: time.min is no time. */
int router_rules(const struct router_options *opt, struct mapping_rules *rules, struct err *err);

#endif
