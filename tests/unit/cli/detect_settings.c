/* What the table of settings says by itself is the one configuration that figures are measured with. */
#include "common/detect/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/config/options.h"

#define AT(field) offsetof(struct settings, field)

static const struct option table[] = {
#include "common/detect/settings.def"
};

static int
load(int argc, char **argv, struct settings *s, struct err *err)
{
	const struct option_set set = { "Detection", table, ARRAY_LEN(table), s };
	const struct option_program program = { "test", "", &set, 1, NULL, 0 };
	enum options_verdict verdict;

	return options_load(&program, argc, argv, NULL, NULL, &verdict, err);
}

static void
clear(struct settings *s)
{
	const struct option_set set = { "Detection", table, ARRAY_LEN(table), s };
	const struct option_program program = { "test", "", &set, 1, NULL, 0 };

	options_clear(&program);
}

static void
defaults_are_the_detectors(void **state)
{
	const struct detector_options d = detector_defaults();
	struct detector_options o = d;
	struct group_options g = { .forest = { .columns = 3 } };
	struct settings s = { 0 };
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(load(1, (char *[]){ (char[]){ "test" }, NULL }, &s, &err), 0);
	memset(&o.episode, 0, sizeof(o.episode));
	memset(&o.neighbours, 0, sizeof(o.neighbours));
	o.members = 0;
	o.slots = o.warmup_values = o.forest.trees = o.forest.sample = 0;
	assert_int_equal(settings_detector(&s, &o, &err), 0);
	assert_int_equal(settings_group(&s, &g, &err), 0);
	clear(&s);
	assert_int_equal(o.members, d.members);
	assert_int_equal(o.slots, d.slots);
	assert_int_equal(o.warmup_values, d.warmup_values);
	assert_int_equal(o.forest.trees, d.forest.trees);
	assert_int_equal(o.forest.sample, d.forest.sample);
	assert_int_equal(o.forest.columns, d.forest.columns);
	assert_int_equal(o.forest.shingle, d.forest.shingle);
	assert_true(o.forest.decay == d.forest.decay && o.forest.seed == d.forest.seed);
	assert_int_equal(o.neighbours.length, d.neighbours.length);
	assert_int_equal(o.neighbours.stride, d.neighbours.stride);
	assert_int_equal(o.neighbours.bank, d.neighbours.bank);
	assert_int_equal(o.neighbours.nearest, d.neighbours.nearest);
	assert_true(o.neighbours.seed == d.neighbours.seed);
	assert_true(o.episode.pending == d.episode.pending && o.episode.firing == d.episode.firing &&
		    o.episode.critical == d.episode.critical);
	assert_int_equal(o.episode.m, d.episode.m);
	assert_int_equal(o.episode.n, d.episode.n);
	assert_true(o.episode.calm_ratio == d.episode.calm_ratio && o.episode.refire == d.episode.refire);
	assert_int_equal(o.episode.calm_values, d.episode.calm_values);
	assert_int_equal(o.episode.refractory_values, d.episode.refractory_values);
	assert_int_equal(o.episode.state_span, d.episode.state_span);
	assert_int_equal(o.episode.accept_values, d.episode.accept_values);
	assert_int_equal(o.episode.flap_alerts, d.episode.flap_alerts);
	assert_true(o.episode.flap_us == d.episode.flap_us && o.episode.fdr.level == d.episode.fdr.level);
	assert_int_equal(o.episode.fdr.memory_values, d.episode.fdr.memory_values);
	assert_true(g.episode.firing == d.episode.firing);
	assert_int_equal(g.forest.trees, d.forest.trees);
}

static const struct row {
	const char *name, *flag, *said;
} rows[] = {
	{ "levels ascend", "--alert.firing.p=0.01", "must not ascend" },
	{ "more than all", "--alert.firing.readings=4", "can never be" },
	{ "nobody of that name", "--detect.members=scalar,oracle", "detect.members" },
	{ "a length that is no multiple", "--neighbours.length=20", "neighbours.length" },
};

static void
do_not_go_together(void **state)
{
	const struct row *row = *state;
	struct detector_options o = detector_defaults();
	struct settings s = { 0 };
	struct err err = ERR_INIT;
	char flag[64];

	snprintf(flag, sizeof(flag), "%s", row->flag);
	assert_int_equal(load(2, (char *[]){ (char[]){ "test" }, flag, NULL }, &s, &err), 0);
	assert_int_equal(settings_detector(&s, &o, &err), -1);
	assert_int_equal(err.reason, REASON_OPTION_INVALID);
	assert_non_null(strstr(err.text, row->said));
	clear(&s);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + 1] = { cmocka_unit_test(defaults_are_the_detectors) };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[i + 1] = (struct CMUnitTest){ .name = rows[i].name,
						    .test_func = do_not_go_together,
						    .initial_state = (void *)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
