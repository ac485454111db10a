/* A keyset knows what a map of the same keys knows. */
#include "common/base/keyset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/base/map.h"
#include "common/base/random.h"
#include "tests/unit/base/scarce.h"

static struct span
key_of(char text[32], uint64_t n)
{
	return (struct span){ text, (size_t)snprintf(text, 32, "device-%llu\x1fkW", (unsigned long long)n) };
}

static void
add_has_remove(void **state)
{
	CLEANUP(keyset_free) struct keyset *s = keyset_new();

	assert_false(keyset_has(s, SPAN("a")));
	keyset_remove(s, SPAN("a"));
	assert_int_equal(keyset_count(s), 0);
	assert_int_equal(keyset_add(s, SPAN("a")), 0);
	assert_int_equal(keyset_add(s, SPAN("a")), 0);
	assert_int_equal(keyset_add(s, SPAN("")), 0);
	assert_int_equal(keyset_count(s), 2);
	assert_true(keyset_has(s, SPAN("a")));
	assert_true(keyset_has(s, SPAN("")));
	assert_false(keyset_has(s, SPAN("b")));
	keyset_remove(s, SPAN("a"));
	assert_false(keyset_has(s, SPAN("a")));
	assert_true(keyset_has(s, SPAN("")));
	assert_int_equal(keyset_count(s), 1);
	keyset_free(NULL);
}

/* 100 000 keys come and go, two steps forward and one back. */
static void
as_a_map_would(void **state)
{
	enum { KEYS = 100000, STEPS = 400000 };
	CLEANUP(keyset_free) struct keyset *s = keyset_new();
	CLEANUP(map_free) struct map *m = map_new(NULL);
	char text[32];

	for (uint64_t i = 0; i < STEPS; i++) {
		struct span key = key_of(text, random_u64(7, 0, i) % KEYS);

		if (random_u64(7, 1, i) % 3) {
			assert_int_equal(keyset_add(s, key), 0);
			assert_int_equal(map_put(m, key, m), 0);
		} else {
			keyset_remove(s, key);
			map_take(m, key);
		}
		if (keyset_count(s) != map_count(m))
			fail_msg("step %llu: %zu keys, not %zu", (unsigned long long)i, keyset_count(s), map_count(m));
	}
	for (uint64_t k = 0; k < KEYS; k++)
		if (keyset_has(s, key_of(text, k)) != (map_get(m, key_of(text, k)) != NULL))
			fail_msg("key %llu", (unsigned long long)k);
	assert_in_range(keyset_count(s), KEYS / 2, KEYS * 3 / 4);
	for (uint64_t k = 0; k < KEYS; k++)
		keyset_remove(s, key_of(text, k));
	assert_int_equal(keyset_count(s), 0);
	for (uint64_t k = 0; k < KEYS; k++)
		assert_false(keyset_has(s, key_of(text, k)));
}

/* Few slots, all of them full at times: holes close around the end of the table. */
static void
crowded(void **state)
{
	enum { KEYS = 11 }; /* of the sixteen slots at first */
	char text[32];

	for (uint64_t round = 0; round < 2000; round++) {
		CLEANUP(keyset_free) struct keyset *s = keyset_new();
		size_t empty_bytes = keyset_bytes(s);

		for (uint64_t k = 0; k < KEYS; k++)
			assert_int_equal(keyset_add(s, key_of(text, round * KEYS + k)), 0);
		assert_int_equal(keyset_bytes(s), empty_bytes);
		for (uint64_t gone = 0; gone < KEYS; gone++) {
			keyset_remove(s, key_of(text, round * KEYS + gone));
			for (uint64_t k = 0; k < KEYS; k++)
				assert_int_equal(keyset_has(s, key_of(text, round * KEYS + k)), k > gone);
		}
	}
}

static void
memory_held(void **state)
{
	CLEANUP(keyset_free) struct keyset *s = keyset_new();
	char text[32];

	for (uint64_t k = 1; k <= 200000; k++) {
		assert_int_equal(keyset_add(s, key_of(text, k)), 0);
		if (k >= 1000)
			assert_in_range(keyset_bytes(s) / k, 11, 23);
	}
}

/* A set that cannot grow has what it had. */
static void
memory_runs_out(void **state)
{
	CLEANUP(keyset_free) struct keyset *s = NULL;
	char text[32];
	uint64_t k = 0;

	for (int left = 0; left < 2; left++) {
		scarce_left = left;
		assert_null(keyset_new());
		scarce_left = -1;
	}
	s = keyset_new();
	scarce_left = 0;
	while (keyset_add(s, key_of(text, k)) == 0)
		k++;
	assert_int_equal(scarce_left, -1);
	assert_in_range(k, 8, 15);
	assert_int_equal(keyset_count(s), k);
	for (uint64_t i = 0; i <= k; i++)
		assert_int_equal(keyset_has(s, key_of(text, i)), i < k);
	assert_int_equal(keyset_add(s, key_of(text, k)), 0);
	assert_true(keyset_has(s, key_of(text, k)));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(add_has_remove), cmocka_unit_test(as_a_map_would),  cmocka_unit_test(crowded),
		cmocka_unit_test(memory_held),    cmocka_unit_test(memory_runs_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
