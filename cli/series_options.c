/* series_options.c -- two tables, and what they mean. */
#include "cli/series_options.h"

#include <stdlib.h>
#include <string.h>

#include "cli/levels.h"
#include "common/forecast/train.h"

#define AT(field) offsetof(struct series_options, field)

const struct option series_option_table[] = {
	{ "format", OPTION_CHOICE, AT(format), "auto", 0, 0, "auto|jsonl|csv",
	  "of the file: DeepAR JSON Lines or a table; auto: lines where it begins with a brace" },
	{ "freq", OPTION_TEXT, AT(freq), "", 0, 15, "",
	  "how often a series has a point: 30s, 1min, 15min, 1h, 1D, 1B (business days), 1W, 1M; needed "
	  "for JSON Lines, but for a forecast by a model; empty: as the times of a table" },
	{ "time.column", OPTION_TEXT, AT(time_column), "", 0, 256, "",
	  "of a table: the column of times; empty: the first" },
	{ "columns", OPTION_TEXT, AT(columns), "", 0, 65536, "",
	  "of a table: the columns that are series; empty: all others" },
	{ "missing", OPTION_TEXT, AT(missing), "", 0, 256, "",
	  "of a table: what stands for a missing value, beside nothing and NaN: texts, comma separated (NA,n/a,-9999); a number stands for all ways to write it" },
	{ "delimiter", OPTION_TEXT, AT(delimiter), ",", 1, 1, "", "of a table: what separates its fields" },
};
const size_t series_option_count = ARRAY_LEN(series_option_table);

#undef AT
#define AT(field) offsetof(struct panel_options, field)

const struct option panel_option_table[] = {
	{ "horizon", OPTION_INT, AT(horizon), "0", 0, 10000, "steps",
	  "how far a forecast reaches; 0: as far as the model's" },
	{ "members", OPTION_TEXT, AT(members), "all", 1, 200, "",
	  "who takes part, comma separated: last, season, long-season, theta, ets, ridge, deepar" },
	{ "quantiles", OPTION_TEXT, AT(quantiles), LEVELS_USUAL, 1, 2000, "",
	  "levels: ascending, above 0, below 1, comma separated" },
	{ "paths", OPTION_INT, AT(paths), "100", 1, ENGINE_PATHS_MAX, "",
	  "that DeepAR draws, for each of its networks" },
	{ "seed", OPTION_INT, AT(seed), "1", 0, 9e15, "",
	  "of everything that is drawn: the same seed gives the same numbers" },
	{ "history", OPTION_INT, AT(history), "1000", 0, 1e9, "points", "that the classical members look at; 0: all" },
	{ "season", OPTION_INT, AT(season), "0", 0, 100000, "steps",
	  "a season's length, for members and MASE; 0: by the frequency" },
	{ "long.season", OPTION_INT, AT(long_season), "-1", -1, 100000, "steps",
	  "a second, longer one; -1: by the frequency; 0: none" },
	{ "calibrate", OPTION_BOOL, AT(calibrate), "true", 0, 0, "",
	  "move quantiles so that they cover what they say" },
};
const size_t panel_option_count = ARRAY_LEN(panel_option_table);

int
series_take(const struct series_options *o, struct input *in, struct dataset *ret, struct err *err)
{
	const struct dataset_options how = { .format = (enum dataset_format)o->format,
					     .frequency = o->freq,
					     .time_column = o->time_column,
					     .columns = o->columns,
					     .missing = o->missing,
					     .delimiter = o->delimiter[0] };

	return dataset_take(in, &how, ret, err);
}

int
series_read(const struct series_options *o, const char *path, struct dataset *ret, struct err *err)
{
	CLEANUP(input_close)
	struct input *in = NULL;

	*ret = (struct dataset){ 0 };
	return input_open(path, &in, err) < 0 ? -1 : series_take(o, in, ret, err);
}

int
series_check(const struct dataset *d, const struct target *targets, const struct deepar *network, bool to_learn,
	     const char *path, struct err *err)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct dataset_row *row = &d->rows[i];
		const char *name = row->name ? row->name : "";

		if ((to_learn ? train_check_target(network, &targets[i], err)
			      : deepar_check_target(network, &targets[i], 0, err)) == 0)
			continue;
		err->reason = REASON_FILE_INVALID;
		if (row->line == 0)
			return err_wrap(err, "%s: column \"%.60s\"", path, name);
		return err_wrap(err, "%s: line %zu%s%.60s", path, row->line, *name ? ", series " : "", name);
	}
	return 0;
}

int
quantiles_parse(const char *text, double *levels, size_t *n, struct err *err)
{
	double before = 0;

	*n = 0;
	while (*text) {
		char *behind;
		double level = strtod(text, &behind);

		behind += strspn(behind, " ");
		if (behind == text || (*behind && *behind != ','))
			return err_set(err, REASON_OPTION_INVALID, "quantiles: \"%.40s\" is no number", text);
		if (!(level > before) || !(level < 1))
			return err_set(err, REASON_OPTION_INVALID, "quantiles: %g must be above %g and below 1", level,
				       before);
		if (*n == ENSEMBLE_LEVELS_MAX)
			return err_set(err, REASON_OPTION_INVALID, "quantiles: at most %d", ENSEMBLE_LEVELS_MAX);
		levels[(*n)++] = before = level;
		text = *behind ? behind + 1 : behind;
	}
	return *n ? 0 : err_set(err, REASON_OPTION_INVALID, "quantiles: at least one is needed");
}

int
panel_options_rule(const struct panel_options *o, const struct frequency *f, const struct artefact *model,
		   struct panel_rule *ret, struct err *err)
{
	*ret = (struct panel_rule){ .frequency = *f,
				    .horizon = (size_t)o->horizon,
				    .paths = (size_t)o->paths,
				    .seed = (uint64_t)o->seed,
				    .history_max = (size_t)o->history,
				    .calibrate = o->calibrate };
	if (o->season)
		ret->frequency.season = (int32_t)o->season;
	if (o->long_season >= 0)
		ret->frequency.long_season = (int32_t)o->long_season;
	if (panel_members_parse(o->members, &ret->members, err) < 0)
		return -1;
	if (strcmp(o->members, "all") != 0 && (ret->members >> PANEL_DEEPAR & 1) && !(model && model->n_networks))
		return err_set(err, REASON_OPTION_INVALID,
			       "members: deepar is a model's network: give a trained model, --model=FILE%s",
			       model ? "; this one has no network" : "");
	return quantiles_parse(o->quantiles, ret->levels, &ret->n_levels, err);
}
