/* report_deliveries.c -- who was told of the alerts, and how fast.  Nothing is said where no notifier has run. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "cli/columns.h"
#include "common/base/progress.h"
#include "cli/report.h"

static const char sql[] =
    "SELECT receiver, count(*) FILTER (WHERE state = 'delivered'), count(*) FILTER (WHERE state = 'pending'), "
    "count(*) FILTER (WHERE state IN ('refused', 'dead')), count(*) FILTER (WHERE attempts > 1), "
    "(percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM delivered_at - stored_at)) "
    "FILTER (WHERE state = 'delivered'))::float8 FROM forebay.deliveries GROUP BY 1 ORDER BY 1";

enum { RECEIVER, DELIVERED, PENDING, GIVEN_UP, REPEATED, MEDIAN, COLUMNS };

static json_t *
receivers_json(const struct rows *rows)
{
	json_t *all = json_array();

	for (size_t i = 0; i < rows_count(rows); i++) {
		struct span name = rows_text(rows, i, RECEIVER);
		double median = rows_real(rows, i, MEDIAN);

		json_array_append_new(all, json_pack("{s:s%, s:I, s:I, s:I, s:I, s:o}", "receiver", name.ptr, name.len,
						     "delivered", (json_int_t)rows_int(rows, i, DELIVERED), "pending",
						     (json_int_t)rows_int(rows, i, PENDING), "given_up",
						     (json_int_t)rows_int(rows, i, GIVEN_UP), "repeated",
						     (json_int_t)rows_int(rows, i, REPEATED), "median_seconds",
						     isfinite(median) ? json_real(median) : json_null()));
	}
	return all;
}

static int
print(struct report *r, const struct rows *rows, struct err *err)
{
	static const struct column titles[COLUMNS] = { { "  receiver", false }, { "delivered", true },
						       { "pending", true },     { "given up", true },
						       { "repeated", true },    { "half within", true } };
	size_t n = rows_count(rows);
	const char **cells = arena_zalloc(r->arena, (n + 1) * COLUMNS * sizeof(*cells));
	CLEANUP(buffer_clear)
	struct buffer out = BUFFER_INIT(0);
	char number[32];

	if (!cells)
		return err_set(err, REASON_NO_MEMORY, "report");
	for (size_t i = 0; i < n; i++) {
		const char **row = cells + i * COLUMNS;

		row[RECEIVER] = arena_printf(r->arena, "  %.*s", SPAN_ARG(rows_text(rows, i, RECEIVER)));
		for (int k = DELIVERED; k <= REPEATED; k++)
			row[k] = arena_printf(r->arena, "%s", progress_number(rows_int(rows, i, k), number));
		if (!rows_null(rows, i, MEDIAN))
			row[MEDIAN] = arena_printf(r->arena, "%.3g s", rows_real(rows, i, MEDIAN));
	}
	if (columns_print(titles, COLUMNS, cells, n, &out) < 0)
		return err_set(err, REASON_NO_MEMORY, "report");
	report_heading(r, "Alerts told");
	printf("%.*s", SPAN_ARG(buffer_span(&out)));
	return 0;
}

int
report_deliveries(struct report *r, json_t *result, struct err *err)
{
	CLEANUP(rows_free)
	struct rows *rows = NULL;

	if (store_query(r->store, sql, NULL, 0, &rows, err) < 0)
		return -1;
	if (rows_count(rows) == 0)
		return 0;
	if (!r->options->json)
		return print(r, rows, err);
	json_object_set_new(result, "deliveries", receivers_json(rows));
	return 0;
}
