/*
 * simplex.c -- J. A. Nelder and R. Mead, "A Simplex Method for Function Minimization", The Computer Journal 7(4), 1965, with the
 * usual factors 1, 2, 1/2, 1/2.  Ours: every trial point is moved into the box first.
 */
#include "common/forecast/simplex.h"

#include <math.h>
#include <string.h>

struct vertex {
	double x[SIMPLEX_MAX], loss;
};

static void
measure(const struct simplex_problem *p, struct vertex *v)
{
	for (size_t i = 0; i < p->n; i++)
		v->x[i] = fmin(fmax(v->x[i], p->low[i]), p->high[i]);
	v->loss = p->loss(p->context, v->x);
	if (isnan(v->loss))
		v->loss = INFINITY;
}

/* CENTRE + by * (CENTRE - WORST) */
static struct vertex
beyond(const struct simplex_problem *p, const double *centre, const struct vertex *worst, double by)
{
	struct vertex v = { 0 };

	for (size_t i = 0; i < p->n; i++)
		v.x[i] = centre[i] + by * (centre[i] - worst->x[i]);
	measure(p, &v);
	return v;
}

static void
sort(struct vertex *v, size_t n)
{
	for (size_t i = 1; i < n; i++)
		for (size_t j = i; j && v[j].loss < v[j - 1].loss; j--) {
			struct vertex held = v[j];

			v[j] = v[j - 1];
			v[j - 1] = held;
		}
}

/* Replace the worst of the sorted N + 1 vertices, or shrink all towards the best; how many evaluations it took. */
static size_t
improve(const struct simplex_problem *p, struct vertex *v)
{
	double centre[SIMPLEX_MAX] = { 0 };
	struct vertex *worst = &v[p->n], mirrored, other;

	for (size_t i = 0; i < p->n; i++)
		for (size_t k = 0; k < p->n; k++)
			centre[i] += v[k].x[i] / (double)p->n;
	mirrored = beyond(p, centre, worst, 1);
	if (mirrored.loss < v[p->n - 1].loss && mirrored.loss >= v[0].loss) {
		*worst = mirrored;
		return 1;
	}
	other = beyond(p, centre, worst, mirrored.loss < v[0].loss ? 2 : mirrored.loss < worst->loss ? .5 : -.5);
	if (other.loss < fmin(mirrored.loss, worst->loss) || mirrored.loss < v[0].loss) {
		*worst = other.loss < mirrored.loss ? other : mirrored;
		return 2;
	}
	for (size_t k = 1; k <= p->n; k++) {
		for (size_t i = 0; i < p->n; i++)
			v[k].x[i] = (v[k].x[i] + v[0].x[i]) / 2;
		measure(p, &v[k]);
	}
	return 2 + p->n;
}

double
simplex_minimise(const struct simplex_problem *p, double *x)
{
	struct vertex v[SIMPLEX_MAX + 1] = { 0 };
	size_t used = p->n + 1;

	for (size_t k = 0; k <= p->n; k++) {
		memcpy(v[k].x, x, p->n * sizeof(*x));
		if (k)
			v[k].x[k - 1] += x[k - 1] + p->step[k - 1] > p->high[k - 1] ? -p->step[k - 1] : p->step[k - 1];
		measure(p, &v[k]);
	}
	sort(v, p->n + 1);
	while (used < p->evaluations && !(v[p->n].loss - v[0].loss <= p->tolerance * v[0].loss)) {
		used += improve(p, v);
		sort(v, p->n + 1);
	}
	memcpy(x, v[0].x, p->n * sizeof(*x));
	return v[0].loss;
}
