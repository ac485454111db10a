/* cut.c -- times ascend with a series' values, whatever its frequency: what is asked is found by halving. */
#include "common/forecast/cut.h"

#define STEPS_MAX ((size_t)1 << 40)

/* Steps from START_US to the first that is not before END_US. */
static size_t
steps_between(const struct frequency *f, int64_t start_us, int64_t end_us)
{
	size_t low = 0, high = 1;

	while (high < STEPS_MAX && frequency_time(f, start_us, (int64_t)high) < end_us)
		high *= 2;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (frequency_time(f, start_us, (int64_t)middle) < end_us)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int64_t
end_of(const struct frequency *f, const struct target *t)
{
	return frequency_time(f, t->start_us, (int64_t)t->n);
}

void
cut_init(struct cut *c, const struct frequency *f, const struct target *targets, size_t n)
{
	const struct target *first = NULL;

	*c = (struct cut){ .frequency = f };
	for (size_t i = 0; i < n; i++) {
		const struct target *t = &targets[i];

		if (!t->n)
			continue;
		if (!first || t->start_us < first->start_us)
			first = t;
		if (!c->last || end_of(f, t) > end_of(f, c->last))
			c->last = t;
	}
	if (first)
		c->span = steps_between(f, first->start_us, end_of(f, c->last));
}

int64_t
cut_border(const struct cut *c, size_t steps)
{
	return frequency_time(c->frequency, c->last->start_us,
			      (int64_t)c->last->n - (int64_t)(steps < c->span ? steps : c->span));
}

size_t
cut_from(const struct cut *c, const struct target *t, int64_t border_us)
{
	size_t low = 0, high = t->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (frequency_time(c->frequency, t->start_us, (int64_t)middle) < border_us)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t
cut_before(const struct cut *c, const struct target *t, int64_t border_us)
{
	size_t from = cut_from(c, t, border_us);

	/* In steps of another phase the border lies within a value: it is not over. */
	if (from > 0 && frequency_time(c->frequency, t->start_us, (int64_t)from) > border_us)
		return from - 1;
	return from;
}
