/* fixture.h -- a sink with its own PostgreSQL, fed without Kafka. */
#ifndef FOREBAY_TESTS_SINK_FIXTURE_H
#define FOREBAY_TESTS_SINK_FIXTURE_H

#include "tests/support/postgres.h"
#include "workers/sink-writer/sink.h"

#define READINGS "telemetry.readings"

extern struct postgres fixture_server;

struct fixture {
	struct sink sink;
	struct store *look; /* another session, to see what is there */
	struct arena *arena;
};

/* For cmocka: the group's server; each test's sink, on an empty schema, with partition 0 of READINGS claimed. */
int fixture_group_setup(void **state);
int fixture_group_teardown(void **state);
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* A second sink of the same group on the same database. */
void fixture_rival(struct fixture *f, const char *mapping);

/* An input record; lives as long as the fixture. */
struct input *fixture_input(struct fixture *f, const char *topic, int32_t partition, int64_t offset);

/* Add a reading of device "d", N values "m0".."mN-1" all at EVENT_US, TEXT (may be NULL) in the last one. */
void fixture_reading(struct fixture *f, int64_t offset, int64_t event_us, size_t n, struct span text);

/* Commit partition 0 of READINGS at NEXT. */
int fixture_commit(struct fixture *f, int64_t next, struct err *err);

/* Flush and commit, which must succeed. */
void fixture_done(struct fixture *f, int64_t next);

long long fixture_number(struct fixture *f, const char *sql);

#endif
