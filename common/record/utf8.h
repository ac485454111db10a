/* utf8.h -- is a text what Avro's strings and PostgreSQL's texts must be? */
#ifndef FOREBAY_RECORD_UTF8_H
#define FOREBAY_RECORD_UTF8_H

#include <stdbool.h>

#include "common/base/span.h"

/* True for UTF-8 as RFC 3629 defines it (nothing overlong, no surrogates) that holds no NUL. */
bool utf8_valid(struct span text);

#endif
