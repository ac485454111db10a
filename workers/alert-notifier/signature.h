/* signature.h -- proves to a webhook who speaks: HMAC-SHA256 (RFC 2104, FIPS 180-4) by OpenSSL. */
#ifndef FOREBAY_NOTIFIER_SIGNATURE_H
#define FOREBAY_NOTIFIER_SIGNATURE_H

#include "common/base/error.h"
#include "common/base/span.h"

#define SIGNATURE_BYTES 72 /* "sha256=", 64 hex digits, NUL */

/* Of TIMESTAMP (decimal seconds since 1970, as the header has it), a dot, and BODY.  -1 on NO_MEMORY. */
int signature_make(const char *secret, const char *timestamp, struct span body, char text[SIGNATURE_BYTES],
		   struct err *err);

#endif
