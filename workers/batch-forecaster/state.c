/*
 * state.c -- a history's image: the points that it sees, wherever they lie and whoever else sees them, and what is known of
 * them.  What is read back is checked for all that divisions and times rest on.
 */
#include "workers/batch-forecaster/state.h"

#include <math.h>

#include "common/record/shape.h"
#include "workers/batch-forecaster/history.h"

struct history_flat {
	double *values;
	size_t n;
	int64_t end_us, step_us;
	uint64_t unit;
	int64_t ingest_us;
	bool pending;
};

static const struct image_member history_members[] = {
	IMAGE_LIST_OF(struct history_flat, values, n, IMAGE_F64), IMAGE_FIELD(struct history_flat, end_us, IMAGE_I64),
	IMAGE_FIELD(struct history_flat, step_us, IMAGE_I64),     IMAGE_FIELD(struct history_flat, unit, IMAGE_U64),
	IMAGE_FIELD(struct history_flat, ingest_us, IMAGE_I64),   IMAGE_FIELD(struct history_flat, pending, IMAGE_BOOL),
};
static const struct image_table history_table = IMAGE_TABLE(struct history_flat, history_members);
static const struct image_type history_image = IMAGE_TYPE("history", 1, history_table);

/* Its values stay H's. */
static struct history_flat
laid_out(const struct history *h)
{
	struct history_flat f = { .ingest_us = h->ingest_us, .pending = h->pending };

	if (!h->n)
		return f;
	f.values = (double *)history_values(h); /* to be read only */
	f.n = h->n;
	f.end_us = h->end_us;
	f.step_us = h->step_us;
	f.unit = h->unit;
	return f;
}

static size_t
state_bytes(const void *state)
{
	const struct history_flat f = laid_out(state);

	return image_bytes(&history_image, &f);
}

static int
state_encode(const void *state, struct buffer *out)
{
	const struct history_flat f = laid_out(state);

	return image_write(&history_image, &f, out);
}

static bool
in_time(int64_t time_us)
{
	return time_us >= TIME_MIN_US && time_us <= TIME_MAX_US;
}

static int
check(const struct history_flat *f, struct err *err)
{
	if (f->n && (f->step_us <= 0 || !in_time(f->end_us)))
		return err_set(err, REASON_STATE_CORRUPT, "history: ends at %lld us with steps of %lld us",
			       (long long)f->end_us, (long long)f->step_us);
	if (!in_time(f->ingest_us))
		return err_set(err, REASON_STATE_CORRUPT, "history: ingested at %lld us", (long long)f->ingest_us);
	for (size_t i = 0; i < f->n; i++)
		if (isinf(f->values[i]))
			return err_set(err, REASON_STATE_CORRUPT, "history: values[%zu] is not finite", i);
	return 0;
}

static int
state_decode(struct span bytes, void *state, struct err *err)
{
	struct history_flat f;
	struct history *h = state;
	int result;

	if (image_read(&history_image, bytes, &f, err) < 0)
		return -1;
	result = check(&f, err);
	if (result == 0)
		result = history_restore(h, f.values, f.n, err);
	if (result == 0) {
		h->end_us = f.end_us;
		h->step_us = f.step_us;
		h->unit = f.unit;
		h->ingest_us = f.ingest_us;
		h->pending = f.pending;
	}
	image_clear(&history_image, &f);
	return result;
}

const struct state_type forecaster_state = {
	.size = sizeof(struct history),
	.copy = history_copy,
	.clear = history_clear,
	.bytes = state_bytes,
	.encode = state_encode,
	.decode = state_decode,
	.image = &history_image,
};
