/*
 * admin.h -- the HTTP side of a worker, on a thread of its own (libmicrohttpd).
 *
 *	GET /metrics		Prometheus text
 *	GET /health		200 {"status":"healthy","live":true,"ready":true,"message":...}; 503 starting or not ready; 500 unhealthy.
 *				?probe=live answers for liveness alone, ?probe=ready for readiness alone
 *	GET /			{"version","commit","kafka_cluster_id"} as Kafka Connect's
 *	GET /connectors		["<name>"]
 *	GET /connectors/<name>/status	Connect's shape; state RUNNING, PAUSED, FAILED, UNASSIGNED
 *	GET /connectors/<name>/config	effective options, secrets hidden
 *	GET /connectors/<name>/offsets	Connect's shape
 *	PUT /connectors/<name>/pause, /resume	202
 *	GET/PUT /admin/loggers[/<name>]	{"level":"DEBUG"}
 *	errors			{"error_code":int,"message":text}
 *
 * The owner supplies answers by the callbacks; they are called on the HTTP thread and must be thread-safe.
 */
#ifndef FOREBAY_HTTP_ADMIN_H
#define FOREBAY_HTTP_ADMIN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/cleanup.h"
#include "common/base/error.h"
#include "common/metrics/metrics.h"

struct admin_health {
	bool live, ready;
	char message[256];
};

struct admin_hooks {
	void *ctx;
	void (*health)(void *ctx, struct admin_health *ret);
	int (*status_json)(void *ctx, struct buffer *out); /* body of /connectors/<name>/status */
	int (*config_json)(void *ctx, struct buffer *out);
	int (*offsets_json)(void *ctx, struct buffer *out);
	void (*pause)(void *ctx, bool paused);
	const char *(*cluster_id)(void *ctx); /* NULL: not known yet */
};

struct admin;

/* LISTEN is "host:port", ":port" (all addresses) or "host:0" (a free port).  NAME is the worker's name in the paths. */
int admin_start(const char *listen, const char *name, struct metrics *metrics, const struct admin_hooks *hooks,
		struct admin **ret, struct err *err);
int admin_port(const struct admin *a);
void admin_stop(struct admin *a);
DEFINE_CLEANUP(struct admin, admin_stop)

#endif
