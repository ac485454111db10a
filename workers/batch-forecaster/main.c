/*
 * batch-forecaster -- says of every window what comes next, with quantiles; and, when it has come, how good that was.
 *
 *	telemetry.series --> history of device and metric --> waiting --> panel of members --+--> forecasts
 *	                          |           ^               (a commit)   |                 `--> Redis
 *	                          |           | weights, shifts            | steps owed
 *	                          `--> values meet the steps owed <--------'
 *	                                      `--> forecasts.outcomes
 *	models (side input) --> roster of the partition --> versions in use --> artefacts from PostgreSQL
 *	what cannot be read --> telemetry.series.dlq
 */
#include "workers/batch-forecaster/batch.h"
#include "workers/batch-forecaster/state.h"

static const struct worker_spec spec = {
	.name = "batch-forecaster",
	.summary = "forecasts every series from its history, with quantiles",
	.topics = "telemetry.series",
	.side_topics = "models",
	.open = forecaster_open,
	.record = forecaster_record, /* window -> history, owed steps -> outcomes */
	.side = forecaster_side,     /* model -> roster */
	.flush = forecaster_flush,   /* history -> forecast -> topic, cache */
	.revoked = forecaster_revoked,
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
