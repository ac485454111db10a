/*
 * evidence.c -- losses from residuals.  Of a short history only its end counts, as of the fitted rules: rules are compared by
 * what they lost at the same time.
 */
#include "common/forecast/evidence.h"

#include <math.h>

#include "common/forecast/residual.h"

#define DECILES 10

double
evidence_loss(const struct spread *s)
{
	double sum = 0;

	for (int decile = 1; decile < DECILES; decile++) {
		double level = (double)decile / DECILES, said = spread_quantile(s, level);

		for (size_t i = 0; i < s->n; i++) {
			double miss = s->sorted[i] - said;

			sum += miss >= 0 ? level * miss : (level - 1) * miss;
		}
	}
	return sum / ((DECILES - 1) * (double)s->n);
}

/* What LAG missed among the places FROM to the end; how many. */
static size_t
residuals_of(const struct classical_input *in, size_t season, size_t lag, size_t from, double *residuals)
{
	size_t n = 0, first = from > lag ? from : lag;
	size_t stride = past_stride(in->n - first, RESIDUAL_ORIGINS_MAX, season);

	for (size_t t = first; t < in->n && n < RESIDUAL_ORIGINS_MAX; t += stride) {
		double miss = in->history[t] - in->history[t - lag];

		if (isfinite(miss))
			residuals[n++] = miss;
	}
	return n;
}

void
evidence_naive(const struct classical_input *in, size_t season, size_t window, double *losses)
{
	size_t from = in->n - past_tail(in->n), known = 0; /* known: the lag that the last loss is of */
	double residuals[RESIDUAL_ORIGINS_MAX];
	struct spread s;

	if (in->n > window && in->n - window > from)
		from = in->n - window;
	for (size_t h = 1; h <= in->horizon; h++) {
		size_t lag = season * ((h - 1) / season + 1), n;

		if (lag >= in->n)
			return;
		if (known == lag) {
			losses[h - 1] = losses[h - 2];
			continue;
		}
		known = lag;
		n = residuals_of(in, season, lag, from, residuals);
		if (n < RESIDUAL_FEW)
			continue;
		residual_sort(residuals, n);
		s = spread_of(residuals, n, INFINITY, INFINITY); /* as they were: it is not on trial how wide */
		losses[h - 1] = evidence_loss(&s);
	}
}

double
evidence_cycles(const struct classical_input *in)
{
	double horizon = (double)in->horizon, longer = fmax(horizon, (double)in->season);

	return fmin((double)past_tail(in->n), (double)(residual_window(in) + in->horizon)) / sqrt(longer * horizon);
}
