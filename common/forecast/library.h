/*
 * library.h -- trained models by name and version: fetched when they are asked for, kept while somebody uses them and a few
 * beyond that.  What has been found out about a version (what it is for, that it is broken) is kept for longer.  Where they come
 * from, and who counts and tells what becomes of them, are the owner's callbacks.  One thread.
 */
#ifndef FOREBAY_FORECAST_LIBRARY_H
#define FOREBAY_FORECAST_LIBRARY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/cleanup.h"
#include "common/forecast/artefact.h"

/* Where artefacts come from. */
struct library_source {
	/* BYTES: in ARENA.  *FOUND false: there is no such version.  -1 on STORE_DOWN and what else its like can say. */
	int (*get)(void *self, struct span name, struct span version, struct arena *arena, struct span *bytes,
		   bool *found, struct err *err);
	void *self;
};

/* Who wants to know; each may be NULL.  Spans are valid for the call. */
struct library_watch {
	void (*here)(void *self, struct span name, struct span version); /* it is at hand from now on */
	void (*gone)(void *self, struct span name, struct span version); /* ... and no longer */
	/* It could not be fetched or read.  FIRST: nobody has been told of this version; BROKEN: nothing will ever read it. */
	void (*failed)(void *self, struct span name, struct span version, bool first, bool broken,
		       const struct err *why);
	void *self;
};

struct library;

/* A model that was read. */
struct book {
	struct artefact artefact;
	size_t users; /* who uses it counts itself: library_take(), library_give_back() */
	uint64_t used;
};

/* What a version is for. */
struct library_card {
	char frequency[FREQUENCY_NAME_BYTES];
	int32_t horizon;                    /* steps */
	int32_t n_cats, n_reals, n_dynamic; /* that it wants of a series beside its values */
	bool known;                         /* the lines above */
	bool broken;                        /* nothing can read it; not looked at again */
	bool missing;                       /* the source answered that it does not have it, some seconds ago at most */
	bool told;                          /* somebody has been told why it is not used */
	int64_t asked_us;                   /* when it was last asked for in vain, on the monotonic clock; 0: never */
};

/* SOURCE's get NULL: there are no models at all.  WATCH NULL: nobody wants to know.  -1 on NO_MEMORY. */
int library_new(const struct library_source *source, const struct library_watch *watch, struct library **ret,
		struct err *err);
void library_free(struct library *l);
DEFINE_CLEANUP(struct library, library_free)

bool library_open(const struct library *l); /* is there a source? */

/*
 * What is known of a version (known, broken or missing); it is fetched if nothing is.  The card is the library's, until the next
 * call.  After a failure the source is left alone for some seconds.  NULL: it cannot be fetched at present, or memory is out.
 */
struct library_card *library_look(struct library *l, struct span name, struct span version);

enum library_fit {
	LIBRARY_FITS,
	LIBRARY_UNFIT, /* there is none, or it is for other series; one that wants more than values, or does not reach far enough, is
			  told of once */
	LIBRARY_AWAY, /* nobody knows at present */
	LIBRARY_LOST, /* it cannot be read, or there is no such version */
};

/* Is a version (of length 0: none) for series of this frequency that are values alone, and does it reach HORIZON steps?  As
 * library_look(). */
enum library_fit library_fit(struct library *l, struct span name, struct span version, const struct frequency *f,
			     size_t horizon);

/*
 * The model itself, with one more user.  -1 on STORE_DOWN (also: there is no such version) and what else its source can say,
 * STATE_CORRUPT, STATE_VERSION, NO_MEMORY.
 */
int library_take(struct library *l, struct span name, struct span version, struct book **ret, struct err *err);
void library_give_back(struct library *l, struct book *b); /* NULL is fine */

#endif
