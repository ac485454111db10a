/*
 * private.h -- between the files of common/http: admin.c moves bytes, routes.c answers, loggers.c answers for one path.
 * Answers know nothing of libmicrohttpd.
 */
#ifndef FOREBAY_HTTP_PRIVATE_H
#define FOREBAY_HTTP_PRIVATE_H

#include <stdatomic.h>

#include "common/base/span.h"
#include "common/http/admin.h"

#define REQUEST_MAX_BYTES 4096
#define REPLY_MAX_BYTES 33554432

/* What answers are made from.  Shared by the requests of one server. */
struct site {
	char *name;
	struct metrics *metrics;
	struct admin_hooks hooks;
	_Atomic int64_t level_changed_ms; /* when the log level was set over HTTP; 0: never */
};

struct request {
	const char *method, *path;
	struct span item;  /* what stands for "*" in the route */
	const char *probe; /* ?probe=, or NULL */
	struct span body;
};

struct reply {
	int status;
	const char *type;  /* content type */
	const char *allow; /* methods, for 405; NULL: none */
	struct buffer body;
};

/* Answer any request.  A reply that cannot be made (memory) is status 500 with an empty body. */
void site_answer(struct site *site, const struct request *request, struct reply *reply);

/* {"error_code":STATUS,"message":...} */
int reply_error(struct reply *reply, int status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* GET /admin/loggers, GET and PUT /admin/loggers/<name>.  The only logger is "root". */
int loggers_list(struct site *site, const struct request *request, struct reply *reply);
int loggers_get(struct site *site, const struct request *request, struct reply *reply);
int loggers_put(struct site *site, const struct request *request, struct reply *reply);

#endif
