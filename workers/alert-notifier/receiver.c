/* receiver.c -- facts of each kind of receiver: its URL, its headers, how much a request carries. */
#include "workers/alert-notifier/receiver.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "workers/alert-notifier/signature.h"

#define HEADERS_MAX 8

/* ---- from the options ---- */

static struct span
trimmed(const char *from, size_t len)
{
	while (len > 0 && isspace((unsigned char)*from))
		from++, len--;
	while (len > 0 && isspace((unsigned char)from[len - 1]))
		len--;
	return (struct span){ from, len };
}

/* The next of a comma separated list; false: there is none. */
static bool
next_word(const char **list, struct span *word)
{
	size_t len;

	do {
		if (!**list)
			return false;
		len = strcspn(*list, ",");
		*word = trimmed(*list, len);
		*list += len + ((*list)[len] == ',');
	} while (word->len == 0);
	return true;
}

static struct receiver *
add(struct receivers *r, enum payload_form form, const char *key, struct err *err)
{
	if (r->n == RECEIVERS_MAX) {
		err_set(err, REASON_OPTION_INVALID, "%s: more than %d receivers", key, RECEIVERS_MAX);
		return NULL;
	}
	r->items[r->n].form = form;
	return &r->items[r->n++];
}

static int
add_alertmanager(struct receivers *r, const struct notifier_options *o, struct span url, struct err *err)
{
	CLEANUP(heap_free)
	char *text = strndup(url.ptr, url.len);
	CLEANUP(heap_free)
	char *place = NULL;
	struct receiver *to = add(r, PAYLOAD_ALERTMANAGER, "alertmanager.url", err);

	if (!to)
		return -1;
	if (!text)
		return err_set(err, REASON_NO_MEMORY, "receivers");
	while (url.len > 0 && text[url.len - 1] == '/')
		text[--url.len] = '\0';
	if (http_url_check(text, &place, err) < 0)
		return err_wrap(err, "alertmanager.url");
	if (strpbrk(text, "?#")) /* the path that is put behind it would be part of it */
		return err_set(err, REASON_OPTION_INVALID, "alertmanager.url: %s: neither ? nor # belongs here", place);
	to->authorization = o->alertmanager_authorization;
	to->secret = "";
	to->batch_max = RECEIVER_BATCH_MAX;
	to->in_flight_max = 1; /* one after the other: what fires and what ends must not overtake each other */
	if (asprintf(&to->name, "alertmanager %s", place) < 0 || asprintf(&to->url, "%s/api/v2/alerts", text) < 0)
		return err_set(err, REASON_NO_MEMORY, "receivers");
	for (size_t i = 0; i + 1 < r->n; i++)
		if (strcmp(r->items[i].name, to->name) == 0)
			return err_set(err, REASON_OPTION_INVALID, "alertmanager.url: %s is there twice", place);
	return 0;
}

static int
add_webhook(struct receivers *r, const struct notifier_options *o, struct err *err)
{
	CLEANUP(heap_free)
	char *place = NULL;
	struct receiver *to =
	    add(r, o->webhook_format == WEBHOOK_SNS ? PAYLOAD_SNS : PAYLOAD_FOREBAY, "webhook.url", err);

	if (!to)
		return -1;
	if (http_url_check(o->webhook_url, &place, err) < 0)
		return err_wrap(err, "webhook.url");
	to->authorization = o->webhook_authorization;
	to->secret = o->webhook_secret;
	to->batch_max = 1;
	to->in_flight_max = (size_t)o->in_flight_max;
	to->name = strdup("webhook");
	to->url = strdup(o->webhook_url);
	return to->name && to->url ? 0 : err_set(err, REASON_NO_MEMORY, "receivers");
}

static bool
is_label_name(struct span name)
{
	static const char *const ours[] = { "alertname", "device", "metric", "alert_id" };

	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		if (span_equal(name, span_of(ours[i])))
			return false;
	for (size_t i = 0; i < name.len; i++)
		if (!(isalpha((unsigned char)name.ptr[i]) || name.ptr[i] == '_' ||
		      (i > 0 && isdigit((unsigned char)name.ptr[i]))))
			return false;
	return name.len > 0;
}

static int
read_labels(struct receivers *r, const char *list, struct err *err)
{
	struct span word;

	while (next_word(&list, &word)) {
		const char *sign = memchr(word.ptr, '=', word.len);
		struct span name = trimmed(word.ptr, sign ? (size_t)(sign - word.ptr) : word.len);

		if (!sign || !is_label_name(name))
			return err_set(err, REASON_OPTION_INVALID,
				       "alertmanager.labels: \"%.*s\" is no name=value with a name of letters, digits "
				       "and _ that is not alertname, device, metric or alert_id",
				       SPAN_ARG(word));
		if (r->rule.n_labels == RECEIVER_LABELS_MAX)
			return err_set(err, REASON_OPTION_INVALID, "alertmanager.labels: more than %d",
				       RECEIVER_LABELS_MAX);
		r->labels[r->rule.n_labels++] =
		    (struct payload_label){ name, trimmed(sign + 1, (size_t)(word.ptr + word.len - sign - 1)) };
	}
	return 0;
}

/* Alertmanager refuses a whole request for a generatorURL that is none: all alerts would become dead letters. */
static int
check_page(const struct receivers *r, const char *url, struct err *err)
{
	CLEANUP(heap_free)
	char *place = NULL;

	if (!*url || r->n == 0 || r->items[0].form != PAYLOAD_ALERTMANAGER)
		return 0;
	return http_url_check(url, &place, err) < 0 ? err_wrap(err, "alert.page.url") : 0;
}

int
receivers_init(struct receivers *r, const struct notifier_options *o, struct err *err)
{
	const char *urls = o->alertmanager_urls;
	struct span url;

	*r = (struct receivers){ .rule = { .alertname = o->alertmanager_alertname, .page_url = o->page_url } };
	r->rule.labels = r->labels;
	while (next_word(&urls, &url))
		if (add_alertmanager(r, o, url, err) < 0)
			return -1;
	if (check_page(r, o->page_url, err) < 0 || (*o->webhook_url && add_webhook(r, o, err) < 0))
		return -1;
	if (r->n == 0)
		return err_set(err, REASON_OPTION_INVALID, "nobody to tell: set alertmanager.url or webhook.url");
	return read_labels(r, o->alertmanager_labels, err);
}

void
receivers_clear(struct receivers *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->items[i].name);
		free(r->items[i].url);
	}
	r->n = 0;
}

bool
receiver_forgets(const struct receiver *r)
{
	return r->form == PAYLOAD_ALERTMANAGER;
}

const char *
receiver_severity(const struct receiver *r, enum alert_severity severity)
{
	return r->form == PAYLOAD_SNS ? "" : alert_severity_name(severity);
}

/* ---- requests ---- */

struct head {
	struct http_header lines[HEADERS_MAX];
	size_t n;
	char key[128], time[24], signature[SIGNATURE_BYTES];
};

static void
put(struct head *h, const char *name, const char *value)
{
	if (*value)
		h->lines[h->n++] = (struct http_header){ name, value };
}

/* What only a webhook gets: a change is told by its key however often it comes. */
static int
put_webhook(struct head *h, const struct receiver *r, const struct parcel *p, struct span body, int64_t now_us,
	    struct err *err)
{
	snprintf(h->key, sizeof(h->key), "%.*s:%.*s%s%.*s", SPAN_ARG(p->alert_id), SPAN_ARG(p->status),
		 p->severity.len ? ":" : "", SPAN_ARG(p->severity));
	snprintf(h->time, sizeof(h->time), "%" PRId64, now_us / US_PER_SECOND);
	put(h, "Idempotency-Key", h->key);
	put(h, "X-Forebay-Timestamp", h->time);
	if (r->form == PAYLOAD_SNS) {
		put(h, "x-amz-sns-message-type", "Notification");
		put(h, "x-amz-sns-message-id", h->key);
		put(h, "x-amz-sns-rawdelivery", "true");
	}
	if (!*r->secret)
		return 0;
	if (signature_make(r->secret, h->time, body, h->signature, err) < 0)
		return -1;
	put(h, "X-Forebay-Signature", h->signature);
	return 0;
}

int
receiver_send(const struct receiver *r, struct http_client *client, const struct parcel *parcels, size_t n,
	      int64_t now_us, int64_t valid_us, void *tag, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer post = BUFFER_INIT(PAYLOAD_MAX_BYTES * RECEIVER_BATCH_MAX * 2);
	struct http_request request = { .url = r->url, .body = parcels[0].payload };
	struct span payloads[RECEIVER_BATCH_MAX];
	struct head head = { 0 };

	put(&head, "Content-Type", "application/json");
	put(&head, "Authorization", r->authorization);
	if (r->form == PAYLOAD_ALERTMANAGER) {
		for (size_t i = 0; i < n; i++)
			payloads[i] = parcels[i].payload;
		if (payload_alertmanager_post(payloads, n, now_us, valid_us, &post, err) < 0)
			return -1;
		request.body = buffer_span(&post);
	} else if (put_webhook(&head, r, &parcels[0], request.body, now_us, err) < 0) {
		return -1;
	}
	request.headers = head.lines;
	request.n_headers = head.n;
	return http_client_start(client, &request, tag, err);
}
