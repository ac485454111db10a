/*
 * progress.h -- one line on standard error that says how far a long task is.  Drawn only on a terminal, at most ten times a
 * second, and wiped at the end.
 *
 *	 42 % ████████████░░░░░░░░░░░░░░░░  123,456 messages  45,000/s  7 s left
 */
#ifndef FOREBAY_BASE_PROGRESS_H
#define FOREBAY_BASE_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
	bool on, utf8;
	int width;
	const char *unit; /* "messages" */
	int64_t started_us, drawn_us;
};

void progress_start(struct progress *p, const char *unit);

/* SHARE of the work in 0..1, or -1: not known. */
void progress_show(struct progress *p, double share, int64_t count);
void progress_wipe(struct progress *p); /* something else is about to be written there; the next one is drawn at once */
void progress_end(struct progress *p);

/* The line itself, without an end.  Pure.  Returns its length in bytes. */
size_t progress_line(double share, int64_t count, const char *unit, double seconds, int width, bool utf8, char *line,
		     size_t room);

/* "1234567" -> "1,234,567" into TEXT of at least 32 bytes; returns TEXT. */
char *progress_number(int64_t number, char *text);

#endif
