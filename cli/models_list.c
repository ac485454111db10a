/* models_list.c -- `forebay models list`: a row per version. */
#include <math.h>
#include <stdio.h>

#include "cli/columns.h"
#include "cli/models.h"
#include "cli/readable.h"

enum { NAME, VERSION, STATUS, SHARE, CREATED, CUTOFF, WQL, SIZE, COLUMNS };

static const struct column columns[COLUMNS] = {
	[NAME] = { "name", false },  [VERSION] = { "version", false }, [STATUS] = { "status", false },
	[SHARE] = { "share", true }, [CREATED] = { "created", false }, [CUTOFF] = { "cut-off", false },
	[WQL] = { "wql", true },     [SIZE] = { "size", true },
};

/* NaN: it has none. */
static double
figure(const struct model *m, struct span name)
{
	for (size_t i = 0; i < m->n_figures; i++)
		if (span_equal(m->figures[i].name, name))
			return m->figures[i].value;
	return NAN;
}

static void
fill_row(struct models *c, const struct model *m, const char **cells)
{
	double wql = figure(m, SPAN("wql"));
	char text[READABLE_BYTES];

	cells[NAME] = models_text(c, m->name);
	cells[VERSION] = models_text(c, m->version);
	cells[STATUS] = model_status_name(m->status);
	cells[SHARE] = m->status == MODEL_CANARY ? arena_printf(c->arena, "%g", m->canary_share) : NULL;
	cells[CREATED] = models_since(c, m->created_us);
	cells[CUTOFF] = models_since(c, m->to_us);
	cells[WQL] = isnan(wql) ? NULL : arena_printf(c->arena, "%.4g", wql);
	cells[SIZE] = models_text(c, span_of(readable_size((int64_t)m->artefact.len, text)));
}

static int
print_table(struct models *c, const struct model *list, size_t n, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer out = BUFFER_INIT(0);
	const char **cells = arena_alloc(c->arena, (n + 1) * COLUMNS * sizeof(*cells));

	if (n == 0) {
		puts("no models are stored");
		return 0;
	}
	for (size_t i = 0; cells && i < n; i++)
		fill_row(c, &list[i], cells + i * COLUMNS);
	if (!cells || columns_print(columns, COLUMNS, cells, n, &out) < 0)
		return err_set(err, REASON_NO_MEMORY, "table");
	fwrite(out.ptr, 1, out.len, stdout);
	return 0;
}

static json_t *
row_json(struct models *c, const struct model *m)
{
	double wql = figure(m, SPAN("wql"));

	return json_pack("{s:s, s:s, s:s, s:s, s:f, s:s, s:s, s:s, s:s?, s:o, s:I}", "name", models_text(c, m->name),
			 "version", models_text(c, m->version), "family", models_text(c, m->family), "status",
			 model_status_name(m->status), "share", m->canary_share, "created_at",
			 models_time(c, m->created_us), "from", models_time(c, m->from_us), "cutoff",
			 models_time(c, m->to_us), "parent", m->parent.ptr ? models_text(c, m->parent) : NULL, "wql",
			 isnan(wql) ? json_null() : json_real(wql), "bytes", (json_int_t)m->artefact.len);
}

int
models_do_list(struct models *c, struct err *err)
{
	struct span name = *c->options->name ? span_of(c->options->name) : SPAN_NONE;
	struct model *list;
	json_t *rows;
	size_t n;

	if (models_list(c->store, name, c->arena, &list, &n, err) < 0)
		return -1;
	if (!c->options->json)
		return print_table(c, list, n, err);
	rows = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(rows, row_json(c, &list[i]));
	return verb_print_json(json_pack("{s:o}", "models", rows), err);
}
