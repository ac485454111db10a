/*
 * tails.c -- peaks over a threshold on a stream.  A. Siffer et al., "Anomaly Detection in Streams with Extreme Value
 * Theory", KDD 2017 (SPOT); the profile likelihood is Grimshaw's, Technometrics 35 (1993).
 *
 * Bulk: a histogram of 1 + 4 raw, eight buckets an octave -- the top bits of a float --, linear inside a bucket;
 * p = (larger ones + 1) / (n + 1).  Tail: above a threshold t that 1.5 % of the scores exceed (more, while n is small)
 *	p = p(t) (1 + gamma (raw - t) / sigma)^(-1/gamma),	exp(-(raw - t)/sigma) for gamma = 0.
 * With x = gamma/sigma the best gamma for a given x is mean ln(1 + x y): so the likelihood is searched along x alone, the
 * excesses y being the middles of their buckets.
 *
 * Ours: gamma is kept >= 0, as an endpoint would make the next larger score impossible, and drawn to a small value by a normal
 * prior; then it is raised by what its uncertainty is worth, for a p-value is a statement about the next score, and the mean
 * of tails over what gamma and sigma may be is heavier than the tail of their best guess.
 *
 * The largest scores teach, too: tails fitted without them are too short, and the more of them there are the more they are
 * left out.  But they are cut to what has a chance of CAP_P, so that one absurd score weighs no more than one strange one.
 */
#include "common/detect/tails.h"

#include <math.h>
#include <string.h>

#define UNIT 4U
#define TOTAL_MAX (16000U * UNIT) /* then all is halved */
#define GROWN 512                 /* scores; from here on all is halved whenever there are twice as many, too */
#define FINE 4.0F
#define MANTISSA_BITS 3 /* of a float's mantissa that tell buckets apart: eight an octave */
#define SHIFT (23 - MANTISSA_BITS)
#define FIRST (127U << MANTISSA_BITS) /* what 1.0F has there */
#define TAIL_SHARE 0.015
#define TAIL_LEAST 8.0 /* excesses wanted, also of few scores */
#define YOUNG 1024     /* scores; until then the tail is fitted four times as often */
#define FIT_EVERY 64
#define CAP_P 1e-12
#define LEFT_OUT_MAX 200 /* suspicious scores that teach nothing; more of them are the new normal */
#define FADE 8
#define RAW_MAX 1e9
#define GAMMA_USUAL 0.02
#define GAMMA_PRIOR 16.0 /* 1/(2 sd^2) of gamma */
#define PRIOR_WEIGHT 2.0 /* excesses that the prior scale is worth */
#define UNCERTAIN 0.3    /* divided by the number of excesses: what gamma is raised by */
#define P_LEAST 1e-300

static double
edge(unsigned bucket)
{
	uint32_t bits = (bucket + FIRST) << SHIFT;
	float x;

	memcpy(&x, &bits, sizeof(x));
	return ((double)x - 1) / (double)FINE;
}

static unsigned
bucket_of(double raw)
{
	float x = 1 + FINE * (float)raw;
	uint32_t bits;

	memcpy(&bits, &x, sizeof(bits));
	bits = (bits >> SHIFT) - FIRST;
	return bits < TAILS_BUCKETS ? bits : TAILS_BUCKETS - 1;
}

/* Weight of the buckets from B on.  All are looked at: so it needs no branches. */
static uint32_t
weight_from(const struct tails *t, unsigned b)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < TAILS_BUCKETS; i++)
		sum += i >= b ? t->bucket[i] : 0U;
	return sum;
}

static double
bulk_p(const struct tails *t, double raw)
{
	unsigned b = bucket_of(raw);
	double low = edge(b), high = edge(b + 1), inside = (high - raw) / (high - low);
	double above = weight_from(t, b + 1) + t->bucket[b] * (inside > 0 ? inside : 0);

	return (above + UNIT) / (t->total + (double)UNIT);
}

static double
tail_p(const struct tails *t, double raw)
{
	double y = raw - edge(t->threshold), gamma = (double)t->gamma, q = y / (double)t->sigma;
	double begin = (weight_from(t, t->threshold) + (double)UNIT) / (t->total + (double)UNIT);

	return begin * (gamma > 1e-6 ? exp(-log1p(gamma * q) / gamma) : exp(-q));
}

double
tails_p(const struct tails *t, double raw)
{
	double r = raw < RAW_MAX ? raw : RAW_MAX, n = t->seen + 1.0, least, p;

	if (isnan(raw) || t->seen == 0)
		return 1;
	p = r > edge(t->threshold) ? tail_p(t, r) : bulk_p(t, r);
	least = 1 / (n * n * n);
	if (p < least)
		p = least;
	return p < P_LEAST ? P_LEAST : p > 1 ? 1 : p;
}

/* The excesses, bucket by bucket. */
struct excesses {
	double y[TAILS_BUCKETS], weight[TAILS_BUCKETS]; /* the middle above the threshold, scores */
	unsigned buckets;
	double n, mean, square; /* scores; their mean and mean square */
};

static void
collect(const struct tails *t, struct excesses *e)
{
	double from = edge(t->threshold);

	e->buckets = 0;
	e->n = e->mean = e->square = 0;
	for (unsigned i = t->threshold; i < TAILS_BUCKETS; i++) {
		double y = (edge(i) + edge(i + 1)) / 2 - from, weight = t->bucket[i] / (double)UNIT;

		if (t->bucket[i] == 0)
			continue;
		e->y[e->buckets] = y;
		e->weight[e->buckets++] = weight;
		e->n += weight;
		e->mean += weight * y;
		e->square += weight * y * y;
	}
	if (e->n > 0) {
		e->mean /= e->n;
		e->square /= e->n;
	}
}

/* Penalised log likelihood of the excesses, best gamma for gamma/sigma = X > 0. */
static double
likelihood(const struct excesses *e, double x, double *gamma, double *sigma)
{
	double sum = 0;

	for (unsigned i = 0; i < e->buckets; i++)
		sum += e->weight[i] * log(1 + x * e->y[i]);
	*gamma = sum / e->n;
	*sigma = *gamma / x;
	return -e->n * (log(*sigma) + *gamma + 1) - GAMMA_PRIOR * (*gamma - GAMMA_USUAL) * (*gamma - GAMMA_USUAL);
}

static void
fit(struct tails *t, bool exponential)
{
	struct excesses e;
	double prior = 0.25 * edge(t->threshold) + 0.1, mean, best, gamma = 0;

	collect(t, &e);
	mean = (e.n * e.mean + PRIOR_WEIGHT * prior) / (e.n + PRIOR_WEIGHT);
	t->sigma = (float)mean;
	best = -e.n * (log(mean) + e.mean / mean) - GAMMA_PRIOR * GAMMA_USUAL * GAMMA_USUAL;
	for (int i = -12; i <= 8 && e.n >= TAIL_LEAST && !exponential; i++) {
		double x = exp2(i / 2.0) / mean, sigma, g, found = likelihood(&e, x, &g, &sigma);

		if (found > best) {
			best = found;
			gamma = g;
			t->sigma = (float)sigma;
		}
	}
	t->gamma = exponential ? 0 : (float)(gamma + UNCERTAIN / (e.n + PRIOR_WEIGHT));
}

/* The lowest edge above which there are no more than the wanted share. */
static void
choose_threshold(struct tails *t)
{
	double n = (double)t->total / UNIT, wanted = fmax(TAIL_SHARE, TAIL_LEAST / n) * t->total, above = 0;
	unsigned b = TAILS_BUCKETS - 1;

	while (b > 0 && above + t->bucket[b] <= wanted)
		above += t->bucket[b--];
	/* Between the edges around the wanted share, the nearer one. */
	if (b < TAILS_BUCKETS - 1 && above * (above + t->bucket[b]) > wanted * wanted)
		b++;
	t->threshold = (uint8_t)b;
}

/* The score that has a chance of CAP_P. */
static void
choose_cap(struct tails *t)
{
	double begin = (weight_from(t, t->threshold) + (double)UNIT) / (t->total + (double)UNIT);
	double beyond = log(begin / CAP_P), gamma = (double)t->gamma;

	t->cap =
	    (float)(edge(t->threshold) + (double)t->sigma * (gamma > 1e-6 ? expm1(gamma * beyond) / gamma : beyond));
}

static void
divide(struct tails *t, unsigned by)
{
	t->total = 0;
	for (int i = 0; i < TAILS_BUCKETS; i++)
		t->total += t->bucket[i] = (uint16_t)(t->bucket[i] / by);
}

void
tails_fade(struct tails *t)
{
	divide(t, FADE);
	t->left_out = 0;
}

static void
learn(struct tails *t, double raw, bool exponential)
{
	t->bucket[bucket_of(raw)] += UNIT;
	t->total += UNIT;
	t->seen += t->seen < UINT32_MAX;
	/* What came first was judged by levels that were hardly known: it weighs less and less. */
	if (t->total >= TOTAL_MAX || (t->seen >= GROWN && (t->seen & (t->seen - 1)) == 0))
		divide(t, 2);
	if (t->seen % (t->seen < YOUNG ? FIT_EVERY / 4 : FIT_EVERY) != 0 && t->sigma > 0)
		return;
	choose_threshold(t);
	fit(t, exponential);
	choose_cap(t);
}

static void
learn_unless(struct tails *t, double raw, double p, bool suspicious, bool exponential)
{
	if (isnan(raw))
		return;
	if (suspicious && t->left_out < LEFT_OUT_MAX) {
		t->left_out++;
		return;
	}
	if (p > 0.1 && t->left_out > 0)
		t->left_out--;
	learn(t, t->cap > 0 && raw > (double)t->cap ? (double)t->cap : raw, exponential);
}

void
tails_learn(struct tails *t, double raw, double p, bool suspicious)
{
	learn_unless(t, raw, p, suspicious, false);
}

void
tails_learn_part(struct tails *t, double raw, double p, bool suspicious)
{
	learn_unless(t, raw, p, suspicious, true);
}
