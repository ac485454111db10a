/*
 * census.h -- the topics of the line counted record by record: committed ones, from beginning to end.  Readings are decoded,
 * so that those with the same device, metric and event time are told apart from new ones.
 */
#ifndef FOREBAY_CLI_CENSUS_H
#define FOREBAY_CLI_CENSUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/error.h"
#include "common/kafka/client.h"
#include "common/record/registry.h"

#define CENSUS_MOST_REASONS 80

struct census_reason {
	char name[40]; /* the header forebay.reason, readable and cut; "" without one */
	int64_t count;
};

struct census {
	int64_t raw;              /* records of telemetry.raw */
	int64_t raw_dead;         /* of telemetry.raw.dlq */
	int64_t readings;         /* of telemetry.readings and telemetry.deferred */
	int64_t values, distinct; /* in these; different by device, metric and event time */
	int64_t unreadable;       /* records beside these that are no readings: somebody else wrote them */
	int64_t dead;             /* of all the dead-letter topics whose letters the sink stores */
	struct census_reason reasons[CENSUS_MOST_REASONS]; /* of these, the most frequent first */
	size_t n_reasons;
	bool cut; /* retention has deleted from one of the topics: the sums are not those of all time */
};

/* -1 on what cluster and registry say. */
int census_take(const struct client_config *client, int timeout_ms, struct registry *registry, struct arena *arena,
		struct census *ret, struct err *err);

#endif
