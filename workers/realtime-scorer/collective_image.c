/* collective_image.c -- names as texts, the group by its own table. */
#include "workers/realtime-scorer/collective_image.h"

#include "common/record/shape.h"
#include "common/record/utf8.h"

static const struct image_member order_members[] = {
	IMAGE_FIELD(struct order, last_us, IMAGE_I64), IMAGE_FIELD(struct order, ahead_us, IMAGE_I64),
	IMAGE_FIELD(struct order, late, IMAGE_U32),    IMAGE_FIELD(struct order, begun, IMAGE_BOOL),
	IMAGE_FIELD(struct order, ahead, IMAGE_BOOL),
};
const struct image_table order_image_table = IMAGE_TABLE(struct order, order_members);

static const struct image_member column_members[] = {
	IMAGE_LIST_OF(struct column_flat, name, name_len, IMAGE_CHAR),
};
static const struct image_table column_table = IMAGE_TABLE(struct column_flat, column_members);

static const struct image_member collective_members[] = {
	IMAGE_NESTED(struct collective_flat, order, order_image_table),
	IMAGE_FIELD(struct collective_flat, learning, IMAGE_U32),
	IMAGE_FIELD(struct collective_flat, odd, IMAGE_U32),
	IMAGE_NESTED_LIST(struct collective_flat, columns, n_columns, column_table),
	IMAGE_NESTED_OPTIONAL(struct collective_flat, group, group_image_table),
};
const struct image_table collective_image_table = IMAGE_TABLE(struct collective_flat, collective_members);

/* All but the group. */
static struct collective_flat
outline(const struct collective *c, struct collective_parts *parts)
{
	size_t n = columns_count(c->columns);

	for (size_t i = 0; i < n; i++) {
		struct span name = columns_name(c->columns, i);

		parts->columns[i] = (struct column_flat){ (char *)name.ptr, name.len }; /* to be read only */
	}
	return (struct collective_flat){ .order = c->order,
					 .learning = c->learning,
					 .odd = c->odd,
					 .columns = n ? parts->columns : NULL,
					 .n_columns = n };
}

int
collective_lay(const struct collective *c, struct collective_parts *parts, struct collective_flat *ret, struct err *err)
{
	struct collective_flat flat = outline(c, parts);

	if (c->group) {
		if (group_lay(c->group, &parts->group, err) < 0)
			return -1;
		flat.group = &parts->group;
	} else {
		parts->group = (struct group_flat){ 0 };
	}
	*ret = flat;
	return 0;
}

void
collective_parts_clear(struct collective_parts *parts)
{
	group_flat_clear(&parts->group);
}

size_t
collective_image_bytes(const struct collective *c)
{
	struct collective_parts parts;
	struct collective_flat flat = outline(c, &parts);

	return image_table_bytes(&collective_image_table, &flat) + (c->group ? group_image_bytes(c->group) : 0);
}

int
order_check(const struct order *o, struct err *err)
{
	if (o->last_us < TIME_MIN_US || o->last_us > TIME_MAX_US || o->ahead_us < TIME_MIN_US ||
	    o->ahead_us > TIME_MAX_US)
		return err_set(err, REASON_STATE_CORRUPT, "a time outside the years 1 to 9999");
	return 0;
}

static int
restore_columns(const struct collective_flat *flat, struct columns **ret, struct err *err)
{
	struct span names[FOREST_COLUMNS_MAX];

	if (flat->n_columns > FOREST_COLUMNS_MAX)
		return err_set(err, REASON_STATE_CORRUPT, "%zu columns", flat->n_columns);
	for (size_t i = 0; i < flat->n_columns; i++) {
		names[i] = (struct span){ flat->columns[i].name, flat->columns[i].name_len };
		if (names[i].len == 0 || names[i].len > NAME_BYTES || !utf8_valid(names[i]))
			return err_set(err, REASON_STATE_CORRUPT, "column %zu has no name", i);
	}
	return flat->n_columns ? columns_new(names, flat->n_columns, ret, err) : 0;
}

static bool
in_time(int64_t time_us)
{
	return time_us >= TIME_MIN_US && time_us <= TIME_MAX_US;
}

static int
check(const struct collective_flat *flat, struct err *err)
{
	if (order_check(&flat->order, err) < 0)
		return -1;
	if (flat->group && (!in_time(flat->group->episode.starts_us) || !in_time(flat->group->episode.flap_us)))
		return err_set(err, REASON_STATE_CORRUPT, "a time outside the years 1 to 9999");
	if (flat->learning > COLLECTIVE_LEARN || flat->odd > COLLECTIVE_ODD)
		return err_set(err, REASON_STATE_CORRUPT, "learning %u, odd %u", flat->learning, flat->odd);
	return 0;
}

int
collective_restore(const struct collective_flat *flat, struct collective *ret, struct err *err)
{
	struct collective c = { .order = flat->order, .learning = flat->learning, .odd = flat->odd };

	if (check(flat, err) < 0 || restore_columns(flat, &c.columns, err) < 0 ||
	    (flat->group && group_restore(flat->group, &c.group, err) < 0)) {
		collective_clear(&c);
		return err_wrap(err, "group");
	}
	*ret = c;
	return 0;
}
