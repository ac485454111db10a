/* moments.h -- spans and points of time as people write them on a command line. */
#ifndef FOREBAY_CLI_MOMENTS_H
#define FOREBAY_CLI_MOMENTS_H

#include <stdint.h>

#include "common/base/error.h"

/* "250ms", "30s", "5m", "6h", "2d", also "1h30m": microseconds, more than 0.  -1 on OPTION_INVALID. */
int duration_parse(const char *text, int64_t *us, struct err *err);

/* "2024-02-29", "2024-02-29T12:00", "2024-02-29 12:00:00.25", with Z or +02:00 or neither (UTC).  -1 on OPTION_INVALID. */
int moment_parse(const char *text, int64_t *us, struct err *err);

#endif
