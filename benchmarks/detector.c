/*
 * detector.c -- what a value costs the detector of one stream, on one core.
 *
 *	detector MEMBERS STREAMS RECORDS [AHEAD]	e.g. scalar,forecast 1 10000000
 *	-> {"members":...,"streams":...,"records":...,"records_per_s":...,"p50_ns":...,"p99_ns":...,"memory_bytes":...}
 *
 * Values are normal around a daily season, made before; streams take turns, but not in the order that they have in memory, and
 * each value is one later than the stream's last.  One stream is hot: all of it stays in the nearest cache.  AHEAD (0): the
 * detector of the value so many later is fetched, as a batch makes possible.  Time is the processor's.  p50 and p99 are of single
 * values, timed one by one in a second run, with what a look at the clock costs taken off.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/base/cleanup.h"
#include "common/base/random.h"
#include "common/detect/detector.h"

#define STEP_US INT64_C(300000000)
#define DAY 288
#define WARM 2000    /* values of the first stream, which the others are copies of */
#define SHUFFLE 7919 /* streams between one turn and the next: a prime */
#define VALUES 65536
#define SINGLES 1000000 /* values that are timed one by one, at most */

struct run {
	struct detector_options options;
	struct detector *detectors;
	long streams, at, ahead; /* values added in all; detector_fetch() */
	double values[VALUES], forecasts[VALUES];
	double strange; /* how much was: so that nothing is optimised away */
};

static double
seconds(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void
make_values(struct run *r)
{
	for (uint64_t i = 0; i < VALUES; i++) {
		r->values[i] = 100 + 10 * sin((double)i * 6.283185307179586 / DAY) + random_normal(1, 1, i);
		r->forecasts[i] = random_uniform(1, 2, i);
	}
}

static long
stream_of(const struct run *r, long at)
{
	return at % r->streams * SHUFFLE % r->streams;
}

static void
add(struct run *r, long records)
{
	struct err err = ERR_INIT;
	struct verdict v;

	for (long i = 0; i < records; i++, r->at++) {
		long stream = stream_of(r, r->at), n = r->at / r->streams;
		size_t from = (size_t)(n + stream * 977) % VALUES;

		if (r->ahead > 0)
			detector_fetch(&r->detectors[stream_of(r, r->at + r->ahead)]);
		if (r->streams > 1) /* as the scorer does */
			detector_fetch_forest(&r->detectors[stream]);
		if (detector_add(&r->detectors[stream], &r->options, (uint64_t)stream, r->values[from], n * STEP_US,
				 r->forecasts[from], &v, &err) < 0) {
			fprintf(stderr, "%s\n", err.text);
			exit(1);
		}
		r->strange += v.onset;
	}
}

static int
ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* P50 and P99 of single values, in nanoseconds. */
static int
time_singles(struct run *r, long records, double *p50, double *p99)
{
	long n = records < SINGLES ? records : SINGLES;
	CLEANUP(heap_free) double *each = malloc((size_t)n * sizeof(*each));
	double clock = 1;

	if (!each)
		return -1;
	for (int i = 0; i < 1000; i++) {
		double from = seconds(CLOCK_MONOTONIC), to = seconds(CLOCK_MONOTONIC);

		clock = fmin(clock, to - from);
	}
	for (long i = 0; i < n; i++) {
		double from = seconds(CLOCK_MONOTONIC);

		add(r, 1);
		each[i] = seconds(CLOCK_MONOTONIC) - from - clock;
	}
	qsort(each, (size_t)n, sizeof(*each), ascending);
	*p50 = each[n / 2] * 1e9;
	*p99 = each[n * 99 / 100] * 1e9;
	return 0;
}

/* The first stream learns, the others become as it is; one round more, and they share nothing. */
static int
warm(struct run *r, long streams)
{
	r->detectors = calloc((size_t)streams, sizeof(*r->detectors));
	if (!r->detectors)
		return -1;
	r->streams = 1;
	add(r, WARM);
	for (long i = 1; i < streams; i++)
		if (detector_copy(&r->detectors[i], &r->detectors[0]) < 0)
			return -1;
	r->streams = streams;
	r->at = WARM * streams;
	add(r, streams);
	return 0;
}

int
main(int argc, char **argv)
{
	static struct run r;
	struct err err = ERR_INIT;
	double begun, rate, p50, p99;
	size_t memory = 0;
	long records, streams;

	if (argc < 4 || argc > 5 || (streams = atol(argv[2])) < 1 || streams % SHUFFLE == 0 ||
	    (records = atol(argv[3])) < 1) {
		fprintf(stderr, "detector MEMBERS STREAMS RECORDS [AHEAD]; STREAMS: no multiple of %d\n", SHUFFLE);
		return 1;
	}
	r.ahead = argc > 4 ? atol(argv[4]) : 0;
	r.options = detector_defaults();
	if (detector_members_parse(argv[1], &r.options.members, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	make_values(&r);
	if (warm(&r, streams) < 0)
		return 1;
	begun = seconds(CLOCK_PROCESS_CPUTIME_ID);
	add(&r, records);
	rate = (double)records / (seconds(CLOCK_PROCESS_CPUTIME_ID) - begun);
	if (time_singles(&r, records, &p50, &p99) < 0)
		return 1;
	for (long i = 0; i < r.streams; i++) {
		memory += detector_memory(&r.detectors[i]);
		detector_clear(&r.detectors[i]);
	}
	printf("{\"members\":\"%s\",\"streams\":%ld,\"records\":%ld,\"records_per_s\":%.0f,\"p50_ns\":%.0f,"
	       "\"p99_ns\":%.0f,\"memory_bytes\":%zu,\"strange\":%.3g}\n",
	       argv[1], r.streams, records, rate, p50, p99, memory / (size_t)r.streams, r.strange);
	free(r.detectors);
	return 0;
}
