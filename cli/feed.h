/*
 * feed.h -- files as messages for telemetry.raw.  A format is a row of the table in feed.c:
 *
 *	csv	one flat JSON object per record: column names as keys, values as JSON strings exactly as in the file
 *	jsonl	each line as it is, byte for byte
 *	matrix	rows x columns of numbers, one of them devices and the other steps of time: one object per number,
 *		{"mote":"3","time":"2004-02-28T00:00:00.000000Z","temperature":"19.98"}
 *
 * No line is lost: a record that does not fit (another number of fields, broken quotes) becomes {"_line":"..."}, so that the
 * router dead-letters it, with the line in it.  Bytes that are not UTF-8 stay as they are, for the same reason.
 */
#ifndef FOREBAY_CLI_FEED_H
#define FOREBAY_CLI_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/csv.h"
#include "common/base/cleanup.h"
#include "common/base/error.h"
#include "common/base/span.h"

enum feed_format { FEED_CSV, FEED_JSONL, FEED_MATRIX, FEED_AUTO };
enum feed_rows { ROWS_ARE_DEVICES, ROWS_ARE_TIMES };

#define FEED_MAX_FIELDS 64

struct feed_constant {
	struct span name, value;
};

struct feed_options {
	enum feed_format format; /* FEED_AUTO: jsonl for *.json, *.jsonl, *.ndjson (also .gz), else csv */
	struct csv_format csv;
	const char
	    *columns; /* names, comma separated; "": the first record has them.  In a matrix: names of the devices */
	const char *
	    device_column; /* whose value is the key; "": none.  In a matrix: what the device is called in the object */
	const char *key;   /* the key of all messages; "": none */
	struct feed_constant constants[FEED_MAX_FIELDS]; /* members that every object gets */
	size_t n_constants;
	int64_t skip_lines; /* at the beginning of each file */
	enum feed_rows rows;
	const char *metric; /* what a number of the matrix is */
	int64_t start_us, step_us;
};

struct feed_message {
	struct span key; /* ptr NULL: none */
	struct span value;
};

struct feed_counts {
	int64_t lines, messages, malformed, blank, comments, without_key;
};

struct feed;

/* OPTIONS must outlive the feed.  -1 on FILE_UNREADABLE, USAGE (a combination that means nothing), NO_MEMORY. */
int feed_open(const struct feed_options *options, const char *path, struct feed **ret, struct err *err);
void feed_close(struct feed *f);
DEFINE_CLEANUP(struct feed, feed_close)

/* 1: a message, valid until the next call; 0: the end; -1 on FILE_UNREADABLE, FILE_INVALID, NO_MEMORY. */
int feed_next(struct feed *f, struct feed_message *ret, struct err *err);

const struct feed_counts *feed_counts(const struct feed *f);
double feed_share(const struct feed *f); /* as input_share() */

#endif
