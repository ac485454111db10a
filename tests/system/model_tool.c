/*
 * model_tool.c -- writes an artefact that was never trained: model_tool FILE NAME VERSION HIDDEN WQL
 *
 * Two networks of random weights for hours, the ensemble of the default rule; everything follows from the arguments.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/forecast/artefact.h"
#include "common/forecast/panel.h"

static const double levels[] = { 0.1, 0.5, 0.9 };

static int
fill(struct artefact *a, const char *name, const char *version, int hidden, double wql, struct err *err)
{
	struct deepar_config config;
	struct frequency hours;

	*a = (struct artefact){ .created_us = INT64_C(1709208000000000) + hidden,
				.from_us = INT64_C(1706616000000000),
				.cutoff_us = INT64_C(1709208000000000),
				.data = 0xfeedULL,
				.n_series = 12,
				.n_points = 8640,
				.n_levels = 3 };
	snprintf(a->name, sizeof(a->name), "%s", name);
	snprintf(a->version, sizeof(a->version), "%s", version);
	snprintf(a->code, sizeof(a->code), "model_tool");
	memcpy(a->levels, levels, sizeof(levels));
	if (frequency_parse("1h", &hours, err) < 0)
		return -1;
	deepar_config_default(&hours, 24, &config);
	config.hidden = hidden;
	config.n_cats = 2;
	config.cardinality[0] = 3;
	config.cardinality[1] = 7;
	for (; a->n_networks < 2; a->n_networks++) {
		if (deepar_new(&config, &a->networks[a->n_networks], err) < 0)
			return -1;
		deepar_init(a->networks[a->n_networks], a->n_networks + 1);
		a->validation[a->n_networks] = wql + 0.001 * (double)a->n_networks;
	}
	ensemble_rule_default(PANEL_MEMBERS, a->n_levels, 24, &a->ensemble);
	artefact_set_figure(a, "wql", wql);
	artefact_set_figure(a, "coverage80", 0.8125);
	return 0;
}

int
main(int argc, char **argv)
{
	CLEANUP(buffer_clear)
	struct buffer out = BUFFER_INIT(0);
	struct err err = ERR_INIT;
	struct artefact a;
	FILE *file;

	if (argc != 6) {
		fputs("usage: model_tool FILE NAME VERSION HIDDEN WQL\n", stderr);
		return 1;
	}
	if (fill(&a, argv[2], argv[3], atoi(argv[4]), atof(argv[5]), &err) < 0 || artefact_write(&a, &out, &err) < 0) {
		fprintf(stderr, "model_tool: %s\n", err.text);
		return 2;
	}
	artefact_clear(&a);
	file = fopen(argv[1], "wb");
	if (!file || fwrite(out.ptr, 1, out.len, file) != out.len || fclose(file)) {
		perror(argv[1]);
		return 2;
	}
	return 0;
}
