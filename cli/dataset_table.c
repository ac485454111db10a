/*
 * dataset_table.c -- CSV.  Columns grow as the rows come; at the end each becomes a series in the arena.  A row whose time is not
 * one step after the one before is refused: what fills gaps and sorts is the fleet's preprocessor, not this reader.  But clocks
 * tremble: a twentieth of a step early or late is on time (of months three days), and where the first two rows are nearly an hour apart
 * an hour is meant, unless all rows are just so far apart.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/csv.h"
#include "cli/dataset_parts.h"
#include "cli/missing.h"
#include "common/base/number.h"
#include "common/series/timestamp.h"

#define US_PER_DAY INT64_C(86400000000)
#define US_PER_SECOND INT64_C(1000000)
#define TREMBLE 20                     /* a step divided by it: so far from its time a row may be */
#define MONTH_TREMBLE (3 * US_PER_DAY) /* of months: their last days lie so far apart, see lateness() */
#define NEARLY 50                      /* a step divided by it: so near to a usual one that may be meant */

struct table {
	const struct dataset_options *options;
	struct input *in;
	struct csv_format format;
	struct csv_record record;
	struct missing missing;
	struct arena *arena;
	size_t titles, time_field, *fields, n_fields; /* of the header: how many, and which are series */
	const char **names;
	double *values; /* rows of n_fields */
	size_t n, room;
	int64_t start_us, line;
	bool odd;               /* the first two rows are nearly a usual step apart, and all so far just as much: */
	struct frequency usual; /* what may be meant, */
	bool usual_fits;        /* and all rows would be on time */
};

/* Why the line that was read last is no row. */
static int
no_csv(const struct table *t, struct err *err)
{
	struct span line = t->record.line;

	return err_set(err, REASON_FILE_INVALID, "%s:%lld: no well-formed CSV%s", input_name(t->in), (long long)t->line,
		       line.len && *line.ptr == '{' ? "; if these are JSON Lines, say --format=jsonl" : "");
}

static int
next_row(struct table *t, struct err *err)
{
	for (;;) {
		struct span w = input_window(t->in);
		enum csv_kind kind = w.len ? csv_scan(&t->format, w, input_at_end(t->in), &t->record) : CSV_MORE;

		if (w.len == 0 && input_at_end(t->in))
			return 0;
		if (kind == CSV_MORE) {
			if (input_more(t->in, err) < 0)
				return -1;
			continue;
		}
		input_skip(t->in, t->record.taken);
		t->line += (int64_t)t->record.lines;
		if (kind == CSV_ROW)
			return 1;
		if (kind == CSV_BROKEN)
			return no_csv(t, err);
	}
}

static bool
listed(const char *list, struct span name)
{
	for (const char *p = list; *p;) {
		size_t n = strcspn(p, ",");

		if (span_equal((struct span){ p, n }, name))
			return true;
		p += n + (p[n] == ',');
	}
	return *list == '\0';
}

/* Every name that was asked for is there. */
static int
check_columns(const struct table *t, struct err *err)
{
	for (const char *p = t->options->columns; *p;) {
		struct span name = { p, strcspn(p, ",") };
		bool found = false;

		for (size_t i = 0; i < t->n_fields; i++)
			found |= span_equal(span_of(t->names[i]), name);
		if (!found)
			return err_set(err, REASON_FILE_INVALID, "%s:1: there is no column \"%.*s\"", input_name(t->in),
				       SPAN_ARG(name));
		p += name.len + (p[name.len] == ',');
	}
	return 0;
}

/* The first row of a file without a header is no header, and not lost: a time for a title.  Who names the column means it. */
static int
check_title(const struct table *t, struct err *err)
{
	static const struct time_format any = { .form = TIME_AUTO };
	struct span title = t->record.fields[t->time_field];
	int64_t us;

	if (*t->options->time_column || timestamp_parse(title, &any, &us, NULL) < 0)
		return 0;
	return err_set(
	    err, REASON_FILE_INVALID,
	    "%s:1: \"%.*s\" is a time, not a column's name: put a line of column names above the rows (or say "
	    "--time-column=\"%.*s\" if it is a name)",
	    input_name(t->in), SPAN_ARG(title), SPAN_ARG(title));
}

static int
read_header(struct table *t, struct err *err)
{
	const struct csv_record *r = &t->record;
	struct span time = span_of(t->options->time_column);
	bool found = time.len == 0;

	t->titles = r->n_fields;
	t->fields = arena_alloc(t->arena, (r->n_fields + 1) * sizeof(*t->fields));
	t->names = arena_alloc(t->arena, (r->n_fields + 1) * sizeof(*t->names));
	if (!t->fields || !t->names)
		return err_set(err, REASON_NO_MEMORY, "%s", input_name(t->in));
	for (size_t i = 0; i < r->n_fields; i++)
		if (time.len && span_equal(r->fields[i], time)) {
			t->time_field = i;
			found = true;
		}
	if (!found)
		return err_set(err, REASON_FILE_INVALID, "%s:1: there is no column \"%s\"", input_name(t->in),
			       t->options->time_column);
	if (check_title(t, err) < 0)
		return -1;
	for (size_t i = 0; i < r->n_fields; i++) {
		if (i == t->time_field || !listed(t->options->columns, r->fields[i]))
			continue;
		t->names[t->n_fields] = arena_copy(t->arena, r->fields[i]).ptr;
		if (!t->names[t->n_fields])
			return err_set(err, REASON_NO_MEMORY, "%s", input_name(t->in));
		t->fields[t->n_fields++] = i;
	}
	if (check_columns(t, err) < 0)
		return -1;
	return t->n_fields
		   ? 0
		   : err_set(err, REASON_FILE_INVALID, "%s:1: there is no column beside the times", input_name(t->in));
}

/* Of a text that stands for no finite number: "inf" or "infinity", not "NaN". */
static bool
is_infinity(struct span text)
{
	return memchr(text.ptr, 'i', text.len) || memchr(text.ptr, 'I', text.len);
}

/* Of column I. */
static int
read_cell(struct table *t, size_t i, double *ret, struct err *err)
{
	struct span text = t->record.fields[t->fields[i]];
	struct decimal number = { 0 };
	enum number_verdict verdict = decimal_parse(text, '.', &number);

	*ret = NAN;
	if (verdict == NUMBER_EMPTY || (verdict == NUMBER_NOT_FINITE && !is_infinity(text)) ||
	    missing_is(&t->missing, text))
		return 0;
	if (verdict == NUMBER_OK)
		*ret = decimal_double(&number);
	if (isfinite(*ret))
		return 0;
	return err_set(err, REASON_FILE_INVALID, "%s:%lld: \"%.*s\" is no %snumber (column \"%.60s\", field %zu)",
		       input_name(t->in), (long long)t->line, text.len < 40 ? (int)text.len : 40, text.ptr,
		       verdict == NUMBER_NONE ? "" : "finite ", t->names[i], t->fields[i] + 1);
}

/* The step that people have which is so near to STEP_US that it may be meant; 0: there is none. */
static int64_t
usual_step(int64_t step_us)
{
	static const int32_t seconds[] = { 1,    2,    3,     4,     5,     6,     10,    12,    15,    20,   30,
					   60,   120,  180,   240,   300,   360,   600,   720,   900,   1200, 1800,
					   3600, 7200, 10800, 14400, 21600, 28800, 43200, 86400, 604800 };

	for (size_t i = 0; i < ARRAY_LEN(seconds); i++) {
		int64_t usual_us = seconds[i] * US_PER_SECOND;

		if (llabs(usual_us - step_us) <= usual_us / NEARLY)
			return usual_us;
	}
	return 0;
}

/* From the first two rows; nearly a usual step is that of which the third row will show whether it is meant. */
static int
choose_step(struct table *t, int64_t step_us, struct frequency *ret, struct err *err)
{
	int64_t usual_us = usual_step(step_us);

	if (!usual_us || usual_us == step_us)
		return frequency_of_step(step_us, ret, err);
	if (frequency_of_step(usual_us, &t->usual, err) < 0)
		return -1;
	t->odd = t->usual_fits = frequency_of_step(step_us, ret, NULL) == 0;
	if (!t->odd)
		*ret = t->usual;
	return 0;
}

/* The second time says what the step is, where nobody else has. */
static int
learn_step(struct table *t, struct dataset *d, int64_t time_us, struct err *err)
{
	int64_t step_us = time_us - t->start_us;
	struct err why = ERR_INIT;

	if (d->frequency.n_lags)
		return 0;
	if (step_us <= 0)
		return err_set(err, REASON_FILE_INVALID,
			       "%s:%lld: its time is %s that of the row before: sort the rows, each time once",
			       input_name(t->in), (long long)t->line, step_us ? "earlier than" : "the same as");
	if (step_us >= 28 * US_PER_DAY && step_us <= 31 * US_PER_DAY)
		return frequency_parse("1M", &d->frequency, err);
	if (choose_step(t, step_us, &d->frequency, &why) < 0)
		return err_set(err, REASON_FILE_INVALID,
			       "%s:%lld: the first two times are %.6g s apart, which is no frequency; say --freq",
			       input_name(t->in), (long long)t->line, (double)step_us / 1e6);
	return 0;
}

/*
 * By how much the row at hand is off its time by F; *ON_TIME: by so little that it is meant.  Who writes the last day of each month and
 * begins with February is up to three days later than February's last day is in other months.
 */
static int64_t
lateness(const struct table *t, const struct frequency *f, int64_t time_us, bool *on_time)
{
	int64_t expected = frequency_time(f, t->start_us, (int64_t)t->n);
	int64_t step_us = expected - frequency_time(f, t->start_us, (int64_t)t->n - 1);

	*on_time = llabs(time_us - expected) <= (f->unit == UNIT_MONTH ? MONTH_TREMBLE : step_us / TREMBLE);
	return time_us - expected;
}

/* An odd step is meant as long as all rows keep to it; with the first that does not a usual one is. */
static void
doubt_step(struct table *t, struct dataset *d, int64_t time_us)
{
	bool fitted = t->usual_fits, on_time;

	if (!t->odd)
		return;
	lateness(t, &t->usual, time_us, &on_time);
	t->usual_fits = fitted && on_time;
	if (lateness(t, &d->frequency, time_us, &on_time) == 0 || !fitted)
		return;
	d->frequency = t->usual;
	t->odd = false;
}

/* What is read from a longer row might be half of a number. */
static int
check_fields(const struct table *t, struct err *err)
{
	size_t n = t->record.n_fields;

	for (size_t i = 0; i < t->n_fields; i++)
		if (t->fields[i] >= n || t->time_field >= n)
			return err_set(err, REASON_FILE_INVALID, "%s:%lld: only %zu fields", input_name(t->in),
				       (long long)t->line, n);
	if (n <= t->titles)
		return 0;
	return err_set(
	    err, REASON_FILE_INVALID,
	    "%s:%lld: %zu fields under %zu titles: if numbers have decimal commas, write points or quote them; "
	    "--delimiter says what separates fields",
	    input_name(t->in), (long long)t->line, n, t->titles);
}

static int
check_time(struct table *t, struct dataset *d, struct err *err)
{
	static const struct time_format any = { .form = TIME_AUTO };
	struct span text = t->record.fields[t->time_field];
	int64_t time_us, late_us;
	bool on_time;

	if (timestamp_parse(text, &any, &time_us, err) < 0) {
		err->reason = REASON_FILE_INVALID;
		return err_wrap(err, "%s:%lld", input_name(t->in), (long long)t->line);
	}
	if (t->n == 0) {
		t->start_us = time_us;
		return 0;
	}
	if (t->n == 1 && learn_step(t, d, time_us, err) < 0)
		return -1;
	doubt_step(t, d, time_us);
	late_us = lateness(t, &d->frequency, time_us, &on_time);
	if (on_time)
		return 0;
	return err_set(err, REASON_FILE_INVALID,
		       "%s:%lld: \"%.*s\" is %s than one step (%s%s) after the row before: fill gaps and sort first",
		       input_name(t->in), (long long)t->line, SPAN_ARG(text), late_us > 0 ? "later" : "earlier",
		       d->frequency.name,
		       *t->options->frequency ? "" : " as between the first two rows; --freq says another");
}

static int
read_row(struct table *t, struct dataset *d, struct err *err)
{
	if (t->n == t->room) {
		size_t room = t->room ? t->room * 2 : 1024;
		double *values = realloc(t->values, room * t->n_fields * sizeof(*values));

		if (!values)
			return err_set(err, REASON_NO_MEMORY, "%zu rows", room);
		t->values = values;
		t->room = room;
	}
	if (check_fields(t, err) < 0 || check_time(t, d, err) < 0)
		return -1;
	for (size_t i = 0; i < t->n_fields; i++)
		if (read_cell(t, i, &t->values[t->n * t->n_fields + i], err) < 0)
			return -1;
	t->n++;
	return 0;
}

static int
cut_columns(const struct table *t, struct dataset *d, struct err *err)
{
	for (size_t i = 0; i < t->n_fields; i++) {
		double *values = arena_alloc(d->arena, (t->n + 1) * sizeof(*values));
		struct dataset_row row = { .name = t->names[i] };

		if (!values)
			return err_set(err, REASON_NO_MEMORY, "%s", t->names[i]);
		for (size_t k = 0; k < t->n; k++)
			values[k] = t->values[k * t->n_fields + i];
		row.target = (struct target){ .start_us = t->start_us, .values = values, .n = t->n };
		if (dataset_add(d, &row, err) < 0)
			return -1;
	}
	return 0;
}

static int
read_table(struct table *t, struct dataset *d, struct err *err)
{
	int got = next_row(t, err);

	if (got > 0 && t->record.line.len && *t->record.line.ptr == '{')
		return no_csv(t, err);
	if (got > 0 && read_header(t, err) < 0)
		return -1;
	while (got > 0 && (got = next_row(t, err)) > 0)
		if (read_row(t, d, err) < 0)
			return -1;
	if (got < 0)
		return -1;
	if (t->n < 2 && !d->frequency.n_lags)
		return err_set(err, REASON_FILE_INVALID, "%s: fewer than two rows", input_name(t->in));
	if (t->odd && t->n == 2) /* nobody insists on it */
		d->frequency = t->usual;
	return cut_columns(t, d, err);
}

int
dataset_table(struct input *in, const struct dataset_options *o, struct dataset *d, struct err *err)
{
	struct table *t = calloc(1, sizeof(*t)); /* too large for the stack */
	int result = -1;

	if (!t)
		return err_set(err, REASON_NO_MEMORY, "%s", input_name(in));
	t->options = o;
	t->in = in;
	t->arena = d->arena;
	t->format = (struct csv_format){ .delimiter = o->delimiter ? o->delimiter : ',', .trim = true };
	result = missing_parse(o->missing, &t->missing) < 0
		     ? err_set(err, REASON_OPTION_INVALID, "missing: more than %d texts", MISSING_MAX)
		     : read_table(t, d, err);
	buffer_clear(&t->record.quoted);
	free(t->values);
	free(t);
	return result;
}
