/* series_options.h -- what the verbs that forecast from files share: how a file is read, and who takes part. */
#ifndef FOREBAY_CLI_SERIES_OPTIONS_H
#define FOREBAY_CLI_SERIES_OPTIONS_H

#include "cli/dataset.h"
#include "common/config/options.h"
#include "common/forecast/engine.h"
#include "common/forecast/panel.h"

struct series_options {
	int format;
	char *freq, *time_column, *columns, *missing, *delimiter;
};

/* Steps that a training left out at the end of each series, wherever it ended: a figure of the artefact. */
#define SERIES_HOLDOUT_FIGURE "holdout.steps"

extern const struct option series_option_table[];
extern const size_t series_option_count;

/* -1 as dataset_take(); series_read(): of the file at PATH. */
int series_take(const struct series_options *o, struct input *in, struct dataset *ret, struct err *err);
int series_read(const struct series_options *o, const char *path, struct dataset *ret, struct err *err);

/*
 * Can NETWORK forecast each of TARGETS (TO_LEARN: learn from it)?  They are D's, one a row, as far as they are to be looked at.  -1 on
 * FILE_INVALID, which names PATH and the line; NO_MEMORY.
 */
int series_check(const struct dataset *d, const struct target *targets, const struct deepar *network, bool to_learn,
		 const char *path, struct err *err);

struct panel_options {
	char *members, *quantiles;
	int64_t horizon, paths, seed, history, season, long_season;
	bool calibrate;
};

extern const struct option panel_option_table[];
extern const size_t panel_option_count;

/* MODEL NULL: none; DeepAR may not be asked for by its name then.  -1 on OPTION_INVALID. */
int panel_options_rule(const struct panel_options *o, const struct frequency *f, const struct artefact *model,
		       struct panel_rule *ret, struct err *err);

/* "0.1,0.5,0.9" into LEVELS of ENSEMBLE_LEVELS_MAX.  -1 on OPTION_INVALID. */
int quantiles_parse(const char *text, double *levels, size_t *n, struct err *err);

#endif
