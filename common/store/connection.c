/*
 * connection.c -- connects without blocking for longer than allowed, and turns libpq's results into our errors.
 *
 * While connecting libpq gives no SQLSTATE, only text in the server's language.  Verbose texts carry the code
 * ("FATAL:  28P01: ..."), so verbosity is raised until the session stands.
 */
#include "common/store/connection.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/store/private.h"

static const struct metric_spec metric_statements = { "forebay_store_statements_total", METRIC_COUNTER, "",
						      "Statements sent to PostgreSQL",  NULL,           0 };
static const struct metric_spec metric_rows = {
	"forebay_store_rows_total", METRIC_COUNTER, "", "Rows that PostgreSQL returned or changed", NULL, 0
};
static const struct metric_spec metric_connects = { "forebay_store_connects_total",   METRIC_COUNTER, "",
						    "Sessions begun with PostgreSQL", NULL,           0 };
static const struct metric_spec metric_lost = { "forebay_store_sessions_lost_total",       METRIC_COUNTER, "",
						"Sessions with PostgreSQL that broke off", NULL,           0 };
static const struct metric_spec metric_errors = { "forebay_store_errors_total",         METRIC_COUNTER, "",
						  "Statements that PostgreSQL refused", NULL,           0 };
static const struct metric_spec metric_seconds = {
	"forebay_store_statement_seconds", METRIC_HISTOGRAM, "", "Time a statement took, as the client sees it", NULL, 0
};

static void
store_describe(struct store *s, const PQconninfoOption *options)
{
	const char *user = "", *host = "", *port = "5432", *database = "";

	for (; options->keyword; options++) {
		if (!options->val)
			continue;
		if (strcmp(options->keyword, "user") == 0)
			user = options->val;
		else if (strcmp(options->keyword, "host") == 0)
			host = options->val;
		else if (strcmp(options->keyword, "port") == 0)
			port = options->val;
		else if (strcmp(options->keyword, "dbname") == 0)
			database = options->val;
	}
	snprintf(s->address, sizeof(s->address), "%s%s%s:%s/%s", user, *user ? "@" : "", host, port, database);
}

/* Of a password with a '/' or '@' as it is, libpq takes a part for the host or the database, and these are told to everybody. */
static bool
splits_password(const char *uri)
{
	size_t scheme = strncmp(uri, "postgresql://", 13) == 0 ? 13 : strncmp(uri, "postgres://", 11) == 0 ? 11 : 0;
	struct span rest = { uri + scheme, scheme ? strcspn(uri + scheme, "?") : 0 };
	const char *at = memchr(rest.ptr, '@', rest.len), *slash = memchr(rest.ptr, '/', rest.len);

	return at && ((slash && slash < at) || memchr(at + 1, '@', rest.len - (size_t)(at + 1 - rest.ptr)));
}

static void
store_count(struct store *s, struct metrics *m)
{
	s->metrics = m;
	s->m_statements = metrics_series(m, &metric_statements, NULL);
	s->m_rows = metrics_series(m, &metric_rows, NULL);
	s->m_connects = metrics_series(m, &metric_connects, NULL);
	s->m_lost = metrics_series(m, &metric_lost, NULL);
	s->m_errors = metrics_series(m, &metric_errors, NULL);
	s->m_seconds = metrics_series(m, &metric_seconds, NULL);
}

int
store_new(const struct store_options *options, struct store **ret, struct err *err)
{
	CLEANUP(store_free)
	struct store *s = calloc(1, sizeof(*s));
	PQconninfoOption *parsed;
	char *why = NULL;

	if (!s)
		return err_set(err, REASON_NO_MEMORY, "a store");
	s->uri = strdup(options->uri);
	s->application_name = strdup(options->application_name);
	s->connect_timeout_ms = options->connect_timeout_ms;
	s->lock_timeout_ms = options->lock_timeout_ms;
	if (!s->uri || !s->application_name)
		return err_set(err, REASON_NO_MEMORY, "a store");
	if (splits_password(s->uri))
		return err_set(
		    err, REASON_OPTION_INVALID,
		    "postgres.uri: '@' is there twice, or behind a '/': write %%40 and %%2F for those of a password");
	parsed = PQconninfoParse(s->uri, &why);
	PQfreemem(why); /* it may quote a part of the password */
	if (!parsed)
		return err_set(err, REASON_OPTION_INVALID,
			       "postgres.uri: not of the form postgresql://[user[:password]@]host[:port]/database");
	store_describe(s, parsed);
	PQconninfoFree(parsed);
	if (options->metrics)
		store_count(s, options->metrics);
	*ret = TAKE(s);
	return 0;
}

void
store_free(struct store *s)
{
	if (!s)
		return;
	store_disconnect(s);
	free(s->uri);
	free(s->application_name);
	free(s);
}

void
store_disconnect(struct store *s)
{
	PQfinish(s->conn);
	s->conn = NULL;
	map_free(s->prepared);
	s->prepared = NULL;
}

int64_t
store_session(const struct store *s)
{
	return s->conn ? s->sessions : 0;
}

const char *
store_address(const struct store *s)
{
	return s->address;
}

/* The first line of TEXT, without the blanks at its end, into OUT. */
static void
first_line(const char *text, char *out, size_t size)
{
	size_t n = strcspn(text, "\n");

	while (n > 0 && isspace((unsigned char)text[n - 1]))
		n--;
	snprintf(out, size, "%.*s", (int)(n < 400 ? n : 400), text);
}

/* The SQLSTATE in a verbose message: "...FATAL:  28P01: text".  False: there is none. */
static bool
code_in(const char *text, char code[6])
{
	for (const char *at = text; (at = strstr(at, ":  ")); at += 3) {
		size_t n = strspn(at + 3, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ");

		if (n == 5 && at[8] == ':') {
			memcpy(code, at + 3, 5);
			code[5] = '\0';
			return true;
		}
	}
	return false;
}

static int
connect_failed(const struct store *s, const PGconn *conn, struct err *err)
{
	char line[420], code[6] = "";
	const char *text = PQerrorMessage(conn);
	enum err_reason reason = REASON_STORE_DOWN;

	/* Of several tries (hosts, protocols) the last one speaks. */
	for (const char *next; (next = strchr(text, '\n')) && strstr(next + 1, "connection to server");)
		text = next + 1;
	first_line(text, line, sizeof(line));
	if (code_in(text, code))
		reason = store_reason(code);
	if (strcmp(code, "XX000") == 0)
		reason = REASON_STORE_DOWN; /* a session that cannot even begin: a full disk says so */
	if (reason == REASON_STORE_SCHEMA)
		reason = REASON_STORE_REFUSED;
	return err_set(err, reason, "%s: %s", s->address, line);
}

/* Drive libpq until the session stands or the time is over. */
static int
connect_poll(struct store *s, PGconn *conn, struct err *err)
{
	int64_t deadline_us = clock_monotonic_us() + s->connect_timeout_ms * US_PER_MS;
	PostgresPollingStatusType wanted = PGRES_POLLING_WRITING;

	while (wanted != PGRES_POLLING_OK) {
		struct pollfd fd = { .fd = PQsocket(conn),
				     .events = wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT };
		int64_t left_us = deadline_us - clock_monotonic_us();
		int ready;

		if (wanted == PGRES_POLLING_FAILED || PQstatus(conn) == CONNECTION_BAD)
			return connect_failed(s, conn, err);
		ready = left_us > 0 ? poll(&fd, 1, (int)(left_us / US_PER_MS) + 1) : 0;
		if (ready == 0)
			return err_set(err, REASON_STORE_DOWN, "%s: no answer within %" PRId64 " ms", s->address,
				       s->connect_timeout_ms);
		if (ready < 0 && errno != EINTR)
			return err_set(err, REASON_STORE_DOWN, "%s: %s", s->address, strerror(errno));
		if (ready > 0)
			wanted = PQconnectPoll(conn);
	}
	return 0;
}

static void
quiet(void *arg, const PGresult *result)
{
	(void)arg, (void)result; /* notices ("already exists, skipping") are nobody's business */
}

int
store_connect(struct store *s, struct err *err)
{
	/* What stands before dbname is a default that the URI may override. */
	const char *names[] = { "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout",
				"dbname",          "application_name",    "client_encoding",  NULL };
	const char *values[] = { "10", "5", "3", "30000", s->uri, s->application_name, "UTF8", NULL };
	char settings[256];

	if (s->conn && PQstatus(s->conn) == CONNECTION_OK)
		return 0;
	store_disconnect(s);
	s->conn = PQconnectStartParams(names, values, 1);
	s->prepared = map_new(free);
	if (!s->conn || !s->prepared) {
		store_disconnect(s);
		return err_set(err, REASON_NO_MEMORY, "a connection to PostgreSQL");
	}
	PQsetErrorVerbosity(s->conn, PQERRORS_VERBOSE);
	PQsetNoticeReceiver(s->conn, quiet, NULL);
	if (connect_poll(s, s->conn, err) < 0) {
		store_disconnect(s);
		return -1;
	}
	PQsetErrorVerbosity(s->conn, PQERRORS_DEFAULT);
	s->sessions++;
	metric_add(s->m_connects, 1);
	snprintf(settings, sizeof(settings),
		 "SET timezone = 'UTC'; SET idle_in_transaction_session_timeout = '30s'; "
		 "SET standard_conforming_strings = on; SET bytea_output = 'hex'; "
		 "SET extra_float_digits = 3; SET lock_timeout = %" PRId64,
		 s->lock_timeout_ms);
	if (store_exec(s, settings, err) == 0)
		return 0;
	store_disconnect(s); /* or the next call would take a session without these settings for a good one */
	return -1;
}

int
connection_error(struct store *s, struct err *err)
{
	char line[420] = "the session is lost";

	s->sqlstate[0] = '\0';
	if (s->conn && PQerrorMessage(s->conn)[0])
		first_line(PQerrorMessage(s->conn), line, sizeof(line));
	if (s->conn) {
		metric_add(s->m_lost, 1);
		store_disconnect(s);
	}
	return err_set(err, REASON_STORE_DOWN, "%s: %s", s->address, line);
}

/* " (table a.b, column c, constraint d, SQLSTATE 22021)" as far as the server says. */
static int
result_error(struct store *s, const PGresult *result, struct err *err)
{
	static const struct {
		int field;
		const char *front;
	} parts[] = { { PG_DIAG_COLUMN_NAME, ", column " }, { PG_DIAG_CONSTRAINT_NAME, ", constraint " } };
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *schema = PQresultErrorField(result, PG_DIAG_SCHEMA_NAME);
	const char *table = PQresultErrorField(result, PG_DIAG_TABLE_NAME);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *context = PQresultErrorField(result, PG_DIAG_CONTEXT);
	char text[400], where[200] = "";
	size_t n;

	snprintf(s->sqlstate, sizeof(s->sqlstate), "%s", state ? state : "");
	first_line(message ? message : PQresultErrorMessage(result), text, sizeof(text));
	n = (size_t)snprintf(where, sizeof(where), "SQLSTATE %s", state ? state : "unknown");
	if (table && n < sizeof(where))
		n += (size_t)snprintf(where + n, sizeof(where) - n, ", table %s%s%s", schema ? schema : "",
				      schema ? "." : "", table);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		const char *value = PQresultErrorField(result, parts[i].field);

		if (value && n < sizeof(where))
			n += (size_t)snprintf(where + n, sizeof(where) - n, "%s%s", parts[i].front, value);
	}
	if (context && strncmp(context, "COPY ", 5) == 0 && n < sizeof(where))
		snprintf(where + n, sizeof(where) - n, ", %.*s", (int)strcspn(context, "\n:"), context);
	return err_set(err, store_reason(state), "%.300s (%s)", text, where);
}

int
result_check(struct store *s, const PGresult *result, int64_t started_us, struct err *err)
{
	ExecStatusType status = PQresultStatus(result);

	metric_add(s->m_statements, 1);
	metric_observe(s->m_seconds, (double)(clock_monotonic_us() - started_us) / 1e6);
	if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_COPY_IN ||
	    status == PGRES_EMPTY_QUERY)
		return 0;
	metric_add(s->m_errors, 1);
	if (!result || !s->conn || PQstatus(s->conn) != CONNECTION_OK)
		return connection_error(s, err);
	return result_error(s, result, err);
}

int
store_exec(struct store *s, const char *sql, struct err *err)
{
	CLEANUP(result_clear)
	PGresult *result = NULL;
	int64_t started_us = clock_monotonic_us();

	if (!s->conn)
		return err_set(err, REASON_STORE_DOWN, "%s: no session", s->address);
	result = PQexec(s->conn, sql);
	return result_check(s, result, started_us, err);
}

int
store_commit(struct store *s, struct err *err)
{
	CLEANUP(result_clear)
	PGresult *result = NULL;
	int64_t started_us = clock_monotonic_us();

	if (!s->conn)
		return err_set(err, REASON_STORE_DOWN, "%s: no session", s->address);
	result = PQexec(s->conn, "COMMIT");
	if (result_check(s, result, started_us, err) < 0)
		return -1;
	/* COMMIT of a failed transaction succeeds, and its tag is ROLLBACK. */
	if (strcmp(PQcmdStatus(result), "COMMIT") != 0)
		return err_set(err, REASON_STORE_DOWN, "%s: the server gave the transaction up", s->address);
	return 0;
}

const char *
store_sqlstate(const struct store *s)
{
	return s->sqlstate;
}

bool
store_in_transaction(const struct store *s)
{
	PGTransactionStatusType status = s->conn ? PQtransactionStatus(s->conn) : PQTRANS_IDLE;

	return status == PQTRANS_INTRANS || status == PQTRANS_INERROR || status == PQTRANS_ACTIVE;
}

void
store_rollback(struct store *s)
{
	if (store_in_transaction(s) && store_exec(s, "ROLLBACK", NULL) < 0)
		store_disconnect(s);
}
