/* meters.c -- see meters.h; names ending in _total are counters, times are in seconds as Prometheus asks for. */
#include "common/worker/meters.h"

#include <stddef.h>
#include <stdio.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/worker/internal.h"

static const double batch_bounds[] = { 1, 10, 100, 1000, 2000, 5000, 10000, 20000, 50000, 100000 };

#define AT(field) offsetof(struct meters, field)

static const struct meter {
	size_t offset;
	struct metric_spec spec;
} table[] = {
	{ AT(records_in), { "forebay_records_in_total", METRIC_COUNTER, "", "input records processed and committed" } },
	{ AT(bytes_in), { "forebay_bytes_in_total", METRIC_COUNTER, "", "bytes of keys and values of these records" } },
	{ AT(records_out),
	  { "forebay_records_out_total", METRIC_COUNTER, "", "records sent to output topics, committed or not" } },
	{ AT(bytes_out),
	  { "forebay_bytes_out_total", METRIC_COUNTER, "", "bytes of keys and values of these records" } },
	{ AT(commits), { "forebay_commits_total", METRIC_COUNTER, "", "transactions committed" } },
	{ AT(aborts),
	  { "forebay_aborts_total", METRIC_COUNTER, "", "transactions given up; their input is read again" } },
	{ AT(commit_seconds), { "forebay_commit_seconds", METRIC_HISTOGRAM, "", "time a commit takes" } },
	{ AT(batch_seconds),
	  { "forebay_batch_seconds", METRIC_HISTOGRAM, "", "time from a transaction's first record to its commit" } },
	{ AT(batch_records),
	  { "forebay_batch_records", METRIC_HISTOGRAM, "", "input records in a transaction", batch_bounds,
	    ARRAY_LEN(batch_bounds) } },
	{ AT(transaction_age),
	  { "forebay_open_transaction_seconds", METRIC_GAUGE, "", "age of the open transaction; 0: none" } },
	{ AT(rebalances), { "forebay_rebalances_total", METRIC_COUNTER, "", "assignments received" } },
	{ AT(keys), { "forebay_state_keys", METRIC_GAUGE, "", "keys whose state is in memory" } },
	{ AT(sleepers), { "forebay_state_keys_asleep", METRIC_GAUGE, "", "keys whose state is in PostgreSQL alone" } },
	{ AT(state_bytes), { "forebay_state_bytes", METRIC_GAUGE, "", "memory of these states, roughly" } },
	{ AT(wakes), { "forebay_state_wakes_total", METRIC_COUNTER, "", "states that came back from PostgreSQL" } },
	{ AT(translated),
	  { "forebay_state_translations_total", METRIC_COUNTER, "",
	    "states that another version of the program had stored, read by the names of their members" } },
	{ AT(checkpoint_states), { "forebay_checkpoint_states_total", METRIC_COUNTER, "", "states stored" } },
	{ AT(checkpoint_bytes), { "forebay_checkpoint_bytes_total", METRIC_COUNTER, "", "bytes of states stored" } },
	{ AT(checkpoint_age),
	  { "forebay_checkpoint_age_seconds", METRIC_GAUGE, "",
	    "how long the oldest change of a state waits to be stored; 0: none" } },
	{ AT(checkpoint_backlog),
	  { "forebay_checkpoint_backlog_records", METRIC_GAUGE, "",
	    "records of the primary input that a restart would fold again" } },
	{ AT(recovery_load),
	  { "forebay_recovery_load_seconds", METRIC_GAUGE, "", "latest recovery: claiming and loading states" } },
	{ AT(recovery_fold),
	  { "forebay_recovery_fold_seconds", METRIC_GAUGE, "", "latest recovery: folding records again" } },
	{ AT(recovery_records),
	  { "forebay_recovery_records_total", METRIC_COUNTER, "", "records folded again in recoveries" } },
	{ AT(ready), { "forebay_ready", METRIC_GAUGE, "", "1 while the worker processes its partitions" } },
	{ AT(latency_ingest),
	  { "forebay_latency_from_ingest_seconds", METRIC_HISTOGRAM, "",
	    "from the raw record's time stamp to our commit" } },
	{ AT(latency_event),
	  { "forebay_latency_from_event_seconds", METRIC_HISTOGRAM, "", "from the event time to our commit" } },
	{ AT(connect_read),
	  { "kafka_connect_sink_task_sink_record_read_total", METRIC_COUNTER, "connector,task",
	    "as in Kafka Connect" } },
	{ AT(connect_failures),
	  { "kafka_connect_task_error_total_record_failures", METRIC_COUNTER, "connector,task",
	    "as in Kafka Connect" } },
	{ AT(connect_skipped),
	  { "kafka_connect_task_error_total_records_skipped", METRIC_COUNTER, "connector,task",
	    "as in Kafka Connect" } },
	{ AT(connect_retries),
	  { "kafka_connect_task_error_total_retries", METRIC_COUNTER, "connector,task", "as in Kafka Connect" } },
	{ AT(connect_letters),
	  { "kafka_connect_task_error_deadletterqueue_produce_requests", METRIC_COUNTER, "connector,task",
	    "as in Kafka Connect" } },
};

static const struct metric_spec letters_spec = { "forebay_dead_letters_total", METRIC_COUNTER, "topic,reason",
						 "records sent to a dead-letter topic and committed" };
static const struct metric_spec lag_spec = { "forebay_consumer_lag_records",
					     METRIC_GAUGE,
					     "topic,partition",
					     "records between our position and the end of the partition",
					     NULL,
					     0 };
static const struct metric_spec deleted_spec = { "forebay_records_deleted_unread_total", METRIC_COUNTER, "topic",
						 "records that retention deleted before they were read" };
static const struct metric_spec retries_spec = { "forebay_retries_total", METRIC_COUNTER, "reason",
						 "attempts that failed for a reason outside the record" };

void
meters_init(struct meters *m, struct metrics *metrics, const char *worker)
{
	const char *labels[] = { worker, "0" };

	m->metrics = metrics;
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		*(struct metric_series **)((char *)m + table[i].offset) =
		    metrics_series(metrics, &table[i].spec, labels);
}

void
meters_dead_letter(struct meters *m, const char *topic, enum err_reason reason)
{
	const char *labels[] = { topic, err_reason_name(reason) };

	metric_add(metrics_series(m->metrics, &letters_spec, labels), 1);
	metric_add(m->connect_failures, 1);
	metric_add(m->connect_skipped, 1);
	metric_add(m->connect_letters, 1);
}

void
meters_lag(struct meters *m, const char *topic, int32_t partition, int64_t lag)
{
	char number[16];
	const char *labels[] = { topic, number };
	struct metric_series *series;

	snprintf(number, sizeof(number), "%d", partition);
	series = metrics_series(m->metrics, &lag_spec, labels);
	if (lag < 0)
		metric_remove(m->metrics, series);
	else
		metric_set(series, (double)lag);
}

void
meters_deleted(struct meters *m, const char *topic, int64_t records)
{
	metric_add(metrics_series(m->metrics, &deleted_spec, &topic), (double)records);
}

void
meters_retry(struct meters *m, enum err_reason reason)
{
	const char *labels[] = { err_reason_name(reason) };

	metric_add(metrics_series(m->metrics, &retries_spec, labels), 1);
	metric_add(m->connect_retries, 1);
}

void
meters_checkpoint(struct meters *m, size_t states, size_t bytes)
{
	metric_add(m->checkpoint_states, (double)states);
	metric_add(m->checkpoint_bytes, (double)bytes);
}

void
meters_recovery(struct meters *m, int64_t load_us, int64_t fold_us, int64_t records)
{
	metric_set(m->recovery_load, (double)load_us * 1e-6);
	metric_set(m->recovery_fold, (double)fold_us * 1e-6);
	metric_add(m->recovery_records, (double)records);
}

void
meters_states(struct worker *w)
{
	int64_t now = clock_monotonic_us(), oldest = now;

	metric_set(w->meters.keys, (double)state_count(w->states));
	metric_set(w->meters.sleepers, (double)state_sleepers(w->states));
	metric_set(w->meters.state_bytes, (double)state_bytes(w->states));
	if (!w->checkpointer)
		return;
	for (size_t i = 0; i < w->n_claims; i++) {
		int64_t since = state_dirty_since(w->states, w->claims[i].partition);

		if (since < oldest)
			oldest = since;
	}
	metric_set(w->meters.checkpoint_age, (double)(now - oldest) * 1e-6);
	metric_set(w->meters.checkpoint_backlog, (double)checkpointer_backlog(w->checkpointer));
}
