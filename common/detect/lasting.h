/*
 * lasting.h -- how rare are the last values together?  A moving mean of -ln p, against what it usually is in the same stream: what is a
 * little strange for long can be as rare as what is very strange once.
 */
#ifndef FOREBAY_DETECT_LASTING_H
#define FOREBAY_DETECT_LASTING_H

#include <stdbool.h>
#include <stdint.h>

/* Zeroed is new.  Plain bytes: may be copied. */
struct lasting {
	float mean;            /* of -ln p, of the last values mostly */
	float usual, variance; /* of that mean; something once seen > 0 */
	uint32_t seen;         /* means learnt from, up to UINT32_MAX */
};

/*
 * P is the newest value's, in (0, 1].  Returns the p-value of it and those before it together, in (0, P]: P itself where the values
 * before it do not make it rarer, and where it is nothing unusual (p > 0.1).
 */
double lasting_add(struct lasting *l, double p);

/* Learn what lasting_add() has judged, at most once for each.  SUSPICIOUS: it is part of something, and no example. */
void lasting_learn(struct lasting *l, bool suspicious);

/* What was is over: the mean is as usual again. */
void lasting_end(struct lasting *l);

#endif
