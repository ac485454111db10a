/*
 * calendar.h -- time cut into steps and windows.  A step is named by its number: step B covers
 * [B * step_us, (B + 1) * step_us) microseconds since 1970-01-01 UTC, also before it.  Pure arithmetic; times within the
 * years 1 to 9999 and steps of at least one microsecond do not overflow.
 */
#ifndef FOREBAY_SERIES_CALENDAR_H
#define FOREBAY_SERIES_CALENDAR_H

#include <stdint.h>

/* A / B rounded towards minus infinity, B > 0. */
int64_t calendar_floor(int64_t a, int64_t b);

/* The step that TIME_US lies in, and where a step begins. */
int64_t calendar_step(int64_t time_us, int64_t step_us);
int64_t calendar_start(int64_t step, int64_t step_us);

enum window_kind {
	WINDOW_BY_COUNT, /* `steps` steps from wherever the window began */
	WINDOW_BY_TIME,  /* up to the next multiple of `steps` since the epoch: the first one may be shorter */
};

struct window_rule {
	enum window_kind kind;
	int64_t steps; /* > 0 */
};

/* The step behind the window that begins with FIRST: the window covers [FIRST, result). */
int64_t calendar_window_end(const struct window_rule *rule, int64_t first);

#endif
