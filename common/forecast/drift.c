/*
 * drift.c -- Page-Hinkley: E. S. Page, "Continuous inspection schemes", Biometrika 41, 1954, with forgetting.
 *
 * How far values have run above their own mean lately, less an allowance: g = max(0, alpha * g + x - mean - delta).  Losses that
 * stay as they were let g hang near zero; losses that have grown let it climb by the growth, every step.
 */
#include "common/forecast/drift.h"

#include <math.h>

bool
page_hinkley_add(struct page_hinkley *p, const struct page_hinkley_rule *rule, double value)
{
	if (!isfinite(value))
		return false;
	if (p->n < UINT32_MAX) /* from there on the mean forgets */
		p->n++;
	p->mean += (value - p->mean) / (double)p->n;
	p->sum = fmax(0, rule->alpha * p->sum + value - p->mean - rule->delta);
	if (p->n < rule->least || p->sum < rule->threshold)
		return false;
	*p = (struct page_hinkley){ 0 };
	return true;
}
