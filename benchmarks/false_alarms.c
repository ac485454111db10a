/*
 * false_alarms.c -- of the alerts that open, how many are false where nothing but chance is at work?  Stationary streams, a daily wave and
 * normal noise around it; once in RARE values one is SIZE deviations off.  An alert that opens within LATE values of a planted one is right.
 *
 *	false_alarms RECORDS [MEMBERS]	-> {"records":...,"planted":...,"found":...,"alerts":...,"false":...,"realised":...,"nominal":...}
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/cleanup.h"
#include "common/base/random.h"
#include "common/detect/detector.h"

enum { LENGTH = 100000, DAY = 288, WARMUP = 1000, RARE = 2000, LATE = 5 };

#define STEP_US INT64_C(300000000)
#define SIZE 8.0

struct tally {
	int64_t records, planted, found, alerts, wrong;
};

static int
run_stream(const struct detector_options *o, uint64_t stream, int64_t length, struct tally *t, struct err *err)
{
	struct detector d = { 0 };
	int64_t last = -RARE; /* planted, and not found so far */

	for (int64_t i = 0; i < length; i++) {
		double value = 2 * sin(2 * M_PI * (double)i / DAY) + random_normal(1, stream, (uint64_t)i);
		struct verdict v;

		if (i >= WARMUP && random_uniform(2, stream, (uint64_t)i) < 1.0 / RARE) {
			value += random_uniform(3, stream, (uint64_t)i) < 0.5 ? -SIZE : SIZE;
			last = i;
			t->planted++;
		}
		if (detector_add(&d, o, stream, value, i * STEP_US, NAN, &v, err) < 0) {
			detector_clear(&d);
			return -1;
		}
		if (v.action != EPISODE_OPENED)
			continue;
		t->alerts++;
		if (i - last <= LATE)
			t->found++;
		else
			t->wrong++;
		last = -RARE;
	}
	t->records += length;
	detector_clear(&d);
	return 0;
}

int
main(int argc, char **argv)
{
	struct detector_options o = detector_defaults();
	int64_t records = argc > 1 ? atoll(argv[1]) : 1000000;
	struct tally t = { 0 };
	struct err err = ERR_INIT;

	if (argc > 2 && detector_members_parse(argv[2], &o.members, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	for (uint64_t stream = 1; t.records < records; stream++) {
		int64_t left = records - t.records;

		if (run_stream(&o, stream, left < LENGTH ? left : LENGTH, &t, &err) < 0) {
			fprintf(stderr, "%s\n", err.text);
			return 1;
		}
	}
	printf("{\"records\":%" PRId64 ",\"planted\":%" PRId64 ",\"found\":%" PRId64 ",\"alerts\":%" PRId64
	       ",\"false\":%" PRId64 ",\"realised\":%.4f,\"nominal\":%g}\n",
	       t.records, t.planted, t.found, t.alerts, t.wrong, t.alerts ? (double)t.wrong / (double)t.alerts : 0,
	       o.episode.fdr.level);
	return 0;
}
