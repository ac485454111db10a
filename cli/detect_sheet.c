/* detect_sheet.c -- see detect_sheet.h.  The header and, where columns are not named, the first row say which fields count. */
#include "cli/detect_sheet.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/csv.h"
#include "cli/input.h"
#include "cli/missing.h"
#include "cli/readable.h"
#include "common/base/arena.h"
#include "common/base/number.h"
#include "common/series/timestamp.h"

#define TROUBLE_BYTES 400
#define TOLD_BYTES 40 /* of a text that is no time or number */
#define TOLD 5        /* columns that are left out */

struct sheet {
	struct sheet_options options;
	struct missing missing;
	struct input *in;
	struct csv_format format;
	struct csv_record record;
	enum csv_kind kind;
	bool waiting;        /* the record at hand is the first row, and has not been handed out */
	struct arena *arena; /* names, and the arrays of a row */
	size_t time_field, *fields, n;
	const char **names;
	struct buffer left_out; /* `unit ("bar"), model ("A7")` */
	size_t n_left_out;
	double *values;
	struct span *texts;
	int64_t line, lines; /* of the record at hand; read so far */
	char trouble[TROUBLE_BYTES];
};

/* The next record that is not blank: 1, 0 at the end, -1. */
static int
next_record(struct sheet *r, struct err *err)
{
	for (;;) {
		struct span w = input_window(r->in);
		bool last = input_at_end(r->in);

		if (w.len == 0 && last)
			return 0;
		r->kind = w.len ? csv_scan(&r->format, w, last, &r->record) : CSV_MORE;
		if (r->kind == CSV_MORE && w.len == INPUT_WINDOW_MAX) /* a quote that is never closed */
			r->kind = csv_first_line(w, last, &r->record);
		if (r->kind == CSV_MORE) {
			if (input_more(r->in, err) < 0)
				return -1;
			continue;
		}
		input_skip(r->in, r->record.taken);
		r->line = r->lines + 1;
		r->lines += (int64_t)r->record.lines;
		if (r->kind == CSV_ROW || r->kind == CSV_BROKEN)
			return 1;
	}
}

/* ---- the header ---- */

static bool
listed(const char *list, struct span name)
{
	for (const char *p = list; *p;) {
		size_t n = strcspn(p, ",");

		if (span_equal((struct span){ p, n }, name))
			return true;
		p += n + (p[n] == ',');
	}
	return false;
}

static int
no_column(const struct sheet *r, struct span name, struct err *err)
{
	return err_set(err, REASON_FILE_INVALID, "%s:1: there is no column \"%.*s\" (--delimiter is '%c')",
		       input_name(r->in), SPAN_ARG(name), r->format.delimiter);
}

static int
find_time(struct sheet *r, const struct span *titles, size_t n, struct err *err)
{
	struct span wanted = span_of(r->options.time_column);

	if (wanted.len == 0)
		return 0;
	while (r->time_field < n && !span_equal(titles[r->time_field], wanted))
		r->time_field++;
	return r->time_field < n ? 0 : no_column(r, wanted, err);
}

/* Every name that was asked for is there. */
static int
check_wanted(const struct sheet *r, const struct span *titles, size_t n, struct err *err)
{
	for (const char *p = r->options.value_columns; *p;) {
		struct span name = { p, strcspn(p, ",") };
		size_t i = 0;

		while (i < n && (i == r->time_field || !span_equal(titles[i], name)))
			i++;
		if (i == n)
			return no_column(r, name, err);
		p += name.len + (p[name.len] == ',');
	}
	return 0;
}

/* Could the field of the row at hand be a number that is known or missing? */
static bool
looks_numeric(struct sheet *r, size_t field)
{
	struct decimal number;

	return r->kind != CSV_ROW || field >= r->record.n_fields ||
	       decimal_parse(r->record.fields[field], '.', &number) != NUMBER_NONE ||
	       missing_is(&r->missing, r->record.fields[field]);
}

/* The first row of a file without a header is no header, and not lost: a time for a title, or a number.  Who names a column means it. */
static int
check_titles(const struct sheet *r, const struct span *titles, struct err *err)
{
	struct span time = titles[r->time_field];
	struct err why = ERR_INIT;
	struct decimal number;
	int64_t at;

	if (!*r->options.time_column && timestamp_parse(time, &r->options.time_format, &at, &why) == 0)
		return err_set(
		    err, REASON_FILE_INVALID,
		    "%s:1: \"%.*s\" is a time, not a column's name: put a line of column names above the rows "
		    "(or say --time-column=\"%.*s\" if it is a name)",
		    input_name(r->in), SPAN_ARG(time), SPAN_ARG(time));
	for (size_t i = 0; i < r->n && !*r->options.value_columns; i++)
		if (decimal_parse(titles[r->fields[i]], '.', &number) == NUMBER_OK)
			return err_set(
			    err, REASON_FILE_INVALID,
			    "%s:1: \"%s\" is a number, not a column's name: put a line of column names above "
			    "the rows (or list the names by --value-columns if they are numbers)",
			    input_name(r->in), r->names[i]);
	return 0;
}

static int
take_column(struct sheet *r, size_t field, struct span title, struct err *err)
{
	char *name = arena_printf(r->arena, "%.*s", SPAN_ARG(title));

	if (!name)
		return err_set(err, REASON_NO_MEMORY, "%s", input_name(r->in));
	r->names[r->n] = readable_text(name);
	r->fields[r->n++] = field;
	return 0;
}

static int
leave_out(struct sheet *r, size_t field, struct span title, struct err *err)
{
	struct span text = r->record.fields[field];
	int bad = 0;

	if (r->n_left_out++ < TOLD)
		bad = buffer_printf(&r->left_out, "%s%.*s (\"%.*s\")", r->left_out.len ? ", " : "", SPAN_ARG(title),
				    text.len < TOLD_BYTES ? (int)text.len : TOLD_BYTES, text.ptr);
	return bad ? err_set(err, REASON_NO_MEMORY, "%s", input_name(r->in)) : 0;
}

static int
end_left_out(struct sheet *r, struct err *err)
{
	int bad = 0;

	if (r->n_left_out > TOLD)
		bad = buffer_printf(&r->left_out, " and %zu more", r->n_left_out - TOLD);
	if (bad || buffer_append(&r->left_out, "", 1) < 0)
		return err_set(err, REASON_NO_MEMORY, "%s", input_name(r->in));
	readable_text(r->left_out.ptr);
	return 0;
}

static int
choose_columns(struct sheet *r, const struct span *titles, size_t n, struct err *err)
{
	const char *list = r->options.value_columns;
	int bad = 0;

	for (size_t i = 0; i < n && bad == 0; i++) {
		if (i == r->time_field || (*list && !listed(list, titles[i])))
			continue;
		bad =
		    *list || looks_numeric(r, i) ? take_column(r, i, titles[i], err) : leave_out(r, i, titles[i], err);
	}
	if (bad < 0 || end_left_out(r, err) < 0)
		return -1;
	return r->n ? 0
		    : err_set(err, REASON_FILE_INVALID,
			      "%s:%lld: no column beside the times has a number (--delimiter is '%c')",
			      input_name(r->in), (long long)r->line, r->format.delimiter);
}

static int
make_room(struct sheet *r, size_t n, struct err *err)
{
	r->fields = arena_alloc(r->arena, n * sizeof(*r->fields));
	r->names = arena_alloc(r->arena, n * sizeof(*r->names));
	r->values = arena_alloc(r->arena, n * sizeof(*r->values));
	r->texts = arena_alloc(r->arena, n * sizeof(*r->texts));
	return r->fields && r->names && r->values && r->texts ? 0
							      : err_set(err, REASON_NO_MEMORY, "%s", input_name(r->in));
}

/* Titles outlive the header: the first row is looked at before columns are chosen. */
static int
copy_titles(struct sheet *r, struct span **ret, struct err *err)
{
	size_t n = r->record.n_fields;
	struct span *titles = arena_alloc(r->arena, n * sizeof(*titles));

	for (size_t i = 0; titles && i < n; i++) {
		titles[i] = arena_copy(r->arena, r->record.fields[i]);
		if (!titles[i].ptr)
			titles = NULL;
	}
	*ret = titles;
	return titles ? 0 : err_set(err, REASON_NO_MEMORY, "%s", input_name(r->in));
}

static int
read_header(struct sheet *r, struct err *err)
{
	int got = next_record(r, err);
	struct span *titles;
	size_t n = r->record.n_fields;

	if (got < 0)
		return -1;
	if (got == 0 || r->kind == CSV_BROKEN)
		return err_set(err, REASON_FILE_INVALID, "%s:1: a line of column names is wanted", input_name(r->in));
	if (copy_titles(r, &titles, err) < 0 || make_room(r, n, err) < 0 || find_time(r, titles, n, err) < 0 ||
	    check_wanted(r, titles, n, err) < 0)
		return -1;
	got = next_record(r, err);
	if (got < 0)
		return -1;
	if (got == 0)
		return err_set(err, REASON_FILE_INVALID, "%s: there is no row below the column names",
			       input_name(r->in));
	r->waiting = true;
	return choose_columns(r, titles, n, err) < 0 ? -1 : check_titles(r, titles, err);
}

int
sheet_open(const char *path, const struct sheet_options *options, struct sheet **ret, struct err *err)
{
	CLEANUP(sheet_close)
	struct sheet *r = calloc(1, sizeof(*r));

	if (!r || !(r->arena = arena_new(16384, 0)))
		return err_set(err, REASON_NO_MEMORY, "%s", path);
	r->options = *options;
	if (missing_parse(options->missing, &r->missing) < 0)
		return err_set(err, REASON_OPTION_INVALID, "missing: more than %d texts", MISSING_MAX);
	r->format = (struct csv_format){ .delimiter = options->delimiter, .trim = true };
	if (input_open(path, &r->in, err) < 0 || read_header(r, err) < 0)
		return -1;
	*ret = TAKE(r);
	return 0;
}

void
sheet_close(struct sheet *r)
{
	if (!r)
		return;
	input_close(r->in);
	arena_free(r->arena);
	buffer_clear(&r->record.quoted);
	buffer_clear(&r->left_out);
	free(r);
}

/* ---- a row ---- */

/* WHAT is wrong with TEXT, and WHERE it stands or what would be right. */
static void
complain(struct sheet *r, struct span text, const char *what, const char *where)
{
	if (*r->trouble)
		return; /* one is enough to look at the line */
	snprintf(r->trouble, sizeof(r->trouble), "\"%.*s\" is no %s%s",
		 text.len < TOLD_BYTES ? (int)text.len : TOLD_BYTES, text.ptr, what, where);
	readable_text(r->trouble);
}

static double
read_cell(struct sheet *r, size_t i)
{
	struct span text = r->texts[i];
	struct decimal number;
	enum number_verdict verdict = decimal_parse(text, '.', &number);

	if (missing_is(&r->missing, text))
		return NAN;
	if (verdict == NUMBER_NONE)
		complain(r, text, *r->names[i] ? "number: column " : "number", r->names[i]);
	if (verdict != NUMBER_OK)
		return NAN;
	return isfinite(decimal_double(&number)) ? decimal_double(&number) : NAN;
}

static void
read_time(struct sheet *r, struct sheet_row *row)
{
	const struct time_format *format = &r->options.time_format;
	struct err why = ERR_INIT;

	row->timed = timestamp_parse(row->time, format, &row->time_us, &why) == 0;
	if (row->timed)
		return;
	if (format->form == TIME_AUTO)
		complain(r, row->time, "time", ": ISO 8601 or an epoch is; any other wants --time.format");
	else
		complain(r, row->time, "time as --time.format has it: ",
			 format->form == TIME_PATTERN ? format->pattern : time_format_names[format->form]);
}

int
sheet_next(struct sheet *r, struct sheet_row *ret, struct err *err)
{
	int got = r->waiting ? 1 : next_record(r, err);

	if (got <= 0)
		return got;
	r->waiting = false;
	r->trouble[0] = '\0';
	*ret = (struct sheet_row){ .line = r->line, .time = SPAN(""), .values = r->values, .texts = r->texts };
	if (r->time_field < r->record.n_fields)
		ret->time = r->record.fields[r->time_field];
	if (r->kind == CSV_BROKEN)
		snprintf(r->trouble, sizeof(r->trouble), "no well-formed CSV");
	else
		read_time(r, ret);
	for (size_t i = 0; i < r->n; i++) {
		bool there = r->fields[i] < r->record.n_fields;

		r->texts[i] = there ? r->record.fields[r->fields[i]] : SPAN("");
		if (!there && !*r->trouble)
			snprintf(r->trouble, sizeof(r->trouble), "only %zu fields", r->record.n_fields);
		r->values[i] = read_cell(r, i);
	}
	ret->trouble = *r->trouble ? r->trouble : NULL;
	return 1;
}

const char *
sheet_name(const struct sheet *r)
{
	return input_name(r->in);
}

const char *
sheet_left_out(const struct sheet *r)
{
	return r->n_left_out ? r->left_out.ptr : NULL;
}

const struct missing *
sheet_missing(const struct sheet *r)
{
	return &r->missing;
}

size_t
sheet_columns(const struct sheet *r)
{
	return r->n;
}

const char *
sheet_column(const struct sheet *r, size_t i)
{
	return r->names[i];
}

double
sheet_share(const struct sheet *r)
{
	return input_share(r->in);
}
