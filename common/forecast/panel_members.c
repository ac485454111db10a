/*
 * panel_members.c -- who sits on the panel: names, and what each counts as long as nothing is known of a class of series.
 *
 * The default prior is a judgement by the public sets of tests/unit/forecast: with a season the two seasonal naive forecasts together
 * are hard to beat and never go wild, regression on lags and smoothing add what they cannot know; of days, weeks and months the season
 * is weak, and the last value and the smoothing models lead.  The last value is a rival to a season at the first step alone.
 */
#include <string.h>

#include "common/base/span.h"
#include "common/forecast/panel_parts.h"

const char *
panel_member_name(enum panel_member m)
{
	return m == PANEL_DEEPAR ? "deepar" : classical_name((enum classical_kind)m);
}

static int
member_find(struct span name, uint32_t *members, struct err *err)
{
	for (int m = 0; m < PANEL_MEMBERS; m++)
		if (span_equal(name, span_of(panel_member_name((enum panel_member)m)))) {
			*members |= 1U << m;
			return 0;
		}
	return err_set(err, REASON_OPTION_INVALID,
		       "'%.*s' is no member: all, or some of last, season, long-season, theta, ets, ridge, deepar",
		       SPAN_ARG(name));
}

int
panel_members_parse(const char *text, uint32_t *members, struct err *err)
{
	uint32_t set = 0;

	if (strcmp(text, "all") == 0) {
		*members = (1U << PANEL_MEMBERS) - 1;
		return 0;
	}
	for (const char *at = text; at; text = at) {
		struct span name;

		at = strchr(text, ',');
		name = (struct span){ text, at ? (size_t)(at++ - text) : strlen(text) };
		while (name.len && *name.ptr == ' ') {
			name.ptr++;
			name.len--;
		}
		while (name.len && name.ptr[name.len - 1] == ' ')
			name.len--;
		if (member_find(name, &set, err) < 0)
			return -1;
	}
	*members = set;
	return 0;
}

/* Parts of a whole, whatever their sum. */
static const float with_season[PANEL_MEMBERS] = {
	[PANEL_SEASON] = 2, [PANEL_LONG_SEASON] = 2, [PANEL_THETA] = 1,
	[PANEL_ETS] = 2,    [PANEL_RIDGE] = 3,       [PANEL_DEEPAR] = 4,
};
/* Days and more: what season there is is weak; business days have hardly one. */
static const float without_season[PANEL_MEMBERS] = {
	[PANEL_LAST] = 3, [PANEL_SEASON] = 1, [PANEL_THETA] = 3, [PANEL_ETS] = 3, [PANEL_RIDGE] = 1, [PANEL_DEEPAR] = 3,
};
#define LAST_AT_FIRST 2.0F /* the last value, at the first step, beside a season */

void
panel_default_prior(const struct panel_rule *rule, struct ensemble_rule *ensemble)
{
	const float *parts =
	    rule->frequency.unit < UNIT_DAY && rule->frequency.season > 1 ? with_season : without_season;

	for (size_t b = 0; b < ensemble->n_buckets; b++) {
		float sum = 0, part[PANEL_MEMBERS];

		for (size_t m = 0; m < PANEL_MEMBERS; m++) {
			part[m] = parts[m];
			if (m == PANEL_LAST && parts == with_season)
				part[m] = b == 0 && ensemble->n_buckets > 1 ? LAST_AT_FIRST : 0;
			sum += part[m];
		}
		for (size_t m = 0; m < PANEL_MEMBERS; m++)
			ensemble->prior[b][m] = part[m] / sum;
	}
}
