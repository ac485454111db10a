/*
 * attribution.c -- is the right column blamed?  Made-up devices of eight columns that hang together, each in a unit of its own; now and
 * then one value of one column is so many of that column's deviations off.  JSON on standard output, per size:
 *
 *	rows	the row as such (group.h): of the planted ones those that it explains, and of these those with the right column first
 *	detect	`forebay detect`, columns and rows together: those with p below the pending level, and of these the right ones
 *
 * usage: attribution [DEVICES]
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/detect_judge.h"
#include "common/base/random.h"
#include "common/detect/group_reason.h"

enum { COLUMNS = 8, FACTORS = 2, WARMUP = 1000, APART = 300, ROUNDS = 24, SIZES = 4 };

static const double sizes[SIZES] = { 4, 6, 8, 12 };
static const char *const names[COLUMNS] = { "c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7" };
static const struct span texts[COLUMNS];

struct count {
	int planted, told, right;
};

struct device {
	uint64_t seed;
	double loads[COLUMNS][FACTORS], unit[COLUMNS], deviation[COLUMNS];
	double factors[FACTORS];
};

static void
make_device(uint64_t seed, struct device *d)
{
	*d = (struct device){ .seed = seed };
	for (int c = 0; c < COLUMNS; c++) {
		double square = 0.25; /* noise: half a deviation */

		for (int f = 0; f < FACTORS; f++) {
			d->loads[c][f] = random_normal(seed, 1, (uint64_t)(c * FACTORS + f));
			square += d->loads[c][f] * d->loads[c][f];
		}
		d->unit[c] = pow(10, 6 * random_uniform(seed, 2, (uint64_t)c) - 3);
		d->deviation[c] = d->unit[c] * sqrt(square);
	}
}

static void
next_row(struct device *d, int i, double row[COLUMNS])
{
	for (int f = 0; f < FACTORS; f++)
		d->factors[f] =
		    0.9 * d->factors[f] + sqrt(1 - 0.81) * random_normal(d->seed, 10 + (uint64_t)f, (uint64_t)i);
	for (int c = 0; c < COLUMNS; c++) {
		double value = 0.5 * random_normal(d->seed, 20 + (uint64_t)c, (uint64_t)i);

		for (int f = 0; f < FACTORS; f++)
			value += d->loads[c][f] * d->factors[f];
		row[c] = d->unit[c] * (value + 3);
	}
}

static void
count_row(const struct group_verdict *v, int column, struct count *count)
{
	struct group_blame most[FOREST_COLUMNS_MAX];

	count->planted++;
	if (!v->explained || group_blame(v, COLUMNS, most) == 0)
		return;
	count->told++;
	count->right += most[0].column == (size_t)column;
}

static void
count_detect(const struct judgement *v, double pending, int column, struct count *count)
{
	count->planted++;
	if (!(v->p < pending))
		return;
	count->told++;
	count->right += v->column == (size_t)column;
}

/* One device's life; the k-th anomaly has a size and a column by turns and by chance. */
static int
run_device(const struct judge_rule *rule, uint64_t seed, struct count rows[SIZES], struct count detect[SIZES],
	   struct err *err)
{
	CLEANUP(judge_free)
	struct judge *judge = NULL;
	CLEANUP(group_free)
	struct group *group = NULL;
	struct group_options o = rule->group;
	struct group_verdict row_verdict;
	struct judgement verdict;
	struct device d;
	double row[COLUMNS];

	o.forest.columns = COLUMNS;
	make_device(seed, &d);
	if (judge_new(rule, names, COLUMNS, &judge, err) < 0 || group_new(&o, seed, &group, err) < 0)
		return -1;
	for (int i = 0; i < WARMUP + ROUNDS * APART; i++) {
		int k = (i - WARMUP) / APART, size = k % SIZES;
		int column = (int)(COLUMNS * random_uniform(seed, 3, (uint64_t)k));
		bool planted = i >= WARMUP && (i - WARMUP) % APART == APART / 2;
		struct sheet_row sheet = {
			.timed = true, .time_us = i * INT64_C(1000000), .values = row, .texts = texts
		};

		next_row(&d, i, row);
		if (planted)
			row[column] +=
			    (random_uniform(seed, 4, (uint64_t)k) < 0.5 ? -1 : 1) * sizes[size] * d.deviation[column];
		if (judge_add(judge, &sheet, &verdict, err) < 0 ||
		    group_add(group, &o, row, sheet.time_us, &row_verdict, err) < 0)
			return -1;
		if (planted) {
			count_row(&row_verdict, column, &rows[size]);
			count_detect(&verdict, rule->detector.episode.pending, column, &detect[size]);
		}
	}
	return 0;
}

static void
print(const char *name, const struct count counts[SIZES], const char *end)
{
	printf("\"%s\":{", name);
	for (int i = 0; i < SIZES; i++)
		printf("%s\"%g\":{\"planted\":%d,\"told\":%d,\"right\":%d}", i ? "," : "", sizes[i], counts[i].planted,
		       counts[i].told, counts[i].right);
	printf("}%s", end);
}

int
main(int argc, char **argv)
{
	int devices = argc > 1 ? atoi(argv[1]) : 100;
	struct judge_rule rule = { .detector = detector_defaults(),
				   .order = { .jump_max_us = INT64_C(86400000000), .late_max = 50 },
				   .grouped = true };
	struct count rows[SIZES] = { 0 }, detect[SIZES] = { 0 };
	struct err err = ERR_INIT;

	rule.group = (struct group_options){ .forest = rule.detector.forest,
					     .warmup_rows = rule.detector.warmup_values,
					     .episode = rule.detector.episode };
	for (int i = 0; i < devices; i++)
		if (run_device(&rule, (uint64_t)i + 1, rows, detect, &err) < 0) {
			fprintf(stderr, "attribution: %s\n", err.text);
			return 1;
		}
	printf("{\"devices\":%d,", devices);
	print("rows", rows, ",");
	print("detect", detect, "}\n");
	return 0;
}
