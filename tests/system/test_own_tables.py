"""Tables of a user's own, behind a mapping of their own: constraints that refuse many rows, columns of other types.

Each test has its schema and its group; the topic with the readings is the same for all.
"""
import pytest

from support.broker import Publisher

TOPIC = "own.readings"
MESSAGES = 20000
START_US = 1767225600_000000
COLUMNS = {"device": "text NOT NULL", "metric": "text NOT NULL", "event_time": "timestamptz NOT NULL",
           "value": "double precision", "unit": "text", "quality": "text NOT NULL", "text": "text",
           "ingest_time": "timestamptz NOT NULL", "source": "text", "origin_topic": "text NOT NULL",
           "origin_partition": "int NOT NULL", "origin_offset": "bigint NOT NULL"}
FIELDS = {"origin_topic": "topic", "origin_partition": "partition", "origin_offset": "offset"}


def reading(schemas, device, event_us, value):
    return schemas.encode("Reading", {"device": device, "event_time": event_us, "ingest_time": START_US, "source": "s",
                                      "values": [{"metric": "m", "value": value, "unit": "u", "quality": "good",
                                                  "text": None}]})


@pytest.fixture(scope="module")
def sent(line, broker, schemas):
    """Reading number n has the value n, and stands at offset n: all on one partition, to meet in one batch."""
    broker.create(TOPIC, 1)
    broker.create(f"{TOPIC}.dlq", 1)
    publisher = Publisher(line.bootstrap, TOPIC)
    for n in range(MESSAGES):
        publisher.send(b"d", reading(schemas, f"d{n % 100}", START_US + n * 1000000, float(n)))
    publisher.flush()


class Own:
    """Schema NAME with a table `readings`, and a sink that fills it with all that TOPIC holds, and ends."""

    def __init__(self, name, database, fleet, folder, topic=TOPIC, extra="", **types):
        self.name, self.database = name, database
        self.table = f"{name}.readings"
        columns = ", ".join(f"{column} {types.get(column, kind)}" for column, kind in COLUMNS.items())
        database.run(f"CREATE SCHEMA IF NOT EXISTS {name}")
        database.run(f"CREATE TABLE {self.table} ({columns}, PRIMARY KEY (device, metric, event_time) {extra})")
        mapping = folder / "own.properties"
        fields = ", ".join(f"{c}:{FIELDS[c]}" if c in FIELDS else c for c in COLUMNS)
        mapping.write_text(f"own.topics = {topic}\nown.record = reading\nown.table = {self.table}\n"
                           f"own.columns = {fields}\nown.identity = device, metric, event_time\n"
                           f"own.time = event_time\n")
        # An attempt or two fit into this, thousands do not.
        self.sink = fleet.add("sink-writer", start=False, topics=topic, sink_mapping=mapping, group_id=name,
                              until_caught_up="true", errors_log_enable="false", watchdog_timeout_ms=15000)

    def run(self):
        """The exit code."""
        return self.sink.start().exit_code(limit_s=600)

    def offsets(self):
        return [n for n, in self.database.rows(f"SELECT origin_offset FROM {self.table} ORDER BY 1")]

    def counts(self):
        return self.database.rows("SELECT next_offset, rows_inserted, rows_repeated, dead_letters FROM "
                                  "forebay.sink_offsets WHERE sink = %s", self.name)


def known(database, name, devices):
    database.run(f"CREATE SCHEMA {name}")
    database.run(f"CREATE TABLE {name}.devices (device text PRIMARY KEY)")
    database.run(f"INSERT INTO {name}.devices SELECT 'd' || n FROM unnest(%s) n", devices)


@pytest.mark.parametrize("name, extra, guilty", [
    ("unknown_device", ", FOREIGN KEY (device) REFERENCES unknown_device.devices", lambda n: n % 100 % 10 == 7),
    ("every_second", ", CHECK (mod(value::int, 2) = 0)", lambda n: n % 2 == 1),
    ("all_of_them", ", CHECK (value < 0)", lambda n: True),
], ids=["one in ten", "every second", "all"])
def test_many_refused_rows(sent, fleet, broker, database, tmp_path, name, extra, guilty):
    """Exactly the guilty ones are dead letters, whatever their number, and nobody takes the search for standing still."""
    if name == "unknown_device":
        known(database, name, [n for n in range(100) if not guilty(n)])
    own = Own(name, database, fleet, tmp_path, extra=extra)
    before = len(broker.read(f"{TOPIC}.dlq"))
    assert own.run() == 0, own.sink.log
    bad = [n for n in range(MESSAGES) if guilty(n)]
    assert own.offsets() == [n for n in range(MESSAGES) if not guilty(n)]
    assert own.database.count(f"{own.table} WHERE value <> origin_offset") == 0
    letters = broker.read(f"{TOPIC}.dlq")[before:]
    assert [int(m.header("__connect.errors.offset")) for m in letters] == bad
    assert {m.header("forebay.reason") for m in letters} == {"ROW_REFUSED"}
    assert own.counts() == [(MESSAGES, MESSAGES - len(bad), 0, len(bad))]


# ---- columns of other types ----

ODD = [(0.1 + 0.2, START_US + 123457), (16777217.123456789, START_US + 500000), (-0.5, START_US + 1), (2.5, START_US + 2)]


@pytest.fixture(scope="module")
def odd(line, broker, schemas):
    """Four readings of one device within a second, with values of all digits: a topic of their own."""
    topic = "odd.readings"
    broker.create(topic, 1)
    broker.create(f"{topic}.dlq", 1)
    publisher = Publisher(line.bootstrap, topic)
    for value, event_us in ODD:
        publisher.send(b"d", reading(schemas, "dev-1", event_us, value), partition=0)
    publisher.flush()
    return topic


@pytest.mark.parametrize("column, kind, field", [
    ("value", "integer", "double precision"),
    ("value", "real", "double precision"),
    ("value", "numeric", "double precision"),
    ("value", "numeric(10,2)", "double precision"),
    ("event_time", "date", "timestamptz"),
    ("event_time", "timestamp(0) with time zone", "timestamptz"),
    ("event_time", "timestamp(3) without time zone", "timestamptz"),
    ("device", "character(20)", "text"),
    ("origin_offset", "double precision", "bigint"),
], ids=lambda word: str(word).replace(" ", "-"))
def test_a_type_that_would_lose_something_is_refused(odd, fleet, database, tmp_path, column, kind, field):
    name = "lossy_" + "".join(c for c in column + kind if c.isalnum())
    own = Own(name, database, fleet, tmp_path, topic=odd, **{column: f"{kind} NOT NULL"})
    assert own.run() == 2, own.sink.log
    told = [e for e in own.sink.events() if e.get("reason") == "STORE_SCHEMA"]
    assert told, own.sink.text()
    for word in (own.table, f"column {column} is {kind}", field, "own.properties:1"):
        assert word in told[-1]["error"]
    assert own.offsets() == []


def test_types_that_lose_nothing_are_filled(odd, fleet, broker, database, tmp_path):
    database.run("CREATE SCHEMA wide")
    database.run("CREATE DOMAIN wide.name AS varchar(40) CHECK (VALUE <> '')")
    database.run("CREATE DOMAIN wide.device AS wide.name")
    own = Own("wide", database, fleet, tmp_path, topic=odd, device="wide.device", event_time="timestamp(6)",
              value="text", quality="varchar(10)", ingest_time="text", origin_partition="bigint",
              origin_offset="numeric(20,0)")
    assert own.run() == 0, own.sink.log
    rows = database.rows("SELECT value, (extract(epoch from event_time) * 1000000)::bigint, device, ingest_time, "
                         "origin_partition, origin_offset FROM wide.readings ORDER BY origin_offset")
    assert [(float(value), event_us) for value, event_us, *_ in rows] == ODD
    assert [row[2:] for row in rows] == [("dev-1", "2026-01-01 00:00:00+00", 0, n) for n in range(len(ODD))]
    assert own.counts() == [(len(ODD), len(ODD), 0, 0)]


def test_what_is_too_long_is_a_dead_letter(odd, fleet, broker, database, tmp_path):
    own = Own("narrow", database, fleet, tmp_path, topic=odd, device="varchar(3)")
    assert own.run() == 0, own.sink.log
    assert own.offsets() == []
    letters = [m for m in broker.read(f"{odd}.dlq") if "narrow.readings" in
               m.header("__connect.errors.exception.message")]
    assert [m.header("forebay.reason") for m in letters] == ["ROW_REFUSED"] * len(ODD)
