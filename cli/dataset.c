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
ends_with(const char *path, const char *end)
{
	size_t n = strlen(path), m = strlen(end);

	return n >= m && strcmp(path + n - m, end) == 0;
}

static enum dataset_format
format_of(const char *path)
{
	static const char *const ends[] = { ".jsonl", ".json", ".ndjson", ".jsonl.gz", ".json.gz", ".ndjson.gz" };

	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		if (ends_with(path, ends[i]))
			return DATASET_LINES;
	return DATASET_TABLE;
}

static int
read_as(const char *path, const struct dataset_options *o, struct dataset *d, struct err *err)
{
	enum dataset_format format = o->format == DATASET_AUTO ? format_of(path) : o->format;
	CLEANUP(input_close)
	struct input *in = NULL;
	int result;

	d->arena = arena_new(BLOCK_BYTES, 0);
	if (!d->arena)
		return err_set(err, REASON_NO_MEMORY, "%s", path);
	if (format == DATASET_LINES && !*o->frequency)
		return err_set(err, REASON_OPTION_INVALID,
			       "freq: %s does not say how often a series has a point; say --freq 1h", path);
	if (*o->frequency && frequency_parse(o->frequency, &d->frequency, err) < 0)
		return -1;
	if (input_open(path, &in, err) < 0)
		return -1;
	result = format == DATASET_LINES ? dataset_lines(in, d, err) : dataset_table(in, o, d, err);
	if (result == 0 && d->n == 0)
		return err_set(err, REASON_FILE_INVALID, "%s: no series", input_name(in));
	return result;
}

int
dataset_read(const char *path, const struct dataset_options *o, struct dataset *d, struct err *err)
{
	*d = (struct dataset){ 0 };
	if (read_as(path, o, d, err) == 0)
		return 0;
	dataset_clear(d);
	return -1;
}
