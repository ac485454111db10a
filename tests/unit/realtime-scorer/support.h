/* support.h -- the options of a scorer under test, as its table would make them; forests small. */
#ifndef FOREBAY_TEST_SCORER_SUPPORT_H
#define FOREBAY_TEST_SCORER_SUPPORT_H

#include "workers/realtime-scorer/options.h"

/* The table's defaults, but for CACHE ("": none) and smaller forests and banks. */
struct scorer_options support_options(char *cache);

/* The same with all members and two groups, more easily alarmed, so that a short series has several alerts, and with less patience for clocks. */
struct scorer_options support_alarmed(char *cache);

#endif
