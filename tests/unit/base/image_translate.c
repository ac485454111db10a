/* image_translate.c -- bytes of an older layout, read by the names of its members. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/image.h"
#include "tests/unit/base/scarce.h"

/* ---- a type as it was, and as it is ---- */

struct old_trip {
	int16_t legs;
	float length;
};

struct old {
	uint8_t seats;
	int32_t height;
	float speed;
	double gone, ring[3];
	char *driver;
	size_t driver_len;
	struct old_trip *trips;
	size_t n_trips;
	struct old_trip *lost, *spare;
	struct old_trip last;
	bool late;
};

static const struct image_member old_trip_members[] = {
	IMAGE_FIELD(struct old_trip, legs, IMAGE_I16),
	IMAGE_FIELD(struct old_trip, length, IMAGE_F32),
};
static const struct image_table old_trip_table = IMAGE_TABLE(struct old_trip, old_trip_members);
static const struct image_member old_members[] = {
	IMAGE_FIELD(struct old, seats, IMAGE_U8),
	IMAGE_FIELD(struct old, height, IMAGE_I32),
	IMAGE_FIELD(struct old, speed, IMAGE_F32),
	IMAGE_FIELD(struct old, gone, IMAGE_F64),
	IMAGE_ARRAY_OF(struct old, ring, IMAGE_F64),
	IMAGE_LIST_OF(struct old, driver, driver_len, IMAGE_CHAR),
	IMAGE_NESTED_LIST(struct old, trips, n_trips, old_trip_table),
	IMAGE_NESTED_OPTIONAL(struct old, lost, old_trip_table),
	IMAGE_NESTED_OPTIONAL(struct old, spare, old_trip_table),
	IMAGE_NESTED(struct old, last, old_trip_table),
	IMAGE_FIELD(struct old, late, IMAGE_BOOL),
};
static const struct image_table old_table = IMAGE_TABLE(struct old, old_members);
static const struct image_type old_type = IMAGE_TYPE("bus", 2, old_table);

struct trip {
	float weight; /* new */
	double length;
	int64_t legs;
};

/* Other kinds, another order, `gone` and `lost` gone, `fuel`, `fare`, `depot` and `tickets` new. */
struct bus {
	bool late;
	struct trip last, *spare, *depot;
	struct trip *trips;
	uint32_t *tickets; /* as many as trips */
	size_t n_trips, trips_cap;
	float *fare;
	size_t n_fare;
	char *driver;
	size_t driver_len;
	double ring[3], speed, fuel;
	int16_t height;
	int64_t seats;
};

static const struct image_member trip_members[] = {
	IMAGE_FIELD(struct trip, weight, IMAGE_F32),
	IMAGE_FIELD(struct trip, length, IMAGE_F64),
	IMAGE_FIELD(struct trip, legs, IMAGE_I64),
};
static const struct image_table trip_table = IMAGE_TABLE(struct trip, trip_members);
static const struct image_member bus_members[] = {
	IMAGE_FIELD(struct bus, late, IMAGE_BOOL),
	IMAGE_NESTED(struct bus, last, trip_table),
	IMAGE_NESTED_OPTIONAL(struct bus, spare, trip_table),
	IMAGE_NESTED_OPTIONAL(struct bus, depot, trip_table),
	IMAGE_NESTED_LIST_CAP(struct bus, trips, n_trips, trips_cap, trip_table),
	IMAGE_LIST_CAP_OF(struct bus, tickets, n_trips, trips_cap, IMAGE_U32),
	IMAGE_LIST_OF(struct bus, fare, n_fare, IMAGE_F32),
	IMAGE_LIST_OF(struct bus, driver, driver_len, IMAGE_CHAR),
	IMAGE_ARRAY_OF(struct bus, ring, IMAGE_F64),
	IMAGE_FIELD(struct bus, speed, IMAGE_F64),
	IMAGE_FIELD(struct bus, fuel, IMAGE_F64),
	IMAGE_FIELD(struct bus, height, IMAGE_I16),
	IMAGE_FIELD(struct bus, seats, IMAGE_I64),
};
static const struct image_table bus_table = IMAGE_TABLE(struct bus, bus_members);
static const struct image_type bus_type = IMAGE_TYPE("bus", 2, bus_table);
static const struct image_type later = IMAGE_TYPE("bus", 3, bus_table);

static struct old_trip trips[2] = { { -3, 1.5F }, { 4, FLT_MAX } };
static const struct old sample = {
	.seats = 200,
	.height = -32768,
	.speed = .1F,
	.gone = 7,
	.ring = { 1, NAN, -0.0 },
	.driver = (char[]){ 'E', 'v', 'e' },
	.driver_len = 3,
	.trips = trips,
	.n_trips = 2,
	.lost = trips,
	.spare = trips + 1,
	.last = { INT16_MIN, -1 },
	.late = true,
};

static struct buffer
image_of(const struct image_type *type, const void *object)
{
	struct buffer out = BUFFER_INIT(0);

	assert_int_equal(image_write(type, object, &out), 0);
	return out;
}

static struct buffer
text_of(const struct image_type *type)
{
	struct buffer out = BUFFER_INIT(0);

	assert_int_equal(image_describe(type, &out), 0);
	return out;
}

static int
translate(const struct image_type *from, const void *object, const struct image_type *to, struct buffer *out,
	  struct err *err)
{
	CLEANUP(buffer_clear) struct buffer text = text_of(from), image = image_of(from, object);

	*err = (struct err)ERR_INIT;
	return image_translate(to, buffer_span(&text), buffer_span(&image), out, err);
}

/* ---- what goes ---- */

static void
members_go_by_their_names(void **state)
{
	CLEANUP(buffer_clear) struct buffer out = BUFFER_INIT(0);
	struct err err;
	struct bus b;

	(void)state;
	if (translate(&old_type, &sample, &bus_type, &out, &err) < 0 ||
	    image_read(&bus_type, buffer_span(&out), &b, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(b.late && b.seats == 200 && b.height == -32768 && b.speed == (double).1F && b.fuel == 0);
	assert_true(b.ring[0] == 1 && isnan(b.ring[1]) && signbit(b.ring[2]));
	assert_int_equal(b.driver_len, 3);
	assert_memory_equal(b.driver, "Eve", 3);
	assert_true(b.n_trips == 2 && b.trips_cap == 2 && !b.fare && !b.depot);
	assert_true(b.trips[0].legs == -3 && b.trips[0].length == 1.5 && b.trips[0].weight == 0);
	assert_true(b.trips[1].legs == 4 && b.trips[1].length == (double)FLT_MAX);
	assert_true(b.tickets[0] == 0 && b.tickets[1] == 0);
	assert_true(b.spare->legs == 4 && b.last.legs == INT16_MIN && b.last.length == -1);
	image_clear(&bus_type, &b);
}

static void
nothing_there_is_nothing(void **state)
{
	CLEANUP(buffer_clear) struct buffer out = BUFFER_INIT(0), zeros;
	struct old old = { 0 };
	struct bus b = { 0 };
	struct err err;

	(void)state;
	zeros = image_of(&bus_type, &b);
	assert_int_equal(translate(&old_type, &old, &bus_type, &out, &err), 0);
	assert_true(span_equal(buffer_span(&out), buffer_span(&zeros)));
}

static void
the_same_layout_is_the_same(void **state)
{
	CLEANUP(buffer_clear) struct buffer out = BUFFER_INIT(0), same = image_of(&old_type, &sample);
	struct err err;

	(void)state;
	assert_int_equal(translate(&old_type, &sample, &old_type, &out, &err), 0);
	assert_true(span_equal(buffer_span(&out), buffer_span(&same)));
}

/* ---- images that bring their description ---- */

static struct buffer
described(const struct image_type *type, const void *object)
{
	struct buffer out = BUFFER_INIT(0);

	assert_int_equal(image_write_described(type, object, &out), 0);
	return out;
}

static void
described_is_read_in_any_layout(void **state)
{
	CLEANUP(buffer_clear) struct buffer image = described(&old_type, &sample), plain = image_of(&old_type, &sample);
	CLEANUP(buffer_clear) struct buffer text = text_of(&old_type), again = BUFFER_INIT(0);
	struct err err = ERR_INIT;
	struct old old;
	struct bus b;

	(void)state;
	assert_int_equal(image.len, plain.len + 4 + text.len);
	assert_true(image_fingerprint_of(buffer_span(&image)) == image_fingerprint(&old_type));
	assert_int_equal(image_read(&old_type, buffer_span(&image), &old, &err), 0);
	assert_int_equal(image_write(&old_type, &old, &again), 0);
	assert_true(span_equal(buffer_span(&again), buffer_span(&plain)));
	image_clear(&old_type, &old);
	if (image_read(&bus_type, buffer_span(&image), &b, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(b.seats == 200 && b.trips[0].legs == -3 && b.tickets[1] == 0);
	image_clear(&bus_type, &b);
}

static void
described_of_another_version(void **state)
{
	CLEANUP(buffer_clear) struct buffer image = described(&old_type, &sample);
	struct span bytes = buffer_span(&image);
	struct err err = ERR_INIT;
	struct bus b;

	(void)state;
	assert_int_equal(image_read(&later, bytes, &b, &err), -1);
	assert_int_equal(err.reason, REASON_STATE_VERSION);
	for (bytes.len = 0; bytes.len < image.len; bytes.len++) {
		err_clear(&err);
		assert_int_equal(image_read(&bus_type, bytes, &b, &err), -1);
		assert_int_equal(err.reason, REASON_STATE_CORRUPT);
	}
}

/* ---- what does not ---- */

#define OTHER(name_, type_, ...)                                                                    \
	static const struct image_member name_##_members[] = { __VA_ARGS__ };                       \
	static const struct image_table name_##_table = IMAGE_TABLE(struct type_, name_##_members); \
	static const struct image_type name_ = IMAGE_TYPE("bus", 2, name_##_table)

struct others {
	int8_t height;
	uint64_t last;
	float gone;
	int32_t speed;
	double ring[4], seats[1];
	double *driver;
	size_t driver_len;
};

OTHER(too_small, others, IMAGE_FIELD(struct others, height, IMAGE_I8));
OTHER(longer, others, IMAGE_ARRAY_OF(struct others, ring, IMAGE_F64));
OTHER(an_array, others, IMAGE_ARRAY_OF(struct others, seats, IMAGE_F64));
OTHER(a_number, others, IMAGE_FIELD(struct others, last, IMAGE_U64));
OTHER(rounded, others, IMAGE_FIELD(struct others, gone, IMAGE_F32));
OTHER(whole, others, IMAGE_FIELD(struct others, speed, IMAGE_I32));
OTHER(no_text, others, IMAGE_LIST_OF(struct others, driver, driver_len, IMAGE_F64));
static const struct image_type tram = IMAGE_TYPE("tram", 2, bus_table);

static const struct refusal {
	const char *name;
	const struct image_type *type;
	const char *text;
} refusals[] = {
	{ "a number too large", &too_small,
	  "bus: \"height\" of the layout that it was written in is of a kind that cannot hold its value here" },
	{ "a longer array", &longer, "bus: \"ring\" of the layout that it was written in is of another form here" },
	{ "a number that is an array", &an_array,
	  "bus: \"seats\" of the layout that it was written in is of another form here" },
	{ "a structure that is a number", &a_number,
	  "bus: \"last\" of the layout that it was written in is of another kind here" },
	{ "a double that is a float", &rounded,
	  "bus: \"gone\" of the layout that it was written in is of another kind here" },
	{ "a float that is whole", &whole,
	  "bus: \"speed\" of the layout that it was written in is of another kind here" },
	{ "letters that are doubles", &no_text,
	  "bus: \"driver\" of the layout that it was written in is of another kind here" },
	{ "another version", &later, "bus: written as bus, version 2; this program has bus, version 3" },
	{ "another name", &tram, "tram: written as bus, version 2; this program has tram, version 2" },
};

static void
refuses(void **state)
{
	const struct refusal *row = *state;
	CLEANUP(buffer_clear) struct buffer out = BUFFER_INIT(0);
	struct err err;

	assert_int_equal(buffer_text(&out, "before"), 0);
	assert_int_equal(translate(&old_type, &sample, row->type, &out, &err), -1);
	assert_int_equal(err.reason, REASON_STATE_VERSION);
	assert_string_equal(err.text, row->text);
	assert_int_equal(out.len, 6);
}

/* A description that somebody has made: a name comes twice, the second time with other elements.  What the first had is given back. */
struct spoke {
	char *name;
	size_t name_len;
};

struct wheel {
	struct spoke *spokes, *more;
	size_t n_spokes, n_more;
};

static const struct image_member spoke_members[] = { IMAGE_LIST_OF(struct spoke, name, name_len, IMAGE_CHAR) };
static const struct image_table spoke_table = IMAGE_TABLE(struct spoke, spoke_members);
static const struct image_member wheel_members[] = {
	IMAGE_NESTED_LIST(struct wheel, spokes, n_spokes, spoke_table),
};
static const struct image_table wheel_table = IMAGE_TABLE(struct wheel, wheel_members);
static const struct image_type wheel_type = IMAGE_TYPE("wheel", 1, wheel_table);

static void
a_name_comes_twice(void **state)
{
	struct image_member members[] = { wheel_members[0],
					  IMAGE_NESTED_LIST(struct wheel, more, n_more, spoke_table) };
	const struct image_table table = IMAGE_TABLE(struct wheel, members);
	const struct image_type type = IMAGE_TYPE("wheel", 1, table);
	struct spoke spokes[] = { { (char[]){ "up" }, 2 }, { (char[]){ "down" }, 4 } };

	(void)state;
	members[1].name = members[0].name;
	for (size_t first = 1; first <= 2; first++) {
		CLEANUP(buffer_clear) struct buffer out = BUFFER_INIT(0);
		struct wheel wheel = { spokes, spokes, first, 3 - first };
		struct err err;

		assert_int_equal(translate(&type, &wheel, &wheel_type, &out, &err), -1);
		assert_int_equal(err.reason, REASON_STATE_CORRUPT);
	}
}

static void
bytes_that_end_too_early(void **state)
{
	CLEANUP(buffer_clear) struct buffer text = text_of(&old_type), image = image_of(&old_type, &sample);
	struct span bytes = buffer_span(&image);
	struct err err = ERR_INIT;

	(void)state;
	for (bytes.len = 0; bytes.len < image.len; bytes.len++) {
		CLEANUP(buffer_clear) struct buffer out = BUFFER_INIT(0);

		assert_int_equal(image_translate(&bus_type, buffer_span(&text), bytes, &out, &err), -1);
		assert_int_equal(err.reason, REASON_STATE_CORRUPT);
		err_clear(&err);
	}
}

static void
memory_runs_out(void **state)
{
	CLEANUP(buffer_clear) struct buffer text = text_of(&old_type), image = image_of(&old_type, &sample);
	struct err err = ERR_INIT;
	int tries = 0, failed = -1;

	(void)state;
	image_fingerprint(&bus_type);
	while (failed < 0) {
		CLEANUP(buffer_clear) struct buffer out = BUFFER_INIT(0);

		err_clear(&err);
		scarce_left = tries++;
		failed = image_translate(&bus_type, buffer_span(&text), buffer_span(&image), &out, &err);
		scarce_left = -1;
		if (failed < 0)
			assert_int_equal(err.reason, REASON_NO_MEMORY);
	}
	assert_in_range(tries, 5, 20);
}

int
main(void)
{
	struct CMUnitTest tests[8 + ARRAY_LEN(refusals)] = {
		cmocka_unit_test(members_go_by_their_names),
		cmocka_unit_test(nothing_there_is_nothing),
		cmocka_unit_test(the_same_layout_is_the_same),
		cmocka_unit_test(bytes_that_end_too_early),
		cmocka_unit_test(memory_runs_out),
		cmocka_unit_test(described_is_read_in_any_layout),
		cmocka_unit_test(described_of_another_version),
		cmocka_unit_test(a_name_comes_twice),
	};

	for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
		tests[8 + i] = (struct CMUnitTest){ refusals[i].name, refuses, NULL, NULL, (void *)&refusals[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
