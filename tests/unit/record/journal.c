/* Journal: which records keep its rules, and what those of its first version are to us. */
#include "common/record/journal.h"

#include <stdlib.h>

#include "common/base/cleanup.h"
#include "common/record/index.h"
#include "common/record/registry.h"
#include "tests/unit/record/support.h"

#define PRIMARY SPAN("telemetry.readings")
#define SIDE SPAN("models")
#define NONE            \
	{               \
		NULL, 0 \
	}
#define VALUE_MAX (4 << 20)

static const struct row {
	const char *name;
	struct journal record;
	const char *text; /* part of the error; NULL: it is taken */
} rows[] = {
	{ "applied", { SPAN("w"), PRIMARY, 1, 70, SIDE, 1, 5, 9, 0, JOURNAL_APPLIED, NONE, NONE }, NULL },
	{ "applied, nothing",
	  { SPAN("w"), PRIMARY, 1, 70, SIDE, 1, 5, 5, 0, JOURNAL_APPLIED, NONE, NONE },
	  "side_from: 5 must be less than side_to, which is 5" },
	{ "applied, with a key",
	  { SPAN("w"), PRIMARY, 1, 70, SIDE, 1, 5, 9, 0, JOURNAL_APPLIED, SPAN("k"), NONE },
	  "key: only a note has one" },
	{ "applied, with a value",
	  { SPAN("w"), PRIMARY, 1, 70, SIDE, 1, 5, 9, 0, JOURNAL_APPLIED, NONE, SPAN("v") },
	  "value: only a note has one" },
	{ "side records skipped", { SPAN("w"), PRIMARY, 1, 70, SIDE, 1, 5, 9, 0, JOURNAL_SKIPPED, NONE, NONE }, NULL },
	{ "primary records skipped",
	  { SPAN("w"), PRIMARY, 1, 70, PRIMARY, 1, 70, 72, 0, JOURNAL_SKIPPED, NONE, NONE },
	  NULL },
	{ "primary records skipped elsewhere",
	  { SPAN("w"), PRIMARY, 1, 70, PRIMARY, 1, 69, 72, 0, JOURNAL_SKIPPED, NONE, NONE },
	  "primary_offset: 70 must be side_from, which is 69" },
	{ "another partition of the primary topic",
	  { SPAN("w"), PRIMARY, 1, 70, PRIMARY, 2, 5, 9, 0, JOURNAL_SKIPPED, NONE, NONE },
	  NULL },
	{ "skipped, backwards",
	  { SPAN("w"), PRIMARY, 1, 70, SIDE, 1, 9, 5, 0, JOURNAL_SKIPPED, NONE, NONE },
	  "side_from: 9 must be less than" },
	{ "noted", { SPAN("w"), PRIMARY, 1, 70, PRIMARY, 1, 70, 71, 0, JOURNAL_NOTED, SPAN("k"), SPAN("v") }, NULL },
	{ "noted: an empty answer to an empty key",
	  { SPAN("w"), PRIMARY, 1, 70, SIDE, 1, 5, 6, 0, JOURNAL_NOTED, SPAN(""), SPAN("") },
	  NULL },
	{ "noted: no answer", { SPAN("w"), PRIMARY, 1, 70, SIDE, 1, 5, 6, 0, JOURNAL_NOTED, SPAN("k"), NONE }, NULL },
	{ "noted: no key",
	  { SPAN("w"), PRIMARY, 1, 70, SIDE, 1, 5, 6, 0, JOURNAL_NOTED, NONE, SPAN("v") },
	  "key: a note needs one" },
	{ "noted: two records",
	  { SPAN("w"), PRIMARY, 1, 70, SIDE, 1, 5, 7, 0, JOURNAL_NOTED, SPAN("k"), SPAN("v") },
	  "side_to: a note is about one record, not 5 to 7" },
};

/* Encoded and decoded, or refused by name. */
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
	struct err err = ERR_INIT;
	struct journal back;

	OK(codec_new(registry, &journal_record, "fleet.journal", &codec, why));
	if (row->text) {
		assert_int_equal(codec_encode(codec, &row->record, &bytes, &err), -1);
		assert_int_equal(err.reason, REASON_RECORD_INVALID);
		assert_non_null(strstr(err.text, row->text));
		return;
	}
	OK(codec_encode(codec, &row->record, &bytes, why));
	OK(codec_decode(codec, buffer_span(&bytes), SPAN_NONE, arena, &back, why));
	assert_int_equal(back.kind, row->record.kind);
	assert_int_equal(!back.key.ptr, !row->record.key.ptr);
	assert_int_equal(!back.value.ptr, !row->record.value.ptr);
	OK(codec_encode(codec, &back, &again, why));
	assert_true(span_equal(buffer_span(&again), buffer_span(&bytes)));
}

/* Four MiB of an answer fit, one byte more does not. */
static void
large_answers(void **state)
{
	CLEANUP(registry_free)
	struct registry *registry = support_registry();
	CLEANUP(buffer_clear)
	struct buffer bytes = BUFFER_INIT(0);
	CLEANUP(codec_free)
	struct codec *codec = NULL;
	CLEANUP(heap_free)
	char *answer = calloc(1, VALUE_MAX + 1);
	struct journal j = {
		SPAN("w"), PRIMARY, 1, 70, SIDE, 1, 5, 6, 0, JOURNAL_NOTED, SPAN("k"), { answer, VALUE_MAX }
	};
	struct err err = ERR_INIT;

	(void)state;
	assert_non_null(answer);
	OK(codec_new(registry, &journal_record, "fleet.journal", &codec, why));
	OK(codec_encode(codec, &j, &bytes, why));
	j.value.len++;
	assert_int_equal(codec_encode(codec, &j, &bytes, &err), -1);
	assert_int_equal(err.reason, REASON_RECORD_INVALID);
	assert_non_null(strstr(err.text, "value"));
}

#define OLD                                                                                              \
	"'worker':'w','topic':'t','partition':3,'primary_offset':7,'side_topic':'s','side_partition':3," \
	"'side_from':10,'side_to':12,'epoch':4"

/* JSON as version VERSION of Journal, as it lies in the topic. */
static void
write_version(struct registry *registry, int version, const char *json, struct buffer *out)
{
	const struct schema_index *index = registry_index(registry);

	for (size_t i = 0; i < index->n_entries; i++) {
		const struct index_entry *e = &index->entries[i];
		char prefix[] = { 0, 0, 0, 0, (char)e->id };

		if (strcmp(e->record, "Journal") != 0 || e->version != version)
			continue;
		buffer_append(out, prefix, sizeof(prefix));
		support_to_avro(e->document->root, json, out);
		return;
	}
	fail_msg("no version %d", version);
}

static void
the_first_version(void **state)
{
	CLEANUP(registry_free)
	struct registry *registry = support_registry();
	CLEANUP(buffer_clear)
	struct buffer bytes = BUFFER_INIT(0);
	CLEANUP(arena_free)
	struct arena *arena = arena_new(4096, 0);
	CLEANUP(codec_free)
	struct codec *codec = NULL;
	struct journal j;

	(void)state;
	write_version(registry, 1, "{" OLD "}", &bytes);
	OK(codec_new(registry, &journal_record, "fleet.journal", &codec, why));
	OK(codec_decode(codec, buffer_span(&bytes), SPAN_NONE, arena, &j, why));
	assert_true(span_equal(j.worker, SPAN("w")));
	assert_int_equal(j.primary_offset, 7);
	assert_int_equal(j.side_from, 10);
	assert_int_equal(j.side_to, 12);
	assert_int_equal(j.epoch, 4);
	assert_int_equal(j.kind, JOURNAL_APPLIED);
	assert_null(j.key.ptr);
	assert_null(j.value.ptr);
}

static void
a_kind_of_a_later_version(void **state)
{
	CLEANUP(registry_free)
	struct registry *registry = support_registry();
	CLEANUP(buffer_clear)
	struct buffer bytes = BUFFER_INIT(0);
	CLEANUP(arena_free)
	struct arena *arena = arena_new(4096, 0);
	CLEANUP(codec_free)
	struct codec *codec = NULL;
	struct err err = ERR_INIT;
	struct journal j;

	(void)state;
	write_version(registry, 2, "{" OLD ",'kind':'undone','key':null,'value':null}", &bytes);
	OK(codec_new(registry, &journal_record, "fleet.journal", &codec, why));
	assert_int_equal(codec_decode(codec, buffer_span(&bytes), SPAN_NONE, arena, &j, &err), -1);
	assert_int_equal(err.reason, REASON_RECORD_INVALID);
	assert_non_null(strstr(err.text, "kind"));
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + 3];
	size_t n = 0;

	for (; n < ARRAY_LEN(rows); n++)
		tests[n] =
		    (struct CMUnitTest){ rows[n].name, keeps_its_rules, NULL, NULL, (void *)(uintptr_t)&rows[n] };
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(large_answers);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(the_first_version);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(a_kind_of_a_later_version);
	return _cmocka_run_group_tests("journal", tests, n, NULL, NULL);
}
