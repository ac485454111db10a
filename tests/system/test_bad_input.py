"""The corpus of bad messages (tests/data/bad-input) through the real router, each between two good ones.

Each is dead-lettered with its reason, its bytes, key and headers as they were; the good ones arrive; nothing ends.
"""
import json
import time

import pytest

from support import places
from support.broker import Publisher
from support.fleet import WORKERS, await_quiet, forebay

CORPUS = places.TOP / "tests/data/bad-input"
CONNECT_HEADERS = ("topic", "partition", "offset", "connector.name", "task.id", "stage", "class.name",
                   "exception.class.name", "exception.message", "exception.stacktrace")
OWN = [("traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), ("empty", b""), ("null", None),
       ("twice", b"1"), ("twice", b"\xff\x00")]


def value_of(entry):
    if "file" in entry:
        return (CORPUS / entry["file"]).read_bytes()
    if "make" in entry:
        make = entry["make"]
        return (make.get("prefix", "") + make["repeat"] * make["times"] + make.get("suffix", "")).encode()
    return entry["value"]


def corpus():
    return [json.loads(line) for line in (CORPUS / "index.jsonl").read_text().splitlines()]


ENTRIES = corpus()


def good(number):
    return json.dumps({"device": "good", "time": f"2026-01-01T00:00:{number // 60:02d}.{number % 60:02d}Z",
                       "metrics": {"number": number}}).encode()


class Outcome:
    """What became of the corpus: all of it is sent once, then each test looks at its part."""

    def __init__(self, line, fleet, broker, schemas):
        # Else the broker would not take what is too large for the router.
        line.configure_topic("telemetry.raw", max_message_bytes=4000000)
        self.sent_ms = int(time.time() * 1000) - 5000
        self.keys = [b"bad-%d" % n if n % 3 else None for n in range(len(ENTRIES))]
        publisher = Publisher(line.bootstrap)
        for n, entry in enumerate(ENTRIES):
            publisher.send(b"good", good(n), partition=2)
            headers = OWN + ([("__value_schema_id", bytes.fromhex(entry["header"]))] if "header" in entry else [])
            publisher.send(self.keys[n], value_of(entry), partition=2, timestamp=self.sent_ms + n, headers=headers)
        publisher.send(b"good", good(len(ENTRIES)), partition=2)
        publisher.flush()
        fleet.start("ingest-router", "sink-writer")
        await_quiet(broker, fleet, ("ingest-router", "sink-writer"))
        self.fleet = fleet
        self.letters = {int(m.header("__connect.errors.offset")): m for m in broker.read("telemetry.raw.dlq")}
        self.n_letters = len(broker.read("telemetry.raw.dlq"))
        self.readings = [schemas.decode(m.value) for m in broker.read("telemetry.readings")]


@pytest.fixture(scope="module")
def outcome(line, module_fleet, broker, schemas):
    return Outcome(line, module_fleet, broker, schemas)


def name(entry):
    return entry.get("file") or entry["what"].replace(" ", "_").replace(",", "")


@pytest.mark.parametrize("number", range(len(ENTRIES)), ids=[name(e) for e in ENTRIES])
def test_each(outcome, number):
    entry = ENTRIES[number]
    letter = outcome.letters.get(2 * number + 1)
    if entry["reason"] == "NONE":
        assert letter is None, letter.header("__connect.errors.exception.message")
        return
    assert letter is not None, f"no dead letter for: {entry['what']}"
    message = letter.header("__connect.errors.exception.message")
    assert letter.header("forebay.reason") == entry["reason"], message
    assert letter.value == value_of(entry)
    assert letter.key == outcome.keys[number]
    assert letter.timestamp_ms == outcome.sent_ms + number
    assert letter.partition == 2, "partitioned like its source"


def test_headers(outcome):
    for offset, letter in outcome.letters.items():
        entry = ENTRIES[(offset - 1) // 2]
        own = [(key, value) for key, value in letter.headers
               if not key.startswith(("__connect.errors.", "forebay.", "__value_schema_id"))]
        assert own == OWN, entry["what"]
        for header in CONNECT_HEADERS:
            assert letter.header(f"__connect.errors.{header}"), f"{entry['what']}: {header}"
            assert [key for key, _ in letter.headers].count(f"__connect.errors.{header}") == 1
        assert letter.header("__connect.errors.topic") == "telemetry.raw"
        assert letter.header("__connect.errors.partition") == "2"
        assert letter.header("forebay.worker") == "ingest-router"
        assert letter.header("forebay.attempt") == "1"
        assert letter.header("forebay.first.failed.at").endswith("Z")
        if "header" in entry:
            assert dict(letter.headers)["__value_schema_id"] == bytes.fromhex(entry["header"])


def test_the_good_ones_arrive(outcome):
    numbers = [r["values"][0]["value"] for r in outcome.readings if r["device"] == "good"]
    assert numbers == list(range(len(ENTRIES) + 1)), "each once and in order"
    accepted = [e for e in ENTRIES if e["reason"] == "NONE"]
    assert len([r for r in outcome.readings if r["device"] != "good"]) == len(accepted)


def test_nothing_else_in_the_dead_letters(outcome):
    assert outcome.n_letters == len([e for e in ENTRIES if e["reason"] != "NONE"])


def test_the_table_of_dead_letters(outcome, database):
    rows = {int(offset): (reason, bytes(payload) if payload is not None else None)
            for offset, reason, payload in
            database.rows("SELECT source_offset, reason, payload FROM forebay.dead_letters WHERE topic = %s",
                          "telemetry.raw.dlq")}
    for offset, letter in outcome.letters.items():
        what = ENTRIES[(offset - 1) // 2]["what"]
        assert rows[offset][0] == letter.header("forebay.reason"), what
        if letter.value is None or len(letter.value) < 65536:
            assert rows[offset][1] == letter.value, what
    assert len(rows) == len(outcome.letters)


def test_no_worker_ended(outcome):
    assert all(w.running() and w.starts == 1 for w in outcome.fleet.workers.values())
    letters = outcome.fleet["ingest-router-0"].metric("forebay_dead_letters_total")
    assert letters == len(outcome.letters)


def test_bad_records_for_the_other_workers(outcome, line, broker, schemas):
    """The same rubbish where readings belong: each reader dead-letters it and goes on."""
    others = [n for n in WORKERS if n not in ("ingest-router", "batch-forecaster")]
    for worker in others:
        if f"{worker}-0" not in outcome.fleet.workers:
            outcome.fleet.add(worker)
    publisher = Publisher(line.bootstrap, "telemetry.readings")
    rubbish = [b"", b"\x00", b"{}", b"\x00\x00\x00\x00\x01\x02a", b"\x00\x7f\xff\xff\xff\x02a", None]
    for value in rubbish:
        publisher.send(b"rubbish", value, partition=2)
    publisher.flush()
    await_quiet(broker, outcome.fleet, tuple(["ingest-router", *others]))
    letters = broker.read("telemetry.readings.dlq")
    for worker in others:
        found = [m for m in letters if m.header("forebay.worker") == worker]
        assert sorted(m.header("forebay.reason") for m in found) == [
            "AVRO_DECODE", "AVRO_FRAMING", "AVRO_FRAMING", "AVRO_FRAMING", "AVRO_SCHEMA_UNKNOWN", "EMPTY_VALUE"], worker
    told = json.loads(forebay(line, "report", "--json", check=False).stdout)
    assert told["conservation"]["unreadable"] == len(rubbish)
