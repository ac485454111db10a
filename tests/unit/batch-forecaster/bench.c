/* bench.c -- see bench.h. */
#include "tests/unit/batch-forecaster/bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/record/model.h"
#include "tests/support/workbench_parts.h"

const struct worker_spec bench_spec = {
	.name = "batch-forecaster",
	.topics = "telemetry.series",
	.side_topics = "models",
	.open = forecaster_open,
	.record = forecaster_record,
	.side = forecaster_side,
	.flush = forecaster_flush,
	.close = forecaster_close,
	.state = &forecaster_state,
};

struct forecaster
bench_forecaster(int64_t batch_max_series)
{
	static char forecasts[] = "forecasts", outcomes[] = "forecasts.outcomes", quantiles[] = "0.1,0.5,0.9",
		    seasons[] = "6", members[] = "all", family[] = "deepar", empty[] = "";

	return (struct forecaster){ .source = { bookshelf_get, &bookshelf },
				    .opt = { .forecasts_topic = forecasts,
					     .outcomes_topic = outcomes,
					     .quantiles = quantiles,
					     .seasons = seasons,
					     .members = members,
					     .horizon_steps = 4,
					     .history_steps = 60,
					     .history_gap_max_steps = 10,
					     .paths = 20,
					     .seed = 1,
					     .calibrate = true,
					     .models_family = family,
					     .drift_delta = 0.5,
					     .drift_threshold = 5,
					     .drift_alpha = 1,
					     .drift_least = 5,
					     .batch_max_series = batch_max_series,
					     .cache_uri = empty,
					     .cache_ttl_ms = 1000,
					     .cache_ttl_max_ms = 1000,
					     .cache_target = .9,
					     .cache_window_ms = 60000,
					     .cache_warm_per_second = 100,
					     .cache_timeout_ms = 20 } };
}

int
bench_announce(struct workbench *b, const char *name, const char *version, enum model_status status, double share,
	       struct err *err)
{
	CLEANUP(buffer_clear) struct buffer value = BUFFER_INIT(0);
	CLEANUP(codec_free) struct codec *codec = NULL;
	const struct model m = { .name = span_of(name),
				 .version = span_of(version),
				 .family = SPAN("deepar"),
				 .status = status,
				 .canary_share = share,
				 .uri = SPAN("postgresql:somewhere") };
	struct input in = { .topic = "models", .key = SPAN("key") };
	struct context ctx = { b, &in };

	if (codec_new(b->worker.registry, &model_record, "models", &codec, err) < 0 ||
	    codec_encode(codec, &m, &value, err) < 0)
		fail_msg("%s", err->text);
	in.value = buffer_span(&value);
	return bench_spec.side(b->self, &ctx, &in, err);
}
