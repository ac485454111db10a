/*
 * path.h -- where something stands in a JSON document: a small part of JSONPath (RFC 9535).
 *
 *	$			the whole message		@	the element that items, each or members is at
 *	$.a.b $['odd key']	members by name			$.a[0]	an element by number
 *	$.a[*]			all elements; only at the end, and only where the path map says so
 *
 * A name behind a dot is a run of letters, digits, '_', '-' and bytes beyond ASCII; all others stand in brackets and
 * quotes, ' or ", where \\ and the quote itself are escaped by a backslash.
 */
#ifndef FOREBAY_INGEST_ROUTER_PATH_H
#define FOREBAY_INGEST_ROUTER_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/error.h"
#include "common/base/span.h"

#define PATH_STEPS_MAX 16

struct path_step {
	struct span key; /* ptr NULL: an element */
	uint32_t index;
};

struct path {
	bool relative; /* begins with @ */
	bool all;      /* ends in [*] */
	struct path_step steps[PATH_STEPS_MAX];
	size_t n_steps;
};

/* Keys are copied into ARENA.  -1 on FILE_INVALID, saying what is wrong at which byte. */
int path_parse(struct span text, struct arena *arena, struct path *ret, struct err *err);

#endif
