/*
 * input.h -- a file, a gzip file (told by its content) or standard input ("-") as a window of bytes that moves forward.
 * A byte order mark at its beginning is left out.  One owner.
 */
#ifndef FOREBAY_CLI_INPUT_H
#define FOREBAY_CLI_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/error.h"
#include "common/base/span.h"

#define INPUT_WINDOW_MAX (4u << 20) /* bytes: the longest record that can be read */

struct input;

/* -1 on FILE_UNREADABLE, NO_MEMORY. */
int input_open(const char *path, struct input **ret, struct err *err);
void input_close(struct input *in);
DEFINE_CLEANUP(struct input, input_close)

const char *input_name(const struct input *in); /* for messages: the path, or "standard input" */

/* What has been read and not been skipped. */
struct span input_window(const struct input *in);
bool input_at_end(const struct input *in); /* nothing comes after the window */

/* Read more behind the window; its bytes may move.  -1 on FILE_UNREADABLE (also a cut gzip file), FILE_INVALID (the window
 * is full: a record longer than INPUT_WINDOW_MAX). */
int input_more(struct input *in, struct err *err);

void input_skip(struct input *in, size_t bytes);

/*
 * The next line, without its newline (a CR stays), and skip it.  1: *TEXT is it, good until the next call that reads; 0: the end; -1 as
 * input_more(), but a line that is too long is no error: *WHOLE is false, *TEXT its beginning, and the next call begins behind it.
 */
int input_line(struct input *in, struct span *text, bool *whole, struct err *err);

/* The same for readers that a line that is too long stops: -1 on FILE_INVALID. */
int input_whole_line(struct input *in, struct span *text, struct err *err);

/* Share of the file that has been given out, 0 to 1; -1: not known (a pipe). */
double input_share(const struct input *in);

#endif
