/* levels.c -- two ascending lists become one. */
#include "cli/levels.h"

#include <math.h>

void
levels_join(const double *asked, size_t n_asked, const double *usual, size_t n_usual, struct levels *ret)
{
	size_t a = 0, u = 0;

	*ret = (struct levels){ 0 };
	while (a < n_asked || u < n_usual) {
		double level = fmin(a < n_asked ? asked[a] : 1, u < n_usual ? usual[u] : 1);

		if (ret->n == ENSEMBLE_LEVELS_MAX) {
			levels_join(asked, n_asked, asked, n_asked, ret);
			return;
		}
		if (a < n_asked && asked[a] == level) {
			ret->asked[ret->n_asked++] = ret->n;
			a++;
		}
		if (u < n_usual && usual[u] == level) {
			ret->mean[ret->n_mean++] = ret->n;
			u++;
		}
		ret->all[ret->n++] = level;
	}
}

double
levels_mean(const struct levels *l, const double *row)
{
	double sum = 0, below = 0;

	for (size_t i = 0; i < l->n_mean; i++) {
		const double *level = l->all,
			     above = i + 1 < l->n_mean ? (level[l->mean[i]] + level[l->mean[i + 1]]) / 2 : 1;

		sum += row[l->mean[i]] * (above - below);
		below = above;
	}
	return sum;
}
