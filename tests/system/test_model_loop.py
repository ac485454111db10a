"""The whole life of a model on the line: forecaster and trainer together, each knowing the other by topics and tables alone.

Nobody promotes or rejects by hand here but to set the scene: trials are judged by what the forecaster made of real windows, and
the last version is trained because the series have changed.  The tests follow each other: one series' life.
"""
import json
import math
import random
import statistics
import subprocess

import pytest

from support import places
from support.broker import Publisher
from support.fleet import await_quiet, forebay
from support.states import SHORT, kill
from support.wait import until

HOUR_US = 3_600_000_000
START_US = 1_700_000_000_000_000 // HOUR_US * HOUR_US
WINDOW, HORIZON = 12, 6  # hours: a window brings the values of all that the one before it was asked for
DEVICES = [f"pump-{n:02d}" for n in range(24)]
METRIC = "pressure"
MODEL = "life-1h"
FORECASTER = "batch-forecaster"

SAME = {"horizon_steps": HORIZON, "quantiles": "0.1,0.5,0.9", "members": "last,season,deepar"}
TINY = {"train_networks": 1, "train_epochs": 12, "train_batches": 25, "train_hidden": 12, "train_layers": 1,
        "train_rate": 0.005, "train_validation_windows": 1, "train_validation_every": 4, "train_patience": 100,
        "train_seconds": 0, "train_save_seconds": 0, "train_points_min": 300, "forecast_paths": 40, "fit_windows": 4,
        "gate_windows": 4, "gate_resamples": 500}
# How much better a version must be is asked in earnest; how quick it is, or how often its 80 % hold, is not asked here.
GATE = {"gate_latency_ms": 1e6, "gate_coverage_min": 0.5, "gate_coverage_max": 1, "gate_floor_max": 1.1}
TRIAL = {"gate_canary_share": 0.5, "gate_canary_series": 16, "gate_canary_outcomes": 300, "poll_interval_ms": 200,
         "errors_retry_delay_max_ms": 500}
NO_DRIFT = {"drift_series_min": 1000}
# Each training sees more than the greatest lag, 721 hours: a lag that reaches into nothing while it learns and into values when it
# serves would be one that nobody has trained.  What is learnt from anew is what the series are since they have changed.
MONTH, CALM, CHANGED = 80, 80, 70  # rounds: before all, before the change, and while nobody forecasts
DRIFT = {"drift_series_min": 6, "drift_share": 0.25, "drift_window_ms": (CHANGED + 6) * WINDOW * 3_600_000,
         "drift_retrain_min_seconds": 0, "train_history_steps": CHANGED * WINDOW - 24,
         "train_epochs": 24, "train_batches": 100}  # long enough to be hit


class Life:
    """Devices that send windows in rounds, a pattern of each hour; and what came of them."""

    def __init__(self, line, broker, database, schemas, fleet):
        self.line, self.broker, self.database, self.schemas, self.fleet = line, broker, database, schemas, fleet
        self.rounds = 0
        self.changed_us = None  # since when the series are what they were not
        self.read, self.records = {}, {}
        self.trainers = 0

    # ---- series ----

    def send(self, rounds):
        """A window of every device in each."""
        publisher = Publisher(self.line.bootstrap, "telemetry.series")
        for number in range(self.rounds, self.rounds + rounds):
            for device in DEVICES:
                publisher.send(device.encode(), self.schemas.encode("Series", self._window(device, number)))
        publisher.flush()
        self.rounds += rounds

    def now_us(self):
        """The end of all that was sent."""
        return START_US + self.rounds * WINDOW * HOUR_US

    def change(self):
        self.changed_us = self.now_us()

    def _value(self, device, hour, noise):
        level = 10 * (1 + DEVICES.index(device))
        season = math.sin(hour * math.tau / 24)
        if self.changed_us is not None and START_US + hour * HOUR_US >= self.changed_us:
            return level * (2 - .9 * season + .03 * noise.gauss(0, 1))
        return level * (1 + .3 * season + .02 * noise.gauss(0, 1))

    def _window(self, device, number):
        noise = random.Random(f"{device} {number}")
        first = number * WINDOW
        target = [self._value(device, hour, noise) for hour in range(first, first + WINDOW)]
        start_us = START_US + first * HOUR_US
        return {"device": device, "metric": METRIC, "unit": "bar", "start_time": start_us, "step_us": HOUR_US,
                "sequence": number, "target": target, "flags": bytes(WINDOW), "readings": WINDOW, "imputed": 0,
                "outliers": 0, "dropped": 0, "late": 0, "repeated": 0, "ingest_time": start_us + WINDOW * HOUR_US}

    def go(self, rounds):
        """Send them, and they are forecast."""
        self.send(rounds)
        self.await_forecast()

    def await_forecast(self):
        await_quiet(self.broker, self.fleet, (FORECASTER,), 120)

    def go_until(self, condition, what):
        """Round after round."""
        def one_more():
            self.go(1)
            return condition()
        return until(one_more, what, 180, pause_s=0.3)

    # ---- what came of them ----

    def _all(self, topic):
        """All committed records; those that are known are not read again."""
        until(lambda: self.broker.ends(topic) == self.broker.ends(topic, "read_committed"), f"{topic}: its end", 60)
        for message in self.broker.read(topic, self.read.get(topic)):
            self.records.setdefault(topic, []).append(self.schemas.decode(message.value))
            self.read.setdefault(topic, {})[message.partition] = message.offset + 1
        return self.records.get(topic, [])

    def forecasts(self, since_us=0):
        return [f for f in self._all("forecasts") if f["origin_time"] >= since_us]

    def outcomes(self, since_us=0):
        return [o for o in self._all("forecasts.outcomes") if o["origin_time"] >= since_us]

    def newest(self):
        """Device -> version of its newest forecast."""
        found = {f["device"]: f["version"] for f in self.forecasts(self.now_us())}
        assert set(found) == set(DEVICES)
        return found

    def served_by(self, version):
        return set(self.newest().values()) == {version}

    # ---- versions ----

    def models(self, *words):
        return json.loads(forebay(self.line, "models", *words, "--json").stdout)

    def standings(self):
        """version -> status."""
        return {m["version"]: m["status"] for m in self.models("list", f"--name={MODEL}")["models"]}

    def status(self, version):
        return self.standings().get(version)

    def why(self, version):
        return self.models("show", f"{MODEL}/{version}")["changes"][0]["why"]

    def untrained(self, folder, version, seed):
        """A candidate of random weights."""
        tool = places.BUILD / "tests/unit/batch-forecaster/artefact_tool"
        file = folder / version
        subprocess.run([str(tool), str(file), MODEL, version, "1h", str(HORIZON), str(seed)], check=True)
        forebay(self.line, "models", "import", file)

    def promote(self, version, to, share=0.5):
        forebay(self.line, "models", "promote", f"{MODEL}/{version}", f"--to={to}", f"--share={share}")

    def trainer(self, **options):
        self.trainers += 1
        return self.fleet.add("model-trainer", instance=f"trainer-{self.trainers}", model_name=MODEL.removesuffix("-1h"),
                              log_level="debug", **{**SAME, **TINY, **GATE, **TRIAL, **NO_DRIFT, **options})

    def leave(self, trainer):
        """It ends when told to, and is not missed."""
        assert trainer.stop() == 0
        del self.fleet.workers[trainer.instance]


def said(worker, event):
    return [e for e in worker.events() if e.get("event") == event]


def mean(outcomes, loss):
    return statistics.fmean(o[loss] for o in outcomes)


@pytest.fixture(scope="module")
def life(line, broker, database, schemas, module_fleet):
    return Life(line, broker, database, schemas, module_fleet)


@pytest.fixture(scope="module")
def forecaster(life, tmp_path_factory):
    """A month has passed, and a model lives that nobody has trained."""
    life.untrained(tmp_path_factory.mktemp("models"), "blank", 1)
    life.promote("blank", "canary")
    life.promote("blank", "live")
    life.send(MONTH)
    worker = life.fleet.add(FORECASTER, paths=40, batch_max_records=20, cache_uri="", **SAME, **SHORT).await_ready()
    life.await_forecast()
    life.go_until(lambda: life.served_by("blank"), "the first model serves")
    return worker


@pytest.fixture(scope="module")
def trained(life, forecaster):
    """A version that has been trained, and stands trial."""
    trainer = life.trainer(mode="once")
    assert trainer.exit_code(300) == 0, trainer.text()
    del life.fleet.workers[trainer.instance]
    version = said(trainer, "training has ended")[0]["version"]
    assert life.standings() == {"blank": "live", version: "canary"}, trainer.text()
    return version


def test_a_better_canary_lives(life, trained):
    begun_us = life.now_us()
    watch = life.trainer()
    life.go_until(lambda: life.status(trained) == "live", "it lives")
    life.go_until(lambda: life.served_by(trained), "it serves")
    assert life.standings() == {"blank": "retired", trained: "live"}
    assert "as good as live" in life.why(trained)
    assert {f["version"] for f in life.forecasts(begun_us)} == {"blank", trained}
    pairs = [o for o in life.outcomes(begun_us) if o["version"] == trained and o["rival"] == "blank"]
    assert pairs and mean(pairs, "model_loss") < mean(pairs, "rival_loss")
    life.leave(watch)


def test_a_worse_canary_is_rejected(life, trained, tmp_path):
    """Half of the devices are served by it, until the outcomes of all say what it is worth."""
    life.untrained(tmp_path, "worse", 2)
    life.promote("worse", "canary")
    begun_us = life.now_us()
    life.go_until(lambda: set(life.newest().values()) == {trained, "worse"}, "both serve")
    watch = life.trainer()
    life.go_until(lambda: life.status("worse") == "rejected", "it is rejected")
    life.go_until(lambda: life.served_by(trained), "all are served by the live one")
    assert life.standings() == {"blank": "retired", trained: "live", "worse": "rejected"}
    assert life.why("worse").startswith("canary clearly worse than live: loss ")
    verdict = said(watch, "trial has ended")[0]
    assert (verdict["version"], verdict["standing"], verdict["why"]) == ("worse", "rejected", life.why("worse"))
    served = {f["device"] for f in life.forecasts(begun_us) if f["version"] == "worse"}
    assert 0 < len(served) < len(DEVICES)
    life.go(1)
    assert life.served_by(trained)
    life.leave(watch)


def epochs(trainer):
    return trainer.metric("forebay_training_epochs_total") or 0


def test_drift_asks_for_a_training(life, trained, forecaster):
    """The series change for good.  Forecaster and trainer are killed at work; what is trained is better at what is new."""
    life.go(CALM)  # alarms of the trials before are too old by now
    watch = life.trainer(**DRIFT)
    until(lambda: watch.metric("forebay_drift_share") is not None, "it has read the outcomes", 60)
    assert not said(watch, "retrain"), watch.text()
    kill(forecaster)
    life.change()
    life.send(CHANGED)
    before = sum(life.broker.ends("forecasts.outcomes").values())
    forecaster.start()
    until(lambda: sum(life.broker.ends("forecasts.outcomes").values()) > before + 50, "it is at work", 120)
    kill(forecaster)
    forecaster.start()
    until(lambda: epochs(watch) >= 3, "three epochs", 180)
    assert said(watch, "retrain")[0]["because"] == "drift"
    kill(watch)
    watch.options["drift.series.min"] = NO_DRIFT["drift_series_min"]  # series that alarm later ask for no second one
    watch.start()
    assert watch.await_log(lambda e: e.get("event") == "training goes on")["bytes"] > 0
    ended = watch.await_log(lambda e: e.get("event") == "training has ended", 240)
    assert ended["result"] == "canary", watch.text()
    version = ended["version"]
    life.go_until(lambda: life.status(version) == "live", "it lives")
    life.go_until(lambda: life.served_by(version), "it serves")
    since_us = life.now_us()
    life.go(6)
    assert life.standings() == {"blank": "retired", trained: "retired", "worse": "rejected", version: "live"}
    assert life.served_by(version)
    old = [o for o in life.outcomes(life.changed_us) if o["version"] == trained]
    new = life.outcomes(since_us)
    assert {o["version"] for o in new} == {version}
    assert mean(new, "model_loss") < 0.8 * mean(old, "model_loss")
    assert mean(new, "loss") < mean(old, "loss")
    life.leave(watch)


def test_every_window_was_forecast_once(life, forecaster):
    """Kills or not."""
    assert forecaster.stop() == 0
    made = sorted((f["device"], f["origin_time"]) for f in life.forecasts())
    wanted = [START_US + (n + 1) * WINDOW * HOUR_US for n in range(life.rounds)]
    assert made == [(device, origin_us) for device in DEVICES for origin_us in wanted]
    assert not life.broker.read("telemetry.series.dlq")
