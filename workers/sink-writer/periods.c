/* periods.c -- a sorted list; the period of the row before is tried first. */
#include "workers/sink-writer/periods.h"

#include <stdlib.h>
#include <string.h>

struct entry {
	int64_t start_us, end_us;
	int64_t rows; /* that wait, while it is not settled */
	bool settled; /* its partition is there, or its rows live in the default one */
};

struct periods {
	enum period kind;
	struct entry *entries; /* ascending; room for PERIODS_MAX */
	size_t n, last, n_unsettled;
};

int
periods_new(enum period kind, struct periods **ret, struct err *err)
{
	struct periods *p = calloc(1, sizeof(*p));

	if (p)
		p->entries = calloc(PERIODS_MAX, sizeof(*p->entries));
	if (!p || !p->entries) {
		free(p);
		return err_set(err, REASON_NO_MEMORY, "periods");
	}
	p->kind = kind;
	*ret = p;
	return 0;
}

void
periods_free(struct periods *p)
{
	if (!p)
		return;
	free(p->entries);
	free(p);
}

/* The index of the first entry that ends after US. */
static size_t
search(const struct periods *p, int64_t us)
{
	size_t low = 0, high = p->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (p->entries[middle].end_us <= us)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void
periods_note(struct periods *p, int64_t us)
{
	struct entry *e = &p->entries[p->last];
	int64_t start, end;
	size_t at;

	if (p->last >= p->n || us < e->start_us || us >= e->end_us) {
		at = search(p, us);
		e = &p->entries[at];
		if (at == p->n || us < e->start_us) {
			if (p->n == PERIODS_MAX || !period_of(p->kind, us, &start, &end))
				return;
			memmove(e + 1, e, (p->n - at) * sizeof(*e));
			*e = (struct entry){ .start_us = start, .end_us = end };
			p->n++;
			p->n_unsettled++;
		}
		p->last = at;
	}
	e->rows += !e->settled;
}

/* Of the entries that are not settled the one with most rows. */
static struct entry *
busiest(struct periods *p)
{
	struct entry *best = NULL;

	for (size_t i = 0; i < p->n; i++)
		if (!p->entries[i].settled && (!best || p->entries[i].rows > best->rows))
			best = &p->entries[i];
	return best;
}

int
periods_settle(struct periods *p, struct store *store, const char *table, size_t most, struct err *err)
{
	for (size_t made = 0; made < most && p->n_unsettled > 0; made++) {
		struct entry *best = busiest(p);

		if (!best)
			break;
		if (partition_ensure(store, table, p->kind, best->start_us, best->end_us, err) < 0)
			return -1;
		best->settled = true;
		p->n_unsettled--;
	}
	for (size_t i = 0; i < p->n && p->n_unsettled > 0; i++)
		p->entries[i].settled = true;
	p->n_unsettled = 0;
	return 0;
}
