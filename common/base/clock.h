/* clock.h -- the two clocks, in microseconds.  Mathematics never calls these: time comes to it as an argument. */
#ifndef FOREBAY_BASE_CLOCK_H
#define FOREBAY_BASE_CLOCK_H

#include <stdint.h>

#define US_PER_MS INT64_C(1000)
#define US_PER_SECOND INT64_C(1000000)

int64_t clock_real_us(void);      /* UTC since 1970-01-01 */
int64_t clock_monotonic_us(void); /* never steps; only differences mean something */
void clock_sleep_us(int64_t us);

/* "2024-02-29T12:00:00.123456Z" (27 characters and a NUL for years 0000 to 9999; other years are written in full). */
#define CLOCK_TEXT_BYTES 48
void clock_iso8601(int64_t us, char text[CLOCK_TEXT_BYTES]);

#endif
