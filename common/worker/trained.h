/*
 * trained.h -- trained models for workers that forecast: fetched from the table of models in PostgreSQL, counted, told of in the log.
 * The callbacks fit a library (common/forecast/library.h), which this module does not know; SELF is the struct trained.  One thread.
 */
#ifndef FOREBAY_WORKER_TRAINED_H
#define FOREBAY_WORKER_TRAINED_H

#include "common/record/model.h"
#include "common/store/connection.h"
#include "common/worker/worker.h"

/* Counters have the names of the worker. */
struct trained_meters {
	struct metric_spec failures; /* label: reason */
	struct metric_spec at_hand;  /* labels: name, version */
};

#define TRAINED_METERS(worker)                                                                     \
	{                                                                                          \
		.failures = { "forebay_" worker "_model_failures_total",                           \
			      METRIC_COUNTER,                                                      \
			      "reason",                                                            \
			      "trained models that could not be fetched, read or used, by reason", \
			      NULL,                                                                \
			      0 },                                                                 \
		.at_hand = { "forebay_" worker "_model_info",      METRIC_GAUGE, "name,version",   \
			     "1: a trained model that is at hand", NULL,         0 },              \
	}

/* Zeroed is closed. */
struct trained {
	struct store *store; /* NULL: postgres.uri names none */
	struct metrics *metrics;
	const struct trained_meters *meters;
	int64_t
	    patience_ms; /* with a server that is busy with something else: the loop that asks stands still meanwhile */
};

/* METERS stay the caller's.  Does not connect.  -1 on OPTION_INVALID (postgres.uri), NO_MEMORY. */
int trained_open(struct trained *t, struct worker *w, const struct trained_meters *meters, int64_t patience_ms,
		 struct err *err);
void trained_close(struct trained *t);

/* One version's artefact: BYTES in ARENA.  *FOUND false: there is no such version.  -1 on what models.h says. */
int trained_get(void *self, struct span name, struct span version, struct arena *arena, struct span *bytes, bool *found,
		struct err *err);

/* All versions that live or are canaries, and others, without artefacts.  -1 on what models.h says. */
int trained_list(void *self, struct arena *arena, struct model **ret, size_t *n, struct err *err);

/* What became of a version; told in the log where it is the FIRST time. */
void trained_here(void *self, struct span name, struct span version);
void trained_gone(void *self, struct span name, struct span version);
void trained_failed(void *self, struct span name, struct span version, bool first, bool broken, const struct err *why);

#endif
