/*
 * neighbours.c -- windows as rows of 16-bit integers, so that a distance is one row of multiply-adds and exact.
 *
 * A shape is (x - mean) / sqrt(sum (x - mean)^2 + length grain^2), of length at most 1, times 2^14.  By Cauchy and Schwarz no
 * product of two exceeds 2^28, so 32 bits hold any sum.
 *
 * About every quarter of a window, at random lest a period keep step with it, the one that ended a window's length ago goes into
 * the bank: the present is never compared with itself, and what turned out to be trouble meanwhile stays out.  Once the bank is
 * full the new one takes the place of a random one: ages are then spread geometrically, the recent past well covered and the
 * distant past not forgotten at once.
 */
#include "common/detect/neighbours.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/random.h"
#include "common/detect/neighbours_parts.h"

#define ENOUGH 16 /* windows before there is an opinion (or half the bank, where that is less) */
#define PART 4    /* a window enters the bank every LENGTH / PART points on average */

static int
check(const struct neighbours_rule *r, struct err *err)
{
	if (r->length < NEIGHBOURS_LENGTH_MIN || r->length > NEIGHBOURS_LENGTH_MAX || r->length % 8 != 0)
		return err_set(err, REASON_OPTION_INVALID, "neighbours: length %d is no multiple of 8 in %d..%d",
			       r->length, NEIGHBOURS_LENGTH_MIN, NEIGHBOURS_LENGTH_MAX);
	if (r->stride < 1 || r->stride > NEIGHBOURS_STRIDE_MAX || r->bank < 8 || r->bank > NEIGHBOURS_BANK_MAX ||
	    r->nearest < 1 || r->nearest > NEIGHBOURS_NEAREST_MAX)
		return err_set(err, REASON_OPTION_INVALID,
			       "neighbours: stride %d (1..%d), bank %d (8..%d), nearest %d (1..%d)", r->stride,
			       NEIGHBOURS_STRIDE_MAX, r->bank, NEIGHBOURS_BANK_MAX, r->nearest, NEIGHBOURS_NEAREST_MAX);
	return 0;
}

static struct bank *
bank_alloc(const struct neighbours_rule *r)
{
	size_t rows = (size_t)r->bank;
	struct bank *b = calloc(1, sizeof(*b) + rows * sizeof(int32_t) + rows * (size_t)r->length * sizeof(int16_t));

	if (!b)
		return NULL;
	b->owners = 1;
	b->squares = (int32_t *)(b + 1);
	b->shapes = (int16_t *)(b->squares + rows);
	return b;
}

static struct bank *
bank_copy(const struct neighbours_rule *r, const struct bank *from)
{
	struct bank *b = bank_alloc(r);

	if (!b)
		return NULL;
	b->n = from->n;
	memcpy(b->squares, from->squares, from->n * sizeof(b->squares[0]));
	memcpy(b->shapes, from->shapes, from->n * (size_t)r->length * sizeof(b->shapes[0]));
	return b;
}

static void
bank_release(struct bank *b)
{
	if (b && --b->owners == 0)
		free(b);
}

int
neighbours_new(const struct neighbours_rule *rule, uint64_t key, struct neighbours **ret, struct err *err)
{
	CLEANUP(neighbours_free) struct neighbours *n = NULL;

	if (check(rule, err) < 0)
		return -1;
	n = calloc(1, neighbours_bytes(rule));
	if (!n || !(n->bank = bank_alloc(rule)))
		return err_set(err, REASON_NO_MEMORY, "neighbours: %d windows of %d", rule->bank, rule->length);
	n->rule = *rule;
	n->key = key;
	n->distance = NAN;
	*ret = TAKE(n);
	return 0;
}

int
neighbours_copy(const struct neighbours *n, struct neighbours **ret, struct err *err)
{
	size_t bytes = neighbours_bytes(&n->rule);
	struct neighbours *copy = malloc(bytes);

	if (!copy)
		return err_set(err, REASON_NO_MEMORY, "neighbours");
	memcpy(copy, n, bytes);
	copy->bank->owners++;
	*ret = copy;
	return 0;
}

void
neighbours_free(struct neighbours *n)
{
	if (!n)
		return;
	bank_release(n->bank);
	free(n);
}

const struct neighbours_rule *
neighbours_rule(const struct neighbours *n)
{
	return &n->rule;
}

size_t
neighbours_memory(const struct neighbours *n)
{
	size_t rows = (size_t)n->rule.bank;

	return neighbours_bytes(&n->rule) + sizeof(struct bank) + rows * sizeof(int32_t) +
	       rows * (size_t)n->rule.length * sizeof(int16_t);
}

/* The shape of the window whose newest point is BACK points old, and its square. */
static int32_t
shape_of(const struct neighbours *n, uint64_t back, double grain, int16_t shape[NEIGHBOURS_LENGTH_MAX])
{
	uint64_t length = (uint64_t)n->rule.length, ring = 2 * length, at = (n->points - back - length) % ring;
	double x[NEIGHBOURS_LENGTH_MAX], mean = 0, square = 0, unit;
	int32_t sum = 0;

	for (uint64_t i = 0; i < length; i++) {
		mean += x[i] = n->ring[at];
		at = at + 1 < ring ? at + 1 : 0;
	}
	mean /= n->rule.length;
	for (uint64_t i = 0; i < length; i++) {
		x[i] -= mean;
		square += x[i] * x[i];
	}
	unit = sqrt(square + n->rule.length * grain * grain);
	unit = unit > 0 ? SHAPE_ONE / unit : 0;
	for (uint64_t i = 0; i < length; i++) {
		shape[i] = (int16_t)lrint(x[i] * unit);
		sum += shape[i] * shape[i];
	}
	return sum;
}

/* Mean distance to the nearest ones. */
static double
distance_of(const struct neighbours *n, double grain)
{
	int16_t shape[NEIGHBOURS_LENGTH_MAX];
	int32_t square = shape_of(n, 0, grain, shape), least[NEIGHBOURS_NEAREST_MAX];
	int nearest = n->rule.nearest;
	double sum = 0;

	bank_nearest(n->bank, n->rule.length, shape, square, nearest, least);
	for (int k = 0; k < nearest; k++)
		sum += least[k] > 0 ? sqrt(least[k]) : 0;
	return sum / nearest * (NEIGHBOURS_FAR / 2 / SHAPE_ONE);
}

/* A window of the past into the bank.  -1: memory is out. */
static int
learn(struct neighbours *n, double grain, struct err *err)
{
	int16_t shape[NEIGHBOURS_LENGTH_MAX];
	size_t length = (size_t)n->rule.length, at;
	int32_t square;

	if (n->bank->owners > 1) {
		struct bank *own = bank_copy(&n->rule, n->bank);

		if (!own)
			return err_set(err, REASON_NO_MEMORY, "neighbours");
		bank_release(n->bank);
		n->bank = own;
	}
	square = shape_of(n, length, grain, shape);
	at = n->bank->n < (size_t)n->rule.bank
		 ? n->bank->n++
		 : (size_t)(random_u64(n->rule.seed, n->key, n->learnt) % (uint64_t)n->rule.bank);
	n->learnt++;
	n->bank->squares[at] = square;
	memcpy(n->bank->shapes + at * length, shape, length * sizeof(shape[0]));
	return 0;
}

static bool
knows_enough(const struct neighbours *n)
{
	size_t half = (size_t)n->rule.bank / 2;

	return n->bank->n >= (half < ENOUGH ? half : ENOUGH);
}

int
neighbours_add(struct neighbours *n, double value, double grain, bool learns, double *distance, struct err *err)
{
	uint64_t length = (uint64_t)n->rule.length;
	bool complete = n->values + 1 == (uint32_t)n->rule.stride;
	bool due = complete && n->points + 1 >= 2 * length &&
		   random_u64(~n->rule.seed, n->key, n->points) % (length / PART) == 0;
	double was = n->ring[n->points % (2 * length)];

	if (!complete) {
		n->sum += value;
		n->values++;
		*distance = n->distance;
		return 0;
	}
	n->ring[n->points++ % (2 * length)] = (n->sum + value) / n->rule.stride;
	if (due && learns && learn(n, grain, err) < 0) {
		n->ring[--n->points % (2 * length)] = was;
		return -1;
	}
	n->sum = 0;
	n->values = 0;
	n->distance = n->points >= length && knows_enough(n) ? distance_of(n, grain) : NAN;
	*distance = n->distance;
	return 0;
}
