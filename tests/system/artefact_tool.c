/*
 * artefact_tool.c -- an artefact of random weights, for tests of what is done with artefacts: nothing was trained, nothing is good.
 *
 *	artefact_tool FILE NAME VERSION FREQUENCY HORIZON SEED [HIDDEN WQL]
 *
 * One small network; with HIDDEN and WQL two of that size for series with categories, and all that a training states.  Everything
 * follows from the arguments.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/forecast/panel.h"

enum { FILE_NAME = 1, NAME, VERSION, FREQUENCY, HORIZON, SEED, HIDDEN, WQL, WORDS };

static const double levels[] = { 0.1, 0.5, 0.9 };

static int
add_network(struct artefact *a, const struct deepar_config *c, uint64_t seed, struct err *err)
{
	if (deepar_new(c, &a->networks[a->n_networks], err) < 0)
		return -1;
	deepar_init(a->networks[a->n_networks++], seed);
	return 0;
}

/* What a training of 12 series over the 30 days before the end of February 2024 would state. */
static int
state_all(struct artefact *a, struct deepar_config *c, int hidden, double wql, uint64_t seed, struct err *err)
{
	c->hidden = hidden;
	c->n_cats = 2;
	c->cardinality[0] = 3;
	c->cardinality[1] = 7;
	a->created_us = INT64_C(1709208000000000) + hidden;
	a->from_us = INT64_C(1706616000000000);
	a->cutoff_us = INT64_C(1709208000000000);
	a->data = 0xfeedULL;
	a->n_series = 12;
	a->n_points = 8640;
	snprintf(a->code, sizeof(a->code), "artefact_tool");
	artefact_set_figure(a, "wql", wql);
	artefact_set_figure(a, "coverage80", 0.8125);
	a->validation[0] = wql;
	a->validation[1] = wql + 0.001;
	return add_network(a, c, seed, err) < 0 ? -1 : add_network(a, c, seed + 1, err);
}

static int
make(int n, char **words, struct artefact *a, struct err *err)
{
	uint64_t seed = strtoull(words[SEED], NULL, 10);
	struct deepar_config c;
	struct frequency f;

	if (frequency_parse(words[FREQUENCY], &f, err) < 0)
		return -1;
	deepar_config_default(&f, atoi(words[HORIZON]), &c);
	snprintf(a->name, sizeof(a->name), "%s", words[NAME]);
	snprintf(a->version, sizeof(a->version), "%s", words[VERSION]);
	a->n_levels = ARRAY_LEN(levels);
	memcpy(a->levels, levels, sizeof(levels));
	ensemble_rule_default(PANEL_MEMBERS, a->n_levels, (size_t)c.horizon, &a->ensemble);
	if (n == WORDS)
		return state_all(a, &c, atoi(words[HIDDEN]), atof(words[WQL]), seed, err);
	c.hidden = 8;
	c.layers = 1;
	c.default_scale = 1;
	return add_network(a, &c, seed, err);
}

int
main(int argc, char **argv)
{
	struct artefact a = { 0 };
	struct err err = ERR_INIT;
	int result;

	if (argc != HIDDEN && argc != WORDS) {
		fprintf(stderr, "artefact_tool FILE NAME VERSION FREQUENCY HORIZON SEED [HIDDEN WQL]\n");
		return 1;
	}
	result = make(argc, argv, &a, &err);
	if (result == 0)
		result = artefact_save(&a, argv[FILE_NAME], &err);
	if (result < 0)
		fprintf(stderr, "artefact_tool: %s\n", err.text);
	artefact_clear(&a);
	return result < 0;
}
