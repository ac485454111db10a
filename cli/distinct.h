/*
 * distinct.h -- how many different readings there are, by fingerprints of 64 bits: eight bytes and a half of slack each.
 * Two different readings out of N share one with a chance of about N^2 / 4e19: for ten million of them, one in 400,000.
 */
#ifndef FOREBAY_CLI_DISTINCT_H
#define FOREBAY_CLI_DISTINCT_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/error.h"
#include "common/base/span.h"

#define DISTINCT_MOST (INT64_C(1) << 27) /* 2 GiB of table */

struct distinct;

struct distinct *distinct_new(void); /* NULL when memory is out */
void distinct_free(struct distinct *d);
DEFINE_CLEANUP(struct distinct, distinct_free)

/* One reading.  -1 on NO_MEMORY, also beyond DISTINCT_MOST. */
int distinct_add(struct distinct *d, struct span device, struct span metric, int64_t event_us, struct err *err);

int64_t distinct_count(const struct distinct *d);

#endif
