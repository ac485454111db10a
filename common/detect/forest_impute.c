/* forest_impute.c -- see forest_impute.h. */
#include "common/detect/forest_impute.h"

#include <math.h>
#include <stdlib.h>

/* Subtrees that are still to be looked at. */
struct branch {
	int node, begin, mass;
};

struct search {
	const struct forest *f;
	const int16_t *point;
	bool missing[FOREST_DIMENSIONS_MAX];
};

static int
distance(const struct search *s, uint16_t place)
{
	const int16_t *values = s->f->store->values + place * forest_stride(s->f);
	int sum = 0;

	for (int k = 0; k < s->f->dimensions; k++)
		sum += s->missing[k] ? 0 : abs(values[k] - s->point[k]);
	return sum;
}

/* The place of the tree's nearest point. */
static uint16_t
nearest(const struct search *s, const struct forest_tree *t)
{
	const uint16_t *places = forest_places_of(t, s->f->rule.sample);
	struct branch waiting[FOREST_SAMPLE_MAX] = { { .mass = s->f->mass } };
	int n = 1, least = -1;
	uint16_t best = 0;

	while (n > 0) {
		struct branch at = waiting[--n];
		uint32_t node = at.mass > 1 ? t->node[at.node] : NODE_GROUP;
		int left = (int)NODE_LEFT(node), k = (int)NODE_DIMENSION(node);

		if (node & NODE_GROUP) {
			uint16_t place = places[at.begin];
			int away = distance(s, place);

			if (least < 0 || away < least || (away == least && place > best)) {
				least = away;
				best = place;
			}
			continue;
		}
		if (s->missing[k] || s->point[k] > NODE_CUT(node))
			waiting[n++] = (struct branch){ at.node + left, at.begin + left, at.mass - left };
		if (s->missing[k] || s->point[k] <= NODE_CUT(node))
			waiting[n++] = (struct branch){ at.node + 1, at.begin, left };
	}
	return best;
}

static int
ascending(const void *a, const void *b)
{
	return *(const int16_t *)a - *(const int16_t *)b;
}

void
forest_fill(const struct forest *f, const int16_t *point, const bool *missing, double *filled)
{
	int older = f->dimensions - f->rule.columns;
	struct search s = { .f = f, .point = point };
	uint16_t found[FOREST_TREES_MAX];
	int16_t values[FOREST_TREES_MAX];

	for (int i = 0; i < f->rule.columns; i++)
		s.missing[older + i] = missing[i];
	for (int t = 0; t < f->rule.trees; t++)
		found[t] = nearest(&s, f->tree[t]);
	for (int i = 0; i < f->rule.columns; i++) {
		if (!missing[i])
			continue;
		for (int t = 0; t < f->rule.trees; t++)
			values[t] = f->store->values[found[t] * forest_stride(f) + (size_t)(older + i)];
		qsort(values, (size_t)f->rule.trees, sizeof(*values), ascending);
		filled[i] = forest_column_decode(&f->column[i], values[f->rule.trees / 2]);
	}
}

void
forest_start_last(const struct forest *f, const bool *missing, double *filled)
{
	size_t columns = (size_t)f->rule.columns;

	for (size_t i = 0; i < columns; i++)
		for (size_t k = 0; k < f->rows && missing[i]; k++)
			if (isfinite(f->recent[k * columns + i]))
				filled[i] = f->recent[k * columns + i];
}
