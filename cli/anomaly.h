/*
 * anomaly.h -- the anomalies that a simulation plants, and the file that tells where: CSV with a header,
 *
 *	device,metric,from,to,kind
 *	pump-0002,flow,2024-03-01T08:10:00.000000Z,2024-03-01T08:40:00.000000Z,level_shift
 *
 * FROM is the time of the first unusual reading, TO that of the last.
 */
#ifndef FOREBAY_CLI_ANOMALY_H
#define FOREBAY_CLI_ANOMALY_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/error.h"

enum anomaly_kind { ANOMALY_SPIKE, ANOMALY_LEVEL_SHIFT, ANOMALY_FLAT_LINE, ANOMALY_DRIFT_BURST, ANOMALY_KIND_COUNT };

const char *anomaly_kind_name(enum anomaly_kind k); /* "spike", "level_shift", "flat_line", "drift_burst" */

/* Steps [from, to] of one device's metric. */
struct anomaly {
	int64_t device;
	int metric;
	int64_t from, to;
	enum anomaly_kind kind;
	double size; /* in waveform_scale()s, signed */
};

struct anomaly_wish {
	uint64_t seed;
	int64_t devices, steps;
	int metrics;
	int64_t count; /* how many; fewer where they do not fit */
};

/*
 * A plan, a function of the wish alone: sorted by device and step, kinds in turn, none in the first third of the run (who
 * detects them needs a history), 30 steps between two of one device.  The caller frees *RET.  -1 on NO_MEMORY.
 */
int anomaly_plan(const struct anomaly_wish *wish, struct anomaly **ret, size_t *n, struct err *err);

/* USUAL at STEP becomes what the anomaly makes of it; AT_FROM is the usual value at the anomaly's first step. */
double anomaly_apply(const struct anomaly *a, int64_t step, double usual, double at_from, double scale);

/* One line of the file. */
struct anomaly_label {
	char *device, *metric;
	int64_t from_us, to_us;
	char kind[32];
};

struct anomaly_labels {
	struct anomaly_label *items;
	size_t n;
};

/* -1 on FILE_UNREADABLE, FILE_INVALID (with the line), NO_MEMORY. */
int anomaly_labels_read(const char *path, struct anomaly_labels **ret, struct err *err);
void anomaly_labels_free(struct anomaly_labels *l);
DEFINE_CLEANUP(struct anomaly_labels, anomaly_labels_free)

#endif
