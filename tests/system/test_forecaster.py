"""Trained models in use: forecasts carry the version that served them, a canary serves its share of the devices, and a
worker that is killed while all this happens says afterwards what its twin says that was left in peace.

The artefacts have random weights: nothing here is about how good a forecast is.
"""
import subprocess

import pytest

from support import places
from support.broker import Publisher
from support.fleet import forebay
from support.states import FORECASTER, STEP_MS, START_MS, by_key, grouped, kill, noise
from support.wait import until

WINDOW = 10            # steps, of a second
DEVICES = [f"pump-{n:02d}" for n in range(12)]
METRIC = "temperature"
MASK = (1 << 64) - 1


@pytest.fixture
def world(world):
    world.make(f"{world.name}.models", f"{world.name}.series")
    return world


# ---- models ----

def new_model(line, tmp_path, version, seed, *more, name="net", frequency="1s", horizon=4):
    """An artefact in PostgreSQL."""
    file = tmp_path / version
    tool = places.BUILD / "tests" / "unit" / "batch-forecaster" / "artefact_tool"
    subprocess.run([str(tool), str(file), name, version, frequency, str(horizon), str(seed), *more], check=True)
    forebay(line, "models", "import", file)


def announce(world, version, status, share=0.0, name="net"):
    """As the trainer does: on every partition, so that whoever reads one knows of all models."""
    record = {"name": name, "version": version, "family": "deepar", "status": status, "created_time": 0, "from_time": 0,
              "to_time": 1, "canary_share": share, "parent": None, "figures": {},
              "uri": f"postgresql:{name}/{version}", "artefact": None, "sha256": None}
    publisher = Publisher(world.stack.bootstrap, f"{world.name}.models")
    for partition in range(world.partitions):
        publisher.send(f"{name}/{version}".encode(), world.schemas.encode("Model", record), partition=partition,
                       timestamp=START_MS)
    publisher.flush()


def await_told(world, *labels):
    """They have read all announcements; nobody is sent a window meanwhile, so all apply them at the same place."""
    def all_told():
        world.fleet.require_running()
        return all(world.done(label, "models") for label in labels)
    until(all_told, f"{world.name}: {labels} know the models")


def in_share(device, share):
    """common/base/random.c: FNV-1a and a final mix."""
    h = 0xCBF29CE484222325
    for byte in device.encode():
        h = ((h ^ byte) * 0x100000001B3) & MASK
    h = ((h ^ (h >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    h = ((h ^ (h >> 27)) * 0x94D049BB133111EB) & MASK
    return ((h ^ (h >> 31)) >> 11) / (1 << 53) < share


# ---- windows ----

def worker(world, label="live", **options):
    more = {"side_topics": f"{world.name}.models", "outcomes_topic": f"{world.name}.{label}.outcomes",
            "paths": 20, "batch_max_records": 7, **options}
    world.make(*{more["outcomes_topic"]} - world.made)
    return world.worker(FORECASTER, label, **more)


def twin(world):
    return worker(world, "twin", checkpoint_store="none", batch_max_records=1000)


def send(world, rounds):
    """A window of each device in each round."""
    values = noise()
    publisher = Publisher(world.stack.bootstrap, f"{world.name}.series")
    for number in rounds:
        for place, device in enumerate(DEVICES):
            start = number * WINDOW
            target = [values(device, at)[METRIC] + at % 10 for at in range(start, start + WINDOW)]
            ends_ms = START_MS + (start + WINDOW) * STEP_MS
            record = {"device": device, "metric": METRIC, "unit": None, "start_time": (START_MS + start * STEP_MS) * 1000,
                      "step_us": STEP_MS * 1000, "sequence": number, "target": target, "flags": bytes(WINDOW),
                      "readings": WINDOW, "imputed": 0, "outliers": 0, "dropped": 0, "late": 0, "repeated": 0,
                      "ingest_time": ends_ms * 1000}
            publisher.send(device.encode(), world.schemas.encode("Series", record), timestamp=ends_ms + place)
    publisher.flush()


def go_through(world, rounds, *labels):
    send(world, rounds)
    world.await_done(*labels, topic="series")


def records(world, topic, label="live"):
    return [world.schemas.decode(m.value) for m in world.outputs(label, topic)]


def versions(world, label="live"):
    """Device -> the version of each of its forecasts, in their order."""
    found = {}
    for record in sorted(records(world, "forecasts", label), key=lambda r: r["origin_time"]):
        found.setdefault(record["device"], []).append(record["version"])
    return found


# ---- tests ----

def test_life_of_two_models(line, world, tmp_path):
    """One lives, another serves half of the devices, lives in its place, retires."""
    new_model(line, tmp_path, "life-1", 1)
    new_model(line, tmp_path, "life-2", 2)
    live = worker(world)
    go_through(world, range(0, 3), "live")
    for number, told in enumerate([[("life-1", "live")], [("life-2", "canary")],
                                   [("life-1", "retired"), ("life-2", "live")], [("life-2", "retired")]]):
        for version, status in told:
            announce(world, version, status, 0.5 if status == "canary" else 0.0)
        await_told(world, "live")
        go_through(world, range(3 + 2 * number, 5 + 2 * number), "live")
    chosen = {device for device in DEVICES if in_share(device, 0.5)}
    assert 0 < len(chosen) < len(DEVICES)
    for device, said in versions(world).items():
        canary = "life-2" if device in chosen else "life-1"
        assert said == [""] * 3 + ["life-1"] * 2 + [canary] * 2 + ["life-2"] * 2 + [""] * 2, device
    forecasts = records(world, "forecasts")
    assert all(("deepar" in {m["name"] for m in f["members"]}) == (f["version"] != "") for f in forecasts)
    rivals = {(o["device"], o["version"], o["rival"]) for o in records(world, "outcomes") if o["rival"]}
    assert rivals == {(d, "life-2", "life-1") if d in chosen else (d, "life-1", "life-2") for d in DEVICES}
    assert live.metric("forebay_forecasts_total", basis="model") == 6 * len(DEVICES)
    assert not world.outputs("live", "letters")


def test_killed_with_models(line, world, tmp_path):
    """Killed with states in the table and in the log, after models have come and gone, and in full work."""
    new_model(line, tmp_path, "killed-1", 3)
    new_model(line, tmp_path, "killed-2", 4)
    lives = {"small": worker(world, "small", checkpoint_interval_ms=100),
             "huge": worker(world, "huge", checkpoint_interval_ms=3600000)}
    twin(world)
    everybody = (*lives, "twin")

    def tell(version, status, share=0.0):
        announce(world, version, status, share)
        await_told(world, *everybody)

    def kill_all():
        kill(*lives.values())
        for dead in lives.values():
            dead.start()
    go_through(world, range(0, 4), *everybody)
    tell("killed-1", "live")
    go_through(world, range(4, 8), *everybody)
    tell("killed-2", "canary", 0.5)
    go_through(world, range(8, 12), *everybody)
    kill_all()
    send(world, range(12, 30))
    kill_all()
    world.await_done(*everybody, topic="series")
    tell("killed-1", "retired")
    tell("killed-2", "live")
    send(world, range(30, 40))
    kill_all()
    world.await_done(*everybody, topic="series")
    for label in lives:
        for topic in ("forecasts", "outcomes"):
            ours = grouped(world.outputs(label, topic), by_key)
            assert ours and ours == grouped(world.outputs("twin", topic), by_key), (label, topic)
        assert not world.outputs(label, "letters")
    used = {version for said in versions(world, "small").values() for version in said}
    assert used == {"", "killed-1", "killed-2"}
    world.await_stored("small", topic="series")
    assert lives["huge"].stop() == 0 and lives["small"].stop() == 0
    # What is stored is what folding gives: the huge one stores at its end.
    assert states(world, "huge") == states(world, "small")


def states(world, label):
    return [(key, state) for _, key, _, state in world.states(label)]


def test_postgres_without_the_model(line, world, tmp_path):
    """A version that is announced before it can be fetched is used once it can be."""
    live = worker(world)
    announce(world, "later-1", "live")
    await_told(world, "live")
    go_through(world, range(0, 2), "live")
    assert {v for said in versions(world).values() for v in said} == {""}
    assert live.metric("forebay_forecaster_model_failures_total", reason="STORE_DOWN") >= 1
    new_model(line, tmp_path, "later-1", 5)
    rounds = iter(range(2, 100))

    def used():
        number = next(rounds)
        go_through(world, range(number, number + 1), "live")
        return {said[-1] for said in versions(world).values()} == {"later-1"}
    until(used, "the model is used", 30, pause_s=0.5)
    assert live.stop() == 0


def test_a_model_that_wants_categories_serves_nobody(line, world, tmp_path):
    """It was trained on files and brought from there: the record says that no model took part, the log once why."""
    new_model(line, tmp_path, "special-1", 1, "5", "0.04")
    live = worker(world)
    announce(world, "special-1", "live")
    await_told(world, "live")
    go_through(world, range(0, 3), "live")
    assert {v for said in versions(world).values() for v in said} == {""}
    assert not any("deepar" in {m["name"] for m in f["members"]} for f in records(world, "forecasts"))
    assert live.metric("forebay_forecasts_total", basis="model") in (None, 0)
    told = [event for event in live.events() if event["event"] == "a model cannot be used"]
    assert len(told) == 1 and told[0]["model"] == "net/special-1" and "it wants 2 categories" in told[0]["error"]
    assert live.stop() == 0
