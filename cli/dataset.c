/* dataset.c -- which form is it, and who owns what. */
#include "cli/dataset.h"

#include <stdlib.h>
#include <string.h>

#include "cli/dataset_parts.h"

#define BLOCK_BYTES ((size_t)1 << 20)

int
dataset_add(struct dataset *d, const struct dataset_row *row, struct err *err)
{
	if (d->n == d->room) {
		size_t room = d->room ? d->room * 2 : 64;
		struct dataset_row *rows = realloc(d->rows, room * sizeof(*rows));

		if (!rows)
			return err_set(err, REASON_NO_MEMORY, "%zu series", room);
		d->rows = rows;
		d->room = room;
	}
	d->rows[d->n++] = *row;
	return 0;
}

void
dataset_clear(struct dataset *d)
{
	free(d->rows);
	arena_free(d->arena);
	*d = (struct dataset){ 0 };
}

struct target *
dataset_targets(struct dataset *d)
{
	struct target *targets = arena_alloc(d->arena, (d->n + 1) * sizeof(*targets));

	for (size_t i = 0; targets && i < d->n; i++)
		targets[i] = d->rows[i].target;
	return targets;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

int
dataset_find_format(struct input *in, enum dataset_format *format, struct err *err)
{
	size_t blanks = 0;

	while (*format == DATASET_AUTO) {
		struct span w = input_window(in);

		while (blanks < w.len && is_blank(w.ptr[blanks]))
			blanks++;
		if (blanks < w.len || input_at_end(in))
			*format = blanks == w.len || w.ptr[blanks] == '{' ? DATASET_LINES : DATASET_TABLE;
		else if (input_more(in, err) < 0)
			return -1;
	}
	return 0;
}

static int
take_all(struct input *in, const struct dataset_options *o, struct dataset *d, struct err *err)
{
	enum dataset_format format = o->format;
	int result;

	d->arena = arena_new(BLOCK_BYTES, 0);
	if (!d->arena)
		return err_set(err, REASON_NO_MEMORY, "%s", input_name(in));
	if (dataset_find_format(in, &format, err) < 0)
		return -1;
	if (format == DATASET_LINES && !*o->frequency)
		return err_set(err, REASON_OPTION_INVALID,
			       "freq: %s does not say how often a series has a point; say --freq 1h", input_name(in));
	if (*o->frequency && frequency_parse(o->frequency, &d->frequency, err) < 0)
		return -1;
	result = format == DATASET_LINES ? dataset_lines(in, d, err) : dataset_table(in, o, d, err);
	if (result == 0 && d->n == 0)
		return err_set(err, REASON_FILE_INVALID, "%s: no series", input_name(in));
	return result;
}

int
dataset_take(struct input *in, const struct dataset_options *o, struct dataset *d, struct err *err)
{
	*d = (struct dataset){ 0 };
	if (take_all(in, o, d, err) == 0)
		return 0;
	dataset_clear(d);
	return -1;
}
