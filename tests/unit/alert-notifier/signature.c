/* Signatures against those of Python's hmac module. */
#include "workers/alert-notifier/signature.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "common/base/cleanup.h"

static void
signs(void **state)
{
	char text[SIGNATURE_BYTES], key[201], all[256];
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(signature_make("Jefe", "1700000000", SPAN("{\"a\":1}"), text, &err), 0);
	assert_string_equal(text, "sha256=fa5f6481efc59da48b19c9dc10196c9953e5651f8304b3a318b6b87d70272e0a");

	memset(key, 'k', 200); /* longer than a block: it is hashed first */
	key[200] = '\0';
	assert_int_equal(signature_make(key, "0", SPAN(""), text, &err), 0);
	assert_string_equal(text, "sha256=76a82ba859636cc3081c72aa270fd66ac81a202f8182404e7752795c6e7ba88f");

	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (char)i;
	assert_int_equal(signature_make("\u00e4", "1700000000", (struct span){ all, sizeof(all) }, text, &err), 0);
	assert_string_equal(text, "sha256=1ec9b4131ec41f5e086135167f4b4578c8d37cd794ff802d5303306b5dccf0ee");
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(signs) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
