/*
 * sink.c -- the order of things in a transaction, and what is done again after which failure.
 *
 * Failures end in one of three ways.  The world is at fault: the transaction is given up, the rows are kept, the loop
 * calls again.  A row is at fault: the transaction is done again half by half until the guilty inputs are known.  The
 * table is at fault (asked once more, since a table altered under us makes every row look guilty): stop.
 */
#include "workers/sink-writer/sink.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "workers/sink-writer/outbox.h"

#define RETAIN_EVERY_US (3600 * US_PER_SECOND)
#define BEGIN "BEGIN; SET CONSTRAINTS ALL IMMEDIATE"

static int
tables_new(struct sink *s, struct metrics *metrics, struct err *err)
{
	for (size_t i = 0; i < s->mapping->n_tables; i++) {
		CLEANUP(table_free)
		struct table *t = NULL;
		struct table_options o = { .mapping_path = s->mapping->path,
					   .period = (enum period)s->options.partition_interval,
					   .new_partitions = (size_t)s->options.partition_new_max,
					   .number = i,
					   .metrics = metrics };

		if (table_new(&s->mapping->tables[i], s->store, &o, &t, err) < 0 ||
		    load_add_table(&s->load, t, err) < 0)
			return -1;
		TAKE(t);
	}
	return 0;
}

int
sink_init(struct sink *s, const char *group, const char *instance, struct metrics *metrics, struct err *err)
{
	struct store_options o = { .uri = s->options.postgres_uri,
				   .application_name = group,
				   .connect_timeout_ms = s->options.connect_timeout_ms,
				   .metrics = metrics };

	s->group = strdup(group);
	s->instance = strdup(instance);
	s->outboxes = map_new(free);
	if (!s->group || !s->instance || !s->outboxes)
		return err_set(err, REASON_NO_MEMORY, "sink");
	if (mapping_load(s->options.mapping, &s->mapping, err) < 0)
		return err_wrap(err, "sink.mapping");
	if (store_new(&o, &s->store, err) < 0 || epoch_new(s->store, group, instance, &s->epoch, err) < 0)
		return -1;
	load_init(&s->load, s->store);
	return tables_new(s, metrics, err);
}

void
sink_clear(struct sink *s)
{
	load_clear(&s->load);
	epoch_free(s->epoch);
	store_free(s->store);
	mapping_free(s->mapping);
	map_free(s->outboxes);
	free(s->steps);
	free(s->group);
	free(s->instance);
	*s = (struct sink){ .options = s->options };
}

/* ---- offsets ---- */

struct place_text {
	char text[300];
};

static struct span
place_of(struct place_text *p, const char *topic, int32_t partition)
{
	int n = snprintf(p->text, sizeof(p->text), "%.249s/%" PRId32, topic, partition);

	return (struct span){ p->text, (size_t)n };
}

int
sink_claim(struct sink *s, const char *topic, int32_t partition, int64_t kafka_offset, int64_t *offset, struct err *err)
{
	struct place_text place;

	store_rollback(s->store);
	/* From here on Kafka's offset says which letters are delivered, not the order of our commits. */
	free(map_take(s->outboxes, place_of(&place, topic, partition)));
	return epoch_claim(s->epoch, topic, partition, kafka_offset, offset, err);
}

void
sink_release(struct sink *s, const char *topic, int32_t partition)
{
	struct place_text place;

	epoch_release(s->epoch, topic, partition);
	free(map_take(s->outboxes, place_of(&place, topic, partition)));
}

static int
steps_room(struct sink *s, size_t n, struct err *err)
{
	struct epoch_step *grown;

	if (n <= s->cap_steps)
		return 0;
	grown = realloc(s->steps, n * sizeof(*grown));
	if (!grown)
		return err_set(err, REASON_NO_MEMORY, "offsets of %zu partitions", n);
	s->steps = grown;
	s->cap_steps = n;
	return 0;
}

/* The partitions that the batch has rows of; no offsets yet. */
static int
steps_of_load(struct sink *s, size_t *n, struct err *err)
{
	const struct ledger *l = &s->load.ledger;

	if (steps_room(s, l->n, err) < 0)
		return -1;
	for (size_t i = 0; i < l->n; i++)
		s->steps[i] = (struct epoch_step){ .topic = l->accounts[i].topic,
						   .partition = l->accounts[i].partition,
						   .next_offset = INT64_MAX };
	*n = l->n;
	return 0;
}

static bool
is_at(const struct position *p, const char *topic, int32_t partition)
{
	return p->partition == partition && strcmp(p->topic, topic) == 0;
}

static int
steps_of_commit(struct sink *s, const struct position *positions, size_t n, const struct dead_letter *letters,
		size_t n_letters, struct err *err)
{
	const struct ledger *l = &s->load.ledger;

	if (steps_room(s, n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct epoch_step *step = &s->steps[i];

		*step = (struct epoch_step){ .topic = positions[i].topic,
					     .partition = positions[i].partition,
					     .next_offset = positions[i].offset };
		for (size_t k = 0; k < l->n; k++)
			if (is_at(&positions[i], l->accounts[k].topic, l->accounts[k].partition)) {
				step->inserted += l->accounts[k].inserted;
				step->repeated += l->accounts[k].rows - l->accounts[k].inserted;
			}
	}
	for (size_t k = 0, i = 0; k < n_letters; k++) {
		const struct input *in = letters[k].input;

		for (size_t tried = 0; tried < n && !is_at(&positions[i], in->topic, in->partition); tried++)
			i = (i + 1) % n;
		if (n > 0 && is_at(&positions[i], in->topic, in->partition))
			s->steps[i].dead_letters++;
	}
	return 0;
}

/* ---- writing ---- */

static void
give_up(struct sink *s)
{
	store_rollback(s->store);
	load_again(&s->load);
	s->applied = false;
}

/* BEGIN and the lock on N steps. */
static int
begin(struct sink *s, size_t n_steps, bool *reached, struct err *err)
{
	if (store_exec(s->store, BEGIN, err) < 0)
		return -1;
	return epoch_lock(s->epoch, s->steps, n_steps, reached, err);
}

/* In a transaction of its own: everything, else one by one. */
static int
blame(struct sink *s, size_t n_steps, struct err *err)
{
	bool reached;

	give_up(s);
	if (load_prepare(&s->load, true, err) < 0 || begin(s, n_steps, &reached, err) < 0)
		return -1;
	return load_blame(&s->load, err);
}

/* The lock is held; write the batch.  On success the transaction is open and complete but for the offsets. */
static int
write_rows(struct sink *s, size_t n_steps, struct err *err)
{
	struct err why = ERR_INIT;
	bool again, reached;

	while (load_write(&s->load, &again, &why) < 0) {
		if (again) {
			give_up(s);
			if (begin(s, n_steps, &reached, err) < 0)
				return -1;
			continue;
		}
		if (err_class(&why) == ERR_RECORD)
			return blame(s, n_steps, err);
		if (err)
			*err = why;
		return -1;
	}
	return 0;
}

int
sink_flush(struct sink *s, struct err *err)
{
	size_t n_steps;
	bool reached;

	if (s->load.n_units == 0 || s->applied)
		return 0;
	if (store_connect(s->store, err) < 0 || load_prepare(&s->load, false, err) < 0 ||
	    steps_of_load(s, &n_steps, err) < 0)
		return -1;
	if (begin(s, n_steps, &reached, err) < 0 || write_rows(s, n_steps, err) < 0) {
		give_up(s);
		return -1;
	}
	s->applied = true;
	return 0;
}

/* A transaction with the batch's rows, new if the old one is gone.  *DONE: the commit in doubt had succeeded. */
static int
transaction(struct sink *s, const struct position *positions, size_t n, bool *done, struct err *err)
{
	bool reached;

	*done = false;
	if (s->applied && store_in_transaction(s->store))
		return 0;
	give_up(s);
	if (store_connect(s->store, err) < 0 || load_prepare(&s->load, false, err) < 0 ||
	    steps_of_commit(s, positions, n, NULL, 0, err) < 0 || begin(s, n, &reached, err) < 0)
		return -1;
	*done = s->doubtful && reached;
	s->doubtful = false;
	if (*done || s->load.n_units == 0)
		return 0;
	if (write_rows(s, n, err) < 0)
		return -1;
	for (size_t i = 0; i < s->load.n_units; i++)
		if (s->load.units[i].why && !s->load.units[i].reported)
			return err_set(err, REASON_STORE_REFUSED,
				       "a row was refused only when the commit was repeated: %s",
				       s->load.units[i].why->text);
	s->applied = true;
	return 0;
}

/* Dead letters of this commit go in; those of the one before are delivered, or this one would not be under way. */
static int
letters_store(struct sink *s, const struct position *positions, size_t n, const struct dead_letter *letters,
	      size_t n_letters, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		struct place_text place;
		bool any = map_get(s->outboxes, place_of(&place, positions[i].topic, positions[i].partition)) != NULL;

		for (size_t k = 0; k < n_letters && !any; k++)
			any = is_at(&positions[i], letters[k].input->topic, letters[k].input->partition);
		if (any && outbox_forget(s->store, s->group, positions[i].topic, positions[i].partition,
					 positions[i].offset, err) < 0)
			return -1;
	}
	return outbox_put(s->store, s->group, letters, n_letters, err);
}

static void
letters_remember(struct sink *s, const struct position *positions, size_t n, const struct dead_letter *letters,
		 size_t n_letters)
{
	for (size_t i = 0; i < n; i++) {
		struct place_text place;
		struct span key = place_of(&place, positions[i].topic, positions[i].partition);
		bool any = false;
		char *mark;

		for (size_t k = 0; k < n_letters && !any; k++)
			any = is_at(&positions[i], letters[k].input->topic, letters[k].input->partition);
		free(map_take(s->outboxes, key));
		mark = any ? strdup("") : NULL;
		if (mark && map_put(s->outboxes, key, mark) < 0)
			free(mark); /* the rows then go when the partition is claimed the next time */
	}
}

static int
commit_all(struct sink *s, const struct position *positions, size_t n, const struct dead_letter *letters,
	   size_t n_letters, struct err *err)
{
	bool done;

	if (transaction(s, positions, n, &done, err) < 0)
		return -1;
	if (done) {
		store_rollback(s->store);
		return 0;
	}
	if (steps_of_commit(s, positions, n, letters, n_letters, err) < 0 ||
	    letters_store(s, positions, n, letters, n_letters, err) < 0 ||
	    epoch_advance(s->epoch, s->steps, n, err) < 0)
		return -1;
	s->doubtful = true;
	if (store_commit(s->store, err) < 0) {
		s->doubtful = store_session(s->store) == 0; /* an answer, and be it no, leaves no doubt */
		return -1;
	}
	s->doubtful = false;
	return 0;
}

int
sink_commit(struct sink *s, const struct position *positions, size_t n_positions, const struct dead_letter *letters,
	    size_t n_letters, struct err *err)
{
	if (commit_all(s, positions, n_positions, letters, n_letters, err) < 0) {
		give_up(s);
		return -1;
	}
	letters_remember(s, positions, n_positions, letters, n_letters);
	s->applied = false;
	load_done(&s->load, true);
	return 0;
}

void
sink_rollback(struct sink *s)
{
	store_rollback(s->store);
	s->applied = s->doubtful = false;
	load_done(&s->load, false);
}

int
sink_retain(struct sink *s, int64_t now_us, int64_t monotonic_us, struct err *err)
{
	if (s->retain_at_us > monotonic_us)
		return 0;
	s->retain_at_us = monotonic_us + RETAIN_EVERY_US;
	for (size_t i = 0; i < s->mapping->n_tables; i++) {
		const struct mapped_table *t = &s->mapping->tables[i];
		struct retained gone;

		if (t->retention_days > 0 &&
		    partition_retain(s->store, t->table, t->columns[t->time].name,
				     now_us - t->retention_days * 86400 * US_PER_SECOND, false, &gone, err) < 0)
			return -1;
	}
	return 0;
}
