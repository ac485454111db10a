/*
 * ensemble.c -- Bernstein online aggregation on quantiles (sources in ensemble.h).
 *
 * Each level of each part of the horizon is an aggregation of its own.  With p the weights, x the members' quantiles and l' the
 * derivative of the pinball loss where the combination was, the regret for not having followed member k is, linearised,
 *	r_k = l'(p.x) * (p.x - x_k) / scale,	V_k += 2.2 r_k^2,	R_k += r_k - r_k^2 / sqrt(V_k)
 * and the weights are w_k ~ prior_k * eta_k * exp(eta_k R_k) with eta_k = 1 / sqrt(V_k).
 *
 * Ours, beyond the paper:
 * - A first value would decide too much: V_k is taken as if FIRST forecasts had been seen before, of the members' mean.
 * - The steps of one part of the horizon come from one forecast and err together: rates count them as one (companions).
 * - Fixed share: after each value w <- (1 - MIX share) w + MIX share * prior, written back into R; V fades by the share, so
 *   that rates stay high enough to follow a change.
 * - V of a sleeping member grows by the mean of the others, so that it wakes with a rate like theirs and its old weight.
 * - r is bounded: a member that has exploded is bad, not infinitely bad.
 */
#include "common/forecast/ensemble.h"

#include <math.h>
#include <string.h>

#define FIRST 10.0   /* forecasts as which the prior counts */
#define GROWTH 2.2   /* of the variance, from the paper */
#define MIX 0.1      /* of the share: this much of the prior comes back at each value */
#define R_MAX 10.0   /* scales */
#define LOG_MAX 80.0 /* of weights: beyond is zero or one */

void
ensemble_rule_default(size_t n_members, size_t n_levels, size_t horizon, struct ensemble_rule *ret)
{
	size_t quarter = (horizon + 3) / 4;

	*ret = (struct ensemble_rule){ .n_members = n_members, .n_levels = n_levels, .n_buckets = 1, .share = 0.01F };
	if (horizon > 1)
		ret->edges[ret->n_buckets++] = 1;
	if (quarter > 1 && quarter < horizon)
		ret->edges[ret->n_buckets++] = (uint32_t)quarter;
	for (size_t b = 0; b < ret->n_buckets; b++)
		for (size_t m = 0; m < n_members; m++)
			ret->prior[b][m] = 1 / (float)n_members;
}

size_t
ensemble_bucket(const struct ensemble_rule *rule, size_t step)
{
	size_t b = 0;

	while (b + 1 < rule->n_buckets && step >= rule->edges[b + 1])
		b++;
	return b;
}

/* Steps of one forecast that are told of BUCKET; the last is taken to be as long as ensemble_rule_default() makes it. */
static double
companions(const struct ensemble_rule *rule, size_t bucket)
{
	double from = rule->edges[bucket];

	if (rule->single_steps)
		return 1;
	if (bucket + 1 < rule->n_buckets)
		return (double)rule->edges[bucket + 1] - from;
	return from > 1 ? 3 * from : 1;
}

/* What fades at each value. */
static double
fading(const struct ensemble_rule *rule, size_t bucket)
{
	return (double)rule->share / companions(rule, bucket);
}

/*
 * Rates of all members, and the logarithms of their weights before these are divided by their sum; -INFINITY: no prior.  All rates
 * are 0 as long as no two members have differed.
 */
static void
log_weights(const struct ensemble_rule *rule, const struct ensemble *e, size_t bucket, size_t level, double *eta,
	    double *logs)
{
	const float *variance = e->variance[bucket][level], *regret = e->regret[bucket][level];
	double share = fading(rule, bucket), n = (double)e->seen[bucket], first = FIRST * companions(rule, bucket),
	       mean = 0;

	n = share > 0 ? (1 - pow(1 - share, n)) / share : n; /* what has not faded of them */
	for (size_t m = 0; m < rule->n_members; m++)
		mean += (double)variance[m] / (double)rule->n_members;
	for (size_t m = 0; m < rule->n_members; m++) {
		double prior = (double)rule->prior[bucket][m], v = (double)variance[m] + first * mean / fmax(1, n);

		eta[m] = v > 0 ? 1 / sqrt(v) : 0;
		logs[m] = prior > 0 ? log(prior) : -INFINITY;
		if (eta[m] > 0)
			logs[m] += log(eta[m]) + eta[m] * (double)regret[m];
	}
}

/* Weights of those AWAKE: summing to 1, or all 0.  Returns the logarithm of what they were divided by, or -INFINITY. */
static double
divide(const struct ensemble_rule *rule, uint32_t awake, const double *logs, double *weights)
{
	double most = -INFINITY, sum = 0;

	for (size_t m = 0; m < rule->n_members; m++)
		if (awake >> m & 1)
			most = fmax(most, logs[m]);
	for (size_t m = 0; m < rule->n_members; m++) {
		weights[m] = awake >> m & 1 && logs[m] > most - LOG_MAX ? exp(logs[m] - most) : 0;
		sum += weights[m];
	}
	for (size_t m = 0; m < rule->n_members && sum > 0; m++)
		weights[m] /= sum;
	return sum > 0 ? most + log(sum) : -INFINITY;
}

/* As divide(); where nobody awake has a prior they are equal. */
static void
weigh(const struct ensemble_rule *rule, const struct ensemble *e, size_t bucket, size_t level, uint32_t awake,
      double *weights)
{
	double eta[ENSEMBLE_MEMBERS_MAX], logs[ENSEMBLE_MEMBERS_MAX];

	awake &= (1U << rule->n_members) - 1;
	log_weights(rule, e, bucket, level, eta, logs);
	if (divide(rule, awake, logs, weights) > -INFINITY)
		return;
	for (size_t m = 0; m < rule->n_members; m++)
		weights[m] = awake >> m & 1 ? 1 / (double)__builtin_popcount(awake) : 0;
}

void
ensemble_weights(const struct ensemble_rule *rule, const struct ensemble *e, size_t bucket, size_t level,
		 uint32_t awake, float *weights)
{
	double w[ENSEMBLE_MEMBERS_MAX];

	weigh(rule, e, bucket, level, awake, w);
	for (size_t m = 0; m < rule->n_members; m++)
		weights[m] = (float)w[m];
}

/* Those of AWAKE whose quantile of LEVEL is a number. */
static uint32_t
speaking(const struct ensemble_rule *rule, uint32_t awake, const double *quantiles, size_t level)
{
	uint32_t some = 0;

	for (size_t m = 0; m < rule->n_members; m++)
		if (awake >> m & 1 && isfinite(quantiles[m * rule->n_levels + level]))
			some |= 1U << m;
	return some;
}

/* Between the least and the greatest, whatever is rounded: what all say alike is what comes out. */
static double
weighted(const struct ensemble_rule *rule, uint32_t awake, const double *weights, const double *quantiles, size_t level)
{
	double sum = 0, least = INFINITY, most = -INFINITY;

	for (size_t m = 0; m < rule->n_members; m++)
		if (awake >> m & 1) {
			double x = quantiles[m * rule->n_levels + level];

			sum += weights[m] * x;
			least = fmin(least, x);
			most = fmax(most, x);
		}
	return sum < least ? least : sum > most ? most : sum;
}

void
ensemble_combine(const struct ensemble_rule *rule, const struct ensemble *e, size_t step, uint32_t awake,
		 const double *quantiles, double *ret)
{
	size_t bucket = ensemble_bucket(rule, step);
	double weights[ENSEMBLE_MEMBERS_MAX];

	for (size_t q = 0; q < rule->n_levels; q++) {
		uint32_t some = speaking(rule, awake, quantiles, q);
		double value = NAN;
		size_t at = q;

		if (some) {
			weigh(rule, e, bucket, q, some, weights);
			value = weighted(rule, some, weights, quantiles, q);
		}
		for (; at && ret[at - 1] > value; at--)
			ret[at] = ret[at - 1];
		ret[at] = value;
	}
}

/* What following the combination, which said ALL, instead of each member has cost, linearised. */
static void
regrets(const struct ensemble_rule *rule, uint32_t awake, double all, const double *quantiles, size_t level, double tau,
	double value, double scale, double *r)
{
	double slope = (value < all ? 1 : 0) - tau;

	for (size_t m = 0; m < rule->n_members; m++) {
		r[m] = 0;
		if (awake >> m & 1)
			r[m] = slope * ((all - quantiles[m * rule->n_levels + level]) / scale);
		r[m] = isnan(r[m]) ? 0 : fmin(fmax(r[m], -R_MAX), R_MAX);
	}
}

static void
add_variance(const struct ensemble_rule *rule, double share, uint32_t awake, const double *r, float *variance)
{
	double mean = 0;

	for (size_t m = 0; m < rule->n_members; m++)
		mean += r[m] * r[m] / (double)__builtin_popcount(awake);
	for (size_t m = 0; m < rule->n_members; m++) {
		double square = awake >> m & 1 ? r[m] * r[m] : mean;

		variance[m] = (float)((double)variance[m] * (1 - share) + GROWTH * square);
	}
}

/*
 * Mix the prior into the weights of those awake and write the result back as regrets.  What they have together stays as BEFORE
 * against what the sleeping have; all logarithms are kept near zero.
 */
static void
fixed_share(const struct ensemble_rule *rule, struct ensemble *e, size_t bucket, size_t level, uint32_t awake,
	    const double *before)
{
	double eta[ENSEMBLE_MEMBERS_MAX], logs[ENSEMBLE_MEMBERS_MAX], prior[ENSEMBLE_MEMBERS_MAX];
	double w[ENSEMBLE_MEMBERS_MAX], held[ENSEMBLE_MEMBERS_MAX], share = MIX * fading(rule, bucket), sum, all;

	for (size_t m = 0; m < rule->n_members; m++)
		prior[m] = log((double)rule->prior[bucket][m]);
	divide(rule, awake, prior, held);
	for (size_t m = 0; m < rule->n_members; m++)
		prior[m] = held[m];
	log_weights(rule, e, bucket, level, eta, logs);
	divide(rule, awake, logs, w);
	sum = divide(rule, awake, before, held);
	for (size_t m = 0; m < rule->n_members; m++)
		logs[m] = awake >> m & 1 ? log((1 - share) * w[m] + share * prior[m]) + sum : before[m];
	all = divide(rule, UINT32_MAX, logs, held);
	for (size_t m = 0; m < rule->n_members; m++)
		if (logs[m] > -INFINITY && eta[m] > 0)
			e->regret[bucket][level][m] =
			    (float)((logs[m] - all - log((double)rule->prior[bucket][m] * eta[m])) / eta[m]);
}

static void
learn_level(const struct ensemble_rule *rule, struct ensemble *e, size_t bucket, size_t level, uint32_t awake,
	    const double *r, const double *before)
{
	double eta[ENSEMBLE_MEMBERS_MAX], logs[ENSEMBLE_MEMBERS_MAX];
	float *regret = e->regret[bucket][level];

	add_variance(rule, fading(rule, bucket), awake, r, e->variance[bucket][level]);
	log_weights(rule, e, bucket, level, eta, logs);
	for (size_t m = 0; m < rule->n_members; m++)
		regret[m] = (float)((double)regret[m] + r[m] - eta[m] * r[m] * r[m]);
	if (rule->share > 0)
		fixed_share(rule, e, bucket, level, awake, before);
}

void
ensemble_learn(const struct ensemble_rule *rule, struct ensemble *e, size_t step, uint32_t awake, const double *levels,
	       const double *quantiles, const double *combined, double value, double scale)
{
	size_t bucket = ensemble_bucket(rule, step);
	double weights[ENSEMBLE_MEMBERS_MAX], eta[ENSEMBLE_MEMBERS_MAX], r[ENSEMBLE_MEMBERS_MAX];
	double before[ENSEMBLE_LEVELS_MAX][ENSEMBLE_MEMBERS_MAX], said;

	if (!isfinite(value) || !isfinite(scale) || !(scale > 0))
		return;
	for (size_t q = 0; q < rule->n_levels; q++)
		log_weights(rule, e, bucket, q, eta, before[q]);
	if (e->seen[bucket] < UINT32_MAX)
		e->seen[bucket]++;
	for (size_t q = 0; q < rule->n_levels; q++) {
		uint32_t some = speaking(rule, awake, quantiles, q);

		if (!some || divide(rule, some, before[q], weights) == -INFINITY)
			continue;
		said = combined && isfinite(combined[q]) ? combined[q] : weighted(rule, some, weights, quantiles, q);
		regrets(rule, some, said, quantiles, q, levels[q], value, scale, r);
		learn_level(rule, e, bucket, q, some, r, before[q]);
	}
}
