/* panel_made.h -- panels for tests: series, models, and what a forecast is put into. */
#ifndef FOREBAY_TEST_PANEL_MADE_H
#define FOREBAY_TEST_PANEL_MADE_H

#include "common/forecast/panel.h"

#define HORIZON 12
#define LEVELS 9
#define LENGTH 600
#define CELLS (HORIZON * LEVELS)

#define BIT(m) (1U << (m))

static const int32_t category; /* of a series of model_of() */

struct made {
	double values[CELLS], combined[CELLS], members[CELLS * PANEL_MEMBERS];
	struct panel_forecast f;
};

struct panel_rule rule_of(const char *members);
struct panel *panel_of(const struct panel_rule *rule, const struct artefact *model);
/* N points of a day's wave with noise, around LEVEL. */
void wave(double level, uint64_t series, double *values, size_t n);
/* Two networks with random weights: they forecast nonsense, but every time the same. */
void model_of(struct artefact *a, const struct panel_rule *rule, size_t networks, enum deepar_head head);
struct panel_forecast into(struct made *m);
void forecast(struct panel *p, const struct target *t, const struct panelist *learnt, struct made *ret);
void check_sane(const struct made *m);

#endif
