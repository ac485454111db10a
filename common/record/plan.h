/* plan.h -- the steps of a translation: made by resolve.c, walked by translate.c. */
#ifndef FOREBAY_RECORD_PLAN_H
#define FOREBAY_RECORD_PLAN_H

#include "common/record/resolve.h"
#include "common/record/writer.h"

enum step_kind {
	STEP_PRIMITIVE,  /* read as writer, write as reader */
	STEP_ENUM,       /* the symbol's number in the reader */
	STEP_FIXED,      /* the same size */
	STEP_ITEMS,      /* array or map: `inner` for each item */
	STEP_RECORD,     /* `moves` */
	STEP_FROM_UNION, /* the writer's branch decides: `branches` */
	STEP_TO_UNION,   /* branch number `to`, then `inner` */
	STEP_MISMATCH,   /* cannot be read: `mismatch` says why */
};

/* A record is moved field by field. */
struct move {
	enum { MOVE_SKIP, MOVE_FIELD, MOVE_DEFAULT } kind;
	size_t from;       /* the writer's field */
	struct step *step; /* MOVE_FIELD */
	struct span bytes; /* MOVE_DEFAULT */
};

struct step {
	enum step_kind kind;
	const struct schema *writer, *reader;
	struct step *inner;
	struct step **branches;
	struct move *moves;
	size_t n_moves;
	bool in_order; /* the reader wants the writer's fields in the writer's order */
	int64_t to;
	int *symbols; /* for each of the writer's: the reader's, -1: none */
	const char *mismatch;
};

int plan_run(const struct step *step, struct reader *in, struct writer *out, struct err *err);

#endif
