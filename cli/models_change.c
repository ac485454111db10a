/* models_change.c -- `forebay models promote`, `roll-back` and `announce`: a change first, then the topic is told; what could
 * not be told stands all the same and can be told later. */
#include <stdio.h>
#include <string.h>

#include "cli/models.h"
#include "common/record/registry.h"
#include "common/worker/announce.h"

static int
announce(struct models *c, size_t *told, struct err *err)
{
	CLEANUP(registry_free)
	struct registry *registry = NULL;
	struct client_config client;

	*told = 0;
	if (registry_new(c->options->registry_url, verb_schema_dir(c->options->schema_dir), &registry, err) < 0 ||
	    kafka_client(&c->options->kafka, c->overrides, c->arena, &client, err) < 0)
		return -1;
	return announce_models(c->store, registry, &client, c->options->topic, told, err);
}

void
models_tell(struct models *c, size_t *told, const char **why)
{
	struct err err = ERR_INIT;

	*why = NULL;
	if (announce(c, told, &err) == 0)
		return;
	*why = models_text(c, span_of(err.text));
	c->broken = true;
	fprintf(stderr,
		"forebay models: topic %s could not be told: %s [%s]; the change stands, `forebay models announce` "
		"tells it later\n",
		c->options->topic, err.text, err_reason_name(err.reason));
}

/* The version of M's name that has STATUS; NULL: none. */
static const struct model *
who_is(const struct model *list, size_t n, enum model_status status)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].status == status)
			return &list[i];
	return NULL;
}

static json_t *
version_json(struct models *c, const struct model *m)
{
	return m ? json_string(models_text(c, m->version)) : json_null();
}

static void
print_report(struct models *c, const struct model *m, bool changed, const struct model *live,
	     const struct model *canary)
{
	printf("%.*s/%.*s is %s%s\n", SPAN_ARG(m->name), SPAN_ARG(m->version), changed ? "" : "already ",
	       model_status_name(m->status));
	printf("%.*s: live %s", SPAN_ARG(m->name), live ? models_text(c, live->version) : "none");
	if (canary)
		printf(", canary %.*s for %g of the devices", SPAN_ARG(canary->version), canary->canary_share);
	puts("");
}

int
models_report(struct models *c, const struct model *m, bool changed, struct err *err)
{
	const struct model *live, *canary;
	const char *why;
	struct model *list, now;
	size_t n, told;
	bool found;

	models_tell(c, &told, &why);
	if (models_list(c->store, m->name, c->arena, &list, &n, err) < 0 ||
	    models_get(c->store, m->name, m->version, c->arena, &now, &found, err) < 0)
		return -1;
	live = who_is(list, n, MODEL_LIVE);
	canary = who_is(list, n, MODEL_CANARY);
	if (c->options->json)
		return verb_print_json(json_pack("{s:s, s:s, s:s, s:b, s:o, s:o, s:b, s:I, s:s?}", "name",
						 models_text(c, m->name), "version", models_text(c, m->version),
						 "status", model_status_name(found ? now.status : MODEL_UNKNOWN),
						 "changed", changed, "live", version_json(c, live), "canary",
						 version_json(c, canary), "told", !why, "versions_told",
						 (json_int_t)told, "why_not_told", why),
				       err);
	print_report(c, found ? &now : m, changed, live, canary);
	if (!why)
		printf("topic %s has been told of %zu version%s\n", c->options->topic, told, told == 1 ? "" : "s");
	return 0;
}

/* What went wrong is something about the versions, not about the options. */
static int
as_usage(const char *hint, struct err *err)
{
	struct err why = *err;

	if (why.reason != REASON_OPTION_INVALID)
		return -1;
	return err_set(err, REASON_USAGE, "%s%s", why.text, hint);
}

/* ---- promote ---- */

static int
next_standing(const struct models *c, const struct model *m, enum model_status *to, struct err *err)
{
	const char *word = c->options->to;

	if (strcmp(word, "canary") == 0 || (!*word && m->status == MODEL_CANDIDATE))
		*to = MODEL_CANARY;
	else if (strcmp(word, "live") == 0 || (!*word && m->status == MODEL_CANARY))
		*to = MODEL_LIVE;
	else if (*word)
		return err_set(err, REASON_USAGE, "--to=%s: canary or live", word);
	else
		return err_set(err, REASON_USAGE, "%.*s/%.*s is %s: %s", SPAN_ARG(m->name), SPAN_ARG(m->version),
			       model_status_name(m->status),
			       m->status == MODEL_RETIRED ? "--to=live lets it live again"
							  : "there is nothing to promote it to");
	return 0;
}

int
models_do_promote(struct models *c, struct err *err)
{
	const char *why = *c->options->why ? c->options->why : "forebay models promote";
	enum model_status to = MODEL_CANARY;
	struct model m;
	bool changed;

	if (models_find(c, c->words[0], &m, err) < 0 || next_standing(c, &m, &to, err) < 0)
		return -1;
	if (models_change(c->store, m.name, m.version, to, c->options->share, why, &changed, err) < 0)
		return as_usage(m.status == MODEL_CANDIDATE ? " (promote --to=canary first)" : "", err);
	return models_report(c, &m, changed, err);
}

/* ---- roll-back ---- */

int
models_do_roll_back(struct models *c, struct err *err)
{
	const char *why = *c->options->why ? c->options->why : "forebay models roll-back";
	struct span name = span_of(c->words[0]);
	const struct model *live;
	struct model *list;
	size_t n;

	if (models_roll_back(c->store, name, why, err) < 0)
		return as_usage(" (forebay models list)", err);
	if (models_list(c->store, name, c->arena, &list, &n, err) < 0)
		return -1;
	live = who_is(list, n, MODEL_LIVE);
	if (!live)
		return err_set(err, REASON_STORE_DOWN, "model %s: somebody else has just changed it", c->words[0]);
	return models_report(c, live, true, err);
}

/* ---- announce ---- */

int
models_do_announce(struct models *c, struct err *err)
{
	size_t told;

	if (announce(c, &told, err) < 0)
		return -1;
	if (c->options->json)
		return verb_print_json(json_pack("{s:I}", "versions_told", (json_int_t)told), err);
	if (told == 0)
		printf("topic %s knows all there is\n", c->options->topic);
	else
		printf("topic %s has been told of %zu version%s\n", c->options->topic, told, told == 1 ? "" : "s");
	return 0;
}
