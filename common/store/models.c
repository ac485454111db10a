/*
 * models.c -- adding and reading versions.  An artefact is read by itself and in binary form: lists never carry it, and its
 * length stands in for it.  Figures come as rows of their own, folded here, so that no JSON is parsed.
 */
#include "common/store/models.h"

#include "common/store/models_private.h"

#define ARRAY_MAX_BYTES ((size_t)1 << 20)

/* ---- statuses ---- */

struct span
models_status_text(enum model_status s)
{
	return span_of(model_status_name(s));
}

enum model_status
models_status_of(struct span text)
{
	for (int s = 0; s < MODEL_STATUS_COUNT; s++)
		if (span_equal(text, models_status_text((enum model_status)s)))
			return (enum model_status)s;
	return MODEL_UNKNOWN;
}

int
models_end(struct store *s, int failed, struct err *err)
{
	if (!failed)
		return store_commit(s, err);
	store_rollback(s);
	return -1;
}

int
models_note(struct store *s, struct span name, struct span version, struct span from, enum model_status to,
	    bool rolled_back, const char *why, struct err *err)
{
	const struct param params[] = { PARAM_TEXT(name),
					PARAM_TEXT(version),
					PARAM_TEXT(from),
					PARAM_TEXT(models_status_text(to)),
					PARAM_TEXT(span_of(rolled_back ? "t" : "f")),
					PARAM_TEXT(span_of(why)) };

	return store_query(
	    s,
	    "INSERT INTO forebay.model_changes (name, version, from_status, to_status, rolled_back, why, "
	    "changed_us) VALUES ($1, $2, $3, $4, $5::boolean, $6, " MODELS_NOW ")",
	    params, ARRAY_LEN(params), NULL, err);
}

/* ---- adding ---- */

static const char insert_sql[] =
    "INSERT INTO forebay.models (name, version, family, status, created_us, from_us, to_us, parent, figures, artefact, "
    "sha256, changed_us) SELECT $1, $2, $3, 'candidate', $4, $5, $6, $7, coalesce((SELECT jsonb_object_agg(k, v) "
    "FROM unnest($8::text[], $9::float8[]) AS f (k, v)), '{}'), $10::bytea, sha256($10::bytea), " MODELS_NOW
    " ON CONFLICT (name, version) DO NOTHING";

/* The figures as two arrays; the shortest decimals that read back as the same numbers. */
static int
put_figures(const struct model *m, struct buffer *names, struct buffer *values, struct err *err)
{
	int bad = 0;

	for (size_t i = 0; i < m->n_figures; i++) {
		bad |= query_array_text(names, m->figures[i].name);
		bad |= buffer_text(values, i == 0 ? "{" : ",") | buffer_json_number(values, m->figures[i].value);
	}
	bad |= query_array_end(names) | query_array_end(values);
	return bad ? err_set(err, REASON_NO_MEMORY, "figures of a model") : 0;
}

static int
insert(struct store *s, const struct model *m, bool *added, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer names = BUFFER_INIT(ARRAY_MAX_BYTES), values = BUFFER_INIT(ARRAY_MAX_BYTES);
	CLEANUP(rows_free)
	struct rows *rows = NULL;
	struct param params[10] = { PARAM_TEXT(m->name),      PARAM_TEXT(m->version), PARAM_TEXT(m->family),
				    PARAM_INT(m->created_us), PARAM_INT(m->from_us),  PARAM_INT(m->to_us),
				    PARAM_TEXT(m->parent) };

	if (put_figures(m, &names, &values, err) < 0)
		return -1;
	params[7] = PARAM_TEXT(buffer_span(&names));
	params[8] = PARAM_TEXT(buffer_span(&values));
	params[9] = PARAM_BYTES(m->artefact);
	if (store_query(s, insert_sql, params, ARRAY_LEN(params), &rows, err) < 0)
		return -1;
	*added = rows_affected(rows) > 0;
	return 0;
}

/* The version exists: with these bytes? */
static int
check_same(struct store *s, const struct model *m, struct err *err)
{
	const struct param params[] = { PARAM_TEXT(m->name), PARAM_TEXT(m->version), PARAM_BYTES(m->artefact) };
	CLEANUP(rows_free)
	struct rows *rows = NULL;

	if (store_query(
		s, "SELECT sha256 = sha256($3::bytea), status FROM forebay.models WHERE name = $1 AND version = $2",
		params, ARRAY_LEN(params), &rows, err) < 0)
		return -1;
	if (rows_count(rows) > 0 && rows_bool(rows, 0, 0))
		return 0;
	return err_set(err, REASON_ROW_REFUSED, "model %.*s/%.*s exists (%.*s) with another artefact",
		       SPAN_ARG(m->name), SPAN_ARG(m->version), SPAN_ARG(rows_text(rows, 0, 1)));
}

static int
add(struct store *s, const struct model *m, const char *why, struct err *err)
{
	bool added;

	if (insert(s, m, &added, err) < 0)
		return -1;
	if (!added)
		return check_same(s, m, err);
	return models_note(s, m->name, m->version, SPAN_NONE, MODEL_CANDIDATE, false, why, err);
}

int
models_add(struct store *s, const struct model *m, const char *why, struct err *err)
{
	if (store_connect(s, err) < 0 || store_exec(s, "BEGIN", err) < 0)
		return -1;
	if (models_end(s, add(s, m, why, err), err) < 0)
		return err_wrap(err, "model %.*s/%.*s", SPAN_ARG(m->name), SPAN_ARG(m->version));
	return 0;
}

/* ---- reading ---- */

#define COLUMNS                                                                                               \
	"m.name, m.version, m.family, m.status, m.canary_share, m.created_us, m.from_us, m.to_us, m.parent, " \
	"m.sha256, octet_length(m.artefact)::bigint, f.key, f.value::float8 FROM forebay.models m "           \
	"LEFT JOIN LATERAL jsonb_each_text(m.figures) AS f (key, value) ON true "

static const char list_sql[] =
    "SELECT " COLUMNS "WHERE $1::text IS NULL OR m.name = $1 ORDER BY m.created_us DESC, m.name, m.version, f.key";
static const char current_sql[] = "SELECT " COLUMNS "WHERE m.status IN ('live', 'canary') OR (m.name, m.created_us) IN "
				  "(SELECT name, max(created_us) FROM forebay.models GROUP BY name) "
				  "ORDER BY m.created_us DESC, m.name, m.version, f.key";
static const char get_sql[] = "SELECT " COLUMNS "WHERE m.name = $1 AND m.version = $2 ORDER BY f.key";
static const char untold_sql[] =
    "SELECT " COLUMNS
    "WHERE m.announced_time IS NULL ORDER BY m.status NOT IN ('live', 'canary'), m.changed_us, m.name, m.version, "
    "f.key";

enum { NAME, VERSION, FAMILY, STATUS, SHARE, CREATED, FROM, TO, PARENT, SHA256, SIZE, FIGURE, VALUE };

static int
read_model(struct arena *a, const struct rows *rows, size_t i, struct model *m, struct err *err)
{
	*m = (struct model){
		.name = arena_copy(a, rows_text(rows, i, NAME)),
		.version = arena_copy(a, rows_text(rows, i, VERSION)),
		.family = arena_copy(a, rows_text(rows, i, FAMILY)),
		.status = models_status_of(rows_text(rows, i, STATUS)),
		.canary_share = rows_real(rows, i, SHARE),
		.created_us = rows_int(rows, i, CREATED),
		.from_us = rows_int(rows, i, FROM),
		.to_us = rows_int(rows, i, TO),
		.parent = arena_copy(a, rows_text(rows, i, PARENT)),
		.sha256 = rows_bytes(rows, i, SHA256, a),
		.artefact = { NULL, (size_t)rows_int(rows, i, SIZE) },
	};
	if (!m->name.ptr || !m->version.ptr || !m->family.ptr || !m->sha256.ptr ||
	    (!rows_null(rows, i, PARENT) && !m->parent.ptr))
		return err_set(err, REASON_NO_MEMORY, "models");
	return 0;
}

/* The rows from I on that are of the same version, one for each figure. */
static int
read_figures(struct arena *a, const struct rows *rows, size_t i, size_t n, struct model *m, struct err *err)
{
	m->figures = arena_alloc(a, (n + 1) * sizeof(*m->figures));
	if (!m->figures)
		return err_set(err, REASON_NO_MEMORY, "models");
	for (size_t k = i; k < i + n && !rows_null(rows, k, FIGURE); k++) {
		struct model_figure *f = &m->figures[m->n_figures++];

		*f = (struct model_figure){ arena_copy(a, rows_text(rows, k, FIGURE)), rows_real(rows, k, VALUE) };
		if (!f->name.ptr)
			return err_set(err, REASON_NO_MEMORY, "models");
	}
	return 0;
}

static bool
same_version(const struct rows *rows, size_t i, size_t k)
{
	return span_equal(rows_text(rows, i, NAME), rows_text(rows, k, NAME)) &&
	       span_equal(rows_text(rows, i, VERSION), rows_text(rows, k, VERSION));
}

static int
read_models(struct arena *a, const struct rows *rows, struct model **ret, size_t *n, struct err *err)
{
	size_t end;

	*n = 0;
	*ret = arena_alloc(a, (rows_count(rows) + 1) * sizeof(**ret));
	if (!*ret)
		return err_set(err, REASON_NO_MEMORY, "models");
	for (size_t i = 0; i < rows_count(rows); i = end) {
		struct model *m = &(*ret)[(*n)++];

		for (end = i + 1; end < rows_count(rows) && same_version(rows, i, end);)
			end++;
		if (read_model(a, rows, i, m, err) < 0 || read_figures(a, rows, i, end - i, m, err) < 0)
			return -1;
	}
	return 0;
}

static int
select_models(struct store *s, const char *sql, const struct param *params, size_t n_params, struct arena *arena,
	      struct model **ret, size_t *n, struct err *err)
{
	CLEANUP(rows_free)
	struct rows *rows = NULL;

	if (store_connect(s, err) < 0 || store_query(s, sql, params, n_params, &rows, err) < 0)
		return -1;
	return read_models(arena, rows, ret, n, err);
}

int
models_list(struct store *s, struct span name, struct arena *arena, struct model **ret, size_t *n, struct err *err)
{
	const struct param params[] = { PARAM_TEXT(name) };

	return select_models(s, list_sql, params, ARRAY_LEN(params), arena, ret, n, err);
}

int
models_current(struct store *s, struct arena *arena, struct model **ret, size_t *n, struct err *err)
{
	return select_models(s, current_sql, NULL, 0, arena, ret, n, err);
}

int
models_untold(struct store *s, struct arena *arena, struct model **ret, size_t *n, struct err *err)
{
	return select_models(s, untold_sql, NULL, 0, arena, ret, n, err);
}

int
models_get(struct store *s, struct span name, struct span version, struct arena *arena, struct model *ret, bool *found,
	   struct err *err)
{
	const struct param params[] = { PARAM_TEXT(name), PARAM_TEXT(version) };
	CLEANUP(rows_free)
	struct rows *rows = NULL;
	struct model *m;
	size_t n;

	*found = false;
	if (select_models(s, get_sql, params, ARRAY_LEN(params), arena, &m, &n, err) < 0)
		return -1;
	if (n == 0)
		return 0;
	if (store_query_binary(s, "SELECT artefact FROM forebay.models WHERE name = $1 AND version = $2", params,
			       ARRAY_LEN(params), &rows, err) < 0)
		return -1;
	if (rows_count(rows) == 0) /* somebody has just deleted it by hand */
		return 0;
	*ret = *m;
	ret->artefact = arena_copy(arena, rows_text(rows, 0, 0));
	*found = true;
	return ret->artefact.ptr ? 0 : err_set(err, REASON_NO_MEMORY, "an artefact");
}
