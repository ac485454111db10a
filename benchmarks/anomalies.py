"""How well are labelled anomalies found in SKAB, SMAP/MSL and the Suthaharan motes, by all members, by the forest alone, by the scalar alone?

`forebay detect` over every series, all columns together, one configuration, one pass.  SKAB: a file is a stream, judged after its first 400
rows.  SMAP/MSL: a channel's train part, then its test part, which is judged.  Suthaharan: a file is a stream, judged after 15 %.

	found		labelled anomalies with an onset of p < 1e-4 inside, their number, median delay in rows, onsets outside per 10,000 rows
	point F1	of the state score: at the fixed level 2.4 (below which an alert is over), at its best, and of "always"
	VUS-PR		of the state score, and of -log10 p (vus.h), mean over the series that have an anomaly

Environment: FOREBAY_TEST_DATA (default ../shared/data beside the project), FOREBAY_DETECT (further flags for `forebay detect`).
"""
import csv
import datetime
import gzip
import math
import os
import pathlib
import shlex
import statistics
import subprocess
import tempfile

import common
from nab import score_of

DATA = pathlib.Path(os.environ.get("FOREBAY_TEST_DATA", common.TOP.parent / "shared" / "data"))
MEMBERS = {"all members": (), "forest alone": ("--detect.members=forest",), "scalar alone": ("--detect.members=scalar", "--group=false")}
STATE = 2.4  # alert.calm.ratio * -log10(alert.firing.p), as they are by default
ONSET = 1e-4  # alert.firing.p
START = datetime.datetime(2024, 1, 1)


# ---- the sets: (name, header, rows of texts, labels, rows before the judgement) ----

def skab():
    for path in sorted((DATA / "skab").glob("*/*.csv")):
        if path.parent.name == "anomaly-free":
            continue
        with open(path, newline="") as file:
            header, *rows = csv.reader(file, delimiter=";")
        label = header.index("anomaly")
        yield f"{path.parent.name}-{path.stem}", header[:label], [r[:label] for r in rows], [float(r[label]) > 0 for r in rows], 400


def channels(name):
    found = {}
    with gzip.open(DATA / "smap_msl" / name, "rt", newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["chan_id"], []).append((row["value"], row.get("label") == "1"))
    return found


def smap_msl():
    train = channels("train.csv.gz")
    for name, test in sorted(channels("test.csv.gz").items()):
        rows = train.get(name, []) + test
        times = [[str(START + i * datetime.timedelta(minutes=1)), value] for i, (value, _) in enumerate(rows)]
        yield name, ["time", "value"], times, [label for _, label in rows], len(rows) - len(test)


def suthaharan():
    for path in sorted((DATA / "suthaharan_wsn").glob("*.txt")):
        rows = [f for f in (line.split() for line in path.read_text().splitlines()) if len(f) == 5 and f[0].isdigit()]
        table = [[str(START + i * datetime.timedelta(seconds=5)), f[2], f[3]] for i, f in enumerate(rows)]
        yield path.stem, ["time", "humidity", "temperature"], table, [f[4] != "0" for f in rows], len(rows) * 15 // 100


SETS = {"SKAB": skab, "SMAP/MSL": smap_msl, "Suthaharan": suthaharan}


# ---- one series ----

def scored(folder, header, rows, flags):
    """(anomaly score, state score, -log10 p) of every row."""
    table, out = folder / "in.csv", folder / "out.csv"
    with open(table, "w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    subprocess.run([common.BUILD / "cli/forebay", "detect", table, "--output", out, "--json", *flags,
                    *shlex.split(os.environ.get("FOREBAY_DETECT", ""))], check=True, stdout=subprocess.DEVNULL)
    with open(out, newline="") as file:
        return [(float(r["anomaly_score"]), float(r["state_score"]), -math.log10(float(r["p"]))) for r in csv.DictReader(file)]


def pieces(labels):
    """[from, to) of every labelled anomaly."""
    edges = [i for i in range(len(labels) + 1) if (labels[i] if i < len(labels) else False) != (labels[i - 1] if i else False)]
    return list(zip(edges[::2], edges[1::2]))


def events(scores, labels, threshold):
    """(anomalies, found, delays of those, onsets outside)."""
    delays = []
    for start, end in pieces(labels):
        hits = [i for i in range(start, end) if scores[i] >= threshold]
        delays += [hits[0] - start] if hits else []
    outside = sum(s >= threshold and not l for s, l in zip(scores, labels))
    return len(pieces(labels)), len(delays), delays, outside


def f1(true, predicted, right):
    return 2 * right / (true + predicted) if true + predicted else 0.0


def best_f1(scores, labels):
    true, right, best = sum(labels), 0, 0.0
    order = sorted(zip(scores, labels), reverse=True)
    for n, (score, label) in enumerate(order, 1):
        right += label
        if n == len(order) or order[n][0] != score:
            best = max(best, f1(true, n, right))
    return best


def volumes(values, labels, *scores):
    """VUS-PR of each score."""
    lines = "".join("%s %d %s\n" % (v, l, " ".join("%.9g" % s for s in row)) for v, l, *row in zip(values, labels, *scores))
    told = subprocess.run([common.BUILD / "benchmarks/vus_of"], input=lines, capture_output=True, text=True, check=True).stdout
    return [float(f) for f in told.split()[1:]]


def judge(name, members):
    """A set's figures by these members."""
    total = {"n": 0, "found": 0, "outside": 0, "rows": 0}
    delays, state, state_labels, vus = [], [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for _, header, rows, labels, skip in SETS[name]():
            figures = scored(pathlib.Path(folder), header, rows, MEMBERS[members])[skip:]
            onset, level, surprise = zip(*figures)
            labels = labels[skip:]
            n, found, late, outside = events(onset, labels, score_of(ONSET))
            for key, more in (("n", n), ("found", found), ("outside", outside), ("rows", len(labels))):
                total[key] += more
            delays += late
            state += level
            state_labels += labels
            if any(labels):
                vus.append(volumes([r[1] or "0" for r in rows[skip:]], labels, level, surprise))
    right = sum(s >= STATE and l for s, l in zip(state, state_labels))
    return {"found": "%d of %d, median delay %s rows, %.1f outside per 10,000 rows" % (
                total["found"], total["n"], statistics.median(delays) if delays else "-", 1e4 * total["outside"] / total["rows"]),
            "point F1": "fixed level %.3f, best %.3f, always %.3f" % (
                f1(sum(state_labels), sum(s >= STATE for s in state), right), best_f1(state, state_labels),
                f1(sum(state_labels), len(state_labels), sum(state_labels))),
            "VUS-PR": "state %.3f, -log10 p %.3f" % tuple(statistics.mean(v) for v in zip(*vus))}


def run(_records):
    if not DATA.is_dir():
        common.say(f"SKIPPED: {DATA} is not there; set FOREBAY_TEST_DATA")
        return {}
    return {name: {members: judge(name, members) for members in MEMBERS} for name in SETS}
