/*
 * simulate.c -- `forebay simulate`: telemetry of made-up devices, the same for the same options and seed.
 *	simulator --> pace --> sender --> telemetry.raw, key = device
 *	         |      `--- as far as the workers follow
 *	         `--> labels: where the anomalies are
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/moments.h"
#include "common/base/progress.h"
#include "cli/pace.h"
#include "cli/sender.h"
#include "cli/simulator.h"
#include "cli/verb.h"
#include "cli/verbs.h"
#include "common/base/clock.h"

#define ANOMALIES_AUTO (-1)
#define MAX_MESSAGES 2e9

struct simulate_options {
	struct kafka_access kafka;
	char *topic, *duration, *step, *day, *start, *from, *until, *templates, *labels, *lag_max;
	int64_t devices, metrics, seed, anomalies, lag_timeout_ms;
	double rate, duplicates, disorder, malformed, bad_values, gaps;
	bool dry_run, json;
};

#define AT(field) offsetof(struct simulate_options, field)

static const struct option table[] = {
	{ "devices", OPTION_INT, AT(devices), "50", 1, 1e6, "devices", "how many" },
	{ "metrics", OPTION_INT, AT(metrics), "2", 1, TEMPLATE_METRICS, "metrics", "of each device" },
	{ "duration", OPTION_TEXT, AT(duration), "6h", 1, 32, "", "simulated time, 90m, 6h, 14d" },
	{ "step", OPTION_TEXT, AT(step), "1m", 1, 32, "",
	  "simulated time between two messages of a device, whole milliseconds" },
	{ "day", OPTION_TEXT, AT(day), "24h", 1, 32, "",
	  "length of a simulated day: with 1h the daily course repeats every hour" },
	{ "start", OPTION_TEXT, AT(start), "", 0, 64, "",
	  "the first step, 2024-03-01T00:00:00Z; empty: so that the last one is now" },
	{ "from", OPTION_TEXT, AT(from), "", 0, 32, "",
	  "leave out what comes before this much of the duration: it was sent by another call; empty: nothing" },
	{ "until", OPTION_TEXT, AT(until), "", 0, 32, "", "leave out what comes after; empty: nothing" },
	{ "seed", OPTION_INT, AT(seed), "1", 0, 9e15, "", "the same seed and options give the same messages" },
	{ "templates", OPTION_TEXT, AT(templates), "", 0, 255, "",
	  "kinds of devices, comma separated: thermostat,pump,meter; empty: all" },
	{ "anomalies", OPTION_INT, AT(anomalies), "-1", -1, 10000, "",
	  "how many are planted; spike, level shift, flat line and drift burst in turn; -1: one for every four devices" },
	{ "duplicates", OPTION_REAL, AT(duplicates), "0.01", 0, 1, "", "share of messages that come twice" },
	{ "disorder", OPTION_REAL, AT(disorder), "0.02", 0, 1, "",
	  "share of messages that come one to three steps late" },
	{ "malformed", OPTION_REAL, AT(malformed), "0.005", 0, 1, "",
	  "unreadable messages beside the good ones, as a share of these" },
	{ "bad.values", OPTION_REAL, AT(bad_values), "0.01", 0, 1, "",
	  "share of messages with one value that is none (two metrics and more)" },
	{ "gaps", OPTION_REAL, AT(gaps), "0.05", 0, 1, "", "share of stretches of 48 steps with a hole of 3 to 16" },
	{ "labels", OPTION_TEXT, AT(labels), "", 0, 4096, "",
	  "file for the anomalies' places: CSV device,metric,from,to,kind" },
	{ "rate", OPTION_REAL, AT(rate), "0", 0, 1e9, "messages/s", "at most; 0: as fast as it goes" },
	{ "lag.max.records", OPTION_TEXT, AT(lag_max), "", 0, 1024, "records",
	  "wait while one of these workers is further behind: batch-forecaster=1000,realtime-scorer=5000, or their consumer groups' names; "
	  "empty: wait for nobody" },
	{ "lag.timeout.ms", OPTION_INT, AT(lag_timeout_ms), "60000", 100, 86400000, "ms",
	  "a worker that is further behind and reads nothing for this long, or a cluster that does not say so, ends it" },
	{ "topic", OPTION_TEXT, AT(topic), "telemetry.raw", 1, 249, "", "where to" },
	{ "dry.run", OPTION_BOOL, AT(dry_run), "false", 0, 0, "", "send nothing, only count and write the labels" },
	{ "json", OPTION_BOOL, AT(json), "false", 0, 0, "", "one JSON object on standard output" },
};

struct simulation_counts {
	int64_t by_kind[SIMULATED_KIND_COUNT], by_reason[REASON_COUNT];
	int64_t bad_values, messages;
};

static int
read_span(const char *key, const char *text, int64_t *us, struct err *err)
{
	return duration_parse(text, us, err) < 0 ? err_wrap(err, "--%s", key) : 0;
}

static int
fill_simulator(struct simulator_options *o, const struct simulate_options *p, struct err *err)
{
	int64_t duration_us;

	*o = (struct simulator_options){
		.seed = (uint64_t)p->seed,
		.devices = p->devices,
		.metrics = (int)p->metrics,
		.anomalies = p->anomalies == ANOMALIES_AUTO ? (p->devices + 3) / 4 : p->anomalies,
		.duplicates = p->duplicates,
		.disorder = p->disorder,
		.malformed = p->malformed,
		.bad_values = p->bad_values,
		.gaps = p->gaps,
		.templates = p->templates,
	};
	if (read_span("duration", p->duration, &duration_us, err) < 0 ||
	    read_span("step", p->step, &o->step_us, err) < 0 || read_span("day", p->day, &o->day_us, err) < 0)
		return -1;
	if (o->step_us % US_PER_MS || o->step_us > duration_us)
		return err_set(err, REASON_USAGE, "--step=%s: whole milliseconds, not longer than --duration", p->step);
	o->steps = duration_us / o->step_us;
	if ((double)o->steps * (double)o->devices > MAX_MESSAGES)
		return err_set(err, REASON_USAGE, "%" PRId64 " steps of %" PRId64 " devices are too many messages",
			       o->steps, o->devices);
	if (*p->start)
		return moment_parse(p->start, &o->start_us, err) < 0 ? err_wrap(err, "--start") : 0;
	o->start_us = (clock_real_us() / o->step_us - o->steps + 1) * o->step_us;
	return 0;
}

static int
write_labels(const struct simulator *s, const char *path, struct err *err)
{
	CLEANUP(file_close)
	FILE *file = fopen(path, "we");
	size_t n;
	const struct anomaly *a = simulator_anomalies(s, &n);

	if (!file)
		return err_set(err, REASON_FILE_UNREADABLE, "%s: %m", path);
	fputs("device,metric,from,to,kind\n", file);
	for (size_t i = 0; i < n; i++) {
		char device[SIMULATOR_NAME_BYTES], from[CLOCK_TEXT_BYTES], to[CLOCK_TEXT_BYTES];

		simulator_device(s, a[i].device, device);
		clock_iso8601(simulator_time(s, a[i].from), from);
		clock_iso8601(simulator_time(s, a[i].to), to);
		fprintf(file, "%s,%s,%s,%s,%s\n", device, simulator_metric(s, a[i].device, a[i].metric)->name, from, to,
			anomaly_kind_name(a[i].kind));
	}
	return fflush(file) || ferror(file) ? err_set(err, REASON_IO, "%s: %m", path) : 0;
}

static void
count(struct simulation_counts *c, const struct simulated *m)
{
	c->by_kind[m->kind]++;
	if (m->kind == SIMULATED_MALFORMED)
		c->by_reason[m->reason]++;
	if (m->kind == SIMULATED_REGULAR || m->kind == SIMULATED_HELD_UP)
		c->bad_values += m->bad_values;
	c->messages += m->kind != SIMULATED_NOTHING;
}

/* Messages [begin, end) of all. */
struct part {
	int64_t begin, end;
};

static int
choose_part(const struct simulate_options *p, const struct simulator *s, const struct simulator_options *o,
	    struct part *ret, struct err *err)
{
	int64_t a_step = simulator_count(s) / (o->steps + SIMULATOR_HELD_UP), from_us = 0, until_us = 0;

	if ((*p->from && read_span("from", p->from, &from_us, err) < 0) ||
	    (*p->until && read_span("until", p->until, &until_us, err) < 0))
		return -1;
	*ret = (struct part){ from_us / o->step_us * a_step,
			      *p->until ? until_us / o->step_us * a_step : simulator_count(s) };
	if (ret->begin < ret->end && ret->end <= simulator_count(s))
		return 0;
	return err_set(err, REASON_USAGE, "--from=%s, --until=%s: no part of --duration=%s", p->from, p->until,
		       p->duration);
}

/* Where messages go: nowhere (SENDER NULL: they are only counted), at once, or when the fleet follows (PACE). */
struct outlet {
	struct sender *sender;
	struct pace *pace;
	int timeout_ms; /* of the pace */
};

/* Until nobody is too far behind.  A message counts when the broker has it. */
static int
await_fleet(const struct outlet *out, struct progress *progress, double share, int64_t messages, struct err *err)
{
	int64_t from_us = clock_monotonic_us();
	bool held = false;
	int behind;

	if (sender_flush(out->sender, out->timeout_ms, err) < 0)
		return -1;
	while ((behind = pace_look(out->pace, err)) > 0) {
		progress_show(progress, share, messages);
		held = true;
	}
	if (held)
		sender_hold(out->sender, clock_monotonic_us() - from_us);
	return behind;
}

static int
send_all(const struct simulator *s, const struct part *part, const struct outlet *out, struct simulation_counts *counts,
	 struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer scratch = BUFFER_INIT(1 << 20);
	struct progress progress;
	struct simulated m;
	int64_t n = part->end - part->begin;
	int failed = 0;

	progress_start(&progress, "messages");
	for (int64_t i = 0; i < n && !failed; i++) {
		double share = (double)i / (double)n;

		failed = simulator_at(s, part->begin + i, &scratch, &m, err);
		if (failed || m.kind == SIMULATED_NOTHING)
			continue;
		if (out->pace && pace_due(out->pace))
			failed = await_fleet(out, &progress, share, counts->messages, err);
		count(counts, &m);
		if (out->sender && !failed)
			failed = sender_send(out->sender, m.key, m.value, err);
		progress_show(&progress, share, counts->messages);
	}
	/* Who has failed is told so now: a broker that is gone would be waited for for minutes. */
	if (out->sender && !failed)
		failed = sender_finish(out->sender, err);
	progress_end(&progress);
	return failed;
}

static json_t *
reasons_json(const struct simulation_counts *c)
{
	json_t *o = json_object();

	for (int r = 0; r < REASON_COUNT; r++)
		if (c->by_reason[r])
			json_object_set_new(o, err_reason_name((enum err_reason)r), json_integer(c->by_reason[r]));
	return o;
}

/* What a report about a simulation says. */
struct outcome {
	const struct simulate_options *options;
	const struct simulator_options *simulated;
	struct simulation_counts counts;
	struct sender_counts sent;
	size_t n_anomalies;
	char start[CLOCK_TEXT_BYTES], end[CLOCK_TEXT_BYTES]; /* times of the first and the last step */
};

static int
print_json(const struct outcome *o, struct err *err)
{
	const int64_t *k = o->counts.by_kind;
	int64_t readings = k[SIMULATED_REGULAR] + k[SIMULATED_HELD_UP];
	json_t *json = json_pack(
	    "{s:I, s:I, s:I, s:I, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:s, s:b}",
	    "seed", (json_int_t)o->options->seed, "devices", (json_int_t)o->simulated->devices, "metrics",
	    (json_int_t)o->simulated->metrics, "steps", (json_int_t)o->simulated->steps, "start", o->start, "end",
	    o->end, "step_ms", (json_int_t)(o->simulated->step_us / US_PER_MS), "messages",
	    (json_int_t)o->counts.messages, "readings", (json_int_t)readings, "held_up",
	    (json_int_t)k[SIMULATED_HELD_UP], "duplicates", (json_int_t)k[SIMULATED_DUPLICATE], "malformed",
	    (json_int_t)k[SIMULATED_MALFORMED], "malformed_by_reason", reasons_json(&o->counts), "values",
	    (json_int_t)(readings * o->simulated->metrics), "bad_values", (json_int_t)o->counts.bad_values, "anomalies",
	    (json_int_t)o->n_anomalies, "refused", (json_int_t)o->sent.refused, "bytes", (json_int_t)o->sent.bytes,
	    "seconds", o->sent.seconds, "held_seconds", o->sent.held_seconds, "labels", o->options->labels, "dry_run",
	    o->options->dry_run);

	return verb_print_json(json, err);
}

static void
print_text(const struct outcome *o)
{
	const int64_t *k = o->counts.by_kind;
	char messages[32], readings[32];

	printf("%" PRId64 " devices x %d metrics, %.19s to %.19s, a message each %s (seed %" PRId64 ")\n",
	       o->simulated->devices, o->simulated->metrics, o->start, o->end, o->options->step, o->options->seed);
	printf("%s messages %s %s in %.1f s: %s readings, of them %" PRId64 " late; %" PRId64 " repeated, %" PRId64
	       " malformed, %" PRId64 " refused\n",
	       progress_number(o->counts.messages, messages), o->options->dry_run ? "not sent to" : "to",
	       o->options->topic, o->sent.seconds,
	       progress_number(k[SIMULATED_REGULAR] + k[SIMULATED_HELD_UP], readings), k[SIMULATED_HELD_UP],
	       k[SIMULATED_DUPLICATE], k[SIMULATED_MALFORMED], o->sent.refused);
	if (o->sent.held_seconds > 0)
		printf("for %.1f s of them it waited for workers that lagged\n", o->sent.held_seconds);
	printf("%" PRId64 " bad values inside good messages, %zu anomalies%s%s\n", o->counts.bad_values, o->n_anomalies,
	       *o->options->labels ? " labelled in " : "", o->options->labels);
}

static int
open_outlet(const struct simulate_options *options, const struct property_list *overrides,
	    const struct pace_limits *limits, struct arena *arena, struct outlet *ret, struct err *err)
{
	int timeout_ms = (int)options->kafka.timeout_ms;
	struct client_config config;

	ret->timeout_ms = (int)options->lag_timeout_ms;
	if (kafka_client(&options->kafka, overrides, arena, &config, err) < 0 ||
	    sender_open(&config, options->topic, options->rate, timeout_ms, &ret->sender, err) < 0)
		return -1;
	return limits->n ? pace_open(limits, options->lag_timeout_ms, &config, timeout_ms, &ret->pace, err) : 0;
}

static void
close_outlet_cleanup(struct outlet *out)
{
	pace_close(out->pace);
	sender_close(out->sender);
}

static int
run(const struct simulate_options *options, const struct property_list *overrides, struct err *err)
{
	struct simulator_options wanted;
	CLEANUP(simulator_free)
	struct simulator *s = NULL;
	CLEANUP(close_outlet)
	struct outlet out = { NULL };
	CLEANUP(arena_free)
	struct arena *arena = arena_new(4096, 0);
	struct outcome o = { .options = options, .simulated = &wanted };
	struct pace_limits limits;
	struct part part;

	if (!arena)
		return err_set(err, REASON_NO_MEMORY, "simulate");
	if (pace_parse(options->lag_max, &limits, err) < 0 || fill_simulator(&wanted, options, err) < 0 ||
	    simulator_new(&wanted, &s, err) < 0 || choose_part(options, s, &wanted, &part, err) < 0 ||
	    (*options->labels && write_labels(s, options->labels, err) < 0))
		return -1;
	if (!options->dry_run && open_outlet(options, overrides, &limits, arena, &out, err) < 0)
		return -1;
	if (send_all(s, &part, &out, &o.counts, err) < 0)
		return -1;
	if (out.sender)
		sender_counts(out.sender, &o.sent);
	simulator_anomalies(s, &o.n_anomalies);
	clock_iso8601(simulator_time(s, 0), o.start);
	clock_iso8601(simulator_time(s, wanted.steps - 1), o.end);
	if (!options->json)
		print_text(&o);
	else if (print_json(&o, err) < 0)
		return -1;
	if (o.sent.refused == 0)
		return 0;
	*err = o.sent.first_refusal;
	return err_wrap(err, "%" PRId64 " messages were refused; the first", o.sent.refused);
}

struct simulate_call {
	struct simulate_options options;
	struct property_list overrides;
};

static int
simulate(void *self, int n, char **words, struct err *err)
{
	const struct simulate_call *c = self;

	return run(&c->options, &c->overrides, err);
}

int
verb_simulate(int argc, char **argv)
{
	struct simulate_call c = { .overrides = CLIENT_OVERRIDES };
	const struct option_set sets[] = {
		{ "Simulate", table, ARRAY_LEN(table), &c.options },
		{ "Kafka", kafka_access_table, kafka_access_count, &c.options.kafka },
	};
	const struct option_program program = { "forebay simulate",
						"telemetry of made-up devices, with labelled anomalies",
						sets,
						ARRAY_LEN(sets),
						&c.overrides,
						1 };

	return verb_run(&program, false, argc, argv, &c, simulate);
}
