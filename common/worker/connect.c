/* connect.c -- what has to stand before a record is read: the topics as they have to be, and a producer that knows them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/kafka/admin.h"
#include "common/worker/internal.h"

#define CONNECT_TIMEOUT_MS 5000

static int
check_topic(struct worker *w, const char *topic, bool must_match, struct err *err)
{
	int32_t n;

	if (consumer_partition_count(w->consumer, topic, CONNECT_TIMEOUT_MS, &n, err) < 0)
		return -1;
	if (!w->partitions)
		w->partitions = n;
	if (must_match && n != w->partitions)
		return err_set(err, REASON_TOPIC_MISMATCH, "topic %s has %d partitions, %s has %d: they must be equal",
			       topic, n, w->topics[0], w->partitions);
	return 0;
}

/* How many topics dead letters go to; a run without outputs has none. */
static size_t
letter_topics(const struct worker *w)
{
	if (w->opt.run_outputs == OUTPUTS_NONE)
		return 0;
	return w->opt.dlq_topic[0] ? 1 : w->n_topics + (w->opt.run_outputs == OUTPUTS_SHADOW ? w->n_side : 0);
}

/* The topics that we send to: outputs, then dead letters, then the journal.  "": input I has none; NULL: no more. */
static const char *
sent_topic(struct worker *w, size_t i)
{
	const char *topic;
	size_t letters, n;

	if (i < w->n_outputs)
		return w->outputs[i]->topic;
	i -= w->n_outputs;
	letters = letter_topics(w);
	if (i >= letters)
		return i == letters && w->states ? JOURNAL_TOPIC : NULL;
	topic = i < w->n_topics ? w->topics[i] : w->side_topics[i - w->n_topics];
	n = strlen(topic);
	if (!w->opt.dlq_topic[0] && n > 4 && strcmp(topic + n - 4, ".dlq") == 0)
		return ""; /* dead letters, read to be stored: their values are not looked into */
	return batch_letter_topic(w, topic);
}

/* For GET /; the answers about the topics have brought it. */
static void
learn_cluster(struct worker *w)
{
	CLEANUP(heap_free)
	char *id = consumer_cluster_id(w->consumer, 0);

	pthread_mutex_lock(&w->face_lock);
	if (id && !w->face.cluster_id[0])
		snprintf(w->face.cluster_id, sizeof(w->face.cluster_id), "%s", id);
	pthread_mutex_unlock(&w->face_lock);
}

/* A shadow run's topics are its own to make: as many partitions as what is read.  They take and keep whatever the live ones
 * may hold: the records of a replay are old, and would be gone at the broker's next look. */
static int
make_shadows(struct worker *w, struct err *err)
{
	struct cluster_setting settings[] = { { .key = "retention.ms", .value = "-1" },
					      { .key = "max.message.bytes", .value = "5242880" },
					      { .key = "message.timestamp.after.max.ms",
						.value = "9223372036854775807" } };
	CLEANUP(cluster_close)
	struct cluster *cluster = NULL;
	const char *topic;

	if (cluster_open(worker_client(w), CONNECT_TIMEOUT_MS, &cluster, err) < 0)
		return -1;
	for (size_t i = 0; (topic = sent_topic(w, i)); i++) {
		const struct cluster_topic wanted = { .name = topic,
						      .partitions = w->partitions,
						      .replication = REPLICATION_BROKER,
						      .settings = settings,
						      .n_settings = ARRAY_LEN(settings) };

		if (topic[0] && strcmp(topic, JOURNAL_TOPIC) != 0 && cluster_create(cluster, &wanted, false, err) < 0)
			return err_wrap(err, "topic %s", topic);
	}
	return 0;
}

static int
know_the_journal(struct worker *w, struct err *err)
{
	if (!w->cluster && cluster_open(worker_client(w), CONNECT_TIMEOUT_MS, &w->cluster, err) < 0)
		return -1;
	return checkpointer_partitions(w->checkpointer, w->partitions, err);
}

/* Every topic is there, and those that share a device's partition number have equally many. */
static int
check_topics(struct worker *w, struct err *err)
{
	const char *topic;

	for (size_t i = 0; i < w->n_topics; i++)
		if (check_topic(w, w->topics[i], !w->spec->store, err) < 0)
			return -1;
	for (size_t i = 0; i < w->n_side; i++)
		if (check_topic(w, w->side_topics[i], true, err) < 0)
			return -1;
	if (w->opt.run_outputs == OUTPUTS_SHADOW && make_shadows(w, err) < 0)
		return -1;
	for (size_t i = 0; (topic = sent_topic(w, i)); i++) {
		bool any_number = w->spec->store || (i < w->n_outputs && w->spec->rekeys) || w->opt.dlq_topic[0];

		if (topic[0] && check_topic(w, topic, !any_number, err) < 0)
			return -1;
	}
	learn_cluster(w);
	if (w->checkpointer && know_the_journal(w, err) < 0)
		return -1;
	w->topics_checked = true;
	return 0;
}

static int
subscribe(struct worker *w, struct err *err)
{
	CLEANUP(heap_free)
	const char **topics = calloc(w->n_topics + w->n_side, sizeof(char *));

	if (!topics)
		return err_set(err, REASON_NO_MEMORY, "subscribe");
	memcpy(topics, w->topics, w->n_topics * sizeof(char *));
	if (w->n_side)
		memcpy(topics + w->n_topics, w->side_topics, w->n_side * sizeof(char *));
	if (consumer_subscribe(w->consumer, topics, w->n_topics + w->n_side, err) < 0)
		return -1;
	w->subscribed = true;
	return 0;
}

static int
new_producer(struct worker *w, struct err *err)
{
	const struct client_config client = {
		.bootstrap_servers = w->opt.bootstrap_servers,
		.client_id = w->instance,
		.overrides = w->overrides[1],
		.n_overrides = w->lists[1].n_items,
		.metrics = w->metrics,
		.statistics_interval_ms = w->opt.statistics_interval_ms,
	};
	const struct producer_options options = {
		.transactional_id = w->opt.guarantee == EXACTLY_ONCE_V2 ? w->transactional_id : NULL,
		.transaction_timeout_ms = w->opt.transaction_timeout_ms,
		.queue_max_bytes = w->opt.queue_max_bytes,
		.linger_ms = 5,
		.message_max_bytes = 16 << 20, /* the topics' own limits decide */
	};

	return producer_new(&client, &options, commit_refused, w, &w->producer, err);
}

/* Take our transactional id, and learn the topics, so that the first record does not wait for either. */
static int
prepare_producer(struct worker *w, struct err *err)
{
	const char *topic;

	if (w->opt.guarantee == EXACTLY_ONCE_V2 && transaction_init(w->producer, CONNECT_TIMEOUT_MS, err) < 0)
		return -1;
	for (size_t i = 0; (topic = sent_topic(w, i)); i++)
		if (topic[0] && producer_learn(w->producer, topic, CONNECT_TIMEOUT_MS, err) < 0)
			return -1;
	return 0;
}

int
connect_worker(struct worker *w, struct err *err)
{
	if (!w->topics_checked && check_topics(w, err) < 0)
		return -1;
	if (!w->producer && (new_producer(w, err) < 0 || prepare_producer(w, err) < 0)) {
		producer_free(TAKE(w->producer));
		if (err->reason == REASON_INTERNAL) /* a client beyond repair: a new one may fare better */
			err->reason = REASON_BROKER_DOWN;
		return -1;
	}
	return w->subscribed ? 0 : subscribe(w, err);
}
