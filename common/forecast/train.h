/*
 * train.h -- a network learns from many series: windows drawn at random, likelihood, back-propagation through time, Adam.
 *
 * One training runs `networks` times with different seeds; each keeps its weights of the best validation (mean wQL over the
 * windows held back).  What is validated is not the newest weights but a running mean of them: where a few large series carry
 * the pooled loss, the newest ones jump by a factor of two from one validation to the next.
 *
 * Everything random is counter-based: the same series, options and seed give the same weights, also when the training was
 * stopped and resumed at any epoch in between (budgets of time aside).
 */
#ifndef FOREBAY_FORECAST_TRAIN_H
#define FOREBAY_FORECAST_TRAIN_H

#include "common/base/buffer.h"
#include "common/forecast/deepar.h"
#include "common/forecast/kernel.h"

struct train_options {
	int32_t networks;           /* trained one after the other, >= 1 */
	int32_t epochs;             /* at most, each; 100 */
	int32_t batches;            /* an epoch; 50 */
	int32_t batch;              /* windows in a batch; 32 */
	int32_t validation_windows; /* held back at the end of every series, `horizon` steps each; 0: no selection */
	int32_t validation_every;   /* epochs; 5 */
	int32_t validation_series;  /* at most so many, evenly chosen; 200 */
	int32_t patience; /* validations without a better one before the rate is halved; 3 of those halvings end it */
	double rate;      /* 1e-3 */
	double weight_decay;   /* 1e-8 */
	double clip;           /* of the gradient's norm; 10 */
	double scale_weighted; /* power of its series' mean |value| with which a window is drawn; 0: all alike; to 1 */
	double average; /* share of the running mean that a step leaves; 0.995; 0: the newest weights are judged */
	double seconds; /* CPU time for all networks together; 0: no limit */
	uint64_t seed;
};

void train_options_default(struct train_options *o);

struct train_progress {
	int32_t network, epoch; /* from 0; epochs done of this network */
	double loss;            /* mean of the epoch's windows */
	double validation;      /* mean wQL of the newest validation; NaN: none so far */
	double best;            /* the best of it */
	double rate;
	double seconds; /* CPU so far */
};

struct training;

/*
 * TARGETS stay the caller's and must live as long as the training.  Series shorter than horizon + 1 after what is held back, or
 * without a value other than 0, are left out.  KERNEL NULL: the best.  -1 on OPTION_INVALID (fewer than 300 observations in
 * all: says how many there are; a category out of range, a value the head cannot have: names the series by its number),
 * NO_MEMORY.
 */
int training_new(const struct deepar_config *c, const struct train_options *o, const struct target *targets, size_t n,
		 const struct kernel *kernel, struct training **ret, struct err *err);
void training_free(struct training *t);
DEFINE_CLEANUP(struct training, training_free)

/* Can a network such as M learn from T?  -1 on OPTION_INVALID, as training_new(). */
int train_check_target(const struct deepar *m, const struct target *t, struct err *err);

/* One epoch of one network.  1: there is more to do; 0: done; -1 on NO_MEMORY, RECORD_INVALID (the loss is no number). */
int training_epoch(struct training *t, struct train_progress *progress, struct err *err);

/* Append all that is needed to go on from here: image with fingerprint and checksum.  -1: the buffer may not grow. */
int training_save(const struct training *t, struct buffer *out);

/* Go on from BYTES, saved by a training of the same options, config and series.  -1 on STATE_CORRUPT, STATE_VERSION,
 * OPTION_INVALID (made for another configuration or other series). */
int training_load(struct training *t, struct span bytes, struct err *err);

/* Series that are long enough to be learnt from. */
size_t training_series(const struct training *t);

/* Network I's best weights so far, the training's own; NULL: it has not been judged yet. */
size_t training_networks(const struct training *t);
const struct deepar *training_network(const struct training *t, size_t i);
double training_validation(const struct training *t, size_t i); /* its mean wQL */

#endif
