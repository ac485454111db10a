/*
 * model.h -- models (compacted by key, the model's name and version): one trained model, its standing and how well it
 * did.  A small artefact travels inside the record, a large one lies at `uri`; `sha256` is of its bytes either way.
 */
#ifndef FOREBAY_RECORD_MODEL_H
#define FOREBAY_RECORD_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/record/codec.h"

enum model_status {
	MODEL_CANDIDATE, /* trained, not in use */
	MODEL_CANARY,    /* in use for canary_share of the devices */
	MODEL_LIVE,      /* in use for all others */
	MODEL_RETIRED,   /* was in use */
	MODEL_REJECTED,  /* failed its gate, never in use */
	MODEL_UNKNOWN,   /* a status of a later version: treat as not in use */
	MODEL_STATUS_COUNT
};

const char *
model_status_name(enum model_status s); /* "candidate", "canary", "live", "retired", "rejected", "unknown" */

struct model_figure {
	struct span name; /* "wql", "mase", "coverage.95": of the validation, in the unit that the name implies */
	double value;
};

struct model {
	struct span name;    /* "deepar-hourly" */
	struct span version; /* of this training */
	struct span family;  /* which code reads the artefact: "deepar", "ets", ... */
	enum model_status status;
	int64_t created_us;
	int64_t from_us, to_us; /* event times of the training data, [from, to) */
	double canary_share;    /* of the devices, 0 to 1 */
	struct span parent;     /* version that it was compared with; SPAN_NONE: none */
	struct model_figure *figures;
	size_t n_figures;     /* names are distinct */
	struct span uri;      /* SPAN_NONE: the artefact is inside */
	struct span artefact; /* bytes; SPAN_NONE: at uri */
	struct span sha256;   /* 32 bytes; SPAN_NONE: not known */
};

/* Is DEVICE among the SHARE (0 to 1) that a canary serves?  Always the same devices, whoever asks. */
bool model_in_share(struct span device, double share);

extern const struct record_type model_record;

#endif
