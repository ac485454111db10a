/*
 * scan.c -- what does it cost to understand a message?  The router's scan and mapping against jansson's parse alone, on
 * the same messages in the same run, in turns, best of several rounds.
 *
 *	scan [PATH.MAPS] [ROUNDS]
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "workers/ingest-router/mapping.h"

#define MESSAGES 20000
#define BATCH 500 /* messages between two resets of the arena */

struct corpus {
	struct span messages[MESSAGES];
	size_t bytes;
};

static int64_t
cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void
fill(struct corpus *c, struct arena *arena)
{
	c->bytes = 0;
	for (int i = 0; i < MESSAGES; i++) {
		char *text = arena_printf(
		    arena,
		    "{\"device\":\"pump-%05d\",\"time\":\"2026-01-%02dT%02d:%02d:%02d.%03dZ\",\"site\":\"plant-%d\",\"metrics\":"
		    "{\"temperature\":%d.%02d,\"humidity\":%d.%d,\"pressure\":10%02d.%02d,\"vibration\":0.0%03d},"
		    "\"status\":{\"firmware\":\"1.4.%d\",\"battery\":%d,\"ok\":true},\"tags\":[\"line-%d\",\"hall 3\"]}",
		    i % 10000, 1 + i % 28, i % 24, i % 60, i * 7 % 60, i % 1000, i % 9, 15 + i % 20, i % 100,
		    30 + i % 60, i % 10, i % 40, i * 3 % 100, i % 1000, i % 10, i % 101, i % 5);

		c->messages[i] = span_of(text);
		c->bytes += c->messages[i].len;
	}
}

static double
run_ours(const struct corpus *c, const struct pathmaps *maps, struct arena *arena)
{
	const struct mapping_rules rules = { .limits = { .depth = 64, .rows = 2000 },
					     .values_max = 1000,
					     .time_future_max_us = INT64_MAX };
	int64_t start = cpu_ns();
	struct err err = ERR_INIT;

	for (int i = 0; i < MESSAGES; i++) {
		const struct raw_message message = { .topic = SPAN("telemetry.raw"),
						     .json = c->messages[i],
						     .ingest_us = 1 };
		struct mapped mapped;

		if (mapping_apply(maps, &rules, &message, arena, &mapped, &err) < 0 ||
		    mapped.readings[0].n_values != 4) {
			fprintf(stderr, "%.*s: %s\n", SPAN_ARG(c->messages[i]), err.text);
			exit(1);
		}
		if (i % BATCH == 0)
			arena_reset(arena);
	}
	arena_reset(arena);
	return (double)(cpu_ns() - start) / MESSAGES;
}

static double
run_jansson(const struct corpus *c)
{
	int64_t start = cpu_ns();

	for (int i = 0; i < MESSAGES; i++)
		json_decref(json_loadb(c->messages[i].ptr, c->messages[i].len, JSON_REJECT_DUPLICATES, NULL));
	return (double)(cpu_ns() - start) / MESSAGES;
}

int
main(int argc, char **argv)
{
	static struct corpus corpus;
	CLEANUP(arena_free)
	struct arena *text = arena_new(1 << 20, 0), *arena = arena_new(1 << 20, 1 << 20);
	CLEANUP(pathmaps_free)
	struct pathmaps *maps = NULL;
	int rounds = argc > 2 ? atoi(argv[2]) : 15;
	double ours = 1e9, jansson = 1e9;
	struct err err = ERR_INIT;

	if (pathmaps_load(argc > 1 ? argv[1] : "deploy/pathmaps/default.json", &maps, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	fill(&corpus, text);
	for (int i = 0; i < rounds; i++) {
		double a = run_ours(&corpus, maps, arena), b = run_jansson(&corpus);

		ours = a < ours ? a : ours;
		jansson = b < jansson ? b : jansson;
	}
	printf(
	    "{\"benchmark\":\"scan\",\"message_bytes\":%.1f,\"scan_and_map_ns\":%.0f,\"jansson_parse_ns\":%.0f,\"ratio\":%.2f}\n",
	    (double)corpus.bytes / MESSAGES, ours, jansson, jansson / ours);
	return 0;
}
