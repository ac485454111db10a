/* window.c -- two arrays that grow by doubling and are kept from window to window. */
#include "common/series/window.h"

#include <stdlib.h>
#include <string.h>

#define LEAST_STEPS 16

int
window_copy(struct window *copy, const struct window *w)
{
	*copy = *w;
	copy->cap = w->n;
	copy->values = NULL;
	copy->flags = NULL;
	if (!w->n)
		return 0;
	copy->values = malloc(w->n * sizeof(*copy->values));
	copy->flags = malloc(w->n);
	if (!copy->values || !copy->flags)
		return -1;
	memcpy(copy->values, w->values, w->n * sizeof(*copy->values));
	memcpy(copy->flags, w->flags, w->n);
	return 0;
}

void
window_clear(struct window *w)
{
	free(w->values);
	free(w->flags);
	*w = (struct window){ 0 };
}

static int
grow(struct window *w)
{
	size_t cap = w->cap < LEAST_STEPS ? LEAST_STEPS : w->cap * 2;
	double *values = realloc(w->values, cap * sizeof(*values));
	uint8_t *flags;

	if (!values)
		return -1;
	w->values = values;
	flags = realloc(w->flags, cap);
	if (!flags)
		return -1;
	w->flags = flags;
	w->cap = cap;
	return 0;
}

int
window_append(struct window *w, const struct step *s, double value)
{
	if (w->n == w->cap && grow(w) < 0)
		return -1;
	if (!w->n)
		w->first = s->number;
	w->values[w->n] = value;
	w->flags[w->n] = s->flags;
	w->n++;
	moments_merge(&w->readings, &s->readings);
	tally_add(&w->tally, &s->tally);
	return 0;
}

bool
window_full(const struct window *w, const struct window_rule *rule)
{
	return w->n && w->first + (int64_t)w->n >= calendar_window_end(rule, w->first);
}

void
window_next(struct window *w)
{
	w->sequence++;
	w->n = 0;
	w->readings = (struct moments){ 0 };
	w->tally = (struct tally){ 0 };
}
