"""What does a value cost the detector of one stream: by members, hot and over many streams?

One core, the processor's time (detector.c).  The scalar over 100 to 100,000 streams: its cost must not grow with them.  Environment:
FOREBAY_DETECTOR_RECORDS (values of each run, 2,000,000).
"""
import json
import os

import common

RECORDS = int(os.environ.get("FOREBAY_DETECTOR_RECORDS", "2000000"))
ALL = "scalar,forecast,forest,neighbours"
DEEP = ("forest", "neighbours")  # cost more: fewer values
RUNS = [("scalar", 1), ("scalar,forecast", 1), ("neighbours", 1), ("forest", 1), (ALL, 1), (ALL, 1000),
        *(("scalar,forecast", n) for n in (100, 1000, 10_000, 100_000))]


def once(members, streams):
    """Values per second, what single ones cost, bytes of one stream."""
    records = RECORDS // 10 if any(m in members.split(",") for m in DEEP) else RECORDS
    told = json.loads(common.timed([common.BUILD / "benchmarks/detector", members, streams, max(records, 20 * streams)],
                                   dict(os.environ))[2])
    return {k: told[k] for k in ("records_per_s", "p50_ns", "p99_ns", "memory_bytes")}


def run(_records):
    return {f"{members}, {streams} streams": once(members, streams) for members, streams in RUNS}
