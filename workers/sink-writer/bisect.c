/* bisect.c -- binary splitting for group testing (F. K. Hwang, "A Method for Detecting All Defective Members in a
 * Population by Group Testing", JASA 67, 1972, in its simplest form).  Recursion is log2(n) deep. */
#include "workers/sink-writer/bisect.h"

int
bisect_run(const struct bisect *b, size_t first, size_t end, int known_bad, struct err *err)
{
	size_t middle = first + (end - first) / 2;
	struct err why = ERR_INIT;

	if (first >= end)
		return 0;
	if (!known_bad || end - first == 1) {
		if (b->attempt(b->ctx, first, end, &why) == 0)
			return 0;
		if (err_class(&why) != ERR_RECORD) {
			if (err)
				*err = why;
			return -1;
		}
		if (end - first == 1)
			return b->guilty(b->ctx, first, &why, err);
	}
	return bisect_run(b, first, middle, 0, err) < 0 ? -1 : bisect_run(b, middle, end, 0, err);
}
