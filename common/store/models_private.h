/* models_private.h -- what the files of models.h share, and nobody else. */
#ifndef FOREBAY_STORE_MODELS_PRIVATE_H
#define FOREBAY_STORE_MODELS_PRIVATE_H

#include "common/store/models.h"
#include "common/store/query.h"

/* The server's clock, in microseconds. */
#define MODELS_NOW "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"

struct span models_status_text(enum model_status s);
enum model_status models_status_of(struct span text);

/* End a transaction: commit, or after a failure roll back; -1 then. */
int models_end(struct store *s, int failed, struct err *err);

/* A line of forebay.model_changes; FROM SPAN_NONE: it was added. */
int models_note(struct store *s, struct span name, struct span version, struct span from, enum model_status to,
		bool rolled_back, const char *why, struct err *err);

#endif
