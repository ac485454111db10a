"""The NAB score (A. Lavin, S. Ahmad, "Evaluating Real-time Anomaly Detection Algorithms -- the Numenta Anomaly Benchmark", ICMLA 2015).

Every row at or above the threshold is a detection.  The first 15 % of a series (at most 750 rows) do not count.  With
s(y) = 2 / (1 + e^5y) - 1, a detection in a window of `width` rows that ends at row `right` is worth tp * s(y) / s(-1) with
y = -(right - i + 1) / width, and the best one of a window counts alone; a window without any costs fn.  Outside, a detection costs
fp * s(y) with y = (i - right) / (width - 1) of the window before it, the whole fp where y > 3 or no window came before.  The sum over
all series is scaled so that no detection at all is 0 and the first row of every window, and nothing else, is 100.
"""
import itertools
import math
import random

PROFILES = {"standard": (1.0, 0.11, 1.0), "low FP": (1.0, 0.22, 1.0), "low FN": (1.0, 0.11, 2.0)}


def sigmoid(y):
    return -1.0 if y > 3 else 2 / (1 + math.exp(5 * y)) - 1


def worth(times, windows):
    """Of each row: (weight of a detection there before tp or fp, number of its window or None), or None in probation."""
    first = {}
    for i, t in enumerate(times):
        first.setdefault(t, i)
    spans = [(first[a], first[b]) for a, b in windows]
    probation = min(math.floor(0.15 * len(times)), 750)
    at = 0
    for i in range(len(times)):
        while at < len(spans) and i > spans[at][1]:
            at += 1
        if i < probation:
            yield None
        elif at < len(spans) and i >= spans[at][0]:
            left, right = spans[at]
            yield sigmoid(-(right - i + 1) / (right - left + 1)) / sigmoid(-1.0), at
        elif at == 0:
            yield -1.0, None
        else:
            left, right = spans[at - 1]
            yield sigmoid((i - right) / (right - left)), None


class Corpus:
    """Scored series, ready for any threshold: what each row adds, the highest score first."""

    def __init__(self):
        self.windows, self.categories, self.rows = [], [], []

    def add(self, category, times, scores, windows):
        file = len(self.windows)
        self.windows.append(len(windows))
        self.categories.append(category)
        for score, row in zip(scores, worth(times, windows)):
            if row is not None:
                self.rows.append((score, file, *row))

    def steps(self, profile):
        """Scores in descending order, and beside each the file and what a threshold there adds to its sum."""
        tp, fp, fn = PROFILES[profile]
        best, steps = {}, []
        for score, file, weight, window in sorted(self.rows, key=lambda r: -r[0]):
            if window is None:
                gain = weight * fp
            else:
                before = best.get((file, window), -fn)
                gain = max(0.0, weight * tp - before)
                best[file, window] = before + gain
            if gain:
                steps.append((score, file, gain))
        return steps

    def normalised(self, total, profile, times):
        tp, _, fn = PROFILES[profile]
        count = sum(w * times[f] for f, w in enumerate(self.windows))
        return 100 * total / (count * (tp + fn)) if count else math.nan

    def once(self, files=None):
        return [1 if files is None or f in files else 0 for f in range(len(self.windows))]

    def at(self, threshold, profile, files=None):
        """The score at a given threshold."""
        times = self.once(files)
        total = sum(g * times[f] for s, f, g in self.steps(profile) if s >= threshold)
        return self.normalised(total, profile, times)

    def alarms(self, threshold, files):
        """Detections outside windows."""
        return sum(score >= threshold and window is None and file in files for score, file, _, window in self.rows)

    def best(self, profile, files=None, times=None, steps=None):
        """The score at the best threshold, as the benchmark's own rule has it, and that threshold."""
        times = times or self.once(files)
        steps = steps or self.steps(profile)
        sums = itertools.accumulate(g * times[f] for _, f, g in steps)
        top, threshold = 0.0, math.inf
        for i, total in enumerate(sums):
            if total > top and (i + 1 == len(steps) or steps[i + 1][0] != steps[i][0]):
                top, threshold = total, steps[i][0]
        return self.normalised(top, profile, times), threshold

    def leave_one_out(self, profile):
        """Each category at the threshold that is best for all the others."""
        tp, _, fn = PROFILES[profile]
        steps, total = self.steps(profile), 0.0
        for category in sorted(set(self.categories)):
            held = {f for f, c in enumerate(self.categories) if c == category}
            _, threshold = self.best(profile, set(range(len(self.windows))) - held, steps=steps)
            total += sum(g for s, f, g in steps if f in held and s >= threshold)
        return 100 * total / (sum(self.windows) * (tp + fn))

    def bootstrap(self, profile, threshold=None, draws=200, seed=1):
        """Mean and deviation of the score over corpora of files drawn with repetition; at the best threshold of each unless one is given."""
        rng, n, steps, found = random.Random(seed), len(self.windows), self.steps(profile), []
        for _ in range(draws):
            times = [0] * n
            for _ in range(n):
                times[rng.randrange(n)] += 1
            if threshold is None:
                found.append(self.best(profile, times=times, steps=steps)[0])
            else:
                found.append(self.normalised(sum(g * times[f] for s, f, g in steps if s >= threshold), profile, times))
        found = [f for f in found if not math.isnan(f)]
        mean = sum(found) / len(found)
        return mean, math.sqrt(sum((f - mean) ** 2 for f in found) / (len(found) - 1))
