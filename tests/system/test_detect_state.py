"""A scorer with every member and with groups, killed while alerts are open, says afterwards what its twin says.

Forests and banks of shapes are states like any other: stored, read back, folded again.  The twin reads the same and is
left in peace; its states are in memory alone.
"""
import pytest

from support.states import SCORER, World, grouped, kill, noise

DEVICES = [f"pump-{n:02d}" for n in range(6)]
INTERVALS = {"small": 100, "huge": 3600000}   # killed with states in the table, or with nothing but the log
OPTIONS = {"detect_members": "scalar,forecast,forest,neighbours", "detect_groups": "pair=temperature,humidity; *",
           "forest_trees": 10, "forest_sample": 64, "neighbours_length": 16, "neighbours_bank": 32,
           "score_warmup_readings": 60, "score_slots_per_day": 1, "alert_refractory_readings": 20,
           "alert_pending_p": 1e-2, "alert_firing_p": 3e-3, "alert_critical_p": 1e-4, "alert_fdr_level": 0,
           "alert_calm_readings": 8}
SPIKES = range(196, 200)
BEFORE, BETWEEN, AFTER = range(0, 200), range(200, 230), range(230, 290)


def planted(device, number):
    """Spikes in one metric of every second device; now and then a metric is missing, or a thousand times too large."""
    said = noise()(device, number)
    if number in SPIKES and int(device[-2:]) % 2 == 0:
        said["temperature"] += 80
    if number % 23 == 7:
        del said["humidity"]
    if number % 97 == 11:
        said["humidity"] *= 1000
    return said


@pytest.fixture(scope="module")
def killed(line, broker, database, module_fleet, schemas):
    world = World(line, broker, database, module_fleet, schemas, "detect")
    live = [world.worker(SCORER, name, checkpoint_interval_ms=ms, **OPTIONS) for name, ms in INTERVALS.items()]
    world.twin(SCORER, **OPTIONS)
    everybody = (*INTERVALS, "twin")

    world.send(BEFORE, DEVICES, planted)
    world.await_done(*everybody)
    world.await_stored("small")
    world.before = {label: [schemas.decode(m.value) for m in world.outputs(label, "alerts")] for label in everybody}
    kill(*live)
    for worker in live:
        worker.start()
    world.send(BETWEEN, DEVICES, planted)
    kill(*live)
    for worker in live:
        worker.start()
    world.send(AFTER, DEVICES, planted)
    world.await_done(*everybody)
    world.exits = module_fleet.stop()
    yield world
    world.close()


@pytest.mark.parametrize("interval", INTERVALS)
@pytest.mark.parametrize("topic", ["scores", "anomalies", "alerts"])
def test_says_what_its_twin_says(killed, topic, interval):
    ours = grouped(killed.outputs(interval, topic))
    assert ours, f"nothing in {topic}"
    assert ours == grouped(killed.outputs("twin", topic))
    assert set(killed.exits.values()) == {0}
    assert not killed.outputs(interval, "letters")


def test_killed_while_alerts_were_open(killed, schemas):
    open_then = [a for a in killed.before["twin"] if a["status"] == "firing"]
    resolved = {a["id"] for a in killed.before["twin"] if a["status"] == "resolved"}
    open_then = {a["id"] for a in open_then} - resolved
    assert {a["metric"] for a in killed.before["twin"] if a["id"] in open_then} >= {"temperature"}
    for label in INTERVALS:
        alerts = [schemas.decode(m.value) for m in killed.outputs(label, "alerts")]
        assert open_then <= {a["id"] for a in alerts if a["status"] == "resolved"}
        ids = [(a["id"], a["status"]) for a in alerts]
        assert len(ids) == len(set(ids)), "each alert opens once and ends once"


def test_every_member_has_its_say(killed, schemas):
    scores = [schemas.decode(m.value) for m in killed.outputs("small", "scores")]
    single = [s for s in scores if not s["metric"].startswith("group:")]
    rows = [s for s in scores if s["metric"].startswith("group:")]
    assert {s["metric"] for s in rows} == {"group:pair", "group:all"}
    late = [s for s in single if s["note"] == ""]
    assert late and all(s["p_scalar"] is not None and s["p_forest"] is not None for s in late)
    assert any(s["p_neighbours"] is not None for s in late)
    assert {s["note"] for s in scores} >= {"learning", ""}
    missing = [s for s in rows if any(a["direction"] == "missing" for a in s["attribution"])]
    assert missing and all(a["column"] == "humidity" and a["share"] == 0 for s in missing
                           for a in s["attribution"] if a["direction"] == "missing")
    strange = [s for s in rows if any(a["share"] > 0 for a in s["attribution"])]
    assert strange and all(abs(sum(a["share"] for a in s["attribution"]) - 1) < 1e-6 for s in strange
                           if not any(a["direction"] == "missing" for a in s["attribution"]))


def test_anomalies_say_why(killed, schemas):
    found = [schemas.decode(m.value) for m in killed.outputs("small", "anomalies")]
    assert all(a["reason"] for a in found)
    planted_then = [a for a in found if a["metric"] == "temperature" and a["value"] > 80]
    assert {a["device"] for a in planted_then} == {d for d in DEVICES if int(d[-2:]) % 2 == 0}
    assert all(a["lower"] < a["expected"] < a["upper"] < a["value"] and a["detector"] for a in planted_then)
    grouped_then = [a for a in found if a["metric"] == "group:pair" and "temperature" in a["reason"]]
    assert any(a["attribution"] and a["attribution"][0]["column"] == "temperature" and
               a["attribution"][0]["direction"] == "high" for a in grouped_then)


def test_states_hold_the_forests(killed):
    """A state per metric and per group, those of groups under keys of their own; none is lost, none is large."""
    states = killed.states("small")
    groups = [s for s in states if s[1].startswith(b"\x1fgroup")]
    assert len(groups) == 2 * len(DEVICES) and len(states) == 4 * len(DEVICES)
    assert all(2000 < len(s[3]) < 40000 for s in states), [len(s[3]) for s in states]
