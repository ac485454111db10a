/*
 * errors.c -- one worker against a scripted broker (librdkafka's mock): every class of failure in every request of a
 * transaction, and what the worker makes of it.
 *
 * The mock stores no transactional offsets and shows aborted records, so this proves remedies, not exactly-once (which
 * tests/system does on a real broker): after each planted failure the worker either goes on and every input comes out at
 * least once, or it ends with the exit code that ARCHITECTURE.md gives.
 *
 * The worker runs in a child process; the mock lives in the parent.
 */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/worker/worker.h"

#define RECORDS 50
#define PARTITIONS 2
#define LIMIT_US (90 * US_PER_SECOND) /* of patience, not of speed */

enum api {
	PRODUCE = 0,
	OFFSET_FETCH = 9,
	FIND_COORDINATOR = 10,
	INIT_PRODUCER_ID = 22,
	ADD_PARTITIONS = 24,
	ADD_OFFSETS = 25,
	END_TXN = 26,
	TXN_OFFSET_COMMIT = 28
};

#define GOES_ON (-1)

static const struct row {
	const char *name;
	enum api api;
	rd_kafka_resp_err_t code;
	int times;
	int exit_code; /* or GOES_ON */
} rows[] = {
	{ "nothing planted", END_TXN, RD_KAFKA_RESP_ERR_NO_ERROR, 0, GOES_ON },
	{ "EndTxn: coordinator moves", END_TXN, RD_KAFKA_RESP_ERR_NOT_COORDINATOR, 3, GOES_ON },
	{ "EndTxn: concurrent transactions", END_TXN, RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS, 3, GOES_ON },
	{ "EndTxn: invalid state", END_TXN, RD_KAFKA_RESP_ERR_INVALID_TXN_STATE, 1, GOES_ON },
	{ "EndTxn: producer fenced", END_TXN, RD_KAFKA_RESP_ERR_PRODUCER_FENCED, 1, 3 },
	{ "TxnOffsetCommit: rebalance in progress", TXN_OFFSET_COMMIT, RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, 1,
	  GOES_ON },
	{ "TxnOffsetCommit: old generation", TXN_OFFSET_COMMIT, RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, 1, GOES_ON },
	{ "TxnOffsetCommit: unknown member", TXN_OFFSET_COMMIT, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, 1, GOES_ON },
	{ "TxnOffsetCommit: coordinator loads", TXN_OFFSET_COMMIT, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, 3,
	  GOES_ON },
	{ "TxnOffsetCommit: not allowed", TXN_OFFSET_COMMIT, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, 1, 2 },
	{ "AddOffsets: coordinator not available", ADD_OFFSETS, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, 3,
	  GOES_ON },
	{ "AddOffsets: producer fenced", ADD_OFFSETS, RD_KAFKA_RESP_ERR_PRODUCER_FENCED, 1, 3 },
	{ "AddPartitions: coordinator loads", ADD_PARTITIONS, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, 3,
	  GOES_ON },
	{ "AddPartitions: invalid epoch", ADD_PARTITIONS, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, 1, 3 },
	{ "Produce: leader moves", PRODUCE, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, 3, GOES_ON },
	{ "InitProducerId: coordinator loads", INIT_PRODUCER_ID, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, 5,
	  GOES_ON },
	{ "InitProducerId: not allowed", INIT_PRODUCER_ID, RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, 1,
	  2 },
	{ "OffsetFetch: unstable offsets", OFFSET_FETCH, RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT, 3, GOES_ON },
	{ "FindCoordinator: not available", FIND_COORDINATOR, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, 5, GOES_ON },
};

/* ---- the worker: copies ---- */

static struct output *copies;

static int
copy_open(void *self, struct worker *w, struct err *err)
{
	(void)self;
	return worker_output(w, "out", NULL, &copies, err);
}

static int
copy_record(void *self, struct context *ctx, const struct input *in, struct err *err)
{
	(void)self;
	return context_emit(ctx, copies, in->key, &in->value, err);
}

static const struct worker_spec copier = {
	.name = "copier", .summary = "copies", .topics = "in", .open = copy_open, .record = copy_record
};

static void
run_worker(int from_parent)
{
	char brokers[256];
	const char *words[] = { "copier",
				"--bootstrap.servers",
				brokers,
				"--schema.dir",
				getenv("FOREBAY_SCHEMA_DIR"),
				"--listen",
				"",
				"--transaction.timeout.ms",
				"4000",
				"--errors.retry.delay.max.ms",
				"300",
				NULL };
	char *argv[ARRAY_LEN(words)] = { NULL };
	ssize_t n = read(from_parent, brokers, sizeof(brokers) - 1);
	int code;

	brokers[n < 0 ? 0 : n] = '\0';
	for (size_t i = 0; i + 1 < ARRAY_LEN(words); i++)
		argv[i] = strdup(words[i]);
	if (!getenv("FOREBAY_TEST_LOG") && !freopen("/dev/null", "w", stderr))
		_exit(99);
	code = worker_main(&copier, NULL, NULL, 0, (int)ARRAY_LEN(argv) - 1, argv);
	for (size_t i = 0; i + 1 < ARRAY_LEN(words); i++)
		free(argv[i]);
	exit(code); /* and not _exit(): a sanitizer has the last word about leaks and races */
}

/* ---- the broker ---- */

static rd_kafka_t *
client(rd_kafka_type_t type, const char *key, const char *value)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char text[256];
	rd_kafka_t *rk;

	assert_int_equal(rd_kafka_conf_set(conf, key, value, text, sizeof(text)), RD_KAFKA_CONF_OK);
	rd_kafka_conf_set(conf, "log_level", "2", text, sizeof(text)); /* the mock's host has no brokers, and says so */
	if (type == RD_KAFKA_CONSUMER)
		rd_kafka_conf_set(conf, "group.id", "test", text, sizeof(text));
	rk = rd_kafka_new(type, conf, text, sizeof(text));
	assert_non_null(rk);
	return rk;
}

static void
send_inputs(const char *brokers)
{
	rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, "bootstrap.servers", brokers);

	for (int i = 0; i < RECORDS; i++) {
		char text[16];
		int n = snprintf(text, sizeof(text), "%d", i);

		rd_kafka_producev(rk, RD_KAFKA_V_TOPIC("in"), RD_KAFKA_V_PARTITION(i % PARTITIONS),
				  RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(text, (size_t)n),
				  RD_KAFKA_V_VALUE(text, (size_t)n), RD_KAFKA_V_END);
	}
	assert_int_equal(rd_kafka_flush(rk, 30000), 0);
	rd_kafka_destroy(rk);
}

/* Read "out" until every input was seen, CHILD ended, or patience is out; how many were seen. */
static int
read_outputs(const char *brokers, pid_t child, int *status)
{
	rd_kafka_t *rk = client(RD_KAFKA_CONSUMER, "bootstrap.servers", brokers);
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(PARTITIONS);
	int64_t give_up = clock_monotonic_us() + LIMIT_US;
	bool seen[RECORDS] = { false };
	int n = 0;

	for (int p = 0; p < PARTITIONS; p++)
		rd_kafka_topic_partition_list_add(list, "out", p)->offset = RD_KAFKA_OFFSET_BEGINNING;
	rd_kafka_assign(rk, list);
	rd_kafka_topic_partition_list_destroy(list);
	*status = -1;
	while (n < RECORDS && clock_monotonic_us() < give_up && *status == -1) {
		rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, 100);
		int i = m && !m->err ? atoi((const char *)m->key) : RECORDS;

		if (i < RECORDS && !seen[i]) {
			seen[i] = true;
			n++;
		}
		if (m)
			rd_kafka_message_destroy(m);
		if (waitpid(child, status, WNOHANG) == 0)
			*status = -1;
	}
	rd_kafka_consumer_close(rk);
	rd_kafka_destroy(rk);
	return n;
}

static void
survives(void **state)
{
	const struct row *row = *state;
	rd_kafka_mock_cluster_t *broker;
	const char *brokers;
	rd_kafka_t *host;
	int to_child[2], status, seen;
	pid_t child;

	assert_int_equal(pipe(to_child), 0);
	fflush(NULL);   /* or the child says it again */
	child = fork(); /* before librdkafka has threads here */
	if (child == 0)
		run_worker(to_child[0]);
	host = client(RD_KAFKA_PRODUCER, "client.id", "mock");
	broker = rd_kafka_mock_cluster_new(host, 1);
	brokers = rd_kafka_mock_cluster_bootstraps(broker);
	rd_kafka_mock_topic_create(broker, "in", PARTITIONS, 1);
	rd_kafka_mock_topic_create(broker, "in.dlq", PARTITIONS, 1);
	rd_kafka_mock_topic_create(broker, "out", PARTITIONS, 1);
	send_inputs(brokers);
	for (int i = 0; i < row->times; i++)
		rd_kafka_mock_push_request_errors(broker, (int16_t)row->api, 1, row->code);
	assert_int_equal(write(to_child[1], brokers, strlen(brokers)), (ssize_t)strlen(brokers));
	seen = read_outputs(brokers, child, &status);
	if (row->exit_code == GOES_ON) {
		assert_int_equal(status, -1);
		assert_int_equal(seen, RECORDS);
		kill(child, SIGTERM);
	}
	if (status == -1)
		waitpid(child, &status, 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), row->exit_code == GOES_ON ? 0 : row->exit_code);
	close(to_child[0]);
	close(to_child[1]);
	rd_kafka_mock_cluster_destroy(broker);
	rd_kafka_destroy(host);
}

/* Each row in a process of its own: fork() comes before any thread. */
static void
in_a_process(void **state)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		const struct CMUnitTest one[] = {
			{ .name = ((const struct row *)*state)->name, .test_func = survives, .initial_state = *state }
		};

		_exit(cmocka_run_group_tests(one, NULL, NULL));
	}
	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int
main(int argc, char **argv)
{
	struct CMUnitTest tests[ARRAY_LEN(rows)];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (argc < 2 || strncmp(rows[i].name, argv[1], strlen(argv[1])) == 0)
			tests[n++] = (struct CMUnitTest){ .name = rows[i].name,
							  .test_func = in_a_process,
							  .initial_state = (void *)&rows[i] };
	return _cmocka_run_group_tests("errors", tests, n, NULL, NULL);
}
