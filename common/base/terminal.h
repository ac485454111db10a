/* terminal.h -- what the terminal can show. */
#ifndef FOREBAY_BASE_TERMINAL_H
#define FOREBAY_BASE_TERMINAL_H

#include <stdbool.h>

/* Columns of the terminal behind FD; FALLBACK when it is none. */
int terminal_width(int fd, int fallback);

/* Does the locale (LC_ALL, LC_CTYPE, LANG, the first that is set) write UTF-8? */
bool terminal_utf8(void);

#endif
