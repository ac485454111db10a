"""How well are the labelled anomalies of the Numenta Anomaly Benchmark found, with one configuration and no look ahead?

`forebay detect` over every series, judged by the benchmark's own rule (nab_rule.py): with the threshold that is best for the whole
corpus, as its board has it; with one threshold that was not looked for, a p-value; with thresholds from the other categories.  Beside it
the scores that the benchmark publishes of two detectors for the same series.

Environment: FOREBAY_TEST_DATA (default ../shared/data beside the project), FOREBAY_DETECT (further flags for `forebay detect`).
"""
import csv
import gzip
import json
import math
import os
import pathlib
import shlex
import subprocess
import tempfile

import common
from nab_rule import PROFILES, Corpus

DATA = pathlib.Path(os.environ.get("FOREBAY_TEST_DATA", common.TOP.parent / "shared" / "data")) / "nab"
P_VALUES = (1e-3, 1e-4, 1e-5, 1e-6, 1e-8)
FIXED = 1e-4  # alert.firing.p, as it is by default


def score_of(p):
    """What `forebay detect` writes as the anomaly score of an onset with this p-value."""
    onset = -math.log10(p)
    return onset / (onset + 6)


def labels():
    with open(DATA / "labels/combined_windows.json") as file:
        return {name: [(a[:19], b[:19]) for a, b in windows] for name, windows in sorted(json.load(file).items())}


def read(path):
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", newline="") as file:
        rows = list(csv.DictReader(file))
    return [r["timestamp"][:19] for r in rows], [float(r["anomaly_score"]) for r in rows]


def corpus_of(path_of):
    corpus = Corpus()
    for name, windows in labels().items():
        corpus.add(name.split("/")[0], *read(path_of(name)), windows)
    return corpus


def ours(folder, program, flags=()):
    """The corpus as `forebay detect` scores it; the files stay in FOLDER as <category>/<file>.csv."""
    for name in labels():
        out = folder / name
        out.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([program, "detect", DATA / "data" / name, "--output", out, "--json", *flags], check=True, stdout=subprocess.DEVNULL)
    return corpus_of(lambda name: folder / name)


def published(detector):
    return corpus_of(lambda name: DATA / "reference" / detector / name.replace("/", f"/{detector}_", 1).replace(".csv", ".csv.gz"))


def spread(pair):
    return "%.1f ± %.1f" % pair


def figures(corpus):
    best = {p: corpus.best(p) for p in PROFILES}
    return {"best threshold": " / ".join("%.2f" % best[p][0] for p in PROFILES),
            "thresholds": " / ".join("%.4f" % best[p][1] for p in PROFILES),
            "bootstrap over files, standard": spread(corpus.bootstrap("standard")),
            "threshold of the other categories": " / ".join("%.2f" % corpus.leave_one_out(p) for p in PROFILES)}


def by_category(corpus, threshold):
    found = {}
    for category in sorted(set(corpus.categories)):
        files = {f for f, c in enumerate(corpus.categories) if c == category}
        windows = sum(corpus.windows[f] for f in files)
        found[category] = "%d files, %d windows, " % (len(files), windows) + (
            "standard %.1f" % corpus.at(threshold, "standard", files) if windows else
            "%d false alarms" % corpus.alarms(threshold, files))
    return found


def run(_records):
    if not DATA.is_dir():
        common.say(f"SKIPPED: {DATA} is not there; set FOREBAY_TEST_DATA")
        return {}
    with tempfile.TemporaryDirectory() as folder:
        corpus = ours(pathlib.Path(folder), common.BUILD / "cli/forebay", shlex.split(os.environ.get("FOREBAY_DETECT", "")))
    answer = figures(corpus)
    for p in P_VALUES:
        answer[f"fixed threshold p < {p:g}"] = " / ".join("%.2f" % corpus.at(score_of(p), q) for q in PROFILES)
    answer[f"bootstrap over files, standard, p < {FIXED:g}"] = spread(corpus.bootstrap("standard", score_of(FIXED)))
    answer["by category, best threshold"] = by_category(corpus, corpus.best("standard")[1])
    answer[f"by category, p < {FIXED:g}"] = by_category(corpus, score_of(FIXED))
    for detector in sorted(p.name for p in (DATA / "reference").iterdir()):
        answer[f"published: {detector}"] = figures(published(detector))
    return answer
