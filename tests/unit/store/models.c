/* models.c -- which standing may follow which, who makes room for whom, what is told and what is not, trainings kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/store/models.h"
#include "common/store/query.h"
#include "tests/support/postgres.h"

#define NAME SPAN("deepar-1h")
#define T0 INT64_C(1709208000000000)

/* Of "\0\xff\1weights", by another program. */
#define SHA256                                                             \
	"\xa1\x74\x0d\xba\x83\xc2\xd6\x10\x24\x1b\x28\x4b\x18\xbb\x6c\x0b" \
	"\x7d\x8e\x13\x7c\x23\x3b\x22\x28\xa9\x56\xc2\xbb\x43\x2f\xeb\xc7"

static struct postgres server;

static int
start(void **state)
{
	(void)state;
	postgres_start(&server);
	return 0;
}

static int
wipe(void **state)
{
	(void)state;
	postgres_wipe(&server);
	return 0;
}

struct desk {
	struct store *store;
	struct arena *arena;
	struct err err;
};

static int
desk_set(void **state)
{
	struct desk *d = calloc(1, sizeof(*d));

	d->store = postgres_store(&server, 1);
	d->arena = arena_new(1 << 16, 0);
	*state = d;
	return 0;
}

static int
desk_clear(void **state)
{
	struct desk *d = *state;

	store_free(d->store);
	arena_free(d->arena);
	free(d);
	return 0;
}

static struct model_figure figures[] = { { SPAN("wql"), 0.1 },
					 { SPAN("coverage.80"), 5e-324 },
					 { SPAN("m\"\\,}"), -1e300 } };

static struct model
made(const char *version, int64_t created_us)
{
	return (struct model){ .name = NAME,
			       .version = span_of(version),
			       .family = SPAN("deepar"),
			       .status = MODEL_LIVE, /* is not asked for */
			       .canary_share = 0.7,
			       .created_us = created_us,
			       .from_us = T0 - 1,
			       .to_us = T0 + 1,
			       .parent = SPAN("0"),
			       .figures = figures,
			       .n_figures = 3,
			       .artefact = { "\0\xff\x01weights", 10 } };
}

static void
add(struct desk *d, const char *version)
{
	struct model m = made(version, T0 + atoi(version));

	if (models_add(d->store, &m, "trained", &d->err) < 0)
		fail_msg("%s", d->err.text);
}

static int
change_name(struct desk *d, struct span name, const char *version, enum model_status to, double share, bool *changed)
{
	return models_change(d->store, name, span_of(version), to, share, "because", changed, &d->err);
}

static void
change(struct desk *d, const char *version, enum model_status to)
{
	bool changed;

	if (change_name(d, NAME, version, to, 0.1, &changed) < 0)
		fail_msg("%s", d->err.text);
	assert_true(changed);
}

/* Candidate, canary, live. */
static void
bring_up(struct desk *d, const char *version)
{
	add(d, version);
	change(d, version, MODEL_CANARY);
	change(d, version, MODEL_LIVE);
}

static void
is(struct desk *d, const char *version, enum model_status status)
{
	struct model m;
	bool found;

	assert_int_equal(models_get(d->store, NAME, span_of(version), d->arena, &m, &found, &d->err), 0);
	assert_true(found);
	if (m.status != status)
		fail_msg("%s is %s", version, model_status_name(m.status));
}

static void
says(struct desk *d, enum err_reason reason, const char *text)
{
	if (d->err.reason != reason || !strstr(d->err.text, text))
		fail_msg("%s: %s", err_reason_name(d->err.reason), d->err.text);
	assert_false(store_in_transaction(d->store));
	err_clear(&d->err);
}

/* ---- what goes in comes out ---- */

static void
a_version_comes_back(void **state)
{
	struct desk *d = *state;
	struct model m, *list;
	bool found;
	size_t n;

	add(d, "1");
	assert_int_equal(models_get(d->store, NAME, SPAN("1"), d->arena, &m, &found, &d->err), 0);
	assert_true(found);
	assert_true(span_equal(m.name, NAME));
	assert_true(span_equal(m.version, SPAN("1")));
	assert_true(span_equal(m.family, SPAN("deepar")));
	assert_int_equal(m.status, MODEL_CANDIDATE);
	assert_true(m.canary_share == 0);
	assert_int_equal(m.created_us, T0 + 1);
	assert_int_equal(m.from_us, T0 - 1);
	assert_int_equal(m.to_us, T0 + 1);
	assert_true(span_equal(m.parent, SPAN("0")));
	assert_true(span_equal(m.artefact, ((struct span){ "\0\xff\x01weights", 10 })));
	assert_true(span_equal(m.sha256, SPAN(SHA256)));
	assert_null(m.uri.ptr);
	assert_int_equal(m.n_figures, 3);
	for (size_t i = 0; i < 3; i++) {
		bool there = false;

		for (size_t k = 0; k < 3; k++)
			there |=
			    span_equal(m.figures[k].name, figures[i].name) && m.figures[k].value == figures[i].value;
		assert_true(there);
	}
	assert_int_equal(models_list(d->store, SPAN_NONE, d->arena, &list, &n, &d->err), 0);
	assert_int_equal(n, 1);
	assert_null(list[0].artefact.ptr);
	assert_int_equal(list[0].artefact.len, 10);
	assert_int_equal(list[0].n_figures, 3);
	assert_true(span_equal(list[0].sha256, m.sha256));
	assert_int_equal(models_get(d->store, NAME, SPAN("2"), d->arena, &m, &found, &d->err), 0);
	assert_false(found);
}

static void
the_newest_comes_first(void **state)
{
	struct desk *d = *state;
	struct model *list, other = made("7", T0 + 7);
	size_t n;

	add(d, "2");
	add(d, "9");
	add(d, "1");
	other.name = SPAN("other");
	other.n_figures = 0;
	other.parent = SPAN_NONE;
	assert_int_equal(models_add(d->store, &other, "trained", &d->err), 0);
	assert_int_equal(models_list(d->store, NAME, d->arena, &list, &n, &d->err), 0);
	assert_int_equal(n, 3);
	assert_true(span_equal(list[0].version, SPAN("9")));
	assert_true(span_equal(list[2].version, SPAN("1")));
	assert_int_equal(models_list(d->store, SPAN_NONE, d->arena, &list, &n, &d->err), 0);
	assert_int_equal(n, 4);
	assert_true(span_equal(list[1].name, SPAN("other")));
	assert_null(list[1].parent.ptr);
	assert_int_equal(list[1].n_figures, 0);
	assert_int_equal(models_list(d->store, SPAN("none"), d->arena, &list, &n, &d->err), 0);
	assert_int_equal(n, 0);
}

static void
a_version_is_added_once(void **state)
{
	struct desk *d = *state;
	struct model m = made("1", T0 + 1);

	bring_up(d, "1");
	assert_int_equal(models_add(d->store, &m, "again", &d->err), 0);
	is(d, "1", MODEL_LIVE);
	assert_int_equal(postgres_number(d->store, "SELECT count(*) FROM forebay.model_changes"), 3);
	m.artefact = SPAN("other weights");
	assert_int_equal(models_add(d->store, &m, "again", &d->err), -1);
	says(d, REASON_ROW_REFUSED, "deepar-1h/1 exists (live) with another artefact");
}

static void
bad_rows_are_refused(void **state)
{
	struct desk *d = *state;
	struct model m = made("a/b", T0);

	assert_int_equal(models_add(d->store, &m, "x", &d->err), -1);
	says(d, REASON_ROW_REFUSED, "deepar-1h/a/b");
	m = made("", T0);
	assert_int_equal(models_add(d->store, &m, "x", &d->err), -1);
	says(d, REASON_ROW_REFUSED, "version");
	m = made("1", T0);
	m.artefact = SPAN_NONE;
	assert_int_equal(models_add(d->store, &m, "x", &d->err), -1);
	says(d, REASON_ROW_REFUSED, "artefact");
	assert_int_equal(postgres_number(d->store, "SELECT count(*) FROM forebay.models"), 0);
}

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

/* ---- telling ---- */

static size_t
untold(struct desk *d, struct model **list)
{
	size_t n;

	assert_int_equal(models_untold(d->store, d->arena, list, &n, &d->err), 0);
	return n;
}

static void
told_once_until_it_changes(void **state)
{
	struct desk *d = *state;
	struct model *list;

	add(d, "2");
	add(d, "1");
	assert_int_equal(untold(d, &list), 2);
	assert_true(span_equal(list[0].version, SPAN("2"))); /* changed first */
	assert_null(list[0].artefact.ptr);
	for (int i = 0; i < 2; i++)
		assert_int_equal(models_told(d->store, &list[i], &d->err), 0);
	assert_int_equal(untold(d, &list), 0);
	change(d, "1", MODEL_CANARY);
	assert_int_equal(untold(d, &list), 1);
	assert_true(list[0].canary_share == 0.1);
	/* It changes while it is being told: then it has not been told. */
	change(d, "1", MODEL_LIVE);
	assert_int_equal(models_told(d->store, &list[0], &d->err), 0);
	assert_int_equal(untold(d, &list), 1);
	assert_int_equal(list[0].status, MODEL_LIVE);
	assert_int_equal(models_told(d->store, &list[0], &d->err), 0);
	/* Who was slow and tells of an old standing makes it be told again. */
	list[0].status = MODEL_CANARY;
	assert_int_equal(models_told(d->store, &list[0], &d->err), 0);
	assert_int_equal(untold(d, &list), 1);
}

/* Who takes a place is told before who left it. */
static void
those_in_use_are_told_first(void **state)
{
	struct desk *d = *state;
	struct model *list;

	for (int version = '1'; version <= '3'; version++)
		add(d, (char[]){ (char)version, '\0' });
	change(d, "1", MODEL_LIVE);
	change(d, "2", MODEL_CANARY);
	change(d, "2", MODEL_LIVE);
	change(d, "3", MODEL_CANARY);
	assert_int_equal(models_roll_back(d->store, NAME, "worse", &d->err), 0);
	assert_int_equal(untold(d, &list), 3);
	assert_int_equal(list[0].status, MODEL_CANARY);
	assert_int_equal(list[1].status, MODEL_LIVE);
	assert_int_equal(list[2].status, MODEL_RETIRED);
}

static void
turns(void **state)
{
	struct desk *d = *state;
	CLEANUP(store_free)
	struct store *other = postgres_store(&server, 0);
	const char *held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted";

	assert_int_equal(models_turn(d->store, &d->err), 0);
	assert_false(store_in_transaction(d->store));
	assert_int_equal(postgres_number(other, held), 1);
	assert_int_equal(postgres_number(other, "SELECT pg_try_advisory_lock(7307199658149177444)::int"), 0);
	models_turn_over(d->store);
	assert_int_equal(postgres_number(other, held), 0);
	assert_int_equal(models_turn(other, &d->err), 0);
	store_disconnect(other); /* who is gone keeps nobody waiting */
	assert_int_equal(models_turn(d->store, &d->err), 0);
	models_turn_over(d->store);
}

/* ---- trainings ---- */

static void
trainings_are_kept(void **state)
{
	struct desk *d = *state;
	struct model_training t = { .name = NAME, .plan = SPAN("{\"a\": 1}"), .started_us = T0, .saved_us = T0 + 1 },
			      back;
	bool found;

	assert_int_equal(models_training_get(d->store, NAME, d->arena, &back, &found, &d->err), 0);
	assert_false(found);
	assert_int_equal(models_training_save(d->store, &t, &d->err), 0);
	assert_int_equal(models_training_get(d->store, NAME, d->arena, &back, &found, &d->err), 0);
	assert_true(found);
	assert_null(back.progress.ptr);
	assert_true(span_equal(back.plan, t.plan));
	assert_true(span_equal(back.name, NAME));
	t.progress = (struct span){ "\0\1\xfe", 3 };
	t.saved_us = T0 + 5;
	assert_int_equal(models_training_save(d->store, &t, &d->err), 0);
	assert_int_equal(models_training_get(d->store, NAME, d->arena, &back, &found, &d->err), 0);
	assert_true(span_equal(back.progress, t.progress));
	assert_int_equal(back.started_us, T0);
	assert_int_equal(back.saved_us, T0 + 5);
	assert_int_equal(models_training_end(d->store, NAME, &d->err), 0);
	assert_int_equal(models_training_get(d->store, NAME, d->arena, &back, &found, &d->err), 0);
	assert_false(found);
	assert_int_equal(models_training_end(d->store, NAME, &d->err), 0);
}

/* ---- without a server, without tables ---- */

static void
trouble_is_named(void **state)
{
	struct desk *d = *state;
	struct model *list;
	bool changed;
	size_t n;

	assert_int_equal(store_exec(d->store, "DROP SCHEMA forebay CASCADE", &d->err), 0);
	assert_int_equal(models_list(d->store, NAME, d->arena, &list, &n, &d->err), -1);
	says(d, REASON_STORE_SCHEMA, "forebay.models");
	assert_int_equal(change_name(d, NAME, "1", MODEL_CANARY, 0.1, &changed), -1);
	says(d, REASON_STORE_SCHEMA, "forebay.models");
	postgres_stop(&server);
	assert_int_equal(models_list(d->store, NAME, d->arena, &list, &n, &d->err), -1);
	assert_int_equal(d->err.reason, REASON_STORE_DOWN);
	assert_int_equal(change_name(d, NAME, "1", MODEL_CANARY, 0.1, &changed), -1);
	assert_int_equal(d->err.reason, REASON_STORE_DOWN);
	assert_int_equal(models_turn(d->store, &d->err), -1);
	assert_int_equal(d->err.reason, REASON_STORE_DOWN);
	postgres_start(&server);
	assert_int_equal(models_turn(d->store, &d->err), 0);
	models_turn_over(d->store);
}

#define FACT(f) cmocka_unit_test_setup_teardown(f, desk_set, desk_clear)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FACT(a_version_comes_back),
		FACT(the_newest_comes_first),
		FACT(a_version_is_added_once),
		FACT(bad_rows_are_refused),
		FACT(the_picture),
		FACT(who_is_not_there_and_what_is_no_standing),
		FACT(one_makes_room_for_the_other),
		FACT(a_canarys_share_is_changed),
		FACT(two_cannot_live),
		FACT(back_to_the_version_before),
		FACT(back_over_a_version_that_lived_twice),
		FACT(told_once_until_it_changes),
		FACT(those_in_use_are_told_first),
		FACT(turns),
		FACT(trainings_are_kept),
		FACT(trouble_is_named),
	};

	return cmocka_run_group_tests(tests, start, wipe);
}
