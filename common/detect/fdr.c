/*
 * fdr.c -- LORD++ with geometric weights.  A. Ramdas, F. Yang, M. Wainwright, M. Jordan, "Online control of the false discovery
 * rate with decaying memory", NIPS 2017.
 *
 * LORD++ spends alpha * gamma_j on the j-th test after each discovery, the gammas adding up to 1; with gamma_j falling like
 * (1 - 1/memory)^j the sum over all discoveries is one number that decays.  Published gammas die out -- 1e-8 after ten thousand
 * tests without a discovery -- and then nothing is found any more; an income, as of FDR_INCOME discoveries in each memory, takes
 * the place of the initial wealth.  Ours: the number kept is what exceeds the wealth that the income holds up by itself.
 */
#include "common/detect/fdr.h"

#define FEWEST 20 /* tests that wealth is spread over, however young the stream */

static double
memory_of(const struct fdr *f, const struct fdr_options *o)
{
	double tests = f->tests > FEWEST ? f->tests : FEWEST;

	return tests < o->memory_values ? tests : o->memory_values;
}

double
fdr_threshold(const struct fdr *f, const struct fdr_options *o)
{
	double threshold;

	if (o->level <= 0)
		return 1;
	threshold = (o->level * FDR_INCOME + (double)f->surplus) / memory_of(f, o);
	return threshold < 1 ? threshold : 1;
}

void
fdr_tested(struct fdr *f, const struct fdr_options *o, bool was_one)
{
	if (o->level <= 0)
		return;
	f->surplus -= (float)((double)f->surplus / memory_of(f, o));
	if (was_one)
		f->surplus += (float)o->level;
	f->tests += f->tests < UINT32_MAX;
}
