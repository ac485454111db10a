"""How good are forecasts of devices that have only just begun to speak, and do their intervals cover?

Pieces of public series, cut at drawn moments (the same in every run), so many points long; the horizon after each is forecast without a
model, one configuration for all.  Against the best member in hindsight; coverage of the 80 % and 95 % intervals.  What is made up is
hours of walks and counters, which have no day, and quarters and years that walk with a drift and a season of drawn sizes.

Environment: FOREBAY_YOUNG_PIECES (of each source and length, 120).
"""
import gzip
import json
import math
import os
import pathlib
import random
import statistics
import subprocess
import tempfile

import accuracy_sets
import common

PIECES = int(os.environ.get("FOREBAY_YOUNG_PIECES", "120"))


def means(values, n):
    """Of each N values those that are known; None where none is."""
    for at in range(0, len(values) - n + 1, n):
        known = [v for v in values[at:at + n] if v is not None]
        yield statistics.fmean(known) if known else None


def coarser(series, n):
    return [list(means(values, n)) for values in series]


def known(series):
    return [values for _, values in series]


def jena():
    header, *body = accuracy_sets.rows("weather_jena/weather_jena_2020.csv.gz")
    for name in ("p_mbar", "T_degC", "rh_pct", "wv_m_s", "SWDR_W_m2", "CO2_ppm", "VPdef_mbar"):
        at = header.index(name)
        yield [v if (v := float(row[at])) > -900 else None for row in body]


def intel():
    with gzip.open(accuracy_sets.DATA / "intel_lab/temperature_52motes_14400epochs.txt.gz", "rt") as lines:
        columns = zip(*(map(float, line.split()) for line in lines))
    return coarser([list(column) for column in columns], 20)  # 30 s to 10 min


def walk(draw, n, season):
    level, step, drift = draw.gauss(6, 1), draw.choice((.02, .04, .08)) * math.sqrt(4 / season), draw.gauss(.006, .012) * 4 / season
    shape, noise = [draw.gauss(0, draw.choice((0, .02, .1, .3)) if season > 1 else 0) for _ in range(season)], draw.choice((.005, .02, .05))
    for t in range(n):
        level += draw.gauss(drift, step)
        yield math.exp(level + shape[t % season] + draw.gauss(0, noise))


def counter(draw, n):
    start, speed = draw.gauss(100, 50), draw.uniform(.5, 4)
    return [start + speed * t + draw.gauss(0, .3) for t in range(n)]


def stroll(draw, n):
    """A walk without drift or season."""
    level = draw.gauss(0, 10)
    for _ in range(n):
        level += draw.gauss(0, 1)
        yield level


def sources():
    """name: frequency, horizon, lengths, series."""
    hours = known(accuracy_sets.electricity_6()) + known(accuracy_sets.pjm()) + known(accuracy_sets.etth1())
    weather = list(jena())
    exchange = known(accuracy_sets.exchange())
    days = coarser(hours, 24)
    draw = random.Random("walks")
    return {
        "hours, loads": ("1h", 24, (19, 36, 53, 79, 120, 216), hours),
        "hours, weather": ("1h", 24, (19, 36, 53, 79, 120, 216), coarser(weather, 6)),
        "hours, walks made up": ("1h", 24, (36, 53, 79), [list(stroll(draw, 110)) for _ in range(PIECES)]),
        "hours, counters made up": ("1h", 24, (36, 53, 79), [counter(draw, 110) for _ in range(PIECES)]),
        "ten minutes, weather": ("10min", 144, (86, 216, 317, 475, 720), weather),
        "ten minutes, rooms": ("10min", 144, (86, 216, 317, 475), intel()),
        "days, loads": ("1D", 14, (20, 40, 90, 300), days),
        "days, exchange": ("1D", 28, (20, 40, 90, 300), exchange),
        "weeks, loads": ("1W", 13, (30, 80, 120), coarser(days, 7)),
        "months, exchange": ("1M", 12, (24, 48, 100), coarser(exchange, 21)),
        "quarters, made up": ("3M", 8, (16, 24, 40), [list(walk(draw, 48, 4)) for _ in range(PIECES)]),
        "years, made up": ("12M", 6, (13, 20, 40), [list(walk(draw, 46, 1)) for _ in range(PIECES)]),
    }


def pieces(draw, series, n):
    """Up to PIECES of N points that are mostly known, and change."""
    found = []
    for _ in range(20 * PIECES):
        if len(found) == PIECES:
            break
        values = draw.choice(series)
        if len(values) < n:
            continue
        at = draw.randrange(len(values) - n + 1)
        piece = values[at:at + n]
        if piece.count(None) < n / 5 and len(set(piece)) > 2:
            found.append(piece)
    return found


def judged(file, frequency, horizon):
    words = ["backtest", file, "--freq", frequency, "--horizon", str(horizon), "--worst", "0", "--json"]
    return json.loads(subprocess.run([common.BUILD / "cli/forebay", *words], check=True, stdout=subprocess.PIPE).stdout)


def run(_records):
    if not accuracy_sets.DATA.is_dir():
        common.say(f"SKIPPED: {accuracy_sets.DATA} is not there; set FOREBAY_TEST_DATA")
        return {}
    answers = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, (frequency, horizon, lengths, series) in sources().items():
            for length in lengths:
                draw, file = random.Random(f"{name} {length}"), pathlib.Path(folder) / "pieces.jsonl"
                cut = pieces(draw, series, length + horizon)
                file.write_text("".join(json.dumps({"start": "2024-01-01 00:00:00", "target": piece}) + "\n" for piece in cut))
                got = judged(file, frequency, horizon)
                of_best = got["ensemble"]["wql"] / min(m["wql"] for m in got["members"].values())
                answers.setdefault(name, {})[str(length)] = (
                    f"{of_best:.2f} of the best member, 80 % {got['ensemble']['coverage80']:.2f}, 95 % {got['ensemble']['coverage95']:.2f}")
    return answers
