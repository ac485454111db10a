/*
 * etl-preprocessor -- makes clean series on a fixed step out of readings as they come.
 *
 *	telemetry.readings ---+--> per device and metric:
 *	telemetry.deferred ---'    order by event time -> outliers -> steps -> gaps -> windows --+--> telemetry.series
 *	                                                                                         `--> telemetry.aggregates
 *	what cannot be read --> <topic>.dlq
 */
#include "workers/etl-preprocessor/preprocessor.h"
#include "workers/etl-preprocessor/state.h"

static const struct worker_spec spec = {
	.name = "etl-preprocessor",
	.summary = "orders, cleans and resamples readings, and gathers them to windows",
	.topics = "telemetry.readings,telemetry.deferred",
	.open = preprocessor_open,
	.record = preprocessor_record, /* reading -> cleaner -> series, aggregate */
	.state = &etl_state,
};

int
main(int argc, char **argv)
{
	struct preprocessor p = { 0 };
	const struct option_set own = { "etl-preprocessor", etl_option_table, etl_option_count, &p.opt };

	return worker_main(&spec, &p, &own, 1, argc, argv);
}
