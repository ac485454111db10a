/* forest_points.h -- a forest's store: the rows that its trees' places are in. */
#ifndef FOREBAY_DETECT_FOREST_POINTS_H
#define FOREBAY_DETECT_FOREST_POINTS_H

#include "common/detect/forest_parts.h"

struct forest_store *forest_store_new(uint32_t rows, int columns); /* empty; NULL: no memory */
void forest_store_release(struct forest_store *s);                 /* one owner less; NULL is fine */
size_t forest_store_bytes(uint32_t rows, int columns);

/* Of the N trees WHICH those that are shared become this forest's own; WHICH NULL: all.  -1: no memory. */
int forest_own_trees(struct forest *f, const uint8_t *which, int n);

/*
 * Before a row comes: room for the point that it will end.  What no place needs any more goes, when there is too little.
 * -1: no memory; nothing has changed then, or nothing that can be told from outside.
 */
int forest_points_reserve(struct forest *f);

/* The window, whose rows are all there, as a point: its place.  There is room. */
uint16_t forest_points_append(struct forest *f);

#endif
