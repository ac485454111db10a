/* feed_rows.c -- the csv format: a record becomes a flat object. */
#include "cli/feed_private.h"

int
rows_next(struct feed *f, struct feed_message *ret, struct err *err)
{
	const struct csv_record *r = f->record;
	int kind = feed_record(f, err), bad = 0;

	if (kind == CSV_ROW && !f->columns) {
		if (feed_columns(f, NULL, err) < 0)
			return -1;
		kind = feed_record(f, err);
	}
	if (kind <= 0)
		return kind;
	if (kind == CSV_BROKEN || r->n_fields != f->n_columns)
		return feed_malformed(f, ret, err);
	f->value.len = 0;
	for (size_t i = 0; i < f->n_columns; i++)
		bad |= buffer_text(&f->value, i ? "," : "{") | feed_json_text(&f->value, f->columns[i]) |
		       buffer_text(&f->value, ":") | feed_json_text(&f->value, r->fields[i]);
	if (bad)
		return err_set(err, REASON_NO_MEMORY, "%s: line %lld", input_name(f->input),
			       (long long)f->counts.lines);
	return feed_finish(f, f->device < f->n_columns ? r->fields[f->device] : SPAN_NONE, ret, err);
}
