/* fit.h -- which of PostgreSQL's types a column may have, so that nothing of its field is lost on the way. */
#ifndef FOREBAY_SINK_FIT_H
#define FOREBAY_SINK_FIT_H

#include <stdbool.h>

#include "workers/sink-writer/rows.h"

/*
 * May a field of W be cast to the type that pg_type calls TYPNAME, with the modifier TYPMOD (-1: none)?  True when each
 * value comes out as it was, or is refused by the database (too long, too large): then it is a dead letter.  COMPARED: rows
 * are told apart or ordered by the column, so that its values have to compare as the field's do.  Pure.
 */
bool fit_holds(enum wire w, const char *typname, int typmod, bool compared);

#endif
