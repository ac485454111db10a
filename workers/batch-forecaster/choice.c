/* choice.c -- see choice.h. */
#include "workers/batch-forecaster/choice.h"

static enum library_fit
fit_of(struct library *l, const struct panel_rule *rule, struct span name, struct span version)
{
	return library_fit(l, name, version, &rule->frequency, rule->horizon);
}

/* Versions of the same model that are used NOW, as far as they can be; *RET stays as it is where none can. */
static void
go_on_with(struct library *l, const struct panel_rule *rule, const struct adopted_parts *now, struct adopted_parts *ret)
{
	const struct span none = { "", 0 };
	enum library_fit serving = fit_of(l, rule, now->name, now->serving),
			 rival = fit_of(l, rule, now->name, now->rival);
	const struct adopted_parts left = { now->name,
					    serving == LIBRARY_FITS || serving == LIBRARY_AWAY ? now->serving : none,
					    rival == LIBRARY_FITS || rival == LIBRARY_AWAY ? now->rival : none };

	if (left.serving.len || (left.rival.len && !now->serving.len))
		*ret = left;
}

/* Is VERSION one that the entry names, or none? */
static bool
known(struct span version, struct span live, struct span canary)
{
	return !version.len || span_equal(version, live) || span_equal(version, canary);
}

/* What one entry of the roster means for a device.  False: nothing. */
static bool
consider(struct library *l, const struct panel_rule *rule, const struct roster_entry *e, struct span device,
	 const struct adopted_parts *now, struct adopted_parts *ret)
{
	const struct span none = { "", 0 }, name = { e->name, e->name_len };
	const struct span live = { e->live, e->live_len }, canary = { e->canary, e->canary_len };
	enum library_fit of_live = fit_of(l, rule, name, live), of_canary = fit_of(l, rule, name, canary);
	bool stay = of_live == LIBRARY_AWAY || of_live == LIBRARY_LOST ||
		    (of_canary == LIBRARY_AWAY && known(now->serving, live, canary) && known(now->rival, live, canary));

	*ret = (struct adopted_parts){ name, of_live == LIBRARY_FITS ? live : none,
				       of_canary == LIBRARY_FITS ? canary : none };
	if (of_canary == LIBRARY_FITS && model_in_share(device, e->share))
		*ret = (struct adopted_parts){ name, ret->rival, ret->serving };
	if (stay && span_equal(name, now->name))
		go_on_with(l, rule, now, ret);
	return ret->serving.len || ret->rival.len;
}

int
choose(struct library *l, const struct forecast_plan *plan, const struct roster *r, int64_t step_us, struct span device,
       struct adopted *now, struct adopted **ret, struct err *err)
{
	const struct adopted_parts used = adopted_parts(now);
	struct adopted_parts parts;
	bool trained;
	struct panel_rule rule = plan_rule(plan, step_us, &trained);

	*ret = NULL;
	if (!trained || !library_open(l))
		return 0;
	for (size_t i = 0; i < r->n; i++) {
		if (!consider(l, &rule, &r->entries[i], device, &used, &parts))
			continue;
		if (adopted_new(&parts, ret, err) < 0)
			return -1;
		if (span_equal(adopted_text(*ret), adopted_text(now))) {
			adopted_release(*ret);
			*ret = adopted_share(now);
		}
		return 0;
	}
	return 0;
}
