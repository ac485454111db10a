/* postgres.h -- a real PostgreSQL of a test's own: deploy/local/stack in a folder that goes with the test. */
#ifndef FOREBAY_TESTS_POSTGRES_H
#define FOREBAY_TESTS_POSTGRES_H

#include "common/store/connection.h"

struct postgres {
	char dir[64];
	char uri[256];
};

/* A test cannot go on without it: these end the program with a message. */
void postgres_start(struct postgres *p); /* the first time with a fresh cluster, later with the same one */
void postgres_kill(struct postgres *p);  /* SIGKILL to the server */
void postgres_stop(struct postgres *p);  /* cleanly */
void postgres_wipe(struct postgres *p);

/* A session, with the schema dropped and deploy/migrations applied when FRESH. */
struct store *postgres_store(const struct postgres *p, int fresh);

/* One value of one row as a number. */
long long postgres_number(struct store *s, const char *sql);

/* The checkout's folder PATH. */
const char *postgres_source(const char *path);

#endif
