/* counter.c -- see counter.h. */
#include "tests/unit/worker/counter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int
counter_copy(void *to, const void *from)
{
	const struct counter *f = from;
	struct counter *t = to;

	t->n = NULL;
	if (f->n) {
		t->n = malloc(sizeof(int));
		*t->n = *f->n;
	}
	return 0;
}

static void
counter_clear(void *state)
{
	free(((struct counter *)state)->n);
}

static size_t
counter_bytes(const void *state)
{
	const struct counter *c = state;

	return c->n ? (size_t)*c->n : 0;
}

const struct state_type counter_copied = {
	.size = sizeof(struct counter), .copy = counter_copy, .clear = counter_clear, .bytes = counter_bytes
};
/* The same, put aside without a copy. */
static size_t
counter_room(const void *state)
{
	return ((const struct counter *)state)->n ? sizeof(int) : 0;
}

static void
counter_save(const void *state, void *to)
{
	const struct counter *c = state;

	memcpy(to, c, sizeof(*c));
	if (c->n)
		memcpy((char *)to + sizeof(*c), c->n, sizeof(int));
}

static void
counter_restore(void *state, const void *saved)
{
	struct counter *c = state, was;

	memcpy(&was, saved, sizeof(was));
	if (was.n)
		memcpy(c->n, (const char *)saved + sizeof(was), sizeof(int));
	else
		counter_clear(c), c->n = NULL;
}

const struct state_type counter_saved = { .size = sizeof(struct counter),
					  .copy = counter_copy,
					  .clear = counter_clear,
					  .room = counter_room,
					  .save = counter_save,
					  .restore = counter_restore,
					  .bytes = counter_bytes };

int
counter_fold(struct state_table *t, int32_t partition, int64_t offset, const char *key, int amount)
{
	struct counter *c;
	void *state;

	state_call_begin(t, partition, 0, offset, offset * 1000);
	switch (state_get(t, span_of(key), &state)) {
	case STATE_HERE: break;
	case STATE_ASLEEP: return 0;
	case STATE_NO_MEMORY: fail_msg("no memory");
	}
	c = state;
	if (!c->n)
		c->n = calloc(1, sizeof(int));
	return *c->n += amount;
}
