/* bookshelf.h -- trained models of random weights for tests of hooks, in the place of PostgreSQL: no worker knows a database there. */
#ifndef FOREBAY_TEST_BOOKSHELF_H
#define FOREBAY_TEST_BOOKSHELF_H

#include "common/base/arena.h"
#include "common/base/buffer.h"
#include "common/record/model.h"

/* Versions of a model called "net". */
struct bookshelf {
	struct {
		const char *version;
		struct buffer bytes; /* the artefact */
		enum model_status status;
		double share; /* of a canary */
	} models[12];
	size_t n;
	size_t fetched, listed; /* how often */
	bool down;              /* PostgreSQL is away */
};
extern struct bookshelf bookshelf;

/*
 * An artefact of random weights for this frequency and horizon, a candidate; with its first N_LAGS lags alone (0: all).  Fails the test
 * when that fails.
 */
void bookshelf_add(const char *version, const char *frequency, int32_t horizon, size_t n_lags, uint64_t seed);
/* The same with a category, as no series of the fleet has one. */
void bookshelf_add_special(const char *version, const char *frequency, int32_t horizon, size_t n_lags, uint64_t seed);
int bookshelf_clear(void **state); /* a teardown */

/* As trained_get() and trained_list(); SELF is the bookshelf. */
int bookshelf_get(void *self, struct span name, struct span version, struct arena *arena, struct span *bytes,
		  bool *found, struct err *err);
int bookshelf_list(void *self, struct arena *arena, struct model **ret, size_t *n, struct err *err);

#endif
