/*
 * head.c -- a table of heads.  A likelihood is written in the parameters; what it means for the raw numbers follows from the
 * map: every softplus has the logistic function as its derivative.
 *
 * Positive parameters are at least FLT_EPSILON, as GluonTS has it for Student t's scale; there the derivative is 0.
 *
 * Draws: normal by G. Box and M. Muller, "A note on the generation of random normal deviates", Ann. Math. Stat. 29, 1958;
 * Student t by R. Bailey, "Polar generation of random variates with the t-distribution", Math. Comp. 62, 1994; gamma by
 * G. Marsaglia and W. W. Tsang, "A simple method for generating gamma variables", ACM TOMS 26(3), 2000; Poisson by W. Hormann,
 * "The transformed rejection method for generating Poisson random variables", Insurance: Math. Econ. 12, 1993.
 */
#include "common/forecast/head.h"

#include <float.h>
#include <math.h>

#include "common/forecast/special.h"

#define LN_PI 1.1447298858494002
#define LN_2PI 1.8378770664093453
#define TWO_PI 6.283185307179586
#define BETA_EDGE 1e-6 /* values are kept so far away from 0 and 1 */

enum map { MAP_NONE, MAP_SOFTPLUS };

struct uniforms {
	double (*next)(void *stream);
	void *stream;
};

struct head {
	size_t n;
	struct {
		const char *name;
		enum map map;
		double offset;
	} params[DEEPAR_PARAMS_MAX];
	/* -ln p; with D, the derivatives by the parameters too. */
	double (*nll)(const double *p, double scale, double value, double *d);
	double (*mean)(const double *p, double scale);
	double (*draw)(const double *p, double scale, struct uniforms *u);
};

/* ---- likelihoods ---- */

static double
student_nll(const double *p, double scale, double value, double *d)
{
	double nu = p[0], sigma = p[2], u = (value / scale - p[1]) / sigma, u2 = u * u;
	double half = special_lgamma(nu / 2) - special_lgamma((nu + 1) / 2), spread = log1p(u2 / nu);

	if (d) {
		double pull = (nu + 1) / (nu + u2);

		d[0] =
		    0.5 * (1 / nu + special_digamma(nu / 2) - special_digamma((nu + 1) / 2) + spread - pull * u2 / nu);
		d[1] = -pull * u / sigma;
		d[2] = (1 - pull * u2) / sigma;
	}
	return log(sigma) + 0.5 * (log(nu) + LN_PI) + half + (nu + 1) / 2 * spread + log(scale);
}

static double
normal_nll(const double *p, double scale, double value, double *d)
{
	double sigma = p[1], u = (value / scale - p[0]) / sigma;

	if (d) {
		d[0] = -u / sigma;
		d[1] = (1 - u * u) / sigma;
	}
	return 0.5 * (u * u + LN_2PI) + log(sigma) + log(scale);
}

static double
count_nll(const double *p, double scale, double value, double *d)
{
	double r = p[0], l = p[1] + log(scale), y = fmax(value, 0);

	if (d) {
		d[0] = special_softplus(l) - special_digamma(r + y) + special_digamma(r);
		d[1] = r * special_sigmoid(l) - y * special_sigmoid(-l);
	}
	return r * special_softplus(l) + y * special_softplus(-l) - special_lgamma(r + y) + special_lgamma(1 + y) +
	       special_lgamma(r);
}

static double
beta_nll(const double *p, double scale, double value, double *d)
{
	double a = p[0], b = p[1], x = fmin(fmax(value, BETA_EDGE), 1 - BETA_EDGE);

	if (d) {
		double both = special_digamma(a + b);

		d[0] = special_digamma(a) - both - log(x);
		d[1] = special_digamma(b) - both - log1p(-x);
	}
	return (1 - a) * log(x) + (1 - b) * log1p(-x) + special_lgamma(a) + special_lgamma(b) - special_lgamma(a + b);
}

static double
student_mean(const double *p, double scale)
{
	return p[1] * scale;
}

static double
normal_mean(const double *p, double scale)
{
	return p[0] * scale;
}

static double
count_mean(const double *p, double scale)
{
	return p[0] * exp(p[1] + log(scale));
}

static double
beta_mean(const double *p, double scale)
{
	return p[0] / (p[0] + p[1]);
}

/* ---- draws ---- */

static double
uniform(struct uniforms *u)
{
	return u->next(u->stream);
}

static double
draw_normal(struct uniforms *u)
{
	double radius = sqrt(-2 * log(uniform(u)));

	return radius * cos(TWO_PI * uniform(u));
}

/* ln of a gamma variate of SHAPE and rate 1: tiny shapes give numbers that have only a logarithm. */
static double
draw_log_gamma(double shape, struct uniforms *u)
{
	double lift = shape < 1 ? log(uniform(u)) / shape : 0;
	double d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3, c = 1 / sqrt(9 * d);

	for (;;) {
		double x = draw_normal(u), v = 1 + c * x;

		if (v <= 0)
			continue;
		v = v * v * v;
		if (log(uniform(u)) < 0.5 * x * x + d - d * v + d * log(v))
			return log(d * v) + lift;
	}
}

/* Few: count arrivals until time is up. */
static double
draw_poisson_few(double mean, struct uniforms *u)
{
	double time = -log(uniform(u)), k = 0;

	for (; time < mean; k++)
		time -= log(uniform(u));
	return k;
}

static double
draw_poisson(double mean, struct uniforms *u)
{
	double root = sqrt(mean), b = 0.931 + 2.53 * root, a = -0.059 + 0.02483 * b;
	double inverse = 1.1239 + 1.1328 / (b - 3.4), quick = 0.9277 - 3.6224 / (b - 2);

	if (mean < 10)
		return draw_poisson_few(mean, u);
	/* So many that rounding would decide the rejections: the normal limit. */
	if (mean > 1e9)
		return floor(mean + root * draw_normal(u) + 0.5);
	for (;;) {
		double x = uniform(u) - 0.5, v = uniform(u), side = 0.5 - fabs(x);
		double k = floor((2 * a / side + b) * x + mean + 0.43);

		if (side >= 0.07 && v <= quick)
			return k;
		if (k < 0 || (side < 0.013 && v > side))
			continue;
		if (log(v * inverse / (a / (side * side) + b)) <= k * log(mean) - mean - special_lgamma(k + 1))
			return k;
	}
}

static double
student_draw(const double *p, double scale, struct uniforms *u)
{
	double x, y, w;

	do {
		x = 2 * uniform(u) - 1;
		y = 2 * uniform(u) - 1;
		w = x * x + y * y;
	} while (w > 1 || w == 0);
	/* nu (w^(-2 / nu) - 1), without loss where nu is large */
	return scale * (p[1] + p[2] * x * sqrt(p[0] * expm1(-2 / p[0] * log(w)) / w));
}

static double
normal_draw(const double *p, double scale, struct uniforms *u)
{
	return scale * (p[0] + p[1] * draw_normal(u));
}

static double
count_draw(const double *p, double scale, struct uniforms *u)
{
	double rate = exp(draw_log_gamma(p[0], u) + p[1] + log(scale));

	return isfinite(rate) ? draw_poisson(rate, u) : NAN;
}

static double
beta_draw(const double *p, double scale, struct uniforms *u)
{
	double a = draw_log_gamma(p[0], u), b = draw_log_gamma(p[1], u);

	return special_sigmoid(a - b);
}

/* ---- the table ---- */

static const struct head heads[HEAD_COUNT] = {
	[HEAD_STUDENT_T] = { 3,
			     { { "df", MAP_SOFTPLUS, 2 }, { "loc", MAP_NONE, 0 }, { "scale", MAP_SOFTPLUS, 0 } },
			     student_nll,
			     student_mean,
			     student_draw },
	[HEAD_NORMAL] = { 2,
			  { { "loc", MAP_NONE, 0 }, { "scale", MAP_SOFTPLUS, 0 } },
			  normal_nll,
			  normal_mean,
			  normal_draw },
	[HEAD_NEGATIVE_BINOMIAL] = { 2,
				     { { "total_count", MAP_SOFTPLUS, 0 }, { "logits", MAP_NONE, 0 } },
				     count_nll,
				     count_mean,
				     count_draw },
	[HEAD_BETA] = { 2,
			{ { "concentration1", MAP_SOFTPLUS, 0 }, { "concentration0", MAP_SOFTPLUS, 0 } },
			beta_nll,
			beta_mean,
			beta_draw },
};

size_t
head_params(enum deepar_head head)
{
	return heads[head].n;
}

const char *
head_param_name(enum deepar_head head, size_t i)
{
	return heads[head].params[i].name;
}

void
head_map(enum deepar_head head, const double *raw, double *params)
{
	const struct head *h = &heads[head];

	for (size_t i = 0; i < h->n; i++)
		params[i] = h->params[i].map == MAP_NONE
				? raw[i]
				: h->params[i].offset + fmax(special_softplus(raw[i]), (double)FLT_EPSILON);
}

double
head_nll(enum deepar_head head, const double *params, double scale, double value)
{
	return heads[head].nll(params, scale, value, NULL);
}

double
head_nll_gradient(enum deepar_head head, const double *raw, double scale, double value, double *gradient)
{
	const struct head *h = &heads[head];
	double params[DEEPAR_PARAMS_MAX] = { 0 }, nll;

	head_map(head, raw, params);
	nll = h->nll(params, scale, value, gradient);
	for (size_t i = 0; i < h->n; i++)
		if (h->params[i].map == MAP_SOFTPLUS)
			gradient[i] *= special_softplus(raw[i]) < (double)FLT_EPSILON ? 0 : special_sigmoid(raw[i]);
	return nll;
}

double
head_mean(enum deepar_head head, const double *params, double scale)
{
	return heads[head].mean(params, scale);
}

bool
head_supports(enum deepar_head head, double value)
{
	switch (head) {
	case HEAD_NEGATIVE_BINOMIAL: return value >= 0 && isfinite(value) && value == floor(value);
	case HEAD_BETA: return value > 0 && value < 1;
	default: return isfinite(value);
	}
}

double
head_nearest(enum deepar_head head, double value)
{
	if (value < 0 && (head == HEAD_NEGATIVE_BINOMIAL || head == HEAD_BETA))
		return 0;
	return value > 1 && head == HEAD_BETA ? 1 : value;
}

bool
head_covers(enum deepar_head head, double value)
{
	return isfinite(value) && (value >= 0 || (head != HEAD_NEGATIVE_BINOMIAL && head != HEAD_BETA)) &&
	       (value <= 1 || head != HEAD_BETA);
}

double
head_draw(enum deepar_head head, const double *params, double scale, double (*next)(void *stream), void *stream)
{
	struct uniforms u = { next, stream };

	for (size_t i = 0; i < heads[head].n; i++)
		if (!isfinite(params[i]))
			return NAN;
	return isfinite(scale) ? heads[head].draw(params, scale, &u) : NAN;
}
