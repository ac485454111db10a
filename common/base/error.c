/* error.c -- reasons as a table; texts are cut, never overrun. */
#include "common/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	enum err_class class;
	const char *meaning, *remedy;
} reasons[REASON_COUNT] = {
	[REASON_NONE] = { "NONE", ERR_NONE, "", "" },
#define REASON(name, class, meaning, remedy) [REASON_##name] = { #name, ERR_##class, meaning, remedy },
#include "schemas/reasons.def"
#undef REASON
};

int
err_set(struct err *err, enum err_reason reason, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return -1;
	err->reason = reason;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return -1;
}

int
err_wrap(struct err *err, const char *fmt, ...)
{
	char front[sizeof(err->text)], old[sizeof(err->text)];
	va_list ap;

	if (!err)
		return -1;
	va_start(ap, fmt);
	vsnprintf(front, sizeof(front), fmt, ap);
	va_end(ap);
	memcpy(old, err->text, sizeof(old));
	if ((size_t)snprintf(err->text, sizeof(err->text), "%s: %s", front, old) >= sizeof(err->text))
		memcpy(err->text + sizeof(err->text) - 4, "...", 4);
	return -1;
}

void
err_clear(struct err *err)
{
	err->reason = REASON_NONE;
	err->text[0] = '\0';
}

enum err_class
err_class(const struct err *err)
{
	return err_reason_class(err->reason);
}

const char *
err_reason_name(enum err_reason reason)
{
	return reason < REASON_COUNT ? reasons[reason].name : "UNKNOWN";
}

const char *
err_reason_meaning(enum err_reason reason)
{
	return reason < REASON_COUNT ? reasons[reason].meaning : "";
}

const char *
err_reason_remedy(enum err_reason reason)
{
	return reason < REASON_COUNT ? reasons[reason].remedy : "";
}

enum err_class
err_reason_class(enum err_reason reason)
{
	return reason < REASON_COUNT ? reasons[reason].class : ERR_FATAL;
}
