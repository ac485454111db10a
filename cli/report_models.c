/*
 * report_models.c -- who forecast, and how well: for each version of each model, and for forecasts without one, how many forecasts it
 * served and what they lost.  Losses are of the outcomes, mean pinball loss over the levels divided by the series' scale; the naive
 * loss is what the best naive member of the same forecasts would have lost.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/columns.h"
#include "cli/endpoint.h"
#include "cli/exposition.h"
#include "common/base/progress.h"
#include "cli/report.h"

#define VERSION_SHOWN 10

static const char sql[] =
    "WITH served AS (SELECT coalesce(version, '') AS version, count(*) AS forecasts FROM forebay.forecasts GROUP BY 1), "
    "naive AS (SELECT device, metric, event_time, origin_time, min(l) AS loss FROM forebay.outcomes, "
    "LATERAL unnest(members, losses) AS m(name, l) WHERE name IN ('last', 'season', 'long-season') GROUP BY 1, 2, 3, 4), "
    "lost AS (SELECT coalesce(o.version, '') AS version, count(*) AS outcomes, avg(o.loss) AS loss, avg(o.model_loss) AS "
    "model_loss, avg(n.loss) AS naive, count(*) FILTER (WHERE drift) AS drifts, "
    "avg((o.value BETWEEN o.lower AND o.upper)::int) AS inside FROM forebay.outcomes o LEFT JOIN naive n "
    "USING (device, metric, event_time, origin_time) GROUP BY 1) "
    "SELECT coalesce(m.name, ''), served.version, coalesce(m.status, ''), served.forecasts, coalesce(lost.outcomes, 0), lost.loss, "
    "lost.model_loss, lost.naive, lost.inside, coalesce(lost.drifts, 0) FROM served LEFT JOIN lost USING (version) "
    "LEFT JOIN forebay.models m ON m.version = served.version ORDER BY served.version = '' DESC, m.created_us";

enum { NAME, VERSION, STATUS, FORECASTS, OUTCOMES, LOSS, MODEL_LOSS, NAIVE, INSIDE, DRIFTS };
enum { COLUMNS = 7 };

static json_t *
real_json(const struct rows *rows, size_t row, size_t column)
{
	double x = rows_null(rows, row, column) ? NAN : rows_real(rows, row, column);

	return isfinite(x) ? json_real(x) : json_null();
}

static int
take(const struct rows *rows, json_t *models, struct err *err)
{
	for (size_t i = 0; i < rows_count(rows); i++) {
		struct span name = rows_text(rows, i, NAME), version = rows_text(rows, i, VERSION),
			    status = rows_text(rows, i, STATUS);
		json_t *one =
		    json_pack("{s:s%, s:s%, s:s%, s:I, s:I, s:I, s:o, s:o, s:o, s:o}", "name", name.ptr, name.len,
			      "version", version.ptr, version.len, "status", status.ptr, status.len, "forecasts",
			      (json_int_t)rows_int(rows, i, FORECASTS), "outcomes",
			      (json_int_t)rows_int(rows, i, OUTCOMES), "drifts", (json_int_t)rows_int(rows, i, DRIFTS),
			      "loss", real_json(rows, i, LOSS), "model_loss", real_json(rows, i, MODEL_LOSS),
			      "naive_loss", real_json(rows, i, NAIVE), "inside", real_json(rows, i, INSIDE));

		if (!one || json_array_append_new(models, one) < 0)
			return err_set(err, REASON_NO_MEMORY, "report");
	}
	return 0;
}

static const char *
loss_text(struct report *r, const struct rows *rows, size_t row, size_t column)
{
	return rows_null(rows, row, column) ? NULL : arena_printf(r->arena, "%.4f", rows_real(rows, row, column));
}

static int
print(struct report *r, const struct rows *rows, struct err *err)
{
	static const struct column titles[COLUMNS] = { { "  forecast by", false }, { "standing", false },
						       { "forecasts", true },      { "outcomes", true },
						       { "loss", true },           { "model alone", true },
						       { "naive", true } };
	size_t n = rows_count(rows);
	const char **cells = arena_zalloc(r->arena, (n + 1) * COLUMNS * sizeof(*cells));
	CLEANUP(buffer_clear)
	struct buffer out = BUFFER_INIT(0);
	char number[32];

	if (!cells)
		return err_set(err, REASON_NO_MEMORY, "report");
	for (size_t i = 0; i < n; i++) {
		struct span version = rows_text(rows, i, VERSION), name = rows_text(rows, i, NAME),
			    status = rows_text(rows, i, STATUS);
		const char **row = cells + i * COLUMNS;

		row[0] = version.len
			     ? arena_printf(r->arena, "  %.*s %.*s", SPAN_ARG(name),
					    version.len < VERSION_SHOWN ? (int)version.len : VERSION_SHOWN, version.ptr)
			     : "  classical members";
		row[1] = status.len ? arena_printf(r->arena, "%.*s", SPAN_ARG(status)) : NULL;
		row[2] = arena_printf(r->arena, "%s", progress_number(rows_int(rows, i, FORECASTS), number));
		row[3] = arena_printf(r->arena, "%s", progress_number(rows_int(rows, i, OUTCOMES), number));
		row[4] = loss_text(r, rows, i, LOSS);
		row[5] = loss_text(r, rows, i, MODEL_LOSS);
		row[6] = loss_text(r, rows, i, NAIVE);
	}
	if (columns_print(titles, COLUMNS, cells, n, &out) < 0)
		return err_set(err, REASON_NO_MEMORY, "report");
	report_heading(r, "Models");
	printf("%.*s", SPAN_ARG(buffer_span(&out)));
	return 0;
}

/* How often the scorer has a forecast at hand when a value comes; NaN: nobody says. */
static double
hit_ratio(struct report *r, struct err *err)
{
	struct endpoint *e;
	double ratio = NAN;
	size_t n;

	if (endpoints_parse(r->options->workers, r->arena, &e, &n, err) < 0)
		return NAN;
	for (size_t i = 0; i < n; i++) {
		CLEANUP(buffer_clear)
		struct buffer text = BUFFER_INIT(ENDPOINT_METRICS_MAX);

		if (strcmp(e[i].name, "realtime-scorer") == 0 && endpoint_get(&e[i], "/metrics", &text, NULL) == 0)
			ratio = exposition_value(buffer_span(&text), "forebay_cache_hit_ratio");
	}
	return ratio;
}

int
report_models(struct report *r, json_t *result, struct err *err)
{
	CLEANUP(rows_free)
	struct rows *rows = NULL;
	json_t *models = json_array();
	double ratio = hit_ratio(r, NULL);

	if (!models || json_object_set_new(result, "models", models) < 0 ||
	    json_object_set_new(result, "cache_hit_ratio", isfinite(ratio) ? json_real(ratio) : json_null()) < 0)
		return err_set(err, REASON_NO_MEMORY, "report");
	if (store_query(r->store, sql, NULL, 0, &rows, err) < 0 || take(rows, models, err) < 0)
		return -1;
	if (r->options->json || rows_count(rows) == 0)
		return 0;
	if (print(r, rows, err) < 0)
		return -1;
	if (isfinite(ratio))
		printf("  of the newest readings %.1f %% had a forecast held for them when they came\n", ratio * 100);
	return 0;
}
