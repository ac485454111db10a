"""States that another version of the workers has stored.

Real workers learn, and stop.  Their states are then rewritten, by this test and not by the product, as a version would have written
them whose structures have their members in another order, one less and one more.  The workers go on, and what they know in the end
is held against a rebuild from the log alone.
"""
import json

import pytest

from support import telemetry
from support.broker import Publisher
from support.fleet import await_quiet, forebay, group
from support.image import fingerprint, joined, opened, pieces, sealed, signed, split
from support.wait import until

DEVICES = 20  # enough that every partition has one
WAVE = 200  # rounds of readings, 20 s apart: a window of series and more
STATEFUL = ("etl-preprocessor", "batch-forecaster", "realtime-scorer")
EVERYBODY = ("ingest-router", *STATEFUL)


def send(line, wave):
    publisher = Publisher(line.bootstrap)
    for number in range(wave * WAVE, (wave + 1) * WAVE):
        for device in range(DEVICES):
            name = f"pump-{device:02d}"
            body = {"device": name, "time": telemetry.START_US // 1000 + number * 20_000,
                    "metrics": {"temperature": 20 + (number * 7 + device) % 13}}
            publisher.send(name.encode(), json.dumps(body).encode())
    publisher.flush()


def checkpoints(stack, *words, code=0):
    done = forebay(stack, "checkpoints", *words, "--json", check=False)
    assert done.returncode == code, f"{words}\n{done.stdout}\n{done.stderr}"
    return json.loads(done.stdout)


def settled(stack):
    rows = checkpoints(stack, "list", "--run.id=live")["partitions"]
    return {row["group"] for row in rows} >= {group(name) for name in STATEFUL} and all(row["lag"] == 0 for row in rows)


def start(fleet):
    for name in STATEFUL:
        fleet.add(name, checkpoint_interval_ms=200).await_ready()


def learn(line, broker, fleet, wave):
    send(line, wave)
    await_quiet(broker, fleet, EVERYBODY)
    until(lambda: settled(line), f"all states are stored (logs in {fleet.logs})", 120)


# ---- states as another version writes them ----

class OtherVersion:
    """Rewrites the stored states of a worker."""

    def __init__(self, database):
        self.database = database

    def other_layout(self, layout):
        title, members = split(layout)
        return title, [("left_since", "[u8]"), *reversed(members)]

    def rewritten(self, layout, members):
        held = pieces(layout, members) | {"left_since": b"\x03\0\0\0abc"}
        title, others = self.other_layout(layout)
        return sealed(joined(title, others), b"".join(held[name] for name, _ in others))

    def store(self, worker):
        """All of them; how many."""
        layouts = {fingerprint(text): text for (text,) in self.database.rows("SELECT layout FROM forebay.state_layouts")}
        states = self.database.rows("SELECT s.partition, s.key, s.state FROM forebay.states s JOIN forebay.state_partitions p ON "
                                    "p.id = s.partition WHERE p.run = 'live' AND p.worker = %s", group(worker))
        for partition, key, state in states:
            found, members = opened(bytes(state))
            text = joined(*self.other_layout(layouts[found]))
            self.database.run("INSERT INTO forebay.state_layouts VALUES (%s, %s) ON CONFLICT DO NOTHING", signed(fingerprint(text)), text)
            self.database.run("UPDATE forebay.states SET state = %s WHERE partition = %s AND key = %s",
                              self.rewritten(layouts[found], members), partition, bytes(key))
        return len(states)


@pytest.fixture(scope="module")
def upgraded(line, module_fleet, broker, database):
    """Workers that have gone on from what another version had stored; how many states that were, by worker."""
    module_fleet.add("ingest-router").await_ready()
    start(module_fleet)
    learn(line, broker, module_fleet, 0)
    for name in STATEFUL:
        module_fleet[f"{name}-0"].stop()
    counts = {name: OtherVersion(database).store(name) for name in STATEFUL}
    start(module_fleet)
    return counts


@pytest.mark.parametrize("name", STATEFUL)
def test_states_of_another_layout_are_read(upgraded, module_fleet, name):
    assert upgraded[name] >= DEVICES
    worker = module_fleet[f"{name}-0"]
    until(lambda: worker.metric("forebay_state_translations_total") == upgraded[name], "all states are back")
    assert worker.text().count("states of another layout are read by the names of their members") == 1


def test_nothing_was_forgotten(line, upgraded, module_fleet, broker, database):
    audits = broker.ends("fleet.audit")
    before = {name: checkpoints(line, "verify", "--worker", name, "--from=0", code=2) for name in STATEFUL}
    for name, found in before.items():
        assert sum(part["other_layout"] for part in found["partitions"]) == upgraded[name], "verify does not take them for wrong"
    learn(line, broker, module_fleet, 1)
    for name in STATEFUL:
        found = checkpoints(line, "verify", "--worker", name, "--from=0")
        assert found["holds"] and sum(part["equal"] for part in found["partitions"]) == upgraded[name], found
    assert broker.ends("fleet.audit") == audits, "no state was reset"
