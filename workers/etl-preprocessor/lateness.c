/* lateness.c -- readings in rows of LATENESS_READINGS. */
#include "workers/etl-preprocessor/lateness.h"

bool
lateness_add(struct lateness *l, int64_t readings, int64_t late)
{
	l->readings += readings;
	l->late += late;
	if (l->readings < LATENESS_READINGS)
		return false;
	if (l->late > l->readings / 2)
		return true;
	*l = (struct lateness){ 0 };
	return false;
}
