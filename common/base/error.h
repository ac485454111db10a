/*
 * error.h -- why something failed: one reason of schemas/reasons.def and one line of text for people.
 *
 * A function that can fail returns 0 or -1 and takes `struct err *err` last.  On success *err is untouched.  Libraries
 * pass errors up and never log; the worker's loop decides by the reason's class.
 */
#ifndef FOREBAY_BASE_ERROR_H
#define FOREBAY_BASE_ERROR_H

enum err_class { ERR_NONE, ERR_RECORD, ERR_RETRY, ERR_FATAL };

enum err_reason {
	REASON_NONE = 0,
#define REASON(name, class, meaning, remedy) REASON_##name,
#include "schemas/reasons.def"
#undef REASON
	REASON_COUNT
};

struct err {
	enum err_reason reason;
	char text[512];
};

#define ERR_INIT                      \
	{                             \
		.reason = REASON_NONE \
	}

/* Fill *ERR.  Both return -1, so that a caller can write `return err_set(...)`.  NULL for ERR is fine. */
int err_set(struct err *err, enum err_reason reason, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Put "<text>: " in front of what *ERR already says; its reason stays. */
int err_wrap(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void err_clear(struct err *err);

enum err_class err_class(const struct err *err);

/* The stable name ("TIME_SYNTAX"), the meaning and the remedy of a reason; "NONE", "", "" for REASON_NONE. */
const char *err_reason_name(enum err_reason reason);
const char *err_reason_meaning(enum err_reason reason);
const char *err_reason_remedy(enum err_reason reason);
enum err_class err_reason_class(enum err_reason reason);

#endif
