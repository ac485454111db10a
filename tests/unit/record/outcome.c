/* Outcome: structures are the examples, which records keep its rules, what is not there comes back as such. */
#include "common/record/outcome.h"

#include <jansson.h>
#include <math.h>

#include "common/base/cleanup.h"
#include "tests/unit/record/support.h"

#define T0 INT64_C(1709208000000000)
#define NONE            \
	{               \
		NULL, 0 \
	}

static struct outcome_loss losses[] = { { SPAN("season"), 0.0625 }, { SPAN("deepar"), 0.015 } };
static struct outcome_loss twice[] = { { SPAN("season"), 0.0625 }, { SPAN("season"), 0.015 } };
static struct outcome_loss below[] = { { SPAN("season"), -0.0625 } };

static const struct outcome rivals = {
	.device = SPAN("mote-7"),
	.metric = SPAN("temperature"),
	.origin_us = T0,
	.event_us = T0 + 120000000,
	.step = 2,
	.value = 20.5,
	.scale = 20,
	.loss = 0.0125,
	.lower = 19,
	.upper = 22.75,
	.model = SPAN("deepar-1h"),
	.version = SPAN("20240229-1"),
	.model_loss = 0.015,
	.rival = SPAN("20240301-1"),
	.rival_loss = 0.25,
	.members = losses,
	.n_members = 2,
	.drift = true,
	.ingest_us = T0 + 181000000,
};
static const struct outcome classical = {
	.device = SPAN("mote-7"),
	.metric = SPAN("temperature"),
	.origin_us = T0,
	.event_us = T0,
	.value = -0.5,
	.scale = 1e-10,
	.lower = -0.5,
	.upper = -0.5,
	.model = SPAN("seasonal-naive"),
	.model_loss = NAN,
	.rival_loss = NAN,
	.ingest_us = T0 + 61000000,
};

static void
is_example(const struct outcome *o, const char *example)
{
	CLEANUP(registry_free)
	struct registry *registry = support_registry();
	CLEANUP(buffer_clear)
	struct buffer text = BUFFER_INIT(0), bytes = BUFFER_INIT(0), shown = BUFFER_INIT(0);
	CLEANUP(codec_free)
	struct codec *codec = NULL;
	json_t *want, *got;

	support_example(example, &text);
	OK(codec_new(registry, &outcome_record, "forecasts.outcomes", &codec, why));
	OK(codec_encode(codec, o, &bytes, why));
	OK(codec_to_json(registry, buffer_span(&bytes), SPAN_NONE, &shown, why));
	want = json_loads(text.ptr, 0, NULL);
	got = json_loadb(shown.ptr, shown.len, 0, NULL);
	if (!want || !json_equal(want, got))
		fail_msg("%s: became %.*s", example, (int)shown.len, shown.ptr);
	json_decref(want);
	json_decref(got);
}

static void
structures_are_examples(void **state)
{
	(void)state;
	is_example(&rivals, "Outcome-rivals.json");
	is_example(&classical, "Outcome-classical.json");
}

static void
as_it_is(struct outcome *o)
{
	(void)o;
}

static void
no_loss_of_a_version(struct outcome *o)
{
	o->model_loss = NAN;
}

static void
no_loss_of_a_rival(struct outcome *o)
{
	o->rival_loss = NAN;
}

static void
loss_of_no_version(struct outcome *o)
{
	o->version = SPAN_NONE;
}

static void
loss_of_no_rival(struct outcome *o)
{
	o->rival = SPAN_NONE;
}

static void
before_its_origin(struct outcome *o)
{
	o->event_us = o->origin_us - 1;
}

static void
negative_step(struct outcome *o)
{
	o->step = -1;
}

static void
no_scale(struct outcome *o)
{
	o->scale = 0;
}

static void
negative_loss(struct outcome *o)
{
	o->loss = -0.5;
}

static void
no_loss(struct outcome *o)
{
	o->loss = NAN;
}

static void
infinite_rival(struct outcome *o)
{
	o->rival_loss = INFINITY;
}

static void
crossed(struct outcome *o)
{
	o->lower = o->upper + 1;
}

static void
member_twice(struct outcome *o)
{
	o->members = twice;
}

static void
member_below_zero(struct outcome *o)
{
	o->members = below;
	o->n_members = 1;
}

static void
empty_version(struct outcome *o)
{
	o->version = SPAN("");
}

static void
no_device(struct outcome *o)
{
	o->device = SPAN("");
}

static void
no_value(struct outcome *o)
{
	o->value = NAN;
}

/* What is wrong with RIVALS once one thing about it is changed. */
static const struct row {
	const char *name;
	void (*change)(struct outcome *o);
	const char *text; /* part of the error; NULL: it is taken */
} rows[] = {
	{ "as it is", as_it_is, NULL },
	{ "a version without a loss", no_loss_of_a_version, NULL },
	{ "a rival without a loss", no_loss_of_a_rival, NULL },
	{ "a loss of no version", loss_of_no_version, "model_loss: there is no version" },
	{ "a loss of no rival", loss_of_no_rival, "rival_loss: there is no rival" },
	{ "before its origin", before_its_origin, "origin_time: " },
	{ "negative step", negative_step, "step: -1" },
	{ "no scale", no_scale, "scale: 0" },
	{ "negative loss", negative_loss, "loss: -0.5" },
	{ "no loss", no_loss, "loss: nan" },
	{ "an infinite loss", infinite_rival, "rival_loss: inf" },
	{ "crossed quantiles", crossed, "lower: 23.75 is above upper" },
	{ "a member twice", member_twice, "members" },
	{ "a member's loss below 0", member_below_zero, "members[0]: loss: -0.0625" },
	{ "an empty version", empty_version, "version: 0 bytes" },
	{ "no device", no_device, "device: 0 bytes" },
	{ "no value", no_value, "value: nan" },
};

/* Encoded and decoded to the same bytes, or refused by name. */
static void
keeps_its_rules(void **state)
{
	const struct row *row = *state;
	CLEANUP(registry_free)
	struct registry *registry = support_registry();
	CLEANUP(buffer_clear)
	struct buffer bytes = BUFFER_INIT(0), again = BUFFER_INIT(0);
	CLEANUP(arena_free)
	struct arena *arena = arena_new(4096, 0);
	CLEANUP(codec_free)
	struct codec *codec = NULL;
	struct outcome o = rivals, back;
	struct err err = ERR_INIT;

	row->change(&o);
	OK(codec_new(registry, &outcome_record, "forecasts.outcomes", &codec, why));
	if (row->text) {
		assert_int_equal(codec_encode(codec, &o, &bytes, &err), -1);
		assert_int_equal(err.reason, REASON_RECORD_INVALID);
		if (!strstr(err.text, row->text))
			fail_msg("said: %s", err.text);
		return;
	}
	OK(codec_encode(codec, &o, &bytes, why));
	OK(codec_decode(codec, buffer_span(&bytes), SPAN_NONE, arena, &back, why));
	OK(codec_encode(codec, &back, &again, why));
	assert_true(span_equal(buffer_span(&again), buffer_span(&bytes)));
}

static void
what_is_not_there_comes_back_so(void **state)
{
	CLEANUP(registry_free)
	struct registry *registry = support_registry();
	CLEANUP(buffer_clear)
	struct buffer bytes = BUFFER_INIT(0);
	CLEANUP(arena_free)
	struct arena *arena = arena_new(4096, 0);
	CLEANUP(codec_free)
	struct codec *codec = NULL;
	struct outcome back;

	(void)state;
	OK(codec_new(registry, &outcome_record, "forecasts.outcomes", &codec, why));
	OK(codec_encode(codec, &classical, &bytes, why));
	OK(codec_decode(codec, buffer_span(&bytes), SPAN_NONE, arena, &back, why));
	assert_null(back.version.ptr);
	assert_null(back.rival.ptr);
	assert_true(isnan(back.model_loss));
	assert_true(isnan(back.rival_loss));
	assert_int_equal(back.n_members, 0);
	assert_false(back.drift);
	assert_int_equal(back.step, 0);
	assert_true(back.scale == 1e-10);
	bytes.len = 0;
	OK(codec_encode(codec, &rivals, &bytes, why));
	OK(codec_decode(codec, buffer_span(&bytes), SPAN_NONE, arena, &back, why));
	assert_true(back.drift);
	assert_true(span_equal(back.rival, SPAN("20240301-1")));
	assert_true(back.rival_loss == 0.25);
	assert_int_equal(back.event_us - back.origin_us, 120000000);
}

/* A byte that is neither false nor true is no boolean. */
static void
a_boolean_is_0_or_1(void **state)
{
	CLEANUP(registry_free)
	struct registry *registry = support_registry();
	CLEANUP(buffer_clear)
	struct buffer bytes = BUFFER_INIT(0), without = BUFFER_INIT(0);
	CLEANUP(arena_free)
	struct arena *arena = arena_new(4096, 0);
	CLEANUP(codec_free)
	struct codec *codec = NULL;
	struct outcome o = rivals, back;
	struct err err = ERR_INIT;
	size_t at = 0;

	(void)state;
	o.drift = false;
	OK(codec_new(registry, &outcome_record, "forecasts.outcomes", &codec, why));
	OK(codec_encode(codec, &rivals, &bytes, why));
	OK(codec_encode(codec, &o, &without, why));
	assert_int_equal(bytes.len, without.len);
	while (bytes.ptr[at] == without.ptr[at])
		at++;
	assert_int_equal(bytes.ptr[at], 1);
	bytes.ptr[at] = 2;
	assert_int_equal(codec_decode(codec, buffer_span(&bytes), SPAN_NONE, arena, &back, &err), -1);
	assert_int_equal(err.reason, REASON_AVRO_DECODE);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + 3];
	size_t n = 0;

	for (; n < ARRAY_LEN(rows); n++)
		tests[n] =
		    (struct CMUnitTest){ rows[n].name, keeps_its_rules, NULL, NULL, (void *)(uintptr_t)&rows[n] };
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(structures_are_examples);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(what_is_not_there_comes_back_so);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(a_boolean_is_0_or_1);
	return _cmocka_run_group_tests("outcome", tests, n, NULL, NULL);
}
