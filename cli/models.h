/* models.h -- what the words of `forebay models` share: a file of this folder per word, or two. */
#ifndef FOREBAY_CLI_MODELS_H
#define FOREBAY_CLI_MODELS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/verb.h"
#include "common/base/arena.h"
#include "common/forecast/artefact.h"
#include "common/store/models.h"

struct models_options {
	struct kafka_access kafka;
	char *postgres_uri, *registry_url, *schema_dir, *topic, *name, *to, *why;
	int64_t connect_timeout_ms;
	double share;
	bool json;
};

struct models {
	const struct models_options *options;
	const struct property_list *overrides;
	char **words; /* behind the first: versions, names, files; as many as the word wants */
	struct store *store;
	struct arena *arena;
	bool broken; /* something is not as it should be: the exit code says so */
};

int models_do_list(struct models *c, struct err *err);
int models_do_show(struct models *c, struct err *err);
int models_do_diff(struct models *c, struct err *err);
int models_do_promote(struct models *c, struct err *err);
int models_do_roll_back(struct models *c, struct err *err);
int models_do_export(struct models *c, struct err *err);
int models_do_import(struct models *c, struct err *err);
int models_do_announce(struct models *c, struct err *err);

/* The version that WORD means: VERSION, NAME/VERSION, or the beginning of either's version where no other begins so; else NAME for its
 * live version, or its newest one while none is live.  With its artefact.  -1 on USAGE: there is none, or several. */
int models_find(struct models *c, const char *word, struct model *ret, struct err *err);

/* Tell topic models what it has not been told; if that fails say so, and how to repeat it, and set c->broken.  *TOLD and *WHY
 * (NULL: it worked) are for JSON. */
void models_tell(struct models *c, size_t *told, const char **why);

/* After a change: tell the topic, then print M's standing and who lives under its name (JSON: an object). */
int models_report(struct models *c, const struct model *m, bool changed, struct err *err);

/* Everything about a version that two of them can differ in, as {"name": value}: M's row, and the artefact's settings (A may be
 * NULL) and figures.  NULL when memory is out. */
json_t *models_facts(struct models *c, const struct model *m, const struct artefact *a);

/* A fact for people, in the arena: "24, 168", "season 0.25, deepar 0.75".  "" when memory is out. */
const char *models_fact_text(struct models *c, const json_t *value);

/* In the arena; "" when memory is out. */
const char *models_text(struct models *c, struct span text);
const char *models_time(struct models *c, int64_t us);  /* ISO 8601 */
const char *models_since(struct models *c, int64_t us); /* "2024-02-29 12:00" */

#endif
