"""What does a value cost the detector of one stream: by members, hot and over many streams?

One core, the processor's time (detector.c).  The scalar over 100 to 100,000 streams: its cost must not grow with them, but for what
memory costs, once without and once with each detector fetched AHEAD values before its turn.  Environment:
FOREBAY_DETECTOR_RECORDS (values of each run, 2,000,000).
"""
import json
import os

import common

RECORDS = int(os.environ.get("FOREBAY_DETECTOR_RECORDS", "2000000"))
ALL = "scalar,forecast,forest,neighbours"
DEEP = ("forest", "neighbours")  # cost more: fewer values
ROUNDS = 64  # of all streams: the tails are fitted once in so many values
AHEAD = 6
RUNS = [("scalar", 1, 0), ("scalar,forecast", 1, 0), ("neighbours", 1, 0), ("forest", 1, 0), (ALL, 1, 0), (ALL, 1000, 0),
        *(("scalar,forecast", n, ahead) for n in (100, 1000, 10_000, 100_000) for ahead in (0, AHEAD))]


def once(members, streams, ahead):
    """Values per second, what single ones cost, bytes of one stream."""
    records = RECORDS // 10 if any(m in members.split(",") for m in DEEP) else RECORDS
    told = json.loads(common.timed([common.BUILD / "benchmarks/detector", members, streams,
                                    max(records, ROUNDS * streams), ahead], dict(os.environ))[2])
    return {k: told[k] for k in ("records_per_s", "p50_ns", "p99_ns", "memory_bytes")}


def run(_records):
    return {f"{members}, {streams} streams" + (f", fetched {ahead} ahead" if ahead else ""): once(members, streams, ahead)
            for members, streams, ahead in RUNS}
