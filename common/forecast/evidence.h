/*
 * evidence.h -- what a rule would have lost at the end of the very history it forecasts from, and how much that says of it.
 * Private to common/forecast.
 *
 * Every classical rule looks at what it missed there to say how wide its forecast is.  The same misses tell how good it is, before
 * any of its forecasts has come true: the panel leans its first weights on that.
 */
#ifndef FOREBAY_FORECAST_EVIDENCE_H
#define FOREBAY_FORECAST_EVIDENCE_H

#include "common/forecast/classical.h"
#include "common/forecast/spread.h"

/* The mean pinball loss over the nine deciles of S, whatever levels are asked for, by the very misses that it was made of. */
double evidence_loss(const struct spread *s);

/*
 * The naive rule of SEASON steps, 1: the last value, by its residuals among the last WINDOW steps.  LOSSES gets one number a step, in
 * the history's unit; those that nothing is known of stay.
 */
void evidence_naive(const struct classical_input *in, size_t season, size_t window, double *losses);

/*
 * Forecasts that such misses amount to: those of neighbouring places are hardly more than one.  Where a season is longer than a
 * forecast they count half way between (in proportion): misses of other phases are like each other, but not quite.
 */
double evidence_cycles(const struct classical_input *in);

#endif
