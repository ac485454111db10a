/*
 * deepar.h -- the DeepAR network: its shape and its weights.  The architecture of GluonTS for PyTorch (0.17,
 * gluonts/torch/model/deepar/module.py), after D. Salinas et al., "DeepAR: Probabilistic forecasting with autoregressive
 * recurrent networks", Int. J. Forecasting 36(3), 2020; with the same names of tensors, so that weights can be exchanged.
 *
 * Position t of the recurrent network takes x(t) = [ lags / scale | embeddings | static numbers | ln(scale) | time features
 * of t+1 | age of t+1 | dynamic features of t+1 ] and gives the distribution of the value at t+1.  Without categories there is
 * one of cardinality 1, without static numbers there is one, 0.
 */
#ifndef FOREBAY_FORECAST_DEEPAR_H
#define FOREBAY_FORECAST_DEEPAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/error.h"
#include "common/base/span.h"
#include "common/forecast/frequency.h"
#include "common/forecast/target.h"

#define DEEPAR_CATS_MAX 16
#define DEEPAR_LAYERS_MAX 8
#define DEEPAR_HIDDEN_MAX 512
#define DEEPAR_INPUTS_MAX 1024
#define DEEPAR_PARAMS_MAX 3 /* of a head */

enum deepar_head { HEAD_STUDENT_T, HEAD_NORMAL, HEAD_NEGATIVE_BINOMIAL, HEAD_BETA, HEAD_COUNT };

const char *deepar_head_name(enum deepar_head head); /* "student-t", "normal", "negative-binomial", "beta" */

struct deepar_config {
	struct frequency frequency;
	enum deepar_head head;
	int32_t horizon, context; /* steps, >= 1 */
	int32_t layers, hidden;   /* 2, 40 */
	int32_t n_cats;           /* given by the user; 0: the network gets a dummy */
	int32_t cardinality[DEEPAR_CATS_MAX];
	int32_t n_reals, n_dynamic; /* given by the user */
	double default_scale;       /* of a window without any value, > 0 */
	double dropout;             /* between layers, in training, [0, 1) */
};

/* The defaults for a frequency and a horizon: context 2 * horizon (at least 10), 2 layers of 40, Student t, dropout 0.1. */
void deepar_config_default(const struct frequency *f, int32_t horizon, struct deepar_config *ret);

/* -1 on OPTION_INVALID: names the field. */
int deepar_config_check(const struct deepar_config *c, struct err *err);

/* Numbers that a network of this configuration, which has been checked, consists of. */
size_t deepar_config_weights(const struct deepar_config *c);

struct deepar_tensor {
	char name[48];     /* "rnn.weight_ih_l0" */
	size_t rows, cols; /* row-major; cols 1 for a vector */
	size_t at;         /* index of its first number among the weights */
};

struct deepar {
	struct deepar_config config;        /* cardinality: of the network, 1 for the dummy */
	int32_t n_cats, n_reals;            /* of the network: with dummies */
	int32_t embedding[DEEPAR_CATS_MAX]; /* min(50, (cardinality + 1) / 2) */
	size_t n_static;                    /* embeddings, static numbers, ln(scale) */
	size_t n_inputs;                    /* lags + n_static + time features + age + dynamic */
	size_t n_params;                    /* of the head */
	size_t past;                        /* points of the past that a window needs: context + greatest lag - 1 */
	struct deepar_tensor *tensors;      /* heads, embeddings, then the layers, as in GluonTS' state_dict */
	size_t n_tensors;
	float *weights; /* n_weights, 64-byte aligned */
	size_t n_weights;
};

/* Zero weights.  -1 on OPTION_INVALID, NO_MEMORY. */
int deepar_new(const struct deepar_config *c, struct deepar **ret, struct err *err);
void deepar_free(struct deepar *m); /* NULL is fine */
DEFINE_CLEANUP(struct deepar, deepar_free)

/* PyTorch's defaults: uniform in +-1/sqrt(hidden) for layers and heads, standard normal for embeddings. */
void deepar_init(struct deepar *m, uint64_t seed);

/* NULL: there is none of that name. */
const struct deepar_tensor *deepar_tensor_find(const struct deepar *m, const char *name);

/* The numbers of a tensor; it must exist.  `rnn.weight_ih_l%d` and its like by layer: deepar_layer(). */
float *deepar_numbers(const struct deepar *m, const char *name);

struct deepar_layer {
	float *weight_ih, *weight_hh, *bias_ih,
	    *bias_hh; /* [4 hidden][inputs], [4 hidden][hidden]; gate rows i, f, g, o */
	size_t inputs;
};
struct deepar_layer deepar_layer(const struct deepar *m, int32_t layer);

/* -1 on OPTION_INVALID: the series has no category where the model has some, one out of range, too few dynamic features, ...; says
 * which.  FUTURE: steps behind the last value for which dynamic features must be known. */
int deepar_check_target(const struct deepar *m, const struct target *t, size_t future, struct err *err);

/* -1 on OPTION_INVALID: it wants categories, static numbers or dynamic features, and series that are values alone have none. */
int deepar_check_plain(const struct deepar_config *c, struct err *err);

/* ---- a window: what the network gets to see ---- */

/*
 * The window cut before values[split] (0 <= split <= n): the context is [split - context, split).  Before the series'
 * beginning all is 0; between that and values[0] (age > 0) points have a calendar, but no value.  NaN is 0, observed 0.
 */
struct deepar_window {
	double scale; /* mean of |values| observed in the context, at least 1e-10; default_scale without any */
	float *past;  /* `past` values up to split, divided by scale; 0 where unknown */
	float *fixed; /* n_static numbers */
	float *
	    moving; /* (context + horizon) rows of time features, age, dynamic: row i is of the point split - context + i */
	float *future; /* `horizon` values from split on, NOT divided; 0 where unknown or past the end of the series */
	uint8_t *observed; /* (context + horizon) of the points split - context + i */
};

/* Memory for windows of M: all pointers into one block.  -1 on NO_MEMORY. */
int deepar_window_new(const struct deepar *m, struct deepar_window *w, struct err *err);
void deepar_window_clear(struct deepar_window *w);

/* Fill W from T, which has been checked.  Embeddings are read from the weights of the moment. */
void deepar_window_fill(const struct deepar *m, const struct target *t, size_t split, struct deepar_window *w);

/* x(t) for t in [0, context + horizon - 1): n_inputs numbers, lags taken from past and future (divided by scale). */
void deepar_window_input(const struct deepar *m, const struct deepar_window *w, size_t t, float *x);

/* ---- one series at a time, plainly: the reference of tests and of the kernels ---- */

struct deepar_trace {
	double *
	    params; /* (context + horizon - 1) rows of n_params, before the scale is applied: what the head's map gives */
	double *hidden; /* (context + horizon - 1) rows of `hidden`: the top layer; NULL: not wanted */
	double *nll;    /* context + horizon - 1; 0 where the value is not observed; NULL: not wanted */
	double loss;    /* mean of nll over all positions */
};

/* Teacher forced, in double precision.  Arrays are the caller's.  -1 on NO_MEMORY. */
int deepar_trace(const struct deepar *m, const struct deepar_window *w, struct deepar_trace *ret, struct err *err);

#endif
