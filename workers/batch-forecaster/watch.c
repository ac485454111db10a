/* watch.c -- see watch.h. */
#include "workers/batch-forecaster/watch.h"

#define LEARNING 10     /* losses of a part before the next one is judged by their mean */
#define MEMORY 1000     /* losses that a mean remembers */
#define UNUSUAL_MOST 10 /* one loss says no more than this */

static double
relative(double mean, double loss)
{
	if (mean > 0 && loss < UNUSUAL_MOST * mean)
		return loss / mean;
	return loss > 0 ? UNUSUAL_MOST : 1;
}

/* What LOSS adds to a mean of N: no more either, or one glitch would make all that comes after it small for thousands. */
static double
bounded(double mean, uint32_t n, double loss)
{
	return n > LEARNING && mean > 0 && loss > UNUSUAL_MOST * mean ? UNUSUAL_MOST * mean : loss;
}

bool
watch_add(struct watch *w, const struct page_hinkley_rule *rule, size_t bucket, double loss)
{
	double mean = w->means[bucket];
	uint32_t n = w->counts[bucket];

	if (n < MEMORY)
		w->counts[bucket] = ++n;
	w->means[bucket] += (bounded(mean, n, loss) - mean) / n;
	if (n <= LEARNING || !page_hinkley_add(&w->test, rule, relative(mean, loss)))
		return false;
	*w = (struct watch){ 0 };
	return true;
}
