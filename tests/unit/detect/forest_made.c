/* forest_made.c -- see forest_made.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "common/base/random.h"

#include "tests/unit/detect/forest_made.h"

struct forest *
forest_of(int trees, int sample, int columns, int shingle)
{
	struct forest_rule rule = { .trees = trees,
				    .sample = sample,
				    .columns = columns,
				    .shingle = shingle,
				    .decay = 0.1 / sample,
				    .seed = 11 };
	struct forest *f = NULL;
	struct err err = ERR_INIT;

	if (forest_new(&rule, 5, &f, &err) < 0)
		fail_msg("%s", err.text);
	return f;
}

void
add(struct forest *f, const double *row)
{
	struct err err = ERR_INIT;

	if (forest_add(f, row, &err) < 0)
		fail_msg("%s", err.text);
}

void
row_at(int i, int columns, double *row)
{
	for (int k = 0; k < columns; k++)
		row[k] = (k + 1) * (100 + sin(i * 6.283185307179586 / (50 + 30 * k)) +
				    0.3 * random_normal(8, (uint64_t)k, (uint64_t)i));
}

void
learn(struct forest *f, int from, int to)
{
	double row[FOREST_COLUMNS_MAX];

	for (int i = from; i < to; i++) {
		row_at(i, forest_rule(f)->columns, row);
		add(f, row);
	}
}

struct buffer
image_of(const struct forest *f)
{
	struct image_type type = { .name = "forest", .version = 1, .table = &forest_image_table };
	struct buffer image = { 0 };
	struct forest_flat flat;
	struct err err = ERR_INIT;

	assert_int_equal(forest_lay(f, &flat, &err), 0);
	assert_int_equal(image_write(&type, &flat, &image), 0);
	forest_flat_clear(&flat);
	assert_int_equal(image.len, forest_image_bytes(f) + 24);
	return image;
}

struct forest *
forest_from(const struct buffer *image)
{
	struct image_type type = { .name = "forest", .version = 1, .table = &forest_image_table };
	struct forest_flat flat;
	struct forest *f = NULL;
	struct err err = ERR_INIT;

	if (image_read(&type, buffer_span(image), &flat, &err) < 0 || forest_restore(&flat, &f, &err) < 0)
		fail_msg("%s", err.text);
	image_clear(&type, &flat);
	return f;
}

void
assert_same_look(const struct forest *a, const struct forest *b, const double *row)
{
	struct forest_share of_a[FOREST_COLUMNS_MAX], of_b[FOREST_COLUMNS_MAX];
	struct forest_look x = forest_look(a, row, of_a), y = forest_look(b, row, of_b);

	assert_int_equal(x.ready, y.ready);
	assert_memory_equal(&x.score, &y.score, sizeof(x.score));
	assert_memory_equal(&x.displacement, &y.displacement, sizeof(x.displacement));
	assert_memory_equal(of_a, of_b, (size_t)forest_rule(a)->columns * sizeof(of_a[0]));
}

void
assert_same_image(const struct forest *a, const struct forest *b)
{
	CLEANUP(buffer_clear) struct buffer x = image_of(a), y = image_of(b);

	assert_int_equal(x.len, y.len);
	assert_memory_equal(x.ptr, y.ptr, x.len);
}
