/*
 * sink-writer -- topics become tables, exactly once.
 *
 *	telemetry.readings --> decode --> rows --> COPY, merge --> forebay.readings      \
 *	telemetry.series   -->              |                      forebay.series ...     > one transaction
 *	anomalies, alerts  -->              |                      forebay.sink_offsets  /
 *	*.dlq              -->              `--> a row the database refuses: <topic>.dlq
 *
 *	pipeline.c  the loop's calls          load.c    inputs of a commit, all tables    table.c   rows of one table
 *	sink.c      order of a transaction    bisect.c  who is to blame                   layout.c  its statements
 *	mapping.c   topic -> table, a file    rows.c, puts.c  record -> columns           outbox.c  dead letters kept
 */
#include "workers/sink-writer/pipeline.h"

int
main(int argc, char **argv)
{
	struct pipeline pipeline = { 0 };
	const struct option_set own = {
		.title = "sink-writer",
		.options = sink_option_table,
		.n_options = sink_option_count,
		.target = &pipeline.sink.options,
	};

	return worker_main(&sink_spec, &pipeline, &own, 1, argc, argv);
}
