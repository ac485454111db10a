/* labels.c -- the file of anomaly.h, read back. */
#include <stdlib.h>
#include <string.h>

#include "cli/anomaly.h"
#include "cli/csv.h"
#include "cli/input.h"
#include "cli/moments.h"

#define MAX_LABELS 100000

static const struct csv_format commas = { .delimiter = ',', .trim = true };

/* The next record: 1, 0 at the end, -1. */
static int
next(struct input *in, struct csv_record *record, int64_t *line, struct err *err)
{
	for (;;) {
		struct span w = input_window(in);
		enum csv_kind kind = w.len ? csv_scan(&commas, w, input_at_end(in), record) : CSV_MORE;

		if (w.len == 0 && input_at_end(in))
			return 0;
		if (kind == CSV_MORE) {
			if (input_more(in, err) < 0)
				return -1;
			continue;
		}
		input_skip(in, record->taken);
		*line += (int64_t)record->lines;
		if (kind == CSV_ROW && record->n_fields == 5)
			return 1;
		if (kind != CSV_BLANK)
			return err_set(err, REASON_FILE_INVALID, "%s:%lld: not device,metric,from,to,kind",
				       input_name(in), (long long)*line);
	}
}

static int
read_moment(struct span text, int64_t *us, struct err *err)
{
	char copy[64];

	snprintf(copy, sizeof(copy), "%.*s", SPAN_ARG(text));
	return moment_parse(copy, us, err);
}

static int
add(struct anomaly_labels *l, const struct csv_record *record, struct err *err)
{
	struct anomaly_label *items = realloc(l->items, (l->n + 1) * sizeof(*items)), *item;

	if (!items || l->n == MAX_LABELS)
		return err_set(err, REASON_NO_MEMORY, "more than %d labels", MAX_LABELS);
	l->items = items;
	item = &items[l->n++];
	*item = (struct anomaly_label){ strndup(record->fields[0].ptr, record->fields[0].len),
					strndup(record->fields[1].ptr, record->fields[1].len), 0, 0, "" };
	snprintf(item->kind, sizeof(item->kind), "%.*s", SPAN_ARG(record->fields[4]));
	if (!item->device || !item->metric)
		return err_set(err, REASON_NO_MEMORY, "labels");
	if (read_moment(record->fields[2], &item->from_us, err) < 0 ||
	    read_moment(record->fields[3], &item->to_us, err) < 0) {
		if (err)
			err->reason = REASON_FILE_INVALID;
		return -1;
	}
	return 0;
}

static int
read_all(struct input *in, struct csv_record *record, struct anomaly_labels *l, struct err *err)
{
	int64_t line = 0;
	int got = next(in, record, &line, err);

	if (got == 0 || (got > 0 && !span_equal(record->fields[0], SPAN("device"))))
		return err_set(err, REASON_FILE_INVALID, "%s:1: the header device,metric,from,to,kind is missing",
			       input_name(in));
	while (got > 0 && (got = next(in, record, &line, err)) > 0)
		if (add(l, record, err) < 0)
			return err_wrap(err, "%s:%lld", input_name(in), (long long)line);
	return got;
}

int
anomaly_labels_read(const char *path, struct anomaly_labels **ret, struct err *err)
{
	CLEANUP(input_close)
	struct input *in = NULL;
	CLEANUP(anomaly_labels_free)
	struct anomaly_labels *l = calloc(1, sizeof(*l));
	struct csv_record *record = calloc(1, sizeof(*record));
	int failed = -1;

	if (!l || !record)
		err_set(err, REASON_NO_MEMORY, "labels");
	else if (input_open(path, &in, err) == 0)
		failed = read_all(in, record, l, err);
	if (record)
		buffer_clear(&record->quoted);
	free(record);
	if (failed)
		return -1;
	*ret = TAKE(l);
	return 0;
}

void
anomaly_labels_free(struct anomaly_labels *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->n; i++) {
		free(l->items[i].device);
		free(l->items[i].metric);
	}
	free(l->items);
	free(l);
}
