/*
 * publish.c -- `forebay publish FILE...`: files become messages of telemetry.raw.
 *	file, gzip, stdin --> feed (csv, jsonl, matrix) --> sender --> topic, key = device
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/feed.h"
#include "cli/moments.h"
#include "common/base/progress.h"
#include "cli/sender.h"
#include "cli/verb.h"
#include "cli/verbs.h"

struct publish_options {
	struct kafka_access kafka;
	char *topic, *device_column, *key, *columns, *delimiter, *comment, *field, *source, *metric, *start, *step;
	int format, row_is; /* enum feed_format, enum feed_rows */
	int64_t skip_lines, limit;
	double rate;
	bool trim, json;
};

#define AT(field) offsetof(struct publish_options, field)

static const struct option table[] = {
	{ "topic", OPTION_TEXT, AT(topic), "telemetry.raw", 1, 249, "", "where to" },
	{ "format", OPTION_CHOICE, AT(format), "auto", 0, 0, "csv|jsonl|matrix|auto",
	  "what the files are; auto: jsonl by their ending (.json, .jsonl, .ndjson), else csv" },
	{ "device.column", OPTION_TEXT, AT(device_column), "", 0, 255, "",
	  "the column (csv) or top-level member (jsonl) that names the device: the message's key; in a matrix: what the "
	  "device is called in the object (mote)" },
	{ "key", OPTION_TEXT, AT(key), "", 0, 255, "", "the key of all messages, where the files are of one device" },
	{ "columns", OPTION_TEXT, AT(columns), "", 0, 65536, "",
	  "names of the columns, comma separated, where the file has none; in a matrix: names of the devices" },
	{ "delimiter", OPTION_TEXT, AT(delimiter), ",", 1, 5, "",
	  "between fields: one character, `tab`, or a blank: then a run of blanks is one delimiter and quotes mean nothing" },
	{ "skip.lines", OPTION_INT, AT(skip_lines), "0", 0, 1e9, "lines", "at the beginning of each file" },
	{ "comment", OPTION_TEXT, AT(comment), "", 0, 1, "", "lines that begin with this character say nothing" },
	{ "trim", OPTION_BOOL, AT(trim), "false", 0, 0, "", "blanks around a field are no part of it" },
	{ "field", OPTION_TEXT, AT(field), "", 0, 4096, "",
	  "NAME=VALUE, a member for every object; may be given several times" },
	{ "source", OPTION_TEXT, AT(source), "", 0, 255, "",
	  "the same as --field source=NAME, for the router's path maps" },
	{ "row.is", OPTION_CHOICE, AT(row_is), "time", 0, 0, "mote|time", "matrix: what a row is" },
	{ "metric", OPTION_TEXT, AT(metric), "", 0, 255, "", "matrix: what a number is, temperature" },
	{ "start", OPTION_TEXT, AT(start), "", 0, 64, "", "matrix: the first step's time, 2004-02-28T00:00:00Z" },
	{ "step", OPTION_TEXT, AT(step), "", 0, 32, "", "matrix: from one step to the next, 30s" },
	{ "rate", OPTION_REAL, AT(rate), "0", 0, 1e9, "messages/s", "at most; 0: as fast as it goes" },
	{ "limit", OPTION_INT, AT(limit), "0", 0, 1e15, "messages", "stop after so many; 0: all" },
	{ "json", OPTION_BOOL, AT(json), "false", 0, 0, "", "one JSON object on standard output" },
};

static int
add_constant(struct feed_options *o, struct span name, struct span value, struct err *err)
{
	if (o->n_constants == FEED_MAX_FIELDS)
		return err_set(err, REASON_USAGE, "--field: at most %d", FEED_MAX_FIELDS);
	for (size_t i = 0; i < o->n_constants; i++)
		if (span_equal(o->constants[i].name, name))
			return err_set(err, REASON_USAGE, "--field %.*s: given twice", SPAN_ARG(name));
	o->constants[o->n_constants++] = (struct feed_constant){ name, value };
	return 0;
}

static int
add_field(struct feed_options *o, const char *text, struct err *err)
{
	const char *equals = strchr(text, '=');

	if (!equals || equals == text)
		return err_set(err, REASON_USAGE, "--field %.60s: write NAME=VALUE", text);
	return add_constant(o, (struct span){ text, (size_t)(equals - text) }, span_of(equals + 1), err);
}

/* Every --field of the command line; of other keys options_load() keeps the last. */
static int
collect_fields(struct feed_options *o, int argc, char **argv, struct err *err)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		const char *text = NULL;

		if (strncmp(argv[i], "--field=", 8) == 0)
			text = argv[i] + 8;
		else if (strcmp(argv[i], "--field") == 0 && i + 1 < argc)
			text = argv[++i];
		if (text && add_field(o, text, err) < 0)
			return -1;
	}
	return 0;
}

static int
set_delimiter(struct feed_options *o, const char *text, struct err *err)
{
	if (strcmp(text, "tab") == 0 || strcmp(text, "\\t") == 0)
		text = "\t";
	if (text[0] == '\0' || text[1] || text[0] == '"' || text[0] == '\n' || text[0] == '\r')
		return err_set(err, REASON_USAGE, "--delimiter=%s: one character, or `tab`", text);
	o->csv.delimiter = text[0];
	return 0;
}

static int
fill_feed(struct feed_options *o, const struct publish_options *p, struct err *err)
{
	o->format = (enum feed_format)p->format;
	o->csv.comment = p->comment[0];
	o->csv.trim = p->trim;
	o->columns = p->columns;
	o->device_column = p->device_column;
	o->key = p->key;
	o->skip_lines = p->skip_lines;
	o->rows = p->row_is == 0 ? ROWS_ARE_DEVICES : ROWS_ARE_TIMES;
	o->metric = p->metric;
	if (o->n_constants == 0 && *p->field && add_field(o, p->field, err) < 0)
		return -1;
	if (*p->source && add_constant(o, SPAN("source"), span_of(p->source), err) < 0)
		return -1;
	if (*p->start && moment_parse(p->start, &o->start_us, err) < 0)
		return err_wrap(err, "--start");
	if (*p->step && duration_parse(p->step, &o->step_us, err) < 0)
		return err_wrap(err, "--step");
	if (o->format == FEED_MATRIX && !*p->start)
		return err_set(err, REASON_USAGE, "--format=matrix needs --start: the file has no times");
	return set_delimiter(o, p->delimiter, err);
}

/* What all files together held. */
struct publication {
	const struct publish_options *options;
	const struct feed_options *feed_options;
	struct sender *sender;
	struct progress progress;
	struct feed_counts sum;
	int n_files, n_done;
};

static void
add_counts(struct feed_counts *sum, const struct feed_counts *c)
{
	sum->lines += c->lines;
	sum->messages += c->messages;
	sum->malformed += c->malformed;
	sum->blank += c->blank;
	sum->comments += c->comments;
	sum->without_key += c->without_key;
}

static bool
is_enough(const struct publication *p, const struct feed *f)
{
	return p->options->limit > 0 && p->sum.messages + feed_counts(f)->messages >= p->options->limit;
}

static int
publish_file(struct publication *p, const char *path, struct err *err)
{
	CLEANUP(feed_close)
	struct feed *f = NULL;
	struct feed_message message;
	int got = 0, failed = 0;

	if (feed_open(p->feed_options, path, &f, err) < 0)
		return -1;
	while (!failed && !is_enough(p, f) && (got = feed_next(f, &message, err)) > 0) {
		double share = feed_share(f);

		failed = sender_send(p->sender, message.key, message.value, err);
		progress_show(&p->progress, share < 0 ? -1 : ((double)p->n_done + share) / p->n_files,
			      p->sum.messages + feed_counts(f)->messages);
	}
	add_counts(&p->sum, feed_counts(f));
	p->n_done++;
	return failed || got < 0 ? -1 : 0;
}

static int
summarise(const struct publication *p, const struct sender_counts *sent, struct err *err)
{
	char lines[32], messages[32], rate[32];
	int64_t per_second = sent->seconds > 0 ? (int64_t)((double)sent->messages / sent->seconds) : 0;
	const struct feed_counts *c = &p->sum;

	if (p->options->json)
		return verb_print_json(
		    json_pack("{s:s, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f}", "topic", p->options->topic,
			      "files", p->n_done, "lines", (json_int_t)c->lines, "messages", (json_int_t)sent->messages,
			      "malformed", (json_int_t)c->malformed, "blank", (json_int_t)c->blank, "comments",
			      (json_int_t)c->comments, "without_key", (json_int_t)c->without_key, "refused",
			      (json_int_t)sent->refused, "bytes", (json_int_t)sent->bytes, "seconds", sent->seconds),
		    err);
	printf(
	    "%s lines, %s messages to %s (%lld malformed, %lld blank, %lld comments, %lld refused), %.1f MB in %.1f s, "
	    "%s/s\n",
	    progress_number(c->lines, lines), progress_number(sent->messages, messages), p->options->topic,
	    (long long)c->malformed, (long long)c->blank, (long long)c->comments, (long long)sent->refused,
	    (double)sent->bytes / 1e6, sent->seconds, progress_number(per_second, rate));
	return 0;
}

static int
publish_all(struct publication *p, int n, char **paths, struct err *err)
{
	struct sender_counts sent;
	int failed = 0;

	progress_start(&p->progress, "messages");
	p->n_files = n;
	for (int i = 0; i < n && !failed; i++)
		failed = publish_file(p, paths[i], err);
	/* What was sent before a failure is waited for, too: it is what the summary counts. */
	if (sender_finish(p->sender, failed ? NULL : err) < 0)
		failed = -1;
	progress_end(&p->progress);
	sender_counts(p->sender, &sent);
	if (summarise(p, &sent, failed ? NULL : err) < 0)
		failed = -1;
	if (p->sum.without_key > p->sum.malformed && !p->options->json)
		fputs(
		    "forebay publish: note: messages without a key do not keep their order; see --device-column and --key\n",
		    stderr);
	if (!failed && sent.refused) {
		*err = sent.first_refusal;
		return err_wrap(err, "%lld of %lld messages were refused; the first", (long long)sent.refused,
				(long long)sent.messages);
	}
	return failed;
}

static int
run(const struct publish_options *options, const struct feed_options *feed_options,
    const struct property_list *overrides, int n, char **paths, struct err *err)
{
	CLEANUP(arena_free)
	struct arena *arena = arena_new(4096, 0);
	CLEANUP(sender_close)
	struct sender *sender = NULL;
	struct publication p = { .options = options, .feed_options = feed_options };
	struct client_config config;

	if (n == 0)
		return err_set(err, REASON_USAGE, "which files?  `-` is standard input");
	if (!arena)
		return err_set(err, REASON_NO_MEMORY, "publish");
	if (kafka_client(&options->kafka, overrides, arena, &config, err) < 0 ||
	    sender_open(&config, options->topic, options->rate, (int)options->kafka.timeout_ms, &sender, err) < 0)
		return -1;
	p.sender = sender;
	return publish_all(&p, n, paths, err);
}

struct publish_call {
	struct publish_options options;
	struct property_list overrides;
	struct feed_options feed;
};

static int
publish(void *self, int n, char **paths, struct err *err)
{
	struct publish_call *c = self;

	return fill_feed(&c->feed, &c->options, err) < 0 ? -1
							 : run(&c->options, &c->feed, &c->overrides, n, paths, err);
}

int
verb_publish(int argc, char **argv)
{
	struct publish_call c = { .overrides = CLIENT_OVERRIDES };
	const struct option_set sets[] = {
		{ "Publish", table, ARRAY_LEN(table), &c.options },
		{ "Kafka", kafka_access_table, kafka_access_count, &c.options.kafka },
	};
	const struct option_program program = {
		"forebay publish",
		"FILE...: CSV, JSON Lines or matrices of numbers, also gzip, to telemetry.raw",
		sets,
		ARRAY_LEN(sets),
		&c.overrides,
		1
	};
	struct err err = ERR_INIT;

	if (collect_fields(&c.feed, argc, argv, &err) < 0)
		return verb_fail("publish", &err);
	return verb_run(&program, true, argc, argv, &c, publish);
}
