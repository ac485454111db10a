/* file.h -- whole files.  A reader sees the old one or the new one, never a part of it, also after a power cut. */
#ifndef FOREBAY_BASE_FILE_H
#define FOREBAY_BASE_FILE_H

#include "common/base/buffer.h"
#include "common/base/error.h"
#include "common/base/span.h"

/* Put BYTES in the place of PATH: written beside it, synced, renamed, the folder synced.  -1 on IO: names the path; what was there
 * before is there still. */
int file_replace(const char *path, struct span bytes, struct err *err);

/* Could file_replace() write PATH now?  Nothing is changed.  -1 on IO: names the path. */
int file_replaceable(const char *path, struct err *err);

/* Append all of PATH to OUT.  -1 on FILE_UNREADABLE (missing, rights, ...), FILE_INVALID (OUT may not grow so far): names the path. */
int file_read(const char *path, struct buffer *out, struct err *err);

#endif
