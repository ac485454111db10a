"""States survive what happens to workers and to what they rest on: what comes out is what would have come out anyway.

Beside the worker that suffers there is a twin, in a group of its own, that reads the same and is left in peace.
"""
import time

import pytest

from support.states import ETL, FORECASTER, SCORER, START_MS, STEP_MS, World, by_key, grouped, kill, noise
from support.broker import Publisher

HUGE = 3600000


@pytest.fixture
def world(request, line, broker, database, fleet, schemas):
    name = request.node.name.removeprefix("test_").partition("[")[0].replace("_", "-")
    number = getattr(request.node, "callspec", None)
    return World(line, broker, database, fleet, schemas, name + (f"-{sum(number.indices.values())}" if number else ""))


def names(count, prefix="pump"):
    return [f"{prefix}-{n:02d}" for n in range(count)]


# ---- killed at work ----

KINDS = {ETL: ("readings", by_key), SCORER: ("readings", by_key), FORECASTER: ("windows", by_key)}
INTERVALS = {"small": 100, "huge": HUGE}
DEVICES = names(12)
SPIKES = range(96, 100)   # rounds in which every third device is far off
FIRST, SECOND, LAST = range(0, 103), range(103, 135), range(135, 175)


def unusual(device, number):
    said = noise()(device, number)
    if number in SPIKES and int(device[-2:]) % 3 == 0:
        said["temperature"] += 60
    return said
