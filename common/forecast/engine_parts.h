/* engine_parts.h -- the inside of an engine, for its sources and their tests. */
#ifndef FOREBAY_FORECAST_ENGINE_PARTS_H
#define FOREBAY_FORECAST_ENGINE_PARTS_H

#include "common/forecast/engine.h"

#define ENGINE_SERIES 8 /* whose paths are drawn together, at most */
#define ENGINE_READ 64  /* whose contexts are read together, at most */
#define ENGINE_WIDE 24  /* so many or more are read side by side */
#define ENGINE_CHUNK 31 /* steps of a context at a time; odd, so that series do not fall on the same sets of a cache */

/*
 * Weights of a layer, twice.  For the contexts of few series, where the rows of a product are series or steps: turned,
 * [k][gate][unit].  Where columns are paths or series: [unit][k][4]; k runs over the inputs and then over the layer's own h.
 * Inputs of `wide`: all, in their order; of `step`: those that differ between paths, of layer 0 the lags, the longest first;
 * above, all, so that the two are one.  Gates are in units of their exponents everywhere, see kernel.h.
 */
struct engine_layer {
	size_t inputs, path_inputs;
	float *bias;    /* [4 hidden] */
	float *in, *hh; /* rows of `gates` */
	float *step, *wide;
};

/*
 * Some columns carried through the horizon: paths of one series or of neighbouring ones.  Rows are `ld` apart.
 *
 * What a layer takes at a step must lie in one piece: the new h of the layer below and the old one of its own.  So there are
 * two chains, lags | h of layer 0 | of layer 1 | ..., where the h of neighbouring layers are of neighbouring steps.
 */
struct engine_block {
	size_t at, width; /* the first column; multiple of KERNEL_COLUMNS, what is beyond the last path repeats that */
	size_t used;      /* columns that are paths */
	size_t runs;      /* of columns of the same series */
	size_t start[ENGINE_SERIES], series[ENGINE_SERIES];
	size_t ld;
	float *chain[2];
	float *c[DEEPAR_LAYERS_MAX];
	float *base, *raw, *u, *v, *scale;
	float *drawn; /* a row a step: values divided by scale */
	float *value; /* of this step, in the series' unit */
	uint64_t *path, *key;
};

/*
 * The contexts of many series, as columns; rows are ENGINE_READ apart.  Chains as those of a block, with all inputs in front.
 */
struct engine_wide {
	float *past; /* a row for each point: the windows' pasts, turned */
	float *chain[2];
	float *c[DEEPAR_LAYERS_MAX];
};

struct engine {
	const struct deepar *model;
	const struct kernel *kernel;
	size_t paths, series;  /* series: drawn at a time, at most ENGINE_SERIES */
	size_t reads;          /* contexts at a time, at most ENGINE_READ */
	size_t hidden, stride; /* stride: hidden, rounded up to whole vectors */
	size_t gates;          /* 4 hidden, the same */
	struct engine_layer layers[DEEPAR_LAYERS_MAX];
	float *head, *head_bias;
	struct deepar_window windows[ENGINE_READ];

	/* what the contexts have left: a row of `stride` for each series */
	float *state_h[DEEPAR_LAYERS_MAX], *state_c[DEEPAR_LAYERS_MAX];

	/* contexts of few: rows of CHUNK steps for each series; h has a row more, the first: before the chunk */
	float *x, *z;
	float *h[DEEPAR_LAYERS_MAX];
	struct engine_wide wide; /* of many */

	/* of those being drawn, which are the windows from `first` on */
	size_t first;
	float *ahead;                    /* [series][step][gates]: what all paths share of layer 0's gates */
	float *begin[DEEPAR_LAYERS_MAX]; /* [series][gates]: of step 1, which all paths begin with the same h */

	struct engine_block block;
	float *samples; /* [series][horizon][paths], for quantiles */
	float *sorted;  /* [paths][KERNEL_COLUMNS]: some rows of them */
	float *memory;
};

/* Tests: draw the mean instead; the parameters of each series' first path, [n][horizon][n_params]. */
struct engine_probe {
	bool mean;
	double *params; /* NULL: not wanted */
};

void engine_run(struct engine *e, const struct engine_request *requests, size_t n, size_t horizon,
		const struct engine_probe *probe, float *samples);

/* Read the contexts of N requests, at most e->reads: windows and states. */
void engine_read(struct engine *e, const struct engine_request *requests, size_t n);

/* The same from filled windows, side by side; to the bit what reading them one by one gives. */
void engine_read_wide(struct engine *e, size_t n);

/* What the paths of N series from window FIRST on share of the steps before HORIZON: ahead and begin.  N: at most e->series. */
void engine_ahead(struct engine *e, size_t first, size_t n, size_t horizon);

/* All paths of those, a block at a time. */
void engine_decode(struct engine *e, const struct engine_request *requests, size_t n, size_t horizon,
		   const struct engine_probe *probe, float *samples);

/* From the head's raw numbers to step K of the block: b->drawn, b->value and samples. */
void engine_draw(struct engine *e, const struct engine_request *requests, size_t k, size_t horizon,
		 const struct engine_probe *probe, float *samples);

#endif
