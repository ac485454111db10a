/*
 * tails.c -- peaks over a threshold on a stream.  A. Siffer et al., "Anomaly Detection in Streams with Extreme Value
 * Theory", KDD 2017 (SPOT).
 *
 * Bulk: a histogram of 1 + 4 raw, eight buckets an octave -- the top bits of a float --, linear inside a bucket;
 * p = (larger ones + 1) / (n + 1).  Tail: above a threshold t that 1.5 % of the scores exceed (more, while n is small)
 *	p = p(t) (1 + gamma (raw - t) / sigma)^(-1/gamma),	exp(-(raw - t)/sigma) for gamma = 0.
 * fitted to the middles of the buckets (excesses.h).
 *
 * The largest scores teach, too: tails fitted without them are too short, and the more of them there are the more they are
 * left out.  But they are cut to what has a chance of CAP_P, so that one absurd score weighs no more than one strange one.
 */
#include "common/detect/tails.h"

#include <math.h>
#include <string.h>

#include "common/detect/excesses.h"

#define UNIT 4U
#define GROWN 512 /* scores; from here on all is halved whenever there are twice as many, too */
#define FINE 4.0F
#define MANTISSA_BITS 3 /* of a float's mantissa that tell buckets apart: eight an octave */
#define SHIFT (23 - MANTISSA_BITS)
#define FIRST (127U << MANTISSA_BITS) /* what 1.0F has there */
#define TAIL_SHARE 0.015
#define TAIL_LEAST 8.0 /* excesses wanted, also of few scores */
#define ATOM 2
#define YOUNG 1024 /* scores; until then the tail is fitted four times as often */
#define FIT_EVERY 64
#define CAP_P 1e-12
#define LEFT_OUT_MAX 200 /* suspicious scores that teach nothing; more of them are the new normal */
#define LEFT_OUT_RUN 5   /* strange ones of them, then one teaches: what keeps coming back is no news */
#define STRANGE 0.01     /* p-value; an ordinary score that is left out with a strange one does not count for one */
#define FORGIVEN_EVERY 64
#define FADE 8
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

/* What is kept of bucket i from bucket b on is at TAILS_BUCKETS - b + i: nothing, then all. */
static const uint16_t kept[2 * TAILS_BUCKETS] = { [TAILS_BUCKETS... 2 * TAILS_BUCKETS - 1] = UINT16_MAX };

/* Weight of the buckets from B on.  All are looked at: so it needs no branches, and 16 bits hold what is below TAILS_TOTAL_MAX. */
static unsigned
weight_from(const struct tails *t, unsigned b)
{
	const uint16_t *keep = kept + TAILS_BUCKETS - b;
	uint16_t sum = 0;

	for (int i = 0; i < TAILS_BUCKETS; i++)
		sum = (uint16_t)(sum + (t->bucket[i] & keep[i]));
	return sum;
}

/* Of a bucket, 1 / (edge(bucket + 1) - edge(bucket)): a power of two. */
static double
per_width(unsigned bucket)
{
	uint64_t bits = (UINT64_C(1023) + 2 + MANTISSA_BITS - (bucket >> MANTISSA_BITS)) << 52;
	double x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

static double
bulk_p(const struct tails *t, double raw)
{
	unsigned b = bucket_of(raw);
	double inside = (edge(b + 1) - raw) * per_width(b);
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
	double last = edge(TAILS_BUCKETS), r = raw < last ? raw : last, n = t->seen + 1.0, cube = n * n * n, p;

	if (isnan(raw) || t->seen == 0)
		return 1;
	p = r > edge(t->threshold) ? tail_p(t, r) : bulk_p(t, r);
	if (p * cube < 2 && p < 1 / cube) /* the division is for what may be */
		p = 1 / cube;
	return p < P_LEAST ? P_LEAST : p > 1 ? 1 : p;
}

_Static_assert(TAILS_BUCKETS <= EXCESSES_MAX, "a group for each bucket");

/* The excesses, bucket by bucket. */
static void
collect(const struct tails *t, struct excesses *e)
{
	double from = edge(t->threshold), low = from;

	e->groups = 0;
	e->n = e->mean = 0;
	for (unsigned i = t->threshold; i < TAILS_BUCKETS; i++) {
		double high = edge(i + 1), y = (low + high) / 2 - from, weight = t->bucket[i] / (double)UNIT;

		low = high;
		if (t->bucket[i] == 0)
			continue;
		e->y[e->groups] = y;
		e->weight[e->groups++] = weight;
		e->n += weight;
		e->mean += weight * y;
	}
	if (e->n > 0)
		e->mean /= e->n;
}

static void
fit(struct tails *t, bool exponential)
{
	struct excesses e;
	struct pareto best;

	collect(t, &e);
	best = excesses_fit(&e, 0.25 * edge(t->threshold) + 0.1, exponential);
	t->gamma = (float)best.gamma;
	t->sigma = (float)best.sigma;
}

/*
 * The lowest edge above which there are no more than the wanted share.  Where a single score has more than twice that share, as those of
 * rounded values have, it is no part of the tail: how much larger the next one is would look like a large excess.
 */
static void
choose_threshold(struct tails *t)
{
	double n = (double)t->total / UNIT, wanted = fmax(TAIL_SHARE, TAIL_LEAST / n) * t->total, above = 0;
	unsigned b = TAILS_BUCKETS - 1;

	while (b > 0 && above + t->bucket[b] <= wanted)
		above += t->bucket[b--];
	/* Between the edges around the wanted share, the nearer one. */
	if (b < TAILS_BUCKETS - 1 && (above * (above + t->bucket[b]) > wanted * wanted || t->bucket[b] > ATOM * wanted))
		b++;
	t->threshold = (uint8_t)b;
}

/* The score that has a chance of CAP_P; or twice the greatest one learnt: what comes again is learnt in full before long. */
static void
choose_cap(struct tails *t)
{
	double begin = (weight_from(t, t->threshold) + (double)UNIT) / (t->total + (double)UNIT);
	double beyond = log(begin / CAP_P), gamma = (double)t->gamma;
	unsigned greatest = TAILS_BUCKETS - 1;

	while (greatest > 0 && t->bucket[greatest] == 0)
		greatest--;
	t->cap = (float)fmax(2 * edge(greatest),
			     edge(t->threshold) +
				 (double)t->sigma * (gamma > 1e-6 ? expm1(gamma * beyond) / gamma : beyond));
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

void
tails_forget(struct tails *t, unsigned n)
{
	unsigned left = n * UNIT;

	for (unsigned b = TAILS_BUCKETS; b-- > 0 && left > 0;) {
		unsigned taken = t->bucket[b] < left ? t->bucket[b] : left;

		t->bucket[b] = (uint16_t)(t->bucket[b] - taken);
		t->total -= taken;
		left -= taken;
	}
	if (t->total == 0) {
		*t = (struct tails){ 0 };
		return;
	}
	choose_threshold(t);
	fit(t, t->gamma == 0);
	choose_cap(t);
}

static void
learn(struct tails *t, double raw, bool exponential)
{
	t->bucket[bucket_of(raw)] += UNIT;
	t->total += UNIT;
	t->seen += t->seen < UINT32_MAX;
	/* What came first was judged by levels that were hardly known: it weighs less and less. */
	if (t->total >= TAILS_TOTAL_MAX || (t->seen >= GROWN && (t->seen & (t->seen - 1)) == 0))
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
	if (suspicious && t->left_out < LEFT_OUT_MAX && (p > STRANGE || t->left_out_run < LEFT_OUT_RUN)) {
		t->left_out++;
		t->left_out_run += p <= STRANGE;
		return;
	}
	if (suspicious)
		t->left_out_run = 0;
	else if (t->left_out > 0 && p > 0.1 && t->seen % FORGIVEN_EVERY == 0)
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
