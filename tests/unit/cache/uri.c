/* uri.c -- which addresses are taken, and what they mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/cache/private.h"

static const struct row {
	const char *uri;
	enum err_reason reason;
	const char *host, *user, *password;
	int port, db;
} rows[] = {
	{ "redis://localhost", REASON_NONE, "localhost", NULL, NULL, 6379, 0 },
	{ "redis://localhost/", REASON_NONE, "localhost", NULL, NULL, 6379, 0 },
	{ "redis://10.0.0.1:7000/3", REASON_NONE, "10.0.0.1", NULL, NULL, 7000, 3 },
	{ "redis://[::1]:7000", REASON_NONE, "::1", NULL, NULL, 7000, 0 },
	{ "redis://[::1]", REASON_NONE, "::1", NULL, NULL, 6379, 0 },
	{ "redis://:s3@cret@h", REASON_NONE, "h", NULL, "s3@cret", 6379, 0 },
	{ "redis://me:pw@h:1/2", REASON_NONE, "h", "me", "pw", 1, 2 },
	{ "localhost:6379", REASON_OPTION_INVALID },
	{ "rediss://localhost", REASON_OPTION_INVALID },
	{ "redis://", REASON_OPTION_INVALID },
	{ "redis://:6379", REASON_OPTION_INVALID },
	{ "redis://h:", REASON_OPTION_INVALID },
	{ "redis://h:0", REASON_OPTION_INVALID },
	{ "redis://h:65536", REASON_OPTION_INVALID },
	{ "redis://h:80x", REASON_OPTION_INVALID },
	{ "redis://h:99999999999999999999", REASON_OPTION_INVALID },
	{ "redis://h/-1", REASON_OPTION_INVALID },
	{ "redis://h/one", REASON_OPTION_INVALID },
	{ "redis://[::1", REASON_OPTION_INVALID },
	{ "redis://[::1]x", REASON_OPTION_INVALID },
	{ "redis://me@h", REASON_OPTION_INVALID },
};

static void
same(const char *a, const char *b)
{
	if (!b)
		assert_null(a);
	else
		assert_string_equal(a, b);
}

static void
parses(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct redis_uri u = { 0 };
		struct err err = ERR_INIT;

		print_message("%s\n", row->uri);
		assert_int_equal(redis_uri_parse(row->uri, &u, &err), row->reason ? -1 : 0);
		assert_int_equal(err.reason, row->reason);
		if (!row->reason) {
			same(u.host, row->host);
			same(u.user, row->user);
			same(u.password, row->password);
			assert_int_equal(u.port, row->port);
			assert_int_equal(u.db, row->db);
		}
		redis_uri_clear(&u);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(parses) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
