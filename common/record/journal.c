/* journal.c -- Journal as a table. */
#include "common/record/journal.h"

#include <inttypes.h>

#include "common/record/rules.h"
#include "common/record/type.h"

#define KEY_BYTES NOTE_BYTES
#define VALUE_BYTES (4 << 20)

static const char *const kind_names[JOURNAL_KIND_COUNT] = { "applied", "skipped", "noted" };

/* A re-fold that does not know what happened would come out wrong: a kind of a later version is refused. */
static const struct codes kinds = { kind_names, JOURNAL_KIND_COUNT, -1 };

static const struct field fields[] = {
	{ "worker", FIELD_TEXT, AT(struct journal, worker), LENGTH(1, LABEL_BYTES) },
	{ "topic", FIELD_TEXT, AT(struct journal, topic), LENGTH(1, LABEL_BYTES) },
	{ "partition", FIELD_INT, AT(struct journal, partition), LENGTH(0, INT32_MAX) },
	{ "primary_offset", FIELD_LONG, AT(struct journal, primary_offset), LENGTH(0, INT64_MAX) },
	{ "side_topic", FIELD_TEXT, AT(struct journal, side_topic), LENGTH(1, LABEL_BYTES) },
	{ "side_partition", FIELD_INT, AT(struct journal, side_partition), LENGTH(0, INT32_MAX) },
	{ "side_from", FIELD_LONG, AT(struct journal, side_from), LENGTH(0, INT64_MAX) },
	{ "side_to", FIELD_LONG, AT(struct journal, side_to), LENGTH(0, INT64_MAX) },
	{ "epoch", FIELD_LONG, AT(struct journal, epoch), LENGTH(0, INT64_MAX) },
	{ "kind", FIELD_CODE, AT(struct journal, kind), .codes = &kinds },
	{ "key", FIELD_OPTIONAL_BYTES, AT(struct journal, key), LENGTH(0, KEY_BYTES) },
	{ "value", FIELD_OPTIONAL_BYTES, AT(struct journal, value), LENGTH(0, VALUE_BYTES) },
};

static const struct shape shape = SHAPE(fields, struct journal, 12);

static int
check_note(const struct journal *j, struct err *err)
{
	if (!j->key.ptr)
		return err_set(err, REASON_RECORD_INVALID, "key: a note needs one");
	if (j->side_to - j->side_from != 1)
		return err_set(err, REASON_RECORD_INVALID,
			       "side_to: a note is about one record, not %" PRId64 " to %" PRId64, j->side_from,
			       j->side_to);
	return 0;
}

static int
check(const void *record, struct err *err)
{
	const struct journal *j = record;

	if (rules_order("side_from", j->side_from, NOT_EQUAL, "side_to", j->side_to, err) < 0)
		return -1;
	if (j->kind == JOURNAL_NOTED)
		return check_note(j, err);
	if (j->key.ptr || j->value.ptr)
		return err_set(err, REASON_RECORD_INVALID, "%s: only a note has one", j->key.ptr ? "key" : "value");
	if (j->kind == JOURNAL_SKIPPED && j->side_partition == j->partition && span_equal(j->side_topic, j->topic) &&
	    j->primary_offset != j->side_from)
		return err_set(err, REASON_RECORD_INVALID,
			       "primary_offset: %" PRId64 " must be side_from, which is %" PRId64
			       ", where primary records were skipped",
			       j->primary_offset, j->side_from);
	return 0;
}

const struct record_type journal_record = { "Journal", &shape, check };
