/* pipeline.c -- from the loop's calls to the sink's. */
#include "workers/sink-writer/pipeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "workers/sink-writer/outbox.h"

struct route {
	const struct row_kind *kind;
	struct codec *codec;       /* NULL: the value goes as it is */
	const struct field *event; /* event time; NULL: the kind has none */
};

/* The topics that are read, each with a table, each with a route. */
static int
open_routes(struct pipeline *p, struct err *err)
{
	size_t n;
	const char *const *topics = worker_topics(p->worker, &n);

	for (size_t i = 0; i < n; i++) {
		struct route *route = calloc(1, sizeof(*route));

		if (!route || map_put(p->routes, span_of(topics[i]), route) < 0) {
			free(route);
			return err_set(err, REASON_NO_MEMORY, "topics");
		}
		if (!mapping_has_topic(p->sink.mapping, topics[i], &route->kind))
			return err_set(err, REASON_OPTION_INVALID, "topics: %s has no table in %s", topics[i],
				       p->sink.mapping->path);
		if (route->kind->type && worker_input(p->worker, topics[i], route->kind->type, &route->codec, err) < 0)
			return -1;
		route->event = row_field(route->kind, "event_time");
	}
	return 0;
}

/* Searching for refused rows takes as long as it takes, but each attempt is a step. */
static void
attempt_begins(void *ctx)
{
	worker_beat(ctx);
}

static int
pipeline_open(void *self, struct worker *w, struct err *err)
{
	struct pipeline *p = self;

	p->worker = w;
	p->routes = map_new(free);
	if (!p->routes)
		return err_set(err, REASON_NO_MEMORY, "sink");
	if (sink_init(&p->sink, worker_group(w), worker_instance(w), worker_metrics(w), err) < 0)
		return -1;
	p->sink.load.beat = attempt_begins;
	p->sink.load.beat_ctx = w;
	return open_routes(p, err);
}

static int
pipeline_record(void *self, struct context *ctx, const struct input *in, struct err *err)
{
	struct pipeline *p = self;
	const struct route *route = map_get(p->routes, span_of(in->topic));
	union any_record record;

	if (!route)
		return err_set(err, REASON_INTERNAL, "topic %s was not subscribed", in->topic);
	if (route->codec && codec_decode(route->codec, in->value, in->schema_id, context_arena(ctx), &record, err) < 0)
		return -1;
	if (route->codec && route->event) {
		const struct row row = { in, &record, NULL };

		context_event_time(ctx, row_time(&row, route->event));
	}
	return load_add(&p->sink.load, in, route->codec ? &record : NULL, err);
}

/* Tell the loop which inputs the database refuses; once, however often the flush is repeated. */
static int
report_refused(struct pipeline *p, struct context *ctx, struct err *err)
{
	struct load *l = &p->sink.load;

	for (size_t i = 0; i < l->n_units && l->n_refused > 0; i++) {
		struct unit *u = &l->units[i];

		if (!u->why || u->reported)
			continue;
		if (worker_opts(p->worker)->tolerance == TOLERANCE_NONE)
			return err_set(err, REASON_POISON_NOT_TOLERATED, "%s[%d] offset %lld: %s: %s", u->in->topic,
				       u->in->partition, (long long)u->in->offset, err_reason_name(u->why->reason),
				       u->why->text);
		if (context_dead_letter(ctx, u->in, u->why, err) < 0)
			return -1;
		u->reported = true;
	}
	return 0;
}

static int
pipeline_flush(void *self, struct context *ctx, struct err *err)
{
	struct pipeline *p = self;

	return sink_flush(&p->sink, err) < 0 ? -1 : report_refused(p, ctx, err);
}

static void
pipeline_revoked(void *self, const char *topic, int32_t partition)
{
	sink_release(&((struct pipeline *)self)->sink, topic, partition);
}

static void
pipeline_close(void *self)
{
	struct pipeline *p = self;

	sink_clear(&p->sink);
	map_free(p->routes);
	p->routes = NULL;
}

static int
pipeline_claim(void *self, const char *topic, int32_t partition, int64_t kafka_offset, int64_t *offset, struct err *err)
{
	return sink_claim(&((struct pipeline *)self)->sink, topic, partition, kafka_offset, offset, err);
}

static int
pipeline_commit(void *self, const struct position *positions, size_t n_positions, const struct dead_letter *letters,
		size_t n_letters, struct err *err)
{
	struct sink *s = &((struct pipeline *)self)->sink;
	struct err trouble = ERR_INIT;

	if (sink_commit(s, positions, n_positions, letters, n_letters, err) < 0)
		return -1;
	if (sink_retain(s, clock_real_us(), clock_monotonic_us(), &trouble) < 0)
		log_error(LOG_WARN, "retention", &trouble, NULL); /* the rows are safe; old ones go an hour later */
	return 0;
}

static void
pipeline_rollback(void *self)
{
	sink_rollback(&((struct pipeline *)self)->sink);
}

static int
deliver_again(void *ctx, const struct input *in, const struct err *why, struct err *err)
{
	return context_redeliver(ctx, in, why, err);
}

static int
pipeline_undelivered(void *self, struct context *ctx, const char *topic, int32_t partition, int64_t offset,
		     struct err *err)
{
	struct sink *s = &((struct pipeline *)self)->sink;

	if (store_connect(s->store, err) < 0 || outbox_forget(s->store, s->group, topic, partition, offset, err) < 0)
		return -1;
	return outbox_each(s->store, s->group, topic, partition, offset, context_batch_arena(ctx), deliver_again, ctx,
			   err);
}

static const struct worker_store sink_store = {
	.claim = pipeline_claim,
	.commit = pipeline_commit,
	.rollback = pipeline_rollback,
	.undelivered = pipeline_undelivered,
};

const struct worker_spec sink_spec = {
	.name = "sink-writer",
	.summary = "writes topics to PostgreSQL tables, rows and offsets in one transaction",
	.topics =
	    "telemetry.readings,telemetry.deferred,telemetry.series,telemetry.aggregates,forecasts,forecasts.outcomes,scores,"
	    "anomalies,alerts,telemetry.raw.dlq,telemetry.readings.dlq,telemetry.deferred.dlq,telemetry.series.dlq,"
	    "telemetry.aggregates.dlq,forecasts.dlq,forecasts.outcomes.dlq,scores.dlq,anomalies.dlq,alerts.dlq,"
	    "models.dlq",
	.open = pipeline_open,
	.record = pipeline_record,
	.flush = pipeline_flush,
	.revoked = pipeline_revoked,
	.close = pipeline_close,
	.store = &sink_store,
	.holds_inputs = true,
};
