"""Real telemetry through the real line: what the files hold is exactly what PostgreSQL holds, to the last bit.

Each row of a file is in the table once, or in the dead letters with its true reason, or is a repetition of one that is
there (same device, metric and time: the first wins), counted; nothing else.  Sent twice, the table does not change.

The first rows of each file; FOREBAY_TEST_FULL=1 takes all.  The files are found as support/data.py tells.
"""
import json
import os
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pytest

from checker import bits
from support import data, realdata
from support.fleet import await_quiet, forebay

DATA = data.folder()
FULL = os.environ.get("FOREBAY_TEST_FULL", "") not in ("", "0")
NAMES = ("ingest-router", "sink-writer")
MOTES = [str(n) for n in range(1, 55) if n not in (5, 15)]


@dataclass
class Part:
    """One call of `forebay publish`, and what must come of it."""
    file: Path
    flags: list
    fates: list
    added: dict  # members that the flags add to every object


def text_lines(file):
    return (line.decode() for line in data.lines(file))


def cut(fates, most):
    """The messages of the first part of a file: as many as `--limit` lets through."""
    return list(fates if FULL else islice(fates, most))


def limit(most):
    return [] if FULL else ["--limit", str(most)]


def intel_half_hours(most):
    for kind, metric in (("Temperature", "temperature"), ("Humidity", "humidity")):
        for half, start in (("Train", "2004-03-08T00:00:00"), ("Test", "2004-03-11T00:00:00")):
            file = DATA / f"intel_lab/intel{kind}{half}.csv"
            rows = (line.split(",") for line in text_lines(file))
            yield Part(file, ["--format", "matrix", "--row.is", "mote", "--metric", metric, "--start", start + "Z",
                              "--step", "30m"], list(realdata.matrix(rows, True, metric, start, 1800)), {})


def intel_half_minutes(most):
    file = DATA / "intel_lab/temperature_52motes_14400epochs.txt.gz"
    rows = (line.split() for line in text_lines(file))
    yield Part(file, ["--format", "matrix", "--row.is", "time", "--metric", "temperature", "--delimiter", " ",
                      "--start", "2004-02-28T00:00:00Z", "--step", "30s", "--columns", ",".join(MOTES), *limit(most)],
               cut(realdata.matrix(rows, False, "temperature", "2004-02-28T00:00:00", 30, MOTES), most), {})


def ulb_wsn(most):
    for name in ("library1_R1", "library1_R2", "no5_out"):
        file = DATA / f"ulb_wsn/{name}.txt.gz"
        yield Part(file, ["--delimiter", " ", "--columns", ",".join(realdata.ULB_COLUMNS), "--device.column", "node",
                          *limit(most)], cut(realdata.ulb(text_lines(file)), most), {})


def hast_lora(most):
    for name in ("three_nodes", "freezer"):
        file = DATA / f"hast_lora/{name}_Sensor_data_raw.csv.gz"
        yield Part(file, ["--trim", "--columns", ",".join(realdata.HAST_COLUMNS), "--device.column", "Node",
                          *limit(most)], cut(realdata.hast(text_lines(file)), most), {})


def hast_lora_gateway(most):
    file = DATA / "hast_lora/gateway_log_node2_2021-06-14.txt.gz"
    yield Part(file, ["--columns", "arrival,data", "--key", "2", *limit(most)],
               cut(realdata.gateway(text_lines(file)), most), {})


def nab(most):
    for file in sorted((DATA / "nab/data").glob("*/*.csv")):
        series = f"{file.parent.name}/{file.stem}"
        fates = realdata.table(text_lines(file), "timestamp", "value", series, "value")
        yield Part(file, ["--key", series, "--field", f"series={series}", *limit(most)], cut(fates, most),
                   {"series": series})


def pjm_hourly(most):
    for file in sorted((DATA / "pjm_hourly").glob("*.csv.gz")):
        region = file.name.split("_")[0]
        fates = realdata.table(text_lines(file), "Datetime", f"{region}_MW", f"pjm-{region}", "load", -5)
        yield Part(file, ["--key", region, "--field", f"region={region}", *limit(most)], cut(fates, most),
                   {"region": region})


# The set, its path map (`source`), and how many messages of each file the short form takes.
SETS = [
    (intel_half_hours, "intel_lab", 10**9),
    (intel_half_minutes, "intel_lab", 52 * 500),
    (ulb_wsn, "ulb_wsn", 5000),
    (hast_lora, "hast_lora", 12000),
    (hast_lora_gateway, "hast_lora_gateway", 10**9),
    (nab, "nab", 1600),
    (pjm_hourly, "pjm_hourly", 9000),
]


class Expected:
    """The table and the dead letters that a set must leave."""

    def __init__(self, parts, source):
        self.rows, self.letters, self.repeated, self.messages = {}, Counter(), 0, 0
        for part in parts:
            for fate in part.fates:
                self.messages += 1
                if fate.reason:
                    said = dict(fate.said, source=source, **part.added)
                    self.letters[fate.reason, json.dumps(said, sort_keys=True)] += 1
                    continue
                for v in fate.values:
                    identity = fate.device, v.metric, fate.event_us
                    self.repeated += identity in self.rows
                    self.rows.setdefault(identity, (bits(v.value), v.quality, v.text))


def publish(line, parts, source):
    messages = 0
    for part in parts:
        said = json.loads(forebay(line, "publish", part.file, *part.flags, "--source", source, "--json").stdout)
        assert said["messages"] == len(part.fates), f"{part.file}: {said}"
        messages += said["messages"]
    return messages


def letters_of(database, source, after):
    """Dead letters whose payload is of this set, written after that many others."""
    found = Counter()
    for reason, payload in database.rows("SELECT reason, payload FROM forebay.dead_letters WHERE topic = %s",
                                         "telemetry.raw.dlq"):
        said = json.loads(bytes(payload))
        if said["source"] == source:
            found[reason, json.dumps(said, sort_keys=True)] += 1
    return found - after


def table_of(database, devices):
    found = {}
    for device, metric, event_us, value, quality, text, *_ in database.readings():
        if device in devices:
            found[device, metric, event_us] = bits(value), quality, text
    return found


def repeated(database):
    return int(database.value("SELECT coalesce(sum(rows_repeated), 0) FROM forebay.sink_offsets "
                              "WHERE topic = 'telemetry.readings'"))


def differences(expected, found, most=5):
    """Readable, and short: sets of a hundred thousand rows differ in few."""
    missing = [(k, v) for k, v in expected.items() if k not in found]
    extra = [(k, v) for k, v in found.items() if k not in expected]
    other = [(k, v, found[k]) for k, v in expected.items() if k in found and found[k] != v]
    return [f"{len(rows)} {kind}, such as {rows[:most]}"
            for kind, rows in (("missing", missing), ("foreign", extra), ("different", other)) if rows]


@pytest.fixture(scope="module")
def workers(line, module_fleet):
    return module_fleet.start(*NAMES)


@pytest.mark.parametrize("files, source, most", SETS, ids=[s[0].__name__ for s in SETS])
def test_what_the_files_hold_is_what_the_table_holds(files, source, most, line, workers, broker, database):
    parts = list(files(most))
    expected = Expected(parts, source)
    devices = {identity[0] for identity in expected.rows}
    before = repeated(database), letters_of(database, source, Counter()), table_of(database, devices)

    publish(line, parts, source)
    await_quiet(broker, workers, NAMES)
    found = table_of(database, devices)
    assert not differences({**expected.rows, **before[2]}, found)
    assert repeated(database) - before[0] == expected.repeated
    letters = letters_of(database, source, before[1])
    assert not differences(expected.letters, letters)
    print(f"\n{files.__name__}: {expected.messages} messages, {len(expected.rows)} rows, {expected.repeated} repeated, "
          f"{sum(expected.letters.values())} dead letters {dict(Counter(r for r, _ in expected.letters.elements()))}")

    total = database.digest("forebay.readings")
    publish(line, parts, source)
    await_quiet(broker, workers, NAMES)
    assert database.digest("forebay.readings") == total, "published twice, the table changed"
