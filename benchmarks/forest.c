/*
 * forest.c -- how fast is a Random Cut Forest of 50 trees of 256 points of 8 dimensions, on one core?  For each set of kernels
 * that this processor runs, per CPU-second: records looked at and learnt by one forest, and by many in turns, each fetched
 * before; looks alone, and with shares.  And how large it is, in memory and as an image, of 8 columns and of a shingle of 8
 * rows.
 *
 *	forest [ROUNDS [FORESTS]]	JSON on standard output
 *	forest --turn ROUNDS FORESTS	of the best set alone, and only what a peer is asked as well
 *	forest --rows			the rows: doubles, 8 to each, on standard output
 *	forest --probes			likewise rows to be looked at, one column of each up to eight deviations off
 *	forest --scores			the probes' scores, by a forest that has learnt the rows, one a line
 *
 * Values are sums of sines with other periods for each column, and noise; a forest has seen 20,000 rows before it is measured,
 * which is all that it can remember.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/random.h"
#include "common/detect/forest_image.h"
#include "common/detect/forest_kernel.h"

#define LEARNT 20000
#define ROWS 16384 /* that come again and again */
#define COLUMNS 8
#define PROBES 2048
#define BATCHES 5 /* the best counts */

static const char *const sets[] = { "avx512", "avx2", "portable" };

struct bench {
	double (*rows)[COLUMNS];
	struct forest *forest;  /* of 8 columns */
	struct forest *shingle; /* of 1 column, 8 rows to a point */
	double sum;             /* of all scores, which makes sure that they are computed */
};

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void
stop(const struct err *err)
{
	fprintf(stderr, "forest: %s\n", err->text);
	exit(1);
}

static void
learn(struct forest *f, const double *row)
{
	struct err err = ERR_INIT;

	if (forest_add(f, row, &err) < 0)
		stop(&err);
}

static struct forest *
grow(const struct bench *b, int columns, int shingle)
{
	struct forest_rule rule = {
		.trees = 50, .sample = 256, .columns = columns, .shingle = shingle, .decay = 1.0 / 2560, .seed = 1
	};
	struct forest *f = NULL;
	struct err err = ERR_INIT;

	if (forest_new(&rule, 1, &f, &err) < 0)
		stop(&err);
	for (int i = 0; i < LEARNT; i++)
		learn(f, b->rows[i % ROWS]);
	return f;
}

static void
make_rows(struct bench *b)
{
	b->rows = malloc(ROWS * sizeof(*b->rows));
	if (!b->rows)
		exit(1);
	for (int i = 0; i < ROWS; i++)
		for (int k = 0; k < COLUMNS; k++)
			b->rows[i][k] = sin(i * 6.283185307179586 / (128 << k % 4)) +
					random_normal(2, (uint64_t)k, (uint64_t)i) / 2;
}

static void
make_probe(const struct bench *b, int i, double probe[COLUMNS])
{
	memcpy(probe, b->rows[i], sizeof(b->rows[i]));
	probe[i % COLUMNS] += i % (4 * COLUMNS) / (double)COLUMNS;
}

static int
write_rows(const struct bench *b)
{
	return fwrite(b->rows, sizeof(*b->rows), ROWS, stdout) != ROWS || fflush(stdout) != 0;
}

static int
write_probes(const struct bench *b)
{
	for (int i = 0; i < PROBES; i++) {
		double probe[COLUMNS];

		make_probe(b, i, probe);
		if (fwrite(probe, sizeof(probe), 1, stdout) != 1)
			return 1;
	}
	return fflush(stdout) != 0;
}

static int
write_scores(const struct bench *b)
{
	struct forest *f = grow(b, COLUMNS, 1);

	for (int i = 0; i < PROBES; i++) {
		double probe[COLUMNS];

		make_probe(b, i, probe);
		printf("%.6f\n", forest_look(f, probe, NULL).score);
	}
	forest_free(f);
	return fflush(stdout) != 0;
}

static const struct {
	const char *word;
	int (*write)(const struct bench *b);
} writings[] = { { "--rows", write_rows }, { "--probes", write_probes }, { "--scores", write_scores } };

/* -1: WORD is none. */
static int
write_what(struct bench *b, const char *word)
{
	int result = -1;

	for (size_t i = 0; i < sizeof(writings) / sizeof(writings[0]); i++)
		if (strcmp(word, writings[i].word) == 0) {
			make_rows(b);
			result = writings[i].write(b);
			free(b->rows);
		}
	return result;
}

static void
prepare(struct bench *b)
{
	make_rows(b);
	b->forest = grow(b, COLUMNS, 1);
	b->shingle = grow(b, 1, 8);
}

/* Records a second, the best of some batches of N. */
static double
hot(struct bench *b, struct forest *f, int n)
{
	double best = 0;
	int at = 0;

	for (int batch = 0; batch < BATCHES; batch++) {
		double began = seconds(), took;

		for (int i = 0; i < n; i++, at++) {
			b->sum += forest_look(f, b->rows[at % ROWS], NULL).score;
			learn(f, b->rows[at % ROWS]);
		}
		took = seconds() - began;
		best = n / took > best ? n / took : best;
	}
	return best;
}

static double
looks(struct bench *b, struct forest *f, int n, struct forest_share *shares)
{
	double best = 0;

	for (int batch = 0; batch < BATCHES; batch++) {
		double began = seconds(), took;

		for (int i = 0; i < n; i++)
			b->sum += forest_look(f, b->rows[i % ROWS], shares).score;
		took = seconds() - began;
		best = n / took > best ? n / took : best;
	}
	return best;
}

/* Like a transaction: each record is learnt by a copy that takes its forest's place. */
static double
copied(struct bench *b, struct forest **f, int n)
{
	double began = seconds();
	struct err err = ERR_INIT;

	for (int i = 0; i < n; i++) {
		struct forest *copy;

		if (forest_copy(*f, &copy, &err) < 0)
			stop(&err);
		b->sum += forest_look(copy, b->rows[i % ROWS], NULL).score;
		learn(copy, b->rows[i % ROWS]);
		forest_free(*f);
		*f = copy;
	}
	return n / (seconds() - began);
}

static struct forest *
twin(const struct forest *f, const struct forest_kernel *kernel)
{
	struct forest_flat flat;
	struct forest *new = NULL;
	struct err err = ERR_INIT;

	if (forest_lay(f, &flat, &err) < 0 || forest_restore(&flat, &new, &err) < 0)
		stop(&err);
	forest_flat_clear(&flat);
	new->kernel = kernel;
	return new;
}

static double
in_turns(struct bench *b, const struct forest_kernel *kernel, int forests, int n)
{
	struct forest **all = calloc((size_t)forests, sizeof(struct forest *));
	double began, best = 0;

	if (!all)
		exit(1);
	for (int i = 0; i < forests; i++)
		all[i] = twin(b->forest, kernel);
	for (int batch = 0; batch < 3; batch++) {
		began = seconds();
		for (int i = 0; i < n; i++) {
			struct forest *f = all[i % forests];

			forest_fetch(f);
			b->sum += forest_look(f, b->rows[i % ROWS], NULL).score;
			learn(f, b->rows[i % ROWS]);
		}
		best = n / (seconds() - began) > best ? n / (seconds() - began) : best;
	}
	for (int i = 0; i < forests; i++)
		forest_free(all[i]);
	free(all);
	return best;
}

static void
measure(struct bench *b, const struct forest_kernel *kernel, int n, int forests)
{
	struct forest_share shares[COLUMNS];
	struct forest *f = twin(b->forest, kernel);

	printf("\"%s\": {\"records_per_cpu_second\": %.0f, ", kernel->name, hot(b, f, n));
	printf("\"looks_per_cpu_second\": %.0f, ", looks(b, f, n, NULL));
	printf("\"looks_with_shares_per_cpu_second\": %.0f, ", looks(b, f, n, shares));
	printf("\"records_each_with_a_copy_per_cpu_second\": %.0f, ", copied(b, &f, n));
	forest_free(f);
	f = twin(b->shingle, kernel);
	printf("\"shingle_records_per_cpu_second\": %.0f, ", hot(b, f, n));
	forest_free(f);
	printf("\"turns_200_records_per_cpu_second\": %.0f, ", in_turns(b, kernel, 200, n));
	printf("\"turns_%d_records_per_cpu_second\": %.0f}", forests, in_turns(b, kernel, forests, 3 * forests));
}

static void
turn(struct bench *b, int n, int forests)
{
	const struct forest_kernel *kernel = forest_kernel_find(NULL);
	struct forest *hot_one = twin(b->forest, kernel), *shingle = twin(b->shingle, kernel);

	printf("{\"records_per_cpu_second\": %.0f, ", hot(b, hot_one, n));
	printf("\"shingle_records_per_cpu_second\": %.0f, ", hot(b, shingle, n));
	printf("\"turns_%d_records_per_cpu_second\": %.0f}\n", forests, in_turns(b, kernel, forests, n));
	forest_free(hot_one);
	forest_free(shingle);
}

static void
all_sets(struct bench *b, int n, int forests)
{
	const char *before = "";

	printf("{\"sets\": {");
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		const struct forest_kernel *kernel = forest_kernel_find(sets[i]);

		if (!kernel)
			continue;
		printf("%s", before);
		measure(b, kernel, n, forests);
		before = ", ";
	}
	printf("}, \"bytes\": {\"columns_8\": {\"memory\": %zu, \"image\": %zu}, ", forest_memory(b->forest),
	       forest_image_bytes(b->forest));
	printf("\"shingle_8\": {\"memory\": %zu, \"image\": %zu}}}\n", forest_memory(b->shingle),
	       forest_image_bytes(b->shingle));
}

int
main(int argc, char **argv)
{
	bool is_turn = argc == 4 && strcmp(argv[1], "--turn") == 0;
	char **numbers = argv + is_turn;
	int n, forests;
	struct bench b = { 0 };

	if (argc == 2 && (n = write_what(&b, argv[1])) >= 0)
		return n;
	n = argc > 1 ? atoi(numbers[1]) : 100000;
	forests = argc > 2 ? atoi(numbers[2]) : 10000;
	if (n < 1 || forests < 1) {
		fprintf(stderr, "forest: [--turn] ROUNDS FORESTS, both at least 1\n");
		return 1;
	}
	prepare(&b);
	if (is_turn)
		turn(&b, n, forests);
	else
		all_sets(&b, n, forests);
	forest_free(b.forest);
	forest_free(b.shingle);
	free(b.rows);
	return isnan(b.sum);
}
