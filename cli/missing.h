/* missing.h -- the texts that stand for a value that is missing, and which of them have occurred. */
#ifndef FOREBAY_CLI_MISSING_H
#define FOREBAY_CLI_MISSING_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buffer.h"
#include "common/base/span.h"

#define MISSING_MAX 32

struct missing_text {
	struct span text;
	bool numeric; /* also any other way to write VALUE */
	double value;
	bool seen;
};

struct missing {
	struct missing_text items[MISSING_MAX];
	size_t n;
};

/*
 * LIST: texts, comma separated, blanks around them no part of them, empty ones none; it must outlive *RET.  -1: there are more than
 * MISSING_MAX.
 */
int missing_parse(const char *list, struct missing *ret);

/* Does TEXT, without blanks around it, stand for no value? */
bool missing_is(struct missing *m, struct span text);

/* Append those that have not occurred: "NA", "-9999".  -1 when the buffer may not grow. */
int missing_unseen(const struct missing *m, struct buffer *out);

#endif
