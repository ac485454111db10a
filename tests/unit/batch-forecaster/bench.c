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

struct bench_shelf bench_shelf;

const char *
worker_instance(const struct worker *w)
{
	return "bench";
}

const char *
worker_postgres_uri(const struct worker *w)
{
	return "";
}

static int
get(void *self, struct span name, struct span version, struct arena *arena, struct span *bytes, bool *found,
    struct err *err)
{
	struct bench_shelf *s = self;

	s->fetched++;
	if (s->down)
		return err_set(err, REASON_STORE_DOWN, "the test says so");
	for (size_t i = 0; i < s->n; i++)
		if (span_equal(version, span_of(s->models[i].version))) {
			*bytes = arena_copy(arena, buffer_span(&s->models[i].bytes));
			*found = true;
			return 0;
		}
	*found = false;
	return 0;
}

struct forecaster
bench_forecaster(int64_t batch_max_series)
{
	static char forecasts[] = "forecasts", outcomes[] = "forecasts.outcomes", quantiles[] = "0.1,0.5,0.9",
		    seasons[] = "6", members[] = "all", family[] = "deepar", empty[] = "";

	return (struct forecaster){ .source = { get, &bench_shelf },
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

void
bench_shelf_clear(void)
{
	for (size_t i = 0; i < bench_shelf.n; i++)
		buffer_clear(&bench_shelf.models[i].bytes);
	bench_shelf = (struct bench_shelf){ 0 };
}

static void
make_artefact(struct artefact *a, const char *version, const char *frequency, int32_t horizon, uint64_t seed)
{
	static const double levels[] = { .1, .5, .9 };
	struct deepar_config c;
	struct frequency f;
	struct err err = ERR_INIT;

	assert_int_equal(frequency_parse(frequency, &f, &err), 0);
	deepar_config_default(&f, horizon, &c);
	c.hidden = 4;
	c.layers = 1;
	c.context = 8;
	c.default_scale = 1;
	*a = (struct artefact){ .n_levels = ARRAY_LEN(levels), .n_networks = 1 };
	snprintf(a->name, sizeof(a->name), "net");
	snprintf(a->version, sizeof(a->version), "%s", version);
	memcpy(a->levels, levels, sizeof(levels));
	ensemble_rule_default(PANEL_MEMBERS, a->n_levels, (size_t)horizon, &a->ensemble);
	if (deepar_new(&c, &a->networks[0], &err) < 0)
		fail_msg("%s", err.text);
	deepar_init(a->networks[0], seed);
}

void
bench_model(const char *version, const char *frequency, int32_t horizon, uint64_t seed)
{
	struct artefact a;
	struct err err = ERR_INIT;

	assert_true(bench_shelf.n < ARRAY_LEN(bench_shelf.models));
	make_artefact(&a, version, frequency, horizon, seed);
	bench_shelf.models[bench_shelf.n].version = version;
	if (artefact_write(&a, &bench_shelf.models[bench_shelf.n++].bytes, &err) < 0)
		fail_msg("%s", err.text);
	artefact_clear(&a);
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
