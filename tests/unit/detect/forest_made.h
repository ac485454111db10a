/* forest_made.h -- forests for tests: what they learn, and whether two are the same. */
#ifndef FOREBAY_TESTS_FOREST_MADE_H
#define FOREBAY_TESTS_FOREST_MADE_H

#include "common/base/buffer.h"
#include "common/base/cleanup.h"
#include "common/detect/forest_image.h"

DEFINE_CLEANUP(struct forest, forest_free)

struct forest *forest_of(int trees, int sample, int columns, int shingle);
void add(struct forest *f, const double *row);
/* Seasons of other lengths, noise, other units; deterministic. */
void row_at(int i, int columns, double *row);
void learn(struct forest *f, int from, int to);
struct buffer image_of(const struct forest *f);
struct forest *forest_from(const struct buffer *image);
void assert_same_look(const struct forest *a, const struct forest *b, const double *row);
void assert_same_image(const struct forest *a, const struct forest *b);

#endif
