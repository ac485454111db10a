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
