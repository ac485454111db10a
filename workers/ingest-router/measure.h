/* measure.h -- one value of a message as a value of a reading, with its quality. */
#ifndef FOREBAY_INGEST_ROUTER_MEASURE_H
#define FOREBAY_INGEST_ROUTER_MEASURE_H

#include "common/record/reading.h"
#include "workers/ingest-router/pathmap.h"

/*
 * Fill value, quality and text of *RET from what stands at FROM, which is not SCAN_ABSENT.  The text of a bad value is at
 * most 256 bytes, whole UTF-8 characters, without NUL (U+FFFD stands for it); it may be in ARENA.  -1 on NO_MEMORY.
 */
int measure_take(const struct measure *m, const struct reference *from, const struct place *at, struct arena *arena,
		 struct reading_value *ret, struct err *err);

/* The same value, refused with QUALITY. */
int measure_refuse(const struct reference *from, const struct place *at, enum quality quality, struct arena *arena,
		   struct reading_value *ret, struct err *err);

#endif
