/*
 * state.c -- a stream's image: its detector, its clock, its near past, and the forecast that it holds, in full.  A forecast is most of it
 * (4 bytes a step and level), but the floats are what scores were made with: nothing shorter is as exact.
 *
 * What is read back is checked for all that indices, divisions and times rest on.
 */
#include "workers/realtime-scorer/state.h"

#include "common/detect/detector_image.h"
#include "common/record/shape.h"
#include "workers/realtime-scorer/stream.h"

struct stream_flat {
	struct detector_flat detector;
	struct held_flat *forecast;
	int64_t ahead_us;
	uint32_t late;
	int32_t slots;
	bool ahead, asked;
	int64_t asked_us;
	struct recent_flat recent;
};

static const struct image_member held_members[] = {
	IMAGE_FIELD(struct held_flat, origin_us, IMAGE_I64),
	IMAGE_FIELD(struct held_flat, step_us, IMAGE_I64),
	IMAGE_FIELD(struct held_flat, base, IMAGE_F64),
	IMAGE_LIST_OF(struct held_flat, levels, n_levels, IMAGE_F32),
	IMAGE_LIST_OF(struct held_flat, rows, n_numbers, IMAGE_F32),
	IMAGE_FIELD(struct held_flat, ondemand, IMAGE_BOOL),
};
static const struct image_table held_table = IMAGE_TABLE(struct held_flat, held_members);

static const struct image_member recent_members[] = {
	IMAGE_FIELD(struct recent_flat, step_us, IMAGE_I64),
	IMAGE_FIELD(struct recent_flat, step, IMAGE_I64),
	IMAGE_FIELD(struct recent_flat, mean, IMAGE_F64),
	IMAGE_FIELD(struct recent_flat, base, IMAGE_F64),
	IMAGE_FIELD(struct recent_flat, count, IMAGE_U32),
	IMAGE_LIST_OF(struct recent_flat, means, n_means, IMAGE_F32),
};
static const struct image_table recent_table = IMAGE_TABLE(struct recent_flat, recent_members);

static const struct image_member stream_members[] = {
	IMAGE_NESTED(struct stream_flat, detector, detector_image_table),
	IMAGE_NESTED_OPTIONAL(struct stream_flat, forecast, held_table),
	IMAGE_FIELD(struct stream_flat, ahead_us, IMAGE_I64),
	IMAGE_FIELD(struct stream_flat, late, IMAGE_U32),
	IMAGE_FIELD(struct stream_flat, slots, IMAGE_I32),
	IMAGE_FIELD(struct stream_flat, ahead, IMAGE_BOOL),
	IMAGE_FIELD(struct stream_flat, asked, IMAGE_BOOL),
	IMAGE_FIELD(struct stream_flat, asked_us, IMAGE_I64),
	IMAGE_NESTED(struct stream_flat, recent, recent_table),
};
static const struct image_table stream_table = IMAGE_TABLE(struct stream_flat, stream_members);
static const struct image_type stream_image = IMAGE_TYPE("stream", 3, stream_table);

/* *FORECAST is room for the forecast, whose numbers stay the stream's. */
static struct stream_flat
laid_out(const struct stream *s, struct held_flat *forecast)
{
	struct stream_flat f = { .detector = detector_lay(&s->detector),
				 .ahead_us = s->ahead_us,
				 .late = s->late,
				 .slots = s->slots,
				 .ahead = s->ahead,
				 .asked = s->asked,
				 .asked_us = s->asked_us,
				 .recent = recent_lay(&s->recent) };

	if (s->forecast) {
		*forecast = held_lay(s->forecast);
		f.forecast = forecast;
	}
	return f;
}

static size_t
state_bytes(const void *state)
{
	const struct stream *s = state;
	struct held_flat forecast = s->forecast ? held_lay(s->forecast) : (struct held_flat){ 0 };
	const struct stream_flat f = { .forecast = s->forecast ? &forecast : NULL, .recent = recent_lay(&s->recent) };

	return image_bytes(&stream_image, &f);
}

static int
state_encode(const void *state, struct buffer *out)
{
	struct held_flat forecast;
	const struct stream_flat f = laid_out(state, &forecast);

	return image_write(&stream_image, &f, out);
}

static bool
in_time(int64_t time_us)
{
	return time_us >= TIME_MIN_US && time_us <= TIME_MAX_US;
}

static int
check(const struct stream_flat *f, struct err *err)
{
	const struct detector *d = &f->detector.plain;

	if (!in_time(d->scalar.last_us) || !in_time(d->episode.starts_us) || !in_time(f->ahead_us) ||
	    !in_time(f->asked_us))
		return err_set(err, REASON_STATE_CORRUPT, "a time outside the years 1 to 9999");
	if (f->slots < 0 || f->slots > SCALAR_SLOTS_MAX)
		return err_set(err, REASON_STATE_CORRUPT, "%d slots of the day", f->slots);
	return 0;
}

static int
state_decode(struct span bytes, void *state, struct err *err)
{
	struct stream *s = state;
	struct stream_flat f;
	int result;

	if (image_read(&stream_image, bytes, &f, err) < 0)
		return -1;
	result = check(&f, err);
	if (result == 0)
		result = detector_restore(&f.detector, &s->detector, err);
	if (result == 0 && f.forecast)
		result = held_restore(f.forecast, &s->forecast, err);
	if (result == 0)
		result = recent_restore(&f.recent, &s->recent, err);
	if (result == 0) {
		s->ahead_us = f.ahead_us;
		s->late = f.late;
		s->slots = f.slots;
		s->ahead = f.ahead;
		s->asked = f.asked;
		s->asked_us = f.asked_us;
	} else {
		stream_clear(s);
	}
	image_clear(&stream_image, &f);
	return result < 0 ? err_wrap(err, "stream") : 0;
}

const struct state_type scorer_state = {
	.size = sizeof(struct stream),
	.copy = stream_copy,
	.clear = stream_clear,
	.bytes = state_bytes,
	.encode = state_encode,
	.decode = state_decode,
	.image = &stream_image,
};
