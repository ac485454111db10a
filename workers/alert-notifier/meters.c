/* meters.c -- see meters.h. */
#include "workers/alert-notifier/meters.h"

static const struct metric_spec outcomes_spec = {
	"forebay_deliveries_total", METRIC_COUNTER, "receiver,outcome",
	"changes of alerts by what became of an attempt: delivered, retried, refused (a dead letter), told_again, not_told"
};
static const struct metric_spec in_flight_spec = { "forebay_deliveries_in_flight", METRIC_GAUGE, "receiver",
						   "requests under way" };
static const struct metric_spec pending_spec = { "forebay_deliveries_pending", METRIC_GAUGE, "receiver",
						 "changes of alerts that are still to be delivered" };
static const struct metric_spec oldest_spec = { "forebay_delivery_oldest_seconds", METRIC_GAUGE, "receiver",
						"age of the oldest undelivered change; 0: there is none" };
static const struct metric_spec seconds_spec = { "forebay_delivery_seconds", METRIC_HISTOGRAM, "receiver",
						 "from the change's arrival here to its delivery" };

void
lane_meters_init(struct lane_meters *m, struct metrics *metrics, const char *receiver)
{
	static const char *const names[OUTCOME_COUNT] = { "delivered", "retried", "refused", "told_again", "not_told" };
	const char *const labels[] = { receiver };

	for (int i = 0; i < OUTCOME_COUNT; i++)
		m->outcomes[i] = metrics_series(metrics, &outcomes_spec, (const char *const[]){ receiver, names[i] });
	m->in_flight = metrics_series(metrics, &in_flight_spec, labels);
	m->pending = metrics_series(metrics, &pending_spec, labels);
	m->oldest = metrics_series(metrics, &oldest_spec, labels);
	m->seconds = metrics_series(metrics, &seconds_spec, labels);
}
