/* options.c -- the table of the notifier's options. */
#include "workers/alert-notifier/options.h"

#define AT(field) offsetof(struct notifier_options, field)

const struct option notifier_option_table[] = {
	/* key, type, field, default, min, max, unit or choices, what it does */
	{ "postgres.uri", OPTION_SECRET, AT(postgres_uri), NULL, 1, 4096, "",
	  "postgresql://user:password@host:port/database: what is owed to whom, and what became of it (forebay.deliveries)" },
	{ "postgres.connect.timeout.ms", OPTION_INT, AT(postgres_connect_timeout_ms), "5000", 100, 600000, "ms",
	  "how long one attempt to connect may take" },
	{ "alertmanager.url", OPTION_SECRET, AT(alertmanager_urls), "", 0, 4096, "",
	  "http(s)://[user:password@]host:port[/prefix] of Prometheus' Alertmanager, comma separated for a cluster of them: each is told "
	  "(API v2); empty: none" },
	{ "alertmanager.authorization", OPTION_SECRET, AT(alertmanager_authorization), "", 0, 4096, "",
	  "value of the header Authorization (\"Bearer …\"); empty: none" },
	{ "alertmanager.alertname", OPTION_TEXT, AT(alertmanager_alertname), "ForebayAnomaly", 1, 200, "",
	  "label alertname; the other labels are device, metric and alert_id" },
	{ "alertmanager.labels", OPTION_TEXT, AT(alertmanager_labels), "", 0, 4096, "",
	  "more labels, for routing: name=value, comma separated.  They are part of an alert's identity: with others, what fires ends "
	  "only when Alertmanager hears nothing of it any more" },
	{ "alertmanager.resend.ms", OPTION_INT, AT(alertmanager_resend_ms), "60000", 1000, 3600000, "ms",
	  "what fires is sent again so often; four times that after the last time Alertmanager takes it for resolved" },
	{ "alertmanager.resolved.ms", OPTION_INT, AT(alertmanager_resolved_ms), "300000", 0, 86400000, "ms",
	  "for so long what is resolved is sent again, too" },
	{ "webhook.url", OPTION_SECRET, AT(webhook_url), "", 0, 4096, "",
	  "http(s)://… that gets a POST for each change of an alert; empty: none" },
	{ "webhook.format", OPTION_CHOICE, AT(webhook_format), "forebay", 0, 0, "forebay|sns",
	  "body: the alert's fields by their names, or the message that Amazon CloudWatch alarms send over SNS (raw delivery)" },
	{ "webhook.authorization", OPTION_SECRET, AT(webhook_authorization), "", 0, 4096, "",
	  "value of the header Authorization; empty: none" },
	{ "webhook.secret", OPTION_SECRET, AT(webhook_secret), "", 0, 4096, "",
	  "key of X-Forebay-Signature: sha256=<hex of HMAC-SHA256 over the value of X-Forebay-Timestamp, a dot, and the body>; empty: no "
	  "signature" },
	{ "alert.page.url", OPTION_TEXT, AT(page_url), "", 0, 2000, "",
	  "page about an alert, {id}, {device} and {metric} being replaced: Alertmanager's generatorURL (http or https), \"page\" of the webhook; "
	  "empty: none" },
	{ "http.ca.file", OPTION_TEXT, AT(ca_file), "", 0, 4096, "",
	  "PEM file of the authorities whose certificates are trusted; empty: the system's" },
	{ "http.connect.timeout.ms", OPTION_INT, AT(connect_timeout_ms), "5000", 10, 600000, "ms",
	  "how long a connection may take to stand, TLS included" },
	{ "http.request.timeout.ms", OPTION_INT, AT(request_timeout_ms), "10000", 10, 600000, "ms",
	  "how long a request may take from its beginning to the end of the answer" },
	{ "delivery.timeout.ms", OPTION_INT, AT(delivery_timeout_ms), "3600000", 0, 2592000000.0, "ms",
	  "a change that a receiver has not taken for so long is dead-lettered" },
	{ "delivery.retry.initial.ms", OPTION_INT, AT(retry_initial_ms), "1000", 1, 3600000, "ms",
	  "longest pause after the first failed attempt; it doubles with each further one, and a random part of up to half is taken off" },
	{ "delivery.retry.max.ms", OPTION_INT, AT(retry_max_ms), "60000", 1, 86400000, "ms",
	  "longest pause between two attempts, where the receiver does not ask for more (Retry-After)" },
	{ "delivery.in.flight.max", OPTION_INT, AT(in_flight_max), "8", 1, 64, "requests",
	  "requests under way to the webhook; Alertmanager gets one at a time, with up to 64 alerts" },
	{ "deliveries.retention.days", OPTION_INT, AT(retention_days), "90", 1, 36500, "days",
	  "rows of forebay.deliveries are kept for so long, and until they are done with; a repetition of what is older would be sent "
	  "again" },
};
const size_t notifier_option_count = sizeof(notifier_option_table) / sizeof(notifier_option_table[0]);
