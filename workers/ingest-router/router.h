/* router.h -- what the worker holds between records: its maps, its rules, its outputs. */
#ifndef FOREBAY_INGEST_ROUTER_ROUTER_H
#define FOREBAY_INGEST_ROUTER_ROUTER_H

#include "common/worker/worker.h"
#include "workers/ingest-router/intake.h"
#include "workers/ingest-router/options.h"

struct router {
	struct router_options opt;
	struct mapping_rules rules;
	struct intake intake;
	struct pathmaps *maps;
	struct output *readings;
	struct metric_series *values[QUALITY_COUNT];
};

/* The hooks of struct worker_spec; SELF is the router. */
int router_open(void *self, struct worker *w, struct err *err);
int router_record(void *self, struct context *ctx, const struct input *in, struct err *err);
void router_close(void *self);

#endif
