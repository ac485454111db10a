"""The whole line: made-up devices, five workers, and in every table exactly what the simulator says it sent.

The tests of this file follow each other on one line: send, look, send the same again, stop.
"""
import json

import pytest

from support.fleet import READS, WORKERS, await_quiet, forebay
from support.wait import until

DEVICES, METRICS = 40, 2
# A "day" of an hour, so that the season is in the history after minutes' worth of telemetry.
SIMULATION = ["--devices", DEVICES, "--metrics", METRICS, "--step", "1m", "--day", "1h", "--seed", 7, "--json"]
# Six hours at once, and when all of it has gone through one more, which the forecasts made from the six are about.
STRETCHES = [["--start", "2026-03-01T00:00:00Z", "--duration", "6h", "--anomalies", 12],
             ["--start", "2026-03-01T06:00:00Z", "--duration", "1h", "--anomalies", 0]]

# Topic, record of it -> its identity; table, columns of the same identity.
US = "(extract(epoch from {}) * 1000000)::bigint"
MIRRORS = [
    ("telemetry.series", lambda r: (r["device"], r["metric"], r["start_time"], r["step_us"]),
     f"SELECT device, metric, {US.format('start_time')}, step_us FROM forebay.series"),
    ("telemetry.aggregates", lambda r: (r["device"], r["metric"], r["start_time"], r["end_time"]),
     f"SELECT device, metric, {US.format('start_time')}, {US.format('end_time')} FROM forebay.aggregates"),
    ("forecasts", lambda r: (r["device"], r["metric"], r["origin_time"], r["model"], r["version"]),
     f"SELECT device, metric, {US.format('origin_time')}, model, version FROM forebay.forecasts"),
    ("scores", lambda r: (r["device"], r["metric"], r["event_time"]),
     f"SELECT device, metric, {US.format('event_time')} FROM forebay.scores"),
    ("anomalies", lambda r: (r["device"], r["metric"], r["event_time"], r["kind"]),
     f"SELECT device, metric, {US.format('event_time')}, kind FROM forebay.anomalies"),
    ("alerts", lambda r: (r["id"], r["event_time"], r["status"], r["severity"]),
     f"SELECT id, {US.format('event_time')}, status, severity FROM forebay.alert_changes"),
]
TABLES = ("readings", "series", "aggregates", "forecasts", "scores", "anomalies", "alerts", "alert_changes")


# The season is the simulated day; the last forecast of the six hours was made an hour before their end.  Hours that
# come again are no clock set back, as the scorer would take them for.
OPTIONS = {"batch-forecaster": {"seasons": 60, "horizon_steps": 120},
           "realtime-scorer": {"time_late_max_readings": 1000000}}


@pytest.fixture(scope="module")
def workers(line, module_fleet):
    for name in WORKERS:
        module_fleet.add(name, **OPTIONS.get(name, {}))
    for worker in module_fleet.workers.values():
        worker.await_ready()
    return module_fleet


@pytest.fixture(scope="module")
def sent(line, workers, broker):
    """What the simulator says, when all of it has gone through."""
    return simulate(line, workers, broker)


COUNTS = ("messages", "readings", "held_up", "duplicates", "malformed", "values", "bad_values", "anomalies", "refused")


def simulate(line, workers, broker):
    total = {"malformed_by_reason": {}}
    for stretch in STRETCHES:
        said = json.loads(forebay(line, "simulate", *SIMULATION, *stretch).stdout)
        await_quiet(broker, workers)
        for name in COUNTS:
            total[name] = total.get(name, 0) + said[name]
        for reason, n in said["malformed_by_reason"].items():
            total["malformed_by_reason"][reason] = total["malformed_by_reason"].get(reason, 0) + n
    return total


def test_every_message_is_accounted_for(sent, broker, schemas):
    assert sent["refused"] == 0
    assert sent["messages"] == sent["readings"] + sent["duplicates"] + sent["malformed"]
    raw, readings, letters = (broker.read(t) for t in ("telemetry.raw", "telemetry.readings", "telemetry.raw.dlq"))
    assert len(raw) == sent["messages"]
    assert len(readings) == sent["readings"] + sent["duplicates"]
    assert len(letters) == sent["malformed"]
    reasons = {}
    for m in letters:
        reasons[m.header("forebay.reason")] = reasons.get(m.header("forebay.reason"), 0) + 1
    assert reasons == sent["malformed_by_reason"]
    for m in readings:
        assert m.key.decode() == schemas.decode(m.value)["device"]


def test_readings_in_the_table(sent, database):
    assert database.count("forebay.readings") == sent["values"]
    assert database.value("SELECT count(*) FROM forebay.readings WHERE quality <> 'good'") == sent["bad_values"]
    assert database.value("SELECT count(*) FROM forebay.readings WHERE (value IS NULL) = (quality = 'good')") == 0
    assert database.value("SELECT count(DISTINCT device) FROM forebay.readings") == DEVICES
    assert database.value("SELECT count(DISTINCT (device, event_time)) FROM forebay.readings") == sent["readings"]
    repeated = "SELECT sum(rows_repeated) FROM forebay.sink_offsets WHERE topic = 'telemetry.readings'"
    assert database.value(repeated) == sent["duplicates"] * METRICS


def test_dead_letters_in_the_table(sent, database):
    assert database.count("forebay.dead_letters") == sent["malformed"]
    assert dict(database.rows("SELECT reason, count(*) FROM forebay.dead_letters GROUP BY reason")) == \
        sent["malformed_by_reason"]


@pytest.mark.parametrize("topic, identity, query", MIRRORS, ids=[m[0] for m in MIRRORS])
def test_a_topic_and_its_table_hold_the_same(sent, topic, identity, query, broker, schemas, database):
    in_topic = [identity(schemas.decode(m.value)) for m in broker.read(topic)]
    in_table = database.rows(query)
    assert in_topic, f"nothing in {topic}"
    assert set(in_topic) == set(in_table)
    # A late reading that comes again is scored again, as the same record; all others know a repetition.
    assert topic == "scores" or len(in_topic) == len(set(in_topic)), "each identity is sent once"


def test_series_forecasts_and_scores_of_every_device(sent, database):
    series = DEVICES * METRICS
    for table, least in (("series", 4), ("aggregates", 4), ("forecasts", 2)):
        rows = database.rows(f"SELECT device, metric, count(*) FROM forebay.{table} GROUP BY device, metric")
        assert len(rows) == series, table
        assert min(n for *_, n in rows) >= least, table
    assert database.value("SELECT count(*) FROM forebay.scores s WHERE NOT EXISTS (SELECT FROM forebay.readings r "
                          "WHERE (r.device, r.metric, r.event_time) = (s.device, s.metric, s.event_time))") == 0
    good = database.value("SELECT count(*) FROM forebay.readings WHERE quality = 'good'")
    assert database.count("forebay.scores") == good, "late ones are scored, too"
    assert database.value("SELECT count(*) FROM forebay.scores WHERE NOT p_value BETWEEN 0 AND 1") == 0
    assert database.value("SELECT count(*) FROM forebay.scores WHERE expected IS NOT NULL") > 0, "forecasts are used"


def test_alerts(sent, database):
    assert sent["anomalies"] == 12
    assert database.count("forebay.alerts") > 0
    assert database.value("SELECT count(*) FROM forebay.alerts a WHERE (SELECT count(*) FROM forebay.alert_changes c "
                          "WHERE c.id = a.id AND c.status = 'firing') = 0") == 0
    latest = """SELECT count(*) FROM forebay.alerts a JOIN LATERAL (SELECT * FROM forebay.alert_changes c
                WHERE c.id = a.id ORDER BY event_time DESC, status DESC LIMIT 1) c ON true
                WHERE (a.event_time, a.status) <> (c.event_time, c.status)"""
    assert database.value(latest) == 0, "an alert shows its latest state"


@pytest.mark.parametrize("name", WORKERS)
def test_health_and_metrics(sent, workers, broker, name):
    worker = workers[f"{name}-0"]
    status, health = worker.http("/health")
    assert status == 200 and health["live"] and health["ready"] and health["status"] == "healthy"
    assert worker.http("/health?probe=live")[0] == 200
    text = worker.http("/metrics")[1]
    for line in text.splitlines():
        assert line.startswith("#") or len(line.rsplit(" ", 1)) == 2 and float(line.rsplit(" ", 1)[1]) is not None, line
    taken = worker.metric("forebay_records_in_total")
    primary = dict(READS)[name]
    if primary:
        there = sum(len(broker.read(topic)) for topic in primary)
        assert taken >= there
    else:
        assert taken > sent["messages"]
    assert worker.metric("forebay_ready") == 1
    assert not worker.metric("forebay_aborts_total")


def test_forecasts_are_in_the_cache(sent, workers):
    forecaster = workers["batch-forecaster-0"].http("/metrics")[1]
    assert "cache" in forecaster
    assert workers["batch-forecaster-0"].http("/connectors/batch-forecaster/config")[1]["cache.uri"] == "[hidden]"


def test_status(sent, line):
    status = json.loads(forebay(line, "status", "--json").stdout)
    assert status["lag"] == 0 and status["idle"]
    assert {w["worker"] for w in status["workers"]} == set(WORKERS)
    letters = {t["topic"]: t for t in status["dead_letters"]}
    assert letters["telemetry.raw.dlq"]["reasons"] == sent["malformed_by_reason"]


def test_the_same_again_changes_no_table(sent, line, workers, broker, database):
    before = {table: database.digest(f"forebay.{table}") for table in TABLES}
    assert simulate(line, workers, broker) == sent
    after = {table: database.digest(f"forebay.{table}") for table in TABLES}
    assert after == before
    assert database.count("forebay.dead_letters") == 2 * sent["malformed"], "what is poison is poison each time"


def test_sigterm(sent, line, workers, broker):
    """In an orderly end everything is committed: nothing is left to read, no transaction is open."""
    assert set(workers.stop().values()) == {0}
    for worker in workers.workers.values():
        assert worker.events()[-1]["level"] == "info", worker.log
    until(lambda: json.loads(forebay(line, "status", "--json").stdout)["lag"] == 0, "lag zero with nobody there", 30)
    for topic in ("telemetry.readings", "telemetry.series", "forecasts", "scores", "anomalies", "alerts",
                  "telemetry.raw.dlq"):
        assert broker.ends(topic) == broker.ends(topic, "read_committed"), f"an open transaction in {topic}"
