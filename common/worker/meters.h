/* meters.h -- the loop's own metrics: a table, and one field per series that is added to often. */
#ifndef FOREBAY_WORKER_METERS_H
#define FOREBAY_WORKER_METERS_H

#include <stdint.h>

#include "common/base/error.h"
#include "common/metrics/metrics.h"

struct meters {
	struct metrics *metrics;
	struct metric_series *records_in, *bytes_in, *records_out, *bytes_out;
	struct metric_series *commits, *aborts, *commit_seconds, *batch_seconds, *batch_records;
	struct metric_series *transaction_age, *rebalances, *ready;
	struct metric_series *keys, *sleepers, *state_bytes, *wakes, *translated;
	struct metric_series *checkpoint_states, *checkpoint_bytes, *checkpoint_age, *checkpoint_backlog;
	struct metric_series *recovery_load, *recovery_fold, *recovery_records;
	struct metric_series *latency_ingest, *latency_event;
	/* Kafka Connect's names for the same, so that existing dashboards work. */
	struct metric_series *connect_read, *connect_failures, *connect_skipped, *connect_retries, *connect_letters;
};

void meters_init(struct meters *m, struct metrics *metrics, const char *worker);
void meters_dead_letter(struct meters *m, const char *topic, enum err_reason reason);
/* Records between our position and the end of the partition; LAG < 0: it has left us. */
void meters_lag(struct meters *m, const char *topic, int32_t partition, int64_t lag);
void meters_deleted(struct meters *m, const char *topic, int64_t records); /* by retention, before we read them */
void meters_retry(struct meters *m, enum err_reason reason);
void meters_checkpoint(struct meters *m, size_t states, size_t bytes); /* a batch is stored */
void meters_recovery(struct meters *m, int64_t load_us, int64_t fold_us, int64_t records);

struct worker;
void meters_states(struct worker *w); /* how many, how large, how old where stored */

#endif
