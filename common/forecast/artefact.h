/*
 * artefact.h -- a trained model as one file: its networks, what they were trained on, how good they are, and what the ensemble
 * and the calibration start from.  Immutable: another training is another version.
 *
 * The bytes are an image (base/image.h): version, fingerprint and text of the layout, little-endian numbers, CRC-32C; the same on every
 * machine.
 */
#ifndef FOREBAY_FORECAST_ARTEFACT_H
#define FOREBAY_FORECAST_ARTEFACT_H

#include "common/base/buffer.h"
#include "common/forecast/calibrate.h"
#include "common/forecast/deepar.h"
#include "common/forecast/ensemble.h"

#define ARTEFACT_NETWORKS_MAX 16
#define ARTEFACT_TEXT_BYTES 64

struct artefact_figure {
	char name[32]; /* "wql", "mase", "coverage80": of the validation */
	double value;
};

struct artefact {
	char name[ARTEFACT_TEXT_BYTES];    /* "deepar-1h" */
	char version[ARTEFACT_TEXT_BYTES]; /* the same training gives the same one, any other another */
	char code[ARTEFACT_TEXT_BYTES];    /* of the program that trained it */
	int64_t created_us;
	int64_t from_us, cutoff_us; /* event times of the training data, [from, cutoff): nothing later was seen */
	uint64_t data;              /* hash of the training data */
	uint64_t n_series, n_points;
	size_t n_networks;
	struct deepar *networks[ARTEFACT_NETWORKS_MAX]; /* all of one config */
	double validation[ARTEFACT_NETWORKS_MAX];       /* mean wQL of each */
	size_t n_levels;                                /* of the ensemble's weights and shifts */
	double levels[ENSEMBLE_LEVELS_MAX];
	struct ensemble_rule ensemble; /* members in the order of enum panel_member */
	struct calibration calibration;
	struct artefact_figure figures[16];
	size_t n_figures;
};

/* Frees what *A owns, not *A. */
void artefact_clear(struct artefact *a);

/* Append.  -1 on NO_MEMORY. */
int artefact_write(const struct artefact *a, struct buffer *out, struct err *err);

/* *A is undefined before.  -1 on STATE_CORRUPT (cut short, checksum, a tensor of another size, weights that are not finite),
 * STATE_VERSION, NO_MEMORY; *A then owns nothing. */
int artefact_read(struct span bytes, struct artefact *a, struct err *err);

/* Are they the same but for when, and by which release of the program, they were made?  -1 on NO_MEMORY. */
int artefact_same(const struct artefact *a, const struct artefact *b, bool *same, struct err *err);

/* The same with a file: the message names it.  Writing is atomic: beside it, then renamed.  -1 also on IO, FILE_UNREADABLE;
 * FILE_INVALID instead of STATE_CORRUPT and STATE_VERSION. */
int artefact_save(const struct artefact *a, const char *path, struct err *err);
int artefact_load(const char *path, struct artefact *a, struct err *err);

/* A figure by name; NaN: it has none. */
double artefact_figure(const struct artefact *a, const char *name);
/* Set or add.  Ignored beyond the room there is. */
void artefact_set_figure(struct artefact *a, const char *name, double value);

#endif
