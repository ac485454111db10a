/* detector_deep.c -- each is asked first and taught after; what is part of some trouble teaches nothing. */
#include "common/detect/detector_deep.h"

#include <math.h>
#include <stdlib.h>

#include "common/base/cleanup.h"

static bool
asked(const struct detector_options *o, enum detector_member m)
{
	return o->members >> m & 1;
}

static struct forest_rule
forest_rule_of(const struct detector_options *o)
{
	struct forest_rule rule = o->forest;

	rule.columns = DETECTOR_COLUMNS;
	return rule;
}

static bool
same_forest(const struct forest_rule *a, const struct forest_rule *b)
{
	return a->trees == b->trees && a->sample == b->sample && a->columns == b->columns && a->shingle == b->shingle &&
	       a->decay == b->decay && a->seed == b->seed;
}

static bool
same_neighbours(const struct neighbours_rule *a, const struct neighbours_rule *b)
{
	return a->length == b->length && a->stride == b->stride && a->bank == b->bank && a->nearest == b->nearest &&
	       a->seed == b->seed;
}

static void
forget_forest(struct detector_deep *d)
{
	forest_free(d->forest);
	d->forest = NULL;
	d->tails[DETECTOR_DEEP_FOREST] = (struct tails){ 0 };
}

static void
forget_neighbours(struct detector_deep *d)
{
	neighbours_free(d->neighbours);
	d->neighbours = NULL;
	d->tails[DETECTOR_DEEP_NEIGHBOURS] = (struct tails){ 0 };
}

int
deep_fit(struct detector_deep **deep, const struct detector_options *o, uint64_t key, struct err *err)
{
	struct forest_rule rule = forest_rule_of(o);
	struct detector_deep *d = *deep;

	if (!asked(o, DETECTOR_FOREST) && !asked(o, DETECTOR_NEIGHBOURS)) {
		deep_free(d);
		*deep = NULL;
		return 0;
	}
	if (!d && !(*deep = d = calloc(1, sizeof(*d))))
		return err_set(err, REASON_NO_MEMORY, "detector");
	if (d->forest && (!asked(o, DETECTOR_FOREST) || !same_forest(forest_rule(d->forest), &rule)))
		forget_forest(d);
	if (d->neighbours &&
	    (!asked(o, DETECTOR_NEIGHBOURS) || !same_neighbours(neighbours_rule(d->neighbours), &o->neighbours)))
		forget_neighbours(d);
	if (asked(o, DETECTOR_FOREST) && !d->forest && forest_new(&rule, key, &d->forest, err) < 0)
		return -1;
	if (asked(o, DETECTOR_NEIGHBOURS) && !d->neighbours &&
	    neighbours_new(&o->neighbours, key, &d->neighbours, err) < 0)
		return -1;
	return 0;
}

int
deep_add(struct detector_deep *d, const double row[DETECTOR_COLUMNS], double value, double grain, bool troubled,
	 struct deep_scores *ret, struct err *err)
{
	struct forest_look look;

	for (int i = 0; i < DETECTOR_DEEP_MEMBERS; i++)
		ret->raw[i] = ret->p[i] = NAN;
	if (!d)
		return 0;
	if (d->forest) {
		look = forest_look(d->forest, row, NULL);
		if (look.ready)
			ret->raw[DETECTOR_DEEP_FOREST] = look.score;
		if (forest_add(d->forest, row, err) < 0)
			return -1;
	}
	if (d->neighbours &&
	    neighbours_add(d->neighbours, value, grain, !troubled, &ret->raw[DETECTOR_DEEP_NEIGHBOURS], err) < 0)
		return -1;
	for (int i = 0; i < DETECTOR_DEEP_MEMBERS; i++)
		ret->p[i] = isnan(ret->raw[i]) ? NAN : tails_p(&d->tails[i], ret->raw[i]);
	return 0;
}

void
deep_learn(struct detector_deep *d, const struct deep_scores *scores, bool suspicious)
{
	for (int i = 0; d && i < DETECTOR_DEEP_MEMBERS; i++)
		tails_learn_part(&d->tails[i], scores->raw[i], scores->p[i], suspicious);
}

int
deep_copy(const struct detector_deep *from, struct detector_deep **ret)
{
	struct detector_deep *d;
	struct err err = ERR_INIT;

	*ret = NULL;
	if (!from)
		return 0;
	d = malloc(sizeof(*d));
	if (!d)
		return -1;
	*d = *from;
	d->forest = NULL;
	d->neighbours = NULL;
	if ((from->forest && forest_copy(from->forest, &d->forest, &err) < 0) ||
	    (from->neighbours && neighbours_copy(from->neighbours, &d->neighbours, &err) < 0)) {
		deep_free(d);
		return -1;
	}
	*ret = d;
	return 0;
}

void
deep_free(struct detector_deep *d)
{
	if (!d)
		return;
	forest_free(d->forest);
	neighbours_free(d->neighbours);
	free(d);
}

void
deep_fetch_forest(const struct detector_deep *d)
{
	if (d && d->forest)
		forest_fetch(d->forest);
}

size_t
deep_memory(const struct detector_deep *d)
{
	if (!d)
		return 0;
	return sizeof(*d) + (d->forest ? forest_memory(d->forest) : 0) +
	       (d->neighbours ? neighbours_memory(d->neighbours) : 0);
}
