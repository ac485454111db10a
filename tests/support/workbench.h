/*
 * workbench.h -- a worker's hooks on a bench: the calls of common/worker/worker.h without Kafka around them, so that a test
 * chooses where transactions begin, end and fail.  Codecs, registry and metrics are the real ones; states are copied at
 * their first use in a transaction and come back when it is given up.
 *
 * What is committed is gathered per key, as text "topic: <json>\n" in the order of emission.
 */
#ifndef FOREBAY_TEST_WORKBENCH_H
#define FOREBAY_TEST_WORKBENCH_H

#include "common/base/map.h"
#include "common/worker/worker.h"

struct workbench;

/*
 * Opens SPEC with SELF on the topics of the spec.  Schemas are read from $FOREBAY_SCHEMA_DIR.  Fails the test when that
 * fails.
 */
struct workbench *workbench_new(const struct worker_spec *spec, void *self);
void workbench_free(struct workbench *b);
DEFINE_CLEANUP(struct workbench, workbench_free)

/* One input record under KEY: RECORD is encoded as TYPE for TOPIC first.  What the worker's record() says. */
int workbench_record(struct workbench *b, const char *topic, const struct record_type *type, const char *key,
		     const void *record, struct err *err);

/* The same with bytes as they are. */
int workbench_bytes(struct workbench *b, const char *topic, const char *key, struct span value, struct err *err);

void workbench_commit(struct workbench *b); /* flush() included, which must succeed */
void workbench_abort(struct workbench *b);

/* What has been committed under KEY, NUL-terminated; "" if nothing. */
const char *workbench_sent(struct workbench *b, const char *key);

/* How often TEXT is in it. */
size_t workbench_count(struct workbench *b, const char *key, const char *text);

size_t workbench_states(const struct workbench *b);

#endif
