/* Where a server may listen, and what is said when it may not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/http/admin.h"

static const struct listening {
	const char *listen;
	enum err_reason reason; /* NONE: starts */
	const char *error;
} listens[] = {
	{ "localhost:0", REASON_NONE, "" },
	{ ":0", REASON_NONE, "" },
	{ "127.0.0.1:0", REASON_NONE, "" },
	{ "", REASON_OPTION_INVALID, "listen address \"\": must be host:port, [ipv6]:port or :port" },
	{ "8083", REASON_OPTION_INVALID, "listen address \"8083\": must be host:port, [ipv6]:port or :port" },
	{ "host:", REASON_OPTION_INVALID, "listen address \"host:\": must be host:port, [ipv6]:port or :port" },
	{ "host:x", REASON_OPTION_INVALID, "listen address \"host:x\": must be host:port, [ipv6]:port or :port" },
	{ "host:65536", REASON_OPTION_INVALID,
	  "listen address \"host:65536\": must be host:port, [ipv6]:port or :port" },
	{ "host:80808080", REASON_OPTION_INVALID,
	  "listen address \"host:80808080\": must be host:port, [ipv6]:port or :port" },
	{ "::1:80", REASON_OPTION_INVALID, "listen address \"::1:80\": must be host:port, [ipv6]:port or :port" },
	{ "192.0.2.1:0", REASON_IO, "listen address 192.0.2.1:0: Cannot assign requested address" },
};

static void
listens_at(void **state)
{
	const struct listening *row = *state;
	const struct admin_hooks none = { 0 };
	struct err err = ERR_INIT;
	struct admin *other = NULL;
	int result = admin_start(row->listen, "other", NULL, &none, &other, &err);

	assert_string_equal(err.text, row->error);
	assert_int_equal(err.reason, row->reason);
	assert_int_equal(result, row->reason == REASON_NONE ? 0 : -1);
	if (other)
		assert_true(admin_port(other) > 0);
	admin_stop(other);
}

/* A port has one server; when that stops, it is free again. */
static void
a_port_is_taken_once(void **state)
{
	const struct admin_hooks none = { 0 };
	struct err err = ERR_INIT;
	struct admin *first = NULL, *second = NULL;
	char taken[32], text[128];

	assert_int_equal(admin_start("127.0.0.1:0", "first", NULL, &none, &first, &err), 0);
	snprintf(taken, sizeof(taken), "127.0.0.1:%d", admin_port(first));
	snprintf(text, sizeof(text), "listen address %s: Address already in use; give every instance a port of its own",
		 taken);
	assert_int_equal(admin_start(taken, "second", NULL, &none, &second, &err), -1);
	assert_string_equal(err.text, text);
	assert_null(second);
	admin_stop(first);
	assert_int_equal(admin_start(taken, "second", NULL, &none, &second, &err), 0);
	admin_stop(second);
	admin_stop(NULL);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(listens) + 1] = { cmocka_unit_test(a_port_is_taken_once) };

	for (size_t i = 0; i < ARRAY_LEN(listens); i++)
		tests[1 + i] = (struct CMUnitTest){ .name = listens[i].listen,
						    .test_func = listens_at,
						    .initial_state = (void *)&listens[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
