/* models_fixture.h -- what the tests of models share: a server, a desk with a store, versions that are brought up. */
#ifndef FOREBAY_TESTS_MODELS_FIXTURE_H
#define FOREBAY_TESTS_MODELS_FIXTURE_H

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

#define FACT(f) cmocka_unit_test_setup_teardown(f, desk_set, desk_clear)

#endif
