/*
 * adopted.h -- the versions of a trained model that a series uses: one that serves it, one that forecasts beside it unseen.  As
 * one text, "<name> US <serving> US <rival>" (US: the unit separator), never changed once made, shared by counted reference: one
 * thread.  NULL: none.
 */
#ifndef FOREBAY_FORECASTER_ADOPTED_H
#define FOREBAY_FORECASTER_ADOPTED_H

#include "common/base/error.h"
#include "common/base/span.h"

#define ADOPTED_PART_BYTES 512 /* of a name, of a version */

struct adopted;

struct adopted_parts {
	struct span name, serving, rival; /* of length 0: none */
};

/* *RET NULL: neither version is there.  -1 on NO_MEMORY. */
int adopted_new(const struct adopted_parts *parts, struct adopted **ret, struct err *err);

/* From what adopted_text() gave.  -1 on STATE_CORRUPT, NO_MEMORY. */
int adopted_read(struct span text, struct adopted **ret, struct err *err);

struct adopted *adopted_share(struct adopted *a); /* one more owner; NULL is fine */
void adopted_release(struct adopted *a);          /* one owner less; NULL is fine */

/* A's own text; two separators for NULL. */
struct span adopted_text(const struct adopted *a);
struct adopted_parts adopted_parts(const struct adopted *a);

#endif
