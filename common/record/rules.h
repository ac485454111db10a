/* rules.h -- rules across fields that several records share.  For this module only. */
#ifndef FOREBAY_RECORD_RULES_H
#define FOREBAY_RECORD_RULES_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

/*
 * Every one of N items, STRIDE bytes apart, begins with a struct span: no two may be equal.  WHAT names the array.
 * -1 on RECORD_INVALID, NO_MEMORY.
 */
int rules_distinct(const char *what, const void *items, size_t n, size_t stride, struct err *err);

/* BEFORE (named A) must be less than AFTER (named B), or equal where OR_EQUAL.  -1 on RECORD_INVALID. */
enum rules_equal { NOT_EQUAL, OR_EQUAL };
int rules_order(const char *a, int64_t before, enum rules_equal equal, const char *b, int64_t after, struct err *err);

#endif
