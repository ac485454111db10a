/* Memory that is handed out in one direction: aligned, apart from each other, and there again after a reset. */
#include "common/worker/state_undo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/random.h"

#define PIECES 3000

static size_t
size_of(uint64_t turn, size_t i)
{
	uint64_t r = random_u64(turn, 1, i);

	return i == 1000 ? (size_t)5 << 20 : 1 + r % (r % 50 ? 2000 : 200000);
}

static void
pieces_do_not_overlap(void **state)
{
	struct undo u = { 0 };
	char *pieces[PIECES];

	(void)state;
	for (uint64_t turn = 0; turn < 4; turn++) {
		size_t n = turn % 2 ? PIECES / 10 : PIECES;

		for (size_t i = 0; i < n; i++) {
			pieces[i] = undo_room(&u, size_of(turn, i));
			assert_non_null(pieces[i]);
			assert_int_equal((uintptr_t)pieces[i] % 16, 0);
			memset(pieces[i], (int)(i % 251), size_of(turn, i));
		}
		for (size_t i = 0; i < n; i++)
			for (size_t k = 0, size = size_of(turn, i); k < size; k += k + 97 < size ? 97 : 1)
				assert_int_equal(pieces[i][k], (char)(i % 251));
		undo_reset(&u);
	}
	undo_clear(&u);
	assert_non_null(undo_room(&u, 1)); /* as new */
	undo_clear(&u);
}

static void
the_same_memory_again(void **state)
{
	struct undo u = { 0 };
	void *first, *second;

	(void)state;
	first = undo_room(&u, 100);
	second = undo_room(&u, 100);
	undo_reset(&u);
	assert_ptr_equal(undo_room(&u, 100), first);
	assert_ptr_equal(undo_room(&u, 100), second);
	undo_clear(&u);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_do_not_overlap),
		cmocka_unit_test(the_same_memory_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
