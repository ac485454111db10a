"""The model trainer on a real broker and database: what it trains, what it goes on with, whom it promotes and rejects.

Models and trainings are tiny: nothing here says how good a forecast is.
"""
import contextlib
import json
import math
import os
import pty
import random
import re
import subprocess
import time

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import NewTopic

from support import places
from support.broker import Publisher
from support.fleet import Worker
from support.wait import until

HOUR_US = 3_600_000_000
START_US = 1_700_000_000_000_000 // HOUR_US * HOUR_US
WINDOW = 24
DEVICES = [f"pump-{n:02d}" for n in range(8)]
METRIC = "pressure"

TINY = {"train_networks": 1, "train_epochs": 4, "train_batches": 4, "train_batch_windows": 8, "train_hidden": 8,
        "train_layers": 1, "train_validation_windows": 1, "train_validation_every": 2, "train_points_min": 300,
        "train_seconds": 0, "horizon_steps": 6, "forecast_paths": 16, "fit_windows": 2, "gate_windows": 1,
        "gate_resamples": 200, "poll_interval_ms": 200, "errors_retry_delay_max_ms": 500}
# The gate lets everything pass: how good such a model is is a matter of luck.
OPEN = {"gate_latency_ms": 1e6, "gate_ratio_max": 100, "gate_bound_max": 100, "gate_floor_max": 100,
        "gate_coverage_min": 0, "gate_coverage_max": 1}
# Some seconds long, so that it can be hit.
LONG = {"train_networks": 2, "train_epochs": 12, "train_batches": 100, "train_batch_windows": 32, "train_hidden": 20,
        "train_patience": 100}
TRIAL = {"gate_canary_series": 5, "gate_canary_outcomes": 40, "gate_canary_share": 0.25}


class World:
    """Series, outcomes, and what the tables say."""

    def __init__(self, line, broker, database, schemas):
        self.line, self.broker, self.database, self.schemas = line, broker, database, schemas
        self.windows = 0

    def series(self, windows):
        """So many more windows of every device, on an hourly step, with a season of a day."""
        sender = Publisher(self.line.bootstrap, "telemetry.series")
        for device in DEVICES:
            for number in range(self.windows, self.windows + windows):
                sender.send(device.encode(), self.schemas.encode("Series", self._window(device, number)))
        sender.flush()
        self.windows += windows

    def counts(self, device):
        """As many windows as the others have, of a device that counts."""
        sender = Publisher(self.line.bootstrap, "telemetry.series")
        for number in range(self.windows):
            target = [float((number * WINDOW + i) % 24 // 2) for i in range(WINDOW)]
            window = {**self._window(DEVICES[0], number), "device": device, "target": target}
            sender.send(device.encode(), self.schemas.encode("Series", window))
        sender.flush()

    @staticmethod
    def _window(device, number):
        noise = random.Random(f"{device} {number}")
        level = 10 * (1 + DEVICES.index(device))
        first = number * WINDOW
        target = [level * (1 + .3 * math.sin((first + i) * math.tau / 24) + .02 * noise.gauss(0, 1))
                  for i in range(WINDOW)]
        target[3] = None if number % 5 == 0 else target[3]
        return {"device": device, "metric": METRIC, "unit": "bar", "start_time": START_US + first * HOUR_US,
                "step_us": HOUR_US, "sequence": number, "target": target, "flags": bytes(WINDOW), "readings": WINDOW,
                "imputed": 0, "outliers": 0, "dropped": 0, "late": 0, "repeated": 0, "ingest_time": START_US}

    def outcomes(self, model, version, rival, model_loss, rival_loss, steps, drift=()):
        """Of every device so many steps, each with these losses give or take a tenth."""
        sender = Publisher(self.line.bootstrap, "forecasts.outcomes")
        for step in range(steps):
            for device in DEVICES:
                sender.send(device.encode(), self.outcome(model, version, rival, device, step, model_loss, rival_loss,
                                                          device in drift and step == steps - 1))
        sender.flush()

    def outcome(self, model, version, rival, device, step, model_loss, rival_loss, drift=False):
        origin = START_US + self.windows * WINDOW * HOUR_US
        wobble = 1 + .1 * random.Random(f"{device} {step}").uniform(-1, 1)
        return self.schemas.encode("Outcome", {
            "device": device, "metric": METRIC, "origin_time": origin, "event_time": origin + step * HOUR_US,
            "step": step, "value": 1.0, "scale": 1.0, "loss": 0.1, "lower": 0.5, "upper": 1.5, "model": model,
            "version": version, "model_loss": model_loss * wobble, "rival": rival,
            "rival_loss": rival_loss * wobble if rival else None, "members": {}, "drift": drift, "ingest_time": origin})

    def standings(self, model):
        """version -> status."""
        return dict(self.database.rows("SELECT version, status FROM forebay.models WHERE name = %s", model))

    def version(self, model, status):
        found = [v for v, s in self.standings(model).items() if s == status]
        assert len(found) <= 1
        return found[0] if found else None

    def why(self, model, version):
        """The last change of that version."""
        return self.database.value("SELECT why FROM forebay.model_changes WHERE name = %s AND version = %s "
                                   "ORDER BY id DESC LIMIT 1", model, version)

    def standings_of(self, model, version):
        """What that version has been, one after the other."""
        return [to for (to,) in self.database.rows("SELECT to_status FROM forebay.model_changes WHERE name = %s AND version = %s "
                                                   "ORDER BY id", model, version)]

    def training(self, model):
        """(plan, bytes of progress) of the training that is under way; None: there is none."""
        rows = self.database.rows("SELECT plan, octet_length(progress) FROM forebay.trainings WHERE name = %s", model)
        return rows[0] if rows else None

    def announced(self, model):
        """partition -> version -> status, by the last record of each key."""
        told = {p: {} for p in range(self.broker.partitions("models"))}
        for m in self.broker.read("models"):
            record = self.schemas.decode(m.value)
            if record["name"] == model:
                assert m.key.decode() == f"{model}/{record['version']}"
                assert record["uri"] == f"postgresql:{model}/{record['version']}"
                told[m.partition][record["version"]] = record["status"]
        return told

    def await_told(self, model):
        """Every partition says what the table says."""
        until(lambda: all(told == self.standings(model) for told in self.announced(model).values()),
              f"the topic tells of {model}", 30)


@pytest.fixture(scope="module")
def world(line, broker, database, schemas):
    return World(line, broker, database, schemas)


@pytest.fixture
def trainer(fleet, request):
    """A trainer of this test's own models, deepar-like: <name>-1h."""
    count = iter(range(100))

    def add(name, **options):
        return fleet.add("model-trainer", instance=f"{name}-{next(count)}",
                         **{"model_name": name, "log_level": "debug", **TINY, **OPEN, **options})
    return add


def once(trainer, name, **options):
    worker = trainer(name, mode="once", **options)
    assert worker.exit_code(300) == 0, worker.text()
    return worker


def said(worker, event):
    return [e for e in worker.events() if e.get("event") == event]


def epochs(worker):
    return worker.metric("forebay_training_epochs_total") or 0


# ---- in this order: the topic grows ----

def test_nothing_to_train_on(world, trainer):
    worker = trainer("nothing", mode="once")
    assert worker.exit_code(120) == 2, worker.text()
    assert said(worker, "nothing to train on")


def test_not_enough_to_train_on(world, trainer):
    world.series(1)
    worker = trainer("little", mode="once")
    assert worker.exit_code(120) == 2, worker.text()
    lack = said(worker, "not enough to train on")[0]
    known = len(DEVICES) * (WINDOW - 1)  # of the first window one value is not known
    assert lack["points"] == known and lack["series"] == len(DEVICES) and lack["series long enough"] == 0
    assert lack["steps needed"] == 25 and lack["points needed (train.points.min)"] == 300


def test_waits_for_enough(world, trainer):
    """A watch waits; then its first model lives, and a trainer that comes later finds nothing to do."""
    worker = trainer("patient")
    worker.await_log(lambda e: e.get("event") == "not enough to train on")
    assert worker.ready() and worker.http("/health")[1]["live"]
    assert not world.standings("patient-1h")
    world.series(14)
    until(lambda: world.version("patient-1h", "live"), "it lives", 300)
    world.await_told("patient-1h")
    assert worker.stop() == 0


def test_once(world, trainer):
    worker = once(trainer, "single", train_networks=2)
    version = world.version("single-1h", "live")
    assert world.standings("single-1h") == {version: "live"}
    assert world.training("single-1h") is None
    told = world.announced("single-1h")
    assert len(told) == 6 and all(t == {version: "live"} for t in told.values())
    assert said(worker, "training has ended")[0]["result"] == "live"
    verdicts = {e["condition"]: e for e in said(worker, "gate")}
    assert set(verdicts) == {"numbers", "coverage80", "latency.ms", "floor"}  # nobody to compare with
    assert all(v["passed"] == "yes" and v["series"] == len(DEVICES) for v in verdicts.values())
    assert world.why("single-1h", version).startswith("gate passed; 8 series")
    figures, size = world.database.rows("SELECT figures, octet_length(artefact) FROM forebay.models WHERE version = %s "
                                        "AND name = 'single-1h'", version)[0]
    assert {"wql", "coverage80", "gate.floor", "wql.deepar"} <= set(figures) and size > 1000
    assert world.standings_of("single-1h", version) == ["candidate", "live"]
    again = once(trainer, "single", train_networks=2)
    assert said(again, "training has ended")[0]["result"] == "same"
    assert world.standings("single-1h") == {version: "live"}


def test_a_terminal_sees_how_far_it_is(world, trainer, line):
    """A bar of its epochs, and wiped when it is over; where nobody looks, none."""
    shy = trainer("watched", mode="once")
    shy.exit_code(300)
    assert "\r" not in shy.text()
    ours, theirs = pty.openpty()
    process = subprocess.Popen([*shy.command(), "--train.seed=2"], stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs,
                               env=line.environment(), cwd=places.TOP)
    os.close(theirs)
    seen = b""
    with contextlib.suppress(OSError):  # EIO: all of its ends are closed
        while block := os.read(ours, 4096):
            seen += block
    os.close(ours)
    assert process.wait(60) == 0, seen.decode()
    drawn = re.findall(rb"\r *(\d+) % [^\r]*  ([\d,]+) epochs ", seen)
    assert drawn and all(0 <= int(share) <= 100 for share, _ in drawn)
    assert re.search(rb"\r\033\[K\{", seen), "a line of the log wipes the bar"


def test_without_a_trial(world, trainer):
    """Nobody is asked to prove anything: the next version takes the place of the live one, also after a crash on the way."""
    once(trainer, "hasty")
    old = world.version("hasty-1h", "live")
    once(trainer, "hasty", train_seed=2, gate_canary_share=0)
    new = world.version("hasty-1h", "live")
    assert world.standings("hasty-1h") == {old: "retired", new: "live"}
    assert world.standings_of("hasty-1h", new) == ["candidate", "canary", "live"]
    world.database.run("UPDATE forebay.models SET status = 'canary', canary_share = 1 WHERE name = 'hasty-1h' AND version = %s", new)
    world.database.run("UPDATE forebay.models SET status = 'live' WHERE name = 'hasty-1h' AND version = %s", old)
    assert said(once(trainer, "hasty", train_seed=2, gate_canary_share=0), "training has ended")[0]["result"] == "live"
    assert world.standings("hasty-1h") == {old: "retired", new: "live"}


def test_refused(world, trainer):
    """Each condition by its name; the first version and a later one."""
    worker = once(trainer, "strict", gate_floor_max=0, gate_latency_ms=0.001)
    version = world.version("strict-1h", "rejected")
    why = world.why("strict-1h", version)
    assert why.startswith("gate not passed; NOT latency.ms") and "NOT floor" in why
    assert {e["condition"] for e in said(worker, "gate") if e["passed"] == "no"} == {"latency.ms", "floor"}
    once(trainer, "strict", train_seed=2)
    live = world.version("strict-1h", "live")
    worker = once(trainer, "strict", train_seed=3, gate_ratio_max=0)
    refused = said(worker, "training has ended")[0]["version"]
    assert world.standings("strict-1h") == {version: "rejected", live: "live", refused: "rejected"}
    assert "NOT ratio" in world.why("strict-1h", refused)


@pytest.fixture(scope="module")
def twin(world, module_fleet):
    """The same training, left in peace: its version."""
    worker = module_fleet.add("model-trainer", instance="twin", **{"model_name": "twin", "mode": "once", **TINY, **OPEN,
                                                                  **LONG})
    assert worker.exit_code(300) == 0, worker.text()
    return world.version("twin-1h", "live")


def test_killed_and_stopped(world, trainer, twin):
    """Killed, then stopped, each at work; with more series in between: the version is the twin's."""
    worker = trainer("victim", mode="once", **{"train_save_seconds": 0, **LONG})
    until(lambda: epochs(worker) >= 3, "three epochs", 120)
    worker.destroy()
    plan, size = world.training("victim-1h")
    assert size and not world.standings("victim-1h")
    world.series(3)
    worker.start()
    assert worker.await_log(lambda e: e.get("event") == "training goes on")["bytes"] > 0
    until(lambda: epochs(worker) >= 3, "three more", 120)
    assert worker.stop() == 0
    assert world.training("victim-1h")[0] == plan and not world.standings("victim-1h")
    worker.start()
    assert worker.exit_code(300) == 0, worker.text()
    assert said(worker, "training goes on") and not said(worker, "training begins anew")
    assert world.standings("victim-1h") == {twin: "live"}
    assert world.training("victim-1h") is None


def test_begins_anew_with_other_options(world, trainer):
    worker = trainer("anew", mode="once", **{"train_save_seconds": 0, **LONG})
    until(lambda: epochs(worker) >= 2, "two epochs", 120)
    worker.destroy()
    worker = trainer("anew", mode="once", train_seed=9)
    assert worker.exit_code(300) == 0, worker.text()
    assert "options" in said(worker, "training begins anew")[0]["why"]
    assert world.version("anew-1h", "live")


def test_begins_anew_without_its_records(world, trainer, line, broker, tmp_path):
    """What a training was begun with is deleted before it is taken up again."""
    worker = trainer("gone", mode="once", **{"train_save_seconds": 0, **LONG})
    until(lambda: epochs(worker) >= 2, "two epochs", 120)
    worker.destroy()
    cut = [{"topic": "telemetry.series", "partition": p, "offset": end // 2}
           for p, end in broker.ends("telemetry.series").items()]
    offsets = tmp_path / "cut.json"
    offsets.write_text(json.dumps({"partitions": cut, "version": 1}))
    line._run("kafka", "DeleteRecordsCommand", "--offset-json-file", str(offsets))
    world.series(10)
    worker.start()
    assert worker.exit_code(300) == 0, worker.text()
    assert "records" in said(worker, "training begins anew")[0]["why"]
    assert world.version("gone-1h", "live")


def trial(world, trainer, name):
    """A live version, a canary, and a watch over them."""
    once(trainer, name)
    once(trainer, name, train_seed=2, **TRIAL)
    live, canary = world.version(f"{name}-1h", "live"), world.version(f"{name}-1h", "canary")
    assert live and canary
    share, parent = world.database.rows("SELECT canary_share, parent FROM forebay.models WHERE version = %s AND "
                                        "name = %s", canary, f"{name}-1h")[0]
    assert share == 0.25 and parent == live
    worker = trainer(name, **TRIAL)
    worker.await_log(lambda e: e.get("event") == "trial" and e["canary"] == canary)
    return worker, live, canary


def test_a_bad_canary_is_rejected(world, trainer):
    worker, live, canary = trial(world, trainer, "bad")
    world.outcomes("bad-1h", canary, live, 0.2, 0.2, 3)
    until(lambda: worker.metric("forebay_canary_outcomes", model="bad-1h") == 24, "it has read them", 60)
    assert world.version("bad-1h", "canary") == canary
    worker.destroy()  # what it knows is read again
    worker.start()
    world.outcomes("bad-1h", canary, live, 0.3, 0.2, 3)
    until(lambda: world.version("bad-1h", "rejected") == canary, "it is rejected", 60)
    assert "clearly worse" in world.why("bad-1h", canary) and "48 outcomes" in world.why("bad-1h", canary)
    assert world.version("bad-1h", "live") == live
    world.await_told("bad-1h")
    assert worker.stop() == 0


def test_a_good_canary_lives(world, trainer):
    worker, live, canary = trial(world, trainer, "good")
    world.outcomes("good-1h", canary, live, 0.1, 0.2, 2)
    world.outcomes("good-1h", live, canary, 0.2, 0.1, 2)
    until(lambda: worker.metric("forebay_canary_outcomes", model="good-1h") == 32, "it has read them", 60)
    assert world.version("good-1h", "canary") == canary, "eight are still wanting"
    world.outcomes("good-1h", live, canary, 0.2, 0.1, 1)
    until(lambda: world.version("good-1h", "live") == canary, "it lives", 60)
    assert world.standings("good-1h") == {live: "retired", canary: "live"}
    assert "as good as live" in world.why("good-1h", canary)
    world.await_told("good-1h")
    assert worker.stop() == 0


def test_outcomes_that_come_while_it_looks_where_to_begin(world, trainer):
    """Many partitions that are empty at first, and in each a record as soon as the trial is known: none is passed over."""
    partitions = 60
    for future in world.broker.admin.create_topics([NewTopic("wide.outcomes", partitions, 1)], operation_timeout=30).values():
        future.result()
    once(trainer, "wide")
    once(trainer, "wide", train_seed=2, **TRIAL)
    live, canary = world.version("wide-1h", "live"), world.version("wide-1h", "canary")
    sender = Producer({"bootstrap.servers": world.line.bootstrap, "linger.ms": 0})
    sender.list_topics("wide.outcomes")
    records = [world.outcome("wide-1h", live, canary, f"pump-{p:02d}", 0, 0.2, 0.2) for p in range(partitions)]
    worker = trainer("wide", outcomes_topic="wide.outcomes", **TRIAL)
    while not said(worker, "trial"):
        time.sleep(0.001)
    for p in reversed(range(partitions)):
        sender.produce("wide.outcomes", records[p], b"key", partition=p)
        sender.flush()
    until(lambda: worker.metric("forebay_outcomes_read_total") == partitions, "it has read them all", 30)
    assert worker.stop() == 0


def test_a_canary_without_proof_is_rejected(world, trainer):
    worker, live, canary = trial(world, trainer, "silent")
    assert worker.stop() == 0
    worker = trainer("silent", gate_canary_hours=0.0002, **TRIAL)
    until(lambda: world.version("silent-1h", "rejected") == canary, "it is rejected", 60)
    assert "no proof" in world.why("silent-1h", canary)
    assert worker.stop() == 0


def test_drift(world, trainer):
    """Not before the time between two trainings is over; then once."""
    once(trainer, "moved")
    live = world.version("moved-1h", "live")
    world.series(2)
    worker = trainer("moved", drift_retrain_min_seconds=3600)
    until(lambda: worker.metric("forebay_drift_share", model="moved-1h") == 0, "it watches", 60)
    world.outcomes("moved-1h", live, None, 0.9, 0, 3, drift=DEVICES[:4])
    until(lambda: worker.metric("forebay_drift_share", model="moved-1h") == 0.5, "it has seen the drift", 60)
    time.sleep(1)
    assert not said(worker, "retrain") and world.standings("moved-1h") == {live: "live"}
    worker.destroy()
    worker = trainer("moved", drift_retrain_min_seconds=0, **TRIAL)
    assert worker.await_log(lambda e: e.get("event") == "retrain")["because"] == "drift"
    until(lambda: world.version("moved-1h", "canary"), "it is trained", 120)
    until(lambda: worker.metric("forebay_drift_share", model="moved-1h") == 0, "the alarm is answered", 60)
    world.await_told("moved-1h")
    time.sleep(1)
    assert len(said(worker, "retrain")) == 1 and len(world.standings("moved-1h")) == 2
    assert worker.stop() == 0


def test_a_training_is_not_repeated_because_nobody_can_be_told(world, trainer):
    """The topic of models is missing when a version is ready: once it is there it is told of it, and that is all."""
    once(trainer, "mute")
    live = world.version("mute-1h", "live")
    world.series(2)
    worker = trainer("mute", models_topic="mute.models", retrain_every_seconds=1, drift_retrain_min_seconds=0, **TRIAL)
    worker.await_log(lambda e: e.get("event") == "retry" and e["reason"] == "TOPIC_MISSING", 120)
    canary = world.version("mute-1h", "canary")
    assert canary and world.training("mute-1h") is None
    for future in world.broker.admin.create_topics([NewTopic("mute.models", 6, 1)]).values():
        future.result()
    worker.await_log(lambda e: e.get("event") == "announced", 60)
    until(lambda: worker.http("/health")[1]["message"].startswith("watching"), "it looks on", 60)
    time.sleep(1)
    assert len(said(worker, "training begins")) == 1 and world.standings("mute-1h") == {live: "live", canary: "canary"}
    assert worker.stop() == 0


def test_services_away(world, trainer, line):
    """PostgreSQL at the start; the broker, too."""
    line.kill("postgres")
    try:
        worker = trainer("late", mode="once")
        worker.await_log(lambda e: e.get("event") == "retry" and e["reason"] == "STORE_DOWN")
        assert worker.http("/health?probe=ready")[0] == 503
    finally:
        line.start("postgres")
    assert worker.exit_code(300) == 0, worker.text()
    assert world.version("late-1h", "live")


def test_series_that_the_head_cannot_have(world, trainer):
    """They are left out, said, and spoil no other."""
    world.counts("turnstile")
    worker = once(trainer, "counts", train_head="negative-binomial")
    left_out = [(e["series"], e["head"], e["first device"], e["metric"]) for e in said(worker, "series left out")]
    assert left_out == [(len(DEVICES), "negative-binomial", DEVICES[0], METRIC)]
    assert world.version("counts-1h", "live")


@pytest.mark.parametrize("options, reason", [({"quantiles": "0.4,0.6"}, "OPTION_INVALID"),
                                             ({"train.head": "cauchy"}, "OPTION_INVALID"),
                                             ({"topics": "a"}, "OPTION_UNKNOWN")])
def test_wrong_options(line, fleet, options, reason):
    worker = Worker("model-trainer", line, fleet.logs, options={"model.name": "wrong", **options}).start()
    assert worker.exit_code(60) == 1
    assert said(worker, "stopped")[0]["reason"] == reason
