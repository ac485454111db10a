/*
 * rebuild.h -- a bounded run of a worker without outputs, as a process of ours: its states are what it leaves behind, in
 * forebay.state_partitions under the name of the run.
 */
#ifndef FOREBAY_CLI_REBUILD_H
#define FOREBAY_CLI_REBUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/buffer.h"
#include "common/base/error.h"
#include "common/store/checkpoint_compare.h"

/* From where to where a partition is rebuilt; START == its end: not at all. */
struct rebuild_range {
	const struct checkpoint_basis *basis;
	int64_t start, end;
	const char *why_not; /* NULL, or why it is not */
};

/*
 * Append the plan (run.plan): a line per partition of the primary input, and one for each other source, so that the run stops
 * where the frontier stands in all of them.  What is not rebuilt is left out.  -1 when the buffer may not grow.
 */
int rebuild_plan(const struct rebuild_range *ranges, size_t n, struct buffer *out);

struct rebuild {
	const char *worker, *program; /* program "": beside this one */
	const char *run, *group;
	const char *postgres_uri, *bootstrap_servers; /* servers "": as the worker is configured */
	char **flags;                                 /* of the worker */
	int n_flags;
	struct span plan;
	int64_t timeout_us;
	void (*tick)(void *ctx);                            /* about once a second */
	void (*told)(void *ctx, const struct err *trouble); /* the worker goes on, but has logged this; once a change */
	void *ctx;
};

/* Where the program is: in ARENA.  -1 on FILE_UNREADABLE (names where it was looked for), NO_MEMORY. */
int rebuild_program(const char *worker, const char *given, struct arena *arena, const char **ret, struct err *err);

/*
 * Run it to its end.  Plan and log lie in a folder of their own below TMPDIR, which stays when something went wrong: the error
 * names it.  -1 when the worker ends with an exit code other than 0 (with the reason that it logged last), does not end in
 * time (STUCK), or we were asked to stop (SIGINT, SIGTERM: it is then stopped, too, as it is when we are killed).
 */
int rebuild_run(const struct rebuild *r, struct arena *arena, struct err *err);

/* From the text of a worker's log the reason and text of its last error.  False: there is none. */
bool rebuild_last_error(struct span log, struct err *ret);

#endif
