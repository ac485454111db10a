/*
 * tails.c -- peaks over a threshold on a stream.  A. Siffer et al., "Anomaly Detection in Streams with Extreme Value
 * Theory", KDD 2017 (SPOT); the profile likelihood is Grimshaw's, Technometrics 35 (1993).
 *
 * Bulk: a histogram of log(1 + 16 raw), four buckets an octave, linear inside a bucket; p = (larger ones + 1) / (n + 1).
 * Tail: above a threshold t that 2 % of the scores exceed (more, while n is small)
 *	p = p(t) (1 + gamma (raw - t) / sigma)^(-1/gamma),	exp(-(raw - t)/sigma) for gamma = 0.
 * With x = gamma/sigma the best gamma for a given x is mean ln(1 + x y): so the likelihood is searched along x alone, the
 * exponential tail and the moment estimate being candidates, too.  Ours: gamma is kept >= 0, as an endpoint would make
 * the next larger score impossible, and drawn towards 0 by a normal prior, because two dozen excesses say little about it.
 */
#include "common/detect/tails.h"

#include <math.h>
#include <string.h>

#define UNIT 4U
#define TOTAL_MAX (8192U * UNIT) /* then all is halved */
#define PER_OCTAVE 4
#define FINE 16.0
#define TAIL_SHARE 0.02
#define TAIL_LEAST 8.0    /* excesses wanted, also of few scores */
#define SHARE_OFF 3.0     /* the share above the threshold may be wrong by this factor */
#define LOOK_EVERY 64     /* scores between looks at the threshold */
#define LEAVE_OUT 1e-4    /* scores with smaller p teach nothing ... */
#define LEAVE_OUT_MAX 200 /* ... unless they come in such numbers: the new normal */
#define RAW_MAX 1e9
#define GAMMA_PRIOR 4.0  /* 1/(2 sd^2) of gamma */
#define PRIOR_WEIGHT 2.0 /* excesses that the prior scale is worth */
#define P_LEAST 1e-300

static double
edge(int bucket)
{
	return (exp2((double)bucket / PER_OCTAVE) - 1) / FINE;
}

static int
bucket_of(double raw)
{
	double at = log2(1 + FINE * raw) * PER_OCTAVE;

	return at < TAILS_BUCKETS - 1 ? (int)at : TAILS_BUCKETS - 1;
}

/* Weight of the scores at or above RAW. */
static double
weight_above(const struct tails *t, double raw)
{
	int b = bucket_of(raw);
	double low = edge(b), high = edge(b + 1), inside = (high - raw) / (high - low);
	uint32_t above = 0;

	for (int i = b + 1; i < TAILS_BUCKETS; i++)
		above += t->bucket[i];
	return above + t->bucket[b] * (inside > 0 ? inside : 0);
}

static double
bulk_p(const struct tails *t, double raw)
{
	return (weight_above(t, raw) + UNIT) / (t->total + (double)UNIT);
}

double
tails_p(const struct tails *t, double raw)
{
	double r = raw < RAW_MAX ? raw : RAW_MAX, y = r - (double)t->threshold, n = t->seen + 1.0, least, p;

	if (isnan(raw) || t->seen == 0)
		return 1;
	if (y <= 0) {
		p = bulk_p(t, r);
	} else {
		double gamma = (double)t->gamma, q = y / (double)t->sigma;

		p = gamma > 1e-6 ? exp(-log1p(gamma * q) / gamma) : exp(-q);
		p *= bulk_p(t, (double)t->threshold);
	}
	least = 1 / (n * n * n);
	if (p < least)
		p = least;
	return p < P_LEAST ? P_LEAST : p > 1 ? 1 : p;
}

/* Penalised log likelihood of the excesses, best gamma for gamma/sigma = X > 0. */
static double
likelihood(const struct tails *t, double x, double *gamma, double *sigma)
{
	double sum = 0;

	for (int i = 0; i < t->n_excesses; i++)
		sum += log1p(x * ((double)t->excess[i] - (double)t->threshold));
	*gamma = sum / t->n_excesses;
	*sigma = *gamma / x;
	return -t->n_excesses * (log(*sigma) + *gamma + 1) - GAMMA_PRIOR * *gamma * *gamma;
}

static void
fit(struct tails *t)
{
	double prior = 0.25 * (double)t->threshold + 0.1, sum = 0, square = 0, mean, best, moments, ratio;

	for (int i = 0; i < t->n_excesses; i++) {
		double y = (double)t->excess[i] - (double)t->threshold;

		sum += y;
		square += y * y;
	}
	mean = (sum + PRIOR_WEIGHT * prior) / (t->n_excesses + PRIOR_WEIGHT);
	t->gamma = 0;
	t->sigma = (float)mean;
	if (t->n_excesses < TAIL_LEAST)
		return;
	best = -t->n_excesses * log(mean) - sum / mean;
	/* Moments: gamma/sigma = (1 - m^2/v) / (m (1 + m^2/v)), m and v the mean and variance of the excesses. */
	moments = sum / t->n_excesses;
	ratio = moments * moments / (square / t->n_excesses - moments * moments + 1e-30);
	moments = (1 - ratio) / (1 + ratio) / moments;
	for (int i = -6; i <= 5; i++) {
		double x = i < -5 ? moments : exp2(i) / mean, gamma, sigma, found;

		if (!(x > 0))
			continue;
		found = likelihood(t, x, &gamma, &sigma);
		if (found > best) {
			best = found;
			t->gamma = (float)gamma;
			t->sigma = (float)sigma;
		}
	}
}

/*
 * Put the threshold on the bucket's edge whose share above is nearest to the wanted one.  As excesses below a raised
 * threshold are lost, it stays where it is until it is off by a factor.
 */
static void
choose_threshold(struct tails *t)
{
	double n = (double)t->total / UNIT, wanted = fmax(TAIL_SHARE, TAIL_LEAST / n) * t->total;
	double now = weight_above(t, (double)t->threshold), above = 0;
	uint8_t kept = 0;
	int b = TAILS_BUCKETS;

	if (now < SHARE_OFF * wanted && now > wanted / SHARE_OFF)
		return;
	while (b > 0 && above + t->bucket[b - 1] <= wanted)
		above += t->bucket[--b];
	if (b > 0 && above * (above + t->bucket[b - 1]) < wanted * wanted)
		b--;
	t->threshold = (float)edge(b < TAILS_BUCKETS ? b : TAILS_BUCKETS - 1);
	for (uint8_t i = 0; i < t->n_excesses; i++) {
		if (t->excess[i] > t->threshold)
			t->excess[kept++] = t->excess[i];
	}
	t->n_excesses = kept;
	t->next = kept % TAILS_EXCESSES;
	fit(t);
}

static void
learn(struct tails *t, double raw)
{
	t->bucket[bucket_of(raw)] += UNIT;
	t->total += UNIT;
	t->seen += t->seen < UINT32_MAX;
	if (t->total >= TOTAL_MAX) {
		t->total = 0;
		for (int i = 0; i < TAILS_BUCKETS; i++)
			t->total += t->bucket[i] /= 2;
	}
	if (raw > (double)t->threshold) {
		t->excess[t->next] = (float)raw;
		t->next = (uint8_t)((t->next + 1) % TAILS_EXCESSES);
		t->n_excesses += t->n_excesses < TAILS_EXCESSES;
		fit(t);
	}
	if (t->seen % LOOK_EVERY == LOOK_EVERY / 2)
		choose_threshold(t);
	if (t->sigma <= 0)
		fit(t);
}

void
tails_learn(struct tails *t, double raw, double p, bool suspicious)
{
	if (isnan(raw))
		return;
	if ((suspicious || p < LEAVE_OUT) && t->left_out < LEAVE_OUT_MAX) {
		t->left_out++;
		return;
	}
	if (p > 0.1 && t->left_out > 0)
		t->left_out--;
	learn(t, raw < RAW_MAX ? raw : RAW_MAX);
}
