/* journal.c -- Journal as a table. */
#include "common/record/journal.h"

#include "common/record/rules.h"
#include "common/record/type.h"

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
};

static const struct shape shape = SHAPE(fields, struct journal, 9);

static int
check(const void *record, struct err *err)
{
	const struct journal *j = record;

	return rules_order("side_from", j->side_from, NOT_EQUAL, "side_to", j->side_to, err);
}

const struct record_type journal_record = { "Journal", &shape, check };
