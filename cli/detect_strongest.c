/* detect_strongest.c -- see detect_strongest.h. */
#include "cli/detect_strongest.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/columns.h"
#include "common/base/arena.h"

enum { FIXED = 6, GROUP = FIXED + DETECTOR_MEMBERS, WHY, COLUMNS };

int
strongest_new(size_t most, struct strongest *ret, struct err *err)
{
	*ret = (struct strongest){ .items = calloc(most ? most : 1, sizeof(*ret->items)), .most = most };
	return ret->items ? 0 : err_set(err, REASON_NO_MEMORY, "the %zu strongest rows", most);
}

void
strongest_clear(struct strongest *s)
{
	free(s->items);
	*s = (struct strongest){ 0 };
}

static bool
weaker(const struct strong *a, const struct strong *b)
{
	if (a->onset != b->onset)
		return a->onset < b->onset;
	if (a->p != b->p)
		return a->p > b->p;
	return a->line > b->line;
}

static void
swap(struct strong *a, struct strong *b)
{
	struct strong t = *a;

	*a = *b;
	*b = t;
}

static void
sink(struct strongest *s, size_t i)
{
	for (;;) {
		size_t least = i;

		for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < s->n; child++)
			if (weaker(&s->items[child], &s->items[least]))
				least = child;
		if (least == i)
			return;
		swap(&s->items[i], &s->items[least]);
		i = least;
	}
}

static void
rise(struct strongest *s, size_t i)
{
	for (; i > 0 && weaker(&s->items[i], &s->items[(i - 1) / 2]); i = (i - 1) / 2)
		swap(&s->items[i], &s->items[(i - 1) / 2]);
}

/* Cut between characters. */
static void
copy_text(char *to, size_t room, struct span text)
{
	size_t n = text.len < room - 1 ? text.len : room - 1;

	while (n > 0 && n < text.len && ((unsigned char)text.ptr[n] & 0xc0) == 0x80)
		n--;
	if (n)
		memcpy(to, text.ptr, n);
	to[n] = '\0';
}

void
strongest_add(struct strongest *s, const struct sheet_row *row, const char *column, const struct judgement *j)
{
	struct strong item = { .line = row->line, .onset = j->onset, .p = j->p, .group = j->group };

	if (s->most == 0 || j->p >= 1 || (s->n == s->most && !weaker(&s->items[0], &item)))
		return;
	memcpy(item.members, j->members, sizeof(item.members));
	copy_text(item.time, sizeof(item.time), row->time);
	copy_text(item.column, sizeof(item.column), span_of(column));
	copy_text(item.value, sizeof(item.value), row->texts[j->column]);
	copy_text(item.reason, sizeof(item.reason), span_of(j->reason));
	if (s->n < s->most) {
		s->items[s->n++] = item;
		rise(s, s->n - 1);
	} else {
		s->items[0] = item;
		sink(s, 0);
	}
}

static int
stronger_first(const void *a, const void *b)
{
	return weaker(a, b) ? 1 : weaker(b, a) ? -1 : 0;
}

void
strongest_sort(struct strongest *s)
{
	qsort(s->items, s->n, sizeof(*s->items), stronger_first);
}

static const char *
cell(struct arena *a, double x)
{
	return isnan(x) ? NULL : arena_printf(a, "%.2g", x);
}

static void
fill(const struct strong *item, struct arena *a, const char **row)
{
	row[0] = arena_printf(a, "%lld", (long long)item->line);
	row[1] = item->time;
	row[2] = item->column;
	row[3] = item->value;
	row[4] = arena_printf(a, "%.4f", judge_score(item->onset));
	row[5] = cell(a, item->p);
	for (int m = 0; m < DETECTOR_MEMBERS; m++)
		row[FIXED + m] = cell(a, item->members[m]);
	row[GROUP] = cell(a, item->group);
	row[WHY] = *item->reason ? item->reason : NULL;
}

int
strongest_print(const struct strongest *s, struct buffer *out, struct err *err)
{
	struct column titles[COLUMNS] = { { "line", true },  { "time", false }, { "column", false },
					  { "value", true }, { "score", true }, { "p", true } };
	CLEANUP(arena_free)
	struct arena *arena = arena_new(4096, 0);
	const char **cells = arena ? arena_zalloc(arena, (s->n + 1) * COLUMNS * sizeof(*cells)) : NULL;

	for (int m = 0; m < DETECTOR_MEMBERS; m++)
		titles[FIXED + m] = (struct column){ detector_member_names[m], true };
	titles[GROUP] = (struct column){ "row", true };
	titles[WHY] = (struct column){ "why", false };
	for (size_t i = 0; cells && i < s->n; i++)
		fill(&s->items[i], arena, cells + i * COLUMNS);
	return cells && columns_print(titles, COLUMNS, cells, s->n, out) == 0
		   ? 0
		   : err_set(err, REASON_NO_MEMORY, "the strongest rows");
}

static json_t *
members_json(const struct strong *item)
{
	json_t *members = json_object();

	for (int m = 0; m < DETECTOR_MEMBERS; m++)
		if (!isnan(item->members[m]))
			json_object_set_new(members, detector_member_names[m], json_real(item->members[m]));
	if (!isnan(item->group))
		json_object_set_new(members, "row", json_real(item->group));
	return members;
}

json_t *
strongest_json(const struct strongest *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->n; i++) {
		const struct strong *item = &s->items[i];

		if (json_array_append_new(
			list, json_pack("{s:I, s:s%, s:s%, s:s%, s:f, s:f, s:o, s:s%}", "line", (json_int_t)item->line,
					"timestamp", item->time, strlen(item->time), "column", item->column,
					strlen(item->column), "value", item->value, strlen(item->value),
					"anomaly_score", judge_score(item->onset), "p", item->p, "members",
					members_json(item), "reason", item->reason, strlen(item->reason))) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}
