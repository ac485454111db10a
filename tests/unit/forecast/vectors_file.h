/*
 * vectors_file.h -- reference vectors of another implementation: a JSON file as a network with its weights and the series that
 * its expectations were computed from.  For tests; what is broken in a file ends the program with a message.
 *
 *	const char *folder = vectors_folder();		FOREBAY_TEST_VECTORS, else ../shared/vectors; NULL: missing, said so
 *	struct vectors *v;
 *
 *	if (!folder)
 *		return 77;
 *	v = vectors_load(folder, vectors_names[i]);
 *	deepar_window_fill(v->model, &v->targets[0], v->split[0], &window);
 *	grads = vectors_numbers(v, "expected/grads/rnn.weight_ih_l0", &n);	free(grads)
 *	vectors_free(v);
 *
 * Needs jansson.  Windows are cut `horizon` before the end of a series.
 */
#ifndef FOREBAY_TESTS_VECTORS_FILE_H
#define FOREBAY_TESTS_VECTORS_FILE_H

#include <jansson.h>
#include <stddef.h>

#include "common/forecast/deepar.h"

#define VECTORS_SERIES_MAX 4

struct vectors {
	json_t *root;
	struct deepar *model;
	size_t n; /* series */
	struct target targets[VECTORS_SERIES_MAX];
	size_t split[VECTORS_SERIES_MAX];
	double *values[VECTORS_SERIES_MAX], *reals[VECTORS_SERIES_MAX], *dynamic[VECTORS_SERIES_MAX];
	const double **features[VECTORS_SERIES_MAX];
	int32_t cats[VECTORS_SERIES_MAX][DEEPAR_CATS_MAX];
};

/* The files that hold a network; NULL at the end. */
extern const char *const vectors_names[];

const char *vectors_folder(void);
json_t *vectors_json(const char *folder, const char *name);
struct vectors *vectors_load(const char *folder, const char *name);
void vectors_free(struct vectors *v);

/* What lies at PATH ("expected/nll", a part that is a number is an index), flat; null is NaN.  The caller frees it. */
double *vectors_numbers(const struct vectors *v, const char *path, size_t *n);
double *vectors_flat(const json_t *value, size_t *n);

/* Such a path must exist. */
const json_t *vectors_at(const json_t *root, const char *path);

/* "2024-02-27 21:00" or "2019-12-29", UTC: microseconds. */
int64_t vectors_time(const char *text);

#endif
