"""The verdict: what came out of the trouble against what ought to have.

Topics are read partition by partition and reduced to a chain of fingerprints per unit of order, so that ten million records
fit; only the units whose chains differ from the oracle's are looked at record by record.
"""
import hashlib
import random
import re
import struct
from collections import Counter
from dataclasses import dataclass

import checker
from checker import Finding
from chaos import anomalies, messages, oracle, schedule, tables, witness
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition
from support import places
from support.broker import SILENT, _message

DECODED_MOST = 100000   # inputs; beyond, only a sample of the devices is looked at value by value
SAMPLED = 200           # devices
SHOWN_UNITS = 10
# librdkafka 2.0 may end the process when a transaction and its producer's end meet; the keeper starts it again.
CLIENT_BUG = r"rd_kafka_txn_set_state: Assertion"
SILENT_TOPICS = ("telemetry.readings", "telemetry.deferred", "telemetry.series", "telemetry.aggregates", "forecasts",
                 "forecasts.outcomes", "scores", "anomalies", "alerts")


def by_key(m):
    return m.key


def by_series(m):
    """Device and metric: the first two texts of the record."""
    at, parts = 5, []
    for _ in range(2):
        length, shift = 0, 0
        while True:
            byte = m.value[at]
            at += 1
            length |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                break
        length >>= 1  # zigzag, never negative
        parts.append(m.value[at:at + length])
        at += length
    return b"/".join(parts)


def stamped(m):
    """Key, value and time stamp."""
    return witness.fingerprint(m.key, m.value + struct.pack(">q", m.timestamp_ms))


def unstamped(m):
    """A batch of forecasts bears the newest time stamp of its transaction."""
    return witness.fingerprint(m.key, m.value)


def letter(m):
    """Bytes, reason and origin; which instance said it, and when, is not the same each time."""
    said = [m.header(name) or "" for name in
            ("forebay.reason", "__connect.errors.topic", "__connect.errors.partition", "__connect.errors.offset",
             messages.NUMBER)]
    return witness.fingerprint(m.key, (m.value or b"") + struct.pack(">q", m.timestamp_ms) + "\0".join(said).encode())


@dataclass(frozen=True)
class Output:
    topic: str
    oracle: str
    unit: object = by_key
    content: object = stamped
    stateful: bool = False   # made from states: comparable only when the build keeps them


P = oracle.PREFIX
OUTPUTS = (
    Output("telemetry.readings", P + "telemetry.readings"),
    Output("telemetry.raw.dlq", P + "telemetry.raw.dlq", content=letter),
    Output("telemetry.series", P + "telemetry.series", stateful=True),
    Output("telemetry.aggregates", P + "telemetry.aggregates", stateful=True),
    Output("forecasts", P + "forecasts", by_series, unstamped, stateful=True),
    Output("forecasts.outcomes", P + "forecasts.outcomes", by_series, unstamped, stateful=True),
    Output("scores", f"scores.{oracle.RUN}", stateful=True),
    Output("anomalies", f"anomalies.{oracle.RUN}", stateful=True),
    Output("alerts", f"alerts.{oracle.RUN}", stateful=True),
)
WITNESSED = tuple(output.topic for output in OUTPUTS)


class Reader:
    """Partitions as a reader of committed records finds them, one after the other; one client for all."""

    def __init__(self, bootstrap):
        self.consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "verify", "enable.auto.commit": False,
                                  "auto.offset.reset": "earliest", "isolation.level": "read_committed",
                                  "enable.partition.eof": True, "fetch.wait.max.ms": 10, **SILENT})

    def stream(self, topic, partition, limit_s=120):
        """The committed records in order, up to the present end.  Read it to its end before the next one."""
        self.consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING)])
        while True:
            m = self.consumer.poll(limit_s)
            if m is None:
                raise TimeoutError(f"{topic}[{partition}]: neither a record nor the end within {limit_s} s")
            if not m.error():
                yield _message(m)
            elif m.error().code() == KafkaError._PARTITION_EOF:
                break
            elif not m.error().retriable():
                raise KafkaException(m.error())
        self.consumer.unassign()


class Chains:
    """Unit -> (number of records, chain of their fingerprints)."""

    def __init__(self):
        self.units, self.total = {}, 0

    def add(self, unit, content):
        count, chain = self.units.get(unit, (0, b""))
        self.units[unit] = count + 1, hashlib.blake2b(chain + content, digest_size=16).digest()
        self.total += 1


class Verdict:
    def __init__(self, ground, run, stream_of, words):
        self.ground, self.broker, self.run = ground, ground.broker, run
        self.sent, self.words = stream_of, words
        self.findings, self.totals = [], {}
        self.followed = False
        self.reader = Reader(self.broker.bootstrap)

    def say(self, text):
        self.ground.say(text)

    # ---- what was sent ----

    def raw(self):
        """Where each message landed; the publisher's own mistakes are no verdict on the workers."""
        self.where, self.poison, last = {}, 0, {}
        for partition in range(self.ground.partitions):
            for m in self.reader.stream("telemetry.raw", partition):
                number = int(m.header(messages.NUMBER))
                sent = self.sent[number]
                if number in self.where or last.get(m.key, -1) > number or m.value != sent.value:
                    raise oracle.Failed(f"the publisher itself wrote message {number} twice, late or wrong")
                self.where[number], last[m.key] = (partition, m.offset), number
                self.poison += sent.reason is not None
        if len(self.where) != len(self.sent):
            raise oracle.Failed(f"the publisher itself lost {len(self.sent) - len(self.where)} messages")
        self.say(f"sent: {len(self.where)} messages, {self.poison} of them poison")

    # ---- topics against the oracle's, and against the witness ----

    def topics(self):
        for output in OUTPUTS:
            compared = self._comparable(output)
            live = self._chains(output, output.topic, histories=True)
            self.totals[output.topic] = live.total
            if not compared:
                self.say(f"{output.topic}: {live.total} records, NOT COMPARED: this build keeps no states")
                continue
            wanted = self._chains(output, output.oracle)
            wrong = [u for u in wanted.units.keys() | live.units.keys() if wanted.units.get(u) != live.units.get(u)]
            self.say(f"{output.topic}: {live.total} records in {len(live.units)} units of order, "
                     f"{wanted.total} wanted, {len(wrong)} units differ")
            if wrong:
                self._look_closer(output, wrong)
        for topic in SILENT_TOPICS:
            self._none_in(f"{topic}.dlq")
        good = len(self.where) - self.poison
        if (self.totals["telemetry.readings"], self.totals["telemetry.raw.dlq"]) != (good, self.poison):
            self.findings.append(Finding("account", "telemetry.raw", f"{len(self.where)} messages became {self.totals}"))

    def _comparable(self, output):
        if output.topic in oracle.SHADOWED:
            return self.followed
        return self.ground.stateful or not output.stateful or not self.ground.plan

    def _none_in(self, topic):
        for partition in range(self.ground.partitions):
            for m in self.reader.stream(topic, partition):
                self.findings.append(Finding("foreign", topic, f"{m.header('forebay.reason')}: "
                                                               f"{m.header('__connect.errors.exception.message')}"))

    def _chains(self, output, topic, histories=False):
        chains = Chains()
        for partition in range(self.ground.partitions):
            final = []
            for m in self.reader.stream(topic, partition):
                chains.add(output.unit(m), output.content(m))
                if histories:
                    final.append((m.offset, witness.fingerprint(m.key, m.value)))
            if histories:
                self._history(topic, partition, final)
        return chains

    def _history(self, topic, partition, final):
        path, where = self.ground.folder / "witness" / f"{topic}.{partition}", f"{topic}.{partition}"
        self.findings += anomalies.check_polls(where, witness.entries(path), self.run.outages)
        self.findings += anomalies.check_seen(where, witness.entries(path), final)
        self.witnessed = getattr(self, "witnessed", 0) + sum(e[0] == witness.RECORD for e in witness.entries(path))

    def _look_closer(self, output, wrong):
        """Record by record, some of the units."""
        some = sorted(wrong)[:SHOWN_UNITS]
        name = {}
        sequences = [self._sequences(output, topic, set(some), name) for topic in (output.oracle, output.topic)]
        for unit in some:
            wanted, seen = (s.get(unit, []) for s in sequences)
            self.findings += anomalies.check_sequence(output.topic, unit.decode(), wanted, seen, name.get)
        rest = len(wrong) - len(some)
        if rest:
            self.findings.append(Finding("differs", output.topic, f"{rest} more units of order"))

    def _sequences(self, output, topic, units, name):
        found = {}
        for partition in range(self.ground.partitions):
            for m in self.reader.stream(topic, partition):
                unit = output.unit(m)
                if unit in units:
                    found.setdefault(unit, []).append(output.content(m))
                    name[output.content(m)] = f"{topic}[{m.partition}] {m.offset}: {self._shown(m)}"
        return found

    def _shown(self, m):
        try:
            return str(self.words.schemas.decode(m.value))[:400]
        except (ValueError, KeyError):
            return repr(m.value)[:200]

    # ---- values: what was sent against topics and tables ----

    def values(self):
        sample = self._sample()
        self.say("values and tables: " + (f"{len(sample)} devices" if sample else "all devices"))
        chosen = lambda device: sample is None or device in sample
        inputs = []
        for number, (partition, offset) in self.where.items():
            sent = self.sent[number]
            if chosen(sent.device):
                inputs.append(checker.Input(("telemetry.raw", partition, offset), sent.device, sent.event_us, sent.values,
                                            sent.reason, sent.value if sent.reason else None))
        wanted = lambda m: chosen(m.key.decode())
        records = [record for record in self._records(wanted)]
        letters = [letter for letter in self._letters(wanted)]
        rows = list(checker.live_rows(self.ground.database)) if sample is None else \
            [row for row in checker.live_rows(self.ground.database,
                                              "device IN ('" + "', '".join(sorted(sample)) + "')")]
        self.findings += checker.check(inputs, records, rows, letters)
        self._tables(sample, wanted)

    def _sample(self):
        if len(self.sent) <= self.words.decode_most:
            return None
        devices = sorted({self.sent.name(slot, turn) for slot in range(self.sent.devices)
                          for turn in range(0, len(self.sent) // self.sent.devices, 30)})
        return set(random.Random(self.words.seed).sample(devices, min(SAMPLED, len(devices))))

    def _all(self, topic, wanted):
        for partition in range(self.ground.partitions):
            for m in self.reader.stream(topic, partition):
                if wanted(m):
                    yield m

    def _records(self, wanted):
        for m in self._all("telemetry.readings", wanted):
            r = self.words.schemas.decode(m.value)
            if m.key.decode() != r["device"]:
                self.findings.append(Finding("foreign", m.topic, f"key {m.key}, device {r['device']}"))
            yield checker.Record((m.topic, m.partition, m.offset), r["device"], r["event_time"],
                                 tuple((v["metric"], v["value"]) for v in r["values"]))

    def _letters(self, wanted):
        for m in self._all("telemetry.raw.dlq", wanted):
            yield checker.Letter((m.topic, m.partition, m.offset),
                                 (m.header("__connect.errors.topic"), int(m.header("__connect.errors.partition")),
                                  int(m.header("__connect.errors.offset"))), m.header("forebay.reason"), m.value)

    def _tables(self, sample, wanted):
        for mapping in tables.mappings((places.CONFIG / "sink.properties").read_text()):
            if mapping.record in ("reading", "dead_letter"):
                continue  # checker.py looks at readings
            rows = [tables.row_of(mapping, m, self.words.schemas.decode(m.value))
                    for topic in mapping.topics for m in self._all(topic, wanted)]
            held = tables.select(self.ground.database, mapping, sample)
            self.findings += tables.compare(mapping, tables.wanted_rows(mapping, rows), held)
            self.say(f"{mapping.table}: {len(held)} rows of {len(rows)} records")
        count = self.ground.database.value("SELECT count(*) FROM forebay.dead_letters")
        if count != self.poison:
            self.findings.append(Finding("account", "forebay.dead_letters", f"{count} rows, {self.poison} dead letters"))

    # ---- processes ----

    def exits(self, last):
        """How workers ended that were not killed by us.  2, 3 and 4 ask for a restart, and had one."""
        codes = Counter()
        clocked = schedule.clocked_victims(self.ground.plan)
        for worker in self.ground.fleet.workers.values():
            codes.update(worker.exits)
            expected = {0, 2, 3, 4, -9}
            if worker.instance in clocked:
                expected.add(1)  # the Kafka client may fail to come up while the clock is moved
            if worker.exits.count(-6) <= len(re.findall(CLIENT_BUG, worker.log.read_text(errors="replace"))):
                expected.add(-6)
            bad = set(worker.exits) - expected
            if bad:
                self.findings.append(Finding("crash", worker.instance, f"exit codes {sorted(bad)}: {worker.log}"))
        for instance, code in last.items():
            # A wait of the Kafka client that began while the clock was ahead ends by the watchdog.
            if code and not (code == 4 and instance in clocked):
                self.findings.append(Finding("crash", instance, f"exit code {code} after the last SIGTERM"))
        for code in (1, 2, 4, -6):
            for text in last_words(self.ground.fleet, code):
                self.ground.remarks.append(text)
        self.say("exit codes: " + ", ".join(f"{n} x {code}" for code, n in sorted(codes.items())))
        self.findings += [Finding("stuck", "the fleet", text) for text in self.ground.findings]


def last_words(fleet, code):
    """Who ended with CODE, and the last error in its log before one of the ends."""
    for worker in fleet.workers.values():
        times = worker.exits.count(code)
        if times:
            errors = re.findall(r'^.*"level":"(?:error|fatal)".*$', worker.log.read_text(errors="replace"), re.M)
            yield f"{worker.instance} ended {times} times with {code}: {errors[-1][:400] if errors else worker.log}"
