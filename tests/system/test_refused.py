"""Records that are good for us and that the broker refuses: the guilty one alone is dead-lettered, its neighbours in
the same transaction arrive once and in order.  And errors.tolerance=none, which stops at the first poison.
"""
import json
import time

import pytest

from support import telemetry
from support.broker import Publisher
from support.wait import until

ANY_TIME = {"message.timestamp.after.max.ms": str(2**63 - 1), "message.timestamp.before.max.ms": str(2**63 - 1)}
PARTITIONS = 2
NEIGHBOURS = 60


class Lane:
    """Topics of one test: NAME.raw, its dead letters, and NAME.readings with SETTINGS."""

    def __init__(self, name, broker, fleet, stack, **settings):
        self.broker, self.name = broker, name
        broker.create(f"{name}.raw", PARTITIONS, **ANY_TIME, **{"max.message.bytes": "2000000"})
        broker.create(f"{name}.raw.dlq", PARTITIONS, **ANY_TIME, **{"max.message.bytes": "4000000"})
        broker.create(f"{name}.readings", PARTITIONS, **settings)
        self.publisher = Publisher(stack.bootstrap, f"{name}.raw")
        self.worker = fleet.add("ingest-router", start=False, topics=f"{name}.raw", group_id=name,
                                readings_topic=f"{name}.readings")

    def send(self, number, timestamp_ms, metrics):
        """All on one partition, so that they meet in one transaction."""
        body = {"device": "d", "time": telemetry.START_US // 1000 + number, "metrics": metrics}
        self.publisher.send(b"d", json.dumps(body).encode(), partition=1, timestamp=timestamp_ms)

    def await_all(self, count):
        def accounted():
            self.worker.require_running()
            return self.broker.caught_up(self.name, f"{self.name}.raw") and \
                len(self.broker.read(f"{self.name}.readings")) + len(self.broker.read(f"{self.name}.raw.dlq")) >= count
        until(accounted, f"{count} messages of {self.name} are records or dead letters ({self.worker.log})", 120)

    def numbers(self, schemas):
        """Which messages became readings, in the order of the topic."""
        records = [schemas.decode(m.value) for m in self.broker.read(f"{self.name}.readings")]
        return [r["event_time"] // 1000 - telemetry.START_US // 1000 for r in records]

    def letters(self):
        return self.broker.read(f"{self.name}.raw.dlq")


def check_guilty(lane, schemas, guilty, total, reason):
    lane.publisher.flush()
    lane.worker.start()
    lane.await_all(total)
    letters = lane.letters()
    assert [m.header("forebay.reason") for m in letters] == [reason] * len(guilty), lane.worker.log
    assert [int(m.header("__connect.errors.offset")) for m in letters] == guilty
    assert all(f"{lane.name}.readings" in m.header("__connect.errors.exception.message") for m in letters), \
        "the reason names the topic that refused"
    assert lane.numbers(schemas) == [n for n in range(total) if n not in guilty]
    assert lane.worker.stop() == 0


@pytest.mark.parametrize("position", [0, NEIGHBOURS // 2, NEIGHBOURS], ids=["first", "in the middle", "last"])
def test_too_large_for_the_topic(line, fleet, broker, schemas, position):
    lane = Lane(f"large{position}", broker, fleet, line, **{"max.message.bytes": "20000"})
    now = int(time.time() * 1000)
    many = {f"a-metric-with-a-rather-long-name-{i}": i * 0.1 for i in range(600)}
    for n in range(NEIGHBOURS + 1):
        lane.send(n, now, many if n == position else {"m": n})
    check_guilty(lane, schemas, [position], NEIGHBOURS + 1, "BROKER_REFUSED_SIZE")


def test_several_guilty_ones(line, fleet, broker, schemas):
    lane = Lane("guilty", broker, fleet, line, **{"max.message.bytes": "20000"})
    now = int(time.time() * 1000)
    many = {f"a-metric-with-a-rather-long-name-{i}": i * 0.1 for i in range(600)}
    guilty = [3, 4, 200, 399]
    for n in range(400):
        lane.send(n, now, many if n in guilty else {"m": n})
    check_guilty(lane, schemas, guilty, 400, "BROKER_REFUSED_SIZE")


def test_small_records_that_are_too_much_together(line, fleet, broker, schemas):
    """The limit of a topic is one of batches: what is refused together may be fine apart."""
    lane = Lane("together", broker, fleet, line, **{"max.message.bytes": "1000"})
    now = int(time.time() * 1000)
    for n in range(200):
        lane.send(n, now, {"m": n})
    check_guilty(lane, schemas, [], 200, "BROKER_REFUSED_SIZE")


@pytest.mark.parametrize("hours", [2, 24 * 400], ids=["two hours ahead", "a year ahead"])
def test_time_stamp_ahead(line, fleet, broker, schemas, hours):
    """A record's own time stamp, set by a bridge with a wrong clock, not the event time inside."""
    lane = Lane(f"ahead{hours}", broker, fleet, line, **{"message.timestamp.after.max.ms": "3600000"})
    now = int(time.time() * 1000)
    for n in range(NEIGHBOURS):
        lane.send(n, now + (hours * 3600000 if n == 30 else 0), {"m": n})
    check_guilty(lane, schemas, [30], NEIGHBOURS, "BROKER_REFUSED_TIME")


def test_time_stamp_long_ago(line, fleet, broker, schemas):
    lane = Lane("ago", broker, fleet, line, **{"message.timestamp.before.max.ms": "86400000"})
    now = int(time.time() * 1000)
    for n in range(NEIGHBOURS):
        lane.send(n, now - (2 * 86400000 if n == 30 else 0), {"m": n})
    check_guilty(lane, schemas, [30], NEIGHBOURS, "BROKER_REFUSED_TIME")


def test_tolerance_none_stops_at_the_poison(line, fleet, broker):
    lane = Lane("strict", broker, fleet, line)
    now = int(time.time() * 1000)
    for n in range(5):
        lane.send(n, now, {"m": n})
    lane.publisher.send(b"d", b'{"device": "d", "time":', partition=1)
    lane.publisher.flush()
    lane.worker.options["errors.tolerance"] = "none"
    lane.worker.start()
    assert lane.worker.exit_code() == 2
    told = [e for e in lane.worker.events() if e.get("reason") == "POISON_NOT_TOLERATED"]
    assert told, lane.worker.text()
    for word in ("strict.raw", "[1]", "5", "JSON_SYNTAX"):
        assert word in told[-1]["error"]
    assert lane.letters() == []
    assert broker.committed(lane.name, "strict.raw")[1] <= 5, "the poison is not passed over"
