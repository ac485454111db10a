/*
 * panel_deepar.c -- the networks of a model as one member: each draws its own paths, quantiles are averaged level by level, which
 * beats any single network and keeps the spread of one.
 *
 * Who has nothing to go by is not asked: a context without values or with one and the same value everywhere gives a scale that
 * means nothing.  Whatever is not finite at the end sleeps as well.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/random.h"
#include "common/forecast/panel_parts.h"

static int
check_model(const struct panel_rule *rule, const struct artefact *model, struct err *err)
{
	const struct deepar_config *c = &model->networks[0]->config;

	if (strcmp(c->frequency.name, rule->frequency.name) != 0)
		return err_set(err, REASON_OPTION_INVALID, "the model is for %s, not for %s", c->frequency.name,
			       rule->frequency.name);
	if (rule->horizon > (size_t)c->horizon)
		return err_set(err, REASON_OPTION_INVALID, "the model forecasts %" PRId32 " steps, not %zu", c->horizon,
			       rule->horizon);
	return 0;
}

/* Of each network. */
static size_t
paths_of(const struct panel *p)
{
	size_t each = (p->rule.paths + p->model->n_networks - 1) / p->model->n_networks;

	if (!p->rule.share_paths || p->rule.paths <= PANEL_PATHS_LEAST)
		return p->rule.paths;
	each = (each + KERNEL_COLUMNS - 1) / KERNEL_COLUMNS * KERNEL_COLUMNS;
	each = each > PANEL_PATHS_LEAST ? each : PANEL_PATHS_LEAST;
	return each < p->rule.paths ? each : p->rule.paths;
}

int
panel_open_networks(struct panel *p, const struct kernel *kernel, struct err *err)
{
	if (!p->model || !p->model->n_networks)
		return 0;
	if (check_model(&p->rule, p->model, err) < 0)
		return -1;
	if (!(p->rule.members >> PANEL_DEEPAR & 1))
		return 0;
	for (; p->n_engines < p->model->n_networks; p->n_engines++)
		if (engine_new(p->model->networks[p->n_engines], kernel, paths_of(p), &p->engines[p->n_engines], err) <
		    0)
			return -1;
	return 0;
}

static bool
moves(const struct target *t, size_t context)
{
	double first = NAN;

	for (size_t i = t->n > context ? t->n - context : 0; i < t->n; i++) {
		if (!isfinite(t->values[i]))
			continue;
		if (!isnan(first) && t->values[i] != first)
			return true;
		first = t->values[i];
	}
	return false;
}

static bool
may_ask(const struct panel *p, const struct target *t)
{
	const struct deepar *m = p->model->networks[0];
	struct err why = ERR_INIT;

	return moves(t, m->config.context > 1 ? (size_t)m->config.context : 2) &&
	       deepar_check_target(m, t, p->rule.horizon, &why) == 0;
}

static bool
all_finite(const double *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isfinite(values[i]))
			return false;
	return true;
}

/* The mean over networks for the N requests at PLACES, added into their rows of VALUES. */
static void
ask(struct panel *p, const struct panel_request *requests, const size_t *places, size_t n, double *one, double *values)
{
	size_t cells = p->rule.horizon * p->rule.n_levels;
	struct engine_request asked[PANEL_BATCH];

	for (size_t e = 0; e < p->n_engines; e++) {
		for (size_t i = 0; i < n; i++)
			asked[i] = (struct engine_request){ requests[places[i]].target,
							    random_u64(p->rule.seed, requests[places[i]].noise, e) };
		engine_quantiles(p->engines[e], asked, n, p->rule.horizon, p->rule.levels, p->rule.n_levels, one);
		for (size_t i = 0; i < n; i++)
			for (size_t k = 0; k < cells; k++)
				values[places[i] * cells + k] += one[i * cells + k] / (double)p->n_engines;
	}
}

int
panel_deepar(struct panel *p, const struct panel_request *requests, size_t n, double *values, bool *awake,
	     struct err *err)
{
	size_t cells = p->rule.horizon * p->rule.n_levels, places[PANEL_BATCH], used = 0;
	CLEANUP(heap_free)
	double *one = NULL;

	memset(values, 0, n * cells * sizeof(*values));
	for (size_t i = 0; i < n; i++) {
		awake[i] = p->n_engines && may_ask(p, requests[i].target);
		if (awake[i])
			places[used++] = i;
	}
	if (!used)
		return 0;
	if (!(one = malloc(used * cells * sizeof(*one))))
		return err_set(err, REASON_NO_MEMORY, "forecasts of %zu series", used);
	ask(p, requests, places, used, one, values);
	for (size_t i = 0; i < used; i++)
		awake[places[i]] = all_finite(values + places[i] * cells, cells);
	return 0;
}
