/* load.c -- inputs and tables side by side; writing all, or part by part. */
#include "workers/sink-writer/load.h"

#include <stdlib.h>
#include <string.h>

#include "workers/sink-writer/bisect.h"

static size_t
unit_account(const void *units, uint32_t unit)
{
	return ((const struct unit *)units)[unit].account;
}

static bool
unit_refused(const void *units, uint32_t unit)
{
	return ((const struct unit *)units)[unit].why != NULL;
}

void
load_init(struct load *l, struct store *store)
{
	*l = (struct load){ .store = store };
}

static void
units_empty(struct load *l)
{
	for (size_t i = 0; i < l->n_units && l->n_refused > 0; i++)
		free(l->units[i].why);
	l->n_units = l->n_refused = 0;
}

void
load_clear(struct load *l)
{
	units_empty(l);
	free(l->units);
	for (size_t i = 0; i < l->n_tables; i++)
		table_free(l->tables[i]);
	free(l->tables);
	ledger_clear(&l->ledger);
	ledger_clear(&l->saved);
	*l = (struct load){ 0 };
}

int
load_add_table(struct load *l, struct table *t, struct err *err)
{
	struct table **grown = realloc(l->tables, (l->n_tables + 1) * sizeof(struct table *));

	if (!grown)
		return err_set(err, REASON_NO_MEMORY, "tables");
	l->tables = grown;
	grown[l->n_tables++] = t;
	return 0;
}

static int
units_room(struct load *l, struct err *err)
{
	size_t cap = l->cap_units ? l->cap_units * 2 : 1024;
	struct unit *grown;

	if (l->n_units < l->cap_units)
		return 0;
	grown = l->n_units < UINT32_MAX / 2 ? realloc(l->units, cap * sizeof(*grown)) : NULL;
	if (!grown)
		return err_set(err, REASON_NO_MEMORY, "a batch of %zu inputs", l->n_units);
	l->units = grown;
	l->cap_units = cap;
	return 0;
}

int
load_add(struct load *l, const struct input *in, const void *record, struct err *err)
{
	uint32_t unit = (uint32_t)l->n_units, rows;
	size_t account;

	if (units_room(l, err) < 0 || ledger_find(&l->ledger, in->topic, in->partition, &account, err) < 0)
		return -1;
	for (size_t i = 0; i < l->n_tables; i++) {
		if (!mapped_table_takes(table_mapped(l->tables[i]), in->topic))
			continue;
		if (table_add(l->tables[i], unit, in, record, &rows, err) < 0) {
			for (size_t k = 0; k <= i; k++)
				table_cut(l->tables[k], unit);
			return -1;
		}
	}
	l->units[l->n_units++] = (struct unit){ .in = in, .account = account };
	return 0;
}

int
load_prepare(struct load *l, bool fresh, struct err *err)
{
	for (size_t i = 0; i < l->n_tables; i++)
		if (table_prepare(l->tables[i], fresh, err) < 0)
			return -1;
	return 0;
}

static int
write_range(struct load *l, size_t first, size_t end, bool merge, struct err *err)
{
	const struct account_of of = { l->units, unit_account, unit_refused };

	for (size_t i = 0; i < l->n_tables; i++)
		if (table_write(l->tables[i], (uint32_t)first, (uint32_t)end, merge, &of, &l->ledger, err) < 0)
			return -1;
	return 0;
}

int
load_write(struct load *l, bool *again, struct err *err)
{
	*again = false;
	if (write_range(l, 0, l->n_units, false, err) == 0)
		return 0;
	for (size_t i = 0; i < l->n_tables; i++)
		*again |= table_collided(l->tables[i]);
	return -1;
}

static int
ledger_copy(struct ledger *to, const struct ledger *from, struct err *err)
{
	if (to->cap < from->n) {
		struct account *grown = realloc(to->accounts, from->n * sizeof(*grown));

		if (!grown)
			return err_set(err, REASON_NO_MEMORY, "accounts of partitions");
		to->accounts = grown;
		to->cap = from->n;
	}
	if (from->n > 0)
		memcpy(to->accounts, from->accounts, from->n * sizeof(*from->accounts));
	to->n = from->n;
	return 0;
}

/* bisect: [first, end) under a savepoint. */
static int
attempt(void *ctx, size_t first, size_t end, struct err *err)
{
	struct load *l = ctx;
	struct err why = ERR_INIT, trouble = ERR_INIT;

	if (l->beat)
		l->beat(l->beat_ctx);
	for (size_t i = 0; i < l->n_tables; i++)
		if (table_clean(l->tables[i], err) < 0)
			return -1;
	if (ledger_copy(&l->saved, &l->ledger, err) < 0 || store_exec(l->store, "SAVEPOINT part", err) < 0)
		return -1;
	for (size_t i = 0; i < l->n_tables; i++)
		table_save(l->tables[i]);
	if (write_range(l, first, end, true, &why) == 0)
		return store_exec(l->store, "RELEASE part", err);
	for (size_t i = 0; i < l->n_tables; i++)
		table_restore(l->tables[i]);
	if (ledger_copy(&l->ledger, &l->saved, err) < 0)
		return -1;
	if (err_class(&why) == ERR_RECORD && store_exec(l->store, "ROLLBACK TO part; RELEASE part", &trouble) < 0)
		why = trouble;
	*err = why;
	return -1;
}

static int
guilty(void *ctx, size_t at, const struct err *why, struct err *err)
{
	struct load *l = ctx;
	struct err *copy = malloc(sizeof(*copy));

	if (!copy)
		return err_set(err, REASON_NO_MEMORY, "a dead letter");
	*copy = *why;
	l->units[at].why = copy;
	l->n_refused++;
	return 0;
}

int
load_blame(struct load *l, struct err *err)
{
	const struct bisect parts = { l, attempt, guilty };

	return bisect_run(&parts, 0, l->n_units, l->n_refused == 0, err);
}

void
load_again(struct load *l)
{
	ledger_zero(&l->ledger);
	for (size_t i = 0; i < l->n_tables; i++)
		table_again(l->tables[i]);
}

void
load_done(struct load *l, bool committed)
{
	units_empty(l);
	for (size_t i = 0; i < l->n_tables; i++)
		table_done(l->tables[i], committed);
	ledger_empty(&l->ledger);
}
