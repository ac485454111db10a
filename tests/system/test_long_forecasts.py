"""Forecasts that are made at the end of a transaction: what they cost, and what they carry."""
import random

from support.broker import Publisher
from support.states import FORECASTER
from support.wait import until

HOUR = 3_600_000_000
START_US = 1_750_000_000 // 3600 * HOUR
STAMP_MS = 1_750_000_000_000


def publish(line, world, schemas, devices, hours):
    """A window of so many hours of each device, a second of record time after the other's."""
    of = random.Random(1)
    publisher = Publisher(line.bootstrap, world.topic("series"))
    for n, device in enumerate(devices):
        window = {"device": device, "metric": "m", "unit": None, "start_time": START_US, "step_us": HOUR, "sequence": 0,
                  "target": [of.gauss(20, 2) for _ in range(hours)], "flags": bytes(hours), "readings": hours,
                  "imputed": 0, "outliers": 0, "dropped": 0, "late": 0, "repeated": 0, "ingest_time": START_US}
        publisher.send(device.encode(), schemas.encode("Series", window), timestamp=STAMP_MS + 1000 * n)
    publisher.flush()


def test_a_transaction_that_computes_for_longer_than_the_broker_keeps_it_open(line, world, schemas):
    publish(line, world, schemas, [f"d-{n:03d}" for n in range(300)], 1400)
    # Everything as it is by default, but for a long horizon: all 256 together would take longer than the transaction.
    worker = world.worker(FORECASTER, start=False, horizon_steps=2000)
    world.runs.append(worker)
    for key in ("session.timeout.ms", "transaction.timeout.ms", "seasons", "history.steps", "quantiles"):
        worker.options.pop(key, None)
    worker.start()
    until(lambda: worker.require_running() and world.done(topic="series"), "all are forecast", 180)
    assert worker.stop() == 0


def test_a_forecast_has_the_time_stamp_of_its_window_whenever_it_is_sent(line, world, schemas):
    devices = [f"d-{n:03d}" for n in range(60)]
    publish(line, world, schemas, devices, 100)
    for label, most in (("one", 1), ("many", 20000)):
        world.worker(FORECASTER, label, batch_max_records=most)
    world.await_done("one", "many", topic="series")
    own = {device.encode(): STAMP_MS + 1000 * n for n, device in enumerate(devices)}
    for label in ("one", "many"):
        assert {m.key: m.timestamp_ms for m in world.outputs(label, "forecasts")} == own
