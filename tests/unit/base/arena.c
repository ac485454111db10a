/* An arena hands out aligned, separate memory, takes it all back at once and then needs the heap no more. */
#include "common/base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct row {
	const char *name;
	size_t block, bytes;
	int times;
} rows[] = {
	{ "nothing at all", 4096, 0, 3 },
	{ "single bytes", 64, 1, 1000 },
	{ "just a block", 64, 64, 10 },
	{ "more than a block", 64, 65, 10 },
	{ "much more than a block", 64, 100000, 5 },
	{ "an odd size", 4096, 33, 1000 },
};

/* Every piece is filled with its own number; none may disturb another. */
static void
pieces(void **state)
{
	const struct row *row = *state;
	CLEANUP(arena_free)
	struct arena *a = arena_new(row->block, 4096);
	unsigned char *at[1000];

	for (int i = 0; i < row->times; i++) {
		at[i] = arena_alloc(a, row->bytes);
		assert_non_null(at[i]);
		assert_int_equal((uintptr_t)at[i] % 16, 0);
		memset(at[i], i % 256, row->bytes);
	}
	for (int i = 0; i < row->times; i++)
		for (size_t k = 0; k < row->bytes; k++)
			assert_int_equal(at[i][k], i % 256);
	assert_true(arena_used(a) >= (size_t)row->times * row->bytes);
	arena_reset(a);
	assert_int_equal(arena_used(a), 0);
}

static void
a_kept_block_serves_again(void **state)
{
	CLEANUP(arena_free)
	struct arena *a = arena_new(1024, 1024);
	void *first = arena_alloc(a, 100);

	arena_alloc(a, 5000); /* too large to be kept */
	arena_reset(a);
	assert_ptr_equal(arena_alloc(a, 100), first);
	for (int i = 0; i < 100; i++) {
		arena_reset(a);
		assert_ptr_equal(arena_alloc(a, 1000), first);
	}
}

/* Of the blocks that may be kept, the largest is. */
static void
the_largest_is_kept(void **state)
{
	CLEANUP(arena_free)
	struct arena *a = arena_new(256, 4096);
	void *large;

	arena_alloc(a, 256);
	large = arena_alloc(a, 4000);
	arena_alloc(a, 256);
	arena_alloc(a, 5000);
	arena_reset(a);
	assert_ptr_equal(arena_alloc(a, 2000), large);
	assert_ptr_equal(arena_alloc(a, 2000), (char *)large + 2000);
}

static void
zeroed_after_use(void **state)
{
	CLEANUP(arena_free)
	struct arena *a = arena_new(256, 256);
	unsigned char *p = arena_alloc(a, 200);

	memset(p, 0xff, 200);
	arena_reset(a);
	p = arena_zalloc(a, 200);
	for (int i = 0; i < 200; i++)
		assert_int_equal(p[i], 0);
}

static void
copies(void **state)
{
	CLEANUP(arena_free)
	struct arena *a = arena_new(256, 256);
	struct span s = arena_copy(a, (struct span){ "a\0b", 3 });

	assert_int_equal(s.len, 3);
	assert_memory_equal(s.ptr, "a\0b", 4);
	assert_null(arena_copy(a, SPAN_NONE).ptr);
	s = arena_copy(a, SPAN(""));
	assert_non_null(s.ptr);
	assert_int_equal(s.len, 0);
	assert_string_equal(arena_printf(a, "%s-%d", "part", 7), "part-7");
	assert_int_equal(strlen(arena_printf(a, "%1000d", 1)), 1000);
}

static void
refuses_the_impossible(void **state)
{
	CLEANUP(arena_free)
	struct arena *a = arena_new(256, 256);

	assert_null(arena_alloc(a, SIZE_MAX));
	assert_null(arena_zalloc(a, SIZE_MAX - 8));
	assert_non_null(arena_alloc(a, 16));
	arena_free(NULL);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + 5] = {
		cmocka_unit_test(a_kept_block_serves_again), cmocka_unit_test(the_largest_is_kept),
		cmocka_unit_test(zeroed_after_use),          cmocka_unit_test(copies),
		cmocka_unit_test(refuses_the_impossible),
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[5 + i] =
		    (struct CMUnitTest){ .name = rows[i].name, .test_func = pieces, .initial_state = (void *)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
