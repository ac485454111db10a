/* letters.c -- see letters.h. */
#include "cli/letters.h"

#include <stdio.h>
#include <string.h>

#include "cli/readable.h"
#include "common/kafka/scan.h"

#define REASON_HEADER "forebay.reason"
#define REASON_BYTES 64 /* ours are shorter; anybody may write to a topic */

struct counting {
	struct letters_topic *topics;
	size_t n;
	struct arena *arena;
};

static void
count_reason(struct counting *c, struct letters_topic *t, struct span name)
{
	char text[REASON_BYTES];
	size_t i = 0;

	snprintf(text, sizeof(text), "%.*s", SPAN_ARG(name));
	readable_text(text);
	while (i < t->n_reasons && strcmp(t->reasons[i].name, text) != 0)
		i++;
	if (i == LETTERS_MAX_REASONS)
		return;
	if (i == t->n_reasons) {
		const char *copy = arena_copy(c->arena, span_of(text)).ptr;

		if (!copy)
			return;
		t->reasons[t->n_reasons++].name = copy;
	}
	t->reasons[i].count++;
}

static int
visit(void *ctx, const struct consumed *record, struct err *err)
{
	struct counting *c = ctx;

	(void)err;
	for (size_t i = 0; i < c->n; i++) {
		struct letters_topic *t = &c->topics[i];
		struct span reason;

		if (strcmp(t->name, record->topic) != 0)
			continue;
		t->count++;
		if (!fleet_is_dead_letters(t->name))
			break;
		reason = consumed_header(record->message, REASON_HEADER);
		count_reason(c, t, reason.ptr ? reason : SPAN("none"));
		break;
	}
	return 0;
}

static int
scan(const struct client_config *config, const struct fleet_topic *topics, struct counting *c, int timeout_ms,
     struct err *err)
{
	CLEANUP(scan_free)
	struct scan *s = NULL;
	struct topic_partition *tp;
	size_t room = 0, n = 0;

	for (size_t i = 0; i < c->n; i++)
		room += (size_t)topics[i].partitions;
	tp = arena_alloc(c->arena, (room + 1) * sizeof(*tp));
	if (!tp)
		return err_set(err, REASON_NO_MEMORY, "count of records");
	for (size_t i = 0; i < c->n; i++)
		for (int32_t k = 0; topics[i].end > topics[i].low && k < topics[i].partitions; k++)
			tp[n++] = (struct topic_partition){ (char *)topics[i].name, k, OFFSET_NONE };
	if (n == 0)
		return 0;
	if (scan_new(config, &s, err) < 0)
		return -1;
	return scan_partitions(s, tp, n, timeout_ms, visit, c, err);
}

int
letters_count(const struct client_config *config, const struct fleet_topic *topics, size_t n, int64_t limit,
	      int timeout_ms, struct arena *arena, struct letters_topic **ret, struct err *err)
{
	struct counting c = { arena_zalloc(arena, (n + 1) * sizeof(*c.topics)), n, arena };
	int64_t most = 0;

	if (!c.topics)
		return err_set(err, REASON_NO_MEMORY, "count of records");
	for (size_t i = 0; i < n; i++)
		most += topics[i].end - topics[i].low;
	for (size_t i = 0; i < n; i++)
		c.topics[i] = (struct letters_topic){ .name = topics[i].name,
						      .count = most > limit ? topics[i].end - topics[i].low : 0,
						      .exact = most <= limit || topics[i].end == topics[i].low };
	if (most <= limit && scan(config, topics, &c, timeout_ms, err) < 0)
		return -1;
	*ret = c.topics;
	return 0;
}
