/* recovery_load.c -- states from PostgreSQL: all at the start, one when its key wakes up; and what to do when they fail us. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/worker/layouts.h"
#include "common/worker/recovery_site.h"

/* No older state either: everything since the key was new, if the log still has it; else the policy decides. */
static int
birth_of(struct worker *w, struct site *s, const struct checkpoint_state *broken, struct vector *positions,
	 const struct err *why, struct err *err)
{
	char subject[300];
	int64_t low;

	for (size_t i = 0; i < w->n_sources; i++)
		if (recovery_log_start(w, s, i, &positions->at[i], err) < 0)
			return -1;
	low = positions->at[0];
	if (broken->born > low)
		positions->at[0] = broken->born;
	if (broken->born >= low)
		return 0;
	if (w->state_opt.recovery_policy == RECOVERY_FAIL)
		return err_set(err, why->reason,
			       "key \"%.*s\": %s; there is no older state, and its records before offset %" PRId64
			       " were deleted (recovery.policy=reset forgets what they said)",
			       SPAN_ARG(broken->key), why->text, low);
	snprintf(subject, sizeof(subject), "%s/%s/%" PRId32 "/%.*s", w->base_group, w->topics[0], s->partition,
		 (int)(broken->key.len < 128 ? broken->key.len : 128), broken->key.ptr);
	return audit_add(w, "state.reset", subject, why->text, err);
}

/* The newest state of the ladder before BROKEN that can be read, into *STATE; *FOUND false: there is none. */
static int
older_state(struct worker *w, struct recovery *r, const struct site *s, const struct checkpoint_state *broken,
	    void *state, struct checkpoint_state *older, bool *found, struct err *err)
{
	int64_t before = broken->positions[0];
	struct err why;

	do {
		why = (struct err)ERR_INIT;
		memset(state, 0, w->spec->state->size);
		if (checkpoint_get_rung(w->store, &s->claim, w->n_sources, broken->key, before, r->arena, older, found,
					err) < 0)
			return -1;
		if (!*found || layouts_decode(w, older->bytes, state, &why) == 0)
			return 0;
		before = older->positions[0];
	} while (layouts_blame_state(&why));
	*err = why;
	return -1;
}

/* A state that cannot be read: an older one, or its birth, and a longer fold. */
static int
replace_broken(struct worker *w, struct recovery *r, struct site *s, const struct checkpoint_state *broken,
	       struct err *why, struct err *err)
{
	struct checkpoint_state older;
	struct state_view v = { .key = broken->key, .born = broken->born, .active_us = broken->active_us };
	struct vector positions = { 0 };
	void *state = calloc(1, w->spec->state->size);
	bool found;

	log_error(LOG_WARN, "a stored state cannot be read; taking an older one", why, "partition", LOG_I(s->partition),
		  "key", LOG_S(arena_copy(r->arena, broken->key).ptr), NULL);
	if (!state)
		return err_set(err, REASON_NO_MEMORY, "states");
	if (older_state(w, r, s, broken, state, &older, &found, err) < 0 ||
	    (!found && birth_of(w, s, broken, &positions, why, err) < 0)) {
		free(state);
		return -1;
	}
	if (found)
		memcpy(positions.at, older.positions, sizeof(older.positions));
	for (size_t i = 0; i < w->n_sources; i++)
		if (positions.at[i] < s->from.at[i])
			s->from.at[i] = positions.at[i] < 0 ? 0 : positions.at[i];
	if (state_restore(w->states, s->partition, &v, state, &positions, true) < 0)
		return err_set(err, REASON_NO_MEMORY, "states");
	return 0;
}

static int
restore(struct worker *w, struct recovery *r, struct site *s, const struct checkpoint_state *stored, struct err *err)
{
	const struct state_view v = { stored->key, NULL, stored->born, stored->active_us };
	struct vector positions = { 0 };
	struct err why = ERR_INIT;
	void *state;

	if ((!stored->bytes.ptr || state_bytes(w->states) > (size_t)w->state_opt.max_bytes) &&
	    !map_get(w->broken, stored->key)) {
		r->sleepers++;
		return state_asleep(w->states, s->partition, stored->key) < 0 ? err_set(err, REASON_NO_MEMORY, "states")
									      : 0;
	}
	r->states++;
	state = calloc(1, w->spec->state->size);
	if (!state)
		return err_set(err, REASON_NO_MEMORY, "states");
	if (layouts_decode(w, stored->bytes, state, &why) < 0) {
		free(state);
		if (!layouts_blame_state(&why)) {
			*err = why;
			return -1;
		}
		return replace_broken(w, r, s, stored, &why, err);
	}
	memcpy(positions.at, stored->positions, sizeof(stored->positions));
	if (state_restore(w->states, s->partition, &v, state, &positions, false) < 0)
		return err_set(err, REASON_NO_MEMORY, "states");
	return 0;
}

static int
load_portion(struct worker *w, struct recovery *r, struct site *s, struct err *err)
{
	struct checkpoint_state *states;
	size_t n;

	if (!r->load && checkpoint_load_open(w->store, &s->claim, w->n_sources,
					     s->claim.active_us - w->state_opt.idle_ms * US_PER_MS, &r->load, err) < 0)
		return -1;
	arena_reset(r->arena);
	if (checkpoint_load_next(r->load, r->arena, &states, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (restore(w, r, s, &states[i], err) < 0)
			return -1;
	if (n == 0) {
		checkpoint_load_free(TAKE(r->load));
		s->loaded = true;
	}
	return 0;
}

int
recovery_load_step(struct worker *w, struct recovery *r, struct err *err)
{
	struct site *s;

	while (r->which < r->n && (r->sites[r->which].loaded || !r->sites[r->which].rebuild))
		r->which++;
	if (r->which == r->n) {
		r->stage = STAGE_OPEN;
		r->loaded_us = clock_monotonic_us();
		return 0;
	}
	s = &r->sites[r->which];
	if (s->claim.fresh || s->claim.reached < 0) {
		s->loaded = true;
		return 0;
	}
	return load_portion(w, r, s, err) < 0
		   ? err_wrap(err, "%s[%" PRId32 "]: loading states", w->topics[0], s->partition)
		   : 0;
}

/* ---- records that are gone ---- */

int
recovery_forget_all(struct worker *w, struct site *s, const char *topic, int64_t low, struct err *err)
{
	struct checkpoint_sources sources = { .n = w->n_sources };
	char subject[300], reason[300];

	for (size_t i = 0; i < w->n_sources; i++)
		sources.names[i] = recovery_source(w, i);
	snprintf(subject, sizeof(subject), "%s/%s/%" PRId32, w->base_group, w->topics[0], s->partition);
	snprintf(reason, sizeof(reason),
		 "%s[%" PRId32 "] begins at offset %" PRId64 ", states stood at %" PRId64 " (%zu loaded, %zu asleep)",
		 topic, s->partition, low, s->from.at[0], state_count(w->states), state_sleepers(w->states));
	if (checkpoint_rewind(w->store, &s->claim, &sources, 0, err) < 0 ||
	    audit_add(w, "state.reset", subject, reason, err) < 0)
		return -1;
	log_event(LOG_WARN, "states were reset", "subject", LOG_S(subject), "reason", LOG_S(reason), NULL);
	state_drop(w->states, s->partition);
	s->from = s->at = s->to;
	return state_stand(w->states, s->partition, &s->to, clock_monotonic_us()) < 0
		   ? err_set(err, REASON_NO_MEMORY, "states")
		   : 0;
}

/* ---- sleepers ---- */

int
recovery_wake(struct worker *w, int32_t partition, struct span key, struct err *err)
{
	const struct claim *claim = claims_find(w, partition);
	struct checkpoint_state stored;
	struct vector positions = { 0 };
	struct err why = ERR_INIT;
	struct state_view v;
	void *state;
	bool found;

	if (!claim)
		return err_set(err, REASON_INTERNAL, "partition %" PRId32 " is not claimed", partition);
	if (checkpoint_get(w->store, &claim->row, w->n_sources, key, w->batch.arena, &stored, &found, err) < 0)
		return err_wrap(err, "waking the state of key \"%.*s\"", SPAN_ARG(key));
	metric_add(w->meters.wakes, 1);
	if (!found) {
		state_unknown(w->states, partition, key);
		return 0;
	}
	state = calloc(1, w->spec->state->size);
	if (!state)
		return err_set(err, REASON_NO_MEMORY, "states");
	if (layouts_decode(w, stored.bytes, state, &why) < 0) {
		free(state);
		if (!layouts_blame_state(&why)) {
			*err = why;
			return err_wrap(err, "waking the state of key \"%.*s\"", SPAN_ARG(key));
		}
		/* Loading all states again will take an older one of this key. */
		if (map_put(w->broken, key, w) < 0)
			return err_set(err, REASON_NO_MEMORY, "states");
		w->rebuild = true;
		return err_set(err, REASON_TRANSACTION_ABORTED, "key \"%.*s\": %s", SPAN_ARG(key), why.text);
	}
	memcpy(positions.at, stored.positions, sizeof(stored.positions));
	v = (struct state_view){ key, NULL, stored.born, stored.active_us };
	if (state_restore(w->states, partition, &v, state, &positions, false) == 0)
		return 0;
	return err_set(err, REASON_NO_MEMORY, "states");
}
