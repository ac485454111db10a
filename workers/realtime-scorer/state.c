/*
 * state.c -- an image of either: a stream with its detector, its clock, its near past, and the forecast that it holds, in full; or a
 * group.  A forecast is most of the one (4 bytes a step and level), a forest of the other; but their numbers are what scores are made
 * with, and nothing shorter is as exact.
 *
 * What is read back is checked for all that indices, divisions and times rest on.
 */
#include "workers/realtime-scorer/state.h"

#include <stdlib.h>
#include <string.h>

#include "common/detect/detector_image.h"
#include "common/record/shape.h"
#include "workers/realtime-scorer/collective_image.h"

struct stream_flat {
	struct detector_flat detector;
	struct held_flat *forecast;
	struct order order;
	int32_t slots;
	bool asked;
	int64_t asked_us;
	struct recent_flat recent;
};

/* One of the two. */
struct scored_flat {
	struct stream_flat *stream;
	struct collective_flat *collective;
};

static const struct image_member held_members[] = {
	IMAGE_FIELD(struct held_flat, origin_us, IMAGE_I64),
	IMAGE_FIELD(struct held_flat, step_us, IMAGE_I64),
	IMAGE_FIELD(struct held_flat, base, IMAGE_F64),
	IMAGE_LIST_OF(struct held_flat, levels, n_levels, IMAGE_F32),
	IMAGE_LIST_OF(struct held_flat, rows, n_numbers, IMAGE_F32),
	IMAGE_FIELD(struct held_flat, ondemand, IMAGE_BOOL),
	IMAGE_LIST_OF(struct held_flat, model, model_len, IMAGE_CHAR),
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
	IMAGE_NESTED(struct stream_flat, order, order_image_table),
	IMAGE_FIELD(struct stream_flat, slots, IMAGE_I32),
	IMAGE_FIELD(struct stream_flat, asked, IMAGE_BOOL),
	IMAGE_FIELD(struct stream_flat, asked_us, IMAGE_I64),
	IMAGE_NESTED(struct stream_flat, recent, recent_table),
};
static const struct image_table stream_table = IMAGE_TABLE(struct stream_flat, stream_members);

static const struct image_member scored_members[] = {
	IMAGE_NESTED_OPTIONAL(struct scored_flat, stream, stream_table),
	IMAGE_NESTED_OPTIONAL(struct scored_flat, collective, collective_image_table),
};
static const struct image_table scored_table = IMAGE_TABLE(struct scored_flat, scored_members);
static const struct image_type scored_image = IMAGE_TYPE("scored", 5, scored_table);

/* ---- laid flat ---- */

/* *FORECAST is room for the forecast, whose numbers stay the stream's.  Without the detector, which the caller sees to. */
static struct stream_flat
outline(const struct stream *s, struct held_flat *forecast)
{
	struct stream_flat f = { .order = s->order,
				 .slots = s->slots,
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
	const struct scored *s = state;
	struct held_flat forecast;
	struct stream_flat stream;
	const struct scored_flat f = { .stream = &stream };

	if (s->collective)
		return image_bytes_least(&scored_image) + collective_image_bytes(s->collective);
	stream = outline(&s->stream, &forecast);
	return image_bytes(&scored_image, &f) + detector_image_more(&s->stream.detector);
}

static int
encode_stream(const struct stream *s, struct buffer *out)
{
	struct held_flat forecast;
	struct stream_flat stream = outline(s, &forecast);
	const struct scored_flat f = { .stream = &stream };
	struct err err = ERR_INIT;
	int result;

	if (detector_lay(&s->detector, &stream.detector, &err) < 0)
		return -1;
	result = image_write(&scored_image, &f, out);
	detector_flat_clear(&stream.detector);
	return result;
}

static int
encode_collective(const struct collective *c, struct buffer *out)
{
	struct collective_parts parts;
	struct collective_flat collective;
	const struct scored_flat f = { .collective = &collective };
	struct err err = ERR_INIT;
	int result;

	if (collective_lay(c, &parts, &collective, &err) < 0)
		return -1;
	result = image_write(&scored_image, &f, out);
	collective_parts_clear(&parts);
	return result;
}

static int
state_encode(const void *state, struct buffer *out)
{
	const struct scored *s = state;

	return s->collective ? encode_collective(s->collective, out) : encode_stream(&s->stream, out);
}

/* ---- read back ---- */

static bool
in_time(int64_t time_us)
{
	return time_us >= TIME_MIN_US && time_us <= TIME_MAX_US;
}

static int
check(const struct stream_flat *f, struct err *err)
{
	const struct detector *d = &f->detector.plain;

	if (!in_time(d->scalar.last_us) || !in_time(d->episode.starts_us) || !in_time(d->episode.flap_us) ||
	    !in_time(f->asked_us))
		return err_set(err, REASON_STATE_CORRUPT, "a time outside the years 1 to 9999");
	if (f->slots < 0 || f->slots > SCALAR_SLOTS_MAX)
		return err_set(err, REASON_STATE_CORRUPT, "%d slots of the day", f->slots);
	return order_check(&f->order, err);
}

static int
decode_stream(const struct stream_flat *f, struct stream *s, struct err *err)
{
	if (check(f, err) < 0 || detector_restore(&f->detector, &s->detector, err) < 0 ||
	    (f->forecast && held_restore(f->forecast, &s->forecast, err) < 0) ||
	    recent_restore(&f->recent, &s->recent, err) < 0) {
		stream_clear(s);
		return err_wrap(err, "stream");
	}
	s->order = f->order;
	s->slots = f->slots;
	s->asked = f->asked;
	s->asked_us = f->asked_us;
	return 0;
}

static int
decode_collective(const struct collective_flat *f, struct scored *s, struct err *err)
{
	s->collective = calloc(1, sizeof(*s->collective));
	if (!s->collective)
		return err_set(err, REASON_NO_MEMORY, "state of a group");
	if (collective_restore(f, s->collective, err) == 0)
		return 0;
	free(s->collective);
	s->collective = NULL;
	return -1;
}

static int
state_decode(struct span bytes, void *state, struct err *err)
{
	struct scored *s = state;
	struct scored_flat f;
	int result;

	if (image_read(&scored_image, bytes, &f, err) < 0)
		return -1;
	if (!f.stream == !f.collective)
		result = err_set(err, REASON_STATE_CORRUPT, "neither a stream nor a group, or both");
	else
		result = f.stream ? decode_stream(f.stream, &s->stream, err) : decode_collective(f.collective, s, err);
	image_clear(&scored_image, &f);
	return result;
}

/* ---- the worker's state ---- */

static int
state_copy(void *to, const void *from)
{
	struct scored *t = to;
	const struct scored *f = from;
	struct err err = ERR_INIT;

	if (!f->collective) {
		t->collective = NULL;
		return stream_copy(&t->stream, &f->stream);
	}
	*t = (struct scored){ 0 };
	t->collective = malloc(sizeof(*t->collective));
	if (t->collective && collective_copy(t->collective, f->collective, &err) == 0)
		return 0;
	free(t->collective);
	t->collective = NULL;
	return -1;
}

/* Put aside as it is, unless it owns or shares something. */
static size_t
state_room(const void *state)
{
	const struct scored *s = state;

	return s->collective || stream_owns(&s->stream) ? SIZE_MAX : 0;
}

static void
state_save(const void *state, void *to)
{
	memcpy(to, state, sizeof(struct scored));
}

static void
state_clear(void *state)
{
	struct scored *s = state;

	stream_clear(&s->stream);
	if (s->collective)
		collective_clear(s->collective);
	free(s->collective);
	s->collective = NULL;
}

static void
state_restore(void *state, const void *saved)
{
	state_clear(state);
	memcpy(state, saved, sizeof(struct scored));
}

const struct state_type scorer_state = {
	.size = sizeof(struct scored),
	.copy = state_copy,
	.clear = state_clear,
	.room = state_room,
	.save = state_save,
	.restore = state_restore,
	.bytes = state_bytes,
	.encode = state_encode,
	.decode = state_decode,
	.image = &scored_image,
};
