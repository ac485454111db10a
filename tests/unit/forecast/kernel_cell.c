/* The cells of every set against the formulas in double; a column alone and among others, AVX2 and AVX-512, bit for bit. */
#include "tests/unit/forecast/kernel_sets.h"

#define HIDDEN 10
#define COLUMNS 96
#define INPUTS 7
#define SIGMOID(x) (1 / (1 + exp(-(x))))

static void
cell_want(const double *z, double c, double *ret_c, double *ret_h)
{
	*ret_c = SIGMOID(z[1]) * c + SIGMOID(z[0]) * tanh(z[2]);
	*ret_h = SIGMOID(z[3]) * tanh(*ret_c);
}

static void
the_cell_is_right(void **state)
{
	CLEANUP(heap_free) float *z = numbers(4 * HIDDEN * COLUMNS, 1), *c = numbers(HIDDEN * COLUMNS, 2);
	float gates[4 * HIDDEN * COLUMNS], cell[HIDDEN * COLUMNS], h[HIDDEN * COLUMNS], t[HIDDEN * COLUMNS];

	for (size_t s = 0; s < SETS; s++) {
		const struct kernel *k = kernel_find(names[s]);

		if (!k)
			continue;
		for (size_t i = 0; i < ARRAY_LEN(gates); i++)
			gates[i] = 6 * z[i];
		memcpy(cell, c, sizeof(cell));
		k->lstm_cell(HIDDEN, COLUMNS, COLUMNS, gates, cell, h, t);
		for (size_t i = 0; i < HIDDEN * COLUMNS; i++) {
			double in[4], new_c, new_h;

			for (size_t g = 0; g < 4; g++)
				in[g] = (double)(6 * z[g * HIDDEN * COLUMNS + i]);
			cell_want(in, (double)c[i], &new_c, &new_h);
			assert_near((double)cell[i], new_c, 5e-7);
			assert_near((double)h[i], new_h, 5e-7);
			assert_near((double)t[i], tanh(new_c), 5e-7);
			assert_near((double)gates[2 * HIDDEN * COLUMNS + i], tanh(in[2]), TANH_ERROR);
			assert_near((double)gates[3 * HIDDEN * COLUMNS + i], SIGMOID(in[3]), SIGMOID_ERROR);
		}
	}
}

struct step_case {
	float *base, *w, *x, *c;
};

#define ROWS (INPUTS + HIDDEN)
#define BORDER 37 /* of a split base */

static void
step_new(struct step_case *t)
{
	t->base = numbers(4 * HIDDEN * COLUMNS, 1);
	t->w = numbers(HIDDEN * 4 * (ROWS + 2), 2);
	t->x = numbers(ROWS * COLUMNS, 3);
	t->c = numbers(HIDDEN * COLUMNS, 6);
}

static void
step_free(struct step_case *t)
{
	free(t->base);
	free(t->w);
	free(t->x);
	free(t->c);
}

enum base { ONE, SPLIT, COLUMN_WISE, BASES };

static void
step_run(const struct kernel *k, const struct step_case *t, enum base base, size_t at, size_t columns, float *c,
	 float *h)
{
	bool base_columns = base == COLUMN_WISE;
	const struct kernel_step step = {
		.hidden = HIDDEN,
		.columns = columns,
		.ld = COLUMNS,
		.base = { t->base + (base_columns ? at : 0), t->base + (base == SPLIT ? 4 * HIDDEN : 0) },
		.base_gate = base_columns ? HIDDEN * COLUMNS : HIDDEN,
		.base_unit = base_columns ? COLUMNS : 1,
		.base_columns = base_columns,
		.split = at < BORDER ? BORDER - at : 0,
		.rows = ROWS,
		.w = t->w,
		.w_unit = 4 * (ROWS + 2),
		.x = t->x + at,
		.c = c + at,
		.h = h + at,
	};

	memcpy(c, t->c, HIDDEN * COLUMNS * sizeof(*c));
	k->lstm_step(&step);
}

static void
check_step(const struct step_case *t, enum base base, const float *c, const float *h)
{
	for (size_t u = 0; u < HIDDEN; u++)
		for (size_t j = 0; j < COLUMNS; j++) {
			double z[4], new_c, new_h;

			for (size_t g = 0; g < 4; g++) {
				size_t row = g * HIDDEN + u;

				z[g] = (double)t->base[base == COLUMN_WISE            ? row * COLUMNS + j
						       : base == SPLIT && j >= BORDER ? row + 4 * HIDDEN
										      : row];
				for (size_t i = 0; i < ROWS; i++)
					z[g] +=
					    (double)t->w[(u * (ROWS + 2) + i) * 4 + g] * (double)t->x[i * COLUMNS + j];
				z[g] /= (g == 2 ? 2 : 1) * (double)KERNEL_GATE;
			}
			cell_want(z, (double)t->c[u * COLUMNS + j], &new_c, &new_h);
			assert_near((double)c[u * COLUMNS + j], new_c, 1e-6);
			assert_near((double)h[u * COLUMNS + j], new_h, 1e-6);
		}
}

static void
a_column_along_memory_is_right(void **state)
{
	enum { ROUNDED = (HIDDEN + KERNEL_COLUMNS - 1) / KERNEL_COLUMNS * KERNEL_COLUMNS };
	CLEANUP(heap_free) float *z = numbers(4 * HIDDEN + KERNEL_COLUMNS, 1), *before = numbers(ROUNDED, 2);
	float c[ROUNDED], h[ROUNDED], last_c[ROUNDED] = { 0 };

	for (size_t i = 0; i < 4 * HIDDEN; i++)
		z[i] *= 15;
	for (size_t s = 0; s < SETS; s++) {
		const struct kernel *k = kernel_find(names[s]);

		if (!k)
			continue;
		memcpy(c, before, sizeof(c));
		k->lstm_column(HIDDEN, z, c, h);
		for (size_t u = 0; u < HIDDEN; u++) {
			double in[4], new_c, new_h;

			for (size_t g = 0; g < 4; g++)
				in[g] = (double)z[g * HIDDEN + u] / ((g == 2 ? 2 : 1) * (double)KERNEL_GATE);
			cell_want(in, (double)before[u], &new_c, &new_h);
			assert_near((double)c[u], new_c, 1e-6);
			assert_near((double)h[u], new_h, 1e-6);
		}
		if (strcmp(names[s], "avx512") == 0)
			assert_memory_equal(c, last_c, HIDDEN * sizeof(*c));
		memcpy(last_c, c, sizeof(c));
	}
}

/* Gates in any units: what is far is closed or open, what is no number stays none. */
static void
cells_at_their_ends(void **state)
{
	static const struct {
		float in, forget, fresh, out; /* multiples of KERNEL_GATE, of twice that */
		float c;
		double want_c, want_h;
	} rows[] = {
		{ 0, 0, 0, 0, 0, 0, 0 },
		{ 1e30f, -1e30f, 1e30f, 1e30f, 5, 1, 0.761594156 },
		{ 1e30f, -1e30f, -1e30f, -1e30f, 5, -1, 0 },
		{ -INFINITY, INFINITY, INFINITY, INFINITY, 100, 100, 1 },
		{ -INFINITY, INFINITY, INFINITY, INFINITY, -100, -100, -1 },
		{ 80, 80, 80, 80, 190, 191, 1 },
		{ NAN, 0, 0, 0, 1, (double)NAN, (double)NAN },
		{ 0, NAN, 0, 0, 1, (double)NAN, (double)NAN },
		{ 0, 0, NAN, 0, 1, (double)NAN, (double)NAN },
		{ 0, 0, 0, NAN, 1, 0.5, (double)NAN },
		{ 0, 0, 0, 0, NAN, (double)NAN, (double)NAN },
	};

	for (size_t s = 0; s < SETS; s++)
		for (size_t i = 0; i < ARRAY_LEN(rows) && kernel_find(names[s]); i++) {
			float z[4 + KERNEL_COLUMNS] = { rows[i].in * KERNEL_GATE, rows[i].forget * KERNEL_GATE,
							rows[i].fresh * 2 * KERNEL_GATE, rows[i].out * KERNEL_GATE };
			float c[KERNEL_COLUMNS] = { rows[i].c }, h[KERNEL_COLUMNS];

			kernel_find(names[s])->lstm_column(1, z, c, h);
			if (isnan(rows[i].want_c))
				assert_true(isnan(c[0]));
			else
				assert_near((double)c[0], rows[i].want_c, 1e-6 * (1 + fabs(rows[i].want_c)));
			if (isnan(rows[i].want_h))
				assert_true(isnan(h[0]));
			else
				assert_near((double)h[0], rows[i].want_h, 1e-6);
		}
}

static void
a_step_is_right(void **state)
{
	enum { SIZE = HIDDEN * COLUMNS };
	float c[SIZE], h[SIZE], other_c[SIZE], other_h[SIZE];
	struct step_case t;

	step_new(&t);
	for (size_t s = 0; s < SETS; s++)
		for (int base = ONE; base < BASES; base++) {
			const struct kernel *k = kernel_find(names[s]);

			if (!k)
				continue;
			step_run(k, &t, (enum base)base, 0, COLUMNS, c, h);
			check_step(&t, (enum base)base, c, h);
			/* a column among fewer, elsewhere in a tile */
			memcpy(other_h, h, sizeof(h));
			step_run(k, &t, (enum base)base, 48, 16, other_c, other_h);
			for (size_t u = 0; u < HIDDEN; u++)
				assert_memory_equal(other_c + u * COLUMNS + 48, c + u * COLUMNS + 48, 16 * sizeof(*c));
			assert_memory_equal(other_h, h, sizeof(h));
			if (strcmp(names[s], "avx512") == 0 && kernel_find("avx2")) {
				step_run(kernel_find("avx2"), &t, (enum base)base, 0, COLUMNS, other_c, other_h);
				assert_memory_equal(other_c, c, sizeof(c));
				assert_memory_equal(other_h, h, sizeof(h));
			}
		}
	step_free(&t);
}

static void
runs_are_spread(void **state)
{
	static const float a[] = { 1, 2, 3 }, b[] = { 4, 5, 6 }, d[] = { 7, 8, 9 };
	static const float *const from[] = { a, b, d };
	static const size_t start[] = { 0, 13, 14 };

	for (size_t s = 0; s < SETS; s++) {
		const struct kernel *k = kernel_find(names[s]);
		float to[3 * 40 + KERNEL_COLUMNS] = { 0 };

		if (!k)
			continue;
		k->spread(3, 32, 40, 3, from, start, to);
		for (size_t r = 0; r < 3; r++)
			for (size_t j = 0; j < 32; j++)
				assert_true(to[r * 40 + j] == from[j < 13 ? 0 : j < 14 ? 1 : 2][r]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_cell_is_right),   cmocka_unit_test(a_column_along_memory_is_right),
		cmocka_unit_test(cells_at_their_ends), cmocka_unit_test(a_step_is_right),
		cmocka_unit_test(runs_are_spread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
