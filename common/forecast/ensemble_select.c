/*
 * ensemble_select.c -- greedy selection with replacement (source in ensemble.h): start with nothing, ROUNDS times add the member
 * that makes the mean of all taken so far best, and how often a member was taken is its weight.  It cannot do much worse than
 * the best member, needs no derivative, and members that only repeat others are left out.
 *
 * A mean is over those taken that are awake in the case at hand, as ensemble_weights() has it; where none of them is, over all
 * that are awake.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/forecast/ensemble.h"

struct selection {
	const struct ensemble_rule *rule;
	const double *levels;
	const struct ensemble_case *cases;
	size_t n, bucket;
	double *sums;    /* n x n_levels: of those taken and awake */
	uint32_t *taken; /* n: how many these are */
};

static bool
counts(const struct selection *s, size_t i)
{
	const struct ensemble_case *c = &s->cases[i];

	return ensemble_bucket(s->rule, c->step) == s->bucket && isfinite(c->value) && c->awake;
}

/* Mean of LEVEL over all awake members. */
static double
mean_of_all(const struct selection *s, const struct ensemble_case *c, size_t level)
{
	double sum = 0;
	size_t n = 0;

	for (size_t m = 0; m < s->rule->n_members; m++)
		if (c->awake >> m & 1) {
			sum += c->quantiles[m * s->rule->n_levels + level];
			n++;
		}
	return n ? sum / (double)n : 0;
}

/* Pinball loss of case I with member M added. */
static double
case_loss(const struct selection *s, size_t i, size_t m)
{
	const struct ensemble_case *c = &s->cases[i];
	size_t n_levels = s->rule->n_levels;
	uint32_t awake = c->awake >> m & 1, n = s->taken[i] + awake;
	double loss = 0;

	for (size_t q = 0; q < n_levels; q++) {
		double sum = s->sums[i * n_levels + q] + (awake ? c->quantiles[m * n_levels + q] : 0);
		double gap = c->value - (n ? sum / (double)n : mean_of_all(s, c, q));

		loss += gap > 0 ? s->levels[q] * gap : (s->levels[q] - 1) * gap;
	}
	return loss;
}

/* The member to add, n_members: there is no case. */
static size_t
best(const struct selection *s)
{
	size_t best = s->rule->n_members;
	double least = INFINITY;

	for (size_t m = 0; m < s->rule->n_members; m++) {
		double loss = 0;
		bool ever = false;

		for (size_t i = 0; i < s->n; i++)
			if (counts(s, i)) {
				loss += case_loss(s, i, m);
				ever |= s->cases[i].awake >> m & 1;
			}
		if (ever && loss < least) {
			least = loss;
			best = m;
		}
	}
	return best;
}

static void
take(struct selection *s, size_t m)
{
	size_t n_levels = s->rule->n_levels;

	for (size_t i = 0; i < s->n; i++) {
		if (!(s->cases[i].awake >> m & 1))
			continue;
		for (size_t q = 0; q < n_levels; q++)
			s->sums[i * n_levels + q] += s->cases[i].quantiles[m * n_levels + q];
		s->taken[i]++;
	}
}

int
ensemble_select(struct ensemble_rule *rule, const double *levels, const struct ensemble_case *cases, size_t n,
		size_t rounds, struct err *err)
{
	size_t cells = n * rule->n_levels;
	CLEANUP(heap_free)
	double *sums = calloc(cells ? cells : 1, sizeof(*sums));
	CLEANUP(heap_free)
	uint32_t *taken = calloc(n ? n : 1, sizeof(*taken));
	struct selection s = { rule, levels, cases, n, 0, sums, taken };

	if (!sums || !taken)
		return err_set(err, REASON_NO_MEMORY, "weights by %zu cases", n);
	for (; s.bucket < rule->n_buckets; s.bucket++) {
		float times[ENSEMBLE_MEMBERS_MAX] = { 0 };
		size_t done = 0;

		memset(sums, 0, cells * sizeof(*sums));
		memset(taken, 0, n * sizeof(*taken));
		for (size_t m; done < rounds && (m = best(&s)) < rule->n_members; done++) {
			take(&s, m);
			times[m]++;
		}
		for (size_t m = 0; done && m < rule->n_members; m++)
			rule->prior[s.bucket][m] = times[m] / (float)done;
	}
	return 0;
}
