/* engine_parts.h -- the inside of an engine, for its sources and their tests. */
#ifndef FOREBAY_FORECAST_ENGINE_PARTS_H
#define FOREBAY_FORECAST_ENGINE_PARTS_H

#include "common/forecast/engine.h"

#define ENGINE_SERIES 8 /* whose contexts are read together, at most */
#define ENGINE_CHUNK 31 /* steps of a context at a time; odd, so that series do not fall on the same sets of a cache */

/*
 * Weights of a layer, twice.  For the context, where the rows of a product are series or steps: turned, [k][gate][unit].  For
 * decoding, where columns are paths: [unit][k][4]; k runs over the inputs that differ between paths (of layer 0 the lags, the
 * longest first; above, all) and then over the layer's own h.  Gates i, f and o are halved everywhere, see kernel.h.
 */
struct engine_layer {
	size_t inputs, path_inputs;
	float *bias;    /* [4 hidden] */
	float *in, *hh; /* rows of `gates` */
	float *step;
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

struct engine {
	const struct deepar *model;
	const struct kernel *kernel;
	size_t paths, series;  /* series: at a time, at most ENGINE_SERIES */
	size_t hidden, stride; /* stride: hidden, rounded up to whole vectors */
	size_t gates;          /* 4 hidden, the same */
	struct engine_layer layers[DEEPAR_LAYERS_MAX];
	float *head, *head_bias;
	struct deepar_window windows[ENGINE_SERIES];

	/* the context: rows of CHUNK steps for each series; h has a row more, the first: before the chunk */
	float *x, *z;
	float *h[DEEPAR_LAYERS_MAX], *c[DEEPAR_LAYERS_MAX];
	float *ahead;                    /* [series][step][gates]: what all paths share of layer 0's gates */
	float *first[DEEPAR_LAYERS_MAX]; /* [series][gates]: of step 1, which all paths begin with the same h */

	struct engine_block block;
	float *samples; /* [series][horizon][paths], for quantiles */
	float *finite;
	int32_t *less;
	float *memory;
};

/* Tests: draw the mean instead; the parameters of each series' first path, [n][horizon][n_params]. */
struct engine_probe {
	bool mean;
	double *params; /* NULL: not wanted */
};

void engine_run(struct engine *e, const struct engine_request *requests, size_t n, size_t horizon,
		const struct engine_probe *probe, float *samples);

/* Read the contexts of N requests, at most e->series: h, c and ahead. */
void engine_read(struct engine *e, const struct engine_request *requests, size_t n, size_t horizon);

/* All paths of those, a block at a time. */
void engine_decode(struct engine *e, const struct engine_request *requests, size_t n, size_t horizon,
		   const struct engine_probe *probe, float *samples);

/* From the head's raw numbers to step K of the block: b->drawn, b->value and samples. */
void engine_draw(struct engine *e, const struct engine_request *requests, size_t k, size_t horizon,
		 const struct engine_probe *probe, float *samples);

#endif
