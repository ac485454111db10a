/*
 * forest_points.c -- points that follow each other share rows: of a point that comes k rows after the last stored one only k
 * rows are new.
 *
 * When the store is full it is tidied: rows that no place needs go, the others keep their order, so what overlaps goes on to.
 * A sixteenth more than what is left is the room till the next time.  If places would not fit into 16 bits, as with a sample of
 * points from far apart, points stop sharing rows and are counted as wholes.
 *
 * All of it depends on what the forest has seen, not on who else shares it: the same rows give the same store.
 */
#include "common/detect/forest_points.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/detect/forest_tree.h"

#define PLACES 65536
#define MOST_SHARED 60000 /* rows; with more of them, points are counted as wholes */
#define SPARE 16          /* of the rows that are kept, one part of so many is the room that there is for more */
#define SLACK 64          /* rows, at least */

size_t
forest_store_bytes(uint32_t rows, int columns)
{
	return sizeof(struct forest_store) + ((size_t)rows * (size_t)columns + FOREST_PADDING) * sizeof(int16_t);
}

struct forest_store *
forest_store_new(uint32_t rows, int columns)
{
	struct forest_store *s = calloc(1, forest_store_bytes(rows, columns));

	if (!s)
		return NULL;
	s->owners = 1;
	s->rows = rows;
	return s;
}

void
forest_store_release(struct forest_store *s)
{
	if (s && --s->owners == 0)
		free(s);
}

int
forest_own_trees(struct forest *f, const uint8_t *which, int n)
{
	for (int i = 0; i < n; i++) {
		int t = which ? which[i] : i;
		struct forest_tree *own;

		if (f->tree[t]->owners == 1)
			continue;
		own = forest_tree_clone(f->tree[t], f->rule.sample);
		if (!own)
			return -1;
		forest_tree_release(f->tree[t]);
		f->tree[t] = own;
	}
	return 0;
}

/* Rows that the next point adds, if the next row ends one. */
static uint32_t
rows_wanted(const struct forest *f)
{
	uint32_t shingle = (uint32_t)f->rule.shingle;

	return f->unit == 1 && f->fresh + 1 < shingle ? f->fresh + 1 : shingle;
}

/*
 * The rows that are kept, their new numbers, and how many they are, which is the number behind the last row; FRESH: how many
 * come after the last point that is kept.
 */
static uint32_t
number_rows(const struct forest *f, uint32_t *number, uint32_t *fresh)
{
	uint32_t n = 0, end = 0, span = (uint32_t)f->rule.shingle;

	for (int t = 0; t < f->rule.trees; t++) {
		const uint16_t *places = forest_places_of(f->tree[t], f->rule.sample);

		for (int i = 0; i < f->mass; i++)
			number[places[i] * f->unit] = 1;
	}
	for (uint32_t row = 0; row < f->used; row++) {
		end = number[row] ? row + span : end;
		number[row] = n;
		n += row < end;
	}
	number[f->used] = n;
	*fresh = f->used - end;
	return n;
}

/* Points that share no rows, in their order: as number_rows(), a number for each first row. */
static uint32_t
number_points(const struct forest *f, uint32_t *number)
{
	uint32_t n = 0;

	for (int t = 0; t < f->rule.trees; t++) {
		const uint16_t *places = forest_places_of(f->tree[t], f->rule.sample);

		for (int i = 0; i < f->mass; i++)
			number[places[i] * f->unit] = 1;
	}
	for (uint32_t row = 0; row < f->used; row++)
		if (number[row])
			number[row] = n++ * (uint32_t)f->rule.shingle;
	return n * (uint32_t)f->rule.shingle;
}

/* Rows that are kept, run after run: the next one has another number. */
static void
copy_rows(const struct forest *f, struct forest_store *to, const uint32_t *number)
{
	size_t columns = (size_t)f->rule.columns;
	uint32_t row = 0;

	while (row < f->used) {
		uint32_t first = row;

		while (row < f->used && number[row + 1] != number[row])
			row++;
		memcpy(to->values + number[first] * columns, f->store->values + first * columns,
		       (row - first) * columns * sizeof(int16_t));
		row++;
	}
}

/* Points one by one, each with rows of its own. */
static void
copy_points(const struct forest *f, struct forest_store *to, const uint32_t *number, const uint16_t *places)
{
	size_t columns = (size_t)f->rule.columns, bytes = (size_t)f->dimensions * sizeof(int16_t);

	for (int i = 0; i < f->mass; i++) {
		uint32_t from = places[i] * f->unit;

		memcpy(to->values + number[from] * columns, f->store->values + from * columns, bytes);
	}
}

/* The store with what is kept in its new place; trees follow. */
static void
move_rows(struct forest *f, struct forest_store *to, const uint32_t *number, uint32_t unit, uint32_t used)
{
	if (unit == 1)
		copy_rows(f, to, number);
	for (int t = 0; t < f->rule.trees; t++) {
		uint16_t *places = forest_places(f->tree[t], f->rule.sample);

		if (unit > 1)
			copy_points(f, to, number, places);
		for (int i = 0; i < f->mass; i++)
			places[i] = (uint16_t)(number[places[i] * f->unit] / unit);
	}
	forest_store_release(f->store);
	f->store = to;
	f->used = to->used = used;
	f->unit = unit;
}

static int
tidy(struct forest *f)
{
	CLEANUP(heap_free) uint32_t *number = calloc((size_t)f->used + 1, sizeof(*number));
	uint32_t shingle = (uint32_t)f->rule.shingle, unit = f->unit, used, fresh = 0, slack, room;
	struct forest_store *store;

	if (!number || forest_own_trees(f, NULL, f->rule.trees) < 0)
		return -1;
	used = unit == 1 ? number_rows(f, number, &fresh) : number_points(f, number);
	if (unit == 1 && shingle > 1 && used > MOST_SHARED) {
		memset(number, 0, (size_t)f->used * sizeof(*number));
		used = number_points(f, number);
		unit = shingle;
	}
	slack = used / SPARE > SLACK ? used / SPARE : SLACK;
	room = used + slack < PLACES * unit ? used + slack : PLACES * unit;
	store = forest_store_new(room, f->rule.columns);
	if (!store)
		return -1;
	move_rows(f, store, number, unit, used);
	f->room = room;
	f->fresh = f->fresh + fresh < shingle ? f->fresh + fresh : shingle;
	return 0;
}

int
forest_points_reserve(struct forest *f)
{
	uint32_t wanted = rows_wanted(f);
	struct forest_store *own;

	if (f->used + wanted > f->room)
		return tidy(f);
	if (f->store->used == f->used)
		return 0;
	if (f->store->owners == 1) {
		f->store->used = f->used; /* what came after belonged to a copy that is gone */
		return 0;
	}
	own = forest_store_new(f->room, f->rule.columns);
	if (!own)
		return -1;
	memcpy(own->values, f->store->values, (size_t)f->used * (size_t)f->rule.columns * sizeof(int16_t));
	own->used = f->used;
	forest_store_release(f->store);
	f->store = own;
	return 0;
}

uint16_t
forest_points_append(struct forest *f)
{
	uint32_t shingle = (uint32_t)f->rule.shingle;
	uint32_t rows = f->unit == 1 && f->fresh < shingle ? f->fresh : shingle;
	size_t columns = (size_t)f->rule.columns;

	memcpy(f->store->values + f->used * columns, f->window + (shingle - rows) * columns,
	       rows * columns * sizeof(int16_t));
	f->used += rows;
	f->store->used = f->used;
	f->fresh = 0;
	return (uint16_t)((f->used - shingle) / f->unit);
}
