/* group_reason.c -- the few columns that matter, then what did not come. */
#include "common/detect/group_reason.h"

#include <math.h>
#include <string.h>

#define TOLD_MAX 3

size_t
group_blame(const struct group_verdict *v, size_t n, struct group_blame *ret)
{
	size_t found = 0;

	for (size_t i = 0; v->explained && v->score > 0 && i < n; i++) {
		double share = (v->shares[i].high + v->shares[i].low) / v->score;
		size_t at = found;

		if (!(share > 0))
			continue;
		for (; at > 0 && ret[at - 1].share < share; at--)
			ret[at] = ret[at - 1];
		ret[at] = (struct group_blame){ i, share < 1 ? share : 1, v->shares[i].high >= v->shares[i].low };
		found++;
	}
	return found;
}

/* TEXT and one column more.  What was expected is told where it can be told from VALUE, and is what it is high or low beside. */
static char *
with_column(char *text, const struct group_circumstances *c, const struct group_blame *b, bool first,
	    struct arena *arena)
{
	double value = c->row[b->column], expected = c->verdict->expected[b->column];
	char *told = arena_printf(arena, "%.5g", value), *other = arena_printf(arena, "%.5g", expected);
	bool compared = told && other && !isnan(expected) && strcmp(told, other) != 0;
	const char *where = (compared ? value > expected : b->high) ? "high" : "low";
	char *head = text && told && other ? arena_printf(arena, "%s%s %.*s %s is %s", text, first ? ":" : ",",
							  SPAN_ARG(c->columns[b->column]), told, where)
					   : NULL;

	if (!head)
		return NULL;
	return compared ? arena_printf(arena, "%s, expected %s (%.0f %%)", head, other, 100 * b->share)
			: arena_printf(arena, "%s (%.0f %%)", head, 100 * b->share);
}

static char *
with_missing(char *text, const struct group_circumstances *c, struct arena *arena)
{
	bool first = true;

	for (size_t i = 0; i < c->n && text; i++) {
		if (isfinite(c->row[i]))
			continue;
		text = arena_printf(arena, "%s%s %.*s", text, first ? "; missing:" : ",", SPAN_ARG(c->columns[i]));
		first = false;
	}
	return text;
}

char *
group_reason_tell(const struct group_circumstances *c, struct arena *arena)
{
	struct group_blame blame[FOREST_COLUMNS_MAX];
	size_t n = group_blame(c->verdict, c->n, blame), told = 0;
	char *text = arena_printf(arena, "%.*s is unusual as a whole", SPAN_ARG(c->name));

	for (size_t i = 0; i < n && told < TOLD_MAX && blame[i].share >= GROUP_TOLD; i++) {
		if (!isfinite(c->row[blame[i].column]))
			continue;
		text = with_column(text, c, &blame[i], told == 0, arena);
		told++;
	}
	return with_missing(text, c, arena);
}
