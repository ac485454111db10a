/* track.c -- see track.h. */
#include "workers/batch-forecaster/track.h"

int
track_copy(void *to, const void *from)
{
	const struct track *t = from;
	struct track *copy = to;

	*copy = *t;
	if (roster_copy(&copy->roster, &t->roster) < 0) {
		*copy = (struct track){ 0 };
		return -1;
	}
	history_copy(&copy->history, &t->history);
	adopted_share(copy->adopted);
	learnt_share(copy->learnt);
	for (size_t b = 0; b < ENSEMBLE_BUCKETS_MAX; b++)
		owed_share(copy->owed[b]);
	return 0;
}

void
track_drop_owed(struct track *t)
{
	for (size_t b = 0; b < ENSEMBLE_BUCKETS_MAX; b++) {
		owed_release(t->owed[b]);
		t->owed[b] = NULL;
	}
}

void
track_forget(struct track *t)
{
	track_drop_owed(t);
	learnt_release(t->learnt);
	t->learnt = NULL;
	t->watch = (struct watch){ 0 };
}

void
track_clear(void *state)
{
	struct track *t = state;

	track_forget(t);
	adopted_release(t->adopted);
	history_clear(&t->history);
	roster_clear(&t->roster);
	*t = (struct track){ 0 };
}
