/*
 * loader.h -- what the reader of path maps needs to read JSON with good manners: it knows at every moment where it is, so
 * that each complaint names file, line and key, and a suggestion where there is one.  For pathmap_file.c and
 * pathmap_values.c only.
 */
#ifndef FOREBAY_INGEST_ROUTER_LOADER_H
#define FOREBAY_INGEST_ROUTER_LOADER_H

#include <jansson.h>

#include "workers/ingest-router/pathmap.h"

struct loader {
	struct pathmaps *maps; /* what is built */
	const char *file;
	struct span text;                       /* of the file */
	struct path at;                         /* where we are in it */
	struct plan_group *groups[LEVEL_COUNT]; /* that a path may start from here; NULL: not here */
};

/* Go into a member or an element, and out again. */
void loader_enter(struct loader *l, const char *key);
void loader_enter_element(struct loader *l, size_t index);
void loader_leave(struct loader *l);

/* FILE_INVALID with file, line and path of the place we are at, then the text.  Returns -1. */
int loader_fail(const struct loader *l, struct err *err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Fail at a key of OBJECT that is not among KNOWN (ended by NULL). */
int loader_check_keys(struct loader *l, const json_t *object, const char *const *known, struct err *err);

/* The text at KEY of OBJECT, copied; *RET stays as it is where there is none. */
int loader_text(struct loader *l, const json_t *object, const char *key, struct span *ret, struct err *err);

/* The finite number at KEY of OBJECT; *RET stays as it is where there is none. */
int loader_number(struct loader *l, const json_t *object, const char *key, double *ret, struct err *err);

/* A path text where a path has to be: which rows it starts from, and its steps. */
int loader_path(struct loader *l, const json_t *json, struct path *ret, enum level *level, struct err *err);

/* "$.a" or {"path": "$.a", "after": "x", "until": "y"} (other keys of the object are the caller's business). */
int loader_reference(struct loader *l, const json_t *json, struct reference *ret, struct err *err);

/* A reference, or a list of references and literals. */
int loader_phrase(struct loader *l, const json_t *json, struct phrase *ret, struct err *err);

/* Does a text mean a path? */
bool loader_is_path(const json_t *json);

/* ---- pathmap_values.c ---- */

/* The list at `values`. */
int loader_values(struct loader *l, const json_t *json, struct pathmap *map, struct err *err);

#endif
