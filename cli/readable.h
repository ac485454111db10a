/* readable.h -- numbers, texts and documents for people. */
#ifndef FOREBAY_CLI_READABLE_H
#define FOREBAY_CLI_READABLE_H

#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/span.h"

#define READABLE_BYTES 32

/* A span of time in its two largest units: "0s", "59s", "3m05s", "2h14m", "5d03h".  Less than 0 is 0.  Returns TEXT. */
char *readable_age(int64_t us, char text[READABLE_BYTES]);

/* "999 B", "1.5 KiB", "12 MiB": powers of 1024, three digits at most.  Returns TEXT. */
char *readable_size(int64_t bytes, char text[READABLE_BYTES]);

/* Somebody else's text as it may be shown, in place: control characters become blanks, bytes that are no UTF-8 '?'.  Returns TEXT. */
char *readable_text(char *text);

/*
 * Append a JSON text without white space with an indentation of two: a line for each member, arrays of numbers filled into
 * lines of about WIDTH columns.  DEPTH: how deep it stands already.  Any text is fine; one that is no JSON stays none.  -1
 * when the buffer may not grow.
 */
int readable_json(struct span json, int depth, int width, struct buffer *out);

#endif
