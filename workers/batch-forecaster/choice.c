/* choice.c -- see choice.h. */
#include "workers/batch-forecaster/choice.h"

#include <stdio.h>

#include "common/base/log.h"

enum fit {
	FITS,
	UNFIT,   /* there is none, or it is for other series */
	NOT_NOW, /* it cannot be used, and perhaps later */
};

static enum fit
fit_of(struct library *l, const struct panel_rule *rule, struct span name, struct span version)
{
	char text[2 * ADOPTED_PART_BYTES + 2];
	struct library_card *c;

	if (!version.len)
		return UNFIT;
	c = library_look(l, name, version);
	if (!c || c->broken)
		return NOT_NOW;
	if (strcmp(c->frequency, rule->frequency.name) != 0)
		return UNFIT;
	if ((size_t)c->horizon >= rule->horizon)
		return FITS;
	if (!c->told) {
		c->told = true;
		snprintf(text, sizeof(text), "%.*s/%.*s", SPAN_ARG(name), SPAN_ARG(version));
		log_event(LOG_WARN, "a model does not reach as far as horizon.steps", "model", LOG_S(text), "reaches",
			  LOG_I(c->horizon), "wanted", LOG_I((int64_t)rule->horizon), NULL);
	}
	return UNFIT;
}

/* What one entry of the roster means for a device.  False: nothing. */
static bool
consider(struct library *l, const struct panel_rule *rule, const struct roster_entry *e, struct span device,
	 struct span mine, struct adopted_parts *ret, bool *stay)
{
	const struct span none = { "", 0 }, name = { e->name, e->name_len };
	const struct span live = { e->live, e->live_len }, canary = { e->canary, e->canary_len };
	enum fit of_live = fit_of(l, rule, name, live), of_canary = fit_of(l, rule, name, canary);
	bool chosen = of_canary == FITS && roster_in_share(device, e->share);

	*stay = span_equal(name, mine) && (of_live == NOT_NOW || of_canary == NOT_NOW);
	if (*stay)
		return true;
	*ret = (struct adopted_parts){ name, of_live == FITS ? live : none, of_canary == FITS ? canary : none };
	if (chosen)
		*ret = (struct adopted_parts){ name, ret->rival, ret->serving };
	return ret->serving.len || ret->rival.len;
}

int
choose(struct library *l, const struct forecast_plan *plan, const struct roster *r, int64_t step_us, struct span device,
       struct adopted *now, struct adopted **ret, struct err *err)
{
	const struct span mine = adopted_parts(now).name;
	struct adopted_parts parts;
	bool trained, stay = false;
	struct panel_rule rule = plan_rule(plan, step_us, &trained);

	*ret = NULL;
	if (!trained || !library_open(l))
		return 0;
	for (size_t i = 0; i < r->n; i++) {
		if (!consider(l, &rule, &r->entries[i], device, mine, &parts, &stay))
			continue;
		if (!stay && adopted_new(&parts, ret, err) < 0)
			return -1;
		if (stay || span_equal(adopted_text(*ret), adopted_text(now))) {
			adopted_release(*ret);
			*ret = adopted_share(now);
		}
		return 0;
	}
	return 0;
}
