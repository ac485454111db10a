/*
 * nab_scores.c -- the onset score of every record of a labelled corpus (the Numenta Anomaly Benchmark's layout), for a
 * scorer to judge:  nab_scores FILE.csv... writes DIR/<category>/<file>.csv with timestamp,value,anomaly_score.
 *
 * usage: nab_scores DIR CORPUS/data/<category>/<file>.csv...
 *
 * One configuration for all files, no look ahead.  The score is onset/(onset + 6), so that it lies in [0, 1).
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/detect/detector.h"

static const struct detector_options options = {
	.members = 1u << DETECTOR_SCALAR,
	.slots = 24,
	.warmup_values = 0,
	.episode = { .pending = 1e-3,
		     .firing = 1e-4,
		     .critical = 1e-6,
		     .m = 2,
		     .n = 3,
		     .calm_ratio = 0.6,
		     .calm_values = 5,
		     .refractory_values = 100,
		     .refire = 1.5,
		     .state_span = 12 },
};

static int
score_line(struct detector *d, const char *line, FILE *out)
{
	struct tm tm = { 0 };
	struct verdict v;
	struct err err = ERR_INIT;
	const char *rest = strptime(line, "%Y-%m-%d %H:%M:%S", &tm);
	char *end;
	double value, onset;

	if (!rest || *rest != ',')
		return -1;
	value = strtod(rest + 1, &end);
	if (end == rest + 1 || !isfinite(value))
		return -1;
	if (detector_add(d, &options, 1, value, (int64_t)timegm(&tm) * US_PER_SECOND, NAN, &v, &err) < 0)
		return -1;
	onset = v.onset;
	return fprintf(out, "%.19s,%.17g,%.17g\n", line, value, onset / (onset + 6)) < 0 ? -1 : 0;
}

static int
score_file(const char *dir, const char *path)
{
	CLEANUP(file_close) FILE *in = fopen(path, "re");
	CLEANUP(file_close) FILE *out = NULL;
	struct detector d = { 0 };
	char line[512], target[1024];
	const char *name = strrchr(path, '/'), *category = name;

	while (category && category > path && category[-1] != '/')
		category--;
	if (!in || !category) {
		fprintf(stderr, "%s: %s\n", path, in ? "has no category" : strerror(errno));
		return -1;
	}
	snprintf(target, sizeof(target), "%s/%.*s", dir, (int)(name - category), category);
	mkdir(target, 0777);
	snprintf(target, sizeof(target), "%s/%s", dir, category);
	out = fopen(target, "we");
	if (!out || !fgets(line, sizeof(line), in)) {
		fprintf(stderr, "%s: %s\n", target, out ? "nothing to read" : strerror(errno));
		return -1;
	}
	fputs("timestamp,value,anomaly_score\n", out);
	for (int n = 2; fgets(line, sizeof(line), in); n++) {
		if (score_line(&d, line, out) < 0) {
			fprintf(stderr, "%s:%d: no time and value\n", path, n);
			return -1;
		}
	}
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: nab_scores DIR CORPUS/data/<category>/<file>.csv...\n");
		return 1;
	}
	mkdir(argv[1], 0777);
	for (int i = 2; i < argc; i++) {
		if (score_file(argv[1], argv[i]) < 0)
			return 1;
	}
	return 0;
}
