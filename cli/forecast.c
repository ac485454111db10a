/*
 * forecast.c -- `forebay forecast FILE`: DeepAR JSON Lines in, a line of quantiles for each out, in the same order, as a batch
 * transform of SageMaker's DeepAR gives it; of a table a line for each column, with its name as the id:
 *
 *	{"id":"a","quantiles":{"0.1":[...],"0.5":[...],"0.9":[...]},"mean":[...],"basis":"model"}
 *
 * `mean` is that of the usual quantiles, each standing for the levels nearest to it; the same whichever are asked for (levels.h).  A
 * line that cannot be forecast gives {"id":"a","error":{"reason":"FILE_INVALID","message":"..."}} in its place, with the id where it could
 * be read, and exit code 2 at the end.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/input.h"
#include "cli/levels.h"
#include "common/base/progress.h"
#include "cli/series_options.h"
#include "cli/verb.h"
#include "cli/verbs.h"
#include "common/base/cleanup.h"
#include "common/base/random.h"

#define BATCH 64
#define MEAN SIZE_MAX /* in the place of a quantile */

struct forecast_words {
	struct series_options series;
	struct panel_options panel;
	char *model;
};

#define AT(field) offsetof(struct forecast_words, field)

static const struct option table[] = {
	{ "model", OPTION_TEXT, AT(model), "", 0, 4096, "",
	  "a file of `forebay train` or `forebay models export`; empty: no DeepAR" },
};

/* A line that was read, or a column: its series, or why there is none. */
struct line {
	struct dataset_row row;
	size_t number;  /* from 1; its place in the file */
	struct err why; /* reason NONE: fine */
	struct panel_forecast forecast;
};

struct session {
	struct panel_rule rule;
	struct levels levels; /* the rule's */
	struct artefact artefact;
	struct panel *panel;
	const struct deepar *network; /* what a line must fit; NULL: DeepAR takes no part */
	struct arena *arena;          /* of a batch */
	struct line *lines;           /* BATCH */
	double *numbers;              /* of all their forecasts */
	struct buffer out;
	const char *file;
	size_t n, number; /* lines in the batch; number of the one read last */
	int64_t done, failed;
};

/* What is forecast beside the levels that were asked for. */
static int
add_usual_levels(struct session *s, struct err *err)
{
	double usual[ENSEMBLE_LEVELS_MAX];
	size_t n;

	if (quantiles_parse(LEVELS_USUAL, usual, &n, err) < 0)
		return -1;
	levels_join(s->rule.levels, s->rule.n_levels, usual, n, &s->levels);
	memcpy(s->rule.levels, s->levels.all, sizeof(s->rule.levels));
	s->rule.n_levels = s->levels.n;
	return 0;
}

/* STEPS: how often the series of a table have a point; NULL: lines do not say. */
static int
prepare(struct session *s, const struct forecast_words *o, const struct frequency *steps, struct err *err)
{
	struct frequency f;
	const struct deepar_config *c = NULL;
	size_t flat;

	if (*o->model) {
		if (artefact_load(o->model, &s->artefact, err) < 0)
			return -1;
		c = s->artefact.n_networks ? &s->artefact.networks[0]->config : NULL;
	}
	if (!steps && !*o->series.freq && !c)
		return err_set(err, REASON_OPTION_INVALID,
			       "freq: say how often a series has a point, such as --freq=1h, or give a model");
	if (steps || !*o->series.freq)
		f = steps ? *steps : c->frequency;
	else if (frequency_parse(o->series.freq, &f, err) < 0)
		return -1;
	if (panel_options_rule(&o->panel, &f, *o->model ? &s->artefact : NULL, &s->rule, err) < 0)
		return -1;
	if (add_usual_levels(s, err) < 0)
		return -1;
	if (!s->rule.horizon && !c)
		return err_set(err, REASON_OPTION_INVALID, "horizon: say how many steps are to be forecast");
	if (!s->rule.horizon)
		s->rule.horizon = (size_t)c->horizon;
	if (panel_new(&s->rule, *o->model ? &s->artefact : NULL, NULL, &s->panel, err) < 0)
		return -1;
	if (c && s->rule.members >> PANEL_DEEPAR & 1)
		s->network = s->artefact.networks[0];
	flat = s->rule.horizon * s->rule.n_levels;
	s->arena = arena_new(1 << 20, 8 << 20);
	s->lines = calloc(BATCH, sizeof(*s->lines));
	s->numbers = malloc(BATCH * flat * sizeof(*s->numbers));
	if (!s->arena || !s->lines || !s->numbers)
		return err_set(err, REASON_NO_MEMORY, "forecast");
	for (size_t i = 0; i < BATCH; i++)
		s->lines[i].forecast.values = s->numbers + i * flat;
	return 0;
}

static void
clear(struct session *s)
{
	panel_free(s->panel);
	artefact_clear(&s->artefact);
	arena_free(s->arena);
	free(s->lines);
	free(s->numbers);
	buffer_clear(&s->out);
}

/* ---- out ---- */

/* {"id":...,: the beginning of any line; a number stays one. */
static int
write_name(struct buffer *out, const struct dataset_row *row)
{
	if (!row->name)
		return buffer_text(out, "{");
	if (buffer_text(out, "{\"id\":") < 0)
		return -1;
	if ((row->numeric ? buffer_text(out, row->name) : buffer_json_string(out, span_of(row->name))) < 0)
		return -1;
	return buffer_text(out, ",");
}

static int
write_error(struct buffer *out, const struct line *l)
{
	if (write_name(out, &l->row) < 0 ||
	    buffer_printf(out, "\"error\":{\"reason\":\"%s\",\"message\":", err_reason_name(l->why.reason)) < 0 ||
	    buffer_json_string(out, span_of(l->why.text)) < 0)
		return -1;
	return buffer_text(out, "}}\n");
}

/* Of quantile LEVEL; MEAN: of the mean. */
static int
write_column(const struct session *s, const struct line *l, size_t level, struct buffer *out)
{
	if (buffer_text(out, "[") < 0)
		return -1;
	for (size_t h = 0; h < s->rule.horizon; h++) {
		const double *row = l->forecast.values + h * s->rule.n_levels;

		if ((h > 0 && buffer_text(out, ",") < 0) ||
		    buffer_json_number(out, level == MEAN ? levels_mean(&s->levels, row) : row[level]) < 0)
			return -1;
	}
	return buffer_text(out, "]");
}

static int
write_forecast(const struct session *s, const struct line *l, struct buffer *out)
{
	static const char *const bases[] = { "nothing", "naive", "classical", "model" };

	if (write_name(out, &l->row) < 0 || buffer_text(out, "\"quantiles\":{") < 0)
		return -1;
	for (size_t i = 0; i < s->levels.n_asked; i++)
		if (buffer_printf(out, "%s\"%.12g\":", i ? "," : "", s->rule.levels[s->levels.asked[i]]) < 0 ||
		    write_column(s, l, s->levels.asked[i], out) < 0)
			return -1;
	if (buffer_text(out, "},\"mean\":") < 0 || write_column(s, l, MEAN, out) < 0)
		return -1;
	return buffer_printf(out, ",\"basis\":\"%s\"}\n", bases[l->forecast.basis]);
}

static int
print_batch(struct session *s, struct err *err)
{
	s->out.len = 0;
	for (size_t i = 0; i < s->n; i++) {
		const struct line *l = &s->lines[i];

		s->failed += l->why.reason != REASON_NONE;
		if ((l->why.reason != REASON_NONE ? write_error(&s->out, l) : write_forecast(s, l, &s->out)) < 0)
			return err_set(err, REASON_NO_MEMORY, "forecasts");
	}
	if (fwrite(s->out.ptr, 1, s->out.len, stdout) != s->out.len)
		return err_set(err, REASON_IO, "standard output cannot be written");
	return 0;
}

/* ---- in ---- */

static int
forecast_batch(struct session *s, struct err *err)
{
	struct panel_request requests[BATCH];
	struct panel_forecast forecasts[BATCH];
	size_t who[BATCH], n = 0;

	for (size_t i = 0; i < s->n; i++) {
		struct line *l = &s->lines[i];

		if (l->why.reason != REASON_NONE)
			continue;
		requests[n] =
		    (struct panel_request){ .target = &l->row.target, .noise = random_u64(s->rule.seed, l->number, 0) };
		forecasts[n] = l->forecast;
		who[n++] = i;
	}
	if (n > 0 && panel_forecast(s->panel, requests, forecasts, n, err) < 0)
		return -1;
	for (size_t k = 0; k < n; k++) {
		struct line *l = &s->lines[who[k]];

		l->forecast = forecasts[k];
		if (l->forecast.basis == FORECAST_NOTHING && l->row.line)
			err_set(&l->why, REASON_FILE_INVALID, "%.250s: line %zu: \"target\" has no value that is known",
				s->file, l->row.line);
		else if (l->forecast.basis == FORECAST_NOTHING)
			err_set(&l->why, REASON_FILE_INVALID, "%.250s: column \"%.60s\" has no value that is known",
				s->file, l->row.name);
	}
	if (print_batch(s, err) < 0)
		return -1;
	s->done += (int64_t)s->n;
	s->n = 0;
	arena_reset(s->arena);
	return 0;
}

/* Is it what the model was trained for?  The panel would put DeepAR to sleep without a word. */
static int
check_line(const struct session *s, const struct dataset_row *row, const char *place, struct err *err)
{
	if (!s->network || deepar_check_target(s->network, &row->target, s->rule.horizon, err) == 0)
		return 0;
	err->reason = REASON_FILE_INVALID;
	return err_wrap(err, "%s%s%.60s", place, row->name ? ", series " : "", row->name ? row->name : "");
}

/* TEXT, or its beginning where it is too long. */
static int
take_line(struct session *s, struct span text, bool whole, struct err *err)
{
	struct line *l = &s->lines[s->n++];
	char place[300];

	snprintf(place, sizeof(place), "%.250s: line %zu", s->file, s->number);
	err_clear(&l->why);
	l->row = (struct dataset_row){ 0 };
	l->number = s->number;
	if (!whole)
		err_set(&l->why, REASON_FILE_INVALID, "%s: longer than %u bytes", place, INPUT_WINDOW_MAX);
	else if (dataset_line(text, place, s->arena, &l->row, &l->why) == 0)
		check_line(s, &l->row, place, &l->why);
	if (l->why.reason == REASON_NO_MEMORY) {
		*err = l->why;
		return -1;
	}
	l->row.line = s->number;
	return s->n == BATCH ? forecast_batch(s, err) : 0;
}

static int
take_column(struct session *s, const struct dataset_row *row, struct err *err)
{
	struct line *l = &s->lines[s->n++];

	*l =
	    (struct line){ .row = *row, .number = ++s->number, .why = ERR_INIT, .forecast.values = l->forecast.values };
	check_line(s, row, s->file, &l->why);
	return s->n == BATCH ? forecast_batch(s, err) : 0;
}

static int
forecast_table(struct session *s, const struct dataset *d, struct err *err)
{
	struct progress bar;
	int result = 0;

	progress_start(&bar, "series");
	for (size_t i = 0; result == 0 && i < d->n; i++) {
		result = take_column(s, &d->rows[i], err);
		progress_show(&bar, (double)s->done / (double)d->n, s->done);
	}
	if (result == 0 && s->n > 0)
		result = forecast_batch(s, err);
	progress_end(&bar);
	return result;
}

static int
forecast_lines(struct session *s, struct input *in, struct err *err)
{
	struct err later = ERR_INIT;
	struct progress bar;
	struct span text;
	bool whole;
	int result = 0, got = 0;

	progress_start(&bar, "series");
	while (result == 0 && (got = input_line(in, &text, &whole, err)) > 0) {
		s->number++;
		if (!dataset_blank(text))
			result = take_line(s, text, whole, err);
		progress_show(&bar, input_share(in), s->done);
	}
	/* What was read before a file broke off is forecast. */
	if (result == 0 && s->n > 0)
		result = forecast_batch(s, got < 0 ? &later : err);
	progress_end(&bar);
	return got < 0 ? got : result;
}

static int
forecast_file(struct session *s, const struct forecast_words *o, struct input *in, struct err *err)
{
	enum dataset_format format = (enum dataset_format)o->series.format;
	struct dataset d;
	int result;

	if (dataset_find_format(in, &format, err) < 0)
		return -1;
	if (format == DATASET_LINES)
		return prepare(s, o, NULL, err) < 0 ? -1 : forecast_lines(s, in, err);
	if (series_take(&o->series, in, &d, err) < 0)
		return -1;
	result = prepare(s, o, &d.frequency, err) < 0 ? -1 : forecast_table(s, &d, err);
	dataset_clear(&d);
	return result;
}

static int
forecast(void *self, int n, char **words, struct err *err)
{
	CLEANUP(input_close)
	struct input *in = NULL;
	struct session s = { .out = BUFFER_INIT(0) };
	int result;

	if (n != 1)
		return err_set(err, REASON_USAGE,
			       "one file is wanted (- is standard input): forebay forecast FILE --model=MODEL");
	if (input_open(words[0], &in, err) < 0)
		return -1;
	s.file = input_name(in);
	result = forecast_file(&s, self, in, err);
	if (result == 0 && s.failed)
		result = err_set(err, REASON_FILE_INVALID,
				 "%" PRId64 " of %" PRId64
				 " series could not be forecast: \"error\" in their place says why",
				 s.failed, s.done);
	clear(&s);
	return result;
}

int
verb_forecast(int argc, char **argv)
{
	struct forecast_words words = { 0 };
	const struct option_set sets[] = { { "Series", series_option_table, series_option_count, &words.series },
					   { "Forecast", table, ARRAY_LEN(table), &words },
					   { "Forecasts", panel_option_table, panel_option_count, &words.panel } };
	const struct option_program program = { "forebay forecast",
						"FILE: DeepAR JSON Lines or a table in, quantiles out",
						sets,
						ARRAY_LEN(sets),
						NULL,
						0,
						"FILE" };

	return verb_run(&program, true, argc, argv, &words, forecast);
}
