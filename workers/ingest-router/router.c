/* router.c -- one raw record at a time: everything it says is emitted, or the whole record fails. */
#include "workers/ingest-router/router.h"

static const struct metric_spec values_metric = {
	.name = "forebay_router_values_total",
	.kind = METRIC_COUNTER,
	.labels = "quality",
	.help = "Values read from raw messages, by quality",
};

int
router_open(void *self, struct worker *w, struct err *err)
{
	struct router *r = self;

	if (router_rules(&r->opt, &r->rules, err) < 0)
		return -1;
	if (pathmaps_load(r->opt.path_maps, &r->maps, err) < 0)
		return err_wrap(err, "path.maps");
	for (int q = 0; q < QUALITY_COUNT; q++)
		r->values[q] = metrics_series(worker_metrics(w), &values_metric,
					      (const char *[]){ quality_name((enum quality)q) });
	intake_init(&r->intake, (enum input_format)r->opt.input_format, (size_t)r->opt.message_max_bytes,
		    worker_registry(w));
	return worker_output(w, r->opt.readings_topic, &reading_record, &r->readings, err);
}

void
router_close(void *self)
{
	struct router *r = self;

	pathmaps_free(TAKE(r->maps));
	intake_clear(&r->intake);
}

/* The lane of a reading.  There is one; by load, and by device, once there are two. */
static struct output *
lane(const struct router *r, const struct reading *reading)
{
	return r->readings;
}

static int
emit(struct router *r, struct context *ctx, const struct mapped *mapped, struct err *err)
{
	for (size_t i = 0; i < mapped->n; i++) {
		const struct reading *reading = &mapped->readings[i];

		if (context_emit(ctx, lane(r, reading), reading->device, reading, err) < 0)
			return mapped->map->items ? err_wrap(err, "item %zu", i) : -1;
	}
	return 0;
}

static void
count(const struct router *r, const struct mapped *mapped)
{
	unsigned n[QUALITY_COUNT] = { 0 };

	for (size_t i = 0; i < mapped->n; i++)
		for (size_t k = 0; k < mapped->readings[i].n_values; k++)
			n[mapped->readings[i].values[k].quality]++;
	for (int q = 0; q < QUALITY_COUNT; q++)
		if (n[q])
			metric_add(r->values[q], n[q]);
}

int
router_record(void *self, struct context *ctx, const struct input *in, struct err *err)
{
	struct router *r = self;
	struct raw_message message = { .topic = span_of(in->topic), .key = in->key, .ingest_us = in->timestamp_us };
	struct mapped mapped;

	if (intake_json(&r->intake, in->value, in->schema_id, &message.json, err) < 0 ||
	    mapping_apply(r->maps, &r->rules, &message, context_arena(ctx), &mapped, err) < 0 ||
	    emit(r, ctx, &mapped, err) < 0)
		return -1;
	context_event_time(ctx, mapped.readings[0].event_us);
	count(r, &mapped);
	return 0;
}
