/*
 * fold.c -- records come back in the order in which they were processed, whatever the streams do.
 *
 * The streams are scripts: each says what it holds, and "not yet" as often as the test wants.
 */
#include "common/worker/fold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/random.h"
#include "common/worker/internal.h"

#define SOURCES 3 /* the primary input, a side input, the journal */

struct reader {
	struct stream {
		const char *topic;
		int64_t offsets[16];
		struct buffer values[16];
		size_t n, at;
	} streams[SOURCES];
	unsigned hesitation; /* of eight peeks so many say "nothing yet" */
	unsigned peeks;
};

enum reader_event
reader_peek(struct reader *r, size_t i, int timeout_ms, struct consumed *ret, struct err *err)
{
	struct stream *s = &r->streams[i];

	(void)timeout_ms, (void)err;
	if (random_u64(r->hesitation, 0, ++r->peeks) % 8 < r->hesitation)
		return READER_NOTHING;
	if (s->at == s->n)
		return READER_END;
	*ret = (struct consumed){ .topic = s->topic,
				  .offset = s->offsets[s->at],
				  .value = buffer_span(&s->values[s->at]) };
	return READER_RECORD;
}

void
reader_pop(struct reader *r, size_t i)
{
	r->streams[i].at++;
}

struct span
consumed_header(const void *message, const char *name)
{
	(void)message, (void)name;
	return SPAN_NONE;
}

/* ---- a worker that reads "p" with the side input "s" ---- */

int
journal_source(const struct worker *w, struct span topic)
{
	(void)w;
	return span_equal(topic, SPAN("p")) ? 0 : span_equal(topic, SPAN("s")) ? 1 : -1;
}

static char primary_name[] = "p";
static char *topics[] = { primary_name };

struct bench {
	struct worker w;
	struct reader reader;
	struct fold fold;
	char order[400]; /* "p0 s3 p1! ...": ! is skipped */
};

static void
begin(struct bench *b)
{
	const char *schemas = getenv("FOREBAY_SCHEMA_DIR");
	struct err err = ERR_INIT;

	*b = (struct bench){ .w = { .topics = topics, .n_topics = 1 },
			     .reader = {
				 .streams = { { .topic = "p" }, { .topic = "s" }, { .topic = JOURNAL_TOPIC } } } };
	if (registry_new("file:", schemas ? schemas : "schemas", &b->w.registry, &err) < 0 ||
	    codec_new(b->w.registry, &journal_record, JOURNAL_TOPIC, &b->w.journal, &err) < 0)
		fail_msg("%s", err.text);
	b->fold = (struct fold){ .w = &b->w,
				 .reader = &b->reader,
				 .n_sources = SOURCES,
				 .group = SPAN("g"),
				 .end = 100,
				 .sides_end = true };
	assert_int_equal(fold_init(&b->fold, &err), 0);
}

static void
end(struct bench *b)
{
	fold_clear(&b->fold);
	codec_free(b->w.journal);
	registry_free(b->w.registry);
	for (size_t i = 0; i < SOURCES; i++)
		for (size_t k = 0; k < b->reader.streams[i].n; k++)
			buffer_clear(&b->reader.streams[i].values[k]);
}

static void
records(struct bench *b, size_t source, int64_t from, int64_t to)
{
	struct stream *s = &b->reader.streams[source];

	for (int64_t offset = from; offset < to; offset++)
		s->offsets[s->n++] = offset;
}

static void
journal(struct bench *b, const char *group, enum journal_kind kind, const char *topic, int64_t primary, int64_t from,
	int64_t to, const char *note)
{
	struct stream *s = &b->reader.streams[SOURCES - 1];
	const struct journal j = {
		.worker = span_of(group),
		.topic = SPAN("p"),
		.primary_offset = primary,
		.side_topic = span_of(topic),
		.side_from = from,
		.side_to = to,
		.kind = kind,
		.key = note ? SPAN("k") : SPAN_NONE,
		.value = note ? span_of(note) : SPAN_NONE,
	};
	struct err err = ERR_INIT;

	s->offsets[s->n] = (int64_t)s->n;
	if (codec_encode(b->w.journal, &j, &s->values[s->n++], &err) < 0)
		fail_msg("%s", err.text);
}

static const char *
run(struct bench *b)
{
	struct err err = ERR_INIT;
	struct fold_record r;

	for (;;)
		switch (fold_peek(&b->fold, 0, &r, &err)) {
		case FOLD_RECORD: {
			struct span note = fold_note(&b->fold, r.source, r.record.offset, SPAN("k"));
			size_t at = strlen(b->order);

			snprintf(b->order + at, sizeof(b->order) - at, "%s%s%lld%s%.*s", at ? " " : "", r.record.topic,
				 (long long)r.record.offset, r.skipped ? "!" : "", SPAN_ARG(note));
			fold_pop(&b->fold, &r);
			break;
		}
		case FOLD_END: assert_true(b->fold.ended); return b->order;
		case FOLD_NOTHING: break;
		case FOLD_TROUBLE: fail_msg("%s", err.text);
		}
}

/* ---- facts ---- */

static void
as_the_journal_says(void **state)
{
	(void)state;
	for (unsigned hesitation = 0; hesitation < 6; hesitation++) {
		struct bench b;

		begin(&b);
		b.reader.hesitation = hesitation;
		records(&b, 0, 0, 6);
		records(&b, 1, 0, 5);
		journal(&b, "g", JOURNAL_APPLIED, "s", 0, 0, 1, NULL);     /* before the first */
		journal(&b, "g", JOURNAL_APPLIED, "s", 3, 1, 3, NULL);     /* two at once */
		journal(&b, "other", JOURNAL_APPLIED, "s", 3, 3, 5, NULL); /* not ours */
		journal(&b, "g", JOURNAL_SKIPPED, "p", 4, 4, 5, NULL);
		journal(&b, "g", JOURNAL_SKIPPED, "s", 6, 3, 4, NULL);
		journal(&b, "g", JOURNAL_APPLIED, "s", 6, 4, 5, NULL); /* after the last */
		assert_string_equal(run(&b), "s0 p0 p1 p2 s1 s2 p3 p4! p5 s3! s4");
		assert_int_equal(b.fold.unjournaled, 0);
		end(&b);
	}
}

static void
entries_from_before_the_frontier(void **state)
{
	struct bench b;

	(void)state;
	begin(&b);
	records(&b, 0, 10, 12);
	records(&b, 1, 7, 8);
	journal(&b, "g", JOURNAL_SKIPPED, "p", 2, 2, 3, NULL);
	journal(&b, "g", JOURNAL_APPLIED, "s", 4, 0, 7, NULL);
	journal(&b, "g", JOURNAL_APPLIED, "s", 11, 7, 8, NULL);
	assert_string_equal(run(&b), "p10 s7 p11");
	end(&b);
}

static void
offsets_have_holes(void **state)
{
	struct bench b;

	(void)state;
	begin(&b);
	records(&b, 0, 3, 4);
	records(&b, 0, 8, 9); /* markers of transactions lie between */
	records(&b, 1, 5, 6);
	records(&b, 1, 9, 10);
	journal(&b, "g", JOURNAL_APPLIED, "s", 4, 5, 10, NULL);
	assert_string_equal(run(&b), "p3 s5 s9 p8");
	end(&b);
}

static void
notes_are_recalled_where_they_were_made(void **state)
{
	struct bench b;

	(void)state;
	begin(&b);
	records(&b, 0, 0, 3);
	records(&b, 1, 0, 2);
	journal(&b, "g", JOURNAL_NOTED, "p", 1, 1, 2, "-first");
	journal(&b, "g", JOURNAL_APPLIED, "s", 2, 0, 1, NULL);
	journal(&b, "g", JOURNAL_NOTED, "s", 2, 1, 2, "-old");
	journal(&b, "g", JOURNAL_NOTED, "s", 2, 1, 2, "-side"); /* the call was repeated: the later answer counts */
	journal(&b, "g", JOURNAL_APPLIED, "s", 2, 1, 2, NULL);
	assert_string_equal(run(&b), "p0 p1-first s0 s1-side p2");
	assert_int_equal(map_count(b.fold.notes), 0);
	end(&b);
}

static void
without_a_journal_sides_come_last(void **state)
{
	struct bench b;

	(void)state;
	begin(&b);
	records(&b, 0, 0, 2);
	records(&b, 1, 0, 2);
	assert_string_equal(run(&b), "p0 p1 s0 s1");
	assert_int_equal(b.fold.unjournaled, 2);
	end(&b);
}

/* A bounded run that knows no ends of its sides: what was applied at its end or behind it is not its business. */
static void
a_plan_ends_with_its_primary_input(void **state)
{
	struct bench b;

	(void)state;
	begin(&b);
	b.fold.end = 2;
	b.fold.sides_end = false;
	records(&b, 0, 0, 2);
	records(&b, 1, 0, 3);
	journal(&b, "g", JOURNAL_APPLIED, "s", 1, 0, 1, NULL);
	journal(&b, "g", JOURNAL_APPLIED, "s", 2, 1, 2, NULL);
	assert_string_equal(run(&b), "p0 s0 p1");
	end(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_the_journal_says),
		cmocka_unit_test(entries_from_before_the_frontier),
		cmocka_unit_test(offsets_have_holes),
		cmocka_unit_test(notes_are_recalled_where_they_were_made),
		cmocka_unit_test(without_a_journal_sides_come_last),
		cmocka_unit_test(a_plan_ends_with_its_primary_input),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
