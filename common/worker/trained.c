/* trained.c -- see trained.h. */
#include "common/worker/trained.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/base/log.h"
#include "common/store/models.h"

#define CONNECT_TIMEOUT_MS 5000

int
trained_open(struct trained *t, struct worker *w, const struct trained_meters *meters, int64_t patience_ms,
	     struct err *err)
{
	const struct store_options where = { worker_postgres_uri(w), worker_instance(w),
					     patience_ms < CONNECT_TIMEOUT_MS ? patience_ms : CONNECT_TIMEOUT_MS,
					     worker_metrics(w) };

	trained_close(t);
	*t = (struct trained){ .metrics = where.metrics, .meters = meters, .patience_ms = patience_ms };
	return *where.uri ? store_new(&where, &t->store, err) : 0;
}

void
trained_close(struct trained *t)
{
	store_free(t->store);
	t->store = NULL;
}

/* ---- fetched ---- */

static int
connect_patiently(struct trained *t, struct err *err)
{
	char text[64];

	snprintf(text, sizeof(text), "SET statement_timeout = %" PRId64, t->patience_ms);
	return store_connect(t->store, err) < 0 ? -1 : store_exec(t->store, text, err);
}

int
trained_get(void *self, struct span name, struct span version, struct arena *arena, struct span *bytes, bool *found,
	    struct err *err)
{
	struct trained *t = self;
	struct model m;

	if (connect_patiently(t, err) < 0 || models_get(t->store, name, version, arena, &m, found, err) < 0)
		return -1;
	*bytes = *found ? m.artefact : SPAN_NONE;
	return 0;
}

int
trained_list(void *self, struct arena *arena, struct model **ret, size_t *n, struct err *err)
{
	struct trained *t = self;

	return connect_patiently(t, err) < 0 ? -1 : models_current(t->store, arena, ret, n, err);
}

/* ---- counted and told ---- */

static struct metric_series *
gauge_of(const struct trained *t, struct span name, struct span version)
{
	char texts[2][600];
	const char *labels[] = { texts[0], texts[1] };

	snprintf(texts[0], sizeof(texts[0]), "%.*s", SPAN_ARG(name));
	snprintf(texts[1], sizeof(texts[1]), "%.*s", SPAN_ARG(version));
	return metrics_series(t->metrics, &t->meters->at_hand, labels);
}

void
trained_here(void *self, struct span name, struct span version)
{
	metric_set(gauge_of(self, name, version), 1);
}

void
trained_gone(void *self, struct span name, struct span version)
{
	struct trained *t = self;

	metric_remove(t->metrics, gauge_of(t, name, version));
}

void
trained_failed(void *self, struct span name, struct span version, bool first, bool broken, const struct err *why)
{
	const struct trained *t = self;
	const char *reason = err_reason_name(why->reason);
	char text[1200];

	metric_add(metrics_series(t->metrics, &t->meters->failures, &reason), 1);
	if (!first)
		return;
	snprintf(text, sizeof(text), "%.*s/%.*s", SPAN_ARG(name), SPAN_ARG(version));
	log_error(broken ? LOG_ERROR : LOG_WARN, "a model cannot be used", why, "model", LOG_S(text), NULL);
}
