/* anomaly.c -- see anomaly.h.  Sizes and lengths of the kinds are a table. */
#include "cli/anomaly.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/random.h"

#define APART 30 /* steps between two anomalies of a device */
#define TRIES 200

static const struct kind {
	const char *name;
	int64_t shortest, longest; /* steps */
	double smallest, largest;  /* scales */
} kinds[] = {
	[ANOMALY_SPIKE] = { "spike", 1, 2, 8, 14 },
	[ANOMALY_LEVEL_SHIFT] = { "level_shift", 15, 40, 5, 8 },
	[ANOMALY_FLAT_LINE] = { "flat_line", 25, 50, 0, 0 },
	[ANOMALY_DRIFT_BURST] = { "drift_burst", 20, 45, 7, 11 },
};

enum draw { DRAW_DEVICE, DRAW_METRIC, DRAW_FROM, DRAW_LENGTH, DRAW_SIZE, DRAW_SIGN, DRAW_COUNT };

/* Apart from the streams of the devices' values. */
#define STREAM (UINT64_C(1) << 62)

const char *
anomaly_kind_name(enum anomaly_kind k)
{
	return kinds[k].name;
}

/* Attempt TRY at anomaly NUMBER. */
static struct anomaly
draw(const struct anomaly_wish *w, int64_t number, int64_t try)
{
	const struct kind *k = &kinds[number % ANOMALY_KIND_COUNT];
	uint64_t base = STREAM + (uint64_t)(number * TRIES + try) * DRAW_COUNT;
	int64_t first = w->steps / 3, room, length;
	double share = random_uniform(w->seed, base + DRAW_SIZE, 0);
	struct anomaly a = {
		.device = (int64_t)(random_u64(w->seed, base + DRAW_DEVICE, 0) % (uint64_t)w->devices),
		.metric = (int)(random_u64(w->seed, base + DRAW_METRIC, 0) % (uint64_t)w->metrics),
		.kind = (enum anomaly_kind)(number % ANOMALY_KIND_COUNT),
		.size = k->smallest + (k->largest - k->smallest) * share,
	};

	length = k->shortest +
		 (int64_t)(random_u64(w->seed, base + DRAW_LENGTH, 0) % (uint64_t)(k->longest - k->shortest + 1));
	room = w->steps - 2 - first - length;
	if (random_u64(w->seed, base + DRAW_SIGN, 0) & 1)
		a.size = -a.size;
	a.from = room > 0 ? first + (int64_t)(random_u64(w->seed, base + DRAW_FROM, 0) % (uint64_t)room) : -1;
	a.to = a.from + length - 1;
	return a;
}

static bool
fits(const struct anomaly *plan, size_t n, const struct anomaly *a)
{
	if (a->from < 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (plan[i].device == a->device && a->from <= plan[i].to + APART && plan[i].from <= a->to + APART)
			return false;
	return true;
}

static int
by_place(const void *x, const void *y)
{
	const struct anomaly *a = x, *b = y;

	if (a->device != b->device)
		return a->device < b->device ? -1 : 1;
	return (a->from > b->from) - (a->from < b->from);
}

int
anomaly_plan(const struct anomaly_wish *wish, struct anomaly **ret, size_t *n, struct err *err)
{
	struct anomaly *plan = calloc((size_t)wish->count + 1, sizeof(*plan));
	size_t made = 0;

	if (!plan)
		return err_set(err, REASON_NO_MEMORY, "anomalies");
	for (int64_t i = 0; i < wish->count; i++)
		for (int64_t try = 0; try < TRIES; try++) {
			struct anomaly a = draw(wish, i, try);

			if (fits(plan, made, &a)) {
				plan[made++] = a;
				break;
			}
		}
	qsort(plan, made, sizeof(*plan), by_place);
	*ret = plan;
	*n = made;
	return 0;
}

double
anomaly_apply(const struct anomaly *a, int64_t step, double usual, double at_from, double scale)
{
	double share = (double)(step - a->from + 1) / (double)(a->to - a->from + 1);

	switch (a->kind) {
	case ANOMALY_SPIKE:
	case ANOMALY_LEVEL_SHIFT: return usual + a->size * scale;
	case ANOMALY_FLAT_LINE: return at_from;
	case ANOMALY_DRIFT_BURST: return usual + a->size * scale * share;
	case ANOMALY_KIND_COUNT: break;
	}
	return usual;
}
