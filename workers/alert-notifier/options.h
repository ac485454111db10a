/* options.h -- the notifier's own options. */
#ifndef FOREBAY_NOTIFIER_OPTIONS_H
#define FOREBAY_NOTIFIER_OPTIONS_H

#include <stdint.h>

#include "common/config/options.h"

enum webhook_format { WEBHOOK_FOREBAY, WEBHOOK_SNS };

struct notifier_options {
	char *postgres_uri;
	int64_t postgres_connect_timeout_ms;
	char *alertmanager_urls, *alertmanager_authorization, *alertmanager_alertname, *alertmanager_labels;
	int64_t alertmanager_resend_ms, alertmanager_resolved_ms;
	char *webhook_url, *webhook_authorization, *webhook_secret;
	int webhook_format; /* enum webhook_format */
	char *page_url;
	char *ca_file;
	int64_t connect_timeout_ms, request_timeout_ms;
	int64_t delivery_timeout_ms, retry_initial_ms, retry_max_ms, in_flight_max, retention_days;
};

extern const struct option notifier_option_table[];
extern const size_t notifier_option_count;

#endif
