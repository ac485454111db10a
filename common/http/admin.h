/*
 * admin.h -- the HTTP side of a worker, on a thread of its own (libmicrohttpd).
 *
 *	GET /metrics		Prometheus text
 *	GET /health		{"status":"healthy","live":true,"ready":true,"message":...}
 *				200 healthy; 503 starting: live, but not ready; 500 unhealthy: not live.
 *				?probe=live answers for liveness alone, ?probe=ready for both
 *	GET /			{"version","commit","kafka_cluster_id"} as Kafka Connect's
 *	GET /connectors		["<name>"]
 *	GET /connectors/<name>/status	Connect's shape; state RUNNING, PAUSED, FAILED, UNASSIGNED
 *	GET /connectors/<name>/config	effective options, secrets hidden
 *	GET /connectors/<name>/offsets	Connect's shape
 *	PUT /connectors/<name>/pause, /resume	202
 *	GET /admin/loggers, GET/PUT /admin/loggers/root	{"level":"DEBUG"}
 *	errors			{"error_code":int,"message":text}
 *
 * HEAD works wherever GET does.  At most 64 connections, idle ones are closed after 30 s; a request body has at most
 * 4 KiB.  Nothing is encrypted or asked for a password: listen where only operators reach.
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

/* Any of them may be NULL: healthy, or 404 for its path.  *_json return -1 when no body can be made (500). */
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

/*
 * LISTEN is "host:port", "[ipv6]:port", ":port" (all addresses) or "host:0" (a free port).  NAME is the worker's name
 * in the paths.  The hooks are copied; their ctx and METRICS must live until admin_stop.  -1 on OPTION_INVALID (the
 * form of LISTEN), IO, NO_MEMORY.
 */
int admin_start(const char *listen, const char *name, struct metrics *metrics, const struct admin_hooks *hooks,
		struct admin **ret, struct err *err);
int admin_port(const struct admin *a);

/* Waits for the answer at hand: not to be called while holding what a hook needs. */
void admin_stop(struct admin *a);
DEFINE_CLEANUP(struct admin, admin_stop)

#endif
