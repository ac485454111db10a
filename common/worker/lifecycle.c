/* lifecycle.c -- what surrounds the loop: signals, the watchdog thread, and the answers of the HTTP thread. */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/worker/internal.h"

#define WATCH_INTERVAL_US (200 * US_PER_MS)
#define EXIT_STUCK 4

static atomic_int stop_signal; /* a handler may run on any thread */

static void
on_signal(int number)
{
	atomic_store(&stop_signal, number);
}

bool
lifecycle_stop_wanted(void)
{
	return atomic_load(&stop_signal) != 0;
}

static void
catch_signals(void)
{
	struct sigaction act = { .sa_handler = on_signal };

	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGINT, &act, NULL);
	act.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &act, NULL);
}

/* A loop that stands still holds partitions that nobody else may have: better to end. */
static void *
watch(void *arg)
{
	struct worker *w = arg;
	int64_t limit = w->opt.watchdog_timeout_ms * US_PER_MS, seen = 0, still = 0, last = clock_monotonic_us();

	while (!atomic_load(&w->watchdog_stop)) {
		int64_t beat = atomic_load(&w->beat_us), now = clock_monotonic_us(), step = now - last;

		/* A process that was stopped or a machine that slept has not been stuck: count only time we saw pass. */
		still = beat != seen ? 0 : still + (step < 5 * WATCH_INTERVAL_US ? step : WATCH_INTERVAL_US);
		seen = beat;
		last = now;
		if (still > limit) {
			struct err err = ERR_INIT;

			err_set(&err, REASON_STUCK, "the main loop has stood still for %lld ms (watchdog.timeout.ms)",
				(long long)(still / US_PER_MS));
			log_error(LOG_ERROR, "stuck", &err, NULL);
			_exit(EXIT_STUCK);
		}
		clock_sleep_us(WATCH_INTERVAL_US);
	}
	return NULL;
}

/* ---- what the HTTP thread sees ---- */

static void
face_clear(struct face *f)
{
	free(f->held);
	f->held = NULL;
	f->n_held = 0;
}

void
lifecycle_show(struct worker *w, const char *message)
{
	struct face *f = &w->face;

	pthread_mutex_lock(&w->face_lock);
	f->phase = w->phase;
	f->lost = w->lost;
	if (message)
		snprintf(f->message, sizeof(f->message), "%s", message);
	face_clear(f);
	f->held = calloc(w->n_held + 1, sizeof(*f->held));
	for (size_t i = 0; f->held && i < w->n_held; i++)
		f->held[f->n_held++] = w->held[i];
	pthread_mutex_unlock(&w->face_lock);
}

static void
answer_health(void *ctx, struct admin_health *ret)
{
	struct worker *w = ctx;
	int64_t age = clock_monotonic_us() - atomic_load(&w->beat_us);

	pthread_mutex_lock(&w->face_lock);
	ret->live = age < w->opt.watchdog_timeout_ms * US_PER_MS;
	ret->ready = w->face.phase == PHASE_RUNNING || w->face.phase == PHASE_PAUSED ||
		     (w->face.phase == PHASE_JOINED && !w->face.lost);
	snprintf(ret->message, sizeof(ret->message), "%s: %.200s", phase_name(w->face.phase), w->face.message);
	pthread_mutex_unlock(&w->face_lock);
}

static const char *
connect_state(enum phase p)
{
	return p == PHASE_PAUSED ? "PAUSED" : p == PHASE_CONNECTING || p == PHASE_JOINED ? "UNASSIGNED" : "RUNNING";
}

static int
answer_status(void *ctx, struct buffer *out)
{
	struct worker *w = ctx;
	const char *state;
	int failed;

	pthread_mutex_lock(&w->face_lock);
	state = connect_state(w->face.phase);
	failed = buffer_text(out, "{\"name\":") | buffer_json_string(out, span_of(w->spec->name)) |
		 buffer_printf(out, ",\"connector\":{\"state\":\"%s\",\"worker_id\":", state) |
		 buffer_json_string(out, span_of(w->instance)) |
		 buffer_printf(out, "},\"tasks\":[{\"id\":0,\"state\":\"%s\",\"worker_id\":", state) |
		 buffer_json_string(out, span_of(w->instance)) | buffer_text(out, "}],\"type\":\"sink\",\"phase\":") |
		 buffer_json_string(out, span_of(phase_name(w->face.phase))) | buffer_text(out, ",\"message\":") |
		 buffer_json_string(out, span_of(w->face.message)) | buffer_text(out, "}");
	pthread_mutex_unlock(&w->face_lock);
	return failed;
}

static int
answer_config(void *ctx, struct buffer *out)
{
	struct worker *w = ctx;

	return options_json(&w->program, out);
}

static int
answer_offsets(void *ctx, struct buffer *out)
{
	struct worker *w = ctx;
	int failed = buffer_text(out, "{\"offsets\":[");

	pthread_mutex_lock(&w->face_lock);
	for (size_t i = 0; i < w->face.n_held; i++) {
		const struct held *h = &w->face.held[i];

		failed |=
		    buffer_text(out, i ? ",{\"partition\":{\"kafka_topic\":" : "{\"partition\":{\"kafka_topic\":") |
		    buffer_json_string(out, span_of(h->topic)) |
		    buffer_printf(out, ",\"kafka_partition\":%d}", h->partition) |
		    (h->committed < 0
			 ? buffer_text(out, ",\"offset\":null}")
			 : buffer_printf(out, ",\"offset\":{\"kafka_offset\":%lld}}", (long long)h->committed));
	}
	pthread_mutex_unlock(&w->face_lock);
	return failed | buffer_text(out, "]}");
}

static void
answer_pause(void *ctx, bool paused)
{
	struct worker *w = ctx;

	atomic_store(&w->wants_pause, paused);
}

static const char *
answer_cluster_id(void *ctx)
{
	struct worker *w = ctx;
	const char *id;

	pthread_mutex_lock(&w->face_lock);
	id = w->face.cluster_id[0] ? w->face.cluster_id : NULL; /* written once, so good after the lock too */
	pthread_mutex_unlock(&w->face_lock);
	return id;
}

int
lifecycle_start(struct worker *w, struct err *err)
{
	const struct admin_hooks hooks = {
		.ctx = w,
		.health = answer_health,
		.status_json = answer_status,
		.config_json = answer_config,
		.offsets_json = answer_offsets,
		.pause = answer_pause,
		.cluster_id = answer_cluster_id,
	};

	catch_signals();
	worker_beat(w);
	lifecycle_show(w, "starting");
	if (pthread_create(&w->watchdog, NULL, watch, w) != 0)
		return err_set(err, REASON_NO_MEMORY, "watchdog: %s", strerror(errno));
	w->watchdog_runs = true;
	if (!w->opt.listen[0])
		return 0;
	if (admin_start(w->opt.listen, w->spec->name, w->metrics, &hooks, &w->admin, err) < 0)
		return err_wrap(err, "listen=%s", w->opt.listen);
	log_event(LOG_INFO, "listening", "port", LOG_I(admin_port(w->admin)), NULL);
	return 0;
}

void
lifecycle_stop(struct worker *w)
{
	admin_stop(w->admin);
	w->admin = NULL;
	if (w->watchdog_runs) {
		atomic_store(&w->watchdog_stop, true);
		pthread_join(w->watchdog, NULL);
		w->watchdog_runs = false;
	}
	face_clear(&w->face);
}
