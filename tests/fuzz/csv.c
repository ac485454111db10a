/*
 * csv.c -- the first byte chooses a form, the rest is a file.  Every record takes some of it and no more than there is, its
 * fields can be read, and one that is whole does not change with what comes behind it.
 */
#include "cli/csv.h"
#include "tests/fuzz/target.h"

static const struct csv_format formats[] = {
	{ .delimiter = ',' },
	{ .delimiter = ',', .comment = '#', .trim = true },
	{ .delimiter = ';', .trim = true },
	{ .delimiter = '\t', .comment = '%' },
	{ .delimiter = ' ' },
};
static struct csv_record whole, early;

static uint8_t
read_fields(const struct csv_record *r)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < r->n_fields; i++)
		for (size_t k = 0; k < r->fields[i].len; k++)
			sum = (uint8_t)(sum + (uint8_t)r->fields[i].ptr[k]);
	return sum;
}

static void
compare(enum csv_kind kind, enum csv_kind before)
{
	if (before != kind || early.taken != whole.taken || early.lines != whole.lines)
		target_broken("a record is another one with more text behind it");
	if (kind == CSV_ROW && (early.n_fields != whole.n_fields || read_fields(&early) != read_fields(&whole)))
		target_broken("a row has other fields with more text behind it");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct csv_format *format;
	struct span text = { (const char *)data + 1, size - 1 };

	if (size == 0)
		return 0;
	format = &formats[data[0] % (sizeof(formats) / sizeof(formats[0]))];
	while (text.len > 0) {
		enum csv_kind kind = csv_scan(format, text, true, &whole),
			      before = csv_scan(format, text, false, &early);

		if (kind == CSV_MORE)
			target_broken("more than all");
		if (whole.taken == 0 || whole.taken > text.len || whole.lines == 0 || whole.line.len > whole.taken)
			target_broken("what a record takes");
		if (before != CSV_MORE)
			compare(kind, before);
		text = (struct span){ text.ptr + whole.taken, text.len - whole.taken };
	}
	buffer_clear(&whole.quoted);
	buffer_clear(&early.quoted);
	return 0;
}
