/*
 * state.c -- a track's image: the points that its history sees, wherever they lie and whoever else sees them; weights, shifts and
 * owed steps without the room that they do not use.  What is read back is checked for all that divisions, indices and times rest
 * on.
 */
#include "workers/batch-forecaster/state.h"

#include <math.h>

#include "common/record/shape.h"
#include "workers/batch-forecaster/track.h"

struct track_flat {
	double *values;
	size_t n;
	int64_t end_us, step_us;
	uint64_t unit;
	int64_t ingest_us, forgotten;
	bool pending;
	char *adopted;
	size_t adopted_len;
	struct learnt_flat *learnt;
	struct owed_flat *owed;
	size_t n_owed;
	struct watch *watch;
	struct roster_entry *roster;
	size_t n_roster;
};

static const struct image_member learnt_members[] = {
	IMAGE_FIELD(struct learnt_flat, size.buckets, IMAGE_U32),
	IMAGE_FIELD(struct learnt_flat, size.levels, IMAGE_U32),
	IMAGE_FIELD(struct learnt_flat, size.members, IMAGE_U32),
	IMAGE_LIST_OF(struct learnt_flat, numbers, n_numbers, IMAGE_F32),
	IMAGE_LIST_OF(struct learnt_flat, seen, n_seen, IMAGE_U32),
};
static const struct image_table learnt_table = IMAGE_TABLE(struct learnt_flat, learnt_members);

static const struct image_member owed_members[] = {
	IMAGE_FIELD(struct owed_flat, bucket, IMAGE_U32),
	IMAGE_FIELD(struct owed_flat, origin_us, IMAGE_I64),
	IMAGE_FIELD(struct owed_flat, start_us, IMAGE_I64),
	IMAGE_FIELD(struct owed_flat, step, IMAGE_U32),
	IMAGE_FIELD(struct owed_flat, awake, IMAGE_U32),
	IMAGE_FIELD(struct owed_flat, levels, IMAGE_U32),
	IMAGE_FIELD(struct owed_flat, scale, IMAGE_F64),
	IMAGE_FIELD(struct owed_flat, base, IMAGE_F64),
	IMAGE_FIELD(struct owed_flat, has_rival, IMAGE_BOOL),
	IMAGE_LIST_OF(struct owed_flat, versions, versions_len, IMAGE_CHAR),
	IMAGE_LIST_OF(struct owed_flat, numbers, n_numbers, IMAGE_F32),
};
static const struct image_table owed_table = IMAGE_TABLE(struct owed_flat, owed_members);

static const struct image_member watch_members[] = {
	IMAGE_FIELD(struct watch, test.n, IMAGE_U32),    IMAGE_FIELD(struct watch, test.mean, IMAGE_F64),
	IMAGE_FIELD(struct watch, test.sum, IMAGE_F64),  IMAGE_ARRAY_OF(struct watch, means, IMAGE_F64),
	IMAGE_ARRAY_OF(struct watch, counts, IMAGE_U32),
};
static const struct image_table watch_table = IMAGE_TABLE(struct watch, watch_members);

static const struct image_member entry_members[] = {
	IMAGE_LIST_OF(struct roster_entry, name, name_len, IMAGE_CHAR),
	IMAGE_LIST_OF(struct roster_entry, live, live_len, IMAGE_CHAR),
	IMAGE_LIST_OF(struct roster_entry, canary, canary_len, IMAGE_CHAR),
	IMAGE_FIELD(struct roster_entry, share, IMAGE_F64),
};
static const struct image_table entry_table = IMAGE_TABLE(struct roster_entry, entry_members);

static const struct image_member track_members[] = {
	IMAGE_LIST_OF(struct track_flat, values, n, IMAGE_F64),
	IMAGE_FIELD(struct track_flat, end_us, IMAGE_I64),
	IMAGE_FIELD(struct track_flat, step_us, IMAGE_I64),
	IMAGE_FIELD(struct track_flat, unit, IMAGE_U64),
	IMAGE_FIELD(struct track_flat, ingest_us, IMAGE_I64),
	IMAGE_FIELD(struct track_flat, forgotten, IMAGE_I64),
	IMAGE_FIELD(struct track_flat, pending, IMAGE_BOOL),
	IMAGE_LIST_OF(struct track_flat, adopted, adopted_len, IMAGE_CHAR),
	IMAGE_NESTED_OPTIONAL(struct track_flat, learnt, learnt_table),
	IMAGE_NESTED_LIST(struct track_flat, owed, n_owed, owed_table),
	IMAGE_NESTED_OPTIONAL(struct track_flat, watch, watch_table),
	IMAGE_NESTED_LIST(struct track_flat, roster, n_roster, entry_table),
};
static const struct image_table track_table = IMAGE_TABLE(struct track_flat, track_members);
static const struct image_type track_image = IMAGE_TYPE("series_state", 2, track_table);

/* Room for what a flat track points to. */
struct parts {
	struct learnt_flat learnt;
	struct owed_flat owed[ENSEMBLE_BUCKETS_MAX];
	struct watch watch;
};

/* Nothing was judged yet: most of the counts are 0. */
static bool
watches(const struct watch *w)
{
	for (size_t b = 0; b < ENSEMBLE_BUCKETS_MAX; b++)
		if (w->counts[b])
			return true;
	return false;
}

static void
lay_history(const struct history *h, struct track_flat *f)
{
	f->ingest_us = h->ingest_us;
	f->pending = h->pending;
	if (!h->n)
		return;
	f->values = (double *)history_values(h); /* to be read only */
	f->n = h->n;
	f->end_us = h->end_us;
	f->step_us = h->step_us;
	f->unit = h->unit;
	f->forgotten = h->forgotten;
}

/* Values, texts and numbers stay T's. */
static struct track_flat
laid_out(const struct track *t, struct parts *parts)
{
	struct track_flat f = { .roster = t->roster.entries, .n_roster = t->roster.n };

	lay_history(&t->history, &f);
	if (t->adopted) {
		f.adopted = (char *)adopted_text(t->adopted).ptr; /* to be read only */
		f.adopted_len = adopted_text(t->adopted).len;
	}
	if (t->learnt) {
		parts->learnt = learnt_lay(t->learnt);
		f.learnt = &parts->learnt;
	}
	for (size_t b = 0; b < ENSEMBLE_BUCKETS_MAX; b++)
		if (t->owed[b])
			parts->owed[f.n_owed++] = owed_lay(t->owed[b], (uint32_t)b);
	f.owed = f.n_owed ? parts->owed : NULL;
	if (watches(&t->watch)) {
		parts->watch = t->watch;
		f.watch = &parts->watch;
	}
	return f;
}

static size_t
state_bytes(const void *state)
{
	struct parts parts;
	const struct track_flat f = laid_out(state, &parts);

	return image_bytes(&track_image, &f);
}

static int
state_encode(const void *state, struct buffer *out)
{
	struct parts parts;
	const struct track_flat f = laid_out(state, &parts);

	return image_write(&track_image, &f, out);
}

static bool
in_time(int64_t time_us)
{
	return time_us >= TIME_MIN_US && time_us <= TIME_MAX_US;
}

static int
check_history(const struct track_flat *f, struct err *err)
{
	if (f->n && (f->step_us <= 0 || !in_time(f->end_us)))
		return err_set(err, REASON_STATE_CORRUPT, "history: ends at %lld us with steps of %lld us",
			       (long long)f->end_us, (long long)f->step_us);
	if (!in_time(f->ingest_us))
		return err_set(err, REASON_STATE_CORRUPT, "history: ingested at %lld us", (long long)f->ingest_us);
	if (f->forgotten < 0 || f->forgotten > TIME_MAX_US)
		return err_set(err, REASON_STATE_CORRUPT, "history: %lld points before the first",
			       (long long)f->forgotten);
	for (size_t i = 0; i < f->n; i++)
		if (isinf(f->values[i]))
			return err_set(err, REASON_STATE_CORRUPT, "history: values[%zu] is not finite", i);
	return 0;
}

static int
check_watch(const struct watch *w, struct err *err)
{
	bool sound = isfinite(w->test.mean) && isfinite(w->test.sum);

	for (size_t b = 0; b < ENSEMBLE_BUCKETS_MAX; b++)
		sound = sound && isfinite(w->means[b]) && w->means[b] >= 0;
	return sound ? 0 : err_set(err, REASON_STATE_CORRUPT, "drift: a mean that is none");
}

static int
restore_history(const struct track_flat *f, struct history *h, struct err *err)
{
	if (history_restore(h, f->values, f->n, err) < 0)
		return -1;
	h->end_us = f->end_us;
	h->step_us = f->step_us;
	h->unit = f->unit;
	h->ingest_us = f->ingest_us;
	h->forgotten = f->forgotten;
	h->pending = f->pending;
	return 0;
}

static int
restore_owed(const struct track_flat *f, struct track *t, struct err *err)
{
	for (size_t i = 0; i < f->n_owed; i++) {
		struct owed *o;

		if (owed_restore(&f->owed[i], &o, err) < 0)
			return -1;
		if (t->owed[f->owed[i].bucket]) {
			owed_release(o);
			return err_set(err, REASON_STATE_CORRUPT, "two steps owed in part %u of the horizon",
				       f->owed[i].bucket);
		}
		t->owed[f->owed[i].bucket] = o;
	}
	return 0;
}

static int
restore(const struct track_flat *f, struct track *t, struct err *err)
{
	const struct roster told = { f->roster, f->n_roster };

	if (check_history(f, err) < 0 || (f->watch && check_watch(f->watch, err) < 0) || roster_check(&told, err) < 0 ||
	    restore_history(f, &t->history, err) < 0 ||
	    adopted_read((struct span){ f->adopted, f->adopted_len }, &t->adopted, err) < 0 ||
	    (f->learnt && learnt_restore(f->learnt, &t->learnt, err) < 0) || restore_owed(f, t, err) < 0)
		return -1;
	if (f->watch)
		t->watch = *f->watch;
	return roster_copy(&t->roster, &told) < 0 ? err_set(err, REASON_NO_MEMORY, "models") : 0;
}

static int
state_decode(struct span bytes, void *state, struct err *err)
{
	struct track *t = state;
	struct track_flat f;
	int result;

	if (image_read(&track_image, bytes, &f, err) < 0)
		return -1;
	result = restore(&f, t, err);
	image_clear(&track_image, &f);
	if (result < 0)
		track_clear(t);
	return result;
}

const struct state_type forecaster_state = {
	.size = sizeof(struct track),
	.copy = track_copy,
	.clear = track_clear,
	.bytes = state_bytes,
	.encode = state_encode,
	.decode = state_decode,
	.image = &track_image,
};
