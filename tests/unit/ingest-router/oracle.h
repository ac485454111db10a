/* oracle.h -- the scanner against jansson on one text: verdict and every value in it.  Used by unit tests and fuzzers. */
#ifndef FOREBAY_TESTS_ORACLE_H
#define FOREBAY_TESTS_ORACLE_H

#include <stdbool.h>

#include "common/base/span.h"

#define ORACLE_DEPTH 64
#define ORACLE_WHY 1024

/* False, with the difference in WHY, where the two do not agree. */
bool oracle_agrees(struct span text, char why[ORACLE_WHY]);

#endif
