/* checkpoints.h -- what the words of `forebay checkpoints` share: a file of this folder per word, or two. */
#ifndef FOREBAY_CLI_CHECKPOINTS_H
#define FOREBAY_CLI_CHECKPOINTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/verb.h"
#include "common/base/arena.h"
#include "common/store/checkpoint_list.h"
#include "common/store/connection.h"

struct checkpoints_options {
	struct kafka_access kafka; /* bootstrap_servers "": Kafka is not asked */
	char *postgres_uri, *run, *worker, *group, *key, *metric, *from, *older_than, *program;
	int64_t connect_timeout_ms, at, partition, run_timeout_ms;
	bool dry_run, yes, keep, json;
};

struct checkpoints {
	const struct checkpoints_options *options;
	const struct property_list *overrides;
	const char *worker; /* "etl-preprocessor"; "": unknown */
	const char *group;  /* "": all */
	char **flags;       /* words after --, for the worker */
	int n_flags;
	struct store *store;
	struct arena *arena;
	bool broken; /* something is not as it should be: the exit code says so */
};

int checkpoints_list(struct checkpoints *c, struct err *err);
int checkpoints_show(struct checkpoints *c, struct err *err);
int checkpoints_verify(struct checkpoints *c, struct err *err);
int checkpoints_prune(struct checkpoints *c, struct err *err);
int checkpoints_forget(struct checkpoints *c, struct err *err);

/* The keys that --key and --metric mean, at most LIMIT.  -1 on USAGE when there is none. */
int checkpoints_find(struct checkpoints *c, int64_t limit, struct checkpoint_found **ret, size_t *n, struct err *err);

/* KEY as people write it; "" when memory is out.  In the arena. */
const char *checkpoints_key(struct checkpoints *c, struct span key);

/* The table of some keys, for people. */
int checkpoints_print_keys(struct checkpoints *c, const struct checkpoint_found *found, size_t n, struct err *err);

/* {"topic": offset, ...} */
json_t *checkpoints_offsets_json(const struct checkpoint_offsets *offsets);

/* What identifies a key's state, as members of an object. */
json_t *checkpoints_key_json(struct checkpoints *c, const struct checkpoint_found *f);

/* ISO 8601, in the arena. */
const char *checkpoints_time(struct checkpoints *c, int64_t us);

#endif
