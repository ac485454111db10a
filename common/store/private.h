/* private.h -- what the files of this module share, and nobody else: the session as libpq sees it. */
#ifndef FOREBAY_STORE_PRIVATE_H
#define FOREBAY_STORE_PRIVATE_H

#include <libpq-fe.h>

#include "common/base/map.h"
#include "common/store/connection.h"

struct store {
	char *uri, *application_name;
	int64_t connect_timeout_ms, lock_timeout_ms;
	PGconn *conn; /* NULL: no session */
	int64_t sessions;
	struct map *prepared; /* text of a statement -> its name in this session */
	char address[256];
	char sqlstate[6];
	struct metrics *metrics;
	struct metric_series *m_statements, *m_rows, *m_connects, *m_lost, *m_errors, *m_seconds;
};

static inline void
result_clear_cleanup(PGresult **result)
{
	PQclear(*result);
}

/* 0 when RESULT is a success; else -1 with *ERR filled, and a lost session (RESULT NULL is one) given up.  Counts the
 * statement that began at STARTED_US. */
int result_check(struct store *s, const PGresult *result, int64_t started_us, struct err *err);

/* -1 with the state of the connection in *ERR: the session is given up when it is lost. */
int connection_error(struct store *s, struct err *err);

#endif
