/* options.h -- the options that every worker has.  Names as in Kafka Connect and Kafka Streams where the meaning is. */
#ifndef FOREBAY_WORKER_OPTIONS_H
#define FOREBAY_WORKER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config/options.h"

enum guarantee { EXACTLY_ONCE_V2, AT_LEAST_ONCE };
enum tolerance { TOLERANCE_NONE, TOLERANCE_ALL };
enum run_outputs { OUTPUTS_LIVE, OUTPUTS_SHADOW, OUTPUTS_NONE };

struct worker_options {
	char *bootstrap_servers;
	char *group_id;
	char *instance_id; /* "": random; identifies group member and transactional id */
	char *topics;      /* primary input topics, comma separated */
	char *side_topics;
	char *dlq_topic; /* "": <topic>.dlq */
	char *schema_registry_url, *schema_dir;
	char *listen;
	char *log_level;
	int guarantee; /* enum guarantee */
	int64_t commit_interval_ms, transaction_timeout_ms, session_timeout_ms, max_poll_interval_ms,
	    shutdown_timeout_ms;
	int64_t watchdog_timeout_ms;
	int64_t batch_max_records, batch_max_bytes, queue_max_bytes;
	int tolerance; /* enum tolerance */
	int64_t retry_timeout_ms, retry_delay_max_ms;
	bool errors_log, errors_log_messages;
	int64_t statistics_interval_ms;
	bool until_caught_up;
	char *run_id; /* "live", or a bounded run's name */
	char *run_plan, *run_source_group;
	int run_outputs; /* enum run_outputs */
};

extern const struct option worker_option_table[];
extern const size_t worker_option_count;

enum checkpoint_store { CHECKPOINT_POSTGRES, CHECKPOINT_NONE };
enum recovery_policy { RECOVERY_FAIL, RECOVERY_RESET };

/* Of workers with state. */
struct state_options {
	char *postgres_uri;
	int64_t connect_timeout_ms;
	int store; /* enum checkpoint_store */
	int64_t interval_ms, bytes_per_second, backlog_max_records;
	char *ladder;
	int64_t recovery_max_records;
	int recovery_policy; /* enum recovery_policy */
	int64_t idle_ms, max_bytes, key_max_bytes;
};

extern const struct option state_option_table[];
extern const size_t state_option_count;

#endif
