"""What goes wrong around the workers: a clear line of error, or a wait that can be seen and that ends with its cause.

Never a crash, never silence, never a lost record.
"""
import json
import signal
import subprocess
import time

import pytest

from support import places, telemetry
from support.broker import Publisher
from support.fleet import FILES, WORKERS, await_quiet
from support.wait import until

SHORT = {"session.timeout.ms": 4000, "transaction.timeout.ms": 5000, "errors.retry.delay.max.ms": 1000}
NOWHERE = "127.0.0.1:1"  # refuses at once


# ---- a wrong configuration: exit code 1 and one line ----

def run(worker, *flags, **environment):
    """Start a worker that is not expected to live; (exit code, lines of standard error)."""
    base = {"PATH": "/usr/bin:/bin", **environment}
    flags = [f"--schema.dir={places.SCHEMAS}", "--listen=127.0.0.1:0",
             *(f"--{key}={path}" for key, path in FILES.get(worker, {}).items()), *flags]
    done = subprocess.run([str(places.program(worker)), *flags], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, env=base, timeout=60, check=False)
    return done.returncode, done.stderr.strip().splitlines()


WRONG = [
    # name, lines of the file, flags, what the line must say
    ("an unknown key in the file", "# fast\ncomit.interval.ms=50\n", [],
     ["comit.interval.ms", ":2", "commit.interval.ms"]),
    ("an unknown flag", "", ["--comit.interval.ms=50"], ["comit.interval.ms", "commit.interval.ms"]),
    ("a text where a number belongs", "commit.interval.ms=fast\n", [], ["commit.interval.ms", ":1", "fast"]),
    ("a number out of range", "\nsession.timeout.ms=5\n", [], ["session.timeout.ms", ":2", "5", "1000"]),
    ("no such choice", "processing.guarantee=exactly_twice\n", [], ["processing.guarantee", "exactly_once_v2"]),
    ("a line that is no pair", "commit.interval.ms=50\nand now\n", [], [":2"]),
    ("a key given twice", "topics=a\ntopics=b\n", [], ["topics", ":2"]),
    ("a secret's file that is not there", "group.id=${file:/no/such/file}\n", [], ["group.id", "/no/such/file"]),
    ("an environment variable that is not there", "group.id=${env:NO_SUCH_NAME}\n", [], ["group.id", "NO_SUCH_NAME"]),
]


@pytest.mark.parametrize("lines, flags, says", [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_wrong_configuration(lines, flags, says, tmp_path):
    file = tmp_path / "worker.properties"
    file.write_text(lines)
    code, errors = run("ingest-router", "--config", str(file), f"--bootstrap.servers={NOWHERE}", *flags)
    assert code == 1
    assert len(errors) == 1, errors
    for word in says:
        assert word in errors[0]


def test_a_missing_configuration_file():
    code, errors = run("ingest-router", "--config", "/no/such/file.properties")
    assert (code, len(errors)) == (1, 1), errors
    assert "/no/such/file.properties" in errors[0]


@pytest.mark.parametrize("worker", WORKERS)
def test_no_brokers_named(worker):
    code, errors = run(worker)
    assert (code, len(errors)) == (1, 1), errors
    assert "bootstrap.servers" in errors[0]


@pytest.mark.parametrize("worker, key", [("ingest-router", "path.maps"), ("sink-writer", "sink.mapping"),
                                         ("etl-preprocessor", "schema.dir")])
def test_a_missing_file_of_the_worker(worker, key):
    code, errors = run(worker, f"--{key}=/no/such/thing", f"--bootstrap.servers={NOWHERE}",
                       FOREBAY_POSTGRES_URI=f"postgresql://forebay@{NOWHERE}/forebay")
    assert code == 1, errors
    assert "/no/such/thing" in errors[-1] and key in errors[-1]


def test_a_broken_path_map(tmp_path):
    file = tmp_path / "broken.json"
    file.write_text('{\n\t"source": "broken",\n\t"devise": "$.device"\n}\n')
    code, errors = run("ingest-router", f"--path.maps={file}", f"--bootstrap.servers={NOWHERE}")
    assert code == 1, errors
    for word in (f"{file}:3", "devise", "device", "path.maps"):
        assert word in errors[-1]


def test_a_secret_is_not_told():
    secret = "hunter2-hunter2"
    code, errors = run("sink-writer", f"--bootstrap.servers={NOWHERE}", "--sink.mapping=/no/such/thing",
                       FOREBAY_POSTGRES_URI=f"postgresql://forebay:{secret}@{NOWHERE}/forebay")
    assert code == 1
    assert secret not in "\n".join(errors)


# ---- the world is not there: a visible wait ----

def await_wait(worker, reason):
    """The worker lives, says why it waits in its log and on /health, and is not ready."""
    worker.await_log(lambda e: e.get("reason") == reason, 60)
    status, health = until(lambda: not_ready(worker, reason), f"/health of {worker.instance} names {reason}", 60)
    assert status == 503 and health["ready"] is False and health["live"] is True, health
    assert worker.running()


def not_ready(worker, reason):
    status, health = worker.http("/health")
    return (status, health) if status == 503 and reason in json.dumps(health) else None


def send(stack, numbers, topic="telemetry.raw"):
    """Some good messages of a device each test names for itself; their event times in microseconds."""
    publisher = Publisher(stack.bootstrap, topic)
    name, count = numbers
    times = [telemetry.START_US + n * telemetry.STEP_US for n in range(count)]
    for us in times:
        publisher.send(name.encode(), json.dumps({"device": name, "time": us // 1000, "metrics": {"m": us % 997}}))
    publisher.flush()
    return times


def await_rows(database, fleet, device, count, limit_s=90):
    def there():
        fleet.require_running()
        return database.value("SELECT count(*) FROM forebay.readings WHERE device = %s", device) == count
    until(there, f"{count} rows of {device}; logs in {fleet.logs}", limit_s)


def test_broker_not_there_at_the_start(line, fleet, database):
    line.stop("kafka")
    try:
        workers = [fleet.add(name, **dotless(SHORT)) for name in ("ingest-router", "sink-writer")]
        for worker in workers:
            await_wait(worker, "BROKER_DOWN")
    finally:
        line.start("kafka")
    for worker in workers:
        worker.await_ready()
    send(line, ("late-broker", 10))
    await_rows(database, fleet, "late-broker", 10)
    assert set(fleet.stop().values()) == {0}


def dotless(options):
    return {key.replace(".", "_"): value for key, value in options.items()}


def test_broker_never_there(line, fleet):
    """SIGTERM ends the wait."""
    for name in WORKERS:
        fleet.add(name, f"{name}-lonely", bootstrap_servers=NOWHERE)
    for worker in fleet.workers.values():
        await_wait(worker, "BROKER_DOWN")
    assert set(fleet.stop().values()) == {0}


def test_broker_lost_at_work(line, fleet, database):
    router, sink = (fleet.add(name, **dotless(SHORT)) for name in ("ingest-router", "sink-writer"))
    router.await_ready()
    sink.await_ready()
    line.kill("kafka")
    try:
        for worker in (router, sink):
            worker.await_log(lambda e: e.get("reason") == "BROKER_DOWN")
    finally:
        line.start("kafka")
    send(line, ("lost-broker", 6))
    await_rows(database, fleet, "lost-broker", 6)
    assert set(fleet.stop().values()) == {0}


def test_database_not_there(line, fleet, database):
    """Away at the start, back, away at work, back."""
    line.stop("postgres")
    try:
        router, sink = (fleet.add(name, **dotless(SHORT)) for name in ("ingest-router", "sink-writer"))
        await_wait(sink, "STORE_DOWN")
    finally:
        line.start("postgres")
    sink.await_ready()
    router.await_ready()
    send(line, ("late-database", 5))
    await_rows(database, fleet, "late-database", 5)
    line.kill("postgres")
    try:
        send(line, ("lost-database", 7))
        await_wait(sink, "STORE_DOWN")
        assert router.ready(), "the router does not need the database"
    finally:
        line.start("postgres")
    await_rows(database, fleet, "lost-database", 7)
    assert set(fleet.stop().values()) == {0}


def test_cache_not_there(line, fleet, database):
    """Redis only saves work: all go on without it."""
    line.stop("redis")
    try:
        for name in ("batch-forecaster", "realtime-scorer"):
            fleet.add(name, **dotless(SHORT)).await_ready()
    finally:
        line.start("redis")
    assert set(fleet.stop().values()) == {0}


def test_registry_not_there(line, fleet, database):
    line.start("registry")
    url = line.registry_url
    line.stop("registry")
    router = fleet.add("ingest-router", schema_registry_url=url, **dotless(SHORT))
    await_wait(router, "REGISTRY_DOWN")
    line.start("registry")
    try:
        router.await_ready()
    finally:
        fleet.stop()
        line.stop("registry")


# ---- topics ----

def test_missing_input_topic(line, fleet, broker):
    router = fleet.add("ingest-router", topics="late.raw", group_id="late", **dotless(SHORT))
    await_wait(router, "TOPIC_MISSING")
    assert "late.raw" in router.text()
    broker.create("late.raw", broker.partitions("telemetry.readings"))
    broker.create("late.raw.dlq", broker.partitions("telemetry.readings"))
    router.await_ready()
    ends = sum(broker.ends("telemetry.readings", "read_committed").values())
    send(line, ("late-topic", 3), "late.raw")
    until(lambda: sum(broker.ends("telemetry.readings", "read_committed").values()) >= ends + 3, "three readings", 60)


def test_missing_output_topic(line, fleet, broker):
    count = broker.partitions("telemetry.readings")
    broker.create("early.raw", count)
    broker.create("early.raw.dlq", count)
    router = fleet.add("ingest-router", topics="early.raw", group_id="early", readings_topic="early.readings",
                       **dotless(SHORT))
    until(lambda: "early.readings" in router.text(), "the log names the topic that is missing", 60)
    until(lambda: not_ready(router, "TOPIC_MISSING"), "/health tells", 60)
    broker.create("early.readings", count)
    router.await_ready()
    send(line, ("early-topic", 3), "early.raw")
    until(lambda: len(broker.read("early.readings")) == 3, "three readings", 60)


def test_topic_with_another_partition_count(line, fleet, broker):
    """A device's whole life is on one partition number, which only the router chooses."""
    broker.create("narrow.readings", 3)
    broker.create("narrow.readings.dlq", 3)
    etl = fleet.add("etl-preprocessor", topics="narrow.readings", group_id="narrow", **dotless(SHORT))
    assert etl.exit_code() == 2
    told = [e for e in etl.events() if e.get("reason") == "TOPIC_MISMATCH"]
    assert told, etl.text()
    for word in ("narrow.readings", "3", "telemetry.series", str(broker.partitions("telemetry.series"))):
        assert word in told[-1]["error"]


# ---- tables ----

HARM = [
    # name, what is done, how it is undone, what the error names
    ("a column is gone", "ALTER TABLE forebay.readings RENAME COLUMN unit TO units",
     "ALTER TABLE forebay.readings RENAME COLUMN units TO unit", ["readings", "unit"]),
    ("a column has another type", "ALTER TABLE forebay.readings ALTER COLUMN quality TYPE int USING 0",
     "ALTER TABLE forebay.readings ALTER COLUMN quality TYPE text", ["readings", "quality"]),
    ("the table is gone", "ALTER TABLE forebay.readings RENAME TO elsewhere",
     "ALTER TABLE forebay.elsewhere RENAME TO readings", ["forebay.readings"]),
]


@pytest.mark.parametrize("harm, repair, says", [row[1:] for row in HARM], ids=[row[0] for row in HARM])
def test_table_altered_by_hand(harm, repair, says, line, fleet, database):
    """Found when the first rows are to be written; once it is repaired, they are."""
    device = harm
    router, sink = fleet.add("ingest-router", **dotless(SHORT)), fleet.add("sink-writer", start=False, **dotless(SHORT))
    router.await_ready()
    database.run(harm)
    try:
        sink.start()
        send(line, (device, 3))
        assert sink.exit_code() == 2
        told = [e for e in sink.events() if e.get("reason") == "STORE_SCHEMA"]
        assert told and all(word in told[-1]["error"] for word in says), sink.text()
    finally:
        database.run(repair)
    sink.start()
    await_rows(database, fleet, device, 3)
    assert sink.stop() == 0


def test_table_altered_at_work(line, fleet, database):
    """The column goes while the sink runs: it stops with the reason, and nothing is lost once it is back."""
    router, sink = (fleet.add(name, **dotless(SHORT)) for name in ("ingest-router", "sink-writer"))
    router.await_ready()
    sink.await_ready()
    send(line, ("altered", 4))
    await_rows(database, fleet, "altered", 4)
    database.run("ALTER TABLE forebay.readings RENAME COLUMN quality TO grade")
    try:
        send(line, ("altered-more", 6))
        assert sink.exit_code() == 2
        told = [e for e in sink.events() if e.get("reason") == "STORE_SCHEMA"]
        assert told and "quality" in told[-1]["error"], sink.text()
    finally:
        database.run("ALTER TABLE forebay.readings RENAME COLUMN grade TO quality")
    sink.start().await_ready()
    await_rows(database, fleet, "altered-more", 6)
    assert database.count("forebay.dead_letters") == 0


# ---- the other guarantee, identities, REST ----

def test_at_least_once(line, fleet, broker, database):
    for name in ("ingest-router", "sink-writer"):
        fleet.add(name, processing_guarantee="at_least_once", **dotless(SHORT)).await_ready()
    times = send(line, ("at-least-once", 500))
    await_rows(database, fleet, "at-least-once", 500)
    await_quiet(broker, fleet, ("ingest-router", "sink-writer"))
    assert [r[2] for r in sorted(database.readings("device = 'at-least-once'"), key=lambda r: r[2])] == times
    assert set(fleet.stop().values()) == {0}


def test_two_workers_of_one_name(line, fleet, database):
    older = fleet.add("ingest-router", **dotless(SHORT)).await_ready()
    younger = fleet.add("ingest-router", start=False, **dotless(SHORT))
    younger.log = younger.log.with_name("younger.log")
    younger.start()
    assert older.exit_code() == 3, older.log
    assert any(e.get("reason") == "FENCED" for e in older.events()), older.log
    younger.await_ready()
    fleet.add("sink-writer", **dotless(SHORT)).await_ready()
    send(line, ("younger", 9))
    await_rows(database, fleet, "younger", 9)


def offsets_of(router):
    status, said = router.http("/connectors/ingest-router/offsets")
    assert status == 200
    return {o["partition"]["kafka_partition"]: o["offset"]["kafka_offset"] for o in said["offsets"]
            if o["partition"]["kafka_topic"] == "telemetry.raw" and o["offset"]}


def test_rest(line, fleet, broker, database):
    router = fleet.add("ingest-router", **dotless(SHORT)).await_ready()
    fleet.add("sink-writer", **dotless(SHORT)).await_ready()
    status, root = router.http("/")
    assert status == 200 and root["version"] and root["kafka_cluster_id"], root
    assert router.http("/connectors") == (200, ["ingest-router"])
    status, shown = router.http("/connectors/ingest-router/status")
    assert status == 200 and shown["name"] == "ingest-router" and shown["connector"]["state"] == "RUNNING", shown

    assert router.http("/connectors/ingest-router/pause", "PUT")[0] == 202
    until(lambda: router.http("/connectors/ingest-router/status")[1]["connector"]["state"] == "PAUSED", "paused", 30)
    send(line, ("paused", 5))
    time.sleep(3)  # nothing is supposed to happen: only a wait can show that
    assert database.value("SELECT count(*) FROM forebay.readings WHERE device = 'paused'") == 0
    assert router.http("/connectors/ingest-router/resume", "PUT")[0] == 202
    await_rows(database, fleet, "paused", 5)
    assert router.http("/connectors/ingest-router/status")[1]["connector"]["state"] == "RUNNING"

    ends = broker.ends("telemetry.raw")
    until(lambda: offsets_of(router) == ends, f"REST tells the committed offsets, {ends}", 30)
    status, config = router.http("/connectors/ingest-router/config")
    assert status == 200 and config["session.timeout.ms"] in ("4000", 4000), config

    assert router.http("/admin/loggers/root", "PUT", {"level": "DEBUG"})[0] in (200, 204)
    assert "debug" in json.dumps(router.http("/admin/loggers")[1]).lower()
    status, refusal = router.http("/connectors/no-such-worker/status")
    assert status == 404 and refusal["error_code"] == 404 and refusal["message"], refusal
    status, refusal = router.http("/connectors/ingest-router/status", "DELETE")
    assert status == 405, refusal
    assert "forebay" in router.http("/metrics")[1]


def test_a_frozen_worker_comes_back(line, fleet, database):
    """Longer away than its session: it must notice, and go on or leave with exit code 3."""
    router = fleet.add("ingest-router", **dotless(SHORT)).await_ready()
    fleet.add("sink-writer", **dotless(SHORT)).await_ready()
    router.signal(signal.SIGSTOP)
    time.sleep(6)
    fleet.keep()
    router.signal(signal.SIGCONT)
    send(line, ("frozen", 8))
    await_rows(database, fleet, "frozen", 8)
    assert not set(router.exits) - {3}, router.log
