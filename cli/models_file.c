/* models_file.c -- `forebay models export` and `import`: the same bytes in a file as in the table. */
#include <stdio.h>

#include "cli/models.h"
#include "common/base/file.h"
#include "common/base/image.h"

#define ARTEFACT_MAX_BYTES ((size_t)256 << 20) /* as model-trainer stores: what was exported can be imported */

/* ---- export ---- */

int
models_do_export(struct models *c, struct err *err)
{
	const char *path = c->words[1];
	struct model m;

	if (models_find(c, c->words[0], &m, err) < 0 || file_replace(path, m.artefact, err) < 0)
		return -1;
	if (c->options->json)
		return verb_print_json(json_pack("{s:s, s:s, s:s, s:I}", "name", models_text(c, m.name), "version",
						 models_text(c, m.version), "file", path, "bytes",
						 (json_int_t)m.artefact.len),
				       err);
	printf("%.*s/%.*s: %zu bytes in %s\n", SPAN_ARG(m.name), SPAN_ARG(m.version), m.artefact.len, path);
	return 0;
}

/* ---- import ---- */

/* What the artefact says of itself; texts stay in A. */
static int
describe(struct models *c, const struct artefact *a, struct span bytes, struct model *m, struct err *err)
{
	*m = (struct model){
		.name = span_of(a->name),
		.version = span_of(a->version),
		.family = a->n_networks > 0 ? SPAN("deepar") : SPAN("classical"),
		.status = MODEL_CANDIDATE,
		.created_us = a->created_us,
		.from_us = a->from_us,
		.to_us = a->cutoff_us,
		.figures = arena_alloc(c->arena, (a->n_figures + 1) * sizeof(*m->figures)),
		.artefact = bytes,
	};
	if (!m->figures)
		return err_set(err, REASON_NO_MEMORY, "a model");
	for (size_t i = 0; i < a->n_figures; i++)
		if (a->figures[i].value - a->figures[i].value == 0) /* a record holds no NaN and no infinity */
			m->figures[m->n_figures++] =
			    (struct model_figure){ span_of(a->figures[i].name), a->figures[i].value };
	return 0;
}

/* Is what is there already the same, but for when it was made?  Then its own bytes are M's, which so is no new version. */
static int
take_same(struct models *c, const struct artefact *a, struct model *m, bool *found, struct err *err)
{
	struct artefact there;
	struct model before;
	bool same;
	int result;

	if (models_get(c->store, m->name, m->version, c->arena, &before, found, err) < 0)
		return -1;
	if (!*found || artefact_read(before.artefact, &there, NULL) < 0)
		return 0; /* what cannot be read is not the same */
	result = artefact_same(a, &there, &same, err);
	artefact_clear(&there);
	if (result == 0 && same)
		m->artefact = before.artefact;
	return result;
}

static int
add(struct models *c, const struct artefact *a, struct model *m, struct err *err)
{
	const char *why = *c->options->why ? c->options->why : "forebay models import";
	struct err special = ERR_INIT;
	bool found;

	if (take_same(c, a, m, &found, err) < 0 || models_add(c->store, m, why, err) < 0)
		return -1;
	if (a->n_networks && deepar_check_plain(&a->networks[0]->config, &special) < 0)
		fprintf(stderr, "forebay models: %.*s/%.*s can be used on files alone: %s\n", SPAN_ARG(m->name),
			SPAN_ARG(m->version), special.text);
	return models_report(c, m, !found, err);
}

int
models_do_import(struct models *c, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer bytes = BUFFER_INIT(ARTEFACT_MAX_BYTES);
	struct artefact a;
	struct model m;
	int failed;

	if (file_read(c->words[0], &bytes, err) < 0)
		return -1;
	if (artefact_read(buffer_span(&bytes), &a, err) < 0)
		return image_refuse_file(c->words[0], buffer_span(&bytes), "model file", "train it or export it again",
					 err);
	failed = describe(c, &a, buffer_span(&bytes), &m, err) < 0 || add(c, &a, &m, err) < 0;
	artefact_clear(&a);
	return failed ? err_wrap(err, "%s", c->words[0]) : 0;
}
