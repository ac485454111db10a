/*
 * train.c -- `forebay train FILE --horizon=24 --model=OUT`: a model from series in a file.
 *
 * What is at the end can be held out, for `forebay backtest` afterwards: all that is later than one moment, so many steps before the
 * latest end of all series, so that nothing is learnt from one series of the time at which another is judged.  With --progress the training is saved there
 * now and then, and a second call with the same words goes on where the first was ended.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/progress.h"
#include "cli/series_options.h"
#include "cli/verb.h"
#include "cli/verbs.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/image.h"
#include "common/forecast/cut.h"
#include "common/forecast/fit.h"

struct train_words {
	struct series_options series;
	char *model, *name, *progress;
	int64_t horizon, holdout, context, layers, hidden, networks, epochs, batches, batch, windows, seconds,
	    save_seconds, seed;
	int head;
	double rate, dropout;
	int by;
	bool json;
};

enum { BY_CALENDAR, BY_SERIES };

/* What of the series was not to be seen. */
struct held_out {
	size_t series, values; /* that lost some, and how many in all */
	size_t ended;          /* series that end before: they lose nothing */
	int64_t from_us;       /* by the calendar */
};

#define AT(field) offsetof(struct train_words, field)

static const struct option table[] = {
	{ "horizon", OPTION_INT, AT(horizon), NULL, 1, 10000, "steps", "how far forecasts are to reach" },
	{ "model", OPTION_TEXT, AT(model), NULL, 1, 4096, "", "the file to write" },
	{ "name", OPTION_TEXT, AT(name), "", 0, 63, "", "of the model; empty: deepar-<frequency>" },
	{ "holdout", OPTION_INT, AT(holdout), "0", 0, 1e9, "steps",
	  "at the end that the training must not see: what is later than so many steps before the latest end of all series" },
	{ "holdout.by", OPTION_CHOICE, AT(by), "calendar", 0, 0, "calendar|series",
	  "series: the last steps of each series, wherever it ends, for series whose calendars have nothing to do with each other" },
	{ "validation.windows", OPTION_INT, AT(windows), "0", 0, 100, "",
	  "of a horizon each, held back at the end of what is seen: weights, shifts and the best networks are chosen by them; 0: as many as give 200 forecasts, 2 to 20" },
	{ "context", OPTION_INT, AT(context), "0", 0, 10000, "steps",
	  "that the network reads before it forecasts; 0: twice the horizon" },
	{ "layers", OPTION_INT, AT(layers), "2", 1, DEEPAR_LAYERS_MAX, "", "of the network" },
	{ "hidden", OPTION_INT, AT(hidden), "40", 1, DEEPAR_HIDDEN_MAX, "", "cells in each layer" },
	{ "head", OPTION_CHOICE, AT(head), "student-t", 0, 0, "student-t|normal|negative-binomial|beta",
	  "distribution: any values; values without outliers; counts; shares between 0 and 1" },
	{ "dropout", OPTION_REAL, AT(dropout), "0.1", 0, 0.9, "", "between layers, while training" },
	{ "networks", OPTION_INT, AT(networks), "5", 1, ARTEFACT_NETWORKS_MAX, "",
	  "trained from different beginnings and averaged" },
	{ "epochs", OPTION_INT, AT(epochs), "100", 1, 100000, "", "of each network, at most" },
	{ "batches", OPTION_INT, AT(batches), "50", 1, 100000, "", "an epoch" },
	{ "batch", OPTION_INT, AT(batch), "32", 1, 1024, "windows", "in a batch" },
	{ "rate", OPTION_REAL, AT(rate), "0.001", 1e-7, 1, "", "learning rate at the beginning" },
	{ "seconds", OPTION_INT, AT(seconds), "600", 0, 1e7, "s", "CPU time for all networks together; 0: no limit" },
	{ "seed", OPTION_INT, AT(seed), "1", 0, 9e15, "", "of everything that is drawn" },
	{ "progress", OPTION_TEXT, AT(progress), "", 0, 4096, "",
	  "a file to go on from when the training is ended early; empty: none" },
	{ "save.seconds", OPTION_INT, AT(save_seconds), "10", 1, 86400, "s", "between two writings of it" },
	{ "json", OPTION_BOOL, AT(json), "false", 0, 0, "", "one JSON object on standard output" },
};

/* Leave the last values out of TARGETS.  -1 on OPTION_INVALID: nothing is left. */
static int
hold_out(const struct train_words *o, const struct frequency *f, struct target *targets, size_t n, struct held_out *ret,
	 struct err *err)
{
	size_t steps = (size_t)o->holdout, left = 0;
	struct cut cut;

	*ret = (struct held_out){ 0 };
	cut_init(&cut, f, targets, n);
	if (cut.last)
		ret->from_us = cut_border(&cut, steps);
	for (size_t i = 0; i < n; i++) {
		size_t all = targets[i].n, kept = all > steps ? all - steps : 0;

		if (o->by == BY_CALENDAR)
			kept = cut.last ? cut_before(&cut, &targets[i], ret->from_us) : 0;
		targets[i].n = kept;
		ret->series += kept < all;
		ret->ended += kept == all && all && steps;
		ret->values += all - kept;
		left += kept;
	}
	return left ? 0 : err_set(err, REASON_OPTION_INVALID, "holdout: %zu steps are all there is", steps);
}

static int
configure(const struct train_words *o, const struct dataset *d, size_t windows, struct deepar_config *c,
	  struct train_options *t, struct err *err)
{
	deepar_config_default(&d->frequency, (int32_t)o->horizon, c);
	if (o->context)
		c->context = (int32_t)o->context;
	c->layers = (int32_t)o->layers;
	c->hidden = (int32_t)o->hidden;
	c->head = (enum deepar_head)o->head;
	c->dropout = o->dropout;
	c->n_cats = (int32_t)d->rows[0].target.n_cats;
	memcpy(c->cardinality, d->cardinality, sizeof(c->cardinality));
	c->n_dynamic = (int32_t)d->rows[0].target.n_features;
	train_options_default(t);
	t->networks = (int32_t)o->networks;
	t->epochs = (int32_t)o->epochs;
	t->batches = (int32_t)o->batches;
	t->batch = (int32_t)o->batch;
	t->rate = o->rate;
	t->seconds = (double)o->seconds;
	t->seed = (uint64_t)o->seed;
	t->validation_windows = (int32_t)windows;
	return deepar_config_check(c, err);
}

/* ---- progress that survives ---- */

static int
save(const struct train_words *o, const struct training *t, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer bytes = BUFFER_INIT(0);

	if (!*o->progress)
		return 0;
	if (training_save(t, &bytes) < 0)
		return err_set(err, REASON_NO_MEMORY, "%s", o->progress);
	return file_replace(o->progress, buffer_span(&bytes), err);
}

static int
resume(const struct train_words *o, struct training *t, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer bytes = BUFFER_INIT((size_t)1 << 30);

	if (!*o->progress || (access(o->progress, F_OK) < 0 && errno == ENOENT))
		return 0;
	if (file_read(o->progress, &bytes, err) < 0)
		return -1;
	if (training_load(t, buffer_span(&bytes), err) == 0)
		return 0;
	if (err->reason == REASON_OPTION_INVALID)
		return err_wrap(err, "%s (delete it to begin anew)", o->progress);
	return image_refuse_file(o->progress, buffer_span(&bytes), "training to go on with", "delete it to begin anew",
				 err);
}

/* ---- the work ---- */

static int
learn(const struct train_words *o, struct training *t, struct train_progress *at, struct err *err)
{
	int64_t saved_us = clock_monotonic_us();
	struct progress bar;
	int more = 1;

	progress_start(&bar, "epochs");
	while (more > 0) {
		more = training_epoch(t, at, err);
		if (more > 0 && clock_monotonic_us() - saved_us > o->save_seconds * US_PER_SECOND) {
			if (save(o, t, err) < 0)
				more = -1;
			saved_us = clock_monotonic_us();
		}
		progress_show(&bar,
			      fmax((double)(at->network * o->epochs + at->epoch) / (double)(o->networks * o->epochs),
				   o->seconds ? at->seconds / (double)o->seconds : 0),
			      at->network * o->epochs + at->epoch);
	}
	progress_end(&bar);
	return more;
}

static void
show_share(void *self, double share)
{
	progress_show(self, share, (int64_t)(share * 100));
}

static int
finish(const struct train_words *o, const struct training *t, const struct dataset *d, const struct target *targets,
       size_t windows, struct artefact *a, struct err *err)
{
	struct panel_rule rule = { .frequency = d->frequency,
				   .horizon = (size_t)o->horizon,
				   .paths = 100,
				   .history_max = 1000,
				   .seed = (uint64_t)o->seed,
				   .calibrate = true };
	struct progress bar;
	char name[ARTEFACT_TEXT_BYTES];
	int result;

	snprintf(name, sizeof(name), "%s%s", *o->name ? o->name : "deepar-", *o->name ? "" : d->frequency.name);
	if (fit_artefact(t, name, targets, d->n, clock_real_us(), a, err) < 0 ||
	    panel_members_parse("all", &rule.members, err) < 0 ||
	    quantiles_parse("0.025,0.05,0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9,0.95,0.975", rule.levels, &rule.n_levels,
			    err) < 0)
		return -1;
	progress_start(&bar, "% judged");
	result = fit_ensemble(a, &rule, targets, d->n, windows, 1000, show_share, &bar, err);
	progress_end(&bar);
	if (o->holdout && o->by == BY_SERIES)
		artefact_set_figure(a, SERIES_HOLDOUT_FIGURE, (double)o->holdout);
	return result < 0 ? -1 : artefact_save(a, o->model, err);
}

static json_t *
held_out_json(const struct train_words *o, const struct held_out *held)
{
	char from[CLOCK_TEXT_BYTES];
	json_t *all = json_pack("{s:I, s:s, s:I, s:I, s:I}", "steps", (json_int_t)o->holdout, "by",
				o->by == BY_SERIES ? "series" : "calendar", "series", (json_int_t)held->series,
				"values", (json_int_t)held->values, "series_ended", (json_int_t)held->ended);

	clock_iso8601(held->from_us, from);
	if (all && o->by == BY_CALENDAR)
		json_object_set_new(all, "from", json_string(from));
	return all;
}

static void
tell_held_out(const struct train_words *o, const struct held_out *held)
{
	char from[CLOCK_TEXT_BYTES];

	clock_iso8601(held->from_us, from);
	if (o->holdout && o->by == BY_SERIES)
		printf("  held out: the last %" PRId64 " steps of %zu series\n", o->holdout, held->series);
	else if (o->holdout)
		printf("  held out: what is later than %s, %zu values of %zu series%s\n", from, held->values,
		       held->series, held->ended ? "; the others end before" : "");
}

static int
tell(const struct train_words *o, const struct training *t, const struct artefact *a, const struct train_progress *at,
     const struct held_out *held, struct err *err)
{
	json_t *figures;

	if (o->json) {
		figures = json_object();
		for (size_t i = 0; i < a->n_figures; i++)
			json_object_set_new(figures, a->figures[i].name,
					    isfinite(a->figures[i].value) ? json_real(a->figures[i].value)
									  : json_null());
		return verb_print_json(json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:f, s:o, s:o}", "model", o->model,
						 "name", a->name, "version", a->version, "networks",
						 (json_int_t)a->n_networks, "series", (json_int_t)a->n_series,
						 "learnt_from", (json_int_t)training_series(t), "cpu_seconds",
						 at->seconds, "held_out", held_out_json(o, held), "figures", figures),
				       err);
	}
	printf("%s version %s: %zu networks in %.0f s of CPU, written to %s\n", a->name, a->version, a->n_networks,
	       at->seconds, o->model);
	printf("  learnt from %zu of %" PRIu64 " series%s\n", training_series(t), a->n_series,
	       training_series(t) < a->n_series ? ", the others are too short or have no value but 0" : "");
	tell_held_out(o, held);
	for (size_t i = 0; i < a->n_figures; i++)
		printf("  %-20s %.4f\n", a->figures[i].name, a->figures[i].value);
	return 0;
}

static int
check(const struct dataset *d, const struct target *targets, const struct deepar_config *c, const char *path,
      struct err *err)
{
	CLEANUP(deepar_free)
	struct deepar *network = NULL;

	return deepar_new(c, &network, err) < 0 ? -1 : series_check(d, targets, network, true, path, err);
}

static int
train_on(const struct train_words *o, const char *path, struct dataset *d, struct artefact *a, struct err *err)
{
	struct target *targets = dataset_targets(d);
	CLEANUP(training_free)
	struct training *t = NULL;
	struct train_progress at = { 0 };
	struct train_options how;
	struct deepar_config c;
	struct held_out held;
	size_t windows = (size_t)o->windows;

	if (!targets)
		return err_set(err, REASON_NO_MEMORY, "train");
	if (hold_out(o, &d->frequency, targets, d->n, &held, err) < 0)
		return -1;
	if (!windows)
		windows = fit_windows(targets, d->n, (size_t)o->horizon);
	if (configure(o, d, windows, &c, &how, err) < 0 || check(d, targets, &c, path, err) < 0 ||
	    training_new(&c, &how, targets, d->n, NULL, &t, err) < 0 || resume(o, t, err) < 0 ||
	    learn(o, t, &at, err) < 0 || finish(o, t, d, targets, windows, a, err) < 0)
		return -1;
	if (*o->progress)
		unlink(o->progress);
	return tell(o, t, a, &at, &held, err);
}

static int
train(void *self, int n, char **words, struct err *err)
{
	const struct train_words *o = self;
	struct artefact a = { 0 };
	struct dataset d;
	int result;

	if (n != 1)
		return err_set(err, REASON_USAGE, "one file is wanted: forebay train FILE --horizon=24 --model=OUT");
	if (series_read(&o->series, words[0], &d, err) < 0)
		return -1;
	/* Not after hours of training. */
	result = file_replaceable(o->model, err);
	if (result == 0 && *o->progress)
		result = file_replaceable(o->progress, err);
	if (result == 0)
		result = train_on(o, words[0], &d, &a, err);
	artefact_clear(&a);
	dataset_clear(&d);
	return result;
}

int
verb_train(int argc, char **argv)
{
	struct train_words words = { 0 };
	const struct option_set sets[] = { { "Training", table, ARRAY_LEN(table), &words },
					   { "Series", series_option_table, series_option_count, &words.series } };
	const struct option_program program = {
		"forebay train", "FILE: a forecasting model from the series of a file", sets, ARRAY_LEN(sets), NULL, 0,
		"FILE"
	};

	return verb_run(&program, true, argc, argv, &words, train);
}
