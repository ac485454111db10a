#!/usr/bin/env python3
"""The exactly-once checker: what went in, against what is in the topics and in the table.

Four lists, each taken where it lies:

    inputs   what was sent, by the place in telemetry.raw where it landed, with what ought to become of it
    records  telemetry.readings, as a reader of committed records sees it
    rows     forebay.readings
    letters  telemetry.raw.dlq, as a reader of committed records sees it

and what must hold between them:

    each input is one record with its values, or one dead letter with its reason and its bytes, never both or neither
    the records of a device lie in the order of its inputs
    each (device, metric, event time) is one row; the value is that of its first record, to the last bit, and the place
    that the row says it came from holds that record

check() gives the list of what does not hold, empty when all is well.  As a program:

    checker.py INPUTS --bootstrap.servers HOST:PORT --postgres.uri URI

reads the inputs from a file (JSON Lines, see save()) and the rest live; exit code 1 when something does not hold.
"""
import argparse
import json
import struct
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

LOST, DUPLICATED, DISORDER, FOREIGN, WRONG_VALUE, ABORTED_READ, WRONG_REASON, WRONG_BYTES = (
    "lost", "duplicated", "disorder", "foreign", "wrong value", "aborted read", "wrong reason", "wrong bytes")


@dataclass(frozen=True)
class Input:
    place: tuple                     # (topic, partition, offset) in the raw topic
    device: str
    event_us: int = 0
    values: tuple = ()               # of (metric, value), value None where it was bad
    reason: Optional[str] = None     # of its dead letter; None: it becomes a record
    payload: Optional[bytes] = None  # of a dead letter: the original bytes


@dataclass(frozen=True)
class Record:
    place: tuple
    device: str
    event_us: int
    values: tuple


@dataclass(frozen=True)
class Row:
    device: str
    metric: str
    event_us: int
    value: Optional[float]
    origin: tuple  # place of its record


@dataclass(frozen=True)
class Letter:
    place: tuple
    source: tuple  # place of the message that is dead
    reason: str
    payload: Optional[bytes]


@dataclass(frozen=True)
class Finding:
    kind: str
    where: str
    what: str

    def __str__(self):
        return f"{self.kind} in {self.where}: {self.what}"


def bits(value):
    """A double as its bytes: equal only to the last bit; -0.0 is not 0.0, and a NaN is itself."""
    return None if value is None else struct.pack(">d", value)


def _identity(thing):
    return thing.event_us, tuple((metric, bits(value)) for metric, value in sorted(thing.values, key=lambda v: v[0]))


def _name(device, thing):
    return f"{device} at {thing.event_us} us {dict(thing.values)}"


def _order_broken(expected, seen):
    """The first record of SEEN that stands before one that should precede it; each list by identity."""
    places = defaultdict(list)
    for position, identity in enumerate(expected):
        places[identity].append(position)
    used, last = Counter(), -1
    for identity in seen:
        if used[identity] >= len(places[identity]):
            continue  # foreign, or one too many: said elsewhere
        position = places[identity][used[identity]]
        used[identity] += 1
        if position < last:
            return identity
        last = position
    return None


def check_records(inputs, records):
    """Inputs that become records, device by device in the order of their offsets, against the records in theirs."""
    wanted, seen = defaultdict(list), defaultdict(list)
    for thing in sorted((i for i in inputs if i.reason is None), key=lambda i: i.place):
        wanted[thing.device].append(thing)
    for thing in sorted(records, key=lambda r: r.place):
        seen[thing.device].append(thing)
    findings = []
    for device in sorted(wanted.keys() | seen.keys()):
        findings += _check_device(device, wanted[device], seen[device])
    return findings


def _check_device(device, wanted, seen):
    where = "telemetry.readings"
    ids_wanted, ids_seen = [_identity(w) for w in wanted], [_identity(s) for s in seen]
    if ids_wanted == ids_seen:
        return []
    findings = []
    count_wanted, count_seen = Counter(ids_wanted), Counter(ids_seen)
    sample = {**dict(zip(ids_seen, seen)), **dict(zip(ids_wanted, wanted))}
    missing, extra = count_wanted - count_seen, count_seen - count_wanted
    # The same event time and metrics with another value: one finding, not a loss and a stranger.
    by_time = {(i[0], tuple(m for m, _ in i[1])): i for i in missing}
    for identity in list(extra):
        twin = by_time.get((identity[0], tuple(m for m, _ in identity[1])))
        if twin is not None and identity not in count_wanted and missing[twin]:
            findings.append(Finding(WRONG_VALUE, where, f"{_name(device, sample[identity])}, sent as "
                                                        f"{dict(sample[twin].values)}"))
            missing[twin] -= 1
            extra[identity] -= 1
    for identity, n in (+missing).items():
        findings.append(Finding(LOST, where, f"{_name(device, sample[identity])}" + (f", {n} times" if n > 1 else "")))
    for identity, n in (+extra).items():
        kind = DUPLICATED if identity in count_wanted else FOREIGN
        more = f", {n} too many" if n > 1 else ""
        findings.append(Finding(kind, where, _name(device, sample[identity]) + more))
    broken = _order_broken(ids_wanted, ids_seen)
    if broken is not None:
        findings.append(Finding(DISORDER, where, f"{_name(device, sample[broken])} comes after a later one"))
    return findings


def check_letters(inputs, letters):
    where = "the dead letters"
    wanted = {i.place: i for i in inputs if i.reason is not None}
    good = {i.place for i in inputs if i.reason is None}
    findings, count = [], Counter(letter.source for letter in letters)
    for place in wanted.keys() - count.keys():
        findings.append(Finding(LOST, where, f"{place}, {wanted[place].reason}"))
    for source, n in count.items():
        if source not in wanted:
            why = "which is a good message" if source in good else "which was never sent"
            findings.append(Finding(FOREIGN, where, f"{source}, {why}"))
        elif n > 1:
            findings.append(Finding(DUPLICATED, where, f"{source}, {n} times"))
    for letter in letters:
        sent = wanted.get(letter.source)
        if sent is None:
            continue
        if letter.reason != sent.reason:
            findings.append(Finding(WRONG_REASON, where, f"{letter.source}: {letter.reason}, not {sent.reason}"))
        if sent.payload is not None and letter.payload != sent.payload:
            findings.append(Finding(WRONG_BYTES, where, f"{letter.source}: {letter.payload!r:.60}"))
    return findings


def check_rows(inputs, records, rows):
    """Rows against what was sent (first one wins), and each against the record that it says it came from."""
    where = "the table"
    wanted = {}
    for thing in sorted((i for i in inputs if i.reason is None), key=lambda i: i.place):
        for metric, value in thing.values:
            wanted.setdefault((thing.device, metric, thing.event_us), value)
    findings, count = [], Counter((r.device, r.metric, r.event_us) for r in rows)
    for identity in wanted.keys() - count.keys():
        findings.append(Finding(LOST, where, f"{identity}"))
    at = {record.place: record for record in records}
    for row in rows:
        identity = row.device, row.metric, row.event_us
        if count[identity] > 1:
            findings.append(Finding(DUPLICATED, where, f"{identity}, {count[identity]} rows"))
            count[identity] = 1
        if identity not in wanted:
            findings.append(Finding(FOREIGN, where, f"{identity}"))
        elif bits(row.value) != bits(wanted[identity]):
            findings.append(Finding(WRONG_VALUE, where, f"{identity}: {row.value!r}, sent as {wanted[identity]!r}"))
        record = at.get(row.origin)
        if record is None or (record.device, record.event_us) != (row.device, row.event_us) or \
           (row.metric, bits(row.value)) not in ((m, bits(v)) for m, v in record.values):
            findings.append(Finding(ABORTED_READ, where, f"{identity} says it came from {row.origin}, where no "
                                                         f"committed record has it"))
    return findings


def check_account(inputs, records, letters):
    """One message, one record or one letter: the sums must agree too."""
    if len(records) + len(letters) == len(inputs):
        return []
    kind = LOST if len(records) + len(letters) < len(inputs) else DUPLICATED
    return [Finding(kind, "the account", f"{len(records)} records + {len(letters)} dead letters, {len(inputs)} inputs")]


def check(inputs, records, rows, letters):
    return (check_records(inputs, records) + check_letters(inputs, letters) + check_rows(inputs, records, rows) +
            check_account(inputs, records, letters))


def report(findings, limit=20):
    if not findings:
        return "nothing lost, nothing twice, all in order"
    lines = [f"{n} x {kind} in {where}" for (kind, where), n in
             sorted(Counter((f.kind, f.where) for f in findings).items())]
    lines += [f"  {finding}" for finding in findings[:limit]]
    return "\n".join(lines + ([f"  ... and {len(findings) - limit} more"] if len(findings) > limit else []))


# ---- inputs in a file ----

def save(path, inputs):
    with open(path, "w", encoding="utf-8") as file:
        for i in inputs:
            file.write(json.dumps({"place": i.place, "device": i.device, "event_us": i.event_us, "values": i.values,
                                   "reason": i.reason, "payload": i.payload.hex() if i.payload is not None else None}))
            file.write("\n")


def load(path):
    with open(path, encoding="utf-8") as file:
        for line in file:
            i = json.loads(line)
            yield Input(tuple(i["place"]), i["device"], i["event_us"], tuple(map(tuple, i["values"])), i["reason"],
                        bytes.fromhex(i["payload"]) if i["payload"] is not None else None)


# ---- the rest, live ----

def live_records(broker, schemas, topic="telemetry.readings"):
    for m in broker.read(topic):
        reading = schemas.decode(m.value)
        if m.key is None or m.key.decode() != reading["device"]:
            raise AssertionError(f"{topic}[{m.partition}] {m.offset}: key {m.key!r}, device {reading['device']!r}")
        yield Record((m.topic, m.partition, m.offset), reading["device"], reading["event_time"],
                     tuple((v["metric"], v["value"]) for v in reading["values"]))


def live_letters(broker, topic="telemetry.raw.dlq"):
    for m in broker.read(topic):
        yield Letter((m.topic, m.partition, m.offset),
                     (m.header("__connect.errors.topic"), int(m.header("__connect.errors.partition")),
                      int(m.header("__connect.errors.offset"))), m.header("forebay.reason"), m.value)


def live_rows(database, where="true"):
    for device, metric, event_us, value, _, _, topic, partition, offset in database.readings(where):
        yield Row(device, metric, event_us, value, (topic, partition, offset))


def check_live(inputs, broker, schemas, database, topic="telemetry.readings", dlq="telemetry.raw.dlq"):
    return check(list(inputs), list(live_records(broker, schemas, topic)), list(live_rows(database)),
                 list(live_letters(broker, dlq)))


def main():
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from support.avro import Schemas
    from support.broker import Broker
    from support.database import Database

    parser = argparse.ArgumentParser(description="Is every input in telemetry.readings and its table exactly once?")
    parser.add_argument("inputs", help="what was sent: JSON Lines, as save() writes them")
    parser.add_argument("--bootstrap.servers", dest="bootstrap", required=True)
    parser.add_argument("--postgres.uri", dest="postgres", required=True)
    parser.add_argument("--topic", default="telemetry.readings")
    parser.add_argument("--dlq", default="telemetry.raw.dlq")
    words = parser.parse_args()
    findings = check_live(load(words.inputs), Broker(words.bootstrap), Schemas(), Database(words.postgres), words.topic,
                          words.dlq)
    print(report(findings))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
