"""How many DeepAR forecasts (2 x 40, hourly, context 168, horizon 24, 100 paths) does a core make, and how many GluonTS?

Ours per set of kernels, also as a share of what the same kernels reach in a large product; GluonTS for PyTorch with the same
weights and series on one thread, in turns with ours. Per CPU-second, the best of each; and the median over the turns of the
ratio within a turn, as the peer's figure swings by a tenth. The peer needs a Python with gluonts[torch]:
FOREBAY_GLUONTS_PYTHON; without it, it is skipped and said so.
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile

import common

TURNS = 5
PEER = common.TOP / "benchmarks/peers/deepar_gluonts.py"


def ours():
    return json.loads(common.timed([common.BUILD / "benchmarks/inference"], dict(os.environ))[2])


def peer(path):
    python = os.environ.get("FOREBAY_GLUONTS_PYTHON", sys.executable)
    done = subprocess.run([python, PEER, path], stdout=subprocess.PIPE, text=True)
    if done.returncode == 77:
        return None
    if done.returncode:
        raise SystemExit(f"{PEER} ended with {done.returncode}")
    return json.loads(done.stdout)


def better(a, b, key):
    return b if a is None or b[key] > a[key] else a


def run(_records):
    answer, gluonts, ratios = {"sets": {}}, None, {}
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        subprocess.run([common.BUILD / "benchmarks/inference", "--write", file.name, "64"], check=True)
        for _ in range(TURNS):
            now = ours()
            sets = now.pop("sets")
            for name, figures in sets.items():
                answer["sets"][name] = better(answer["sets"].get(name), figures, "series_per_cpu_second")
            answer.update(now)
            theirs = peer(file.name)
            for one in theirs["runs"] if theirs else ():
                gluonts = better(gluonts, one, "series_per_cpu_second")
            if not theirs:
                break
            rate = max(one["series_per_cpu_second"] for one in theirs["runs"])
            for name, figures in sets.items():
                ratios.setdefault(name, []).append(figures["series_per_cpu_second"] / rate)
    if gluonts:
        answer["gluonts"] = gluonts
        answer["ratio_to_gluonts"] = {name: figures["series_per_cpu_second"] / gluonts["series_per_cpu_second"]
                                      for name, figures in answer["sets"].items()}
        answer["median_ratio_of_turns"] = {name: statistics.median(of) for name, of in ratios.items()}
    return answer
