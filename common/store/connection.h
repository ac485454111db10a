/*
 * connection.h -- one session with PostgreSQL.  Sole user of libpq is this module; its types do not leave it.
 *
 * A store is used by one thread.  It connects when asked to, forgets the session when it is lost (a call then fails with
 * STORE_DOWN), and connects again when asked to again: what is bound to a session (temporary tables) is kept by its
 * number.  Times are UTC in every session.  Sessions that sit idle inside a transaction are ended by the server after
 * half a minute, so that a frozen process does not keep its locks for ever.
 *
 * Failures are sorted by SQLSTATE (store_reason): STORE_DOWN is worth a retry, ROW_REFUSED is the row's fault,
 * STORE_SCHEMA and STORE_REFUSED need a person.
 */
#ifndef FOREBAY_STORE_CONNECTION_H
#define FOREBAY_STORE_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/error.h"
#include "common/metrics/metrics.h"

struct store;

struct store_options {
	const char *uri;              /* postgresql://user:password@host:port/database?...; never printed */
	const char *application_name; /* what pg_stat_activity shows */
	int64_t connect_timeout_ms;   /* for all hosts of the URI together */
	struct metrics *metrics;      /* NULL: none */
	int64_t lock_timeout_ms;      /* a statement waits no longer for a lock: STORE_DOWN; 0: without end */
};

/* Copies what it needs; does not connect.  -1 on OPTION_INVALID (not a connection URI), NO_MEMORY. */
int store_new(const struct store_options *options, struct store **ret, struct err *err);
void store_free(struct store *s); /* NULL is fine; an open transaction is rolled back by the server */
DEFINE_CLEANUP(struct store, store_free)

/* Have a session: at once if there is one.  -1 on STORE_DOWN (not reachable, starting, too many clients) and
 * STORE_REFUSED (role, password, database). */
int store_connect(struct store *s, struct err *err);
void store_disconnect(struct store *s);

/* Number of the session at hand, from 1; 0: none. */
int64_t store_session(const struct store *s);

/* "user@host:port/database", for messages: no password. */
const char *store_address(const struct store *s);

/* Statements without parameters, separated by ';'.  Outside of a transaction they are one.  Results are dropped. */
int store_exec(struct store *s, const char *sql, struct err *err);

/* End the transaction for good.  -1 also when the server had given it up: nothing of it is there then, but after
 * STORE_DOWN with the session lost its fate is not known. */
int store_commit(struct store *s, struct err *err);

/* SQLSTATE of the statement that failed last; "" when it was the session that failed. */
const char *store_sqlstate(const struct store *s);

/* True between BEGIN and COMMIT or ROLLBACK, also when the transaction has failed. */
bool store_in_transaction(const struct store *s);

/* End the transaction, if there is one.  A session that cannot even do that is given up. */
void store_rollback(struct store *s);

/* The reason for a SQLSTATE of five characters; NULL or "": the session is lost.  Pure. */
enum err_reason store_reason(const char *sqlstate);

#endif
