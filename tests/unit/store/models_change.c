/* models_change.c -- which standing may follow which, who makes room for whom, and the way back. */
#include "tests/unit/store/models_fixture.h"

/* ---- standings ---- */

/* Every pair: what the picture in the header shows is done, the rest is refused and nothing changes. */
static void
the_picture(void **state)
{
	static const bool drawn[MODEL_UNKNOWN][MODEL_UNKNOWN] = {
		[MODEL_CANDIDATE] = { [MODEL_CANARY] = true, [MODEL_LIVE] = true, [MODEL_REJECTED] = true },
		[MODEL_CANARY] = { [MODEL_LIVE] = true, [MODEL_REJECTED] = true },
		[MODEL_LIVE] = { [MODEL_RETIRED] = true },
		[MODEL_RETIRED] = { [MODEL_LIVE] = true },
	};
	static const enum model_status ways[MODEL_UNKNOWN][4] = {
		[MODEL_CANARY] = { MODEL_CANARY },
		[MODEL_LIVE] = { MODEL_CANARY, MODEL_LIVE },
		[MODEL_RETIRED] = { MODEL_CANARY, MODEL_LIVE, MODEL_RETIRED },
		[MODEL_REJECTED] = { MODEL_REJECTED },
	};
	struct desk *d = *state;
	char version[8] = "1";
	bool changed;

	for (int from = 0; from < MODEL_UNKNOWN; from++)
		for (int to = 0; to < MODEL_UNKNOWN; to++) {
			struct span name = span_of(arena_printf(d->arena, "m%d%d", from, to));
			struct model m = made(version, T0);

			m.name = name;
			assert_int_equal(models_add(d->store, &m, "x", &d->err), 0);
			for (int i = 0; i < 4 && ways[from][i]; i++)
				assert_int_equal(change_name(d, name, version, ways[from][i], 0.5, &changed), 0);
			if (from == to) {
				assert_int_equal(change_name(d, name, version, (enum model_status)to, 0.5, &changed),
						 0);
				assert_false(changed);
			} else if (drawn[from][to]) {
				assert_int_equal(change_name(d, name, version, (enum model_status)to, 0.5, &changed),
						 0);
				assert_true(changed);
			} else {
				assert_int_equal(change_name(d, name, version, (enum model_status)to, 0.5, &changed),
						 -1);
				says(d, REASON_OPTION_INVALID,
				     arena_printf(d->arena, "is %s: it", model_status_name((enum model_status)from)));
				assert_false(changed);
			}
		}
}

static void
who_is_not_there_and_what_is_no_standing(void **state)
{
	struct desk *d = *state;
	bool changed;

	add(d, "1");
	assert_int_equal(change_name(d, NAME, "2", MODEL_CANARY, 0.1, &changed), -1);
	says(d, REASON_OPTION_INVALID, "there is no model deepar-1h/2");
	assert_int_equal(change_name(d, NAME, "1", MODEL_UNKNOWN, 0.1, &changed), -1);
	says(d, REASON_OPTION_INVALID, "unknown");
	assert_int_equal(change_name(d, NAME, "1", MODEL_CANARY, 0, &changed), -1);
	says(d, REASON_OPTION_INVALID, "share");
	assert_int_equal(change_name(d, NAME, "1", MODEL_CANARY, 1.5, &changed), -1);
	says(d, REASON_OPTION_INVALID, "share");
	assert_int_equal(change_name(d, NAME, "1", MODEL_CANARY, NAN, &changed), -1);
	says(d, REASON_OPTION_INVALID, "share");
	is(d, "1", MODEL_CANDIDATE);
}

static void
one_makes_room_for_the_other(void **state)
{
	struct desk *d = *state;
	struct model_change *changes;
	struct model m;
	bool found;
	size_t n;

	bring_up(d, "1");
	bring_up(d, "2");
	is(d, "1", MODEL_RETIRED);
	is(d, "2", MODEL_LIVE);
	add(d, "3");
	add(d, "4");
	change(d, "3", MODEL_CANARY);
	change(d, "4", MODEL_CANARY);
	is(d, "3", MODEL_REJECTED);
	is(d, "4", MODEL_CANARY);
	is(d, "2", MODEL_LIVE);
	assert_int_equal(models_get(d->store, NAME, SPAN("4"), d->arena, &m, &found, &d->err), 0);
	assert_true(m.canary_share == 0.1);
	assert_int_equal(models_get(d->store, NAME, SPAN("2"), d->arena, &m, &found, &d->err), 0);
	assert_true(m.canary_share == 0);
	assert_int_equal(models_changes(d->store, NAME, 3, d->arena, &changes, &n, &d->err), 0);
	assert_int_equal(n, 3);
	assert_true(span_equal(changes[0].version, SPAN("4")));
	assert_int_equal(changes[0].from, MODEL_CANDIDATE);
	assert_int_equal(changes[0].to, MODEL_CANARY);
	assert_true(span_equal(changes[0].why, SPAN("because")));
	assert_true(changes[0].time_us > T0);
	assert_true(span_equal(changes[1].version, SPAN("3")));
	assert_int_equal(changes[1].to, MODEL_REJECTED);
	assert_true(span_equal(changes[1].why, SPAN("4 is the canary: because")));
	assert_int_equal(models_changes(d->store, SPAN_NONE, 100, d->arena, &changes, &n, &d->err), 0);
	assert_int_equal(changes[n - 1].from, MODEL_UNKNOWN);
	assert_int_equal(changes[n - 1].to, MODEL_CANDIDATE);
}

static void
a_canarys_share_is_changed(void **state)
{
	struct desk *d = *state;
	struct model m;
	bool found, changed;

	add(d, "1");
	change(d, "1", MODEL_CANARY);
	assert_int_equal(change_name(d, NAME, "1", MODEL_CANARY, 0.1, &changed), 0);
	assert_false(changed);
	assert_int_equal(change_name(d, NAME, "1", MODEL_CANARY, 1.0 / 3, &changed), 0);
	assert_true(changed);
	assert_int_equal(models_get(d->store, NAME, SPAN("1"), d->arena, &m, &found, &d->err), 0);
	assert_true(m.canary_share == 1.0 / 3);
}

/* The database itself keeps two from living. */
static void
two_cannot_live(void **state)
{
	struct desk *d = *state;

	bring_up(d, "1");
	add(d, "2");
	assert_int_equal(store_exec(d->store, "UPDATE forebay.models SET status = 'live'", &d->err), -1);
	assert_int_equal(d->err.reason, REASON_ROW_REFUSED);
	assert_int_equal(store_exec(d->store, "UPDATE forebay.models SET status = 'canary'", &d->err), -1);
	assert_int_equal(d->err.reason, REASON_ROW_REFUSED);
	is(d, "1", MODEL_LIVE);
	is(d, "2", MODEL_CANDIDATE);
}

/* ---- back ---- */

static void
back_to_the_version_before(void **state)
{
	struct desk *d = *state;

	assert_int_equal(models_roll_back(d->store, NAME, "worse", &d->err), -1);
	says(d, REASON_OPTION_INVALID, "no version of model deepar-1h is live");
	bring_up(d, "1");
	assert_int_equal(models_roll_back(d->store, NAME, "worse", &d->err), -1);
	says(d, REASON_OPTION_INVALID, "deepar-1h/1 is live, and none lived before it");
	bring_up(d, "2");
	bring_up(d, "3");
	assert_int_equal(models_roll_back(d->store, NAME, "worse", &d->err), 0);
	is(d, "3", MODEL_RETIRED);
	is(d, "2", MODEL_LIVE);
	assert_int_equal(models_roll_back(d->store, NAME, "worse", &d->err), 0);
	is(d, "1", MODEL_LIVE); /* and not 3, which was found wanting */
	is(d, "2", MODEL_RETIRED);
	assert_int_equal(models_roll_back(d->store, NAME, "worse", &d->err), -1);
	says(d, REASON_OPTION_INVALID, "none lived before");
	bring_up(d, "4");
	change(d, "3", MODEL_LIVE); /* by hand, after all */
	assert_int_equal(models_roll_back(d->store, NAME, "worse", &d->err), 0);
	is(d, "4", MODEL_LIVE);
	assert_int_equal(models_roll_back(d->store, NAME, "worse", &d->err), 0);
	is(d, "1", MODEL_LIVE);
}

static void
back_over_a_version_that_lived_twice(void **state)
{
	struct desk *d = *state;

	bring_up(d, "1");
	bring_up(d, "2");
	change(d, "1", MODEL_LIVE);
	assert_int_equal(models_roll_back(d->store, NAME, "worse", &d->err), 0);
	is(d, "2", MODEL_LIVE);
	assert_int_equal(models_roll_back(d->store, NAME, "worse", &d->err), 0);
	is(d, "1", MODEL_LIVE);
	assert_int_equal(models_roll_back(d->store, NAME, "worse", &d->err), -1);
	says(d, REASON_OPTION_INVALID, "none lived before");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FACT(the_picture),
		FACT(who_is_not_there_and_what_is_no_standing),
		FACT(one_makes_room_for_the_other),
		FACT(a_canarys_share_is_changed),
		FACT(two_cannot_live),
		FACT(back_to_the_version_before),
		FACT(back_over_a_version_that_lived_twice),
	};

	return cmocka_run_group_tests(tests, start, wipe);
}
