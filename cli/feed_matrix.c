/*
 * feed_matrix.c -- the matrix format: numbers without names or times.  Rows are devices and columns steps of time, or the
 * other way round.  A row of the wrong width is kept as a malformed line, and counts as a row, so that the ones behind it
 * keep their device or time.
 */
#include <stdio.h>

#include "cli/feed_private.h"
#include "common/base/clock.h"

/* The first row says how wide the matrix is, unless names of columns do. */
static int
take_row(struct feed *f, struct err *err)
{
	int kind = feed_record(f, err);

	if (kind <= 0)
		return kind;
	f->row++;
	if (f->width == 0)
		f->width = f->options->rows == ROWS_ARE_TIMES && f->n_columns ? f->n_columns : f->record->n_fields;
	if (kind == CSV_ROW && f->record->n_fields != f->width)
		kind = CSV_BROKEN;
	f->next_cell = kind == CSV_ROW ? 0 : f->width;
	return kind;
}

/* The device's name: from the list, or its number from 1. */
static struct span
device_name(struct feed *f, size_t index)
{
	if (index < f->n_columns)
		return f->columns[index];
	return (struct span){ f->key, (size_t)snprintf(f->key, sizeof(f->key), "%zu", index + 1) };
}

int
matrix_next(struct feed *f, struct feed_message *ret, struct err *err)
{
	const struct feed_options *o = f->options;
	const char *called = *o->device_column ? o->device_column : "mote";
	char time[CLOCK_TEXT_BYTES];
	size_t row, column, step;
	struct span name;
	int kind, bad;

	if (f->next_cell == f->width) {
		kind = take_row(f, err);
		if (kind <= 0)
			return kind;
		if (kind == CSV_BROKEN)
			return feed_malformed(f, ret, err);
	}
	row = (size_t)f->row - 1;
	column = f->next_cell++;
	step = o->rows == ROWS_ARE_TIMES ? row : column;
	name = device_name(f, o->rows == ROWS_ARE_TIMES ? column : row);
	clock_iso8601(o->start_us + (int64_t)step * o->step_us, time);
	f->value.len = 0;
	bad = buffer_text(&f->value, "{") | feed_json_text(&f->value, span_of(called)) | buffer_text(&f->value, ":") |
	      feed_json_text(&f->value, name) | buffer_printf(&f->value, ",\"time\":\"%s\",", time) |
	      feed_json_text(&f->value, span_of(o->metric)) | buffer_text(&f->value, ":") |
	      feed_json_text(&f->value, f->record->fields[column]);
	if (bad)
		return err_set(err, REASON_NO_MEMORY, "%s: line %lld", input_name(f->input),
			       (long long)f->counts.lines);
	return feed_finish(f, name, ret, err);
}
