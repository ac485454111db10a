/* receiver.h -- who is told: one Alertmanager each, the webhook.  From the options; what it is sent is made here. */
#ifndef FOREBAY_NOTIFIER_RECEIVER_H
#define FOREBAY_NOTIFIER_RECEIVER_H

#include "common/http/client.h"
#include "workers/alert-notifier/options.h"
#include "workers/alert-notifier/payload.h"

#define RECEIVERS_MAX 8
#define RECEIVER_LABELS_MAX 32
#define RECEIVER_BATCH_MAX 64

struct receiver {
	enum payload_form form;
	char *
	    name; /* in table, metrics, messages: "webhook", "alertmanager host:port"; it stays while the address does */
	char *url;                          /* what is posted to */
	const char *authorization, *secret; /* the options'; "": none */
	size_t batch_max, in_flight_max;    /* changes in a request, requests under way */
};

struct receivers {
	struct receiver items[RECEIVERS_MAX];
	size_t n;
	struct payload_label labels[RECEIVER_LABELS_MAX];
	struct payload_rule rule;
};

/* OPTIONS must outlive it.  -1 on OPTION_INVALID naming the key (no receiver at all, a URL, a label, a page), NO_MEMORY. */
int receivers_init(struct receivers *r, const struct notifier_options *options, struct err *err);
void receivers_clear(struct receivers *r);

/* True where the receiver forgets what it is not told again. */
bool receiver_forgets(const struct receiver *r);

/* What tells changes of one alert apart for this receiver beside the status: CloudWatch knows no severities. */
const char *receiver_severity(const struct receiver *r, enum alert_severity severity);

/* A change that is sent. */
struct parcel {
	struct span alert_id, status, severity, payload;
};

/* Start the request that carries N parcels (1 for a webhook).  -1 on NO_MEMORY, RECORD_INVALID. */
int receiver_send(const struct receiver *r, struct http_client *client, const struct parcel *parcels, size_t n,
		  int64_t now_us, int64_t valid_us, void *tag, struct err *err);

#endif
