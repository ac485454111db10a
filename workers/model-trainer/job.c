/* job.c -- see job.h.  SIGTERM starts an alarm: what has not ended of itself by then is cut off, which loses no more than a kill. */
#include "workers/model-trainer/job.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/record/outcome.h"
#include "common/record/series.h"

#define NAME "model-trainer"

static atomic_int stop_signal; /* a handler may run on any thread */
static struct itimerval shutdown_limit;

static void
on_signal(int number)
{
	atomic_store(&stop_signal, number);
	setitimer(ITIMER_REAL, &shutdown_limit, NULL);
}

static void
on_alarm(int number)
{
	(void)number;
	_exit(0);
}

bool
job_stop_wanted(void)
{
	return atomic_load(&stop_signal) != 0;
}

static void
catch_signals(int64_t limit_ms)
{
	struct sigaction act = { .sa_handler = on_signal };

	shutdown_limit.it_value = (struct timeval){ limit_ms / 1000, limit_ms % 1000 * US_PER_MS };
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGINT, &act, NULL);
	act.sa_handler = on_alarm;
	sigaction(SIGALRM, &act, NULL);
	act.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &act, NULL);
}

void
job_pause(int64_t us)
{
	int64_t end = clock_monotonic_us() + us;

	for (int64_t left = us; left > 0 && !job_stop_wanted(); left = end - clock_monotonic_us())
		clock_sleep_us(left < 50 * US_PER_MS ? left : 50 * US_PER_MS);
}

/* ---- what the HTTP thread shows ---- */

static void
answer_health(void *ctx, struct admin_health *ret)
{
	struct job *j = ctx;

	pthread_mutex_lock(&j->face_lock);
	ret->live = true;
	ret->ready = j->ready;
	snprintf(ret->message, sizeof(ret->message), "%s", j->message);
	pthread_mutex_unlock(&j->face_lock);
}

static int
answer_config(void *ctx, struct buffer *out)
{
	return options_json(&((struct job *)ctx)->program, out);
}

static void
show(struct job *j, bool ready, const char *message)
{
	pthread_mutex_lock(&j->face_lock);
	j->ready = ready;
	snprintf(j->message, sizeof(j->message), "%.199s", message);
	pthread_mutex_unlock(&j->face_lock);
	meter(j->metrics, METER_READY, NULL, NULL, ready);
}

void
job_say(struct job *j, const char *fmt, ...)
{
	char text[sizeof(j->message)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	show(j, true, text);
	retry_succeeded(&j->retry);
}

int
job_trouble(struct job *j, const struct err *err)
{
	if (err_class(err) != ERR_RETRY || job_stop_wanted())
		return -1;
	retry_failed(&j->retry, clock_monotonic_us(), j->opt.retry_delay_max_ms, -1);
	show(j, false, err->text);
	meter(j->metrics, METER_RETRIES, err_reason_name(err->reason), NULL, 1);
	log_error(LOG_WARN, "retry", err, "attempt", LOG_I(j->retry.attempt), NULL);
	job_pause(j->retry.at_us - clock_monotonic_us());
	return 0;
}

/* ---- start and end ---- */

static int
make_clients(struct job *j, struct err *err)
{
	for (size_t k = 0; k < ARRAY_LEN(j->lists); k++) {
		const struct property_list *list = &j->lists[k];

		j->overrides[k] = calloc(list->n_items + 1, sizeof(struct client_property));
		if (!j->overrides[k])
			return err_set(err, REASON_NO_MEMORY, "overrides");
		for (size_t i = 0; i < list->n_items; i++)
			j->overrides[k][i] = (struct client_property){ list->items[i].key, list->items[i].value };
	}
	j->reading = (struct client_config){ .bootstrap_servers = j->opt.bootstrap_servers,
					     .client_id = j->instance,
					     .overrides = j->overrides[0],
					     .n_overrides = j->lists[0].n_items };
	j->telling = j->reading;
	j->telling.overrides = j->overrides[1];
	j->telling.n_overrides = j->lists[1].n_items;
	return 0;
}

static int
begin(struct job *j, struct err *err)
{
	const struct store_options store = { .uri = j->opt.postgres_uri,
					     .application_name = NAME,
					     .connect_timeout_ms = j->opt.connect_timeout_ms };
	uint64_t seed = (uint64_t)clock_real_us() ^ (uint64_t)getpid() << 40;
	enum log_level level;

	if (log_level_parse(j->opt.log_level, &level) < 0)
		return err_set(err, REASON_OPTION_INVALID,
			       "log.level: \"%s\" is none of trace, debug, info, warn, error", j->opt.log_level);
	log_set_level(level);
	if (j->opt.instance_id[0])
		snprintf(j->instance, sizeof(j->instance), "%s", j->opt.instance_id);
	else
		snprintf(j->instance, sizeof(j->instance), NAME "-%016llx", (unsigned long long)seed);
	log_identity(NAME, j->instance);
	if (trainer_rules_make(&j->opt, &j->rules, err) < 0 || make_clients(j, err) < 0 ||
	    metrics_new(&j->metrics, err) < 0)
		return -1;
	if (registry_new(j->opt.schema_registry_url, j->opt.schema_dir, &j->registry, err) < 0)
		return err_wrap(err, "schema.registry.url, schema.dir");
	if (store_new(&store, &j->store, err) < 0)
		return -1;
	catch_signals(j->opt.shutdown_timeout_ms);
	return 0;
}

static int
listen_for_operators(struct job *j, struct err *err)
{
	const struct admin_hooks hooks = { .ctx = j, .health = answer_health, .config_json = answer_config };

	show(j, false, "starting");
	if (!j->opt.listen[0])
		return 0;
	if (admin_start(j->opt.listen, NAME, j->metrics, &hooks, &j->admin, err) < 0)
		return err_wrap(err, "listen=%s", j->opt.listen);
	log_event(LOG_INFO, "listening", "port", LOG_I(admin_port(j->admin)), NULL);
	return 0;
}

int
job_start(struct job *j, int argc, char **argv, enum options_verdict *verdict, struct err *err)
{
	*j = (struct job){ .face_lock = PTHREAD_MUTEX_INITIALIZER };
	j->set = (struct option_set){ NAME, trainer_option_table, trainer_option_count, &j->opt };
	j->lists[0] = (struct property_list){ "consumer.override.", "passed on to the Kafka consumer", NULL, 0 };
	j->lists[1] = (struct property_list){ "producer.override.", "passed on to the Kafka producer", NULL, 0 };
	j->program = (struct option_program){ NAME,     "trains models, judges them, promotes or rejects them",
					      &j->set,  1,
					      j->lists, ARRAY_LEN(j->lists) };
	log_identity(NAME, NULL);
	if (options_load(&j->program, argc, argv, NULL, NULL, verdict, err) < 0)
		return -1;
	j->begun = *verdict == OPTIONS_RUN;
	return j->begun && (begin(j, err) < 0 || listen_for_operators(j, err) < 0) ? -1 : 0;
}

void
job_finish(struct job *j)
{
	admin_stop(j->admin);
	codec_free(j->series);
	codec_free(j->outcome);
	registry_free(j->registry);
	store_free(j->store);
	metrics_free(j->metrics);
	free(j->overrides[0]);
	free(j->overrides[1]);
	options_clear(&j->program);
	pthread_mutex_destroy(&j->face_lock);
}

int
job_codecs(struct job *j, struct err *err)
{
	if (!j->series && codec_new(j->registry, &series_record, j->opt.series_topic, &j->series, err) < 0)
		return -1;
	if (!j->outcome && codec_new(j->registry, &outcome_record, j->opt.outcomes_topic, &j->outcome, err) < 0)
		return -1;
	return 0;
}
