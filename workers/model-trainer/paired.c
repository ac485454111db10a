/* paired.c -- the percentile bootstrap of a ratio of sums. */
#include "workers/model-trainer/paired.h"

#include <math.h>
#include <stdlib.h>

#include "common/base/cleanup.h"
#include "common/base/random.h"

static double
ratio_of(double ours, double theirs)
{
	if (theirs > 0)
		return ours / theirs;
	return ours > 0 ? INFINITY : 1;
}

static double
resample(const struct paired_rule *rule, const struct pair *pairs, size_t n, uint64_t number)
{
	double ours = 0, theirs = 0;

	for (size_t i = 0; i < n; i++) {
		const struct pair *p = &pairs[random_u64(rule->seed, number, i) % n];

		ours += p->ours;
		theirs += p->theirs;
	}
	return ratio_of(ours, theirs);
}

static int
ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int
paired_compare(const struct paired_rule *rule, const struct pair *pairs, size_t n, struct paired *ret, struct err *err)
{
	CLEANUP(heap_free)
	double *ratios = calloc(rule->resamples, sizeof(*ratios));
	double ours = 0, theirs = 0;
	size_t tail = (size_t)floor((double)rule->resamples * (1 - rule->confidence));

	if (!ratios)
		return err_set(err, REASON_NO_MEMORY, "bootstrap");
	*ret = (struct paired){ .ratio = NAN, .lower = NAN, .upper = NAN };
	if (!n)
		return 0;
	for (size_t i = 0; i < n; i++) {
		ours += pairs[i].ours;
		theirs += pairs[i].theirs;
	}
	for (size_t i = 0; i < rule->resamples; i++)
		ratios[i] = resample(rule, pairs, n, i);
	qsort(ratios, rule->resamples, sizeof(*ratios), ascending);
	*ret = (struct paired){ n, ratio_of(ours, theirs), ratios[tail], ratios[rule->resamples - 1 - tail] };
	return 0;
}
