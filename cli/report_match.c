/* report_match.c -- see report_match.h. */
#include "cli/report_match.h"

#include <stdlib.h>
#include <string.h>

static int
compare(const char *device, const char *metric, const char *other_device, const char *other_metric)
{
	int order = strcmp(device, other_device);

	return order ? order : strcmp(metric, other_metric);
}

static int
by_place(const void *x, const void *y)
{
	const struct match_alert *a = x, *b = y;
	int order = compare(a->device, a->metric, b->device, b->metric);

	return order ? order : (a->starts_us > b->starts_us) - (a->starts_us < b->starts_us);
}

/* The first alert of this device and metric at or after US; N_ALERTS if there is none. */
static size_t
first_from(const struct match_alert *alerts, size_t n_alerts, const struct anomaly_label *label, int64_t us)
{
	size_t low = 0, high = n_alerts;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct match_alert *a = &alerts[middle];
		int order = compare(a->device, a->metric, label->device, label->metric);

		if (order < 0 || (order == 0 && a->starts_us < us))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void
claim(const struct anomaly_labels *labels, size_t k, int64_t tolerance_us, struct match_alert *alerts, size_t n_alerts)
{
	const struct anomaly_label *label = &labels->items[k];

	for (size_t i = first_from(alerts, n_alerts, label, label->from_us); i < n_alerts; i++) {
		struct match_alert *a = &alerts[i];

		if (compare(a->device, a->metric, label->device, label->metric) != 0 ||
		    a->starts_us > label->to_us + tolerance_us)
			return;
		if (a->label == MATCH_FALSE || labels->items[a->label].from_us < label->from_us)
			a->label = k;
	}
}

static struct match_kind *
kind_of(struct match *m, const char *name)
{
	size_t i = 0;

	while (i < m->n_kinds && strcmp(m->kinds[i].name, name) < 0)
		i++;
	if (i < m->n_kinds && strcmp(m->kinds[i].name, name) == 0)
		return &m->kinds[i];
	if (m->n_kinds == MATCH_MOST_KINDS)
		return NULL;
	memmove(&m->kinds[i + 1], &m->kinds[i], (m->n_kinds - i) * sizeof(m->kinds[0]));
	m->n_kinds++;
	m->kinds[i] = (struct match_kind){ .delay_us = -1 };
	memcpy(m->kinds[i].name, name, strnlen(name, sizeof(m->kinds[i].name) - 1));
	return &m->kinds[i];
}

static int
by_size(const void *x, const void *y)
{
	const int64_t *a = x, *b = y;

	return (*a > *b) - (*a < *b);
}

/* DELAYS has room for one per label. */
static void
median_delay(struct match_kind *kind, const struct anomaly_labels *labels, const int64_t *found, int64_t *delays)
{
	size_t n = 0;

	for (size_t k = 0; k < labels->n; k++)
		if (found[k] >= 0 && strcmp(labels->items[k].kind, kind->name) == 0)
			delays[n++] = found[k] - labels->items[k].from_us;
	qsort(delays, n, sizeof(*delays), by_size);
	kind->delay_us = n ? delays[n / 2] : -1;
}

int
match_alerts(const struct anomaly_labels *labels, int64_t tolerance_us, struct match_alert *alerts, size_t n_alerts,
	     int64_t *found, struct match *ret, struct err *err)
{
	int64_t *delays = calloc(labels->n + 1, sizeof(*delays));

	if (!delays)
		return err_set(err, REASON_NO_MEMORY, "%zu labels", labels->n);
	*ret = (struct match){ .injected = (int64_t)labels->n, .alerts = (int64_t)n_alerts };
	qsort(alerts, n_alerts, sizeof(*alerts), by_place);
	for (size_t i = 0; i < n_alerts; i++)
		alerts[i].label = MATCH_FALSE;
	for (size_t k = 0; k < labels->n; k++) {
		found[k] = -1;
		claim(labels, k, tolerance_us, alerts, n_alerts);
	}
	for (size_t i = 0; i < n_alerts; i++) {
		size_t k = alerts[i].label;

		if (k == MATCH_FALSE)
			ret->false_alerts++;
		else if (found[k] < 0)
			found[k] = alerts[i].starts_us;
	}
	for (size_t k = 0; k < labels->n; k++) {
		struct match_kind *kind = kind_of(ret, labels->items[k].kind);

		ret->found += found[k] >= 0;
		if (kind) {
			kind->injected++;
			kind->found += found[k] >= 0;
		}
	}
	for (size_t i = 0; i < ret->n_kinds; i++)
		median_delay(&ret->kinds[i], labels, found, delays);
	free(delays);
	return 0;
}
