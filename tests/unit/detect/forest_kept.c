/* forest_kept.c -- images of forests, damaged ones, and forests when memory runs out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "common/base/random.h"

#include "tests/unit/base/scarce.h"
#include "tests/unit/detect/forest_made.h"

static void
images_go_on(void **state)
{
	static const int shapes[][2] = { { 1, 8 }, { 4, 1 }, { 2, 3 } };

	for (size_t s = 0; s < ARRAY_LEN(shapes); s++) {
		CLEANUP(forest_free) struct forest *f = forest_of(12, 48, shapes[s][0], shapes[s][1]);
		CLEANUP(forest_free) struct forest *g = forest_of(12, 48, shapes[s][0], shapes[s][1]);
		double row[4];

		for (int i = 0; i < 1200; i++) {
			CLEANUP(buffer_clear) struct buffer image = { 0 };

			if (i < 60 || i % 50 == 0) {
				image = image_of(g);
				forest_free(g);
				g = forest_from(&image);
				assert_same_image(f, g);
			}
			row_at(i, shapes[s][0], row);
			row[0] = i % 29 == 28 ? (double)NAN : row[0] * (i > 700 ? 30 : 1);
			assert_same_look(f, g, row);
			add(f, row);
			add(g, row);
		}
		assert_same_image(f, g);
	}
}

/* Whatever stands in an image: refused, or a forest that can be used. */
static void
damaged_images(void **state)
{
	CLEANUP(forest_free) struct forest *f = forest_of(3, 16, 2, 2);
	struct image_type type = { .name = "forest", .version = 1, .table = &forest_image_table };
	int refused = 0;

	for (int turn = 0; turn < 4000; turn++) {
		CLEANUP(buffer_clear) struct buffer image = { 0 };
		struct forest_flat flat;
		struct forest *g = NULL;
		struct err err = ERR_INIT;
		uint32_t crc;
		size_t at;

		if (turn % 100 == 0)
			learn(f, turn / 10, turn / 10 + 10);
		image = image_of(f);
		at = 20 + random_u64(1, 2, (uint64_t)turn) % (image.len - 24);
		if (turn % 2) /* the head, where the lengths are */
			at = 20 + random_u64(1, 3, (uint64_t)turn) % 100;
		image.ptr[at] = (char)(image.ptr[at] ^ (char)(1 << turn % 8));
		crc = image_crc32c((struct span){ image.ptr, image.len - 4 });
		memcpy(image.ptr + image.len - 4, &crc, 4);
		if (image_read(&type, buffer_span(&image), &flat, &err) < 0)
			continue;
		if (forest_restore(&flat, &g, &err) < 0) {
			assert_int_equal(err.reason, REASON_STATE_CORRUPT);
			refused++;
		} else {
			double row[FOREST_COLUMNS_MAX] = { 1, 2 }, none[FOREST_COLUMNS_MAX], filled[FOREST_COLUMNS_MAX];

			for (int k = 0; k < FOREST_COLUMNS_MAX; k++)
				none[k] = NAN;
			forest_look(g, row, NULL);
			forest_impute(g, none, filled);
			for (int i = 0; i < 40; i++)
				learn(g, i, i + 1);
			forest_free(g);
		}
		image_clear(&type, &flat);
	}
	assert_true(refused > 1000);
}

/* Nothing is learnt by halves: after memory has run out somewhere, the same row again, and all is as if nothing had been. */
static void
memory_runs_out(void **state)
{
	CLEANUP(forest_free) struct forest *calm = forest_of(5, 24, 2, 3);
	CLEANUP(forest_free) struct forest *f = forest_of(5, 24, 2, 3);
	int failures = 0;

	for (int i = 0; i < 1500; i++) {
		struct forest *copy = NULL;
		struct err err = ERR_INIT;
		double row[2];

		row_at(i, 2, row);
		row[0] *= i > 500 ? 40 : 1; /* so that scales change, too */
		for (int k = 0;; k++) {
			int done;

			scarce_left = k;
			done = forest_copy(f, &copy, &err) == 0 && forest_add(copy, row, &err) == 0;
			scarce_left = -1;
			if (done)
				break;
			assert_int_equal(err.reason, REASON_NO_MEMORY);
			if (copy)
				assert_same_image(copy, calm);
			forest_free(TAKE(copy));
			err_clear(&err);
			failures++;
		}
		forest_free(f);
		f = copy;
		add(calm, row);
	}
	assert_same_image(calm, f);
	assert_true(failures > 2000);
	scarce_left = 0;
	{
		struct forest_flat flat;
		struct err err = ERR_INIT;
		struct forest *none = NULL;

		assert_int_equal(forest_lay(f, &flat, &err), -1);
		scarce_left = 0;
		assert_int_equal(forest_new(forest_rule(f), 1, &none, &err), -1);
		scarce_left = -1;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(images_go_on),
		cmocka_unit_test(damaged_images),
		cmocka_unit_test(memory_runs_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
