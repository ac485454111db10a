"""A transaction that computes for longer than the broker keeps it open."""
import random

from support.broker import Publisher
from support.states import FORECASTER, World
from support.wait import until

HOUR = 3_600_000_000


def test_long_flush(line, broker, database, fleet, schemas):
    world = World(line, broker, database, fleet, schemas, "long-flush")
    try:
        name = world.topic("series")
        of = random.Random(1)

        def window(device, hours):
            start = 1_750_000_000 // 3600 * HOUR
            return {"device": device, "metric": "m", "unit": None, "start_time": start, "step_us": HOUR, "sequence": 0,
                    "target": [of.gauss(20, 2) for _ in range(hours)], "flags": bytes(hours), "readings": hours,
                    "imputed": 0, "outliers": 0, "dropped": 0, "late": 0, "repeated": 0, "ingest_time": start}

        publisher = Publisher(line.bootstrap, name)
        for n in range(300):
            device = f"d-{n:03d}"
            publisher.send(device.encode(), schemas.encode("Series", window(device, 1400)), timestamp=1_750_000_000_000)
        publisher.flush()
        # Everything as it is by default, but for a long horizon: all 256 together would take longer than the transaction.
        worker = world.worker(FORECASTER, start=False, horizon_steps=2000)
        for key in ("session.timeout.ms", "transaction.timeout.ms", "seasons", "history.steps", "quantiles"):
            worker.options.pop(key, None)
        worker.start()
        until(lambda: worker.require_running() and world.done(topic="series"), "all are forecast", 180)
        assert worker.stop() == 0
    finally:
        worker.destroy()
        world.close()
