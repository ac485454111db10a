/*
 * detect_sheet.h -- a table in CSV with a header, a row at a time: a time and numbers.  In bounded memory, a file of any size, also gzip
 * or standard input.
 *
 * Every record is a row, whatever is wrong with it: what cannot be read is missing, and `trouble` says why.  Blank lines are none.
 */
#ifndef FOREBAY_CLI_DETECT_SHEET_H
#define FOREBAY_CLI_DETECT_SHEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/missing.h"
#include "common/base/cleanup.h"
#include "common/base/error.h"
#include "common/base/span.h"
#include "common/series/timestamp.h"

struct sheet_options {
	const char *time_column; /* "": the first */
	struct time_format time_format;
	const char
	    *value_columns;  /* comma separated; "": all others that have a number, or nothing, in the first row */
	const char *missing; /* what stands for a missing value, beside nothing, NaN and infinities: see missing.h */
	char delimiter;
};

struct sheet;

/*
 * The texts of OPTIONS must outlive the sheet.  -1 on OPTION_INVALID (`missing`), FILE_UNREADABLE, FILE_INVALID (no header: also
 * where a title is a time or a number; no such column; no column of numbers), NO_MEMORY.
 */
int sheet_open(const char *path, const struct sheet_options *options, struct sheet **ret, struct err *err);
void sheet_close(struct sheet *r);
DEFINE_CLEANUP(struct sheet, sheet_close)

const char *sheet_name(const struct sheet *r); /* of the file, for messages */

/* Columns that nobody named and whose first row has neither a number nor nothing: `unit ("bar"), a ("0,5") and 3 more`; NULL: none. */
const char *sheet_left_out(const struct sheet *r);

const struct missing *sheet_missing(const struct sheet *r);
size_t sheet_columns(const struct sheet *r); /* of values, >= 1 */
double sheet_share(const struct sheet *r);   /* as input_share() */

/* Its name, as readable_text() has it. */
const char *sheet_column(const struct sheet *r, size_t i);

/* One row; good until the next one is asked for. */
struct sheet_row {
	int64_t line;     /* of the file, from 1 */
	struct span time; /* as it stands */
	bool timed;       /* time_us is set */
	int64_t time_us;
	const double *values;     /* of all columns; NaN: missing */
	const struct span *texts; /* as they stand */
	const char *trouble;      /* what cannot be read, and why, fit for a terminal; NULL: nothing */
};

/* 1: a row; 0: the end; -1 on FILE_UNREADABLE, FILE_INVALID (a line longer than INPUT_WINDOW_MAX). */
int sheet_next(struct sheet *r, struct sheet_row *ret, struct err *err);

#endif
