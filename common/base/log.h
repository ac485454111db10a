/*
 * log.h -- one JSON line per event on standard error.  Thread-safe: a line is one write.
 *
 *	log_event(LOG_INFO, "assigned", "topic", LOG_S(topic), "partition", LOG_I(partition), NULL);
 *	-> {"time":"2026-01-01T00:00:00.000000Z","level":"info","worker":"sink-writer","event":"assigned","topic":...}
 *
 * Only programs (main, the worker's loop, the command line) log; libraries return errors.
 */
#ifndef FOREBAY_BASE_LOG_H
#define FOREBAY_BASE_LOG_H

#include <stdint.h>

#include "common/base/error.h"

enum log_level { LOG_TRACE, LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_value {
	enum { LOG_TEXT, LOG_INTEGER, LOG_REAL } kind;
	const char *text;
	int64_t integer;
	double real;
};

#define LOG_S(s) (&(const struct log_value){ .kind = LOG_TEXT, .text = (s) })
#define LOG_I(i) (&(const struct log_value){ .kind = LOG_INTEGER, .integer = (i) })
#define LOG_F(f) (&(const struct log_value){ .kind = LOG_REAL, .real = (f) })

/* Name of the program and its instance in every line; kept by reference.  Call once, before threads start. */
void log_identity(const char *worker, const char *instance);

void log_set_level(enum log_level level);
enum log_level log_get_level(void);
const char *log_level_name(enum log_level level);           /* "info" */
int log_level_parse(const char *name, enum log_level *ret); /* any case, also Connect's "WARNING", "FATAL"; -1: none */

/* Pairs of name (const char *) and value (LOG_S, LOG_I, LOG_F), ended by NULL. */
void log_event(enum log_level level, const char *event, ...) __attribute__((sentinel));

/* The same with "reason" and "error" from *ERR in front of the pairs. */
void log_error(enum log_level level, const char *event, const struct err *err, ...) __attribute__((sentinel));

#endif
