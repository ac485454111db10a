/*
 * mapping.c -- keys are gathered block by block as texts with their lines, then each block is resolved as a whole, since
 * a column can be understood only when the kind of record is known, and keys come in any order.
 */
#include "workers/sink-writer/mapping.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/config/options.h"

enum key {
	KEY_TOPICS,
	KEY_RECORD,
	KEY_TABLE,
	KEY_COLUMNS,
	KEY_IDENTITY,
	KEY_CONFLICT,
	KEY_ORDER,
	KEY_TIME,
	KEY_PARTITION,
	KEY_RETENTION,
	KEY_COUNT
};

static const char *const key_names[KEY_COUNT] = { "topics",   "record", "table", "columns",   "identity",
						  "conflict", "order",  "time",  "partition", "retention.days" };

struct entry {
	char *value; /* NULL: not given */
	int line;
};

struct block {
	char *name;
	int line;
	struct entry entries[KEY_COUNT];
};

struct reader {
	const char *path;
	struct block blocks[MAPPING_MAX_TABLES];
	size_t n_blocks;
};

static void
reader_free(struct reader *r)
{
	for (size_t i = 0; r && i < r->n_blocks; i++) {
		free(r->blocks[i].name);
		for (size_t k = 0; k < KEY_COUNT; k++)
			free(r->blocks[i].entries[k].value);
	}
	free(r);
}
DEFINE_CLEANUP(struct reader, reader_free)

void
mapping_free(struct mapping *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n_tables; i++) {
		struct mapped_table *t = &m->tables[i];

		free(t->name);
		free(t->table);
		for (size_t k = 0; k < t->n_topics; k++)
			free(t->topics[k]);
		for (size_t k = 0; k < t->n_columns; k++)
			free(t->columns[k].name);
	}
	free(m->tables);
	free(m->path);
	free(m);
}

static struct block *
block_of(struct reader *r, const char *name, size_t len, int line)
{
	struct block *b;

	for (size_t i = 0; i < r->n_blocks; i++)
		if (span_equal(span_of(r->blocks[i].name), (struct span){ name, len }))
			return &r->blocks[i];
	if (r->n_blocks == MAPPING_MAX_TABLES)
		return NULL;
	b = &r->blocks[r->n_blocks];
	b->name = strndup(name, len);
	b->line = line;
	if (!b->name)
		return NULL;
	r->n_blocks++;
	return b;
}

/* "alerts.conflict = newer": every pair of the file comes by here; file and line are put in front by the caller. */
static int
take_pair(void *ctx, const char *key, const char *value, int line, struct err *err)
{
	struct reader *r = ctx;
	const char *dot = strchr(key, '.'), *near;
	struct block *b;
	size_t k = 0;

	if (!dot || dot == key)
		return err_set(err, REASON_FILE_INVALID, "%s: keys are NAME.topics, NAME.table and so on", key);
	while (k < KEY_COUNT && strcmp(dot + 1, key_names[k]) != 0)
		k++;
	if (k == KEY_COUNT) {
		near = options_nearest(dot + 1, key_names, KEY_COUNT);
		return err_set(err, REASON_FILE_INVALID, "%s: unknown%s%s%s", key, near ? ", did you mean " : "",
			       near ? near : "", near ? "?" : "");
	}
	b = block_of(r, key, (size_t)(dot - key), line);
	if (!b)
		return err_set(err, REASON_FILE_INVALID, "more than %d tables", MAPPING_MAX_TABLES);
	if (b->entries[k].value)
		return err_set(err, REASON_FILE_INVALID, "%s:%d: %s is given twice, first in line %d", r->path, line,
			       key, b->entries[k].line);
	b->entries[k] = (struct entry){ strdup(value), line };
	return b->entries[k].value ? 0 : err_set(err, REASON_NO_MEMORY, "mapping");
}

/* What the resolving functions share: the block, and where to complain. */
struct resolve {
	const char *path;
	const struct block *block;
	struct mapped_table *table;
};

static int complain(const struct resolve *r, enum key key, struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static int
complain(const struct resolve *r, enum key key, struct err *err, const char *fmt, ...)
{
	const struct entry *e = &r->block->entries[key];
	char text[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_set(err, REASON_FILE_INVALID, "%s:%d: %s.%s: %s", r->path, e->value ? e->line : r->block->line,
		       r->block->name, key_names[key], text);
}

/* The next word of a list separated by commas and blanks. */
static bool
next_word(const char **at, struct span *word)
{
	*at += strspn(*at, ", \t");
	word->ptr = *at;
	word->len = strcspn(*at, ", \t");
	*at += word->len;
	return word->len > 0;
}

static int
column_index(const struct mapped_table *t, struct span name)
{
	for (size_t i = 0; i < t->n_columns; i++)
		if (span_equal(span_of(t->columns[i].name), name))
			return (int)i;
	return -1;
}

static int
resolve_topics(struct resolve *r, struct err *err)
{
	struct mapped_table *t = r->table;
	const char *at = r->block->entries[KEY_TOPICS].value;
	struct span word;

	while (next_word(&at, &word)) {
		if (t->n_topics == MAPPING_MAX_TOPICS)
			return complain(r, KEY_TOPICS, err, "more than %d", MAPPING_MAX_TOPICS);
		t->topics[t->n_topics] = strndup(word.ptr, word.len);
		if (!t->topics[t->n_topics++])
			return err_set(err, REASON_NO_MEMORY, "mapping");
	}
	return t->n_topics ? 0 : complain(r, KEY_TOPICS, err, "names no topic");
}

static int
resolve_column(struct resolve *r, struct span word, struct err *err)
{
	struct mapped_table *t = r->table;
	const char *colon = memchr(word.ptr, ':', word.len);
	struct span name = { word.ptr, colon ? (size_t)(colon - word.ptr) : word.len };
	struct span source = colon ? (struct span){ colon + 1, word.len - name.len - 1 } : name;
	char field[64];

	snprintf(field, sizeof(field), "%.*s", SPAN_ARG(source));
	if (name.len == 0 || name.len > 63 || column_index(t, name) >= 0)
		return complain(r, KEY_COLUMNS, err, "column %.*s is given twice, or is no name", SPAN_ARG(name));
	if (t->n_columns == MAPPING_MAX_COLUMNS)
		return complain(r, KEY_COLUMNS, err, "more than %d", MAPPING_MAX_COLUMNS);
	t->columns[t->n_columns].field = row_field(t->kind, field);
	if (!t->columns[t->n_columns].field)
		return complain(r, KEY_COLUMNS, err, "record %s has no field %s", t->kind->name, field);
	t->columns[t->n_columns].name = strndup(name.ptr, name.len);
	if (!t->columns[t->n_columns].name)
		return err_set(err, REASON_NO_MEMORY, "mapping");
	if (strcmp(field, "topic") == 0)
		t->topic_column = (int)t->n_columns;
	if (strcmp(field, "partition") == 0)
		t->partition_column = (int)t->n_columns;
	t->n_columns++;
	return 0;
}

static int
resolve_columns(struct resolve *r, struct err *err)
{
	struct mapped_table *t = r->table;
	const char *at = r->block->entries[KEY_COLUMNS].value;
	struct span word;

	t->topic_column = t->partition_column = -1;
	while (next_word(&at, &word))
		if (resolve_column(r, word, err) < 0)
			return -1;
	if (t->topic_column < 0 || t->partition_column < 0)
		return complain(r, KEY_COLUMNS, err,
				"a column each for the fields topic and partition is needed: rows are counted by them");
	at = r->block->entries[KEY_IDENTITY].value;
	while (next_word(&at, &word)) {
		int i = column_index(t, word);

		if (i < 0 || t->n_identity == MAPPING_MAX_COLUMNS)
			return complain(r, KEY_IDENTITY, err, "%.*s is not among the columns", SPAN_ARG(word));
		t->identity[t->n_identity++] = i;
	}
	return t->n_identity ? 0 : complain(r, KEY_IDENTITY, err, "names no column");
}

/* A column of a time type that KEY names; -1 in *INDEX where the key is not given. */
static int
resolve_time(struct resolve *r, enum key key, int *index, struct err *err)
{
	const char *name = r->block->entries[key].value;

	*index = -1;
	if (!name)
		return 0;
	*index = column_index(r->table, span_of(name));
	if (*index < 0)
		return complain(r, key, err, "%s is not among the columns", name);
	if (r->table->columns[*index].field->wire != WIRE_TIME)
		return complain(r, key, err, "%s is not a time", name);
	return 0;
}

/* The index of the key's value among CHOICES; FALLBACK where it is not given. */
static int
resolve_choice(struct resolve *r, enum key key, const char *const *choices, size_t n, int fallback, int *ret,
	       struct err *err)
{
	const char *value = r->block->entries[key].value;

	*ret = fallback;
	for (size_t i = 0; value && i < n; i++)
		if (choices[i] && strcmp(value, choices[i]) == 0) {
			*ret = (int)i;
			return 0;
		}
	return value ? complain(r, key, err, "%s is not known", value) : 0;
}

static int
resolve_policy(struct resolve *r, struct err *err)
{
	static const char *const conflicts[] = { "ignore", "newer" };
	static const char *const splits[] = { NULL, "none", "day", "month", "year" };
	struct mapped_table *t = r->table;
	const char *days = r->block->entries[KEY_RETENTION].value;
	int conflict, split, n = 0;

	if (resolve_choice(r, KEY_CONFLICT, conflicts, ARRAY_LEN(conflicts), CONFLICT_IGNORE, &conflict, err) < 0 ||
	    resolve_choice(r, KEY_PARTITION, splits, ARRAY_LEN(splits), SPLIT_DEFAULT, &split, err) < 0 ||
	    resolve_time(r, KEY_ORDER, &t->order, err) < 0 || resolve_time(r, KEY_TIME, &t->time, err) < 0)
		return -1;
	t->conflict = (enum conflict)conflict;
	t->split = (enum split)split;
	if ((t->conflict == CONFLICT_NEWER) != (t->order >= 0))
		return complain(r, KEY_CONFLICT, err, "newer and the key order go together");
	if (days && (sscanf(days, "%" SCNd64 "%n", &t->retention_days, &n) != 1 || days[n] || t->retention_days < 0 ||
		     t->retention_days > 36500))
		return complain(r, KEY_RETENTION, err, "%s is not a number of days (0 to 36500)", days);
	if (t->retention_days > 0 && t->time < 0)
		return complain(r, KEY_RETENTION, err, "needs the key time");
	return 0;
}

static int
resolve_block(struct resolve *r, struct err *err)
{
	static const enum key required[] = { KEY_TOPICS, KEY_RECORD, KEY_TABLE, KEY_COLUMNS, KEY_IDENTITY };
	struct mapped_table *t = r->table;

	for (size_t i = 0; i < ARRAY_LEN(required); i++)
		if (!r->block->entries[required[i]].value)
			return complain(r, required[i], err, "is missing");
	t->name = strdup(r->block->name);
	t->table = strdup(r->block->entries[KEY_TABLE].value);
	t->line = r->block->line;
	if (!t->name || !t->table)
		return err_set(err, REASON_NO_MEMORY, "mapping");
	for (const char *c = t->table; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '_' && *c != '.')
			return complain(r, KEY_TABLE, err, "%s is not of the form schema.table", t->table);
	t->kind = row_kind_find(r->block->entries[KEY_RECORD].value);
	if (!t->kind)
		return complain(r, KEY_RECORD, err, "%s is not known", r->block->entries[KEY_RECORD].value);
	if (resolve_topics(r, err) < 0 || resolve_columns(r, err) < 0)
		return -1;
	return resolve_policy(r, err);
}

/* One topic, one kind of record. */
static int
check_topics(const struct mapping *m, struct err *err)
{
	for (size_t i = 0; i < m->n_tables; i++)
		for (size_t k = 0; k < m->tables[i].n_topics; k++) {
			const struct row_kind *kind;

			mapping_has_topic(m, m->tables[i].topics[k], &kind);
			if (kind != m->tables[i].kind)
				return err_set(
				    err, REASON_FILE_INVALID, "%s:%d: %s.record: topic %s holds %s records already",
				    m->path, m->tables[i].line, m->tables[i].name, m->tables[i].topics[k], kind->name);
		}
	return 0;
}

int
mapping_load(const char *path, struct mapping **ret, struct err *err)
{
	CLEANUP(reader_free)
	struct reader *reader = calloc(1, sizeof(*reader));
	CLEANUP(mapping_free)
	struct mapping *m = calloc(1, sizeof(*m));

	if (!reader || !m || !(m->path = strdup(path)) || !(m->tables = calloc(MAPPING_MAX_TABLES, sizeof(*m->tables))))
		return err_set(err, REASON_NO_MEMORY, "mapping");
	reader->path = path;
	if (properties_read(path, take_pair, reader, err) < 0)
		return -1;
	if (reader->n_blocks == 0)
		return err_set(err, REASON_FILE_INVALID, "%s: names no table", path);
	for (size_t i = 0; i < reader->n_blocks; i++) {
		struct resolve r = { path, &reader->blocks[i], &m->tables[m->n_tables++] };

		if (resolve_block(&r, err) < 0)
			return -1;
	}
	if (check_topics(m, err) < 0)
		return -1;
	*ret = TAKE(m);
	return 0;
}

bool
mapped_table_takes(const struct mapped_table *t, const char *topic)
{
	for (size_t i = 0; i < t->n_topics; i++)
		if (strcmp(t->topics[i], topic) == 0)
			return true;
	return false;
}

bool
mapping_has_topic(const struct mapping *m, const char *topic, const struct row_kind **kind)
{
	for (size_t i = 0; i < m->n_tables; i++)
		if (mapped_table_takes(&m->tables[i], topic)) {
			if (kind)
				*kind = m->tables[i].kind;
			return true;
		}
	return false;
}
