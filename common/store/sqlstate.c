/*
 * sqlstate.c -- what a failure of PostgreSQL means for us, by its code and never by its text.
 *
 * Codes: PostgreSQL documentation, appendix A.  A full code is looked up first, then its class (two characters); what is
 * in neither is for a person to see.
 */
#include <string.h>

#include "common/store/connection.h"

static const struct {
	const char *code; /* five characters, or a class of two */
	enum err_reason reason;
} table[] = {
	{ "55P03", REASON_STORE_DOWN },    /* lock_not_available: lock_timeout */
	{ "55006", REASON_STORE_DOWN },    /* object_in_use */
	{ "25P03", REASON_STORE_DOWN },    /* idle_in_transaction_session_timeout: we were frozen */
	{ "25P02", REASON_STORE_DOWN },    /* in_failed_sql_transaction: the cause was reported before */
	{ "25006", REASON_STORE_DOWN },    /* read_only_sql_transaction: a standby, a fail-over under way */
	{ "40002", REASON_ROW_REFUSED },   /* transaction_integrity_constraint_violation */
	{ "53400", REASON_STORE_REFUSED }, /* configuration_limit_exceeded */
	{ "57P04", REASON_STORE_REFUSED }, /* database_dropped */
	{ "XX001", REASON_STORE_REFUSED }, /* data_corrupted */
	{ "0A000", REASON_STORE_SCHEMA },  /* a cached plan whose table was altered */
	{ "08", REASON_STORE_DOWN },       /* connection exception */
	{ "40", REASON_STORE_DOWN },       /* serialisation failure, deadlock */
	{ "53", REASON_STORE_DOWN },       /* disk full, out of memory, too many clients */
	{ "57", REASON_STORE_DOWN },       /* shutdown, crash, starting up, query cancelled */
	{ "58", REASON_STORE_DOWN },       /* system error outside PostgreSQL */
	{ "22", REASON_ROW_REFUSED },      /* data exception */
	{ "23", REASON_ROW_REFUSED },      /* integrity constraint */
	{ "54", REASON_ROW_REFUSED },      /* program limit: an index row too large, too many columns */
	{ "42501", REASON_STORE_REFUSED }, /* insufficient_privilege */
	{ "42", REASON_STORE_SCHEMA },     /* no such table, column or type */
	{ "3F", REASON_STORE_SCHEMA },     /* no such schema */
};

enum err_reason
store_reason(const char *sqlstate)
{
	if (!sqlstate || !sqlstate[0])
		return REASON_STORE_DOWN;
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (strncmp(sqlstate, table[i].code, strlen(table[i].code)) == 0)
			return table[i].reason;
	return REASON_STORE_REFUSED;
}
