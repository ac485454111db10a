/* ledger.c -- a short list, asked for the same partition again and again. */
#include "workers/sink-writer/ledger.h"

#include <stdlib.h>
#include <string.h>

void
ledger_clear(struct ledger *l)
{
	free(l->accounts);
	*l = (struct ledger){ 0 };
}

void
ledger_empty(struct ledger *l)
{
	l->n = l->last = 0;
}

static int
is(const struct account *a, const char *topic, int32_t partition)
{
	return a->partition == partition && strcmp(a->topic, topic) == 0;
}

int
ledger_find(struct ledger *l, const char *topic, int32_t partition, size_t *ret, struct err *err)
{
	if (l->last < l->n && is(&l->accounts[l->last], topic, partition)) {
		*ret = l->last;
		return 0;
	}
	for (l->last = 0; l->last < l->n; l->last++)
		if (is(&l->accounts[l->last], topic, partition)) {
			*ret = l->last;
			return 0;
		}
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 16;
		struct account *grown = realloc(l->accounts, cap * sizeof(*grown));

		if (!grown)
			return err_set(err, REASON_NO_MEMORY, "accounts of partitions");
		l->accounts = grown;
		l->cap = cap;
	}
	l->accounts[l->n] = (struct account){ .topic = topic, .partition = partition };
	*ret = l->n++;
	return 0;
}

void
ledger_zero(struct ledger *l)
{
	for (size_t i = 0; i < l->n; i++)
		l->accounts[i].rows = l->accounts[i].inserted = 0;
}
