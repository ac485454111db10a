/*
 * image_table.h -- the tables that image.h walks: what a structure's members are and where, as lists of macros.  What does not
 * fit its kind does not compile.
 *
 *	static const struct image_member sample_members[] = {
 *		IMAGE_FIELD(struct sample, time_us, IMAGE_I64),
 *		IMAGE_FIELD(struct sample, value, IMAGE_F64),
 *	};
 *	static const struct image_table sample_table = IMAGE_TABLE(struct sample, sample_members);
 *
 *	static const struct image_member track_members[] = {
 *		IMAGE_NESTED_LIST(struct track, items, n_items, sample_table),
 *		IMAGE_LIST_OF(struct track, unit, unit_len, IMAGE_CHAR),
 *		IMAGE_ARRAY_OF(struct track, ring, IMAGE_F32),
 *	};
 *	static const struct image_table track_table = IMAGE_TABLE(struct track, track_members);
 *	const struct image_type track_type = IMAGE_TYPE("track", 1, track_table);
 *
 * They stand at file scope.  A member may be a path ("order.newest_us").  An enum is the IMAGE_U32 that the compiler makes
 * of it.  Tables nest at most IMAGE_DEPTH_MAX deep.  A broken rule is an assertion.
 */
#ifndef FOREBAY_BASE_IMAGE_TABLE_H
#define FOREBAY_BASE_IMAGE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#define IMAGE_DEPTH_MAX 16

enum image_kind {
	IMAGE_BOOL, /* bool: 0 or 1 */
	IMAGE_CHAR, /* char: a byte of a text; lists and arrays of it are strings in JSON */
	IMAGE_I8,
	IMAGE_U8,
	IMAGE_I16,
	IMAGE_U16,
	IMAGE_I32,
	IMAGE_U32,
	IMAGE_I64,
	IMAGE_U64,
	IMAGE_SIZE, /* size_t, as 8 bytes */
	IMAGE_F32,
	IMAGE_F64,
	IMAGE_STRUCT, /* a structure with a table of its own */
};

enum image_form {
	IMAGE_ONE,
	IMAGE_ARRAY, /* `count` elements, in the structure */
	IMAGE_LIST,  /* a pointer from malloc() at `at`, its count (size_t) at `count_at`; NULL when the count is 0 */
	IMAGE_OPTIONAL, /* a pointer from malloc() at `at`, or NULL */
};

struct image_table;

struct image_member {
	const char *name; /* of letters, digits, and "_.-" */
	enum image_kind kind;
	enum image_form form;
	size_t at, size; /* size: of one element, in memory */
	size_t count;    /* IMAGE_ARRAY: > 0 */
	size_t count_at; /* IMAGE_LIST; lists that share a count are equally long */
	size_t cap_at;   /* IMAGE_LIST: where the list's capacity (size_t) is kept, set to the count; 0: nowhere */
	const struct image_table *table; /* IMAGE_STRUCT */
};

/* A structure that does not lie flat (a ring, shared points) is first turned into one that does, by its owner. */
struct image_table {
	const struct image_member *members; /* at least one */
	size_t n, size;                     /* size of the structure */
	uint64_t *memo;                     /* what was computed from it; 0 at first.  NULL: computed each time */
};

struct image_type {
	const char *name; /* "cleaner": as a member's */
	/*
	 * Of the meaning.  Layouts of one version are translated by the names of their members (image_translate): raise it when the
	 * same bytes mean something else, when a new member may not begin as zeros, when what is gone is missed.
	 */
	uint32_t version;
	const struct image_table *table;
	uint64_t *memo; /* as the table's */
};

/* Members that are numbers: one, an array, a list, an optional. */
#define IMAGE_FIELD(type, member, kind_) IMAGE_MEMBER_(type, member, ((type *)0)->member, kind_, IMAGE_ONE, .count = 1)
#define IMAGE_ARRAY_OF(type, member, kind_)                                     \
	IMAGE_MEMBER_(type, member, ((type *)0)->member[0], kind_, IMAGE_ARRAY, \
		      .count = IMAGE_COUNT_(((type *)0)->member))
#define IMAGE_LIST_OF(type, member, n_member, kind_) \
	IMAGE_MEMBER_(type, member, *((type *)0)->member, kind_, IMAGE_LIST, IMAGE_COUNT_AT_(type, n_member))
#define IMAGE_LIST_CAP_OF(type, member, n_member, cap_member, kind_)                                          \
	IMAGE_MEMBER_(type, member, *((type *)0)->member, kind_, IMAGE_LIST, IMAGE_COUNT_AT_(type, n_member), \
		      IMAGE_CAP_AT_(type, cap_member))
#define IMAGE_OPTIONAL_OF(type, member, kind_) \
	IMAGE_MEMBER_(type, member, *((type *)0)->member, kind_, IMAGE_OPTIONAL, .count = 1)

/* The same of structures, each with TABLE_: the object, not its address. */
#define IMAGE_NESTED(type, member, table_) \
	IMAGE_NESTED_(type, member, ((type *)0)->member, table_, IMAGE_ONE, .count = 1)
#define IMAGE_NESTED_ARRAY(type, member, table_)                                 \
	IMAGE_NESTED_(type, member, ((type *)0)->member[0], table_, IMAGE_ARRAY, \
		      .count = IMAGE_COUNT_(((type *)0)->member))
#define IMAGE_NESTED_LIST(type, member, n_member, table_) \
	IMAGE_NESTED_(type, member, *((type *)0)->member, table_, IMAGE_LIST, IMAGE_COUNT_AT_(type, n_member))
#define IMAGE_NESTED_LIST_CAP(type, member, n_member, cap_member, table_)                                      \
	IMAGE_NESTED_(type, member, *((type *)0)->member, table_, IMAGE_LIST, IMAGE_COUNT_AT_(type, n_member), \
		      IMAGE_CAP_AT_(type, cap_member))
#define IMAGE_NESTED_OPTIONAL(type, member, table_) \
	IMAGE_NESTED_(type, member, *((type *)0)->member, table_, IMAGE_OPTIONAL, .count = 1)

#define IMAGE_TABLE(type, list)                                                                \
	{                                                                                      \
		.members = (list), .n = IMAGE_COUNT_(list), .size = sizeof(type), IMAGE_MEMO_, \
	}
#define IMAGE_TYPE(name_, version_, table_)                                              \
	{                                                                                \
		.name = (name_), .version = (version_), .table = &(table_), IMAGE_MEMO_, \
	}

/* ---- what the macros above are made of ---- */

#define IMAGE_MEMBER_(type, member, element, kind_, form_, ...)                                  \
	{                                                                                        \
		.name = #member, .kind = (kind_), .form = (form_), .at = offsetof(type, member), \
		.size = sizeof(element) + IMAGE_IS_(element, kind_##_C), __VA_ARGS__             \
	}
#define IMAGE_NESTED_(type, member, element, table_, form_, ...)                                      \
	{                                                                                             \
		.name = #member, .kind = IMAGE_STRUCT, .form = (form_), .at = offsetof(type, member), \
		.size = sizeof(element), .table = &(table_), __VA_ARGS__                              \
	}
#define IMAGE_COUNT_(array) (sizeof(array) / sizeof((array)[0]))
#define IMAGE_COUNT_AT_(type, member) .count_at = offsetof(type, member) + IMAGE_IS_(((type *)0)->member, size_t)
#define IMAGE_CAP_AT_(type, member) .cap_at = offsetof(type, member) + IMAGE_IS_(((type *)0)->member, size_t)

/* 0 where VALUE is of type WANTED, or an enum that the compiler makes one; else no program. */
#define IMAGE_IS_(value, wanted)                                                                       \
	(0 * sizeof(struct {                                                                           \
		 char c;                                                                               \
		 _Static_assert(_Generic((value), wanted : 1, default : 0), #value " is no " #wanted); \
	 }))
#define IMAGE_BOOL_C _Bool
#define IMAGE_CHAR_C char
#define IMAGE_I8_C int8_t
#define IMAGE_U8_C uint8_t
#define IMAGE_I16_C int16_t
#define IMAGE_U16_C uint16_t
#define IMAGE_I32_C int32_t
#define IMAGE_U32_C uint32_t
#define IMAGE_I64_C int64_t
#define IMAGE_U64_C uint64_t
#define IMAGE_SIZE_C size_t
#define IMAGE_F32_C float
#define IMAGE_F64_C double
#define IMAGE_MEMO_          \
	.memo = (uint64_t[]) \
	{                    \
		0            \
	}

#endif
