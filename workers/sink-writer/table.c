/*
 * table.c -- a batch's rows for one table.
 *
 * Which way to write is learnt: as long as batches come without repetitions rows are copied into the table itself; when
 * one collides the transaction is done again by merging, and so are the next batches, until `trust` of them in a row had
 * no repetition.  Every collision doubles that number, so a topic full of repetitions pays for a vain attempt ever more
 * rarely, and a replay (all rows are there) is merged from its first batch on, as every new session begins by merging.
 */
#include "workers/sink-writer/table.h"

#include <assert.h>
#include <string.h>

#include "common/store/copy.h"
#include "common/store/query.h"
#include "workers/sink-writer/layout.h"
#include "workers/sink-writer/periods.h"

#define ROWS_MAX_BYTES ((size_t)1 << 30)
#define ROWS_KEEP_BYTES ((size_t)32 << 20)
#define TRUST_FIRST 1
#define TRUST_MAX 512
#define STAGE_KEEP_BYTES ((size_t)128 << 10)

static const struct metric_spec metric_inserted = { "forebay_sink_rows_inserted_total",
						    METRIC_COUNTER,
						    "table",
						    "Rows that were new, or newer than the one there",
						    NULL,
						    0 };
static const struct metric_spec metric_repeated = { "forebay_sink_rows_repeated_total",
						    METRIC_COUNTER,
						    "table",
						    "Rows whose identity was there already: nothing changed",
						    NULL,
						    0 };
static const struct metric_spec metric_batches = { "forebay_sink_batches_total",
						   METRIC_COUNTER,
						   "table,path",
						   "Batches by the way they were written: direct or merge",
						   NULL,
						   0 };

struct piece {
	uint32_t unit, rows;
	size_t start; /* in bytes; it ends where the next one starts */
};

struct table {
	const struct mapped_table *mapped;
	struct store *store;
	struct table_options options;
	struct layout layout;
	int64_t session; /* the one that was verified and has the temporary table */
	struct buffer bytes;
	struct piece *pieces;
	size_t n_pieces, cap_pieces;
	const struct field *fields[MAPPING_MAX_COLUMNS];
	struct span *slices;
	size_t cap_slices;

	struct periods *periods;

	bool staged;        /* in this transaction: the temporary table holds rows */
	size_t stage_bytes; /* sent to the temporary table since it was cut to nothing, whatever became of them */
	bool went_direct, collided; /* in this transaction */
	int64_t rows, inserted;     /* in this transaction */
	int64_t saved_rows, saved_inserted;
	uint32_t clean, trust; /* batches without repetition in a row; how many are asked for */

	struct metric_series *m_inserted, *m_repeated, *m_direct, *m_merge;
};

static enum period
period_kind(const struct mapped_table *mapped, enum period fallback)
{
	switch (mapped->split) {
	case SPLIT_DAY: return PERIOD_DAY;
	case SPLIT_MONTH: return PERIOD_MONTH;
	case SPLIT_YEAR: return PERIOD_YEAR;
	case SPLIT_DEFAULT:
	case SPLIT_NONE: break;
	}
	return fallback;
}

int
table_new(const struct mapped_table *mapped, struct store *store, const struct table_options *options,
	  struct table **ret, struct err *err)
{
	CLEANUP(table_free)
	struct table *t = calloc(1, sizeof(*t));

	if (!t)
		return err_set(err, REASON_NO_MEMORY, "table %s", mapped->table);
	t->mapped = mapped;
	t->store = store;
	t->options = *options;
	t->bytes.max = ROWS_MAX_BYTES;
	t->trust = TRUST_FIRST;
	for (size_t i = 0; i < mapped->n_columns; i++)
		t->fields[i] = mapped->columns[i].field;
	if (periods_new(period_kind(mapped, options->period), &t->periods, err) < 0 ||
	    layout_init(&t->layout, mapped, options->number, err) < 0)
		return -1;
	if (options->metrics) {
		const char *direct[] = { mapped->name, "direct" }, *merge[] = { mapped->name, "merge" };

		t->m_inserted = metrics_series(options->metrics, &metric_inserted, direct);
		t->m_repeated = metrics_series(options->metrics, &metric_repeated, direct);
		t->m_direct = metrics_series(options->metrics, &metric_batches, direct);
		t->m_merge = metrics_series(options->metrics, &metric_batches, merge);
	}
	*ret = TAKE(t);
	return 0;
}

void
table_free(struct table *t)
{
	if (!t)
		return;
	layout_clear(&t->layout);
	buffer_clear(&t->bytes);
	free(t->pieces);
	free(t->slices);
	periods_free(t->periods);
	free(t);
}

const struct mapped_table *
table_mapped(const struct table *t)
{
	return t->mapped;
}

/* ---- rows ---- */

static int
piece_new(struct table *t, uint32_t unit, struct err *err)
{
	if (t->n_pieces == t->cap_pieces) {
		size_t cap = t->cap_pieces ? t->cap_pieces * 2 : 1024;
		struct piece *grown = realloc(t->pieces, cap * sizeof(*grown));

		if (!grown)
			return err_set(err, REASON_NO_MEMORY, "rows of %s", t->mapped->table);
		t->pieces = grown;
		t->cap_pieces = cap;
	}
	t->pieces[t->n_pieces++] = (struct piece){ unit, 0, t->bytes.len };
	return 0;
}

int
table_add(struct table *t, uint32_t unit, const struct input *in, const void *record, uint32_t *rows, struct err *err)
{
	const struct mapped_table *m = t->mapped;
	size_t n = row_count(m->kind, record);

	*rows = 0;
	if (n > UINT32_MAX)
		return err_set(err, REASON_RECORD_INVALID, "%zu values", n);
	if (piece_new(t, unit, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct row row = row_at(m->kind, in, record, i);

		if (row_put(&t->bytes, &row, t->fields, m->n_columns) < 0) {
			table_cut(t, unit);
			return err_set(err, REASON_NO_MEMORY, "%zu bytes of rows for %s: lower batch.max.records",
				       t->bytes.len, m->table);
		}
		if (m->time >= 0 && m->split != SPLIT_NONE)
			periods_note(t->periods, row_time(&row, t->fields[m->time]));
	}
	t->pieces[t->n_pieces - 1].rows = *rows = (uint32_t)n;
	return 0;
}

void
table_cut(struct table *t, uint32_t unit)
{
	while (t->n_pieces > 0 && t->pieces[t->n_pieces - 1].unit >= unit)
		t->bytes.len = t->pieces[--t->n_pieces].start;
}

int
table_prepare(struct table *t, bool fresh, struct err *err)
{
	int64_t session = store_session(t->store);
	bool split;

	if (fresh || session != t->session) {
		if (layout_verify(&t->layout, t->mapped, t->options.mapping_path, t->store, err) < 0 ||
		    store_exec(t->store, t->layout.stage, err) < 0)
			return -1;
		if (session != t->session)
			t->clean = 0;
		t->session = session;
	}
	if (t->n_pieces == 0)
		return 0;
	split = t->layout.partitioned && t->mapped->split != SPLIT_NONE;
	return periods_settle(t->periods, t->store, t->mapped->table, split ? t->options.new_partitions : 0, err);
}

/* ---- writing ---- */

/* The first piece of input number UNIT or a later one. */
static size_t
piece_search(const struct table *t, uint32_t unit)
{
	size_t low = 0, high = t->n_pieces;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (t->pieces[middle].unit < unit)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The bytes of inputs [first, end) without the refused ones, as few slices; *ROWS in them. */
static int
slices_of(struct table *t, uint32_t first, uint32_t end, const struct account_of *of, size_t *n_slices, int64_t *rows,
	  struct err *err)
{
	size_t n = 0;
	bool open = false;

	*rows = 0;
	for (size_t i = piece_search(t, first); i < t->n_pieces && t->pieces[i].unit < end; i++) {
		const struct piece *p = &t->pieces[i];
		size_t stop = i + 1 < t->n_pieces ? p[1].start : t->bytes.len;

		if (of->refused(of->units, p->unit)) {
			open = false;
			continue;
		}
		*rows += p->rows;
		if (!open && n == t->cap_slices) {
			size_t cap = t->cap_slices ? t->cap_slices * 2 : 64;
			struct span *grown = realloc(t->slices, cap * sizeof(*grown));

			if (!grown)
				return err_set(err, REASON_NO_MEMORY, "rows of %s", t->mapped->table);
			t->slices = grown;
			t->cap_slices = cap;
		}
		if (!open)
			t->slices[n++] = (struct span){ t->bytes.ptr + p->start, 0 };
		t->slices[n - 1].len += stop - p->start;
		open = true;
	}
	*n_slices = n;
	return 0;
}

/* Every row of [first, end) was sent; with ALL_NEW every one of them changed the table. */
static void
account_sent(const struct table *t, uint32_t first, uint32_t end, bool all_new, const struct account_of *of,
	     struct ledger *ledger)
{
	for (size_t i = piece_search(t, first); i < t->n_pieces && t->pieces[i].unit < end; i++) {
		const struct piece *p = &t->pieces[i];

		if (of->refused(of->units, p->unit))
			continue;
		ledger->accounts[of->account(of->units, p->unit)].rows += p->rows;
		if (all_new)
			ledger->accounts[of->account(of->units, p->unit)].inserted += p->rows;
	}
}

static int
write_direct(struct table *t, size_t n_slices, struct err *err)
{
	int64_t taken;

	t->went_direct = true;
	if (copy_in(t->store, t->layout.copy_table, t->slices, n_slices, &taken, err) < 0) {
		t->collided = strcmp(store_sqlstate(t->store), "23505") == 0;
		return -1;
	}
	t->inserted += taken;
	return layout_verify_identity(t->mapped, t->options.mapping_path, t->store, err);
}

static int
write_merge(struct table *t, size_t n_slices, struct ledger *ledger, struct err *err)
{
	CLEANUP(rows_free)
	struct rows *rows = NULL;
	int64_t taken;

	assert(!t->staged);
	t->staged = true;
	for (size_t i = 0; i < n_slices; i++)
		t->stage_bytes += t->slices[i].len;
	if (copy_in(t->store, t->layout.copy_stage, t->slices, n_slices, &taken, err) < 0 ||
	    store_query(t->store, t->layout.merge, NULL, 0, &rows, err) < 0)
		return -1;
	for (size_t i = 0; i < rows_count(rows); i++) {
		size_t account;

		for (account = 0; account < ledger->n; account++)
			if (ledger->accounts[account].partition == rows_int(rows, i, 1) &&
			    span_equal(span_of(ledger->accounts[account].topic), rows_text(rows, i, 0)))
				break;
		if (account == ledger->n)
			return err_set(err, REASON_INTERNAL, "%s: rows of %s/%lld, which nobody sent", t->mapped->table,
				       rows_text(rows, i, 0).ptr, (long long)rows_int(rows, i, 1));
		ledger->accounts[account].inserted += rows_int(rows, i, 2);
		t->inserted += rows_int(rows, i, 2);
	}
	return 0;
}

int
table_write(struct table *t, uint32_t first, uint32_t end, bool merge, const struct account_of *of,
	    struct ledger *ledger, struct err *err)
{
	bool direct = !merge && t->layout.direct && t->clean >= t->trust && !t->staged;
	int64_t rows;
	size_t n_slices = 0;

	if (slices_of(t, first, end, of, &n_slices, &rows, err) < 0)
		return -1;
	if (rows == 0)
		return 0;
	if ((direct ? write_direct(t, n_slices, err) : write_merge(t, n_slices, ledger, err)) < 0)
		return err_wrap(err, "table %s", t->mapped->table);
	account_sent(t, first, end, direct, of, ledger);
	t->rows += rows;
	return 0;
}

bool
table_collided(struct table *t)
{
	bool collided = t->collided;

	t->collided = false;
	if (collided) {
		t->clean = 0;
		t->trust = t->trust < TRUST_MAX ? t->trust * 2 : TRUST_MAX;
	}
	return collided;
}

int
table_clean(struct table *t, struct err *err)
{
	bool cut = t->stage_bytes > STAGE_KEEP_BYTES;

	if ((t->staged || cut) && store_exec(t->store, cut ? t->layout.cut : t->layout.empty, err) < 0)
		return err_wrap(err, "table %s", t->mapped->table);
	if (cut)
		t->stage_bytes = 0;
	t->staged = false;
	return 0;
}

void
table_save(struct table *t)
{
	t->saved_rows = t->rows;
	t->saved_inserted = t->inserted;
}

void
table_restore(struct table *t)
{
	t->rows = t->saved_rows;
	t->inserted = t->saved_inserted;
	t->staged = false;
}

void
table_again(struct table *t)
{
	t->rows = t->inserted = 0;
	t->staged = t->went_direct = false;
}

void
table_done(struct table *t, bool committed)
{
	if (committed && t->rows > 0) {
		metric_add(t->m_inserted, (double)t->inserted);
		metric_add(t->m_repeated, (double)(t->rows - t->inserted));
		metric_add(t->went_direct ? t->m_direct : t->m_merge, 1);
		if (t->inserted < t->rows)
			t->clean = 0;
		else if (t->clean < TRUST_MAX)
			t->clean++;
	}
	if (committed)
		t->stage_bytes = 0;
	table_again(t);
	t->collided = false;
	t->n_pieces = 0;
	t->bytes.len = 0;
	if (t->bytes.cap > ROWS_KEEP_BYTES)
		buffer_clear(&t->bytes);
}
