/* report_detection.c -- what was called strange, by whom, and in which words; groups beside single series. */
#include <inttypes.h>
#include <stdio.h>

#include "common/base/progress.h"
#include "cli/report.h"

#define LAST_SHOWN 3

static int64_t
whole(struct rows *rows, size_t column)
{
	return rows_int(rows, 0, column);
}

/* One row of numbers: of all, of groups, accepted levels; then who minded most. */
static int
take(struct report *r, struct rows **sums, struct rows **detectors, struct rows **last, struct err *err)
{
	static const char sums_sql[] =
	    "SELECT count(*) FILTER (WHERE kind = 'onset'), "
	    "count(*) FILTER (WHERE kind = 'onset' AND metric LIKE 'group:%'), "
	    "count(*) FILTER (WHERE kind = 'shift_accepted'), "
	    "(SELECT count(*) FROM forebay.alerts WHERE metric LIKE 'group:%') FROM forebay.anomalies";
	static const char detectors_sql[] =
	    "SELECT detector, count(*) FROM forebay.anomalies WHERE kind = 'onset' GROUP BY 1 ORDER BY 2 DESC, 1";
	static const char last_sql[] = "SELECT device, reason FROM forebay.anomalies WHERE kind = 'onset' "
				       "ORDER BY event_time DESC, device, metric LIMIT $1";
	const struct param params[] = { PARAM_INT(LAST_SHOWN) };

	return store_query(r->store, sums_sql, NULL, 0, sums, err) < 0 ||
		       store_query(r->store, detectors_sql, NULL, 0, detectors, err) < 0 ||
		       store_query(r->store, last_sql, params, ARRAY_LEN(params), last, err) < 0
		   ? -1
		   : 0;
}

static void
print(const struct report *r, struct rows *sums, struct rows *detectors, struct rows *last)
{
	char onsets[32];

	report_heading(r, "What was called strange");
	printf("  %s anomalies, %" PRId64 " of them of groups (%" PRId64 " alerts); %" PRId64 " new levels accepted\n",
	       progress_number(whole(sums, 0), onsets), whole(sums, 1), whole(sums, 3), whole(sums, 2));
	for (size_t i = 0; i < rows_count(detectors); i++)
		printf("%s%.*s %" PRId64, i ? ", " : "  minded most by: ", SPAN_ARG(rows_text(detectors, i, 0)),
		       rows_int(detectors, i, 1));
	if (rows_count(detectors))
		puts("");
	for (size_t i = 0; i < rows_count(last); i++)
		printf("    %.*s: %.*s\n", SPAN_ARG(rows_text(last, i, 0)), SPAN_ARG(rows_text(last, i, 1)));
}

static json_t *
detection_json(struct rows *sums, struct rows *detectors)
{
	json_t *by = json_object();

	for (size_t i = 0; i < rows_count(detectors); i++) {
		struct span name = rows_text(detectors, i, 0);

		json_object_setn_new(by, name.ptr, name.len, json_integer(rows_int(detectors, i, 1)));
	}
	return json_pack("{s:I, s:I, s:I, s:I, s:o}", "anomalies", (json_int_t)whole(sums, 0), "of_groups",
			 (json_int_t)whole(sums, 1), "shifts_accepted", (json_int_t)whole(sums, 2), "alerts_of_groups",
			 (json_int_t)whole(sums, 3), "detectors", by);
}

int
report_detection(struct report *r, json_t *result, struct err *err)
{
	CLEANUP(rows_free) struct rows *sums = NULL, *detectors = NULL, *last = NULL;

	if (take(r, &sums, &detectors, &last, err) < 0)
		return -1;
	if (r->options->json)
		json_object_set_new(result, "detection", detection_json(sums, detectors));
	else
		print(r, sums, detectors, last);
	return 0;
}
