/*
 * alerts.c -- what is in the score record goes on as it is.
 *
 * An event time is as good as an offset for an id: a stream's clock only goes forward, so no two episodes of it begin at the same time
 * (but where a clock that was wrong is set back and the same times come again: then it is the same alert to a receiver, too).
 */
#include "workers/realtime-scorer/alerts.h"

#include "common/base/random.h"

static struct span
id_of(struct span device, struct span metric, int64_t starts_us, struct arena *arena)
{
	char name[RANDOM_NAME_BYTES];
	unsigned char time[sizeof(starts_us)];

	for (size_t i = 0; i < sizeof(time); i++) /* the same on machines of either byte order */
		time[i] = (unsigned char)((uint64_t)starts_us >> (8 * i));
	random_name((struct span[]){ device, metric, { (const char *)time, sizeof(time) } }, 3, name);
	return arena_copy(arena, span_of(name));
}

int
alert_make(const struct finding *f, enum episode_action action, double critical_p, struct arena *arena,
	   struct alert *ret, struct err *err)
{
	const struct score *s = f->record;
	const struct episode *e = f->episode;
	bool opens = action == EPISODE_OPENED;

	*ret = (struct alert){
		.id = id_of(s->device, s->metric, e->starts_us, arena),
		.device = s->device,
		.metric = s->metric,
		.status = opens ? ALERT_FIRING : ALERT_RESOLVED,
		.severity = e->smallest_p < critical_p ? ALERT_CRITICAL : ALERT_WARNING,
		.starts_us = e->starts_us,
		/* Where the stream's clock was set back, an episode may end at an event time before its beginning. */
		.event_us = s->event_us > e->starts_us ? s->event_us : e->starts_us,
		.p_value = e->smallest_p,
		.value = s->value,
		.expected = s->expected,
		.lower = s->lower,
		.upper = s->upper,
		.summary = f->reason,
		.ingest_us = s->ingest_us,
		.detector = opens ? f->detector : SPAN(""), /* nobody minds when it is over */
		.attribution = opens ? s->attribution : (struct attributions){ 0 },
	};
	return ret->id.ptr ? 0 : err_set(err, REASON_NO_MEMORY, "alert");
}

int
anomaly_make(const struct finding *f, enum anomaly_kind kind, struct arena *arena, struct anomaly *ret, struct err *err)
{
	const struct score *s = f->record;
	bool open = f->episode->status == EPISODE_FIRING;

	*ret = (struct anomaly){
		.device = s->device,
		.metric = s->metric,
		.event_us = s->event_us,
		.kind = kind,
		.value = s->value,
		.expected = f->expected,
		.lower = f->lower,
		.upper = f->upper,
		.p_value = s->p_value,
		.onset = s->onset,
		.state = s->state,
		.p_scalar = s->p_scalar,
		.p_forecast = s->p_forecast,
		.p_forest = s->p_forest,
		.p_neighbours = s->p_neighbours,
		.forecast_origin_us = s->forecast_origin_us,
		.model = s->model,
		.detector = f->detector,
		.attribution = s->attribution,
		.reason = f->reason,
		.alert = open ? id_of(s->device, s->metric, f->episode->starts_us, arena) : SPAN(""),
		.ingest_us = s->ingest_us,
	};
	return ret->alert.ptr ? 0 : err_set(err, REASON_NO_MEMORY, "anomaly");
}
