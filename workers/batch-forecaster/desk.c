/* desk.c -- see desk.h. */
#include "workers/batch-forecaster/desk.h"

#include <stdlib.h>

static void
desk_free(struct desks *all, struct desk *d)
{
	panel_free(d->panel);
	panel_free(d->rival);
	for (size_t i = 0; i < ARRAY_LEN(d->books); i++)
		library_give_back(all->library, d->books[i]);
	adopted_release(d->versions);
	free(d);
}

/* The model of one version, if it is for this step and horizon. */
static int
take(struct desks *all, const struct panel_rule *rule, bool trained, struct span name, struct span version,
     struct book **ret, struct err *err)
{
	const struct deepar_config *c;

	*ret = NULL;
	if (!version.len || !trained || !library_open(all->library))
		return 0;
	if (library_take(all->library, name, version, ret, err) < 0)
		return -1;
	c = &(*ret)->artefact.networks[0]->config;
	if (strcmp(c->frequency.name, rule->frequency.name) == 0 && (size_t)c->horizon >= rule->horizon)
		return 0;
	library_give_back(all->library, *ret);
	*ret = NULL;
	return 0;
}

static int
desk_fill(struct desks *all, struct desk *d, struct err *err)
{
	struct adopted_parts parts = adopted_parts(d->versions);
	bool trained;
	struct panel_rule rule = plan_rule(all->plan, d->step_us, &trained), alone = rule;
	const struct ensemble_rule *e;

	alone.members = 1U << PANEL_DEEPAR;
	alone.calibrate = false;
	if (take(all, &rule, trained, parts.name, parts.serving, &d->books[0], err) < 0 ||
	    take(all, &rule, trained, parts.name, parts.rival, &d->books[1], err) < 0 ||
	    panel_new(&rule, d->books[0] ? &d->books[0]->artefact : NULL, NULL, &d->panel, err) < 0 ||
	    (d->books[1] && panel_new(&alone, &d->books[1]->artefact, NULL, &d->rival, err) < 0))
		return -1;
	e = panel_ensemble(d->panel);
	d->size = (struct learnt_size){ (uint32_t)e->n_buckets, (uint32_t)e->n_levels, (uint32_t)e->n_members };
	d->serves = d->books[0];
	return 0;
}

static int
desk_new(struct desks *all, int64_t step_us, struct adopted *versions, struct desk **ret, struct err *err)
{
	struct desk *d = calloc(1, sizeof(*d));

	if (!d)
		return err_set(err, REASON_NO_MEMORY, "panel");
	d->step_us = step_us;
	d->versions = adopted_share(versions);
	if (desk_fill(all, d, err) < 0) {
		desk_free(all, d);
		return -1;
	}
	*ret = d;
	return 0;
}

int
desks_get(struct desks *d, int64_t step_us, struct adopted *versions, struct desk **ret, struct err *err)
{
	size_t oldest = 0;
	struct desk *made = NULL;

	for (size_t i = 0; i < d->n; i++) {
		struct desk *at = d->desks[i];

		if (at->step_us == step_us && span_equal(adopted_text(at->versions), adopted_text(versions))) {
			at->used = ++d->clock;
			*ret = at;
			return 0;
		}
		if (at->used < d->desks[oldest]->used)
			oldest = i;
	}
	if (desk_new(d, step_us, versions, &made, err) < 0)
		return -1;
	if (d->n < DESKS_MAX) {
		d->desks[d->n++] = made;
	} else {
		desk_free(d, d->desks[oldest]);
		d->desks[oldest] = made;
	}
	made->used = ++d->clock;
	*ret = made;
	return 0;
}

void
desks_clear(struct desks *d)
{
	while (d->n)
		desk_free(d, d->desks[--d->n]);
}

int64_t
desk_owed_step(const struct desk *d, size_t horizon, size_t bucket)
{
	const struct ensemble_rule *rule = panel_ensemble(d->panel);
	size_t from, to;

	if (bucket >= rule->n_buckets || rule->edges[bucket] >= horizon)
		return -1;
	from = rule->edges[bucket];
	to = bucket + 1 < rule->n_buckets && rule->edges[bucket + 1] < horizon ? rule->edges[bucket + 1] : horizon;
	return (int64_t)(from + (to - from) / 2);
}
