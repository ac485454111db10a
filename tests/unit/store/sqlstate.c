/* sqlstate.c -- which failure of PostgreSQL is whose fault. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/store/connection.h"

static const struct row {
	const char *code, *what;
	enum err_reason reason;
} rows[] = {
	{ NULL, "the session is lost", REASON_STORE_DOWN },
	{ "", "libpq made the error itself", REASON_STORE_DOWN },
	{ "08006", "connection_failure", REASON_STORE_DOWN },
	{ "40001", "serialization_failure", REASON_STORE_DOWN },
	{ "40P01", "deadlock_detected", REASON_STORE_DOWN },
	{ "40002", "transaction_integrity_constraint_violation", REASON_ROW_REFUSED },
	{ "53100", "disk_full", REASON_STORE_DOWN },
	{ "53300", "too_many_connections", REASON_STORE_DOWN },
	{ "53400", "configuration_limit_exceeded", REASON_STORE_REFUSED },
	{ "55P03", "lock_not_available", REASON_STORE_DOWN },
	{ "57P01", "admin_shutdown", REASON_STORE_DOWN },
	{ "57P03", "cannot_connect_now", REASON_STORE_DOWN },
	{ "57P04", "database_dropped", REASON_STORE_REFUSED },
	{ "25P03", "idle_in_transaction_session_timeout", REASON_STORE_DOWN },
	{ "25006", "read_only_sql_transaction", REASON_STORE_DOWN },
	{ "22003", "numeric_value_out_of_range", REASON_ROW_REFUSED },
	{ "22021", "character_not_in_repertoire", REASON_ROW_REFUSED },
	{ "22008", "datetime_field_overflow", REASON_ROW_REFUSED },
	{ "23502", "not_null_violation", REASON_ROW_REFUSED },
	{ "23505", "unique_violation", REASON_ROW_REFUSED },
	{ "23514", "check_violation", REASON_ROW_REFUSED },
	{ "54000", "program_limit_exceeded: an index row too large", REASON_ROW_REFUSED },
	{ "42P01", "undefined_table", REASON_STORE_SCHEMA },
	{ "42703", "undefined_column", REASON_STORE_SCHEMA },
	{ "42804", "datatype_mismatch", REASON_STORE_SCHEMA },
	{ "42P10", "invalid_column_reference: no index for ON CONFLICT", REASON_STORE_SCHEMA },
	{ "42501", "insufficient_privilege", REASON_STORE_REFUSED },
	{ "3F000", "invalid_schema_name", REASON_STORE_SCHEMA },
	{ "0A000", "a cached plan must not change", REASON_STORE_SCHEMA },
	{ "28P01", "invalid_password", REASON_STORE_REFUSED },
	{ "3D000", "invalid_catalog_name: no such database", REASON_STORE_REFUSED },
	{ "XX001", "data_corrupted", REASON_STORE_REFUSED },
	{ "ZZZZZ", "a code of a later version", REASON_STORE_REFUSED },
};

static void
classifies(void **state)
{
	const struct row *row = *state;

	assert_string_equal(err_reason_name(store_reason(row->code)), err_reason_name(row->reason));
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows)];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[i] = (struct CMUnitTest){ rows[i].what, classifies, NULL, NULL, (void *)(uintptr_t)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
