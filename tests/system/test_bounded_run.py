"""Bounded runs: the same worker over given offsets, as it was done live; beside the live one, without a trace in it."""
import json
import subprocess

import pytest
from confluent_kafka.admin import ConfigResource

from support import places
from support.broker import Publisher
from support.states import ETL, ROUTER, SCORER, START_MS, STEP_MS, World, kill, noise, stamp
from support.wait import until

DEVICES = [f"pump-{n:02d}" for n in range(12)]
WAVES = (range(0, 43), range(43, 86), range(86, 129))
LADDER = {"checkpoint_interval_ms": 100, "checkpoint_ladder": "1s:10000"}


# ---- what cannot be: exit code 1 and one line ----

PLAN = "telemetry.readings.0 = 0..10\n"
WRONG = [
    # name, lines of the plan (None: no such file), flags, what the line must say
    ("no such file", None, ["--run.id=x"], ["/no/such/file", "run.plan"]),
    ("a bad line", PLAN + "# fine\n\nthe first hundred\n", ["--run.id=x"], ["line 4", "<topic>.<partition>"]),
    ("more than a line says", PLAN[:-1] + " or so\n", ["--run.id=x"], ["line 1"]),
    ("no partition in the name", "readings = 0..10\n", ["--run.id=x"], ["line 1"]),
    ("an end before the start", "telemetry.readings.0 = 10..9\n", ["--run.id=x"], ["line 1"]),
    ("a partition twice", PLAN + PLAN, ["--run.id=x"], ["line 2", "telemetry.readings.0"]),
    ("a topic that is not read", PLAN + "telemetry.raw.0 = 0..10\n", ["--run.id=x"], ["telemetry.raw", ETL]),
    ("nothing in it", "# later\n", ["--run.id=x"], ["no partition"]),
    ("a plan without a name", PLAN, [], ["run.plan", "run.id"]),
    ("a name without a plan", "", ["--run.id=x", "--run.plan="], ["run.plan", "run.id"]),
    ("no address of a database", PLAN, ["--run.id=x", "--postgres.uri=nowhere"], ["postgres.uri: not of the form"]),
    ("outputs elsewhere in the live run", "", ["--run.plan=", "--run.outputs=shadow"], ["run.outputs"]),
]


@pytest.mark.parametrize("lines, flags, says", [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_wrong_plans(lines, flags, says, tmp_path):
    plan = tmp_path / "plan"
    plan.write_text(lines or "")
    command = [str(places.program(ETL)), "--bootstrap.servers=127.0.0.1:1", f"--schema.dir={places.SCHEMAS}",
               "--postgres.uri=postgresql://nobody@127.0.0.1:1/none", "--listen="]
    if "--run.plan=" not in flags:
        command.append(f"--run.plan={plan if lines is not None else '/no/such/file'}")
    done = subprocess.run([*command, *flags], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                          env={"PATH": "/usr/bin:/bin"}, check=False)
    errors = done.stderr.strip().splitlines()
    assert (done.returncode, len(errors)) == (1, 1), errors
    parts = json.loads(errors[0])["error"].split(": ")
    assert all(word in ": ".join(parts) for word in says), errors
    assert all(a != b for a, b in zip(parts, parts[1:])), f"said twice: {errors}"


# ---- a live worker's past ----

@pytest.fixture(scope="module")
def lived(line, broker, database, module_fleet, schemas):
    """A live worker with three waves behind it and older states of each."""
    world = World(line, broker, database, module_fleet, schemas, "lived")
    live = world.worker(ETL, **LADDER)
    world.after = []  # each wave, where the inputs ended
    for rounds in WAVES:
        world.send(rounds, DEVICES, noise())
        world.await_stored()
        now = newest(world)
        until(lambda: database.value("SELECT floor(extract(epoch FROM now()))") > now // 1000000, "the next rung")
        world.after.append(world.ends())
    assert live.running()
    world.stamps = {(m.partition, m.offset): m.timestamp_ms for m in world.read(world.topic("readings"))}
    world.held = [p for p, end in world.ends().items() if end]
    yield world
    assert live.stop() == 0
    world.close()


def newest(world):
    return world.database.value("SELECT max(taken_us) FROM forebay.states")


def between(world, share):
    """Partition -> an offset in the last but one wave (SHARE of it)."""
    return {p: int(world.after[0][p] + share * (world.after[1][p] - world.after[0][p])) for p in world.held}


def cut(world, start, end):
    """What the live worker has sent because of the records [start, end) of these partitions."""
    last = max(world.stamps.values()) + 1
    since = {p: world.stamps.get((p, o), last) for p, o in start.items()}
    until_ms = {p: world.stamps.get((p, o), last) for p, o in end.items()}
    return [m for m in world.outputs("live", "series")
            if m.partition in start and since[m.partition] <= m.timestamp_ms < until_ms[m.partition]]


def plan(start, end, topic="readings"):
    return {topic: {p: (start[p], end[p]) for p in start}}


def everything(messages):
    return [(m.partition, m.key, m.value, m.timestamp_ms) for m in messages]


def live_trace(world):
    """All that a run must leave as it was."""
    topics = ("live.series", "live.letters", "readings")
    return ({t: world.ends(t) for t in topics}, world.committed(), world.states(), world.states(table="state_rungs"),
            world.frontiers(), world.broker.ends("fleet.journal"))


def finished(worker):
    """It has ended by itself; the summary."""
    assert worker.exit_code(120) == 0, worker.text()
    [summary] = [e for e in worker.events() if e.get("event") == "caught up"]
    return summary


def back(worker):
    return next(e for e in worker.events() if e.get("event") == "states are back")


def run_states(world, run):
    return [(p, key, state) for p, key, _, state in world.states(run=run)]


RANGES = {
    # run, whether some partitions alone, from, to
    "whole": (False, lambda w: {p: 0 for p in w.held}, lambda w: {p: w.after[2][p] for p in w.held}),
    "first": (True, lambda w: {p: 0 for p in w.held}, lambda w: between(w, 0.5)),
    "middle": (True, lambda w: between(w, 0.4), lambda w: between(w, 1.3)),
    "last": (False, lambda w: between(w, 0.7), lambda w: {p: w.after[2][p] for p in w.held}),
    "none-at-all": (False, lambda w: between(w, 0.6), lambda w: between(w, 0.6)),
}


@pytest.mark.parametrize("run", RANGES)
def test_a_range_is_repeated(lived, run):
    some, start, end = RANGES[run][0], RANGES[run][1](lived), RANGES[run][2](lived)
    chosen = lived.held[::2] if some else lived.held
    start, end = ({p: offsets[p] for p in chosen} for offsets in (start, end))
    before = live_trace(lived)
    worker = lived.bounded(ETL, run, plan(start, end))
    summary = finished(worker)
    wanted = cut(lived, start, end)
    assert (summary["run"], summary["records"], summary["outputs"], summary["dead_letters"]) == \
        (run, sum(end.values()) - sum(start.values()), len(wanted), 0)
    assert everything(lived.outputs("live", f"series.{run}")) == everything(wanted)
    assert bool(wanted) == (run != "none-at-all")
    assert live_trace(lived) == before
    committed = lived.committed(f"live.{run}")
    assert {p: committed[p] for p in chosen if end[p] > start[p]} == {p: end[p] for p in chosen if end[p] > start[p]}
    assert not any(committed[p] for p in lived.held if p not in chosen)
    if max(start.values()):
        # As of the start: from older states and the records since, not from all of them.
        assert back(worker)["states"] > 0 and back(worker)["records"] < sum(start.values())
    else:
        assert (back(worker)["states"], back(worker)["records"]) == (0, 0)
    if end == {p: lived.after[2][p] for p in chosen}:
        assert run_states(lived, run) == run_states(lived, "live"), "it comes to the states of the live one"


def test_a_finished_run_has_nothing_left_to_do(lived):
    start, end = between(lived, 0.1), between(lived, 0.9)
    first = finished(lived.bounded(ETL, "again", plan(start, end)))
    sent = everything(lived.outputs("live", "series.again"))
    assert first["records"] > 0 and sent
    second = finished(lived.bounded(ETL, "again", plan(start, end)))
    assert (second["records"], second["outputs"]) == (0, 0)
    assert everything(lived.outputs("live", "series.again")) == sent


@pytest.mark.parametrize("interval", [100, 3600000], ids=["states", "records"])
def test_killed_in_the_middle(lived, interval):
    """Started again it goes on, from its own states or from its records, and has done everything once."""
    run, start, end = f"killed-{interval}", between(lived, 0.3), lived.after[2]
    slow = {"batch_max_records": 8, "checkpoint_interval_ms": interval}
    worker = lived.bounded(ETL, run, plan(start, end), **slow)

    def reached():
        return sum(max(o - start[p], 0) for p, o in lived.committed(f"live.{run}").items() if p in start)
    for least in (40, 120):
        until(lambda: reached() > least, "it is under way", pause_s=0.005)
        kill(worker)
        assert not any(e.get("event") == "caught up" for e in worker.events()), "killed too late to show anything"
        worker.start()
    summary = finished(worker)
    assert 0 < summary["records"] < sum(end[p] - start[p] for p in start) - 120
    assert everything(lived.outputs("live", f"series.{run}")) == everything(cut(lived, start, end))
    assert run_states(lived, run) == run_states(lived, "live")


def test_states_alone(lived):
    before, topics = live_trace(lived), set(lived.broker.topics())
    start, end = between(lived, 0.5), lived.after[2]
    summary = finished(lived.bounded(ETL, "silent", plan(start, end), run_outputs="none"))
    assert (summary["records"], summary["outputs"]) == (sum(end[p] - start[p] for p in start), 0)
    assert run_states(lived, "silent") == run_states(lived, "live")
    assert live_trace(lived) == before and set(lived.broker.topics()) == topics


def test_from_empty_states(lived, schemas):
    """run.source.group=none: as if the start were the beginning of the world."""
    before = live_trace(lived)
    start, end = between(lived, 0.5), lived.after[2]
    worker = lived.bounded(ETL, "empty", plan(start, end), run_source_group="none")
    assert finished(worker)["records"] == sum(end[p] - start[p] for p in start)
    assert (back(worker)["states"], back(worker)["records"]) == (0, 0)
    assert live_trace(lived) == before
    first = {}
    for m in lived.outputs("live", "series.empty"):
        window = schemas.decode(m.value)
        first.setdefault((window["device"], window["metric"]), (m.partition, window))
    assert len(first) == 2 * len(DEVICES)
    for (device, _), (partition, window) in first.items():
        begins = min(ms for (p, o), ms in lived.stamps.items() if p == partition and o >= start[p]
                     and (ms - START_MS) % STEP_MS == DEVICES.index(device))
        assert window["sequence"] == 0
        assert window["start_time"] == (begins - begins % STEP_MS) * 1000


def test_outputs_of_a_run_go_live(world):
    """run.outputs=live, the default of a replay: nobody else had done this range."""
    world.send(range(0, 60), DEVICES, noise())
    twin = world.twin(ETL)
    world.await_done("twin")
    assert twin.stop() == 0
    finished(world.bounded(ETL, "repair", plan({p: 0 for p in world.ends()}, world.ends()), run_outputs="live"))
    assert everything(world.outputs("live", "series")) == everything(world.outputs("twin", "series"))
    assert not any(world.committed().values()), "the group of the run is its own"


# ---- side inputs, dead letters ----

def setting(broker, topic, key):
    [answer] = broker.admin.describe_configs([ConfigResource(ConfigResource.Type.TOPIC, topic)]).values()
    return answer.result()[key].value


def test_dead_letters_of_a_shadow_run(line, world):
    """They go to topics of the run, too: of the primary input, and of a side input; the chosen name or <topic>.dlq."""
    unnamed = {"errors_deadletterqueue_topic_name": ""}
    world.make(*(world.name + name for name in (".readings.dlq", ".forecasts.dlq")))
    live = world.worker(SCORER, checkpoint_interval_ms=100, **unnamed)
    world.send(range(0, 20), DEVICES, noise())
    for topic in ("readings", "forecasts"):
        publisher = Publisher(line.bootstrap, world.topic(topic))
        for device in DEVICES:
            publisher.send(device.encode(), b"\0\0\0\0no " + topic.encode(), timestamp=stamp(20, 0))
        publisher.flush()
    world.send(range(20, 40), DEVICES, noise())
    for topic in ("readings", "forecasts"):
        world.await_done("live", topic=topic)
    ranges = {t: {p: (0, end) for p, end in world.ends(t).items()} for t in ("readings", "forecasts")}
    letters = {t: world.read(f"{world.topic(t)}.dlq") for t in ("readings", "forecasts")}
    assert all(len(of) == len(DEVICES) for of in letters.values())
    summary = finished(world.bounded(SCORER, "shadow", ranges, **unnamed))
    assert summary["dead_letters"] == 2 * len(DEVICES)
    for topic, of in letters.items():
        assert everything(world.read(f"{world.topic(topic)}.dlq.shadow")) == everything(of)
        assert setting(world.broker, f"{world.topic(topic)}.dlq.shadow", "retention.ms") == "-1", "old records stay"
        assert world.read(f"{world.topic(topic)}.dlq") == of
    assert everything(world.outputs("live", "scores.shadow")) == everything(world.outputs("live", "scores"))
    assert live.stop() == 0


# ---- a worker without states ----

def test_a_stateless_worker(line, world, database, schemas):
    publisher = Publisher(line.bootstrap, world.topic("raw"))
    for number in range(300):
        device = DEVICES[number % len(DEVICES)]
        body = {"device": device, "time": START_MS + number, "metrics": {"number": number}}
        text = json.dumps(body) if number % 50 else "{"
        publisher.send(device.encode(), text.encode(), timestamp=START_MS + number)
    publisher.flush()
    raw = world.read(world.topic("raw"))
    start = {p: end // 4 for p, end in world.ends("raw").items()}
    end = {p: end - end // 5 for p, end in world.ends("raw").items()}
    wanted = [m for m in raw if start[m.partition] <= m.offset < end[m.partition]]
    summary = finished(world.bounded(ROUTER, "range", plan(start, end, "raw")))
    bad = [m for m in wanted if m.value == b"{"]
    assert (summary["records"], summary["dead_letters"]) == (len(wanted), len(bad)) and bad
    letters = world.outputs("live", "letters.range")
    assert sorted((m.key, m.timestamp_ms) for m in letters) == sorted((m.key, m.timestamp_ms) for m in bad)
    numbers = [(m.key.decode(), schemas.decode(m.value)["values"][0]["value"])
               for m in world.outputs("live", "readings.range")]
    assert sorted(numbers) == sorted((m.key.decode(), json.loads(m.value)["metrics"]["number"])
                                     for m in wanted if m.value != b"{")
    assert world.committed("live.range", "raw") == end
    assert not world.outputs("live", "readings") and not world.outputs("live", "letters")
    assert not any(world.committed("live", "raw").values())
    assert database.value("SELECT count(*) FROM forebay.state_partitions WHERE worker = %s", world.group()) == 0
    again = finished(world.bounded(ROUTER, "range", plan(start, end, "raw")))
    assert (again["records"], again["outputs"]) == (0, 0)
