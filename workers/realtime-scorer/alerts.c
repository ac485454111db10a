/*
 * alerts.c -- the id is derived from what the alert is about and when it began, so that every repetition of the work names
 * it alike and a receiver sees one alert.
 */
#include "workers/realtime-scorer/alerts.h"

#include <math.h>

#include "common/base/random.h"

#define FLAT_RUN 10 /* so many repetitions are told as a flat line, where no forecast is against it */
#define FAR 2.0     /* beyond the expected range by so many times its width: far */

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

static const char *
against_forecast(double value, const struct outlook *o)
{
	double width = o->upper - o->lower;

	if (value > o->upper)
		return value - o->upper > FAR * width ? "far above" : "above";
	if (value < o->lower)
		return o->lower - value > FAR * width ? "far below" : "below";
	return NULL;
}

static char *
tell_opened(const struct stream_score *s, const struct score *r, struct arena *arena)
{
	const char *where = s->forecast ? against_forecast(r->value, &s->outlook) : NULL;

	if (where)
		return arena_printf(arena, "%.*s %.5g is %s the expected %.5g (5\u201395 %%: %.5g\u2013%.5g)",
				    SPAN_ARG(r->metric), r->value, where, s->outlook.expected, s->outlook.lower,
				    s->outlook.upper);
	if (s->run >= FLAT_RUN)
		return arena_printf(arena, "%.*s stands still at %.5g for %u readings", SPAN_ARG(r->metric), r->value,
				    s->run + 1);
	if (s->forecast)
		return arena_printf(arena,
				    "%.*s %.5g behaves unusually, though it is near the expected %.5g (5\u201395 %%: "
				    "%.5g\u2013%.5g)",
				    SPAN_ARG(r->metric), r->value, s->outlook.expected, s->outlook.lower,
				    s->outlook.upper);
	return arena_printf(arena, "%.*s %.5g is unusual: %.2g deviations %s its mean of %.5g", SPAN_ARG(r->metric),
			    r->value, fabs(r->value - s->mean) / s->deviation, r->value < s->mean ? "below" : "above",
			    s->mean);
}

static char *
tell_closed(const struct stream_score *s, const struct score *r, struct arena *arena)
{
	if (s->forecast)
		return arena_printf(arena, "%.*s is as usual again: %.5g, expected %.5g", SPAN_ARG(r->metric), r->value,
				    s->outlook.expected);
	return arena_printf(arena, "%.*s is as usual again: %.5g", SPAN_ARG(r->metric), r->value);
}

int
alert_make(const struct stream_score *score, const struct score *record, const struct episode *episode,
	   double critical_p, struct arena *arena, struct alert *ret, struct err *err)
{
	bool opened = score->verdict.action == EPISODE_OPENED;
	char *summary = opened ? tell_opened(score, record, arena) : tell_closed(score, record, arena);

	*ret = (struct alert){
		.id = id_of(record->device, record->metric, episode->starts_us, arena),
		.device = record->device,
		.metric = record->metric,
		.status = opened ? ALERT_FIRING : ALERT_RESOLVED,
		.severity = episode->smallest_p < critical_p ? ALERT_CRITICAL : ALERT_WARNING,
		.starts_us = episode->starts_us,
		/* Where the stream's clock was set back, an episode may end at an event time before its beginning. */
		.event_us = record->event_us > episode->starts_us ? record->event_us : episode->starts_us,
		.p_value = episode->smallest_p,
		.value = record->value,
		.expected = record->expected,
		.lower = record->lower,
		.upper = record->upper,
		.summary = span_of(summary),
		.ingest_us = record->ingest_us,
	};
	return ret->id.ptr && summary ? 0 : err_set(err, REASON_NO_MEMORY, "alert");
}
