/* A map does what a plain list of pairs would do, and keeps the order of insertion. */
#include "common/base/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/random.h"

static void *
number(intptr_t n)
{
	return (void *)n;
}

static struct span
key_of(char text[32], unsigned n)
{
	return (struct span){ text, (size_t)snprintf(text, 32, "device-%u", n) };
}

static void
put_get_take(void **state)
{
	CLEANUP(map_free)
	struct map *m = map_new(NULL);

	assert_null(map_get(m, SPAN("a")));
	assert_null(map_take(m, SPAN("a")));
	assert_int_equal(map_put(m, SPAN("a"), number(1)), 0);
	assert_int_equal(map_put(m, SPAN(""), number(2)), 0);
	assert_int_equal(map_put(m, (struct span){ "a\0", 2 }, number(3)), 0);
	assert_ptr_equal(map_get(m, SPAN("a")), number(1));
	assert_ptr_equal(map_get(m, SPAN("")), number(2));
	assert_ptr_equal(map_get(m, SPAN_NONE), number(2)); /* a key has bytes, not presence */
	assert_ptr_equal(map_get(m, (struct span){ "a\0", 2 }), number(3));
	assert_int_equal(map_put(m, SPAN("a"), number(4)), 0);
	assert_int_equal(map_count(m), 3);
	assert_ptr_equal(map_take(m, SPAN("a")), number(4));
	assert_null(map_get(m, SPAN("a")));
	assert_int_equal(map_count(m), 2);
}

/* Random puts and takes beside an array that says what must be there. */
static void
as_an_array_would(void **state)
{
	enum { KEYS = 3000 };
	CLEANUP(map_free)
	struct map *m = map_new(NULL);
	static intptr_t is[KEYS];
	size_t count = 0, seen = 0, at = 0;
	struct span key;
	char text[32];
	void *value;

	for (uint64_t i = 0; i < 60000; i++) {
		unsigned k = (unsigned)(random_u64(4, 0, i) % KEYS);
		intptr_t v = (intptr_t)i + 1;

		if (random_u64(4, 1, i) % 3) {
			count += is[k] == 0;
			is[k] = v;
			assert_int_equal(map_put(m, key_of(text, k), number(v)), 0);
		} else {
			assert_ptr_equal(map_take(m, key_of(text, k)), number(is[k]));
			count -= is[k] != 0;
			is[k] = 0;
		}
		assert_int_equal(map_count(m), count);
	}
	for (unsigned k = 0; k < KEYS; k++)
		assert_ptr_equal(map_get(m, key_of(text, k)), number(is[k]));
	while (map_next(m, &at, &key, &value)) {
		assert_ptr_equal(map_get(m, key), value);
		seen++;
	}
	assert_int_equal(seen, count);
}

static void
many_in_order(void **state)
{
	CLEANUP(map_free)
	struct map *m = map_new(NULL);
	unsigned expected = 0;
	size_t at = 0;
	struct span key;
	char text[32];
	void *value;

	for (unsigned i = 0; i < 100000; i++)
		assert_int_equal(map_put(m, key_of(text, i), number((intptr_t)i + 1)), 0);
	for (unsigned i = 0; i < 100000; i += 2)
		assert_ptr_equal(map_take(m, key_of(text, i)), number((intptr_t)i + 1));
	while (map_next(m, &at, &key, &value)) {
		assert_ptr_equal(value, number((intptr_t)(2 * expected + 2)));
		assert_true(span_equal(key, key_of(text, 2 * expected + 1)));
		expected++;
	}
	assert_int_equal(expected, 50000);
}

static void
taken_while_walked(void **state)
{
	CLEANUP(map_free)
	struct map *m = map_new(NULL);
	size_t at = 0;
	struct span key;
	char text[32];
	void *value;
	int seen = 0;

	for (unsigned i = 0; i < 1000; i++)
		map_put(m, key_of(text, i), number((intptr_t)i + 1));
	while (map_next(m, &at, &key, &value)) {
		assert_ptr_equal(value, number(++seen));
		if (seen % 3)
			assert_ptr_equal(map_take(m, key), value);
	}
	assert_int_equal(seen, 1000);
	assert_int_equal(map_count(m), 333);
}

/*
 * A key that comes and goes for ever does not make the map grow: the address sanitizer's leak check and time would
 * tell.
 */
static void
comes_and_goes(void **state)
{
	CLEANUP(map_free)
	struct map *m = map_new(free);

	for (int i = 0; i < 200000; i++) {
		int *value = malloc(sizeof(*value));

		*value = i;
		assert_int_equal(map_put(m, SPAN("the one"), value), 0);
		if (i % 2)
			free(map_take(m, SPAN("the one")));
	}
	assert_int_equal(map_count(m), 0);
}

static int freed;

static void
count_free(void *value)
{
	freed++;
	free(value);
}

/* Values are freed once: when replaced, and at the end; a taken one is the caller's. */
static void
values_are_freed_once(void **state)
{
	CLEANUP(map_free)
	struct map *m = map_new(count_free);
	void *same = malloc(1);

	freed = 0;
	map_put(m, SPAN("a"), malloc(1));
	map_put(m, SPAN("a"), same);
	assert_int_equal(freed, 1);
	map_put(m, SPAN("a"), same); /* itself: stays */
	assert_int_equal(freed, 1);
	map_put(m, SPAN("b"), malloc(1));
	free(map_take(m, SPAN("b")));
	assert_int_equal(freed, 1);
	map_free(m);
	m = NULL;
	assert_int_equal(freed, 2);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(put_get_take),   cmocka_unit_test(as_an_array_would),
		cmocka_unit_test(many_in_order),  cmocka_unit_test(taken_while_walked),
		cmocka_unit_test(comes_and_goes), cmocka_unit_test(values_are_freed_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
