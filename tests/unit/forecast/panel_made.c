/* panel_made.c -- see panel_made.h. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/random.h"
#include "common/forecast/frequency.h"

#include "tests/unit/forecast/panel_made.h"

struct panel_rule
rule_of(const char *members)
{
	struct panel_rule rule = {
		.horizon = HORIZON, .n_levels = LEVELS, .paths = 50, .seed = 1, .history_max = 1000
	};
	struct err err = ERR_INIT;

	assert_int_equal(frequency_parse("1h", &rule.frequency, &err), 0);
	assert_int_equal(panel_members_parse(members, &rule.members, &err), 0);
	for (size_t q = 0; q < LEVELS; q++)
		rule.levels[q] = (double)(q + 1) / 10;
	rule.calibrate = true;
	return rule;
}

struct panel *
panel_of(const struct panel_rule *rule, const struct artefact *model)
{
	struct panel *p = NULL;
	struct err err = ERR_INIT;

	if (panel_new(rule, model, NULL, &p, &err) < 0)
		fail_msg("%s", err.text);
	return p;
}

void
wave(double level, uint64_t series, double *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		values[i] = level + 3 * sin(2 * M_PI * (double)(i % 24) / 24) + 0.3 * random_normal(1, series, i);
}

void
model_of(struct artefact *a, const struct panel_rule *rule, size_t networks, enum deepar_head head)
{
	struct deepar_config c;
	struct err err = ERR_INIT;

	memset(a, 0, sizeof(*a));
	deepar_config_default(&rule->frequency, (int32_t)rule->horizon, &c);
	c.default_scale = 1;
	c.head = head;
	c.hidden = 8;
	c.n_cats = 1;
	c.cardinality[0] = 3;
	for (; a->n_networks < networks; a->n_networks++) {
		if (deepar_new(&c, &a->networks[a->n_networks], &err) < 0)
			fail_msg("%s", err.text);
		deepar_init(a->networks[a->n_networks], a->n_networks + 5);
	}
}

struct panel_forecast
into(struct made *m)
{
	return (struct panel_forecast){ .values = m->values, .combined = m->combined, .members = m->members };
}

void
forecast(struct panel *p, const struct target *t, const struct panelist *learnt, struct made *ret)
{
	struct panel_request request = { t, learnt, 7 };
	struct err err = ERR_INIT;

	ret->f = into(ret);
	assert_int_equal(panel_forecast(p, &request, &ret->f, 1, &err), 0);
}

void
check_sane(const struct made *m)
{
	float sum = 0;

	for (size_t h = 0; h < HORIZON; h++)
		for (size_t q = 0; q < LEVELS; q++) {
			assert_true(isfinite(m->values[h * LEVELS + q]));
			assert_true(!q || m->values[h * LEVELS + q] >= m->values[h * LEVELS + q - 1]);
		}
	for (size_t i = 0; i < PANEL_MEMBERS; i++) {
		assert_true(m->f.awake >> i & 1 || m->f.weights[i] == 0);
		sum += m->f.weights[i];
	}
	assert_true(fabsf(sum - 1) < 1e-4F);
	assert_true(m->f.scale > 0);
}
