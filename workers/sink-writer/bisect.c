/*
 * bisect.c -- from the first to the last, in steps that follow what was met.
 *
 * What failed together is halved until its first guilty one stands alone; what is left of the last two or three is tried
 * one by one, of the others nothing is known then.  The next step is half of the distance between the last two guilty
 * ones, and doubles with each success: few guilty ones are found by long steps, and where most are guilty the steps are
 * of one.  Halving all halves instead would try each innocent neighbour of a guilty one log2(n) times; here it is three
 * or four, however many there are.
 */
#include "workers/sink-writer/bisect.h"

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

int
bisect_run(const struct bisect *b, size_t first, size_t end, int known_bad, struct err *err)
{
	size_t bad = known_bad ? end : first; /* what failed together ends there */
	size_t step = end - first, innocent = 0;

	while (first < end) {
		size_t n = bad - first > 1 ? (bad - first) / 2 : bad > first ? 1 : least(step, end - first);
		struct err why = ERR_INIT;

		if (b->attempt(b->ctx, first, first + n, &why) == 0) {
			step = bad > first ? step : 2 * least(step, end - first);
			first += n;
			innocent += n;
			bad = bad > first ? bad : first;
			continue;
		}
		if (err_class(&why) != ERR_RECORD) {
			if (err)
				*err = why;
			return -1;
		}
		if (n > 1) {
			bad = first + n;
			continue;
		}
		if (b->guilty(b->ctx, first, &why, err) < 0)
			return -1;
		first++;
		bad = bad > first ? bad : first;
		step = innocent > 3 ? innocent / 2 : 1;
		innocent = 0;
	}
	return 0;
}
