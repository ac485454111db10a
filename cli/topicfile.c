/*
 * topicfile.c -- see topicfile.h.  All pairs are collected first, then topics are declared in the order of the file, and
 * each takes its settings from its own pairs, the dead-letter defaults and the defaults, the first that states it.
 *
 * Names of topics and names of settings both hold dots: the setting is the longest known one that the key ends with.
 */
#include "cli/topicfile.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/config/options.h"

#define MAX_PAIRS 2000
#define MAX_TOPICS 200
#define TOPIC_NAME_BYTES 249
#define DLQ_SUFFIX ".dlq"

enum value_kind { NUMBER, POLICY, WORD, REPLICAS, TEXT, FLAG };

static const struct setting {
	const char *key;
	enum value_kind kind;
	int64_t min, max;
	bool kafka; /* sent to the cluster as a topic setting */
} known[] = {
	{ "cleanup.policy", POLICY, 0, 0, true },
	{ "compression.type", WORD, 0, 0, true },
	{ "delete.retention.ms", NUMBER, 0, INT64_MAX, true },
	{ "max.compaction.lag.ms", NUMBER, 1, INT64_MAX, true },
	{ "max.message.bytes", NUMBER, 1024, INT32_MAX, true },
	{ "message.timestamp.after.max.ms", NUMBER, 0, INT64_MAX, true },
	{ "message.timestamp.before.max.ms", NUMBER, 0, INT64_MAX, true },
	{ "message.timestamp.type", WORD, 0, 0, true },
	{ "min.cleanable.dirty.ratio", WORD, 0, 0, true },
	{ "min.compaction.lag.ms", NUMBER, 0, INT64_MAX, true },
	{ "min.insync.replicas", NUMBER, 1, 100, true },
	{ "retention.bytes", NUMBER, -1, INT64_MAX, true },
	{ "retention.ms", NUMBER, -1, INT64_MAX, true },
	{ "segment.bytes", NUMBER, 1048576, INT32_MAX, true },
	{ "segment.ms", NUMBER, 1, INT64_MAX, true },
	{ "partitions", NUMBER, 1, 10000, false },
	{ "replication", REPLICAS, 1, 100, false },
	{ "dlq", FLAG, 0, 0, false },
	{ "doc", TEXT, 0, 0, false },
};

struct pair {
	const char *key, *value;
	int line;
};

struct reading_file {
	struct topic_file *file;
	struct pair *pairs;
	size_t n_pairs;
	struct topic_overrides overrides;
};

static int
collect(void *ctx, const char *key, const char *value, int line, struct err *err)
{
	struct reading_file *r = ctx;
	struct pair *p = &r->pairs[r->n_pairs];

	if (r->n_pairs == MAX_PAIRS)
		return err_set(err, REASON_FILE_INVALID, "more than %d keys", MAX_PAIRS);
	*p = (struct pair){ arena_copy(r->file->arena, span_of(key)).ptr,
			    arena_copy(r->file->arena, span_of(value)).ptr, line };
	if (!p->key || !p->value)
		return err_set(err, REASON_NO_MEMORY, "topics");
	r->n_pairs++;
	return 0;
}

/* The longest known setting that KEY is or ends with, behind a dot. */
static const struct setting *
setting_of(const char *key)
{
	const struct setting *best = NULL;
	size_t len = strlen(key), best_len = 0;

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		size_t n = strlen(known[i].key);

		if (n > len || n <= best_len || strcmp(key + len - n, known[i].key) != 0)
			continue;
		if (n == len || key[len - n - 1] == '.') {
			best = &known[i];
			best_len = n;
		}
	}
	return best;
}

static int
parse_number(const char *text, int64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoll(text, &end, 10);
	return *text == '\0' || *end || errno ? -1 : 0;
}

static bool
is_policy(const char *v)
{
	return strcmp(v, "delete") == 0 || strcmp(v, "compact") == 0 || strcmp(v, "compact,delete") == 0;
}

static int
check_value(const struct pair *p, const struct setting *s, const char *where, struct err *err)
{
	int64_t number;

	switch (s->kind) {
	case POLICY:
		if (is_policy(p->value))
			return 0;
		return err_set(err, REASON_FILE_INVALID, "%s:%d: %s: delete, compact or compact,delete, not %.60s",
			       where, p->line, p->key, p->value);
	case FLAG:
		if (strcmp(p->value, "true") == 0 || strcmp(p->value, "false") == 0)
			return 0;
		return err_set(err, REASON_FILE_INVALID, "%s:%d: %s: true or false, not %.60s", where, p->line, p->key,
			       p->value);
	case REPLICAS:
		if (strcmp(p->value, "broker") == 0)
			return 0;
		break;
	case NUMBER: break;
	case WORD:
	case TEXT:
		if (*p->value)
			return 0;
		return err_set(err, REASON_FILE_INVALID, "%s:%d: %s: empty", where, p->line, p->key);
	}
	if (parse_number(p->value, &number) < 0 || number < s->min || number > s->max)
		return err_set(err, REASON_FILE_INVALID,
			       "%s:%d: %s: a whole number from %" PRId64 " to %" PRId64 ", not %.60s", where, p->line,
			       p->key, s->min, s->max, p->value);
	return 0;
}

static bool
is_topic_name(const char *name)
{
	return *name && strlen(name) <= TOPIC_NAME_BYTES && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == strlen(name);
}

static const char *
find_pair(const struct reading_file *r, const char *prefix, const char *key)
{
	size_t len = strlen(prefix);

	for (size_t i = 0; i < r->n_pairs; i++)
		if (strncmp(r->pairs[i].key, prefix, len) == 0 && strcmp(r->pairs[i].key + len, key) == 0)
			return r->pairs[i].value;
	return NULL;
}

/* What holds for the topic NAME: its own pair, the dead-letter default, the default. */
static const char *
value_for(const struct reading_file *r, const char *name, bool dlq, const char *key)
{
	char prefix[TOPIC_NAME_BYTES + 16];
	const char *value;

	snprintf(prefix, sizeof(prefix), "topic.%s.", name);
	value = find_pair(r, prefix, key);
	if (!value && dlq)
		value = find_pair(r, "dlq.", key);
	return value ? value : find_pair(r, "defaults.", key);
}

static struct topic_spec *
find_topic(const struct topic_file *f, const char *name)
{
	for (size_t i = 0; i < f->n_topics; i++)
		if (strcmp(f->topics[i].topic.name, name) == 0)
			return &f->topics[i];
	return NULL;
}

static int
declare(struct topic_file *f, const char *name, const char *doc, const struct pair *p, const char *where,
	struct err *err)
{
	if (!is_topic_name(name))
		return err_set(err, REASON_FILE_INVALID, "%s:%d: %s: not a name for a topic", where, p->line, p->key);
	if (find_topic(f, name))
		return err_set(err, REASON_FILE_INVALID, "%s:%d: %s: topic %s is declared twice", where, p->line,
			       p->key, name);
	if (f->n_topics == MAX_TOPICS)
		return err_set(err, REASON_FILE_INVALID, "%s:%d: more than %d topics", where, p->line, MAX_TOPICS);
	f->topics[f->n_topics++] = (struct topic_spec){ .topic.name = name, .doc = doc };
	return 0;
}

/* `topic.NAME.SETTING` -> NAME, or NULL. */
static char *
topic_of(const struct reading_file *r, const char *key, const struct setting *s)
{
	size_t len = strlen(key), tail = strlen(s->key) + 1;

	if (strncmp(key, "topic.", 6) != 0 || len <= 6 + tail)
		return NULL;
	return arena_printf(r->file->arena, "%.*s", (int)(len - 6 - tail), key + 6);
}

/* Every key must mean something, every value fit; topics are declared by their doc. */
static int
check_pairs(struct reading_file *r, const char *where, struct err *err)
{
	struct arena *arena = r->file->arena;

	for (size_t i = 0; i < r->n_pairs; i++) {
		const struct pair *p = &r->pairs[i];
		const struct setting *s = setting_of(p->key);
		const char *name = s ? topic_of(r, p->key, s) : NULL, *dlq;
		bool general = strcmp(p->key, "partitions") == 0 ||
			       (s && strncmp(p->key, "defaults.", 9) == 0 && strcmp(p->key + 9, s->key) == 0) ||
			       (s && strncmp(p->key, "dlq.", 4) == 0 && strcmp(p->key + 4, s->key) == 0);

		if (!s || (!name && !general))
			return err_set(err, REASON_FILE_INVALID, "%s:%d: %.100s: unknown key", where, p->line, p->key);
		if (check_value(p, s, where, err) < 0)
			return -1;
		if (!name || strcmp(s->key, "doc") != 0)
			continue;
		if (declare(r->file, name, p->value, p, where, err) < 0)
			return -1;
		dlq = value_for(r, name, false, "dlq");
		if (dlq && strcmp(dlq, "true") == 0 &&
		    declare(r->file, arena_printf(arena, "%s" DLQ_SUFFIX, name),
			    arena_printf(arena, "What could not be processed of `%s`, with the reason in its headers.",
					 name),
			    p, where, err) < 0)
			return -1;
	}
	return 0;
}

/* Settings of topics that nobody declared would be lost in silence. */
static int
check_orphans(struct reading_file *r, const char *where, struct err *err)
{
	for (size_t i = 0; i < r->n_pairs; i++) {
		const struct pair *p = &r->pairs[i];
		const char *name = topic_of(r, p->key, setting_of(p->key));

		if (name && !find_topic(r->file, name))
			return err_set(err, REASON_FILE_INVALID, "%s:%d: %s: topic %s has no doc line", where, p->line,
				       p->key, name);
	}
	return 0;
}

/* min.insync.replicas fits the replication that was asked for by hand. */
static const char *
fit_insync(const struct reading_file *r, const char *value)
{
	int64_t most = r->overrides.replication > 2 ? r->overrides.replication - 1 : 1, number;

	if (r->overrides.replication == 0 || parse_number(value, &number) < 0 || number <= most)
		return value;
	return arena_printf(r->file->arena, "%" PRId64, most);
}

static int
fill_topic(struct reading_file *r, struct topic_spec *spec, struct err *err)
{
	struct cluster_topic *t = &spec->topic;
	size_t len = strlen(t->name), tail = strlen(DLQ_SUFFIX);
	bool dlq = len > tail && strcmp(t->name + len - tail, DLQ_SUFFIX) == 0;
	const char *usual = find_pair(r, "defaults.", "partitions"),
		   *partitions = value_for(r, t->name, dlq, "partitions"),
		   *replication = value_for(r, t->name, dlq, "replication");

	if (!partitions)
		partitions = usual = find_pair(r, "", "partitions");
	t->partitions = partitions ? atoi(partitions) : 1;
	if (partitions == usual && r->overrides.partitions)
		t->partitions = (int32_t)r->overrides.partitions;
	t->replication = r->overrides.replication             ? (int32_t)r->overrides.replication
			 : replication && *replication != 'b' ? atoi(replication)
							      : REPLICATION_BROKER;
	t->settings = arena_alloc(r->file->arena, ARRAY_LEN(known) * sizeof(*t->settings));
	if (!t->settings)
		return err_set(err, REASON_NO_MEMORY, "topics");
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		const char *value = known[i].kafka ? value_for(r, t->name, dlq, known[i].key) : NULL;

		if (value && strcmp(known[i].key, "min.insync.replicas") == 0)
			value = fit_insync(r, value);
		if (value)
			t->settings[t->n_settings++] = (struct cluster_setting){ known[i].key, value, true };
	}
	return 0;
}

/* A letter that does not fit ends its worker, and does so again at each start. */
static int
check_fits(const struct cluster_topic *source, const struct cluster_topic *dlq, const char *where, struct err *err)
{
	const char *most = topic_setting(source, "max.message.bytes"), *room = topic_setting(dlq, "max.message.bytes");
	int64_t most_bytes, room_bytes;

	if (!most || !room || parse_number(most, &most_bytes) < 0 || parse_number(room, &room_bytes) < 0 ||
	    room_bytes >= most_bytes)
		return 0;
	return err_set(err, REASON_FILE_INVALID,
		       "%s: %s: max.message.bytes=%s is less than the %s of %s, whose dead letters would not fit",
		       where, dlq->name, room, most, source->name);
}

/* A dead-letter topic belongs beside its source: same partition numbers, room for all that is there. */
static int
align_dead_letters(struct topic_file *f, const char *where, struct err *err)
{
	for (size_t i = 1; i < f->n_topics; i++) {
		const struct cluster_topic *source = &f->topics[i - 1].topic;
		size_t len = strlen(source->name);

		if (strncmp(f->topics[i].topic.name, source->name, len) != 0 ||
		    strcmp(f->topics[i].topic.name + len, DLQ_SUFFIX) != 0)
			continue;
		f->topics[i].topic.partitions = source->partitions;
		if (check_fits(source, &f->topics[i].topic, where, err) < 0)
			return -1;
	}
	return 0;
}

static int
build(struct reading_file *r, const char *where, struct err *err)
{
	if (check_pairs(r, where, err) < 0 || check_orphans(r, where, err) < 0)
		return -1;
	if (r->file->n_topics == 0)
		return err_set(err, REASON_FILE_INVALID, "%s: no topic.NAME.doc line, so no topic", where);
	for (size_t i = 0; i < r->file->n_topics; i++)
		if (fill_topic(r, &r->file->topics[i], err) < 0)
			return -1;
	return align_dead_letters(r->file, where, err);
}

static int
start(struct reading_file *r, const struct topic_overrides *overrides, struct err *err)
{
	r->overrides = *overrides;
	r->file = calloc(1, sizeof(*r->file));
	if (!r->file || !(r->file->arena = arena_new(65536, 0)))
		return err_set(err, REASON_NO_MEMORY, "topics");
	r->pairs = arena_alloc(r->file->arena, MAX_PAIRS * sizeof(*r->pairs));
	r->file->topics = arena_alloc(r->file->arena, MAX_TOPICS * sizeof(*r->file->topics));
	return r->pairs && r->file->topics ? 0 : err_set(err, REASON_NO_MEMORY, "topics");
}

int
topic_file_parse(struct span text, const char *name, const struct topic_overrides *overrides, struct topic_file **ret,
		 struct err *err)
{
	struct reading_file r = { NULL };

	if (start(&r, overrides, err) < 0 || properties_parse(text, name, collect, &r, err) < 0 ||
	    build(&r, name, err) < 0) {
		topic_file_free(r.file);
		return -1;
	}
	*ret = r.file;
	return 0;
}

int
topic_file_read(const char *path, const struct topic_overrides *overrides, struct topic_file **ret, struct err *err)
{
	struct reading_file r = { NULL };

	if (start(&r, overrides, err) < 0 || properties_read(path, collect, &r, err) < 0 || build(&r, path, err) < 0) {
		topic_file_free(r.file);
		return -1;
	}
	*ret = r.file;
	return 0;
}

void
topic_file_free(struct topic_file *f)
{
	if (!f)
		return;
	arena_free(f->arena);
	free(f);
}

const char *
topic_setting(const struct cluster_topic *topic, const char *key)
{
	for (size_t i = 0; i < topic->n_settings; i++)
		if (strcmp(topic->settings[i].key, key) == 0)
			return topic->settings[i].value;
	return NULL;
}
