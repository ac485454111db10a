/* log.c -- see log.h. */
#include "common/base/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <strings.h>
#include <unistd.h>

#include "common/base/buffer.h"
#include "common/base/clock.h"

#define LINE_MAX_BYTES 16384

static const char *const names[] = { "trace", "debug", "info", "warn", "error" };
static const char *identity_worker, *identity_instance;
static _Atomic int threshold = LOG_INFO;

void
log_identity(const char *worker, const char *instance)
{
	identity_worker = worker;
	identity_instance = instance;
}

void
log_set_level(enum log_level level)
{
	atomic_store(&threshold, (int)level);
}

enum log_level
log_get_level(void)
{
	return (enum log_level)atomic_load(&threshold);
}

const char *
log_level_name(enum log_level level)
{
	return names[level];
}

int
log_level_parse(const char *name, enum log_level *ret)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcasecmp(name, names[i]) == 0) {
			*ret = (enum log_level)i;
			return 0;
		}
	if (strcasecmp(name, "warning") == 0)
		*ret = LOG_WARN;
	else if (strcasecmp(name, "fatal") == 0 || strcasecmp(name, "off") == 0)
		*ret = LOG_ERROR;
	else
		return -1;
	return 0;
}

/* A pair that does not fit is left out as a whole: the line stays JSON. */
static void
put_pair(struct buffer *line, const char *name, const struct log_value *v)
{
	size_t start = line->len;
	int bad = buffer_text(line, ",") | buffer_json_string(line, span_of(name)) | buffer_text(line, ":");

	switch (v->kind) {
	case LOG_TEXT: bad |= buffer_json_string(line, span_of(v->text ? v->text : "")); break;
	case LOG_INTEGER: bad |= buffer_printf(line, "%" PRId64, v->integer); break;
	case LOG_REAL: bad |= buffer_json_number(line, v->real); break;
	}
	if (bad)
		line->len = start;
}

static void
write_line(enum log_level level, const char *event, const struct err *err, va_list ap)
{
	struct buffer line __attribute__((cleanup(buffer_clear_cleanup))) = BUFFER_INIT(LINE_MAX_BYTES);
	const char *name;
	char now[CLOCK_TEXT_BYTES];
	ssize_t n;

	clock_iso8601(clock_real_us(), now);
	buffer_printf(&line, "{\"time\":\"%s\",\"level\":\"%s\"", now, names[level]);
	if (identity_worker)
		put_pair(&line, "worker", LOG_S(identity_worker));
	if (identity_instance)
		put_pair(&line, "instance", LOG_S(identity_instance));
	put_pair(&line, "event", LOG_S(event));
	if (err) {
		put_pair(&line, "reason", LOG_S(err_reason_name(err->reason)));
		put_pair(&line, "error", LOG_S(err->text));
	}
	while ((name = va_arg(ap, const char *)))
		put_pair(&line, name, va_arg(ap, const struct log_value *));
	line.max = 0; /* the end always fits */
	buffer_text(&line, "}\n");
	n = write(STDERR_FILENO, line.ptr, line.len);
	(void)n; /* nobody left to tell */
}

void
log_event(enum log_level level, const char *event, ...)
{
	va_list ap;

	if ((int)level < atomic_load(&threshold))
		return;
	va_start(ap, event);
	write_line(level, event, NULL, ap);
	va_end(ap);
}

void
log_error(enum log_level level, const char *event, const struct err *err, ...)
{
	va_list ap;

	if ((int)level < atomic_load(&threshold))
		return;
	va_start(ap, err);
	write_line(level, event, err, ap);
	va_end(ap);
}
