/* assignment.c -- which states survive what happens to their partitions.  Offsets are kept by librdkafka's mock broker. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "common/worker/internal.h"

#define TOPIC "t"

static const struct state_type counter = { .size = sizeof(int) };
static size_t n_revoked;

static void
revoked(void *self, const char *topic, int32_t partition)
{
	n_revoked++;
}

static const struct worker_spec spec = { .name = "test", .state = &counter, .revoked = revoked };
static char topic_name[] = TOPIC, *topics[] = { topic_name };
static char nobody[] = "", somebody[] = "pod-0", other_name[] = "u", *two_topics[] = { topic_name, other_name };
/* As a rebalance hands it over: a name that is not ours. */
static const struct topic_partition here = { TOPIC, 0, OFFSET_NONE };

static void
begin(struct worker *w)
{
	const struct client_property mock[] = { { "test.mock.num.brokers", "1" },
						{ "allow.auto.create.topics", "true" } };
	const struct client_config client = { .bootstrap_servers = "",
					      .overrides = mock,
					      .n_overrides = ARRAY_LEN(mock) };
	const struct consumer_options options = {
		.group_id = "g", .session_timeout_ms = 6000, .max_poll_interval_ms = 60000, .queue_max_bytes = 1 << 20
	};
	const struct consumer_hooks hooks = { w, assignment_assigned, assignment_revoked };
	struct err err = ERR_INIT;
	int32_t partitions;

	*w = (struct worker){
		.spec = &spec, .topics = topics, .n_topics = 1, .phase = PHASE_JOINED, .opt.instance_id = nobody
	};
	pthread_mutex_init(&w->face_lock, NULL);
	w->states = state_table_new(&counter, 2, &(struct state_limits){ INT64_MAX, SIZE_MAX, SIZE_MAX });
	w->convictions = map_new(free);
	assert_non_null(w->states);
	assert_non_null(w->convictions);
	assert_int_equal(metrics_new(&w->metrics, &err), 0);
	meters_init(&w->meters, w->metrics, "test");
	assert_int_equal(batch_init(&w->batch, &err), 0);
	if (consumer_new(&client, &options, &hooks, &w->consumer, &err) < 0 ||
	    consumer_partition_count(w->consumer, TOPIC, 5000, &partitions, &err) < 0) /* the mock makes the topic */
		fail_msg("%s", err.text);
	n_revoked = 0;
}

static void
end(struct worker *w)
{
	consumer_free(w->consumer);
	assignment_clear(w);
	free(w->face.held);
	batch_clear(&w->batch);
	state_table_free(w->states);
	map_free(w->convictions);
	metrics_free(w->metrics);
	pthread_mutex_destroy(&w->face_lock);
}

static void
group_at(struct worker *w, int64_t offset)
{
	const struct topic_partition at = { TOPIC, 0, offset };
	struct err err = ERR_INIT;

	if (consumer_commit(w->consumer, &at, 1, &err) < 0)
		fail_msg("%s", err.text);
}

static void
load(struct worker *w)
{
	struct err err = ERR_INIT;
	bool done;

	if (assignment_load(w, &done, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(done);
}

static void
assigned(struct worker *w)
{
	assignment_assigned(w, &here, 1);
}

/* As consumer.c does it; the client must hear of it, or it would be asked to read the same partition twice. */
static void
taken(struct worker *w)
{
	struct err err = ERR_INIT;

	assignment_revoked(w, &here, 1, false);
	assert_int_equal(consumer_fetch(w->consumer, NULL, 0, &err), 0);
}

/* The transaction adds one to the key's state; the value after it. */
static int
count(struct worker *w)
{
	struct span name;
	void *state;

	state_call_begin(w->states, 0, 0, 1, 0);
	assert_int_equal(state_get(w->states, SPAN("k"), &state), STATE_HERE);
	++*(int *)state;
	state_call_end(w->states, false, &name);
	return *(int *)state;
}

/* A partition at 5 whose key has counted to 1. */
static void
working(struct worker *w)
{
	begin(w);
	group_at(w, 5);
	assigned(w);
	load(w);
	assert_int_equal(w->held[0].next, 5);
	assert_int_equal(count(w), 1);
	state_commit(w->states);
}

/* A commit of 5 -> 6 of which nothing is known, with a second count in it. */
static void
in_doubt(struct worker *w)
{
	working(w);
	assert_int_equal(count(w), 2);
	w->held[0].attempted = w->held[0].next = 6;
	w->doubt = true;
}

static void
comes_back_where_it_was(void **unused)
{
	struct worker w;

	working(&w);
	taken(&w);
	assert_int_equal(n_revoked, 1);
	assigned(&w);
	load(&w);
	assert_int_equal(count(&w), 2);
	end(&w);
}

static void
comes_back_elsewhere(void **unused)
{
	struct worker w;

	working(&w);
	taken(&w);
	group_at(&w, 6);
	assigned(&w);
	load(&w);
	assert_int_equal(count(&w), 1);
	end(&w);
}

/* Taken again before its position was known: nothing was done, so nothing has changed. */
static void
taken_twice(void **unused)
{
	struct worker w;

	working(&w);
	taken(&w);
	assigned(&w);
	taken(&w);
	assignment_assigned(&w, &here, 0);
	taken(&w);
	assigned(&w);
	load(&w);
	assert_int_equal(count(&w), 2);
	end(&w);
}

static void
doubt_resolved(void **unused)
{
	static const struct {
		int64_t group;
		bool taken;
		int then;
	} rows[] = {
		{ 5, false, 2 }, /* had not succeeded: as before it */
		{ 6, false, 3 }, /* had succeeded */
		{ 5, true, 2 },  /* ... and a rebalance in between */
		{ 6, true, 1 },  /* we cannot tell it from another's work */
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = ERR_INIT;
		struct worker w;

		in_doubt(&w);
		assert_int_equal(assignment_fetch(&w, false, &err), 0);
		group_at(&w, rows[i].group);
		if (rows[i].taken) {
			taken(&w);
			assigned(&w);
		}
		load(&w);
		assert_false(w.doubt);
		assert_int_equal(count(&w), rows[i].then);
		end(&w);
	}
}

/* Given up under its first record: no offset would have moved, but the state has. */
static void
doubt_without_progress(void **unused)
{
	struct err err = ERR_INIT;
	struct worker w;

	in_doubt(&w);
	assert_int_equal(assignment_fetch(&w, false, &err), 0);
	w.held[0].attempted = w.held[0].next = 5;
	load(&w);
	assert_int_equal(count(&w), 2);
	end(&w);
}

/* Names in convictions, letters and positions must not end with an assignment. */
static void
names_outlive_assignments(void **unused)
{
	struct worker w;
	const char *name;

	working(&w);
	name = w.held[0].topic;
	assert_ptr_equal(name, topics[0]);
	taken(&w);
	assigned(&w);
	assert_ptr_equal(w.held[0].topic, name);
	end(&w);
}

/* until.caught.up: what lies behind the end was not processed and must not be passed. */
static void
bounded_run_stops_at_its_end(void **unused)
{
	static const struct {
		int64_t end, offset, next;
	} rows[] = { { -1, 9, 9 }, { 8, 7, 7 }, { 8, 8, 8 }, { 8, 9, 8 }, { 8, 3, 5 } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct worker w = { 0 };
		struct held h = { .topic = TOPIC, .next = 5, .end = rows[i].end };

		process_passed(&w, &h, rows[i].offset);
		assert_int_equal(h.next, rows[i].next);
		assert_int_equal(w.batch.begun_us != 0, rows[i].next != 5);
	}
}

/* What a group deals out to a member that reads topics t and u. */
static const struct seat {
	const char *name;
	char *instance;
	struct topic_partition dealt[4];
	size_t n;
	bool old;
} seats[] = {
	{ "both", somebody, { { TOPIC, 0, 0 }, { "u", 0, 0 } }, 2, false },
	{ "both, and it is not the first member", somebody, { { TOPIC, 1, 0 }, { "u", 1, 0 } }, 2, false },
	{ "nothing", somebody, { { TOPIC, 0, 0 } }, 0, false },
	{ "one is missing", somebody, { { TOPIC, 0, 0 }, { TOPIC, 1, 0 } }, 2, true },
	{ "one is missing, where others may have it", somebody, { { TOPIC, 1, 0 } }, 1, false },
	{ "the first one is missing, as during an upgrade", somebody, { { "u", 0, 0 } }, 1, false },
	{ "one too many", somebody, { { TOPIC, 0, 0 }, { "u", 0, 0 }, { "v", 0, 0 } }, 3, true },
	{ "no static member", nobody, { { TOPIC, 0, 0 } }, 1, false },
};

static void
knows_an_old_seat(void **state)
{
	const struct seat *seat = *state;
	struct worker w;

	begin(&w);
	w.topics = two_topics;
	w.n_topics = 2;
	w.opt.instance_id = seat->instance;
	assignment_assigned(&w, seat->dealt, seat->n);
	assert_int_equal(w.old_seat, seat->old);
	assert_int_equal(w.n_held, seat->old ? 0 : seat->n);
	w.old_seat = false;
	assignment_assigned(&w, &here, 1); /* from then on the group knows best */
	assert_false(w.old_seat);
	assert_int_equal(w.n_held, 1);
	end(&w);
}

int
main(void)
{
	struct CMUnitTest tests[7 + ARRAY_LEN(seats)] = {
		cmocka_unit_test(comes_back_where_it_was),
		cmocka_unit_test(comes_back_elsewhere),
		cmocka_unit_test(taken_twice),
		cmocka_unit_test(doubt_resolved),
		cmocka_unit_test(doubt_without_progress),
		cmocka_unit_test(names_outlive_assignments),
		cmocka_unit_test(bounded_run_stops_at_its_end),
	};

	for (size_t i = 0; i < ARRAY_LEN(seats); i++)
		tests[7 + i] = (struct CMUnitTest){ seats[i].name, knows_an_old_seat, NULL, NULL, (void *)&seats[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
