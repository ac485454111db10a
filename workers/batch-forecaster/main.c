/*
 * batch-forecaster -- says of every window what comes next, with quantiles.
 *
 *	telemetry.series --> history of device and metric --> waiting --> seasonal naive --+--> forecasts
 *	                                                    (a commit)                     `--> Redis
 *	what cannot be read --> telemetry.series.dlq
 */
#include "workers/batch-forecaster/batch.h"
#include "workers/batch-forecaster/state.h"

static const struct worker_spec spec = {
	.name = "batch-forecaster",
	.summary = "forecasts every series from its history, with quantiles",
	.topics = "telemetry.series",
	.open = forecaster_open,
	.record = forecaster_record, /* window -> history */
	.flush = forecaster_flush,   /* history -> forecast -> topic, cache */
	.close = forecaster_close,
	.state = &forecaster_state,
};

int
main(int argc, char **argv)
{
	struct forecaster f = { 0 };
	const struct option_set own = { "batch-forecaster", forecaster_option_table, forecaster_option_count, &f.opt };

	return worker_main(&spec, &f, &own, 1, argc, argv);
}
