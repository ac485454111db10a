/*
 * detect.c -- `forebay detect FILE.csv`: how strange each row of a table is, by the very code that scores streams.  One pass, in bounded
 * memory; a row's score depends on the rows before it and on nothing else.
 *
 *	timestamp,value,anomaly_score,state_score,p,reason
 *
 * A row of output for each record of the file, in its order, time and value as they stand there; of several columns the value of the one
 * that is most to blame.  anomaly_score: the onset as judge_score() has it.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/detect_disorder.h"
#include "cli/detect_judge.h"
#include "cli/detect_meter.h"
#include "cli/detect_strongest.h"
#include "cli/readable.h"
#include "common/base/progress.h"
#include "cli/verb.h"
#include "cli/verbs.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/detect/settings.h"

#define TOLD 5 /* bad lines that are named */

struct detect_options {
	struct settings settings;
	char *time_column, *time_format, *value_columns, *missing, *delimiter, *output;
	int64_t explain;
	bool group, json;
};

#define AT(field) offsetof(struct detect_options, field)

static const struct option table[] = {
	{ "time.column", OPTION_TEXT, AT(time_column), "", 0, 256, "", "the column of times; empty: the first" },
	{ "time.format", OPTION_TEXT, AT(time_format), "auto", 1, 256, "",
	  "auto (ISO 8601 or an epoch, its unit told by its size), epoch_s, epoch_ms, epoch_us, epoch_ns, iso8601, or a pattern such as "
	  "'%d/%m/%Y %H:%M' (of %Y %m %d %H %M %S %f %y %e %j %b %I %p %z %s %T %F, as date(1) and strptime(3) have them; %f is the "
	  "fraction of a second).  Without a zone: UTC" },
	{ "value.columns", OPTION_TEXT, AT(value_columns), "", 0, 65536, "",
	  "comma separated; empty: all others that have a number in the first row.  Several are judged each by itself and together" },
	{ "group", OPTION_BOOL, AT(group), "true", 0, 0, "", "several columns are also judged as rows, by a forest" },
	{ "missing", OPTION_TEXT, AT(missing), "", 0, 256, "",
	  "what stands for a missing value, beside nothing, NaN and infinities: texts, comma separated (NA,n/a,-9999); a number stands for "
	  "all ways to write it" },
	{ "delimiter", OPTION_TEXT, AT(delimiter), ",", 1, 1, "",
	  "what separates fields, one character; a tab is --delimiter=$'\\t' in a shell" },
	{ "output", OPTION_TEXT, AT(output), "", 0, 4096, "",
	  "where the scores go, also -o FILE; - is standard output; empty: the same, or nowhere with --json" },
	{ "explain", OPTION_INT, AT(explain), "0", 0, 1000, "rows",
	  "tell the strongest rows, who has seen what and why" },
	{ "json", OPTION_BOOL, AT(json), "false", 0, 0, "", "one JSON object on standard output" },
};

#undef AT
#define AT(field) offsetof(struct settings, field)

static const struct option settings_table[] = {
#include "common/detect/settings.def"
};

struct session {
	const struct detect_options *options;
	struct sheet *sheet;
	struct judge *judge;
	const char **names;
	FILE *out; /* NULL: nowhere */
	struct strongest strongest;
	struct buffer line;
	struct progress progress;
	struct disorder disorder; /* and the rows and marks of all */
	struct meter *meters;     /* of each column */
	int64_t jump_max_us, bad, alerts;
	double seconds;
};

/* ---- the output ---- */

static bool
same_file(const char *a, const char *b)
{
	struct stat sa, sb;

	return stat(a, &sa) == 0 && stat(b, &sb) == 0 && sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

static int
open_output(struct session *s, const char *file, struct err *err)
{
	const char *path = s->options->output;
	bool dash = strcmp(path, "-") == 0;

	if (dash && s->options->json)
		return err_set(err, REASON_USAGE, "output: standard output is where --json goes; name a file");
	if (dash || !*path) {
		s->out = s->options->json ? NULL : stdout;
		return 0;
	}
	if (same_file(path, file))
		return err_set(err, REASON_USAGE, "output: %s is what is read", path);
	s->out = fopen(path, "we");
	return s->out ? 0 : err_set(err, REASON_IO, "%s: %s", path, strerror(errno));
}

static int
close_output(struct session *s, struct err *err)
{
	FILE *out = s->out;
	bool bad;

	s->out = NULL;
	if (!out)
		return 0;
	bad = ferror(out) != 0;
	if (out == stdout ? fflush(out) != 0 : fclose(out) != 0)
		bad = true;
	return bad ? err_set(err, REASON_IO, "%s cannot be written",
			     out == stdout ? "standard output" : s->options->output)
		   : 0;
}

/* A field as RFC 4180 wants it. */
static int
put_text(struct buffer *out, struct span text)
{
	const char *end = text.ptr + text.len;
	int bad = 0;

	for (const char *c = text.ptr; c < end; c++)
		if (strchr(",\"\r\n", *c) && *c)
			bad = 1;
	if (!bad)
		return text.len ? buffer_append(out, text.ptr, text.len) : 0;
	bad = buffer_text(out, "\"");
	for (const char *c = text.ptr; c < end; c++)
		bad |= *c == '"' ? buffer_text(out, "\"\"") : buffer_append(out, c, 1);
	return bad | buffer_text(out, "\"");
}

static int
put_row(struct session *s, const struct sheet_row *row, const struct judgement *j, struct err *err)
{
	struct buffer *out = &s->line;
	int bad;

	if (!s->out)
		return 0;
	out->len = 0;
	bad = put_text(out, row->time) | buffer_text(out, ",") | put_text(out, row->texts[j->column]);
	bad |= buffer_printf(out, ",%.17g,%.9g,%.17g,", judge_score(j->onset), j->state, j->p);
	bad |= put_text(out, row->trouble ? span_of(row->trouble) : span_of(j->reason)) | buffer_text(out, "\n");
	if (bad)
		return err_set(err, REASON_NO_MEMORY, "%s:%" PRId64, sheet_name(s->sheet), row->line);
	return fwrite(out->ptr, 1, out->len, s->out) == out->len
		   ? 0
		   : err_set(err, REASON_IO, "the scores: %s", strerror(errno));
}

/* ---- the run ---- */

static int
prepare(struct session *s, const char *file, struct err *err)
{
	const struct detect_options *o = s->options;
	struct judge_rule rule = { .detector = detector_defaults(),
				   .order = settings_order(&o->settings),
				   .grouped = o->group };
	struct sheet_options how = { .time_column = o->time_column,
				     .value_columns = o->value_columns,
				     .missing = o->missing,
				     .delimiter = o->delimiter[0] };

	s->jump_max_us = rule.order.jump_max_us;
	if (time_format_parse(o->time_format, &how.time_format) < 0)
		return err_set(
		    err, REASON_OPTION_INVALID,
		    "time.format: \"%s\" is neither a name (auto, epoch_s, epoch_ms, epoch_us, epoch_ns, iso8601) "
		    "nor a pattern such as %%Y-%%m-%%d %%H:%%M",
		    o->time_format);
	if (settings_detector(&o->settings, &rule.detector, err) < 0 ||
	    settings_group(&o->settings, &rule.group, err) < 0 || sheet_open(file, &how, &s->sheet, err) < 0)
		return -1;
	s->names = calloc(sheet_columns(s->sheet), sizeof(*s->names));
	s->meters = calloc(sheet_columns(s->sheet), sizeof(*s->meters));
	if (!s->names || !s->meters)
		return err_set(err, REASON_NO_MEMORY, "%s", file);
	for (size_t i = 0; i < sheet_columns(s->sheet); i++)
		s->names[i] = sheet_column(s->sheet, i);
	if (judge_new(&rule, s->names, sheet_columns(s->sheet), &s->judge, err) < 0)
		return -1;
	return strongest_new((size_t)o->explain, s->names, &s->strongest, err);
}

static void
name_left_out(const struct session *s)
{
	if (sheet_left_out(s->sheet))
		fprintf(
		    stderr,
		    "forebay detect: %s: left out, as the first row has no number there: %s; --value-columns=NAME takes "
		    "a column all the same, --missing=TEXT says what stands for no value\n",
		    sheet_name(s->sheet), sheet_left_out(s->sheet));
}

static void
name_trouble(struct session *s, const struct sheet_row *row)
{
	if (!row->trouble || s->bad++ >= TOLD)
		return;
	progress_end(&s->progress);
	fprintf(stderr, "forebay detect: %s:%" PRId64 ": %s\n", sheet_name(s->sheet), row->line, row->trouble);
	if (s->bad == TOLD)
		fputs("forebay detect: further bad lines are marked in the output alone\n", stderr);
}

static int
judge_rows(struct session *s, struct err *err)
{
	struct judgement j;
	struct sheet_row row;
	int got;

	if (s->out && fputs("timestamp,value,anomaly_score,state_score,p,reason\n", s->out) < 0)
		return err_set(err, REASON_IO, "the scores: %s", strerror(errno));
	while ((got = sheet_next(s->sheet, &row, err)) > 0) {
		name_trouble(s, &row);
		if (judge_add(s->judge, &row, &j, err) < 0 || put_row(s, &row, &j, err) < 0)
			return -1;
		strongest_add(&s->strongest, &row, &j);
		disorder_add(&s->disorder, &row, j.mark);
		if (j.mark <= JUDGE_LEARNING)
			for (size_t i = 0; i < sheet_columns(s->sheet); i++)
				meter_add(&s->meters[i], row.values[i]);
		s->alerts += j.action == EPISODE_OPENED;
		progress_show(&s->progress, sheet_share(s->sheet), s->disorder.rows);
	}
	return got;
}

static int
run(struct session *s, const char *file, struct err *err)
{
	int64_t begun_us = clock_monotonic_us();
	int result;

	if (prepare(s, file, err) < 0 || open_output(s, file, err) < 0)
		return -1;
	name_left_out(s);
	progress_start(&s->progress, "rows");
	result = judge_rows(s, err);
	progress_end(&s->progress);
	if (result == 0)
		result = close_output(s, err);
	s->seconds = (double)(clock_monotonic_us() - begun_us) / 1e6;
	strongest_sort(&s->strongest);
	return result;
}

/* ---- what is said of it ---- */

static int
print_json(const struct session *s, struct err *err)
{
	json_t *columns = json_array(), *marks = json_object();

	for (size_t i = 0; i < sheet_columns(s->sheet); i++)
		json_array_append_new(columns, json_string(s->names[i]));
	for (int m = 0; m < JUDGE_MARKS; m++)
		json_object_set_new(marks, judge_mark_names[m], json_integer(s->disorder.marks[m]));
	return verb_print_json(json_pack("{s:I, s:o, s:o, s:I, s:I, s:f, s:o}", "rows", (json_int_t)s->disorder.rows,
					 "columns", columns, "marks", marks, "bad", (json_int_t)s->bad, "alerts",
					 (json_int_t)s->alerts, "seconds", s->seconds, "strongest",
					 strongest_json(&s->strongest)),
			       err);
}

static int
warn_of_disorder(const struct session *s, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer text = BUFFER_INIT(0);

	if (disorder_degree(&s->disorder) == DISORDER_SMALL)
		return 0;
	if (disorder_tell(&s->disorder, s->jump_max_us, &text) < 0)
		return err_set(err, REASON_NO_MEMORY, "%s", sheet_name(s->sheet));
	fprintf(stderr, "forebay detect: %s: %.*s\n", sheet_name(s->sheet), SPAN_ARG(buffer_span(&text)));
	return 0;
}

static int
warn_of_meters(const struct session *s, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer text = BUFFER_INIT(0);

	if (meter_tell(s->meters, s->names, sheet_columns(s->sheet), &text) < 0)
		return err_set(err, REASON_NO_MEMORY, "%s", sheet_name(s->sheet));
	if (text.len)
		fprintf(stderr, "forebay detect: %s: %.*s\n", sheet_name(s->sheet), SPAN_ARG(buffer_span(&text)));
	return 0;
}

static int
warn_of_missing(const struct session *s, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer texts = BUFFER_INIT(0);

	if (missing_unseen(sheet_missing(s->sheet), &texts) < 0 || buffer_append(&texts, "", 1) < 0)
		return err_set(err, REASON_NO_MEMORY, "%s", sheet_name(s->sheet));
	if (*texts.ptr)
		fprintf(stderr, "forebay detect: %s: --missing: no value is %s\n", sheet_name(s->sheet),
			readable_text(texts.ptr));
	return 0;
}

/* For people: beside the scores, so not where they go. */
static int
print_words(const struct session *s, struct err *err)
{
	bool file = *s->options->output && strcmp(s->options->output, "-") != 0;
	FILE *to = file ? stdout : stderr;
	CLEANUP(buffer_clear)
	struct buffer out = BUFFER_INIT(0);
	char rows[32], scored[32];

	if (file || s->options->explain)
		fprintf(to, "%s rows, %s scored, %" PRId64 " bad lines, %" PRId64 " alerts, in %.2f s\n",
			progress_number(s->disorder.rows, rows),
			progress_number(s->disorder.marks[JUDGE_SCORED], scored), s->bad, s->alerts, s->seconds);
	if (s->strongest.n == 0)
		return 0;
	if (strongest_print(&s->strongest, &out, err) < 0)
		return -1;
	fprintf(to, "%.*s", SPAN_ARG(buffer_span(&out)));
	return 0;
}

static int
detect(void *self, int n, char **words, struct err *err)
{
	struct session s = { .options = self };
	int result;
	bool bad;

	if (n != 1)
		return err_set(err, REASON_USAGE, "one file is wanted: forebay detect FILE.csv");
	result = run(&s, words[0], err);
	if (result == 0)
		result = s.options->json ? print_json(&s, err) : print_words(&s, err);
	if (result == 0 &&
	    (warn_of_missing(&s, err) < 0 || warn_of_disorder(&s, err) < 0 || warn_of_meters(&s, err) < 0))
		result = -1;
	bad = s.bad > 0 || disorder_degree(&s.disorder) == DISORDER_GREAT;
	if (s.out && s.out != stdout)
		fclose(s.out);
	judge_free(s.judge);
	sheet_close(s.sheet);
	strongest_clear(&s.strongest);
	buffer_clear(&s.line);
	free(s.names);
	free(s.meters);
	return result < 0 ? -1 : bad;
}

/* -o FILE, as everybody writes it. */
static void
spell_out(int argc, char **argv)
{
	static char output[] = "--output";

	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "-o") == 0)
			argv[i] = output;
}

int
verb_detect(int argc, char **argv)
{
	struct detect_options options = { 0 };
	const struct option_set sets[] = {
		{ "Detect", table, ARRAY_LEN(table), &options },
		{ "Detection", settings_table, ARRAY_LEN(settings_table), &options.settings },
	};
	const struct option_program program = {
		"forebay detect", "FILE.csv: how strange each row of a table is", sets, ARRAY_LEN(sets), NULL, 0
	};

	spell_out(argc, argv);
	return verb_run(&program, true, argc, argv, &options, detect);
}
