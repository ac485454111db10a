/*
 * workbench.h -- a worker's hooks on a bench: the calls of common/worker/worker.h without Kafka around them, so that a test
 * chooses where transactions begin, end and fail.  Codecs, registry and metrics are the real ones; states are copied at
 * their first use in a transaction and come back when it is given up.
 *
 * Records are numbered as they come, also those that are refused; an abort goes back to the number of the last commit.
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

/* How often TEXT is in it; the number of its lines that hold both texts. */
size_t workbench_count(struct workbench *b, const char *key, const char *text);
size_t workbench_lines(struct workbench *b, const char *key, const char *one, const char *two);

size_t workbench_states(const struct workbench *b);

/* ---- states that leave memory ---- */

/* Between transactions: every state is replaced by one that was read back from its image. */
void workbench_reload(struct workbench *b);

/* Append the keys and images of all states, in the order of their first use. */
void workbench_images(const struct workbench *b, struct buffer *out);

/* Fails the test unless both hold the same states; have also sent the same. */
void workbench_assert_same_states(const struct workbench *a, const struct workbench *b);
void workbench_assert_same(const struct workbench *a, const struct workbench *b);

/*
 * From now on records are repeated: nothing is sent, and what NOTED (NULL: nobody) noted at the same place in its input is
 * recalled.  With SILENT false they are new again.
 */
void workbench_silent(struct workbench *b, bool silent, const struct workbench *noted);

/* Of the next calls of context_state, AFTER succeed and one fails with STORE_DOWN. */
void workbench_store_down(struct workbench *b, int after);

#endif
