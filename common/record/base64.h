/* base64.h -- bytes as text, RFC 4648 section 4 (with padding). */
#ifndef FOREBAY_RECORD_BASE64_H
#define FOREBAY_RECORD_BASE64_H

#include "common/base/buffer.h"

int base64_encode(struct span bytes, struct buffer *out); /* -1: OUT is full */
int base64_decode(struct span text, struct buffer *out);  /* -1: not base64, or OUT is full */

#endif
