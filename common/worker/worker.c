/* worker.c -- a worker's life: options, connections, open, the loop, close.  The order of the end is that of the start,
 * backwards. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/worker/internal.h"
#include "common/worker/layouts.h"
#include "common/worker/names.h"

enum exit_code { EXIT_OK = 0, EXIT_CONFIGURATION = 1, EXIT_FAILED = 2, EXIT_FENCED = 3 };

static const char *
topics_or(const char *chosen, const char *own)
{
	return chosen[0] ? chosen : own ? own : "";
}

/* Names that the options leave to us. */
static int
name_ourselves(struct worker *w, struct err *err)
{
	uint64_t seed = (uint64_t)clock_real_us() ^ (uint64_t)getpid() << 40;

	if (w->opt.instance_id[0])
		snprintf(w->instance, sizeof(w->instance), "%s", w->opt.instance_id);
	else
		snprintf(w->instance, sizeof(w->instance), "%s-%016llx", w->spec->name, (unsigned long long)seed);
	if (w->opt.group_id[0])
		snprintf(w->base_group, sizeof(w->base_group), "%s", w->opt.group_id);
	else
		snprintf(w->base_group, sizeof(w->base_group), "forebay-%s", w->spec->name);
	snprintf(w->group, sizeof(w->group), "%s", w->base_group);
	if (strcmp(w->opt.run_id, "live") != 0)
		snprintf(w->group, sizeof(w->group), "%s.%s", w->base_group, w->opt.run_id);
	snprintf(w->transactional_id, sizeof(w->transactional_id), "%s-%s", w->group, w->instance);
	log_identity(w->spec->name, w->instance);
	if (names_split(topics_or(w->opt.topics, w->spec->topics), &w->topics, &w->n_topics, err) < 0 ||
	    names_split(topics_or(w->opt.side_topics, w->spec->side_topics), &w->side_topics, &w->n_side, err) < 0)
		return -1;
	if (!w->n_topics)
		return err_set(err, REASON_OPTION_INVALID, "topics: %s needs at least one topic to read",
			       w->spec->name);
	if (w->n_side && !w->spec->side)
		return err_set(err, REASON_OPTION_INVALID, "side.topics: %s has no side inputs", w->spec->name);
	return names_check_inputs(w->topics, w->n_topics, w->side_topics, w->n_side, err);
}

static int
list_overrides(struct worker *w, struct err *err)
{
	for (size_t k = 0; k < ARRAY_LEN(w->lists); k++) {
		const struct property_list *list = &w->lists[k];

		w->overrides[k] = calloc(list->n_items + 1, sizeof(struct client_property));
		if (!w->overrides[k])
			return err_set(err, REASON_NO_MEMORY, "overrides");
		for (size_t i = 0; i < list->n_items; i++)
			w->overrides[k][i] = (struct client_property){ list->items[i].key, list->items[i].value };
	}
	return 0;
}

const struct client_config *
worker_client(struct worker *w)
{
	w->client = (struct client_config){
		.bootstrap_servers = w->opt.bootstrap_servers,
		.client_id = w->instance,
		.overrides = w->overrides[0],
		.n_overrides = w->lists[0].n_items,
	};
	return &w->client;
}

int
worker_consumer(struct worker *w, struct err *err)
{
	struct client_config client = *worker_client(w);
	const struct consumer_options options = {
		.group_id = w->group,
		.instance_id = w->opt.instance_id[0] ? w->instance : NULL,
		.session_timeout_ms = w->opt.session_timeout_ms,
		.max_poll_interval_ms = w->opt.max_poll_interval_ms,
		.queue_max_bytes = w->opt.queue_max_bytes,
	};
	const struct consumer_hooks hooks = { w, assignment_assigned, assignment_revoked };

	client.metrics = w->metrics;
	client.statistics_interval_ms = w->opt.statistics_interval_ms;
	return consumer_new(&client, &options, &hooks, &w->consumer, err);
}

static int
new_states(struct worker *w, struct err *err)
{
	const struct state_limits limits = { w->state_opt.idle_ms * US_PER_MS, (size_t)w->state_opt.max_bytes,
					     (size_t)w->state_opt.key_max_bytes };

	w->n_sources = w->n_topics + w->n_side + 1;
	if (w->n_sources > CHECKPOINT_SOURCES_MAX)
		return err_set(err, REASON_OPTION_INVALID, "topics, side.topics: at most %d together",
			       CHECKPOINT_SOURCES_MAX - 1);
	w->states = state_table_new(w->spec->state, w->n_sources, &limits);
	return w->states ? 0 : err_set(err, REASON_NO_MEMORY, "states");
}

/* What the client takes, and what brokers do by default. */
#define TRANSACTION_LEAST_MS 1000
#define TRANSACTION_MOST_MS 900000

static int
settle_transaction_timeout(struct worker_options *opt, struct err *err)
{
	int64_t before_session = opt->session_timeout_ms - 1000;

	if (opt->transaction_timeout_ms == 0)
		opt->transaction_timeout_ms = before_session < TRANSACTION_LEAST_MS  ? TRANSACTION_LEAST_MS
					      : before_session > TRANSACTION_MOST_MS ? TRANSACTION_MOST_MS
										     : before_session;
	if (opt->transaction_timeout_ms >= TRANSACTION_LEAST_MS)
		return 0;
	return err_set(err, REASON_OPTION_INVALID, "transaction.timeout.ms: %lld is neither 0 nor at least %d",
		       (long long)opt->transaction_timeout_ms, TRANSACTION_LEAST_MS);
}

static int
start(struct worker *w, struct err *err)
{
	enum log_level level;

	if (log_level_parse(w->opt.log_level, &level) < 0)
		return err_set(err, REASON_OPTION_INVALID,
			       "log.level: \"%s\" is none of trace, debug, info, warn, error", w->opt.log_level);
	log_set_level(level);
	if (settle_transaction_timeout(&w->opt, err) < 0 || name_ourselves(w, err) < 0 || list_overrides(w, err) < 0 ||
	    metrics_new(&w->metrics, err) < 0 || batch_init(&w->batch, err) < 0)
		return -1;
	w->silent = w->opt.run_outputs == OUTPUTS_NONE;
	meters_init(&w->meters, w->metrics, w->spec->name);
	w->batch_limit = (size_t)w->opt.batch_max_records;
	w->convictions = map_new(free);
	w->broken = map_new(NULL);
	w->layouts = layouts_new();
	if (!w->convictions || !w->broken || !w->layouts)
		return err_set(err, REASON_NO_MEMORY, "worker");
	if (plan_load(w, err) < 0 || (w->spec->state && new_states(w, err) < 0))
		return -1;
	if (registry_new(w->opt.schema_registry_url, w->opt.schema_dir, &w->registry, err) < 0)
		return err_wrap(err, "schema.registry.url, schema.dir");
	if (lifecycle_start(w, err) < 0)
		return -1;
	w->opened = true;
	return worker_consumer(w, err);
}

int
worker_wait(struct worker *w, struct err *err)
{
	if (err_class(err) != ERR_RETRY || lifecycle_stop_wanted() || loop_trouble(w, PHASE_CONNECTING, err) < 0)
		return -1;
	while (!lifecycle_stop_wanted() && clock_monotonic_us() < w->retry.at_us) {
		worker_beat(w);
		clock_sleep_us(50 * US_PER_MS);
	}
	return 0;
}

static int
open_worker(struct worker *w, struct err *err)
{
	if (w->spec->open && w->spec->open(w->self, w, err) < 0)
		return -1;
	if (w->states && worker_input(w, JOURNAL_TOPIC, &journal_record, &w->journal, err) < 0)
		return -1;
	if (w->states && w->state_opt.store == CHECKPOINT_POSTGRES && recovery_open(w, err) < 0)
		return -1;
	retry_succeeded(&w->retry);
	return 0;
}

static void
finish(struct worker *w)
{
	checkpointer_stop(w->checkpointer);
	consumer_free(w->consumer); /* leaves the group; hooks are called while all else still stands */
	producer_free(w->producer);
	if (w->opened && w->spec->close)
		w->spec->close(w->self);
	lifecycle_stop(w);
	recovery_cancel(w);
	checkpointer_free(w->checkpointer);
	cluster_close(w->cluster);
	store_free(w->store);
	free(w->claims);
	audit_done(w);
	plan_clear(&w->plan);
	map_free(w->broken);
	layouts_free(w->layouts);
	assignment_clear(w);
	batch_clear(&w->batch);
	state_table_free(w->states);
	map_free(w->convictions);
	for (size_t i = 0; i < w->n_outputs; i++) {
		codec_free(w->outputs[i]->codec);
		free(w->outputs[i]->topic);
		free(w->outputs[i]);
	}
	free(w->outputs);
	for (size_t i = 0; i < w->n_codecs; i++)
		codec_free(w->codecs[i]);
	free(w->codecs);
	registry_free(w->registry);
	metrics_free(w->metrics);
	names_free(w->topics, w->n_topics);
	names_free(w->side_topics, w->n_side);
	free(w->overrides[0]);
	free(w->overrides[1]);
	options_clear(&w->program);
	pthread_mutex_destroy(&w->face_lock);
}

static int
exit_code(const struct err *err)
{
	switch (err->reason) {
	case REASON_NONE: return EXIT_OK;
	case REASON_FENCED:
	case REASON_STORE_FENCED: return EXIT_FENCED;
	case REASON_USAGE:
	case REASON_OPTION_INVALID:
	case REASON_OPTION_UNKNOWN:
	case REASON_SCHEMA_INVALID:
	case REASON_FILE_INVALID:
	case REASON_FILE_UNREADABLE: return EXIT_CONFIGURATION;
	default: return EXIT_FAILED;
	}
}

int
worker_main(const struct worker_spec *spec, void *self, const struct option_set *own, size_t n_own, int argc,
	    char **argv)
{
	struct worker w = { .spec = spec, .self = self, .face_lock = PTHREAD_MUTEX_INITIALIZER };
	struct option_set sets[8] = { { "Every worker", worker_option_table, worker_option_count, &w.opt } };
	enum options_verdict verdict = OPTIONS_DONE;
	struct err err = ERR_INIT;
	size_t n_sets = 1;
	int result;

	if (spec->state)
		sets[n_sets++] = (struct option_set){ "State", state_option_table, state_option_count, &w.state_opt };
	w.lists[0] = (struct property_list){ "consumer.override.", "passed on to the Kafka consumer", NULL, 0 };
	w.lists[1] = (struct property_list){ "producer.override.", "passed on to the Kafka producer", NULL, 0 };
	for (size_t i = 0; i < n_own && n_sets < ARRAY_LEN(sets); i++)
		sets[n_sets++] = own[i];
	w.program = (struct option_program){ spec->name, spec->summary, sets, n_sets, w.lists, ARRAY_LEN(w.lists) };
	log_identity(spec->name, NULL);
	result = options_load(&w.program, argc, argv, NULL, NULL, &verdict, &err);
	if (result == 0 && verdict == OPTIONS_RUN && start(&w, &err) == 0 && open_worker(&w, &err) == 0)
		loop_run(&w, &err);
	if (lifecycle_stop_wanted() && err_class(&err) == ERR_RETRY)
		err_clear(&err); /* asked to stop while waiting */
	if (err.reason)
		log_error(LOG_ERROR, "stopped", &err, "remedy",
			  LOG_S(err_class(&err) == ERR_FATAL ? err_reason_remedy(err.reason) : ""), NULL);
	else if (verdict == OPTIONS_RUN)
		log_event(LOG_INFO, "stopped", NULL);
	if (verdict == OPTIONS_RUN)
		finish(&w);
	else
		options_clear(&w.program);
	return exit_code(&err);
}
