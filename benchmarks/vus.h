/*
 * vus.h -- the volume under the surface of precision and recall (J. Paparrizos et al., "Volume Under the Surface: A New Accuracy
 * Evaluation Measure for Time-Series Anomaly Detection", PVLDB 15(11), 2022), as the TSB-AD benchmark takes it.
 *
 * For each width w = 0..W labels are softened: 1 inside an anomaly, sqrt(1 - d/w) at the distance d <= w/2 outside, at most 1.  At 250
 * thresholds, evenly spaced ranks of the scores, with l the soft label of a point:
 *
 *	TP = sum of l where predicted		P' = P + (sum of l where predicted, outside anomalies) / 2
 *	recall = min(TP / P', 1) * share of the widened anomalies with a predicted point
 *	precision = TP / points predicted
 *
 * The area of w is the sum of (what recall has grown) * precision, the volume the mean of the areas.
 */
#ifndef FOREBAY_BENCHMARKS_VUS_H
#define FOREBAY_BENCHMARKS_VUS_H

#include <stdint.h>
#include <stddef.h>

/*
 * Of N points: SCORES, larger is stranger; LABELS, 1 inside an anomaly, else 0.  WIDTH is W.  NaN: no anomaly, or memory is out.  O(N *
 * WIDTH).
 */
double vus_pr(const double *scores, const uint8_t *labels, size_t n, size_t width);

/*
 * The W that belongs to a series: the lag of the highest peak of its autocorrelation over the first 20,000 values, lags 3 to 400; 125
 * where there is none, or none that is short enough.
 */
size_t vus_width(const double *values, size_t n);

#endif
