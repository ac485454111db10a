/*
 * train_adam.c -- D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR 2015, as torch.optim.Adam has it:
 * weight decay is added to the gradient, the gradient is clipped by its norm over all weights before that.
 */
#include "common/forecast/train_parts.h"

#include <math.h>

double
adam_step(const struct adam_rule *rule, uint64_t step, size_t n, float *weights, float *m, float *v, float *gradient)
{
	static const float beta1 = 0.9f, beta2 = 0.999f;
	double squares = 0, norm, factor;
	float scale, decay = (float)rule->weight_decay, rate, root;

	for (size_t i = 0; i < n; i++)
		squares += (double)gradient[i] * (double)gradient[i];
	norm = sqrt(squares);
	factor = rule->clip / (norm + 1e-6);
	scale = (float)(factor < 1 ? factor : 1);
	rate = (float)(rule->rate / (1 - pow(0.9, (double)step)));
	root = (float)sqrt(1 - pow(0.999, (double)step));
	for (size_t i = 0; i < n; i++) {
		float g = gradient[i] * scale;

		gradient[i] = g;
		g += decay * weights[i];
		m[i] += (1 - beta1) * (g - m[i]);
		v[i] = beta2 * v[i] + (1 - beta2) * (g * g);
		weights[i] -= rate * m[i] / (sqrtf(v[i]) / root + 1e-8f);
	}
	return norm;
}
