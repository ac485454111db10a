/*
 * units.h -- the units that the readings of a series name.
 *
 * A unit begins at the event time of the first reading that names it, so that those that still wait have to bring theirs along: as a
 * byte, its number among the names in cleaner.unit.  Hardly ever is there more than one.
 */
#ifndef FOREBAY_ETL_UNITS_H
#define FOREBAY_ETL_UNITS_H

#include "workers/etl-preprocessor/cleaner.h"

#define UNITS_MAX UINT8_MAX

/*
 * The number of UNIT (without a NUL in it), from 1; it is known from now on.  0: SPAN_NONE, or more units at a time than
 * UNITS_MAX, which is taken for none.  -1 when memory is out.
 */
int units_number(struct cleaner *c, struct span unit, uint8_t *number);

/* Forget the names that are neither in force nor brought by a reading that waits; numbers change. */
void units_prune(struct cleaner *c);

/* The unit of the readings in step and window; SPAN_NONE. */
struct span units_in_force(const struct cleaner *c);

/* How many names there are; the empty text is one, too. */
size_t units_known(const struct cleaner *c);

#endif
