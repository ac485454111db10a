/* detect_strongest.c -- see detect_strongest.h. */
#include "cli/detect_strongest.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/columns.h"
#include "cli/readable.h"
#include "common/base/arena.h"

#define SHARES_TOLD 3

enum { FIXED = 6, GROUP = FIXED + DETECTOR_MEMBERS, SHARES, WHY, COLUMNS };

int
strongest_new(size_t most, const char *const *names, struct strongest *ret, struct err *err)
{
	*ret =
	    (struct strongest){ .names = names, .items = calloc(most ? most : 1, sizeof(*ret->items)), .most = most };
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
	readable_text(to);
}

/* What did not come is imputed, and not to blame. */
static void
copy_blame(struct strong *to, const struct sheet_row *row, const struct judgement *j)
{
	for (size_t i = 0; i < j->n_blame; i++)
		if (isfinite(row->values[j->blame[i].column]))
			to->blame[to->n_blame++] = j->blame[i];
}

void
strongest_add(struct strongest *s, const struct sheet_row *row, const struct judgement *j)
{
	struct strong item = { .line = row->line, .onset = j->onset, .p = j->p, .group = j->group };

	if (s->most == 0 || j->p >= 1 || (s->n == s->most && !weaker(&s->items[0], &item)))
		return;
	memcpy(item.members, j->members, sizeof(item.members));
	copy_text(item.time, sizeof(item.time), row->time);
	copy_text(item.column, sizeof(item.column), span_of(s->names[j->column]));
	copy_text(item.value, sizeof(item.value), row->texts[j->column]);
	copy_text(item.reason, sizeof(item.reason), span_of(j->reason));
	copy_blame(&item, row, j);
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

static const char *
direction_of(const struct group_blame *b)
{
	return b->high ? "high" : "low";
}

/* "flow 61 % high, pressure 30 % low". */
static const char *
shares(const struct strongest *s, const struct strong *item, struct arena *a)
{
	const char *text = NULL;

	for (size_t i = 0; i < item->n_blame && i < SHARES_TOLD && item->blame[i].share >= GROUP_TOLD; i++)
		text = arena_printf(a, "%s%s%s %.0f %% %s", text ? text : "", text ? ", " : "",
				    s->names[item->blame[i].column], 100 * item->blame[i].share,
				    direction_of(&item->blame[i]));
	return text;
}

static void
fill(const struct strongest *s, const struct strong *item, struct arena *a, const char **row)
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
	row[SHARES] = shares(s, item, a);
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
	titles[SHARES] = (struct column){ "shares", false };
	titles[WHY] = (struct column){ "why", false };
	for (size_t i = 0; cells && i < s->n; i++)
		fill(s, &s->items[i], arena, cells + i * COLUMNS);
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

/* The columns' parts of what is strange in the row as such, the largest first; none where no row is judged, or nothing in it is. */
static json_t *
attribution_json(const struct strongest *s, const struct strong *item)
{
	json_t *list = json_array();

	for (size_t i = 0; i < item->n_blame; i++)
		json_array_append_new(list,
				      json_pack("{s:s, s:f, s:s}", "column", s->names[item->blame[i].column], "share",
						item->blame[i].share, "direction", direction_of(&item->blame[i])));
	return list;
}

json_t *
strongest_json(const struct strongest *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->n; i++) {
		const struct strong *item = &s->items[i];

		if (json_array_append_new(
			list,
			json_pack("{s:I, s:s%, s:s%, s:s%, s:f, s:f, s:o, s:o, s:s%}", "line", (json_int_t)item->line,
				  "timestamp", item->time, strlen(item->time), "column", item->column,
				  strlen(item->column), "value", item->value, strlen(item->value), "anomaly_score",
				  judge_score(item->onset), "p", item->p, "members", members_json(item), "attribution",
				  attribution_json(s, item), "reason", item->reason, strlen(item->reason))) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}
