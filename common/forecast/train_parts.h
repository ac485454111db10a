/*
 * train_parts.h -- what the files of a training share.  Nobody else includes it but their tests and benchmarks.
 */
#ifndef FOREBAY_FORECAST_TRAIN_PARTS_H
#define FOREBAY_FORECAST_TRAIN_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/forecast/deepar.h"
#include "common/forecast/kernel.h"
#include "common/forecast/target.h"
#include "common/forecast/train.h"

/* ---- train_batch.c: windows side by side; train_gradient.c: their loss and its gradient ---- */

/* What a layer has computed for all columns: rows x ld.  Column t * columns + b is position t of window b. */
struct gradient_layer {
	float *z; /* 4 hidden: gates; going back: the gradient before the activations */
	float *c, *t, *h;
	float *in;   /* of the layer; with dropout a copy of what is below, else the same memory */
	float *mask; /* dropout on what is below: 0 or 1 / (1 - p); NULL: none */
};

struct gradient {
	const struct kernel *kernel;
	size_t batch;   /* windows that fit */
	size_t columns; /* batch, rounded up to KERNEL_COLUMNS */
	size_t steps;   /* context + horizon - 1 */
	size_t ld;
	size_t n; /* windows put so far */
	struct deepar_window window;
	struct gradient_layer layers[DEEPAR_LAYERS_MAX];
	float *x;         /* [n_inputs][ld] */
	float *row;       /* one x(t) */
	float *raw;       /* [n_params][ld]: raw numbers of the head, then their gradient */
	float *head;      /* [n_params][hidden]: the head's weights side by side, then their gradient */
	float *dh;        /* [hidden][ld] */
	float *dc, *zero; /* [hidden][columns] */
	float *sums;      /* [4 hidden][columns]: over the positions of a window */
	float *dfixed;    /* [embeddings][columns] */
	double *values;   /* [steps][columns]: what position t is to say, in the series' unit; NaN: not known */
	double *scales;   /* [columns] */
	int32_t *cats;    /* [n_cats][columns] */
};

struct gradient_noise { /* of dropout */
	double dropout;
	uint64_t seed, stream;
};

/* For batches of up to BATCH windows of M.  -1 on NO_MEMORY. */
int gradient_new(const struct deepar *m, const struct kernel *kernel, size_t batch, struct gradient **ret,
		 struct err *err);
void gradient_free(struct gradient *g);
DEFINE_CLEANUP(struct gradient, gradient_free)

void gradient_begin(struct gradient *g);

/* Add the window of T before SPLIT.  False: there is nothing to learn from it (no value but 0 in its context; values that are
 * 10,000 times as large as those; inputs beyond float). */
bool gradient_put(struct gradient *g, const struct deepar *m, const struct target *t, size_t split);

/* Mean loss of the windows put; RET: its gradient, m->n_weights numbers.  NOISE NULL: no dropout. */
double gradient_run(struct gradient *g, const struct deepar *m, const struct gradient_noise *noise, float *ret);

/* ---- train_head.c: the end of the network ---- */

/* Loss from g->layers[top].h; leaves its gradient in g->dh and in RET's heads. */
double gradient_heads(struct gradient *g, const struct deepar *m, float *ret);

/* Sum of N numbers (a multiple of KERNEL_COLUMNS), in one order. */
float gradient_sum(const float *x, size_t n);

/* ---- train_adam.c ---- */

struct adam_rule {
	double rate, weight_decay, clip;
};

/* One step, the STEP-th (from 1), of N weights with moments M and V; GRADIENT is scaled in place.  Returns its norm before clipping. */
double adam_step(const struct adam_rule *rule, uint64_t step, size_t n, float *weights, float *m, float *v,
		 float *gradient);

/* ---- train_windows.c ---- */

struct train_series {
	size_t target, points; /* its number; points that may be learnt from */
	double until;          /* running sum of the weights with which series are drawn */
};

struct train_draw {
	size_t target, split;
};

/* Where the ATTEMPT-th try for window I of a batch is cut. */
struct train_draw train_window(const struct training *t, int32_t network, int32_t epoch, int32_t batch, int32_t i,
			       int32_t attempt);

/* Fill t->series.  -1 on OPTION_INVALID, NO_MEMORY. */
int train_series_choose(struct training *t, struct err *err);

/* Hashes of what a saved training must agree with. */
uint64_t train_hash_options(const struct deepar_config *c, const struct train_options *o);
uint64_t train_hash_targets(const struct deepar_config *c, const struct target *targets, size_t n);

/* ---- train_validate.c ---- */

/* Mean wQL of MODEL over what was held back.  -1 on NO_MEMORY. */
int train_validate(const struct training *t, const struct deepar *model, double *ret, struct err *err);

/* ---- train.c ---- */

struct train_network {
	struct deepar *model; /* of the best validation so far; NULL: none yet */
	double validation;    /* NaN: none */
};

/* Where a training stands between two epochs. */
struct train_state {
	int32_t network, epoch; /* the next epoch */
	int32_t stale, halvings;
	uint64_t step; /* of Adam */
	double rate, loss, validation, best, seconds;
};

struct training {
	struct train_options options;
	const struct target *targets;
	size_t n;
	const struct kernel *kernel;
	struct train_series *series;
	size_t n_series;
	uint64_t options_hash, data_hash;
	struct train_state at;
	struct deepar *model; /* the one that learns */
	struct deepar *mean;  /* the running mean of its weights */
	float *m, *v, *slope;
	struct gradient *gradient;
	struct train_network *networks; /* options.networks */
};

/* Keep the mean's weights of the moment as the best of its network.  -1 on NO_MEMORY. */
int train_keep(struct training *t, struct err *err);

#endif
