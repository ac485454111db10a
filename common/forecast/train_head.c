/*
 * train_head.c -- the end of a network in training: raw numbers of the head for all columns, likelihood, and back to the top
 * layer.  The likelihood is computed in double, one value at a time; all else are products over all columns.
 */
#include "common/forecast/train_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/forecast/head.h"

static const struct deepar_tensor *
head_tensor(const struct deepar *m, size_t i, const char *what)
{
	char name[48];

	snprintf(name, sizeof(name), "param_proj.proj.%zu.%s", i, what);
	return deepar_tensor_find(m, name);
}

/* g->raw: likelihood's inputs -> their gradient, of the mean over all positions and windows.  Returns the mean. */
static double
likelihood(struct gradient *g, const struct deepar *m)
{
	double sum = 0, share = 1 / ((double)g->steps * (double)(g->n ? g->n : 1));

	for (size_t at = 0; at < g->steps * g->columns; at++) {
		size_t b = at % g->columns;
		double raw[DEEPAR_PARAMS_MAX], slope[DEEPAR_PARAMS_MAX] = { 0 };

		if (b < g->n && !isnan(g->values[at])) {
			for (size_t i = 0; i < m->n_params; i++)
				raw[i] = (double)g->raw[i * g->ld + at];
			sum += head_nll_gradient(m->config.head, raw, g->scales[b], g->values[at], slope);
		}
		for (size_t i = 0; i < m->n_params; i++)
			g->raw[i * g->ld + at] = (float)(slope[i] * share);
	}
	return sum * share;
}

double
gradient_heads(struct gradient *g, const struct deepar *m, float *ret)
{
	const size_t hidden = (size_t)m->config.hidden, n = m->n_params, all = g->steps * g->columns, ld = g->ld;
	const float *top = g->layers[m->config.layers - 1].h;
	double loss;

	for (size_t i = 0; i < n; i++) {
		float bias = m->weights[head_tensor(m, i, "bias")->at];

		memcpy(g->head + i * hidden, m->weights + head_tensor(m, i, "weight")->at, hidden * sizeof(float));
		for (size_t k = 0; k < all; k++)
			g->raw[i * ld + k] = bias;
	}
	g->kernel->gemm_nn(n, all, hidden, g->head, hidden, top, ld, g->raw, ld, true);
	loss = likelihood(g, m);
	g->kernel->gemm_tn(hidden, all, n, g->head, hidden, g->raw, ld, g->dh, ld, false);
	g->kernel->gemm_nt(n, hidden, all, g->raw, ld, top, ld, g->head, hidden, false);
	for (size_t i = 0; i < n; i++) {
		memcpy(ret + head_tensor(m, i, "weight")->at, g->head + i * hidden, hidden * sizeof(float));
		ret[head_tensor(m, i, "bias")->at] = gradient_sum(g->raw + i * ld, all);
	}
	return loss;
}
