/* feed.c -- what the formats share; see feed.h.  The formats are in feed_rows.c, feed_lines.c and feed_matrix.c. */
#include "cli/feed.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/feed_private.h"

#define VALUE_MAX_BYTES (64u << 20) /* a record of the largest window, every byte escaped */

static int (*const formats[])(struct feed *f, struct feed_message *ret, struct err *err) = {
	[FEED_CSV] = rows_next,
	[FEED_JSONL] = lines_next,
	[FEED_MATRIX] = matrix_next,
};

static enum feed_format
format_of(const char *path)
{
	static const char *const json[] = { ".json", ".jsonl", ".ndjson" };
	size_t len = strlen(path);

	if (len > 3 && strcasecmp(path + len - 3, ".gz") == 0)
		len -= 3;
	for (size_t i = 0; i < ARRAY_LEN(json); i++) {
		size_t n = strlen(json[i]);

		if (len > n && strncasecmp(path + len - n, json[i], n) == 0)
			return FEED_JSONL;
	}
	return FEED_CSV;
}

int
feed_json_text(struct buffer *out, struct span text)
{
	const char *from = text.ptr, *end = text.ptr + text.len;
	int bad = buffer_append(out, "\"", 1);

	for (const char *c = text.ptr; c < end; c++) {
		if ((unsigned char)*c >= ' ' && *c != '"' && *c != '\\')
			continue;
		bad |= buffer_append(out, from, (size_t)(c - from));
		bad |= *c == '"' || *c == '\\' ? buffer_printf(out, "\\%c", *c)
					       : buffer_printf(out, "\\u%04x", (unsigned char)*c);
		from = c + 1;
	}
	if (text.len)
		bad |= buffer_append(out, from, (size_t)(end - from));
	return bad | buffer_append(out, "\"", 1);
}

static int
fill_constants(struct feed *f, struct err *err)
{
	int bad = 0;

	f->constants.max = VALUE_MAX_BYTES;
	for (size_t i = 0; i < f->options->n_constants; i++)
		bad |= buffer_text(&f->constants, ",") | feed_json_text(&f->constants, f->options->constants[i].name) |
		       buffer_text(&f->constants, ":") | feed_json_text(&f->constants, f->options->constants[i].value);
	return bad ? err_set(err, REASON_NO_MEMORY, "constant fields") : 0;
}

static int
check_options(const struct feed_options *o, enum feed_format format, struct err *err)
{
	if (format == FEED_JSONL && o->n_constants)
		return err_set(err, REASON_USAGE,
			       "--field and --source: JSON Lines are sent as they are; nothing is added");
	if (format == FEED_JSONL && *o->columns)
		return err_set(err, REASON_USAGE, "--columns: JSON Lines have none");
	if (*o->key && *o->device_column && format != FEED_MATRIX)
		return err_set(err, REASON_USAGE, "--key and --device-column: one of them");
	if (format == FEED_MATRIX && (!*o->metric || o->step_us <= 0))
		return err_set(
		    err, REASON_USAGE,
		    "--format=matrix needs --row-is, --metric, --start and --step: the file has none of them");
	return 0;
}

int
feed_open(const struct feed_options *options, const char *path, struct feed **ret, struct err *err)
{
	enum feed_format format = options->format == FEED_AUTO ? format_of(path) : options->format;
	CLEANUP(feed_close)
	struct feed *f = NULL;

	if (check_options(options, format, err) < 0)
		return -1;
	f = calloc(1, sizeof(*f));
	if (!f || !(f->record = calloc(1, sizeof(*f->record))) || !(f->arena = arena_new(4096, 0)))
		return err_set(err, REASON_NO_MEMORY, "%s", path);
	f->options = options;
	f->next = formats[format];
	f->value.max = f->record->quoted.max = VALUE_MAX_BYTES;
	if (fill_constants(f, err) < 0 || input_open(path, &f->input, err) < 0)
		return -1;
	if (format != FEED_JSONL && *options->columns && feed_columns(f, options->columns, err) < 0)
		return -1;
	*ret = TAKE(f);
	return 0;
}

void
feed_close(struct feed *f)
{
	if (!f)
		return;
	input_close(f->input);
	arena_free(f->arena);
	if (f->record)
		buffer_clear(&f->record->quoted);
	free(f->record);
	buffer_clear(&f->value);
	buffer_clear(&f->constants);
	free(f);
}

/* Lines at the beginning that the user knows to be no data. */
static int
skip_beginning(struct feed *f, struct err *err)
{
	while (f->skipped < f->options->skip_lines) {
		struct span w = input_window(f->input);

		if (w.len == 0 && input_at_end(f->input))
			return 0;
		if (w.len == 0 || csv_first_line(w, input_at_end(f->input), f->record) == CSV_MORE) {
			if (input_more(f->input, err) < 0)
				return -1;
			continue;
		}
		input_skip(f->input, f->record->taken);
		f->counts.lines++;
		f->skipped++;
	}
	f->skipped = INT64_MAX;
	return 0;
}

/* A quoted field that runs on to the end of the window is no field: its first line stands for itself. */
static enum csv_kind
scan_window(struct feed *f, struct span w)
{
	bool last = input_at_end(f->input);
	enum csv_kind kind = csv_scan(&f->options->csv, w, last, f->record);

	if (kind == CSV_MORE && w.len == INPUT_WINDOW_MAX)
		kind = csv_first_line(w, last, f->record);
	return kind;
}

int
feed_record(struct feed *f, struct err *err)
{
	if (f->skipped != INT64_MAX && skip_beginning(f, err) < 0)
		return -1;
	for (;;) {
		struct span w = input_window(f->input);
		enum csv_kind kind;

		if (w.len == 0 && input_at_end(f->input))
			return 0;
		kind = w.len == 0 ? CSV_MORE : scan_window(f, w);
		if (kind == CSV_MORE) {
			if (input_more(f->input, err) < 0)
				return -1;
			continue;
		}
		input_skip(f->input, f->record->taken);
		f->counts.lines += (int64_t)f->record->lines;
		if (kind == CSV_ROW || kind == CSV_BROKEN)
			return (int)kind;
		if (kind == CSV_BLANK)
			f->counts.blank++;
		else
			f->counts.comments++;
	}
}

int
feed_finish(struct feed *f, struct span key, struct feed_message *ret, struct err *err)
{
	if (buffer_append(&f->value, f->constants.ptr, f->constants.len) < 0 || buffer_text(&f->value, "}") < 0)
		return err_set(err, REASON_NO_MEMORY, "%s: line %lld", input_name(f->input),
			       (long long)f->counts.lines);
	ret->value = buffer_span(&f->value);
	ret->key = *f->options->key ? span_of(f->options->key) : key.len ? key : SPAN_NONE;
	f->counts.messages++;
	f->counts.without_key += !ret->key.ptr;
	return 1;
}

int
feed_malformed(struct feed *f, struct feed_message *ret, struct err *err)
{
	f->value.len = 0;
	f->counts.malformed++;
	if (buffer_text(&f->value, "{\"_line\":") < 0 || feed_json_text(&f->value, f->record->line) < 0)
		return err_set(err, REASON_NO_MEMORY, "%s: line %lld", input_name(f->input),
			       (long long)f->counts.lines);
	return feed_finish(f, SPAN_NONE, ret, err);
}

static struct span
without_blanks(struct span s)
{
	while (s.len > 0 && (*s.ptr == ' ' || *s.ptr == '\t'))
		s = (struct span){ s.ptr + 1, s.len - 1 };
	while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
		s.len--;
	return s;
}

static int
check_column(struct feed *f, struct span name, struct err *err)
{
	if (name.len == 0)
		return err_set(err, REASON_FILE_INVALID, "%s: column %zu has no name; see --columns",
			       input_name(f->input), f->n_columns + 1);
	for (size_t i = 0; i < f->n_columns; i++)
		if (span_equal(f->columns[i], name))
			return err_set(err, REASON_FILE_INVALID, "%s: two columns are called %.*s; see --columns",
				       input_name(f->input), SPAN_ARG(name));
	for (size_t i = 0; i < f->options->n_constants; i++)
		if (span_equal(f->options->constants[i].name, name))
			return err_set(err, REASON_USAGE, "--field %.*s: a column of %s has this name", SPAN_ARG(name),
				       input_name(f->input));
	return 0;
}

static int
find_device(struct feed *f, struct err *err)
{
	const char *wanted = f->options->device_column;

	f->device = 0;
	while (f->device < f->n_columns && !span_equal(f->columns[f->device], span_of(wanted)))
		f->device++;
	if (*wanted && f->device == f->n_columns && f->next == rows_next)
		return err_set(err, REASON_FILE_INVALID,
			       "%s: no column is called %s (see --columns, --delimiter, --trim)", input_name(f->input),
			       wanted);
	return 0;
}

int
feed_columns(struct feed *f, const char *list, struct err *err)
{
	static const struct csv_format commas = { .delimiter = ',', .trim = true };

	if (list && csv_scan(&commas, span_of(list), true, f->record) != CSV_ROW)
		return err_set(err, REASON_USAGE, "--columns: not a list of names separated by commas");
	f->columns = arena_alloc(f->arena, (f->record->n_fields + 1) * sizeof(*f->columns));
	for (size_t i = 0; f->columns && i < f->record->n_fields; i++) {
		struct span name = without_blanks(f->record->fields[i]);

		if (check_column(f, name, err) < 0)
			return -1;
		f->columns[f->n_columns++] = arena_copy(f->arena, name);
	}
	if (!f->columns)
		return err_set(err, REASON_NO_MEMORY, "columns");
	return find_device(f, err);
}

int
feed_next(struct feed *f, struct feed_message *ret, struct err *err)
{
	return f->next(f, ret, err);
}

const struct feed_counts *
feed_counts(const struct feed *f)
{
	return &f->counts;
}

double
feed_share(const struct feed *f)
{
	return input_share(f->input);
}
