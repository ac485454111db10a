/*
 * state_ahead.c -- memory that will be wanted is asked for before it is.
 *
 * With many keys a state is in no cache when its record comes: finding it, reading it and putting it aside would each wait for memory
 * again and again.  Nothing says which record comes next; but devices tend to speak in the order in which they spoke the last time,
 * and that is the order of the list of all entries.  So when an entry is asked for, those behind it are fetched, each in three steps, as
 * what is to be fetched is only known from what has been.  Whether the order holds is watched: a few hundred successors that were
 * expected last are remembered, by address alone.  Where it does not hold, all of the one entry is fetched at once.
 */
#include "common/worker/state_shelf.h"

#define LINE_BYTES ((size_t)64)
#define STATE_MAX ((size_t)2048)                           /* of a state */
enum { AHEAD_OWNED = 2, AHEAD_STATE = 4, AHEAD_HEAD = 6 }; /* places in the list */
enum { LUCK_ENOUGH = 16, LUCK_MAX = 32 };

static void
fetch(const void *from, size_t bytes)
{
	for (size_t at = 0; at < bytes; at += LINE_BYTES)
		__builtin_prefetch((const char *)from + at);
}

static void
fetch_state(const struct state_table *t, const struct entry *e)
{
	fetch(e->now, t->type->size < STATE_MAX ? t->type->size : STATE_MAX);
}

static void
fetch_followers(const struct state_table *t, const struct entry *e)
{
	const struct entry *next = e->younger;

	for (int step = 1; next && step < AHEAD_HEAD; step++, next = next->younger)
		if (step == AHEAD_STATE) {
			index_fetch(&next->shelf->entries, next->hash);
			fetch_state(t, next);
		} else if (step == AHEAD_OWNED && t->type->fetch) {
			t->type->fetch(next->now);
		}
	if (next)
		fetch(next, sizeof(*next) + LINE_BYTES); /* with its key */
}

static const struct entry **
place_of(struct state_ahead *a, const struct entry *e)
{
	return &a->expected[((uintptr_t)e / LINE_BYTES) % STATE_EXPECTED];
}

void
ahead_of(struct state_table *t, const struct entry *e)
{
	struct state_ahead *a = &t->ahead;

	if (*place_of(a, e) == e)
		a->luck += a->luck < LUCK_MAX;
	else
		a->luck -= a->luck > 0;
	if (e->younger)
		*place_of(a, e->younger) = e->younger;
	if (a->luck >= LUCK_ENOUGH) {
		fetch_followers(t, e);
	} else if (e->transaction != t->transaction) {
		fetch_state(t, e);
		fetch(e->older, LINE_BYTES * 2);
		fetch(e->younger, LINE_BYTES * 2);
		if (t->type->fetch)
			t->type->fetch(e->now);
	}
}
