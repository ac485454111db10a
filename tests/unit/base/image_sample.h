/*
 * image_sample.h -- structures for the tests of images: `track` as a worker might have it, and `all`, every kind in every form.
 */
#ifndef FOREBAY_TESTS_IMAGE_SAMPLE_H
#define FOREBAY_TESTS_IMAGE_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/image.h"

enum mood { CALM, CROSS };

struct visit {
	int64_t time_us;
	bool late;
	double value;
};

struct leg {
	struct visit *visits;
	size_t n, cap;
	uint8_t *flags; /* n of them too */
	char *note;
	size_t note_len;
};

struct track {
	char place[8];
	enum mood mood;
	struct visit last, best[2];
	struct leg *legs;
	size_t n_legs;
	struct leg *spare;
	float *limit;
	uint64_t seen;
	int unsaved; /* not in the table */
};

static const struct image_member visit_members[] = {
	IMAGE_FIELD(struct visit, time_us, IMAGE_I64),
	IMAGE_FIELD(struct visit, late, IMAGE_BOOL),
	IMAGE_FIELD(struct visit, value, IMAGE_F64),
};
static const struct image_table visit_table = IMAGE_TABLE(struct visit, visit_members);

static const struct image_member leg_members[] = {
	IMAGE_NESTED_LIST_CAP(struct leg, visits, n, cap, visit_table),
	IMAGE_LIST_CAP_OF(struct leg, flags, n, cap, IMAGE_U8),
	IMAGE_LIST_OF(struct leg, note, note_len, IMAGE_CHAR),
};
static const struct image_table leg_table = IMAGE_TABLE(struct leg, leg_members);

static const struct image_member track_members[] = {
	IMAGE_ARRAY_OF(struct track, place, IMAGE_CHAR),          IMAGE_FIELD(struct track, mood, IMAGE_U32),
	IMAGE_FIELD(struct track, last.value, IMAGE_F64),         IMAGE_NESTED_ARRAY(struct track, best, visit_table),
	IMAGE_NESTED_LIST(struct track, legs, n_legs, leg_table), IMAGE_NESTED_OPTIONAL(struct track, spare, leg_table),
	IMAGE_OPTIONAL_OF(struct track, limit, IMAGE_F32),        IMAGE_FIELD(struct track, seen, IMAGE_U64),
};
static const struct image_table track_table = IMAGE_TABLE(struct track, track_members);
static const struct image_type track_type = IMAGE_TYPE("track", 3, track_table);

/* X(name, type in C, kind) */
#define ALL_KINDS(X)          \
	X(b, bool, BOOL)      \
	X(c, char, CHAR)      \
	X(i8, int8_t, I8)     \
	X(u8, uint8_t, U8)    \
	X(i16, int16_t, I16)  \
	X(u16, uint16_t, U16) \
	X(i32, int32_t, I32)  \
	X(u32, uint32_t, U32) \
	X(i64, int64_t, I64)  \
	X(u64, uint64_t, U64) \
	X(size, size_t, SIZE) \
	X(f32, float, F32)    \
	X(f64, double, F64)

struct all {
#define X(name, type, kind)                                                         \
	type one_##name, array_##name[3], *list_##name, *some_##name, *none_##name; \
	size_t n_##name;
	ALL_KINDS(X)
#undef X
	struct visit one_s, array_s[3], *list_s, *some_s, *none_s;
	size_t n_s;
};

static const struct image_member all_members[] = {
#define X(name, type, kind)                                                                                        \
	IMAGE_FIELD(struct all, one_##name, IMAGE_##kind), IMAGE_ARRAY_OF(struct all, array_##name, IMAGE_##kind), \
	    IMAGE_LIST_OF(struct all, list_##name, n_##name, IMAGE_##kind),                                        \
	    IMAGE_OPTIONAL_OF(struct all, some_##name, IMAGE_##kind),                                              \
	    IMAGE_OPTIONAL_OF(struct all, none_##name, IMAGE_##kind),
	ALL_KINDS(X)
#undef X
	    IMAGE_NESTED(struct all, one_s, visit_table),
	IMAGE_NESTED_ARRAY(struct all, array_s, visit_table),
	IMAGE_NESTED_LIST(struct all, list_s, n_s, visit_table),
	IMAGE_NESTED_OPTIONAL(struct all, some_s, visit_table),
	IMAGE_NESTED_OPTIONAL(struct all, none_s, visit_table),
};
static const struct image_table all_table = IMAGE_TABLE(struct all, all_members);
static const struct image_type all_type = IMAGE_TYPE("all", 1, all_table);

#endif
