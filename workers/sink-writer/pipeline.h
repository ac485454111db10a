/* pipeline.h -- the sink as the loop sees it. */
#ifndef FOREBAY_SINK_PIPELINE_H
#define FOREBAY_SINK_PIPELINE_H

#include "common/base/map.h"
#include "common/worker/worker.h"
#include "workers/sink-writer/sink.h"

struct pipeline {
	struct sink sink;
	struct worker *worker;
	struct map *routes; /* topic -> how its records are read */
};

extern const struct worker_spec sink_spec;

#endif
