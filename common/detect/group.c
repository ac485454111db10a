/*
 * group.c -- score, standardise, calibrate, remember.
 *
 * A forest's scores crowd about a value that depends on the columns and on its age, so they are first put relative to their own
 * running mean, in units of their mean distance to it; what exceeds it is calibrated as any raw score is (tails.h).
 */
#include "common/detect/group.h"

#include <math.h>
#include <stdlib.h>

#include "common/detect/group_parts.h"

#define MEMORY 2000 /* rows over which mean and distance run */
#define CLIP 6.0    /* distances: a stranger score moves them as one of this size would */
#define LEAST 0.02  /* distance that always counts as one: scores tell no more */

int
group_new(const struct group_options *o, uint64_t key, struct group **ret, struct err *err)
{
	CLEANUP(group_free) struct group *g = calloc(1, sizeof(*g));

	if (!g)
		return err_set(err, REASON_NO_MEMORY, "a group of %d columns", o->forest.columns);
	if (forest_new(&o->forest, key, &g->forest, err) < 0)
		return -1;
	*ret = TAKE(g);
	return 0;
}

int
group_copy(const struct group *g, struct group **ret, struct err *err)
{
	CLEANUP(group_free) struct group *copy = malloc(sizeof(*copy));

	if (!copy)
		return err_set(err, REASON_NO_MEMORY, "copy of a group");
	*copy = *g;
	copy->forest = NULL;
	if (forest_copy(g->forest, &copy->forest, err) < 0)
		return -1;
	*ret = TAKE(copy);
	return 0;
}

void
group_free(struct group *g)
{
	if (!g)
		return;
	forest_free(g->forest);
	free(g);
}

bool
group_fits(const struct group *g, const struct group_options *o)
{
	const struct forest_rule *a = forest_rule(g->forest), *b = &o->forest;

	return a->trees == b->trees && a->sample == b->sample && a->columns == b->columns && a->shingle == b->shingle &&
	       a->decay == b->decay && a->seed == b->seed;
}

int
group_renew(struct group *g, const struct group_options *o, uint64_t key, struct err *err)
{
	struct forest *fresh = NULL;

	if (forest_new(&o->forest, key, &fresh, err) < 0)
		return -1;
	forest_free(g->forest);
	*g = (struct group){ .forest = fresh, .episode = g->episode };
	return 0;
}

/* How far beyond what is usual, >= 0. */
static double
standardised(const struct group *g, double score)
{
	double unit = g->distance > LEAST ? g->distance : LEAST, z = (score - g->mean) / unit;

	return g->rows > 0 && z > 0 ? z : 0;
}

static void
learn_level(struct group *g, double score)
{
	double rate = 1.0 / (g->rows < MEMORY ? g->rows + 1 : MEMORY);
	double unit = g->distance > LEAST ? g->distance : LEAST, away = score - g->mean;

	if (g->rows == 0) {
		g->mean = score;
		return;
	}
	away = away > CLIP * unit ? CLIP * unit : away < -CLIP * unit ? -CLIP * unit : away;
	g->mean += rate * away;
	g->distance += rate * (fabs(away) - g->distance);
}

/* Which columns make ROW strange, and what they should have been. */
static void
explain(const struct group *g, const double *row, int columns, struct group_verdict *v)
{
	double without[FOREST_COLUMNS_MAX], filled[FOREST_COLUMNS_MAX];

	forest_look(g->forest, row, v->shares);
	v->explained = true;
	for (int i = 0; i < columns; i++)
		without[i] = row[i];
	for (int i = 0; i < columns; i++) {
		v->expected[i] = NAN;
		if (v->shares[i].high + v->shares[i].low < GROUP_TOLD * v->score)
			continue;
		without[i] = NAN;
		forest_impute(g->forest, without, filled);
		without[i] = row[i];
		v->expected[i] = filled[i];
	}
}

static void
judge(struct group *g, const struct group_options *o, const double *row, int64_t event_us, struct group_verdict *v)
{
	struct forest_look look = forest_look(g->forest, row, NULL);
	struct episode_step step;
	double raw = standardised(g, look.score);

	v->judged = true;
	v->score = look.score;
	v->learning = !look.ready || g->rows < (uint32_t)o->warmup_rows;
	if (!v->learning)
		v->p_value = tails_p(&g->tails, raw);
	if (v->p_value < o->episode.pending)
		explain(g, row, o->forest.columns, v);
	step = episode_add(&g->episode, &o->episode, v->p_value, v->p_value, event_us);
	v->onset = step.onset;
	v->action = step.action;
	v->shifted = step.accepted;
	v->capped = step.capped;
	if (!look.ready)
		return;
	if (step.accepted)
		tails_fade(&g->tails);
	tails_learn(&g->tails, raw, v->p_value, step.troubled);
	learn_level(g, look.score);
	g->rows += g->rows < UINT32_MAX;
}

void
group_fetch(const struct group *g)
{
	forest_fetch(g->forest);
}

int
group_add(struct group *g, const struct group_options *o, const double *row, int64_t event_us,
	  struct group_verdict *ret, struct err *err)
{
	struct group_verdict v = { .p_value = 1, .action = EPISODE_NOTHING };
	int known = 0;

	for (int i = 0; i < o->forest.columns; i++)
		known += isfinite(row[i]) != 0;
	if (2 * known >= o->forest.columns)
		judge(g, o, row, event_us, &v);
	v.state = (double)g->episode.state;
	if (forest_add(g->forest, row, err) < 0)
		return -1;
	*ret = v;
	return 0;
}

const struct episode *
group_episode(const struct group *g)
{
	return &g->episode;
}
