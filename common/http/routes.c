/*
 * routes.c -- the table of paths and the answers.  A path that exists with another method is 405, one that does not is
 * 404, both in Connect's error form; HEAD is GET whose body is not sent.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/http/private.h"

typedef int answer(struct site *site, const struct request *request, struct reply *reply);

int
reply_error(struct reply *reply, int status, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	reply->status = status;
	reply->type = "application/json";
	reply->body.len = 0;
	return buffer_printf(&reply->body, "{\"error_code\":%d,\"message\":", status) |
	       buffer_json_string(&reply->body, span_of(text)) | buffer_text(&reply->body, "}");
}

static int
get_metrics(struct site *site, const struct request *request, struct reply *reply)
{
	reply->type = "text/plain; version=0.0.4; charset=utf-8";
	return metrics_expose(site->metrics, &reply->body);
}

static int
get_health(struct site *site, const struct request *request, struct reply *reply)
{
	struct admin_health h = { .live = true, .ready = true };
	bool live_only = request->probe && strcmp(request->probe, "live") == 0;
	const char *status;

	if (request->probe && !live_only && strcmp(request->probe, "ready") != 0)
		return reply_error(reply, 400, "probe is live or ready");
	if (site->hooks.health)
		site->hooks.health(site->hooks.ctx, &h);
	reply->status = !h.live ? 500 : h.ready || live_only ? 200 : 503;
	status = reply->status == 500 ? "unhealthy" : reply->status == 200 ? "healthy" : "starting";
	return buffer_printf(&reply->body, "{\"status\":\"%s\",\"live\":%s,\"ready\":%s,\"message\":", status,
			     h.live ? "true" : "false", h.ready ? "true" : "false") |
	       buffer_json_string(&reply->body, (struct span){ h.message, strnlen(h.message, sizeof(h.message)) }) |
	       buffer_text(&reply->body, "}");
}

static int
get_root(struct site *site, const struct request *request, struct reply *reply)
{
	const char *id = site->hooks.cluster_id ? site->hooks.cluster_id(site->hooks.ctx) : NULL;
	int bad = buffer_text(&reply->body, "{\"version\":\"" FOREBAY_VERSION "\",\"commit\":\"unknown\",");

	bad |= buffer_text(&reply->body, "\"kafka_cluster_id\":");
	bad |= id ? buffer_json_string(&reply->body, span_of(id)) : buffer_text(&reply->body, "null");
	return bad | buffer_text(&reply->body, "}");
}

static int
get_connectors(struct site *site, const struct request *request, struct reply *reply)
{
	return buffer_text(&reply->body, "[") | buffer_json_string(&reply->body, span_of(site->name)) |
	       buffer_text(&reply->body, "]");
}

/* A body that a hook writes; NULL: this program has none. */
static int
from_hook(struct site *site, int (*hook)(void *, struct buffer *), struct reply *reply)
{
	if (!hook)
		return reply_error(reply, 404, "not offered by %s", site->name);
	return hook(site->hooks.ctx, &reply->body);
}

static int
get_status(struct site *site, const struct request *request, struct reply *reply)
{
	return from_hook(site, site->hooks.status_json, reply);
}

static int
get_config(struct site *site, const struct request *request, struct reply *reply)
{
	return from_hook(site, site->hooks.config_json, reply);
}

static int
get_offsets(struct site *site, const struct request *request, struct reply *reply)
{
	return from_hook(site, site->hooks.offsets_json, reply);
}

static int
set_paused(struct site *site, bool paused, struct reply *reply)
{
	if (!site->hooks.pause)
		return reply_error(reply, 404, "not offered by %s", site->name);
	site->hooks.pause(site->hooks.ctx, paused);
	reply->status = 202;
	return 0;
}

static int
put_pause(struct site *site, const struct request *request, struct reply *reply)
{
	return set_paused(site, true, reply);
}

static int
put_resume(struct site *site, const struct request *request, struct reply *reply)
{
	return set_paused(site, false, reply);
}

/* "*" stands for one segment. */
static const struct route {
	const char *path;
	bool of_connector; /* the segment must be the worker's name */
	answer *get, *put;
} routes[] = {
	{ "/metrics", false, get_metrics, NULL },
	{ "/health", false, get_health, NULL },
	{ "/", false, get_root, NULL },
	{ "/connectors", false, get_connectors, NULL },
	{ "/connectors/*/status", true, get_status, NULL },
	{ "/connectors/*/config", true, get_config, NULL },
	{ "/connectors/*/offsets", true, get_offsets, NULL },
	{ "/connectors/*/pause", true, NULL, put_pause },
	{ "/connectors/*/resume", true, NULL, put_resume },
	{ "/admin/loggers", false, loggers_list, NULL },
	{ "/admin/loggers/*", false, loggers_get, loggers_put },
};

/* Whether PATH, with or without a slash at the end, is of the form PATTERN; the segment for "*" goes to *ITEM. */
static bool
fits(const char *pattern, const char *path, struct span *item)
{
	while (*pattern) {
		if (*pattern == '*') {
			*item = (struct span){ path, strcspn(path, "/") };
			if (item->len == 0)
				return false;
			path += item->len;
			pattern++;
		} else if (*pattern++ != *path++) {
			return false;
		}
	}
	return *path == '\0' || strcmp(path, "/") == 0;
}

static const struct route *
find_route(const char *path, struct span *item)
{
	for (size_t i = 0; i < ARRAY_LEN(routes); i++)
		if (fits(routes[i].path, path, item))
			return &routes[i];
	return NULL;
}

static int
route(struct site *site, struct request *request, struct reply *reply)
{
	const struct route *r = find_route(request->path, &request->item);
	bool get = strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
	bool put = strcmp(request->method, "PUT") == 0;

	if (!r)
		return reply_error(reply, 404, "HTTP 404 Not Found");
	if (!(get && r->get) && !(put && r->put)) {
		reply->allow = r->get && r->put ? "GET, HEAD, PUT" : r->get ? "GET, HEAD" : "PUT";
		return reply_error(reply, 405, "HTTP 405 Method Not Allowed");
	}
	if (r->of_connector && !span_equal(request->item, span_of(site->name)))
		return reply_error(reply, 404, "Connector %.*s not found; this is %s", SPAN_ARG(request->item),
				   site->name);
	return get ? r->get(site, request, reply) : r->put(site, request, reply);
}

void
site_answer(struct site *site, const struct request *request, struct reply *reply)
{
	struct request r = *request;

	if (route(site, &r, reply) < 0 && reply_error(reply, 500, "the answer could not be made") < 0)
		reply->body.len = 0;
}
