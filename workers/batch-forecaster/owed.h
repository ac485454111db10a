/*
 * owed.h -- one step of a forecast whose value is not known yet, kept to be judged by it: what each member said, what came of it
 * and was sent, and what the rival would have said.  Floats relative to one base, never changed once made, shared by counted
 * reference: one thread.
 */
#ifndef FOREBAY_FORECASTER_OWED_H
#define FOREBAY_FORECASTER_OWED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/forecast/panel.h"
#include "workers/batch-forecaster/adopted.h"

struct owed;

/* A row, in the series' unit.  Quantiles ascend; n_levels of them each. */
struct owed_row {
	int64_t origin_us, start_us; /* of the forecast; of the step that is judged */
	uint32_t step, awake;        /* its number; bits of the members that took part */
	double scale;                /* of the series, > 0 */
	size_t n_levels;
	const double *combined, *sent; /* before and after calibration */
	const double *members;         /* [PANEL_MEMBERS][n_levels]; rows of sleeping members are not read */
	const double *rival;           /* NULL: it had nothing to say, or there was none */
};

/* VERSIONS (NULL is fine) gets one more owner.  *RET NULL: a number in it is not finite, so there is nothing to judge.  -1 on
 * NO_MEMORY. */
int owed_new(const struct owed_row *row, struct adopted *versions, struct owed **ret, struct err *err);

struct owed *owed_share(struct owed *o); /* one more owner; NULL is fine */
void owed_release(struct owed *o);       /* one owner less; NULL is fine */

/* Room for the numbers of a row. */
struct owed_room {
	double combined[ENSEMBLE_LEVELS_MAX], sent[ENSEMBLE_LEVELS_MAX], rival[ENSEMBLE_LEVELS_MAX],
	    members[PANEL_MEMBERS * ENSEMBLE_LEVELS_MAX];
};

/* The row, its numbers in ROOM; sleeping members' are 0. */
struct owed_row owed_look(const struct owed *o, struct owed_room *room);
const struct adopted *owed_versions(const struct owed *o);
int64_t owed_start(const struct owed *o);

/* Laid flat, to be stored. */
struct owed_flat {
	uint32_t bucket; /* the keeper's */
	int64_t origin_us, start_us;
	uint32_t step, awake, levels;
	double scale, base;
	bool has_rival;
	char *versions;
	size_t versions_len;
	float *numbers; /* combined, sent, members awake in their order, rival */
	size_t n_numbers;
};

/* Texts and arrays of the result are O's. */
struct owed_flat owed_lay(struct owed *o, uint32_t bucket);
/* -1 on STATE_CORRUPT, NO_MEMORY. */
int owed_restore(const struct owed_flat *f, struct owed **ret, struct err *err);

#endif
