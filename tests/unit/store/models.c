/* models.c -- what goes in comes out, what is told and what is not, trainings kept. */
#include "tests/unit/store/models_fixture.h"

/* Of "\0\xff\1weights", by another program. */
#define SHA256                                                             \
	"\xa1\x74\x0d\xba\x83\xc2\xd6\x10\x24\x1b\x28\x4b\x18\xbb\x6c\x0b" \
	"\x7d\x8e\x13\x7c\x23\x3b\x22\x28\xa9\x56\xc2\xbb\x43\x2f\xeb\xc7"

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
those_that_count_now(void **state)
{
	static const char *const wanted[] = { "9", "8", "2", "1" };
	struct desk *d = *state;
	struct model *list, other = made("8", T0 + 8);
	size_t n;

	assert_int_equal(models_current(d->store, d->arena, &list, &n, &d->err), 0);
	assert_int_equal(n, 0);
	bring_up(d, "1");
	for (int version = '2'; version <= '5'; version++)
		add(d, (char[]){ (char)version, '\0' });
	change(d, "2", MODEL_CANARY);
	add(d, "9");
	change(d, "9", MODEL_REJECTED);
	other.name = SPAN("other");
	assert_int_equal(models_add(d->store, &other, "trained", &d->err), 0);
	assert_int_equal(models_current(d->store, d->arena, &list, &n, &d->err), 0);
	assert_int_equal(n, 4);
	for (size_t i = 0; i < n; i++)
		assert_true(span_equal(list[i].version, span_of(wanted[i])));
	assert_int_equal(list[0].n_figures, 3);
	assert_int_equal(list[2].status, MODEL_CANARY);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FACT(a_version_comes_back),        FACT(the_newest_comes_first),
		FACT(those_that_count_now),        FACT(a_version_is_added_once),
		FACT(bad_rows_are_refused),        FACT(told_once_until_it_changes),
		FACT(those_in_use_are_told_first), FACT(turns),
		FACT(trainings_are_kept),          FACT(trouble_is_named),
	};

	return cmocka_run_group_tests(tests, start, wipe);
}
