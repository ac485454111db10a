/*
 * head.h -- the distributions that a network can end in.  A head has n raw numbers (one Linear each, in the order of
 * PyTorch's args_dim), a map from them to parameters, a likelihood with derivatives, and a way to draw.
 *
 *	head			raw			parameters			value
 *	Student t		df, loc, scale		nu = 2 + softplus, mu, sigma	scale * T
 *	normal			loc, scale		mu, sigma = softplus		scale * N
 *	negative binomial	total_count, logits	r = softplus, logits		logits + ln(scale): a count
 *	beta			concentration1, concentration0	a, b = softplus		in (0, 1); scale has no part in it
 *
 * Formulas: gluonts/torch/distributions; PyTorch's studentT, negative_binomial, beta.  `scale` is the window's, > 0.
 */
#ifndef FOREBAY_FORECAST_HEAD_H
#define FOREBAY_FORECAST_HEAD_H

#include "common/forecast/deepar.h"

size_t head_params(enum deepar_head head);
const char *head_param_name(enum deepar_head head, size_t i); /* "df" */

void head_map(enum deepar_head head, const double *raw, double *params);

/* -ln p(VALUE), VALUE in the series' own unit.  A value outside the support (a negative count) is clamped into it. */
double head_nll(enum deepar_head head, const double *params, double scale, double value);

/* The same; and d nll / d raw[i]. */
double head_nll_gradient(enum deepar_head head, const double *raw, double scale, double value, double *gradient);

double head_mean(enum deepar_head head, const double *params, double scale);

/* True: VALUE can come from this head ("a count", "in (0, 1)"). */
bool head_supports(enum deepar_head head, double value);
/* True: VALUE is at least in the range of that, ends and what lies between counts included: a gap may have been filled by 3.5. */
bool head_covers(enum deepar_head head, double value);
/* The nearest number that head_covers(); NaN stays. */
double head_nearest(enum deepar_head head, double value);

/* Draw by U: a stream of numbers in (0, 1) of which as many are taken as needed. */
double head_draw(enum deepar_head head, const double *params, double scale, double (*uniform)(void *stream),
		 void *stream);

#endif
