"""The public sets of the accuracy benchmark as DeepAR JSON Lines: a name, a protocol, a file.

Read from the shared data (FOREBAY_TEST_DATA, default ../shared/data beside the project); nothing of it is kept.
"""
import csv
import datetime
import gzip
import json
import os
import pathlib

DATA = pathlib.Path(os.environ.get("FOREBAY_TEST_DATA", pathlib.Path(__file__).resolve().parents[2] / "shared" / "data"))
HOUR = datetime.timedelta(hours=1)
END = datetime.datetime(2020, 6, 1)  # for series without times


def rows(file, delimiter=","):
    with gzip.open(DATA / file, "rt") as lines:
        yield from csv.reader(lines, delimiter=delimiter)


def number(text):
    return float(text) if text not in ("", "NaN") else None


def columns(table, start):
    """A table without its first column, each other column a series."""
    header, *body = table
    for i in range(1, len(header)):
        yield start, [number(row[i]) for row in body]


def m4_hourly():
    tests = {row[0]: row[1:] for row in rows("m4_hourly/Hourly-test.csv.gz")}
    for row in list(rows("m4_hourly/Hourly-train.csv.gz"))[1:]:
        values = [float(v) for v in row[1:] + tests[row[0]] if v != ""]
        yield (END - len(values) * HOUR).isoformat(sep=" "), values


def electricity_203():
    yield from columns(rows("electricity/electricity_203clients_1000h.csv.gz"), "2016-07-01 02:00:00")


def electricity_6():
    yield from columns(rows("electricity/electricity_6clients_26304h.csv.gz"), "2016-07-01 02:00:00")


def exchange():
    table = [[float(v) for v in row] for row in rows("exchange_rate/exchange_rate.txt.gz")][:6071 + 150]
    for column in zip(*table):
        yield "1990-01-01", list(column)


def etth1():
    yield from columns(rows("ett/ETTh1.csv.gz"), "2016-07-01 00:00:00")


def pjm():
    """Local times with gaps, repetitions and rows out of order: one value an hour, the last of equal times."""
    for file in sorted((DATA / "pjm_hourly").glob("*.csv.gz")):
        values = {datetime.datetime.fromisoformat(t): float(v) for t, v in list(rows(file.relative_to(DATA)))[1:]}
        first, last = min(values), max(values)
        hours = int((last - first) / HOUR) + 1
        yield first.isoformat(sep=" "), [values.get(first + i * HOUR) for i in range(hours)]


# name: series, frequency, horizon, windows, goals
SETS = {
    "m4_hourly": (m4_hourly, "1h", 48, 1, {"deepar": 0.040, "ensemble": 0.0295, "mase": 1.10}),
    "electricity_203": (electricity_203, "1h", 24, 7, {}),
    "electricity_6": (electricity_6, "1h", 24, 7, {}),
    "exchange": (exchange, "1B", 30, 5, {}),
    "etth1_24": (etth1, "1h", 24, 1, {"of_naive": 0.95}),
    "etth1_168": (etth1, "1h", 168, 20, {"of_naive": 0.95}),
    "pjm": (pjm, "1h", 24, 14, {}),
}


def write(name, path):
    """The set as a file; how many series."""
    n = 0
    with open(path, "w") as out:
        for start, target in SETS[name][0]():
            out.write(json.dumps({"start": start, "target": target}) + "\n")
            n += 1
    return n
