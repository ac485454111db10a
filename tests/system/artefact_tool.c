/*
 * artefact_tool.c -- an artefact of random weights, for tests of what is done with artefacts: nothing was trained, nothing is good.
 *
 *	artefact_tool FILE NAME VERSION FREQUENCY HORIZON SEED
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/forecast/panel.h"

static const double levels[] = { 0.1, 0.5, 0.9 };

static int
make(char **words, struct artefact *a, struct err *err)
{
	struct deepar_config c;
	struct frequency f;

	if (frequency_parse(words[3], &f, err) < 0)
		return -1;
	deepar_config_default(&f, atoi(words[4]), &c);
	c.hidden = 8;
	c.layers = 1;
	c.default_scale = 1;
	snprintf(a->name, sizeof(a->name), "%s", words[1]);
	snprintf(a->version, sizeof(a->version), "%s", words[2]);
	a->n_levels = ARRAY_LEN(levels);
	memcpy(a->levels, levels, sizeof(levels));
	ensemble_rule_default(PANEL_MEMBERS, a->n_levels, (size_t)c.horizon, &a->ensemble);
	if (deepar_new(&c, &a->networks[0], err) < 0)
		return -1;
	a->n_networks = 1;
	deepar_init(a->networks[0], strtoull(words[5], NULL, 10));
	return artefact_save(a, words[0], err);
}

int
main(int argc, char **argv)
{
	struct artefact a = { 0 };
	struct err err = ERR_INIT;
	int result;

	if (argc != 7) {
		fprintf(stderr, "artefact_tool FILE NAME VERSION FREQUENCY HORIZON SEED\n");
		return 1;
	}
	result = make(argv + 1, &a, &err);
	if (result < 0)
		fprintf(stderr, "artefact_tool: %s\n", err.text);
	artefact_clear(&a);
	return result < 0;
}
