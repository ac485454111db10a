/*
 * deepar_trace.c -- the network read along one window, in double precision and in the order of the formulas: slow, and what the
 * fast ways are measured by.
 *
 *	z = W_ih x + b_ih + W_hh h + b_hh, rows i, f, g, o
 *	c = sigmoid(f) c + sigmoid(i) tanh(g)
 *	h = sigmoid(o) tanh(c)
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/forecast/deepar.h"
#include "common/forecast/head.h"

/* What is kept from one position to the next. */
struct memory {
	double *h, *c; /* layers x hidden */
	double *z;     /* 4 x hidden */
	double *in;    /* as wide as the widest layer's input */
	float *x;      /* n_inputs */
};

static double
sigmoid(double x)
{
	return 1 / (1 + exp(-x));
}

static double
dot(const float *w, const double *x, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += w[i] * x[i];
	return sum;
}

static void
layer_step(const struct deepar_layer *l, size_t hidden, const double *in, double *z, double *h, double *c)
{
	for (size_t r = 0; r < 4 * hidden; r++)
		z[r] = dot(l->weight_ih + r * l->inputs, in, l->inputs) + l->bias_ih[r] +
		       dot(l->weight_hh + r * hidden, h, hidden) + l->bias_hh[r];
	for (size_t k = 0; k < hidden; k++) {
		c[k] = sigmoid(z[hidden + k]) * c[k] + sigmoid(z[k]) * tanh(z[2 * hidden + k]);
		h[k] = sigmoid(z[3 * hidden + k]) * tanh(c[k]);
	}
}

/* Read memory->x; the top layer's state. */
static const double *
network_step(const struct deepar *m, struct memory *memory)
{
	size_t hidden = (size_t)m->config.hidden;
	double *h = memory->h;

	for (size_t i = 0; i < m->n_inputs; i++)
		memory->in[i] = memory->x[i];
	for (int32_t i = 0; i < m->config.layers; i++) {
		struct deepar_layer l = deepar_layer(m, i);

		h = memory->h + (size_t)i * hidden;
		layer_step(&l, hidden, memory->in, memory->z, h, memory->c + (size_t)i * hidden);
		memcpy(memory->in, h, hidden * sizeof(double));
	}
	return h;
}

static void
read_head(const struct deepar *m, const double *h, double *params)
{
	size_t hidden = (size_t)m->config.hidden;
	double raw[DEEPAR_PARAMS_MAX] = { 0 };

	for (size_t i = 0; i < m->n_params; i++)
		raw[i] = dot(m->weights + m->tensors[2 * i].at, h, hidden) + m->weights[m->tensors[2 * i + 1].at];
	head_map(m->config.head, raw, params);
}

/* Of the point that position T forecasts. */
static double
nll_at(const struct deepar *m, const struct deepar_window *w, size_t t, const double *params)
{
	size_t context = (size_t)m->config.context;
	double value;

	if (!w->observed[t + 1])
		return 0;
	value = t + 1 < context ? w->past[m->past - context + t + 1] * w->scale : w->future[t + 1 - context];
	return head_nll(m->config.head, params, w->scale, value);
}

int
deepar_trace(const struct deepar *m, const struct deepar_window *w, struct deepar_trace *ret, struct err *err)
{
	size_t n = (size_t)m->config.context + (size_t)m->config.horizon - 1, hidden = (size_t)m->config.hidden;
	size_t states = (size_t)m->config.layers * hidden, widest = m->n_inputs > hidden ? m->n_inputs : hidden;
	CLEANUP(heap_free) double *block = calloc(2 * states + 4 * hidden + widest, sizeof(double));
	CLEANUP(heap_free) float *x = calloc(m->n_inputs, sizeof(float));
	struct memory memory;
	double sum = 0;

	if (!block || !x)
		return err_set(err, REASON_NO_MEMORY, "a trace of %zu states", states);
	memory = (struct memory){ .h = block, .c = block + states, .z = block + 2 * states, .x = x };
	memory.in = memory.z + 4 * hidden;
	for (size_t t = 0; t < n; t++) {
		const double *h;
		double nll;

		deepar_window_input(m, w, t, x);
		h = network_step(m, &memory);
		if (ret->hidden)
			memcpy(ret->hidden + t * hidden, h, hidden * sizeof(double));
		read_head(m, h, ret->params + t * m->n_params);
		nll = nll_at(m, w, t, ret->params + t * m->n_params);
		if (ret->nll)
			ret->nll[t] = nll;
		sum += nll;
	}
	ret->loss = sum / (double)n;
	return 0;
}
