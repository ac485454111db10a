/* detect_strongest.h -- the N strongest of many rows, in memory for N. */
#ifndef FOREBAY_CLI_DETECT_STRONGEST_H
#define FOREBAY_CLI_DETECT_STRONGEST_H

#include <jansson.h>

#include "cli/detect_judge.h"
#include "common/base/buffer.h"

/* A row that is remembered.  Texts that are longer are cut. */
struct strong {
	int64_t line;
	double onset, p, members[DETECTOR_MEMBERS], group;
	struct group_blame blame[FOREST_COLUMNS_MAX]; /* of columns that have a value */
	size_t n_blame;
	char time[48], column[64], value[32], reason[512];
};

/* A heap: the weakest first.  Zeroed, with room for `most` items, is new. */
struct strongest {
	const char *const *names; /* of the columns */
	struct strong *items;
	size_t n, most;
};

/* Of rows of columns with these NAMES, which stay.  -1 on NO_MEMORY. */
int strongest_new(size_t most, const char *const *names, struct strongest *ret, struct err *err);
void strongest_clear(struct strongest *s);

/* Remember the row if it is among the strongest so far: by its onset, then by its p-value, then the earlier one. */
void strongest_add(struct strongest *s, const struct sheet_row *row, const struct judgement *j);

/* The strongest first.  Nothing may be added after that. */
void strongest_sort(struct strongest *s);

/* A table for people, titles and all.  -1 on NO_MEMORY. */
int strongest_print(const struct strongest *s, struct buffer *out, struct err *err);

/* [{"line": 7, ...}]; NULL when memory is out. */
json_t *strongest_json(const struct strongest *s);

#endif
