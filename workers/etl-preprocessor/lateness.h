/*
 * lateness.h -- are most readings late?  Then it is not disorder that lateness.ms could bear: a file in another order than that
 * of time, say, of which next to nothing comes into the series.
 */
#ifndef FOREBAY_ETL_LATENESS_H
#define FOREBAY_ETL_LATENESS_H

#include <stdbool.h>
#include <stdint.h>

#define LATENESS_READINGS 200 /* are looked at together */

struct lateness {
	int64_t readings, late;
};

/*
 * So many more readings, and how many of them were late.  True: of those in L, LATENESS_READINGS or more, most were; the caller
 * says so, or not, and starts again with zeros.
 */
bool lateness_add(struct lateness *l, int64_t readings, int64_t late);

#endif
