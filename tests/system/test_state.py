"""States survive what happens to workers and to what they rest on: what comes out is what would have come out anyway.

Beside the worker that suffers there is a twin, in a group of its own, that reads the same and is left in peace.
"""
import json
import time
from collections import Counter

import pytest

from support.states import ETL, FORECASTER, SCORER, World, by_key, grouped, kill, names, noise, recovery, same, stamp
from support.wait import until

HUGE = 3600000
LADDER = {"checkpoint_interval_ms": 100, "checkpoint_ladder": "1s:10000"}
DEVICES = names(12)


def told(worker, reason):
    """What the log says under that reason."""
    return [e for e in worker.events() if e.get("reason") == reason]


def refuses(worker, reason, *words):
    """It ends with exit code 2 and an error that says so."""
    assert worker.exit_code() == 2, worker.text()
    said = told(worker, reason)
    assert said and all(str(word) in said[-1]["error"] for word in words), worker.text()


# ---- killed at work ----

INTERVALS = {"small": 100, "huge": HUGE}
ROSTER_KEY = b"\x1fmodels"
SPIKES = range(97, 100)   # rounds in which every third device is far off
BEFORE, BETWEEN, AFTER = range(0, 103), range(103, 135), range(135, 175)


def with_spikes(device, number):
    said = noise()(device, number)
    if number in SPIKES and int(device[-2:]) % 3 == 0:
        said["temperature"] += 60
    return said


@pytest.fixture(scope="module")
def killed(line, broker, database, module_fleet, schemas):
    """Workers of all kinds, killed with windows half full, alerts firing and histories grown; and in full work."""
    world = World(line, broker, database, module_fleet, schemas, "killed")
    inputs = {ETL: "readings", SCORER: "readings", FORECASTER: "etl-preprocessor-twin.series"}
    live = []
    for kind, topic in inputs.items():
        world.twin(kind, f"{kind}-twin", topics=[topic])
        for name, interval in INTERVALS.items():
            live.append(world.worker(kind, f"{kind}-{name}", topics=[topic], checkpoint_interval_ms=interval))
    everybody = [(f"{kind}-{name}", topic) for kind, topic in inputs.items() for name in (*INTERVALS, "twin")]

    def await_all():
        for label, topic in everybody:
            world.await_done(label, topic=topic)
    world.send(BEFORE, DEVICES, with_spikes)
    await_all()
    world.await_stored("etl-preprocessor-small")
    world.firing = {label: world.outputs(label, "alerts") for label, _ in everybody if label.startswith(SCORER)}
    world.ends_before = {label: world.broker.ends(f"killed.{label}.series") for label, _ in everybody if ETL in label}
    kill(*live)
    for worker in live:
        worker.start()
    world.recovered = {worker.options["group.id"].partition(".")[2]: recovery(worker) for worker in live}
    world.send(BETWEEN, DEVICES, with_spikes)
    kill(*live)
    for worker in live:
        worker.start()
    world.send(AFTER, DEVICES, with_spikes)
    await_all()
    world.exits = module_fleet.stop()
    yield world
    world.close()


@pytest.mark.parametrize("interval", INTERVALS)
@pytest.mark.parametrize("kind, topic", [(ETL, "series"), (SCORER, "scores"), (SCORER, "anomalies"), (SCORER, "alerts"),
                                         (FORECASTER, "forecasts")])
def test_killed_at_work(killed, kind, topic, interval):
    # Forecasts are sent in the order of their series; which series of a device is first is a matter of who waited for whom.
    unit = (lambda m: by_series(killed.schemas.decode(m.value))) if kind == FORECASTER else None
    same(killed, topic, f"{kind}-{interval}", f"{kind}-twin", unit)
    assert set(killed.exits.values()) == {0}
    assert not killed.outputs(f"{kind}-{interval}", "letters")


def test_killed_with_states_in_the_table_or_in_the_log(killed):
    """What it was rebuilt from: with a small interval states, with a huge one the records."""
    rosters = [p for p, key, _, _ in killed.states(f"{FORECASTER}-small") if key == ROSTER_KEY]
    partitions = {m.partition for m in killed.outputs("etl-preprocessor-twin", "series")}
    assert sorted(rosters) == sorted(partitions)   # the forecaster has one where it has seen a window
    for kind in (ETL, SCORER, FORECASTER):
        more = len(rosters) if kind == FORECASTER else 0
        assert killed.recovered[f"{kind}-small"]["states"] == 2 * len(DEVICES) + more
        assert killed.recovered[f"{kind}-huge"]["states"] == 0
        assert killed.recovered[f"{kind}-huge"]["records"] > 0
    assert killed.recovered["etl-preprocessor-small"]["records"] == 0
    assert killed.recovered["etl-preprocessor-huge"]["records"] == len(BEFORE) * len(DEVICES)


@pytest.mark.parametrize("interval", INTERVALS)
def test_killed_with_windows_half_full(killed, interval, schemas):
    label = f"etl-preprocessor-{interval}"
    first = schemas.decode(killed.outputs(label, "series", killed.ends_before[label])[0].value)
    split_us = stamp(BEFORE.stop, 0) * 1000
    assert first["start_time"] < split_us < first["start_time"] + 10 * first["step_us"]
    assert first["readings"] == 10 and first["imputed"] == 0
    windows = Counter(by_series(schemas.decode(m.value)) for m in killed.outputs(label, "series"))
    assert set(windows.values()) == {(AFTER.stop - 3) // 10} and len(windows) == 2 * len(DEVICES)


def by_series(record):
    return record["device"], record["metric"]


@pytest.mark.parametrize("interval", INTERVALS)
def test_killed_while_alerts_fire(killed, interval, schemas):
    label = f"realtime-scorer-{interval}"
    before = [schemas.decode(m.value) for m in killed.firing[label]]
    spiked = [a for a in before if a["metric"] == "temperature" and int(a["device"][-2:]) % 3 == 0 and a["value"] > 60]
    assert {a["status"] for a in spiked} == {"firing"}
    fired = {a["id"] for a in spiked}
    assert len(fired) == len(DEVICES) / 3
    alerts = [schemas.decode(m.value) for m in killed.outputs(label, "alerts")]
    ended = [a["id"] for a in alerts if a["status"] == "resolved"]
    assert fired <= set(ended) and len(ended) == len(set(ended))


# ---- tables ----

READER, LOOKER = "forebay_reader", "forebay_looker"
HARM = [
    # name, worker, what is done, how it is undone, as whom, reason, what the error names
    ("a table is gone", ETL, "ALTER TABLE forebay.states RENAME TO elsewhere",
     "ALTER TABLE forebay.elsewhere RENAME TO states", None, "STORE_SCHEMA", ["forebay.states", "forebay db migrate"]),
    ("a column is gone", SCORER, "ALTER TABLE forebay.state_rungs RENAME COLUMN clock TO hour",
     "ALTER TABLE forebay.state_rungs RENAME COLUMN hour TO clock", None, "STORE_SCHEMA",
     ["forebay.state_rungs", "clock", "forebay db migrate"]),
    ("a column has another type", ETL, "ALTER TABLE forebay.states ALTER state TYPE text USING encode(state, 'hex')",
     "ALTER TABLE forebay.states ALTER state TYPE bytea USING decode(state, 'hex')", None, "STORE_SCHEMA",
     ["forebay.states", "state bytea", "forebay db migrate"]),
    ("read-only", FORECASTER,
     f"CREATE ROLE {READER} LOGIN SUPERUSER; ALTER ROLE {READER} SET default_transaction_read_only = on",
     f"DROP ROLE {READER}", READER, "STORE_REFUSED", ["read-only"]),
    ("a right is missing", SCORER,
     f"CREATE ROLE {LOOKER} LOGIN; GRANT USAGE ON SCHEMA forebay TO {LOOKER}; "
     f"GRANT SELECT ON ALL TABLES IN SCHEMA forebay TO {LOOKER}",
     f"DROP OWNED BY {LOOKER}; DROP ROLE {LOOKER}", LOOKER, "STORE_REFUSED", ["INSERT", "forebay.state"]),
]


@pytest.mark.parametrize("kind, harm, repair, role, reason, says", [row[1:] for row in HARM],
                         ids=[row[0] for row in HARM])
def test_tables(line, world, database, kind, harm, repair, role, reason, says):
    """It ends before it is in the group: nobody loses a partition to it."""
    database.run(harm)
    try:
        options = {"postgres_uri": line.postgres_uri.replace("//forebay@", f"//{role}@")} if role else {}
        worker = world.worker(kind, **options)
        refuses(worker, reason, *says)
        assert not any(e.get("to") == "joined" for e in worker.events()) and world.members() == 0
    finally:
        database.run(repair)
    worker.options.pop("postgres.uri", None)
    worker.start().await_ready()
    until(lambda: world.members() == 1, "it is in the group")


# ---- PostgreSQL away ----

def test_postgres_away(line, world):
    """Away at the start, back, and away at work for longer than the backlog may grow."""
    line.kill("postgres")
    try:
        live = world.worker(ETL, checkpoint_interval_ms=200, checkpoint_backlog_max_records=1000, batch_max_records=100)
        world.twin(ETL)
        until(lambda: "STORE_DOWN" in json.dumps(live.http("/health")[1]), "/health tells", 30)
        assert live.http("/health?probe=ready")[0] == 503 and world.members() == 0
    finally:
        line.start("postgres")
    live.await_ready()
    world.send(range(0, 20), DEVICES, noise())
    world.await_stored()
    stored = sum(world.frontiers().values())
    line.kill("postgres")
    try:
        world.send(range(20, 220), DEVICES, noise())
        until(lambda: "STATE_BACKLOG" in json.dumps(live.http("/health")[1]), "/health tells", 60)
        assert live.http("/health?probe=ready")[0] == 503 and live.running()
        # A batch is under way when PostgreSQL goes: what it holds may count or not.
        reached = sum(world.committed().values())
        assert 1000 < reached - stored <= 1100
        tries = live.metric("forebay_retries_total", reason="STATE_BACKLOG")
        until(lambda: live.metric("forebay_retries_total", reason="STATE_BACKLOG") >= tries + 2, "it looks again", 30)
        assert sum(world.committed().values()) == reached, "no record is processed meanwhile"
    finally:
        line.start("postgres")
    world.await_done("live", "twin")
    live.await_ready()
    world.await_stored()
    same(world, "series")
    assert len(told(live, "STATE_BACKLOG")) > 0
    assert live.stop() == 0


# ---- a state that cannot be read ----

VICTIM = b"pump-05\x1ftemperature"


def next_rung():
    """The ladder's only period is over."""
    now = int(time.time())
    until(lambda: int(time.time()) > now, "the next second", pause_s=0.05)


def audit(world):
    """What fleet.audit says of this world."""
    found = [world.schemas.decode(m.value) for m in world.read("fleet.audit")]
    return [a for a in found if a["subject"].startswith(world.group())]


@pytest.mark.parametrize("rungs_too", [False, True], ids=["an older state", "all its records"])
def test_flipped_bytes(world, rungs_too):
    live, _ = world.worker(ETL, **LADDER), world.twin(ETL)
    for rounds in (range(0, 15), range(15, 36)):
        world.send(rounds, DEVICES, noise())
        world.await_stored()
        next_rung()
    partition, born = world.partition_of(VICTIM), world.born(VICTIM)
    rungs = [clock for _, key, clock, _ in world.states(table="state_rungs") if key == VICTIM]
    assert rungs, "there are older states"
    kill(live)
    assert world.flip(VICTIM) == 1
    if rungs_too:
        assert world.flip(VICTIM, "state_rungs") == len(rungs)
    live.start()
    # Of that partition alone: since the older state, or since its first record.
    assert recovery(live)["records"] == world.ends()[partition] - (born if rungs_too else max(rungs)) > 0
    [said] = told(live, "STATE_CORRUPT")
    assert (said["key"], said["partition"]) == (VICTIM.decode(), partition)
    world.send(range(36, 60), DEVICES, noise())
    world.await_done("live", "twin")
    same(world, "series")
    assert audit(world) == []


def test_flipped_bytes_and_nothing_left(world):
    live, _ = world.worker(ETL, checkpoint_interval_ms=100, checkpoint_ladder=""), world.twin(ETL)
    world.send(range(0, 36), DEVICES, noise())
    world.await_stored()
    world.await_done("twin")
    kill(live)
    partition, before = world.partition_of(VICTIM), world.broker.ends(f"{world.name}.live.series")
    assert world.flip(VICTIM) == 1
    end = world.ends()[partition]
    world.delete_records(world.topic("readings"), {partition: end})
    live.start()
    refuses(live, "STATE_CORRUPT", "pump-05", "temperature", end, "recovery.policy")
    assert audit(world) == []
    live.options["recovery.policy"] = "reset"
    live.start().await_ready()
    assert until(lambda: audit(world), "a line in fleet.audit")[0]["action"] == "state.reset"
    [line] = audit(world)
    assert "pump-05" in line["subject"] and "temperature" in line["subject"] and line["reason"]
    world.send(range(36, 60), DEVICES, noise())
    world.twin(ETL, "fresh")
    world.await_done("live", "twin", "fresh")
    victim = ("pump-05", "temperature")

    def of(label, start=None):
        return grouped(world.outputs(label, "series", start), lambda m: by_series(world.schemas.decode(m.value)))
    live_of, twin_of, fresh_of = of("live"), of("twin"), of("fresh")
    assert of("live", before)[victim] == fresh_of[victim] != of("twin", before)[victim]
    del live_of[victim], twin_of[victim]
    assert live_of == twin_of


# ---- records that are gone ----

def test_records_gone(world):
    live, _ = world.worker(ETL, checkpoint_interval_ms=100), world.twin(ETL)
    world.send(range(0, 23), DEVICES, noise())
    world.await_stored()
    frontiers = world.frontiers()
    assert live.stop() == 0
    live.options["checkpoint.interval.ms"] = HUGE
    live.start()
    world.send(range(23, 36), DEVICES, noise())
    world.await_done("live", "twin")
    kill(live)
    partition, before = world.partition_of(VICTIM), world.broker.ends(f"{world.name}.live.series")
    end = world.ends()[partition]
    assert 0 < frontiers[partition] < end
    world.delete_records(world.topic("readings"), {partition: end})
    live.start()
    topic = world.topic("readings")
    refuses(live, "OFFSET_GONE", f"{topic}[{partition}]", frontiers[partition], end, "recovery.policy")
    assert audit(world) == []
    live.options["recovery.policy"] = "reset"
    live.start().await_ready()
    [line] = until(lambda: audit(world), "a line in fleet.audit")
    assert (line["action"], line["subject"]) == ("state.reset", f"{world.group()}/{topic}/{partition}")
    assert str(end) in line["reason"] and str(frontiers[partition]) in line["reason"]
    world.send(range(36, 60), DEVICES, noise())
    world.twin(ETL, "fresh")
    world.await_done("live", "twin", "fresh")
    live_of, twin_of = (grouped(world.outputs(label, "series")) for label in ("live", "twin"))
    reset = grouped(world.outputs("live", "series", before))
    assert reset[partition] == grouped(world.outputs("fresh", "series"))[partition]
    del live_of[partition], twin_of[partition]
    assert live_of == twin_of and len(twin_of) > 1
    # Once is enough: what it has forgotten is not missed again.
    assert live.stop() == 0
    live.options["recovery.policy"] = "fail"
    live.start().await_ready()
    assert len(audit(world)) == 1


# ---- offsets set back ----

def test_offsets_set_back(world):
    live, _ = world.worker(ETL, instance_id="", **LADDER), world.twin(ETL)
    short = world.worker(ETL, "short", instance_id="", checkpoint_interval_ms=100, checkpoint_ladder="")
    ends = []
    for rounds in (range(0, 23), range(23, 41), range(41, 66)):
        world.send(rounds, DEVICES, noise())
        world.await_stored("live")
        world.await_stored("short")
        next_rung()
        ends.append(world.ends())
    assert (live.stop(), short.stop()) == (0, 0)
    # Somewhere between two rungs.
    target = {p: (ends[0][p] + ends[1][p]) // 2 for p in ends[0]}
    stamps = {(m.partition, m.offset): m.timestamp_ms for m in world.read(world.topic("readings"))}
    since = {p: stamps[p, o] for p, o in target.items() if (p, o) in stamps}
    first, starts = world.outputs("live", "series"), world.broker.ends(f"{world.name}.live.series")

    world.set_offsets(target, "short")
    short.start()
    assert short.exit_code() == 2, short.text()
    [said] = told(short, "STATE_TOO_OLD")
    assert "pump-" in said["error"] and any(f"offset {o};" in said["error"] for o in target.values()), said
    # It is none the worse for having been refused.
    world.set_offsets(ends[2], "short")
    short.start()

    world.set_offsets(target)
    live.start()
    live.await_log(lambda e: e.get("event") == "offsets were set back; states go back with them")
    world.await_done("live")
    again = grouped(world.outputs("live", "series", starts))
    assert again and again == grouped(m for m in first if m.timestamp_ms >= since[m.partition])
    world.await_done("twin")
    starts, twin_starts = (world.broker.ends(f"{world.name}.{label}.series") for label in ("live", "twin"))
    world.send(range(66, 80), DEVICES, noise())
    world.await_done("live", "short", "twin")
    assert grouped(world.outputs("live", "series", starts)) == grouped(world.outputs("twin", "series", twin_starts))
    same(world, "series", "short")


# ---- a state that grows too large ----

def test_state_too_large(world):
    """One device speaks more often than once in a millisecond, too often for its place in the order; what is beyond is
    dead-lettered, and that stays so."""
    slow = {"lateness_ms": 100}
    limit = {"state_key_max_bytes": 4096}
    live = world.worker(ETL, checkpoint_interval_ms=HUGE, **slow, **limit)
    world.twin(ETL, **slow, **limit)
    world.twin(ETL, "free", **slow)
    loud = "pump-05"

    def talk(rounds):
        for number in rounds:
            world.send([number], DEVICES, noise())
            if number % 5 == 0:
                world.chatter([number], loud, noise(), 200, within=0.1)
    talk(range(0, 40))
    world.await_done("live", "twin")
    kill(live)
    letters = world.outputs("live", "letters")
    assert letters
    live.start()
    assert recovery(live)["records"] == sum(world.ends().values())
    talk(range(40, 80))
    world.await_done("live")
    kill(live)
    live.start()
    talk(range(80, 160))
    world.await_done("live", "twin", "free")
    letters = world.outputs("live", "letters")
    assert {(m.key, m.header("forebay.reason")) for m in letters} == {(loud.encode(), "STATE_TOO_LARGE")}
    assert all(loud in m.header("__connect.errors.exception.message") for m in letters)
    assert grouped(letters) == grouped(world.outputs("twin", "letters"))
    same(world, "series")
    assert not world.outputs("free", "letters")
    ours, free = (grouped(world.outputs(label, "series"), by_key) for label in ("live", "free"))
    assert ours.pop(loud.encode()) != free.pop(loud.encode())
    assert ours == free and len(ours) == len(DEVICES) - 1
