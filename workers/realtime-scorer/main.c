/*
 * realtime-scorer -- says of every reading how unusual it is, and raises and resolves alerts.
 *
 *	telemetry.readings ---+--> per device and metric:
 *	telemetry.deferred ---'    against its forecast, against its own past -> calibrated -> one p-value --+--> scores
 *	                      `--> per device and group: a row of several metrics, against its past ---------+--> anomalies
 *	forecasts ---------------> held until the next one                                                   `--> alerts
 *	Redis, or the near past and a trained model -> where none has come, or it has run out
 *	what cannot be read --> <topic>.dlq
 */
#include "workers/realtime-scorer/scorer.h"
#include "workers/realtime-scorer/state.h"

static const struct worker_spec spec = {
	.name = "realtime-scorer",
	.summary = "scores every reading, says why, raises and resolves alerts",
	.topics = "telemetry.readings,telemetry.deferred",
	.side_topics = "forecasts",
	.open = scorer_open,
	.record = scorer_record, /* reading -> scores, anomalies, alerts */
	.side = scorer_side,     /* forecast -> held */
	.close = scorer_close,
	.state = &scorer_state,
};

int
main(int argc, char **argv)
{
	struct scorer s = { 0 };
	const struct option_set own = { "realtime-scorer", scorer_option_table, scorer_option_count, &s.opt };

	return worker_main(&spec, &s, &own, 1, argc, argv);
}
