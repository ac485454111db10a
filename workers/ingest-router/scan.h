/*
 * scan.h -- one pass over a JSON text: validates all of it, and keeps what a plan wants.
 *
 * As strict as RFC 8259 asks and as jansson is with JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL |
 * JSON_DECODE_INT_AS_REAL, its oracle in the tests, but for these, on purpose:
 *	- nesting is bounded by limits.depth (jansson: 2048)
 *	- \u0000 is allowed in keys, too (jansson: in values only)
 *	- a zero byte is refused wherever it stands (jansson overlooks one behind a number)
 *	- more than limits.rows rows end the scan with TOO_MANY_VALUES
 * Integers of any size are read as doubles; numbers too small for one are zero, numbers too large are an error.
 *
 * Nothing is copied: texts point into the input, or into the arena where escapes had to be resolved.
 */
#ifndef FOREBAY_INGEST_ROUTER_SCAN_H
#define FOREBAY_INGEST_ROUTER_SCAN_H

#include "common/base/arena.h"
#include "common/base/error.h"
#include "workers/ingest-router/plan.h"

enum scan_kind {
	SCAN_ABSENT,
	SCAN_NULL,
	SCAN_FALSE,
	SCAN_TRUE,
	SCAN_NUMBER,
	SCAN_STRING,
	SCAN_ARRAY,
	SCAN_OBJECT,
};

struct scan_value {
	struct span text; /* a string's content, unescaped; of all others their text in the message */
	double number;    /* of a number */
	enum scan_kind kind;
};

struct scan_row;

/* The rows of one group below one row, in their order in the message. */
struct scan_list {
	struct scan_row *first, *last;
	size_t n;
};

struct scan_row {
	struct scan_row *next;
	struct span name;           /* of a member; SPAN_NONE for an element */
	struct scan_list *lists;    /* by plan_group.list */
	struct scan_value values[]; /* by slot */
};

struct scan_limits {
	unsigned depth; /* most containers inside each other */
	size_t rows;    /* most elements and members taken one by one */
};

/*
 * The row of the message, in ARENA, for as long as the arena and TEXT live.  -1, with the offset of the byte, on JSON_SYNTAX,
 * JSON_UTF8 (bytes, and \u escapes of half a surrogate pair), JSON_DEPTH, JSON_DUPLICATE_KEY, JSON_NUMBER,
 * TOO_MANY_VALUES; NO_MEMORY.
 */
int scan_json(const struct plan *plan, struct span text, const struct scan_limits *limits, struct arena *arena,
	      const struct scan_row **ret, struct err *err);

#endif
