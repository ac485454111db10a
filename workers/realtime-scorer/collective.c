/* collective.c -- first the columns, then the clock, then the verdict. */
#include "workers/realtime-scorer/collective.h"

#include <math.h>
#include <string.h>

const char *const collective_kind_names[COLLECTIVE_KINDS] = { "judged", "outside", "learning",
							      "late",   "ahead",   "repeated" };

static const enum collective_kind kind_of[ORDER_KINDS] = { [ORDER_TAKEN] = COLLECTIVE_JUDGED,
							   [ORDER_LATE] = COLLECTIVE_LATE,
							   [ORDER_AHEAD] = COLLECTIVE_AHEAD,
							   [ORDER_REPEATED] = COLLECTIVE_REPEATED };

int
collective_copy(struct collective *to, const struct collective *from, struct err *err)
{
	*to = *from;
	to->group = NULL;
	to->columns = NULL;
	if (from->group && group_copy(from->group, &to->group, err) < 0)
		return -1;
	to->columns = columns_share(from->columns);
	return 0;
}

void
collective_clear(struct collective *c)
{
	columns_release(c->columns);
	group_free(c->group);
	*c = (struct collective){ 0 };
}

/* A metric that is called like a group would be taken for one. */
static bool
may_be_column(const struct reading_value *v)
{
	const struct span prefix = SPAN(GROUP_PREFIX);

	return v->quality == QUALITY_GOOD &&
	       (v->metric.len < prefix.len || memcmp(v->metric.ptr, prefix.ptr, prefix.len) != 0);
}

/* What of R is in COLUMNS. */
struct fit {
	size_t known, others;
};

/* ROW: NULL, or room for the values. */
static struct fit
fit_of(const struct columns *columns, const struct reading *r, double *row)
{
	struct fit fit = { 0 };

	for (size_t i = 0; row && i < columns_count(columns); i++)
		row[i] = NAN;
	for (size_t i = 0; i < r->n_values; i++) {
		int at = may_be_column(&r->values[i]) ? columns_find(columns, r->values[i].metric) : -1;

		if (at >= 0 && row)
			row[at] = r->values[i].value;
		fit.known += at >= 0;
		fit.others += at < 0 && may_be_column(&r->values[i]);
	}
	return fit;
}

bool
collective_concerns(const struct group_rule *which, const struct reading *r)
{
	struct fit fit = fit_of(which->columns, r, NULL);

	for (size_t i = 0; i < r->n_values; i++)
		if (span_equal(r->values[i].metric, span_of(which->metric)))
			return false; /* the device has a metric of this very name */
	return which->columns ? 2 * fit.known >= columns_count(which->columns) : fit.others > 0;
}

static int
learn_columns(struct collective *c, const struct reading *r, struct err *err)
{
	for (size_t i = 0; i < r->n_values; i++) {
		struct columns *wider;

		if (!may_be_column(&r->values[i]) || columns_find(c->columns, r->values[i].metric) >= 0 ||
		    columns_count(c->columns) == FOREST_COLUMNS_MAX)
			continue;
		if (columns_with(c->columns, r->values[i].metric, &wider, err) < 0)
			return -1;
		columns_release(c->columns);
		c->columns = wider;
	}
	c->learning++;
	return 0;
}

static void
forget_columns(struct collective *c)
{
	columns_release(c->columns);
	c->columns = NULL;
	c->learning = c->odd = 0;
}

/* The group for the columns that there are now, its forest unlearnt. */
static int
begin(struct collective *c, const struct group_options *o, uint64_t key, struct err *err)
{
	return c->group ? group_renew(c->group, o, key, err) : group_new(o, key, &c->group, err);
}

/* The configuration says which columns there are. */
static int
follow(struct collective *c, const struct group_rule *which, struct group_options *o, uint64_t key, struct err *err)
{
	bool same = columns_equal(c->columns, which->columns);

	o->forest.columns = (int)columns_count(which->columns);
	if (!same || c->learning) {
		forget_columns(c);
		c->columns = columns_share(which->columns);
	}
	return same && c->group && group_fits(c->group, o) ? 0 : begin(c, o, key, err);
}

/* The device says which columns there are.  False in *READY: it has not said it yet, or R does not fit. */
static int
listen(struct collective *c, struct group_options *o, uint64_t key, const struct reading *r, enum collective_kind *kind,
       struct err *err)
{
	struct fit fit = fit_of(c->columns, r, NULL);
	bool odd =
	    c->learning == COLLECTIVE_LEARN && (2 * fit.known < columns_count(c->columns) ||
						(fit.others > 0 && columns_count(c->columns) < FOREST_COLUMNS_MAX));

	c->odd = odd ? c->odd + 1 : 0;
	if (c->odd >= COLLECTIVE_ODD || (c->learning == 0 && c->columns))
		forget_columns(c);
	*kind = COLLECTIVE_LEARNING;
	if (c->learning < COLLECTIVE_LEARN) {
		if (learn_columns(c, r, err) < 0)
			return -1;
		o->forest.columns = (int)columns_count(c->columns);
		return c->learning < COLLECTIVE_LEARN || columns_count(c->columns) < 2 ? 0 : begin(c, o, key, err);
	}
	o->forest.columns = (int)columns_count(c->columns);
	*kind = columns_count(c->columns) < 2 || 2 * fit.known < columns_count(c->columns) ? COLLECTIVE_OUTSIDE
											   : COLLECTIVE_JUDGED;
	return *kind != COLLECTIVE_JUDGED || (c->group && group_fits(c->group, o)) ? 0 : begin(c, o, key, err);
}

int
collective_add(struct collective *c, const struct collective_rule *rule, const struct group_rule *which, uint64_t key,
	       const struct reading *r, struct collective_score *ret, struct err *err)
{
	struct group_options o = rule->group;

	ret->kind = kind_of[order_add(&c->order, &rule->order, r->event_us)];
	if (ret->kind != COLLECTIVE_JUDGED)
		return 0;
	if (which->columns ? follow(c, which, &o, key, err) < 0 : listen(c, &o, key, r, &ret->kind, err) < 0)
		return -1;
	if (ret->kind != COLLECTIVE_JUDGED)
		return 0;
	fit_of(c->columns, r, ret->row);
	ret->columns = c->columns;
	group_fetch(c->group);
	return group_add(c->group, &o, ret->row, r->event_us, &ret->verdict, err);
}
