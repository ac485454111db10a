/*
 * models.h -- trained models in PostgreSQL: tables forebay.models (a row a version, with its artefact), forebay.model_changes
 * (who was what, since when and why) and forebay.trainings (a training under way, so that another process can go on with it).
 *
 * Of every name at most one version is live and at most one is canary: the database itself keeps it so (partial unique
 * indexes).  A change of standing is one transaction; announced_time says whether topic `models` has been told (announce.h).
 *
 *	candidate --> canary --> live --> retired
 *	    |           |         ^          |
 *	    `---------> rejected  `----------'   (rolled back: the one before lives again)
 *
 * A candidate may live at once while no version of its name does: there is nothing to compare it with.
 *
 * Times are microseconds since 1970, UTC.  One thread.  All calls connect when they have to; -1 on STORE_DOWN, STORE_SCHEMA,
 * STORE_REFUSED, NO_MEMORY beside what is said.
 */
#ifndef FOREBAY_STORE_MODELS_H
#define FOREBAY_STORE_MODELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/record/model.h"
#include "common/store/connection.h"

/* Store a new version; its status is candidate whatever *M says; the artefact is m->artefact.  The same bytes again are no error;
 * others under a version that exists: ROW_REFUSED. */
int models_add(struct store *s, const struct model *m, const char *why, struct err *err);

/*
 * Give NAME/VERSION another standing.  To live: the version that lived retires.  To canary: the one that was canary is rejected.
 * SHARE: of the devices, for a canary, in (0, 1]; a canary's may be changed.  An order that the picture above does not know, or a
 * version that does not exist: OPTION_INVALID, says what it is now.  *CHANGED false: it is that already.
 */
int models_change(struct store *s, struct span name, struct span version, enum model_status to, double share,
		  const char *why, bool *changed, struct err *err);

/* The live version retires and the one that lived before it lives again; done twice, that goes two versions back.
 * OPTION_INVALID: there is none. */
int models_roll_back(struct store *s, struct span name, const char *why, struct err *err);

/* Versions of NAME (SPAN_NONE: of all), newest first, in ARENA.  Without artefacts: ptr is NULL there, len the size. */
int models_list(struct store *s, struct span name, struct arena *arena, struct model **ret, size_t *n, struct err *err);

/* Of each name the live version, the canary and the newest one: however many there have been.  Else as models_list(). */
int models_current(struct store *s, struct arena *arena, struct model **ret, size_t *n, struct err *err);

/* One version with its artefact, in ARENA.  *FOUND false: there is none. */
int models_get(struct store *s, struct span name, struct span version, struct arena *arena, struct model *ret,
	       bool *found, struct err *err);

struct model_change {
	struct span name, version, why; /* why: "gate passed", "forebay models promote", ... */
	enum model_status from, to;     /* from MODEL_UNKNOWN: it was added */
	int64_t time_us;
};

/* Changes of NAME (SPAN_NONE: of all), newest first, at most LIMIT. */
int models_changes(struct store *s, struct span name, size_t limit, struct arena *arena, struct model_change **ret,
		   size_t *n, struct err *err);

/* Wait until nobody else is telling the topic, half a minute at most (STORE_DOWN), and keep others from it until the turn is
 * over, or the session: what is told last is then what the table says. */
int models_turn(struct store *s, struct err *err);
void models_turn_over(struct store *s);

/* Versions whose standing the topic has not been told, without artefacts: those in use first, so that whoever listens never finds
 * a model without any between two records; then oldest change first.  And: it has been told (of the standing that *M has; if that
 * has changed meanwhile, it has not). */
int models_untold(struct store *s, struct arena *arena, struct model **ret, size_t *n, struct err *err);
int models_told(struct store *s, const struct model *m, struct err *err);

/* ---- a training under way ---- */

/* One row a name: what it was begun with (JSON, frozen offsets among it) and how far it is (bytes of training_save()). */
struct model_training {
	struct span name, plan, progress; /* progress SPAN_NONE: nothing saved yet */
	int64_t started_us, saved_us;
};

int models_training_save(struct store *s, const struct model_training *t, struct err *err);
int models_training_get(struct store *s, struct span name, struct arena *arena, struct model_training *ret, bool *found,
			struct err *err);
int models_training_end(struct store *s, struct span name, struct err *err);

#endif
