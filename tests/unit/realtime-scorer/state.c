/*
 * state.c -- the image of a stream: the same for equal ones, of a known layout; what is read back is either refused or can be
 * lived with.
 */
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/random.h"
#include "workers/realtime-scorer/state.h"
#include "workers/realtime-scorer/stream.h"

#define SECOND INT64_C(1000000)
#define STEPS 60
#define LEVELS 19
#define ALL_MEMBERS ((1u << DETECTOR_MEMBERS) - 1)

/* Of the state that layout_is_pinned makes. */
#define FINGERPRINT UINT64_C(0xbd675e6e6d305fff)
#define BYTES 6763
#define HASH UINT64_C(0x6195eef841bf4d82)

static const struct stream_rule rule = {
	.detector = { .members = ALL_MEMBERS,
		      .slots = 24,
		      .warmup_values = 60,
		      .forest = { .trees = 5,
				  .sample = 16,
				  .columns = DETECTOR_COLUMNS,
				  .shingle = 1,
				  .decay = 0.01,
				  .seed = 1 },
		      .neighbours = { .length = 8, .stride = 1, .bank = 8, .nearest = 1, .seed = 1 },
		      .episode = { .pending = 1e-2,
				   .firing = 1e-3,
				   .critical = 1e-6,
				   .m = 2,
				   .n = 3,
				   .calm_ratio = 0.6,
				   .calm_values = 5,
				   .refractory_values = 50,
				   .refire = 1.5,
				   .state_span = 12 } },
	.order = { .jump_max_us = 100 * SECOND, .late_max = 3 },
	.recent = { 10 * SECOND, 40 },
};

static struct stream_score
add(struct stream *s, const struct stream_rule *r, double value, int64_t event_us)
{
	struct stream_score score;
	struct err err = ERR_INIT;

	if (stream_add(s, r, 1, value, event_us, &score, &err) < 0)
		fail_msg("%s", err.text);
	return score;
}

static struct held *
forecast(int64_t origin_us)
{
	static double levels[LEVELS], values[STEPS * LEVELS];
	const struct forecast f = { .origin_us = origin_us,
				    .step_us = SECOND,
				    .levels = levels,
				    .n_levels = LEVELS,
				    .values = values,
				    .n_steps = STEPS,
				    .model = SPAN("test"),
				    .version = SPAN("1") };
	struct held *h = NULL;
	struct err err = ERR_INIT;

	for (int i = 0; i < LEVELS; i++)
		levels[i] = (i + 1) / 20.0;
	for (int i = 0; i < STEPS * LEVELS; i++)
		values[i] = 18 + (double)(i / LEVELS % 5) / 4 + (double)(i % LEVELS) / 8;
	assert_int_equal(held_new(&f, 1000, 99, &h, &err), 0);
	return h;
}

static void
feed(struct stream *s, int64_t from, int64_t to)
{
	struct err err = ERR_INIT;

	for (int64_t i = from; i < to; i++) {
		assert_int_equal(recent_reserve(&s->recent, &rule.recent, i * SECOND, &err), 0);
		add(s, &rule, 20 + random_normal(1, 1, (uint64_t)i) + (i % 200 > 197 ? 50 : 0), i * SECOND);
	}
}

static void
fill(struct stream *s)
{
	feed(s, 0, 980);
	stream_hold(s, forecast(960 * SECOND));
	feed(s, 980, 1000);
	s->order.ahead = true;
	s->order.ahead_us = 5000 * SECOND;
}

static void
encode_state(const struct scored *s, struct buffer *bytes)
{
	bytes->len = 0;
	assert_int_equal(scorer_state.encode(s, bytes), 0);
	assert_int_equal(bytes->len, scorer_state.bytes(s));
}

static void
encode(const struct stream *s, struct buffer *bytes)
{
	const struct scored state = { .stream = *s };

	encode_state(&state, bytes);
}

static int
decode(const struct buffer *bytes, struct stream *s, struct err *err)
{
	struct scored state = { .stream = *s };
	int result = scorer_state.decode(buffer_span(bytes), &state, err);

	assert_null(state.collective);
	*s = state.stream;
	return result;
}

static void
equal_states_are_equal_bytes(void **state)
{
	CLEANUP(buffer_clear) struct buffer bytes = BUFFER_INIT(0), other = BUFFER_INIT(0);
	struct stream s = { 0 }, read = { 0 }, copy = { 0 };
	struct err err = ERR_INIT;
	fill(&s);
	encode(&s, &bytes);
	assert_int_equal(stream_copy(&copy, &s), 0);
	encode(&copy, &other);
	assert_true(span_equal(buffer_span(&bytes), buffer_span(&other)));
	assert_int_equal(decode(&bytes, &read, &err), 0);
	for (int64_t at = 1000; at < 3000; at += 50) {
		feed(&s, at, at + 50);
		feed(&copy, at, at + 50);
		feed(&read, at, at + 50);
		encode(&s, &bytes);
		encode(&copy, &other);
		assert_true(span_equal(buffer_span(&bytes), buffer_span(&other)));
		encode(&read, &other);
		assert_true(span_equal(buffer_span(&bytes), buffer_span(&other)));
	}
	stream_clear(&s);
	stream_clear(&copy);
	stream_clear(&read);
}

static const struct row {
	const char *name, *says;
	size_t at, bytes;
	int64_t value;
} rows[] = {
#define OF(member) offsetof(struct stream, member), sizeof(((struct stream *)0)->member)
	{ "the clock is of no year", "a time", OF(order.last_us), INT64_MIN },
	{ "an episode of no year", "a time", OF(detector.episode.starts_us), INT64_MAX },
	{ "ahead into no year", "a time", OF(order.ahead_us), INT64_MAX },
	{ "asked in no year", "a time", OF(asked_us), INT64_MAX },
	{ "a near past without a length", "near past", OF(recent.step_us), 0 },
	{ "a near past of less than nothing", "near past", OF(recent.step_us), -1 },
	{ "a step of no year", "near past", OF(recent.step), INT64_MIN },
	{ "a step of no value", "near past", OF(recent.count), 0 },
	{ "a mean of the near past that is not a number", "near past", OF(recent.mean), -1 },
	{ "slots", "slots", OF(slots), SCALAR_SLOTS_MAX + 1 },
	{ "fewer slots than none", "slots", OF(slots), -1 },
	{ "a value that is not a number", "scalar", OF(detector.scalar.ring[3]), -1 },
	{ "an origin that is not a number", "scalar", OF(detector.scalar.origin), -1 },
	{ "a mean that is not a number", "scalar", OF(detector.scalar.lean), -1 },
	{ "a slot that is not a number", "scalar", OF(detector.scalar.slot[47]), -1 },
	{ "a slot that varies without limit", "scalar", OF(detector.scalar.slot_wider[23]), 0x7f80 },
	{ "a slot that varies by less than nothing", "scalar", OF(detector.scalar.slot_wider[0]), 0xbf80 },
	{ "a threshold beyond the buckets", "threshold", OF(detector.tails[1].threshold), TAILS_BUCKETS },
	{ "a cap that is not a number", "tails", OF(detector.tails[4].cap), -1 },
	{ "a negative shape", "tails", OF(detector.tails[4].gamma), INT64_C(0xbd000000) },
	{ "no scale", "scale", OF(detector.tails[0].sigma), 0 },
	{ "an excess of forecasts that is not a number", "forecast", OF(detector.forecast_excess), -1 },
	{ "a mean of surprises that is not a number", "lasting", OF(detector.lasting.mean), -1 },
	{ "means of surprises that never differ", "lasting", OF(detector.lasting.variance), 0 },
	{ "alerts that flap in no year", "a time", OF(detector.episode.flap_us), INT64_MAX },
	{ "a bucket too full", "buckets", OF(detector.tails[2].bucket[79]), UINT16_MAX },
	{ "a total of nothing", "buckets", OF(detector.tails[2].total), 1 },
	{ "a status that there is not", "status", OF(detector.episode.status), EPISODE_FIRING + 1 },
	{ "calm for less than nothing", "calm", OF(detector.episode.calm), -1 },
	{ "quiet for less than nothing", "quiet_left", OF(detector.episode.quiet_left), -1 },
	{ "a spike for less than nothing", "spike_left", OF(detector.episode.spike_left), -1 },
	{ "a p-value that is not a number", "smallest_p", OF(detector.episode.smallest_p), -1 },
	{ "a peak that is not a number", "episode", OF(detector.episode.peak), -1 },
#undef OF
};

static void
lie(struct stream *s, const struct row *row)
{
	const uint8_t one = (uint8_t)row->value;
	const uint16_t two = (uint16_t)row->value;
	const uint32_t four = (uint32_t)row->value;
	char *at = (char *)s + row->at;

	memcpy(at,
	       row->bytes == 1   ? (const void *)&one
	       : row->bytes == 2 ? (const void *)&two
	       : row->bytes == 4 ? (const void *)&four
				 : (const void *)&row->value,
	       row->bytes);
}

static void
assert_refused(const struct buffer *bytes, const char *says)
{
	struct stream read = { 0 };
	const struct stream zero = { 0 };
	struct err err = ERR_INIT;

	assert_int_equal(decode(bytes, &read, &err), -1);
	assert_int_equal(err.reason, REASON_STATE_CORRUPT);
	assert_non_null(strstr(err.text, says));
	assert_memory_equal(&read, &zero, sizeof(zero));
}

static void
refuses(void **state)
{
	const struct row *row = *state;
	CLEANUP(buffer_clear) struct buffer bytes = BUFFER_INIT(0);
	struct stream s = { 0 };

	fill(&s);
	lie(&s, row);
	encode(&s, &bytes);
	assert_refused(&bytes, row->says);
	stream_clear(&s);
}

static void
refuses_forecasts(void **state)
{
	static char model[] = "m/1", no_text[] = "m\xff";
	static float levels[] = { 0.1F, 0.5F, 0.9F }, rows_of[] = { 1, 2, 3, 4, 5, 6 };
	const struct held_flat good = { .step_us = 1,
					.levels = levels,
					.rows = rows_of,
					.n_levels = 3,
					.n_numbers = 6,
					.model = model,
					.model_len = 3 };
	float bad_levels[] = { 0.1F, 1.5F, 2 }, down[] = { 1, 3, 2, 4, 5, 6 }, nan_row[] = { 1, 2, 3, 4, NAN, 6 };
	struct held_flat bad[10];
	struct held *h = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(held_restore(&good, &h, &err), 0);
	held_release(h);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		bad[i] = good;
	bad[0].step_us = 0;
	bad[1].n_levels = 0;
	bad[2].n_numbers = 5;
	bad[3].base = INFINITY;
	bad[4].origin_us = INT64_MIN;
	bad[5].levels = bad_levels;
	bad[6].rows = down;
	bad[7].rows = nan_row;
	bad[8].model = no_text;
	bad[8].model_len = 2;
	bad[9].model_len = 513;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		err_clear(&err);
		h = NULL;
		assert_int_equal(held_restore(&bad[i], &h, &err), -1);
		assert_int_equal(err.reason, REASON_STATE_CORRUPT);
		assert_null(h);
	}
}

static void
set_checksum(struct buffer *bytes)
{
	uint32_t crc = image_crc32c((struct span){ bytes->ptr, bytes->len - 4 });

	for (size_t i = 0; i < 4; i++)
		bytes->ptr[bytes->len - 4 + i] = (char)(crc >> (8 * i));
}

/* Any byte changed, the checksum right: refused, or it can be lived with (under the sanitizers). */
static void
any_lie(void **state)
{
	CLEANUP(buffer_clear) struct buffer bytes = BUFFER_INIT(0);
	struct stream s = { 0 };
	size_t lived = 0;

	fill(&s);
	encode(&s, &bytes);
	for (uint64_t turn = 0; turn < 6000; turn++) {
		size_t at = 20 + (size_t)(random_uniform(1, 1, turn) * (double)(bytes.len - 24));
		struct stream read = { 0 };
		char was = bytes.ptr[at];
		struct err err = ERR_INIT;

		bytes.ptr[at] = (char)random_u64(2, 2, turn);
		set_checksum(&bytes);
		if (decode(&bytes, &read, &err) == 0) {
			double history[40];

			lived++;
			recent_history(&read.recent, &rule.recent, 1000 * SECOND, history);
			feed(&read, 1000, 1050);
			stream_clear(&read);
		} else {
			assert_int_equal(err.reason, REASON_STATE_CORRUPT);
		}
		bytes.ptr[at] = was;
	}
	assert_true(lived > 1000 && lived < 6000);
	stream_clear(&s);
}

/* Another number of slots since the state was stored: the level of the day stays, its slots are learnt again. */
static void
other_slots(void **state)
{
	struct stream_rule other = rule;
	struct stream s = { 0 };
	double mean;

	feed(&s, 0, 150);
	mean = scalar_mean(&s.detector.scalar);
	other.detector.slots = 48;
	add(&s, &other, 20, 20 * 3600 * SECOND); /* ahead: looked at, not learnt */
	assert_int_equal(s.detector.scalar.slot_count[0], 0);
	assert_true(scalar_mean(&s.detector.scalar) == mean);
	add(&s, &other, 20, 150 * SECOND);
	assert_int_equal(s.detector.scalar.slot_count[0], 1);
	stream_clear(&s);
}

/* A state of which no number comes from a library's logarithm. */
static void
make_up(struct stream *s)
{
	for (int i = 0; i < SCALAR_START; i++)
		s->detector.scalar.ring[i] = i / 8.0;
	for (int i = 0; i < SCALAR_SLOTS_MAX; i++) {
		s->detector.scalar.slot[i] = (float)i / 4;
		s->detector.scalar.slot_count[i] = (uint8_t)(5 * i);
	}
	for (int i = 0; i < SCALAR_WIDER; i++)
		s->detector.scalar.slot_wider[i] = (uint16_t)(0x3f80 + i);
	for (int t = 0; t < DETECTOR_TAILS; t++) {
		struct tails *tails = &s->detector.tails[t];

		for (uint16_t i = 0; i < TAILS_BUCKETS; i++)
			tails->total += tails->bucket[i] = (uint16_t)(i + t);
		tails->sigma = 0.5F;
	}
	s->detector.scalar.count = 1000000;
	s->detector.scalar.slow = 0.5F;
	s->detector.episode = (struct episode){ .starts_us = 5, .smallest_p = 0.125, .pending = 7, .status = 1 };
	s->detector.forecast_excess = 0.25F;
	s->detector.lasting = (struct lasting){ .mean = 0.5F, .usual = 0.75F, .variance = 0.125F, .seen = 99 };
	s->order = (struct order){ .last_us = 30 * SECOND, .begun = true, .late = 2 };
	s->slots = 24;
	s->asked = true;
	s->asked_us = 3 * SECOND;
	for (int64_t i = 0; i < 30; i++) {
		struct err err = ERR_INIT;

		assert_int_equal(recent_reserve(&s->recent, &rule.recent, i * 5 * SECOND, &err), 0);
		recent_add(&s->recent, &rule.recent, (double)i / 8, i * 5 * SECOND);
	}
}

/*
 * States are in databases.  Where this fails their layout has changed, or the meaning of it: pin it anew, and raise the version in
 * state.c unless image_translate() does right by the states that are there.
 */
static void
layout_is_pinned(void **state)
{
	CLEANUP(buffer_clear) struct buffer bytes = BUFFER_INIT(0);
	struct stream s = { 0 };

	encode(&s, &bytes);
	print_message("%zu bytes without a forecast\n", bytes.len);
	make_up(&s);
	s.forecast = forecast(0);
	held_mark(s.forecast);
	encode(&s, &bytes);
	if (image_fingerprint(scorer_state.image) != FINGERPRINT || bytes.len != BYTES ||
	    random_hash(buffer_span(&bytes)) != HASH)
		fail_msg("fingerprint 0x%016" PRIx64 ", %zu bytes, hash 0x%016" PRIx64 ": see above",
			 image_fingerprint(scorer_state.image), bytes.len, random_hash(buffer_span(&bytes)));
	bytes.ptr[30] ^= 1;
	assert_refused(&bytes, "checksum");
	stream_clear(&s);
}

/* What owns nothing is put aside as its bytes, and put back whatever it has come to own; all else is to be copied. */
static void
put_aside_and_back(void **state)
{
	CLEANUP(buffer_clear) struct buffer was = BUFFER_INIT(0), is = BUFFER_INIT(0);
	struct stream_rule plain = rule;
	struct scored s = { 0 };
	void *aside = malloc(sizeof(s));

	plain.detector.members = 1 << DETECTOR_SCALAR | 1 << DETECTOR_FORECAST;
	plain.recent.steps = 0;
	for (int64_t i = 0; i < 200; i++)
		add(&s.stream, &plain, random_normal(1, 1, (uint64_t)i), i * SECOND);
	assert_non_null(aside);
	assert_int_equal(scorer_state.room(&s), 0);
	scorer_state.save(&s, aside);
	encode_state(&s, &was);
	feed(&s.stream, 200, 300);
	stream_hold(&s.stream, forecast(250 * SECOND));
	assert_true(scorer_state.room(&s) == SIZE_MAX);
	scorer_state.restore(&s, aside);
	encode_state(&s, &is);
	assert_true(span_equal(buffer_span(&was), buffer_span(&is)));
	stream_hold(&s.stream, forecast(250 * SECOND));
	assert_true(scorer_state.room(&s) == SIZE_MAX);
	scorer_state.clear(&s);
	feed(&s.stream, 0, 100);
	assert_true(scorer_state.room(&s) == SIZE_MAX);
	scorer_state.clear(&s);
	free(aside);
}

int
main(void)
{
	struct CMUnitTest tests[6 + ARRAY_LEN(rows)] = { cmocka_unit_test(equal_states_are_equal_bytes),
							 cmocka_unit_test(put_aside_and_back),
							 cmocka_unit_test(refuses_forecasts),
							 cmocka_unit_test(any_lie),
							 cmocka_unit_test(other_slots),
							 cmocka_unit_test(layout_is_pinned) };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[6 + i] = (struct CMUnitTest){ rows[i].name, refuses, NULL, NULL, (void *)(uintptr_t)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
