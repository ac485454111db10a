/* endpoint.h -- the workers that --workers names, and what their HTTP side says. */
#ifndef FOREBAY_CLI_ENDPOINT_H
#define FOREBAY_CLI_ENDPOINT_H

#include <stddef.h>

#include "common/base/arena.h"
#include "common/base/buffer.h"
#include "common/base/error.h"

#define ENDPOINT_METRICS_MAX ((size_t)8 << 20) /* bytes of /metrics */

struct endpoint {
	const char *name;    /* "sink-writer" */
	const char *address; /* "127.0.0.1:8083" */
};

/* "name=host:port,..." into *RET, in ARENA.  -1 on USAGE, NO_MEMORY. */
int endpoints_parse(const char *list, struct arena *arena, struct endpoint **ret, size_t *n, struct err *err);

/* GET PATH of the endpoint into OUT.  -1 on IO (no answer within five seconds, not 200), NO_MEMORY (OUT is full). */
int endpoint_get(const struct endpoint *e, const char *path, struct buffer *out, struct err *err);

#endif
