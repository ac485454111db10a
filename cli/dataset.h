/*
 * dataset.h -- a file of series for forecasts, in memory.
 *
 *	JSON Lines	as SageMaker's DeepAR takes it, a series a line: {"start": "2024-01-01 00:00:00", "target": [1.5, null, "NaN"],
 *			"cat": [0], "dynamic_feat": [[...]]}; other members are left alone; "id" or "item_id", a text or a number, names the series
 *	CSV		a column of times and columns of numbers, each of which is a series; empty cells, NaN and what is in
 *			`missing` (see missing.h) are not known.  The rows are on one step: one row after the other by the frequency,
 *			a twentieth of a step (of months: three days) early or late
 *
 * Both may be gzip.  What is wrong is named by file, line and field.
 */
#ifndef FOREBAY_CLI_DATASET_H
#define FOREBAY_CLI_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/input.h"
#include "common/base/arena.h"
#include "common/base/cleanup.h"
#include "common/base/error.h"
#include "common/base/span.h"
#include "common/forecast/deepar.h"

enum dataset_format {
	DATASET_AUTO,
	DATASET_LINES,
	DATASET_TABLE
}; /* auto: what begins with a brace, or holds nothing, is lines */

struct dataset_options {
	enum dataset_format format;
	const char *frequency;   /* "1h"; "": a table's, from its first two times */
	const char *time_column; /* of a table; "": its first column */
	const char *columns;     /* of a table, comma separated; "": all others */
	const char *missing;     /* what stands for "not known" in a table: "NA,-200"; "": nothing; see missing.h */
	char delimiter;          /* ',' */
};

/* One series. */
struct dataset_row {
	struct target target;
	const char *name; /* NULL: it has none */
	bool numeric;     /* its name is a number in JSON */
	size_t line;      /* where it stands; of a table: 0, it is in all of them */
};

struct dataset {
	struct frequency frequency;
	struct dataset_row *rows; /* n */
	size_t n, room;
	int32_t cardinality[DEEPAR_CATS_MAX]; /* greatest category + 1 */
	struct arena *arena;                  /* where the arrays lie */
};

/* DATASET_AUTO in *FORMAT becomes what IN's beginning says; nothing is skipped.  -1 as input_more(). */
int dataset_find_format(struct input *in, enum dataset_format *format, struct err *err);

/* All of IN.  *D is undefined before.  -1 on FILE_UNREADABLE, FILE_INVALID (file, line, field), OPTION_INVALID, NO_MEMORY; *D is empty
 * then. */
int dataset_take(struct input *in, const struct dataset_options *o, struct dataset *d, struct err *err);
void dataset_clear(struct dataset *d);

/* One line of JSON Lines: for readers that go on behind a bad one.  PLACE for messages: "FILE: line 3".  Arrays lie in ARENA.  Of a
 * bad one *RET has the name, if that could be read, and nothing else. */
int dataset_line(struct span line, const char *place, struct arena *arena, struct dataset_row *ret, struct err *err);

/* Nothing but blanks: no series, and no mistake. */
bool dataset_blank(struct span line);

/* The targets of all rows, in the dataset's arena; NULL when memory is out. */
struct target *dataset_targets(struct dataset *d);

#endif
