"""Forecasts on demand that rest on a trained model, in the scorer itself: no forecaster runs, no cache is there.  Which version took part
is written in each score; what was done once is done again to the last bit, whatever versions live by then.
"""
import json
import math
import random
import subprocess
from collections import Counter

import pytest

from support import places
from support.fleet import forebay
from support.states import SCORER, START_MS, grouped, kill
from support.wait import until

HUGE = 3600000
HOUR_S = 3600            # a reading of each device every hour: rounds are counted in seconds
DEVICES = [f"pump-{n:02d}" for n in range(4)]
METRIC = "pressure"
HORIZON = 12
PAST = 2 * HORIZON + 721 - 1  # hours that a model of hours looks back: its context and greatest lag
FIRST = 760
ONDEMAND = {"ondemand_history_steps": 800, "ondemand_step_ms": HOUR_S * 1000, "ondemand_members": "last,deepar",
            "forecast_retry_ms": 10 * HOUR_S * 1000, "models_refresh_ms": 0}


@pytest.fixture
def world(world, database):
    for table in ("model_changes", "models"):
        database.run(f"DELETE FROM forebay.{table}")
    return world


def value(device, hour):
    """A day's wave and some noise."""
    level = 20 + 10 * DEVICES.index(device)
    return level + 5 * math.sin(hour * math.tau / 24) + random.Random(f"{device} {hour}").gauss(0, 0.5)


def hour_of(score):
    return round((score["event_time"] / 1000 - START_MS) / 1000 / HOUR_S)


def send(world, hours):
    world.send([hour * HOUR_S for hour in hours], DEVICES, lambda device, at: {METRIC: value(device, at // HOUR_S)})


def go(world, hours, *labels):
    send(world, hours)
    world.await_done(*labels)


def scores(world, label="live"):
    return [world.schemas.decode(m.value) for m in world.outputs(label, "scores")]


def models(world, label="live"):
    """Model -> how many scores rest on it."""
    return Counter(s["model"] for s in scores(world, label))


def newest(world, label="live"):
    """Device -> the model of its newest score."""
    return {s["device"]: s["model"] for s in sorted(scores(world, label), key=lambda s: s["event_time"])}


def import_model(line, tmp_path, version, seed, horizon=HORIZON, frequency="1h"):
    """Random weights."""
    file, tool = tmp_path / version, places.BUILD / "tests" / "unit" / "batch-forecaster" / "artefact_tool"
    subprocess.run([str(tool), str(file), "net", version, frequency, str(horizon), str(seed)], check=True)
    forebay(line, "models", "import", file)


def promote(line, version, to, *more):
    forebay(line, "models", "promote", version, f"--to={to}", *more)


def quantile(worker, name, q):
    """Upper bound of the bucket of a histogram in which it lies, in ms."""
    rows = [row for row in worker.http("/metrics")[1].splitlines() if row.startswith(f"{name}_bucket")]
    counts = [(row.split('le="')[1].split('"')[0], float(row.rpartition(" ")[2])) for row in rows]
    return next(1000 * float(bound) for bound, count in counts if count >= q * counts[-1][1])


# ---- tests ----

def test_trained_and_used(line, world, tmp_path):
    """Trained on what other pumps did; asked once there is enough of a past; better than the last value."""
    file, path = tmp_path / "series.jsonl", tmp_path / "trained.model"
    rows = [{"id": f"s{n}", "start": "2024-01-01 00:00:00",
             "target": [20 + 4 * n + 5 * math.sin(t * math.tau / 24) + random.Random(n * 10000 + t).gauss(0, 0.5)
                        for t in range(1000)]} for n in range(8)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    told = json.loads(forebay(line, "train", file, "--freq=1h", f"--horizon={HORIZON}", "--networks=1", "--layers=2",
                              "--hidden=40", "--epochs=6", "--batches=40", "--rate=0.005", "--seconds=0",
                              f"--model={path}", "--json").stdout)
    forebay(line, "models", "import", path)
    version = told["version"]
    live = world.worker(SCORER, **{**ONDEMAND, "ondemand_members": "deepar"})
    go(world, range(0, FIRST), "live")
    assert set(models(world)) == {"", "ondemand/classical"}, "it is a candidate"
    promote(line, f"{told['name']}/{version}", "live")
    go(world, range(FIRST, FIRST + 200), "live")
    used = [s for s in scores(world) if s["model"] == f"ondemand/{version}"]
    assert len(used) >= 180 * len(DEVICES)
    assert all(s["basis"] == "ondemand" and s["lower"] < s["expected"] < s["upper"] for s in used)
    of_last = [abs(s["value"] - value(s["device"], hour_of(s) - 6)) for s in used]
    missed = [abs(s["value"] - s["expected"]) for s in used]
    assert sum(missed) < 0.5 * sum(of_last), "it has learnt the day's wave"
    assert live.metric("forebay_scorer_ondemand_total", outcome="model") * 10 >= len(used) / 1.2
    assert live.metric("forebay_scorer_model_info", version=version) == 1
    print("ms of a forecast, p50 and p99 at most:",
          [quantile(live, "forebay_scorer_ondemand_seconds", q) for q in (0.5, 0.99)])


@pytest.mark.parametrize("interval", [100, HUGE], ids=["table", "log"])
def test_killed(line, world, tmp_path, interval):
    """Killed while versions come and go, it scores as its twin that was left in peace; and so does a run over the same readings."""
    import_model(line, tmp_path, "one", 1)
    import_model(line, tmp_path, "two", 2)
    promote(line, "net/one", "live")
    live = world.worker(SCORER, checkpoint_interval_ms=interval, **ONDEMAND)
    world.twin(SCORER, **ONDEMAND)

    def kill_at_work(hours):
        reached = sum(world.committed().values())
        send(world, hours)
        until(lambda: sum(world.committed().values()) > reached, "it has begun", pause_s=0.01)
        kill(live)
        live.start()
    kill_at_work(range(0, FIRST + 10))
    world.await_done("live", "twin")
    kill_at_work(range(FIRST + 10, FIRST + 60))
    world.await_done("live", "twin")
    promote(line, "net/two", "canary", "--share=0.5")
    kill_at_work(range(FIRST + 60, FIRST + 110))
    world.await_done("live", "twin")
    promote(line, "net/two", "live")
    kill(live)  # what is folded now was made with versions that no longer live
    live.start()
    kill_at_work(range(FIRST + 110, FIRST + 160))
    world.await_done("live", "twin")
    for topic in ("scores", "anomalies", "alerts"):
        assert grouped(world.outputs("live", topic)) == grouped(world.outputs("twin", topic)), topic
    assert set(models(world)) == {"", "ondemand/classical", "ondemand/one", "ondemand/two"}
    assert set(newest(world).values()) == {"ondemand/two"}
    assert not world.outputs("live", "letters")
    run = world.bounded(SCORER, "again", {"readings": {p: (0, end) for p, end in world.ends().items() if end}}, **ONDEMAND)
    assert run.exit_code(120) == 0, run.text()
    assert grouped(world.outputs("live", "scores.again")) == grouped(world.outputs("live", "scores"))


def test_what_cannot_be_had(line, world, database, tmp_path):
    """No version, then one that cannot be read, then one for other series, then PostgreSQL gone: the others forecast, and each score
    says so.  A version that comes later is used."""
    live = world.worker(SCORER, **ONDEMAND)
    go(world, range(0, FIRST), "live")
    import_model(line, tmp_path, "broken", 3)
    database.run("UPDATE forebay.models SET artefact = set_byte(artefact, 99, get_byte(artefact, 99) # 1)")
    promote(line, "net/broken", "live")
    go(world, range(FIRST, FIRST + 20), "live")
    assert live.metric("forebay_scorer_model_failures_total", reason="STATE_CORRUPT") >= 1
    import_model(line, tmp_path, "slow", 4, frequency="1D")
    promote(line, "net/slow", "canary", "--share=1")
    go(world, range(FIRST + 20, FIRST + 40), "live")
    assert set(models(world)) == {"", "ondemand/classical"}
    import_model(line, tmp_path, "good", 5)
    promote(line, "net/good", "canary", "--share=1")
    go(world, range(FIRST + 40, FIRST + 60), "live")
    assert set(newest(world).values()) == {"ondemand/good"}
    line.kill("postgres")
    try:
        go(world, range(FIRST + 60, FIRST + 80), "live")
        assert set(newest(world).values()) == {"ondemand/good"}, "what is at hand is used"
    finally:
        line.start("postgres")
    live.leave()
    live.options["postgres.uri"] = ""
    live.options["checkpoint.store"] = "none"
    live.start()
    assert live.exit_code() == 1
    assert "ondemand.members: deepar comes from postgres.uri" in live.text()
