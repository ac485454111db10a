/*
 * held.h -- a forecast as the scorer keeps it: floats relative to one base, never changed once made, shared by the copies of
 * a stream's state.  Counted without atomics: one thread.
 */
#ifndef FOREBAY_SCORER_HELD_H
#define FOREBAY_SCORER_HELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/base/span.h"
#include "common/record/forecast.h"

struct held;

/* The first MAX_STEPS steps of F.  -1 on RECORD_INVALID (more than MAX_LEVELS levels), NO_MEMORY. */
int held_new(const struct forecast *f, size_t max_steps, size_t max_levels, struct held **ret, struct err *err);
struct held *held_share(struct held *h); /* one more owner; NULL is fine */
void held_release(struct held *h);       /* one owner less; NULL is fine */

int64_t held_origin(const struct held *h);
int64_t held_end(const struct held *h); /* what it covers ends before */

/* Made on demand, in this process: any other that is of use takes its place. */
void held_mark(struct held *h); /* new, and not shared */
bool held_marked(const struct held *h);

/* A forecast laid flat, to be stored: the very numbers that are held. */
struct held_flat {
	int64_t origin_us, step_us;
	double base;
	float *levels, *rows; /* rows: n_levels quantiles for each step */
	char *model;
	size_t n_levels, n_numbers; /* n_numbers: in all rows */
	size_t model_len;
	bool ondemand;
};

/* Arrays of the result are H's. */
struct held_flat held_lay(struct held *h);

/* The same forecast again.  -1 on STATE_CORRUPT (no forecast is held that way), NO_MEMORY. */
int held_restore(const struct held_flat *flat, struct held **ret, struct err *err);

/* What a forecast says of one value. */
struct outlook {
	double p;                      /* two-sided tail probability */
	double expected, lower, upper; /* median, 5 % and 95 % quantiles (the outermost, where the levels end before) */
	int64_t origin_us;
	struct span model; /* "name/version", H's; "": not known */
};

/* False when H (NULL is fine) does not cover EVENT_US.  GRAIN >= 0: the least scale of a tail, in the value's unit. */
bool held_look(const struct held *h, int64_t event_us, double value, double grain, struct outlook *ret);

#endif
