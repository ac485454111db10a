/*
 * ingest-router -- makes readings out of raw messages of any shape.
 *
 *	telemetry.raw --> JSON, or Avro as JSON --> path map --> device, time, values --> lane --> telemetry.readings
 *	what cannot be read --> telemetry.raw.dlq
 *
 *	router.c    the loop's call                mapping.c     one message, its readings    path.c    $.a['b'][0]
 *	intake.c    the value as JSON              measure.c     one value, its quality       number.c  decimals, exactly
 *	pathmap*.c  the maps, from files           timestamp*.c  every form of time           quoted.c  strings
 *	plan.c      what the maps want ...         scan.c        ... is found in one pass
 */
#include "workers/ingest-router/router.h"

static const struct worker_spec spec = {
	.name = "ingest-router",
	.summary = "reads raw telemetry of any shape and emits readings, in order per device",
	.topics = "telemetry.raw",
	.open = router_open,
	.record = router_record, /* message -> scan -> map -> readings */
	.close = router_close,
	.rekeys = true, /* the key is the device id, whatever the producer used */
};

int
main(int argc, char **argv)
{
	struct router router = { 0 };
	const struct option_set own = { "ingest-router", router_option_table, router_option_count, &router.opt };

	return worker_main(&spec, &router, &own, 1, argc, argv);
}
