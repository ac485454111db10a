/*
 * state.c -- a cleaner's image: its members, less what is dead or only says how memory is used.  So two cleaners that go on
 * alike are equal bytes, whenever they were copied, grown or read back.
 *
 * What is read back is checked for all that indices and sums rest on: a checksum tells of decay, not of a lie.
 */
#include "workers/etl-preprocessor/state.h"

#include "common/record/shape.h"
#include "common/series/series_image.h"
#include "workers/etl-preprocessor/units.h"

#define COUNT_MAX (INT64_C(1) << 53) /* far from the end of an int64_t */
#define FLAGS_MAX (STEP_IMPUTED | STEP_OUTLIER | STEP_CLIPPED)

static const struct image_member sample_members[] = {
	IMAGE_FIELD(struct sample, time_us, IMAGE_I64), IMAGE_FIELD(struct sample, ingest_us, IMAGE_I64),
	IMAGE_FIELD(struct sample, value, IMAGE_F64),   IMAGE_FIELD(struct sample, repeated, IMAGE_U32),
	IMAGE_FIELD(struct sample, unit, IMAGE_U8),
};
static const struct image_table sample_table = IMAGE_TABLE(struct sample, sample_members);

static const struct image_member order_members[] = {
	IMAGE_NESTED_LIST_CAP(struct reorder, items, end, cap, sample_table),
	IMAGE_FIELD(struct reorder, newest_us, IMAGE_I64),
	IMAGE_FIELD(struct reorder, released_us, IMAGE_I64),
	IMAGE_FIELD(struct reorder, started, IMAGE_BOOL),
	IMAGE_FIELD(struct reorder, released, IMAGE_BOOL),
	IMAGE_FIELD(struct reorder, waits, IMAGE_BOOL),
	IMAGE_NESTED(struct reorder, doubtful, sample_table),
};
static const struct image_table order_table = IMAGE_TABLE(struct reorder, order_members);

static const struct image_member cleaner_members[] = {
	IMAGE_NESTED(struct cleaner, order, order_table),
	IMAGE_NESTED(struct cleaner, outlier, outlier_image_table),
	IMAGE_FIELD(struct cleaner, step_us, IMAGE_I64),
	IMAGE_NESTED(struct cleaner, step, step_image_table),
	IMAGE_FIELD(struct cleaner, has_step, IMAGE_BOOL),
	IMAGE_NESTED_LIST_CAP(struct cleaner, blank, n_blank, cap_blank, step_image_table),
	IMAGE_FIELD(struct cleaner, value, IMAGE_F64),
	IMAGE_FIELD(struct cleaner, known, IMAGE_I64),
	IMAGE_FIELD(struct cleaner, has_value, IMAGE_BOOL),
	IMAGE_NESTED(struct cleaner, window, window_image_table),
	IMAGE_LIST_CAP_OF(struct cleaner, unit, unit_len, cap_unit, IMAGE_CHAR),
	IMAGE_FIELD(struct cleaner, has_unit, IMAGE_BOOL),
	IMAGE_FIELD(struct cleaner, unit_at, IMAGE_U8),
};
static const struct image_table cleaner_table = IMAGE_TABLE(struct cleaner, cleaner_members);
static const struct image_type cleaner_image = IMAGE_TYPE("cleaner", 1, cleaner_table);

/* The cleaner to write: shares what FROM owns. */
static struct cleaner
laid_out(const struct cleaner *from)
{
	struct cleaner c = *from;

	if (c.order.first) {
		c.order.items += c.order.first;
		c.order.end -= c.order.first;
		c.order.first = 0;
	}
	if (!c.order.waits)
		c.order.doubtful = (struct sample){ 0 };
	if (!c.has_step)
		c.step = (struct step){ 0 };
	if (!c.has_value) {
		c.value = 0;
		c.known = 0;
	}
	if (!c.has_unit)
		c.unit_at = 0;
	if (!c.window.n)
		c.window.first = 0;
	return c;
}

size_t
etl_state_bytes(size_t readings, size_t steps)
{
	static const struct cleaner none;

	return image_bytes_least(&cleaner_image) + readings * image_table_bytes(&sample_table, &none.order.doubtful) +
	       steps * (sizeof(*none.window.values) + sizeof(*none.window.flags));
}

/* The same as image_bytes() says of what is laid out; called for every record, so that the lists alone are counted. */
static size_t
state_bytes(const void *state)
{
	static const struct cleaner none;
	const struct cleaner *c = state;

	return etl_state_bytes(c->order.end - c->order.first, c->window.n) +
	       c->n_blank * image_table_bytes(&step_image_table, &none.step) + c->unit_len;
}

static int
state_encode(const void *state, struct buffer *out)
{
	const struct cleaner c = laid_out(state);

	return image_write(&cleaner_image, &c, out);
}

static bool
in_time(int64_t time_us)
{
	return time_us >= TIME_MIN_US && time_us <= TIME_MAX_US;
}

static bool
step_in_time(const struct cleaner *c, int64_t number)
{
	int64_t time_us;

	return !__builtin_mul_overflow(number, c->step_us, &time_us) && in_time(time_us);
}

static bool
counted(int64_t n)
{
	return n >= 0 && n <= COUNT_MAX;
}

static bool
tally_sound(const struct tally *t)
{
	return counted(t->imputed) && counted(t->outliers) && counted(t->dropped) && counted(t->late) &&
	       counted(t->repeated) && in_time(t->ingest_us);
}

static bool
sample_sound(const struct sample *s, size_t units)
{
	return in_time(s->time_us) && in_time(s->ingest_us) && s->unit <= units;
}

static bool
step_sound(const struct cleaner *c, const struct step *s)
{
	return step_in_time(c, s->number) && s->flags <= FLAGS_MAX && counted(s->readings.count) &&
	       tally_sound(&s->tally);
}

/* What is wrong with it; NULL: nothing. */
static const char *
fault_of_order(const struct reorder *r, size_t units)
{
	int64_t before_us = r->released ? r->released_us : INT64_MIN;

	if (!in_time(r->newest_us) || !in_time(r->released_us) || (r->end && !r->started))
		return "order.newest_us, order.released_us";
	if (r->waits && !sample_sound(&r->doubtful, units))
		return "order.doubtful";
	for (size_t i = 0; i < r->end; i++) {
		if (!sample_sound(&r->items[i], units) || r->items[i].time_us <= before_us)
			return "order.items";
		before_us = r->items[i].time_us;
	}
	return before_us > r->newest_us && r->end ? "order.newest_us" : NULL;
}

static const char *
fault_of_steps(const struct cleaner *c)
{
	int64_t before = c->known;

	if (c->step_us < 0 || c->step_us > TIME_MAX_US || (!c->step_us && (c->has_step || c->has_value)))
		return "step_us";
	if (c->has_value && !step_in_time(c, c->known))
		return "known";
	if (c->n_blank && !c->has_value)
		return "blank";
	for (size_t i = 0; i < c->n_blank; i++) {
		if (!step_sound(c, &c->blank[i]) || c->blank[i].number <= before)
			return "blank";
		before = c->blank[i].number;
	}
	if (c->has_step && (!step_sound(c, &c->step) || (c->has_value && c->step.number <= before)))
		return "step";
	return NULL;
}

static const char *
fault_of_window(const struct cleaner *c)
{
	const struct window *w = &c->window;

	if (!counted(w->sequence) || !counted(w->readings.count) || !tally_sound(&w->tally))
		return "window.sequence, window.readings, window.tally";
	for (size_t i = 0; i < w->n; i++)
		if (w->flags[i] > FLAGS_MAX)
			return "window.flags";
	/* The last step with a value is the window's last. */
	if (w->n && (!c->has_value || !step_in_time(c, w->first) || w->first + (int64_t)w->n - 1 != c->known))
		return "window.first";
	return NULL;
}

static int
check(const struct cleaner *c, struct err *err)
{
	size_t units = units_known(c);
	const char *fault = fault_of_order(&c->order, units);

	if (!fault)
		fault = fault_of_steps(c);
	if (!fault)
		fault = fault_of_window(c);
	if (!fault && (units > UNITS_MAX || c->unit_at >= (c->has_unit ? units : 1)))
		fault = "unit, unit_at";
	if (!fault && !counted(c->outlier.normal.count))
		fault = "outlier.normal";
	if (!fault && !counted(c->outlier.row))
		fault = "outlier.row";
	return fault ? err_set(err, REASON_STATE_CORRUPT, "cleaner: %s: no series leads there", fault) : 0;
}

static int
state_decode(struct span bytes, void *state, struct err *err)
{
	struct cleaner *c = state;

	if (image_read(&cleaner_image, bytes, c, err) < 0)
		return -1;
	if (check(c, err) == 0)
		return 0;
	cleaner_clear(c);
	return -1;
}

const struct state_type etl_state = {
	.size = sizeof(struct cleaner),
	.copy = cleaner_copy,
	.clear = cleaner_clear,
	.room = cleaner_room,
	.save = cleaner_save,
	.restore = cleaner_restore,
	.fetch = cleaner_fetch,
	.bytes = state_bytes,
	.encode = state_encode,
	.decode = state_decode,
	.image = &cleaner_image,
};
