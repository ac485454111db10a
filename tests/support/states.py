"""Workers that keep states, in a world of their own: topics and groups of one test on the stack that all share.

Every reading has a time stamp of its own, and a worker gives it on to what the reading causes: outputs tell where
they come from.
"""
import json
import random
import signal
import socket
from urllib.parse import urlsplit

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import NewTopic

from support.broker import SILENT, Publisher, _message, patient
from support.fleet import Worker
from support.telemetry import START_US
from support.wait import until

ROUTER, ETL, FORECASTER, SCORER = "ingest-router", "etl-preprocessor", "batch-forecaster", "realtime-scorer"
STEP_MS = 1000           # between two readings of a device
START_MS = START_US // 1000

SHORT = {"session.timeout.ms": 4000, "transaction.timeout.ms": 5000, "errors.retry.delay.max.ms": 500}
OWN = {
    ROUTER: {},
    ETL: {"step.ms": STEP_MS, "window.steps": 10, "lateness.ms": 2000, "aggregates.topic": ""},
    FORECASTER: {"seasons": "10", "history.steps": 60, "horizon.steps": 4,
                 "quantiles": "0.1,0.5,0.9", "cache.uri": ""},
    # Easily alarmed: a hundred readings must be enough for alerts.
    SCORER: {"cache.uri": "", "alert.pending.p": 0.01, "alert.firing.p": 0.005, "alert.critical.p": 4e-4,
             "alert.fdr.level": 0},
}
INPUTS = {ROUTER: ("raw",), ETL: ("readings",), FORECASTER: ("series",), SCORER: ("readings",)}
SIDES = {FORECASTER: ("models",), SCORER: ("forecasts",)}
OUTPUTS = {ROUTER: ("readings",), ETL: ("series",), FORECASTER: ("forecasts", "outcomes"),
           SCORER: ("scores", "anomalies", "alerts")}


def read(offsets):
    """Of the partitions that hold anything."""
    return {p: offset for p, offset in offsets.items() if offset}


def by_partition(m):
    return m.partition


def by_key(m):
    return m.key


def grouped(messages, unit=by_partition):
    """Unit -> what came in it, in order; offsets and time stamps aside."""
    found = {}
    for m in messages:
        found.setdefault(unit(m), []).append((m.key, m.value))
    return found


class World:
    """Topics `<name>.<topic>` of this name, groups `<name>.<label>`, and what they send in `<name>.<label>.<topic>`."""

    def __init__(self, stack, broker, database, fleet, schemas, name):
        self.stack, self.broker, self.database, self.fleet, self.schemas = stack, broker, database, fleet, schemas
        self.name = name  # of letters, digits, dots and dashes
        self.partitions = until(lambda: broker.topics().get("fleet.journal"), "topics are there")
        self.made, self.clients, self.runs = set(), {}, []

    def client(self, group, isolation="read_committed"):
        """A consumer that never joins its group."""
        if (group, isolation) not in self.clients:
            self.clients[group, isolation] = Consumer({
                "bootstrap.servers": self.stack.bootstrap, "group.id": group, "enable.auto.commit": False,
                "auto.offset.reset": "earliest", "isolation.level": isolation, "enable.partition.eof": True,
                "fetch.wait.max.ms": 10, **SILENT})
        return self.clients[group, isolation]

    def close(self):
        for worker in self.runs:
            worker.destroy()
        for client in self.clients.values():
            client.close()

    # ---- topics ----

    def topic(self, *parts):
        """Its full name; it is there from now on, and nothing in it is too old."""
        name = ".".join((self.name, *parts))
        if name not in self.made:
            self.make(name)
        return name

    def make(self, *names):
        new = [NewTopic(n, self.partitions, 1, config={"retention.ms": "-1"}) for n in names]
        for future in (self.broker.admin.create_topics(new, operation_timeout=30) if new else {}).values():
            future.result()
        self.made.update(names)
        until(lambda: set(names) <= set(self.broker.topics()), f"topics {names} are there")

    def delete_records(self, topic, before):
        """BEFORE: partition -> first offset that stays."""
        told = {"version": 1, "partitions": [{"topic": topic, "partition": p, "offset": o} for p, o in before.items()]}
        file = self.fleet.logs / f"delete-{topic}.json"
        file.write_text(json.dumps(told))
        self.stack._run("kafka", "DeleteRecordsCommand", "--offset-json-file", str(file))

    # ---- workers ----

    def worker(self, kind, label="live", start=True, topics=None, **options):
        """KIND in group `<name>.<label>`.  Options as in Fleet.add()."""
        inputs = [f"{self.name}.{t}" for t in topics or INPUTS[kind]]
        sides = [f"{self.name}.{t}" for t in SIDES.get(kind, ())]
        outputs = {f"{t}.topic": f"{self.name}.{label}.{t}" for t in OUTPUTS[kind]}
        letters = f"{self.name}.{label}.letters"
        self.make(*{*inputs, *sides, *outputs.values(), letters} - self.made)
        named = {"group.id": self.group(label), "topics": ",".join(inputs), **outputs,
                 "errors.deadletterqueue.topic.name": letters}
        if sides:
            named["side.topics"] = ",".join(sides)
        dotted = {key.replace("_", "."): value for key, value in options.items()}
        worker = Worker(kind, self.stack, self.fleet.logs, f"{self.name}-{label}",
                        {**SHORT, **OWN[kind], **named, **dotted})
        if not start:
            return worker
        self.fleet.workers[worker.instance] = worker
        return worker.start()

    def twin(self, kind, label="twin", **options):
        """One that reads the same and is left in peace; its states are in memory alone."""
        return self.worker(kind, label, checkpoint_store="none", **options)

    def bounded(self, kind, run, ranges, label="live", **options):
        """KIND over RANGES (topic -> partition -> (start, end)), started as run RUN of the group of that label."""
        worker = self.worker(kind, label, start=False, **{"run_id": run, "run_outputs": "shadow", **options})
        worker.instance += f"-{run}"
        worker.log = worker.log.with_name(f"{worker.instance}.log")
        plan = self.fleet.logs / f"{worker.instance}.plan"
        plan.write_text("".join(f"{self.topic(topic)}.{p} = {start}..{end}\n" for topic, parts in ranges.items()
                                for p, (start, end) in sorted(parts.items())))
        worker.options["run.plan"] = plan
        self.runs.append(worker)
        return worker.start()

    def group(self, label="live"):
        return f"{self.name}.{label}"

    def members(self, label="live"):
        groups = patient(lambda: self.broker.admin.list_groups(self.group(label), timeout=10))
        return sum(len(g.members) for g in groups)

    def set_offsets(self, offsets, label="live", topic="readings"):
        """As kafka-consumer-groups --reset-offsets does; the group must have no members."""
        wanted = [TopicPartition(self.topic(topic), p, o) for p, o in offsets.items()]
        patient(lambda: self.client(self.group(label)).commit(offsets=wanted, asynchronous=False))

    # ---- readings ----

    def send(self, rounds, devices, values, topic="readings"):
        """A reading of each device in each of these rounds.  VALUES(device, round): metric -> number, None: no reading.

        The time stamp of a record is its event time and the number of its device in milliseconds.
        """
        publisher = Publisher(self.stack.bootstrap, self.topic(topic))
        for number in rounds:
            for place, device in enumerate(devices):
                said = values(device, number)
                if said is not None:
                    publisher.send(device.encode(), self.reading(device, number, said),
                                   timestamp=stamp(number, place))
        publisher.flush()

    def chatter(self, rounds, device, values, times, within=1):
        """So many more readings of one device in each round, between two of its usual ones, or in a part of that time."""
        publisher = Publisher(self.stack.bootstrap, self.topic("readings"))
        for number in rounds:
            for n in range(1, times):
                part = number + within * n / times
                publisher.send(device.encode(), self.reading(device, part, values(device, part)),
                               timestamp=START_MS + int(part * STEP_MS))
        publisher.flush()

    def reading(self, device, number, said):
        event_us = int((START_MS + number * STEP_MS) * 1000)
        values = [{"metric": metric, "value": value, "unit": None, "quality": "good", "text": None}
                  for metric, value in said.items()]
        return self.schemas.encode("Reading", {"device": device, "event_time": event_us, "ingest_time": event_us,
                                               "source": "", "values": values})

    # ---- what became of them ----

    def ends(self, topic="readings"):
        """Partition -> offset of the next record."""
        return self._ends(self.topic(topic), "read_uncommitted")

    def _ends(self, topic, isolation):
        ask = self.client("reader", isolation)
        return {p: patient(lambda p=p: ask.get_watermark_offsets(TopicPartition(topic, p), timeout=10)[1])
                for p in range(self.partitions)}

    def committed(self, label="live", topic="readings"):
        asked = [TopicPartition(self.topic(topic), p) for p in range(self.partitions)]
        answers = patient(lambda: self.client(self.group(label)).committed(asked, timeout=10))
        assert not any(a.error for a in answers), answers
        return {a.partition: max(a.offset, 0) for a in answers}

    def done(self, label="live", topic="readings"):
        return self.committed(label, topic) == self.ends(topic)

    def await_done(self, *labels, topic="readings", limit_s=60):
        def all_done():
            self.fleet.require_running()
            return all(self.done(label, topic) for label in labels or ("live",))
        until(all_done, f"{self.name}: {labels or ('live',)} at the end of {topic}; logs in {self.fleet.logs}", limit_s)

    def outputs(self, label, topic, start=None):
        """The committed records, by partition and offset."""
        return self.read(f"{self.name}.{label}.{topic}", start)

    def read(self, topic, start=None):
        """As Broker.read(), once no transaction is open there: offsets may be seen before the outputs are."""
        until(lambda: self._ends(topic, "read_committed") == self._ends(topic, "read_uncommitted"), f"{topic}: its end")
        reader, found = self.client("reader"), []
        left = set(range(self.partitions))
        reader.assign([TopicPartition(topic, p, (start or {}).get(p, OFFSET_BEGINNING)) for p in left])
        while left:
            m = reader.poll(60)
            assert m, f"{topic}: no end of partitions {left}"
            if not m.error():
                found.append(_message(m))
            elif m.error().code() == KafkaError._PARTITION_EOF:
                left.discard(m.partition())
            elif not m.error().retriable():
                raise KafkaException(m.error())
        reader.unassign()
        return sorted(found, key=lambda m: (m.partition, m.offset))

    # ---- states ----

    def frontiers(self, label="live", run="live"):
        """Partition -> clock of its frontier."""
        return {p: f[0] if f else 0 for p, f in self.database.rows(
            "SELECT partition, frontier FROM forebay.state_partitions WHERE worker = %s AND run = %s",
            self.group(label), run)}

    def await_stored(self, label="live", topic="readings"):
        """All that is committed is in stored states."""
        def all_stored():
            self.fleet.require_running()
            return self.done(label, topic) and read(self.frontiers(label)) == read(self.ends(topic))
        until(all_stored, f"{self.name}: the states of {label} are stored; logs in {self.fleet.logs}")

    def states(self, label="live", run="live", table="states"):
        """(partition, key, clock, state), by key."""
        return [(p, bytes(k), c, bytes(s)) for p, k, c, s in self.database.rows(
            f"SELECT p.partition, s.key, s.clock, s.state FROM forebay.{table} s JOIN forebay.state_partitions p "
            "ON p.id = s.partition WHERE p.worker = %s AND p.run = %s ORDER BY s.key, s.clock", self.group(label), run)]

    def partition_of(self, key, label="live"):
        return next(p for p, k, _, _ in self.states(label) if k == key)

    def born(self, key, label="live"):
        return self.database.value(
            "SELECT s.born FROM forebay.states s JOIN forebay.state_partitions p ON p.id = s.partition "
            "WHERE p.worker = %s AND p.run = 'live' AND s.key = %s", self.group(label), key)

    def flip(self, key, table="states", label="live"):
        """A bit of each state of that key is another one; how many states that is."""
        return len(self.database.rows(
            f"UPDATE forebay.{table} s SET state = set_byte(state, length(state) / 2, "
            "get_byte(state, length(state) / 2) # 4) FROM forebay.state_partitions p WHERE p.id = s.partition "
            "AND p.worker = %s AND s.key = %s RETURNING 1", self.group(label), key))


def stamp(number, place):
    """Time stamp of a record, in ms."""
    return START_MS + number * STEP_MS + place


def noise(seed=1):
    """VALUES for World.send(): two metrics that every test can repeat."""
    def values(device, number):
        of = random.Random(f"{seed}/{device}/{number}")
        return {"temperature": of.gauss(20, 2), "humidity": of.uniform(30, 60)}
    return values


def kill(*workers):
    """SIGKILL, and they are gone."""
    for worker in workers:
        worker.signal(signal.SIGKILL)
    for worker in workers:
        assert worker.exit_code() == -signal.SIGKILL


def redis(uri, *words):
    """One command; the first line of the answer."""
    at = urlsplit(uri)
    with socket.create_connection((at.hostname, at.port), timeout=10) as link:
        link.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in
                                                       (word.encode() for word in words)))
        return link.makefile("rb").readline().decode().strip()


def names(count, prefix="pump"):
    return [f"{prefix}-{n:02d}" for n in range(count)]


def recovery(worker):
    return worker.await_log(lambda e: e.get("event") == "states are back")


def same(world, topic, label="live", twin="twin", unit=None, start=None):
    """What LABEL has sent is what its twin has sent."""
    unit = {"unit": unit} if unit else {}
    ours = grouped(world.outputs(label, topic, start), **unit)
    assert ours, f"nothing in {topic}"
    assert ours == grouped(world.outputs(twin, topic), **unit)
