/* feed_private.h -- what feed.c shares with the formats' files.  Nobody else includes it. */
#ifndef FOREBAY_CLI_FEED_PRIVATE_H
#define FOREBAY_CLI_FEED_PRIVATE_H

#include "cli/feed.h"
#include "cli/input.h"
#include "common/base/arena.h"
#include "common/base/buffer.h"

struct feed {
	const struct feed_options *options;
	int (*next)(struct feed *f, struct feed_message *ret, struct err *err);
	struct input *input;
	struct arena *arena; /* column names */
	struct csv_record *record;
	struct buffer value;
	struct buffer constants; /* `,"name":"value"` of each constant */
	struct span *columns;
	size_t n_columns;
	size_t device;    /* index of the device column; n_columns: none */
	int64_t row;      /* matrix: rows taken so far */
	size_t width;     /* matrix: numbers in a row; 0: not known yet */
	size_t next_cell; /* matrix: of the row at hand; width: take another row */
	char key[24];     /* matrix: the device's number as text */
	int64_t skipped;  /* lines at the beginning */
	struct feed_counts counts;
};

/* The next record, blank lines and comments skipped and counted: CSV_ROW or CSV_BROKEN, 0 at the end, -1. */
int feed_record(struct feed *f, struct err *err);

/* {"_line":"..."} and the constants, without a key unless --key gives one. */
int feed_malformed(struct feed *f, struct feed_message *ret, struct err *err);

/* TEXT as a JSON string; bytes beyond ASCII as they are. */
int feed_json_text(struct buffer *out, struct span text);

/* Close the object in f->value and hand it out under KEY (empty: none), or under the constant key. */
int feed_finish(struct feed *f, struct span key, struct feed_message *ret, struct err *err);

/* Column names from a comma separated list, or from the record at hand. */
int feed_columns(struct feed *f, const char *list, struct err *err);

int rows_next(struct feed *f, struct feed_message *ret, struct err *err);
int lines_next(struct feed *f, struct feed_message *ret, struct err *err);
int matrix_next(struct feed *f, struct feed_message *ret, struct err *err);

#endif
