/* detect_disorder.c -- see detect_disorder.h.  The usual step is the median of the first ones: a few gaps do not move it. */
#include "cli/detect_disorder.h"

#include <inttypes.h>
#include <stdlib.h>

#include "cli/readable.h"

#define JUMP_STEPS 4                              /* of the usual length: a weekend, a row or two that did not come */
#define JUMP_MAX_US (INT64_C(31536000000) * 1000) /* that the option allows */

void
disorder_add(struct disorder *d, const struct sheet_row *row, enum judge_mark mark)
{
	d->rows++;
	d->marks[mark]++;
	if (!row->timed)
		return;
	if (d->begun && row->time_us > d->last_us && d->n_steps < DISORDER_STEPS)
		d->steps[d->n_steps++] = row->time_us - d->last_us;
	d->last_us = row->time_us;
	d->begun = true;
}

static int64_t
out_of_turn(const struct disorder *d)
{
	return d->marks[JUDGE_LATE] + d->marks[JUDGE_REPEATED] + d->marks[JUDGE_AHEAD];
}

enum disorder_degree
disorder_degree(const struct disorder *d)
{
	int64_t n = out_of_turn(d);

	if (2 * n > d->rows)
		return DISORDER_GREAT;
	return n > 0 && 20 * n >= d->rows ? DISORDER_NOTABLE : DISORDER_SMALL;
}

static int
by_length(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* 0: no row is newer than the one before it. */
static int64_t
usual_step(const struct disorder *d)
{
	int64_t steps[DISORDER_STEPS];

	if (d->n_steps == 0)
		return 0;
	memcpy(steps, d->steps, sizeof(steps));
	qsort(steps, (size_t)d->n_steps, sizeof(*steps), by_length);
	return steps[d->n_steps / 2];
}

static int
tell_ahead(const struct disorder *d, int64_t jump_max_us, struct buffer *out)
{
	int64_t step_us = usual_step(d), enough_us = JUMP_STEPS * step_us;
	char allowed[READABLE_BYTES], usual[READABLE_BYTES];
	int bad =
	    buffer_printf(out,
			  "raise --time.jump.max.ms: what comes more than %s after the row before is far ahead, and "
			  "the usual step is %s",
			  readable_age(jump_max_us, allowed), readable_age(step_us, usual));

	if (enough_us > JUMP_MAX_US)
		enough_us = JUMP_MAX_US;
	if (enough_us > jump_max_us)
		bad |= buffer_printf(out, " (--time.jump.max.ms=%" PRId64 ", say)", enough_us / 1000);
	return bad;
}

int
disorder_tell(const struct disorder *d, int64_t jump_max_us, struct buffer *out)
{
	int64_t late = d->marks[JUDGE_LATE], repeated = d->marks[JUDGE_REPEATED], ahead = d->marks[JUDGE_AHEAD];
	int bad = buffer_printf(out,
				"%" PRId64 " of %" PRId64 " rows were not in order and taught nothing (%" PRId64
				" older than one before them, %" PRId64 " of a repeated time, %" PRId64 " far ahead): ",
				out_of_turn(d), d->rows, late, repeated, ahead);

	if (ahead > late && ahead > repeated)
		return bad | tell_ahead(d, jump_max_us, out);
	if (repeated > late)
		return bad | buffer_text(out, "give each time one row; of several devices in one file, each a file");
	return bad | buffer_text(out, "sort the rows by time, the oldest first");
}
