/*
 * What was written is read again; the bytes are those they have always been; whatever happens to them is noticed.  Built a
 * second time with numbers taken apart by shifts, as a big-endian machine needs it: the same bytes.
 */
#include "common/base/image.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/image_parts.h"
#include "common/base/random.h"
#include "tests/unit/base/image_sample.h"
#include "tests/unit/base/image_seal.h"
#include "tests/unit/base/scarce.h"

/* ---- samples ---- */

static void *
copy_of(const void *from, size_t len)
{
	void *p = malloc(len);

	assert_non_null(p);
	return memcpy(p, from, len);
}

/* Two legs, the second empty; a spare one, no limit. */
static struct track
track_sample(void)
{
	static const struct visit visits[] = { { 1700000000000000, true, -0.1 }, { -1, false, NAN } };
	struct track t = { .place = "Oder", .mood = CROSS, .seen = UINT64_MAX, .n_legs = 2, .unsaved = 7 };

	t.last.value = 1.5;
	t.best[1] = (struct visit){ 2, true, INFINITY };
	t.legs = calloc(2, sizeof(*t.legs));
	t.spare = calloc(1, sizeof(*t.spare));
	assert_true(t.legs && t.spare);
	t.legs[0] =
	    (struct leg){ copy_of(visits, sizeof(visits)), 2, 9, copy_of("\x01\xff", 2), copy_of("\"up\"", 4), 4 };
	t.spare->note = copy_of("x", 1);
	t.spare->note_len = 1;
	return t;
}

#define TRACK_TEXT                                                                                \
	"track 3 {place:8*char,mood:u32,last.value:f64,best:2*{time_us:i64,late:bool,value:f64}," \
	"legs:[{visits:[{time_us:i64,late:bool,value:f64}],flags:[u8],note:[char]}],"             \
	"spare:?{visits:[{time_us:i64,late:bool,value:f64}],flags:[u8],note:[char]},limit:?f32,seen:u64}"

/* Made by Python's struct, its own CRC and hash. */
#define TRACK_HEX                                                                                              \
	"6662693103000000d72e777ac3a41888910000004f6465720000000001000000000000000000f83f00000000000000000000" \
	"00000000000000020000000000000001000000000000f07f020000000200000000401e18240a0600019a9999999999b9bfff" \
	"ffffffffffffff00000000000000f87f0200000001ff04000000227570220000000000000000000000000100000000000000" \
	"00010000007800ffffffffffffffff1d1087d2"

#define TRACK_JSON                                                                                            \
	"{\"place\":\"Oder\",\"mood\":1,\"last.value\":1.5,"                                                  \
	"\"best\":[{\"time_us\":0,\"late\":false,\"value\":0},{\"time_us\":2,\"late\":true,\"value\":null}]," \
	"\"legs\":[{\"visits\":[{\"time_us\":1700000000000000,\"late\":true,\"value\":-0.1},"                 \
	"{\"time_us\":-1,\"late\":false,\"value\":null}],\"flags\":[1,255],\"note\":\"\\\"up\\\"\"},"         \
	"{\"visits\":[],\"flags\":[],\"note\":\"\"}],"                                                        \
	"\"spare\":{\"visits\":[],\"flags\":[],\"note\":\"x\"},\"limit\":null,\"seen\":18446744073709551615}"

static struct buffer
track_image(void)
{
	struct track t = track_sample();
	struct buffer out = BUFFER_INIT(0);

	assert_int_equal(image_write(&track_type, &t, &out), 0);
	assert_int_equal(out.len, image_bytes(&track_type, &t));
	image_clear(&track_type, &t);
	assert_int_equal(image_bytes_least(&track_type), image_bytes(&track_type, &t));
	return out;
}

/* ---- the bytes ---- */

static void
hex(const struct buffer *b, char *text)
{
	for (size_t i = 0; i < b->len; i++)
		sprintf(text + 2 * i, "%02x", (unsigned char)b->ptr[i]);
}

static void
bytes_as_ever(void **state)
{
	CLEANUP(buffer_clear) struct buffer image = track_image(), text = BUFFER_INIT(0);
	char digits[2048] = "";

	hex(&image, digits);
	assert_string_equal(digits, TRACK_HEX);
	assert_int_equal(image_describe(&track_type, &text), 0);
	assert_int_equal(text.len, strlen(TRACK_TEXT));
	assert_memory_equal(text.ptr, TRACK_TEXT, text.len);
	assert_true(image_fingerprint(&track_type) == random_hash(SPAN(TRACK_TEXT)));
	assert_true(image_fingerprint_of(buffer_span(&image)) == image_fingerprint(&track_type));
}

static void
read_again(void **state)
{
	CLEANUP(buffer_clear) struct buffer image = track_image(), again = BUFFER_INIT(0);
	struct err err = ERR_INIT;
	struct track t;

	memset(&t, 0xa5, sizeof(t));
	assert_int_equal(image_read(&track_type, buffer_span(&image), &t, &err), 0);
	assert_string_equal(t.place, "Oder");
	assert_int_equal(t.mood, CROSS);
	assert_true(t.last.value == 1.5 && t.last.time_us == 0 && t.unsaved == 0);
	assert_true(isinf(t.best[1].value) && t.best[1].late && t.best[1].time_us == 2);
	assert_int_equal(t.n_legs, 2);
	assert_int_equal(t.legs[0].n, 2);
	assert_int_equal(t.legs[0].cap, 2);
	assert_int_equal(t.legs[0].visits[0].time_us, 1700000000000000);
	assert_true(isnan(t.legs[0].visits[1].value));
	assert_memory_equal(t.legs[0].flags, "\x01\xff", 2);
	assert_memory_equal(t.legs[0].note, "\"up\"", 4);
	assert_true(!t.legs[1].visits && !t.legs[1].flags && !t.legs[1].note && !t.legs[1].n && !t.legs[1].cap);
	assert_int_equal(t.spare->note[0], 'x');
	assert_true(!t.limit && t.seen == UINT64_MAX);
	assert_int_equal(image_write(&track_type, &t, &again), 0);
	assert_true(span_equal(buffer_span(&again), buffer_span(&image)));
	image_clear(&track_type, &t);
	assert_true(!t.legs && !t.n_legs && !t.spare && !t.seen);
}

/* Bytes of N elements of SIZE, from a stream of their own. */
static void *
random_elements(uint64_t stream, size_t size, size_t n)
{
	unsigned char *p = malloc(size * n);

	assert_non_null(p);
	for (size_t i = 0; i < size * n; i++)
		p[i] = (unsigned char)random_u64(5, stream, i);
	return p;
}

static void
fill(struct all *a)
{
	uint64_t stream = 0;

	memset(a, 0, sizeof(*a));
#define X(name, type, kind)                                                                 \
	a->n_##name = stream % 2 ? 0 : 1 + stream % 7;                                      \
	if (a->n_##name)                                                                    \
		a->list_##name = random_elements(stream, sizeof(type), a->n_##name);        \
	a->some_##name = random_elements(stream + 100, sizeof(type), 1);                    \
	for (size_t i = 0; i < 3; i++)                                                      \
		memcpy(&a->array_##name[i], &(uint64_t){ stream + 200 + i }, sizeof(type)); \
	memcpy(&a->one_##name, a->some_##name, sizeof(type));                               \
	stream++;
	ALL_KINDS(X)
#undef X
	memset(&a->one_b, 1, 1);
	memcpy(a->array_b, "\0\1\1", 3);
	memset(a->list_b, 1, a->n_b);
	memset(a->some_b, 0, 1);
	a->n_s = 2;
	a->list_s = calloc(2, sizeof(*a->list_s));
	a->some_s = calloc(1, sizeof(*a->some_s));
	a->one_s.time_us = a->array_s[2].time_us = a->list_s[1].time_us = a->some_s->time_us = INT64_MIN;
	a->list_s[0].value = a->array_s[1].value = -0.0;
}

static void
every_kind_in_every_form(void **state)
{
	CLEANUP(buffer_clear) struct buffer image = BUFFER_INIT(0), again = BUFFER_INIT(0);
	struct err err = ERR_INIT;
	struct all a, b;

	fill(&a);
	assert_int_equal(image_write(&all_type, &a, &image), 0);
	assert_int_equal(image.len, image_bytes(&all_type, &a));
	assert_int_equal(image_read(&all_type, buffer_span(&image), &b, &err), 0);
#define X(name, type, kind)                                                                   \
	assert_memory_equal(&a.one_##name, &b.one_##name, sizeof(type));                      \
	assert_memory_equal(a.array_##name, b.array_##name, sizeof(a.array_##name));          \
	assert_int_equal(a.n_##name, b.n_##name);                                             \
	assert_true((a.list_##name == NULL) == (b.list_##name == NULL));                      \
	if (a.n_##name)                                                                       \
		assert_memory_equal(a.list_##name, b.list_##name, a.n_##name * sizeof(type)); \
	assert_memory_equal(a.some_##name, b.some_##name, sizeof(type));                      \
	assert_null(b.none_##name);
	ALL_KINDS(X)
#undef X
	assert_true(b.n_s == 2 && b.list_s[1].time_us == INT64_MIN && signbit(b.list_s[0].value));
	assert_true(b.some_s->time_us == INT64_MIN && !b.none_s && b.one_s.time_us == INT64_MIN);
	assert_true(b.array_s[2].time_us == INT64_MIN && signbit(b.array_s[1].value));
	assert_int_equal(image_write(&all_type, &b, &again), 0);
	assert_true(span_equal(buffer_span(&again), buffer_span(&image)));
	image_clear(&all_type, &a);
	image_clear(&all_type, &b);
}

/* ---- what happens to bytes ---- */

/* Read a copy that ends where memory ends. */
static enum err_reason
read_copy(struct span bytes, struct err *err)
{
	char *copy = copy_of(bytes.ptr, bytes.len ? bytes.len : 1);
	struct track t, zeros = { 0 };

	memset(&t, 0xa5, sizeof(t));
	*err = (struct err)ERR_INIT;
	if (image_read(&track_type, (struct span){ bytes.len ? copy : NULL, bytes.len }, &t, err) == 0)
		image_clear(&track_type, &t);
	else
		assert_memory_equal(&t, &zeros, sizeof(t));
	free(copy);
	return err->reason;
}

static void
every_cut_is_seen(void **state)
{
	CLEANUP(buffer_clear) struct buffer image = track_image();
	struct err err;

	for (size_t len = 0; len < image.len; len++) {
		assert_int_equal(read_copy((struct span){ image.ptr, len }, &err), REASON_STATE_CORRUPT);
		assert_int_equal(image_fingerprint_of((struct span){ image.ptr, len }), 0);
	}
	assert_int_equal(read_copy(buffer_span(&image), &err), REASON_NONE);
	buffer_append(&image, "", 1);
	assert_int_equal(read_copy(buffer_span(&image), &err), REASON_STATE_CORRUPT);
}

static void
every_flip_is_seen(void **state)
{
	CLEANUP(buffer_clear) struct buffer image = track_image();
	struct err err;

	for (size_t bit = 0; bit < 8 * image.len; bit++) {
		image.ptr[bit / 8] = (char)(image.ptr[bit / 8] ^ 1 << bit % 8);
		assert_int_equal(read_copy(buffer_span(&image), &err), REASON_STATE_CORRUPT);
		assert_int_equal(image_fingerprint_of(buffer_span(&image)), 0);
		image.ptr[bit / 8] = (char)(image.ptr[bit / 8] ^ 1 << bit % 8);
	}
	assert_int_equal(read_copy(buffer_span(&image), &err), REASON_NONE);
}

/* A checksum does not make sense of nonsense: sealed again after every cut, and with every byte changed. */
static void
sealed_nonsense(void **state)
{
	CLEANUP(buffer_clear) struct buffer image = track_image(), out = BUFFER_INIT(0), json = BUFFER_INIT(0);
	struct span members = { image.ptr + IMAGE_HEAD_BYTES, image.len - IMAGE_HEAD_BYTES - IMAGE_TAIL_BYTES };
	struct err err, json_err;
	size_t readable = 0;

	for (size_t len = 0; len < members.len; len++) {
		seal(&out, &track_type, (struct span){ members.ptr, len });
		assert_int_equal(read_copy(buffer_span(&out), &err), REASON_STATE_CORRUPT);
		assert_int_equal(image_json(SPAN(TRACK_TEXT), buffer_span(&out), &json, &json_err), -1);
		assert_int_equal(json_err.reason, REASON_STATE_CORRUPT);
		assert_int_equal(json.len, 0);
	}
	for (size_t i = 0; i < members.len * 255; i++) {
		((char *)members.ptr)[i / 255]++;
		seal(&out, &track_type, members);
		readable += read_copy(buffer_span(&out), &err) == REASON_NONE;
		if (err.reason != REASON_NONE)
			assert_int_equal(err.reason, REASON_STATE_CORRUPT);
		if (i % 255 == 254)
			((char *)members.ptr)[i / 255]++;
	}
	assert_in_range(readable, 1, members.len * 255 - 1);
}

static const struct nonsense {
	const char *name, *text; /* in the error */
	size_t at;               /* in the members of the track */
	char byte;
} nonsense[] = {
	{ "a bool of 2", "track: \"late\" is 2, not 0 or 1", 28, 2 },
	{ "a list of four milliards", "track: \"legs\" cannot have 4278190082 elements", 57, (char)0xff },
	{ "an optional twice", "track: \"limit\" cannot have 2 elements", 0, 2 },
	{ "a twin of another length", "track: \"flags\" has 3 elements, its twin 2", 96, 3 },
};

static void
names_the_member(void **state)
{
	const struct nonsense *row = *state;
	CLEANUP(buffer_clear) struct buffer image = track_image(), out = BUFFER_INIT(0);
	struct span members = { image.ptr + IMAGE_HEAD_BYTES, image.len - IMAGE_HEAD_BYTES - IMAGE_TAIL_BYTES };
	struct err err;

	((char *)members.ptr)[row->at ? row->at : members.len - 9] = row->byte;
	seal(&out, &track_type, members);
	assert_int_equal(read_copy(buffer_span(&out), &err), REASON_STATE_CORRUPT);
	assert_string_equal(err.text, row->text);
}

static void
bytes_behind_the_members(void **state)
{
	CLEANUP(buffer_clear) struct buffer image = track_image(), out = BUFFER_INIT(0);
	struct err err;

	seal(&out, &track_type, (struct span){ image.ptr + IMAGE_HEAD_BYTES, image.len - IMAGE_HEAD_BYTES });
	assert_int_equal(read_copy(buffer_span(&out), &err), REASON_STATE_CORRUPT);
	assert_string_equal(err.text, "track: 4 bytes too many");
}

/* ---- layouts ---- */

static const struct image_type newer_type = IMAGE_TYPE("track", 4, track_table);
static const struct image_type visit_type = IMAGE_TYPE("visit", 3, visit_table);
static const struct image_type without_memo = { "track", 3, &track_table, NULL };

static void
another_layout(void **state)
{
	CLEANUP(buffer_clear) struct buffer image = track_image(), out = BUFFER_INIT(0);
	struct err err = ERR_INIT;
	struct visit visit;
	uint64_t hash = image_fingerprint(&track_type);
	const struct image_type liar_type = { "track", 5, &track_table, &hash };
	char expected[256];

	snprintf(expected, sizeof(expected),
		 "written as version 3, layout %016llx; this program has visit, version 3, layout %016llx",
		 (unsigned long long)image_fingerprint(&track_type),
		 (unsigned long long)image_fingerprint(&visit_type));
	assert_int_equal(image_read(&visit_type, buffer_span(&image), &visit, &err), -1);
	assert_int_equal(err.reason, REASON_STATE_VERSION);
	assert_string_equal(err.text, expected);
	assert_int_equal(image_json(SPAN("visit 3 {x:i8}"), buffer_span(&image), &out, &err), -1);
	assert_int_equal(err.reason, REASON_STATE_VERSION);
	assert_non_null(strstr(err.text, "written as version 3"));
	assert_non_null(strstr(err.text, "\"visit 3 {x:i8}"));
	seal(&out, &newer_type, SPAN(""));
	assert_int_equal(read_copy(buffer_span(&out), &err), REASON_STATE_VERSION);
	seal(&out, &liar_type, SPAN(""));
	assert_int_equal(read_copy(buffer_span(&out), &err), REASON_STATE_VERSION);
}

static void
fingerprints(void **state)
{
	assert_true(image_fingerprint(&track_type) == image_fingerprint(&track_type));
	assert_true(image_fingerprint(&track_type) == image_fingerprint(&without_memo));
	assert_true(image_fingerprint(&track_type) != image_fingerprint(&newer_type));
	assert_true(image_fingerprint(&track_type) != image_fingerprint(&visit_type));
}

/* ---- limits of the buffer ---- */

static void
a_full_buffer(void **state)
{
	CLEANUP(buffer_clear) struct buffer image = track_image();
	struct track t = track_sample();
	struct err err = ERR_INIT;

	for (size_t max = 1; max <= sizeof(TRACK_JSON) + 64; max++) {
		CLEANUP(buffer_clear) struct buffer out = BUFFER_INIT(max);

		assert_int_equal(buffer_append(&out, "a", 1), 0);
		assert_int_equal(image_write(&track_type, &t, &out), max < image.len + 1 ? -1 : 0);
		assert_int_equal(out.len, max < image.len + 1 ? 1 : image.len + 1);
		out.len = 1;
		assert_int_equal(image_describe(&track_type, &out), max < sizeof(TRACK_TEXT) ? -1 : 0);
		assert_int_equal(out.len, max < sizeof(TRACK_TEXT) ? 1 : sizeof(TRACK_TEXT));
		out.len = 1;
		err_clear(&err);
		if (image_json(SPAN(TRACK_TEXT), buffer_span(&image), &out, &err) < 0) {
			assert_int_equal(err.reason, REASON_NO_MEMORY);
			assert_int_equal(out.len, 1);
		} else {
			assert_true(max >= sizeof(TRACK_JSON));
		}
	}
	assert_int_equal(err.reason, REASON_NONE); /* the last one had room */
	image_clear(&track_type, &t);
}

/* Of the six pieces of memory that a track takes, each is the one that is not there. */
static void
memory_runs_out(void **state)
{
	CLEANUP(buffer_clear) struct buffer image = track_image();
	struct track t, zeros = { 0 };
	struct err err = ERR_INIT;

	for (int left = 0; left < 6; left++) {
		memset(&t, 0xa5, sizeof(t));
		scarce_left = left;
		assert_int_equal(image_read(&track_type, buffer_span(&image), &t, &err), -1);
		assert_int_equal(scarce_left, -1);
		assert_int_equal(err.reason, REASON_NO_MEMORY);
		assert_memory_equal(&t, &zeros, sizeof(t));
	}
	scarce_left = 6;
	assert_int_equal(image_read(&track_type, buffer_span(&image), &t, &err), 0);
	assert_int_equal(scarce_left, 0);
	scarce_left = -1;
	image_clear(&track_type, &t);
}

/* ---- JSON ---- */

static void
as_json(void **state)
{
	CLEANUP(buffer_clear) struct buffer image = track_image(), out = BUFFER_INIT(0);
	struct err err = ERR_INIT;

	assert_int_equal(image_json(SPAN(TRACK_TEXT), buffer_span(&image), &out, &err), 0);
	buffer_append(&out, "", 1);
	assert_string_equal(out.ptr, TRACK_JSON);
}

/* ---- the checksum ---- */

static void
checksums(void **state)
{
	char bytes[300];

	assert_int_equal(image_crc32c(SPAN("123456789")), 0xe3069283);
	assert_int_equal(image_crc32c(SPAN("")), 0);
	memset(bytes, 0, sizeof(bytes));
	assert_int_equal(image_crc32c((struct span){ bytes, 32 }), 0x8a9136aa); /* RFC 3720, B.4 */
	memset(bytes, 0xff, sizeof(bytes));
	assert_int_equal(image_crc32c((struct span){ bytes, 32 }), 0x62a8ab43);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)random_u64(6, 0, i);
	for (size_t from = 0; from < 9; from++)
		for (size_t len = 0; len + from <= sizeof(bytes); len++)
			assert_int_equal(image_crc32c((struct span){ bytes + from, len }),
					 image_crc32c_portable((struct span){ bytes + from, len }));
}

int
main(void)
{
	static const struct CMUnitTest plain[] = {
		cmocka_unit_test(bytes_as_ever),
		cmocka_unit_test(read_again),
		cmocka_unit_test(every_kind_in_every_form),
		cmocka_unit_test(every_cut_is_seen),
		cmocka_unit_test(every_flip_is_seen),
		cmocka_unit_test(sealed_nonsense),
		cmocka_unit_test(bytes_behind_the_members),
		cmocka_unit_test(another_layout),
		cmocka_unit_test(fingerprints),
		cmocka_unit_test(a_full_buffer),
		cmocka_unit_test(memory_runs_out),
		cmocka_unit_test(as_json),
		cmocka_unit_test(checksums),
	};
	struct CMUnitTest tests[ARRAY_LEN(plain) + ARRAY_LEN(nonsense)];
	size_t n = 0;

	for (; n < ARRAY_LEN(plain); n++)
		tests[n] = plain[n];
	for (size_t i = 0; i < ARRAY_LEN(nonsense); i++)
		tests[n++] =
		    (struct CMUnitTest){ nonsense[i].name, names_the_member, NULL, NULL, (void *)&nonsense[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
