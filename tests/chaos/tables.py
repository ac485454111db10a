"""Tables against the topics they come from, by the deployment's own sink.properties: which rows there must be.

A row is made of the first record of its identity (conflict = ignore), or of the record that is latest by its order
(conflict = newer).  The row says where it came from (origin_*), so it must be that very record's, to the last bit.
"""
import struct
from dataclasses import dataclass

from checker import Finding
from support.database import MICROS

MISSING, STRANGE, DIFFERENT, TWICE = "lost row", "foreign row", "wrong row", "duplicate row"
SHOWN = 5


@dataclass(frozen=True)
class Mapping:
    name: str
    topics: tuple
    record: str
    table: str
    columns: tuple   # of (column, field)
    identity: tuple
    newer: bool
    order: str


def mappings(text):
    """The tables of a sink.properties."""
    blocks = {}
    for line in text.replace("\\\n", " ").splitlines():
        line = line.strip()
        if line and not line.startswith("#"):
            key, _, value = line.partition("=")
            name, _, what = key.strip().partition(".")
            blocks.setdefault(name, {})[what] = value.strip()
    words = lambda text: tuple(word.strip() for word in text.split(","))
    return [Mapping(name, words(b["topics"]), b["record"], b["table"],
                    tuple((c.partition(":")[0], c.partition(":")[2] or c) for c in words(b["columns"])),
                    words(b["identity"]), b.get("conflict") == "newer", b.get("order", ""))
            for name, b in blocks.items()]


FIELDS = {
    ("alert", "starts_time"): lambda r: r["start_time"],
    ("forecast", "quantiles"): lambda r: [r["values"][i:i + len(r["levels"])]
                                          for i in range(0, len(r["values"]), len(r["levels"]))],
    ("forecast", "members"): lambda r: [m["name"] for m in r["members"]] or None,
    ("forecast", "weights"): lambda r: [m["weight"] for m in r["members"]] or None,
    ("outcome", "members"): lambda r: list(r["members"]) or None,
    ("outcome", "losses"): lambda r: list(r["members"].values()) or None,
    **{(record, column): lambda r, part=part: [a[part] for a in r["attribution"]] or None
       for record in ("score", "anomaly", "alert")
       for column, part in (("columns", "column"), ("shares", "share"), ("directions", "direction"))},
}


def exact(value):
    """Comparable to the last bit; empty arrays are NULL's equals."""
    if isinstance(value, float):
        return struct.pack(">d", value)
    if isinstance(value, (bytes, memoryview)):
        return bytes(value)
    if isinstance(value, (list, tuple)):
        return tuple(exact(v) for v in value) or None
    return value


def row_of(mapping, message, record):
    """What the table must hold of this record."""
    place = {"topic": message.topic, "partition": message.partition, "offset": message.offset}
    return tuple(exact(place[field] if field in place else
                       FIELDS.get((mapping.record, field), lambda r: r[field])(record))
                 for _, field in mapping.columns)


def wanted_rows(mapping, rows):
    """Identity -> row, of ROWS in the order of the topic."""
    names = [column for column, _ in mapping.columns]
    key = [names.index(column) for column in mapping.identity]
    order = names.index(mapping.order) if mapping.newer else None
    wanted = {}
    for row in rows:
        identity = tuple(row[i] for i in key)
        held = wanted.get(identity)
        if held is None or (order is not None and row[order] > held[order]):
            wanted[identity] = row
    return wanted


def compare(mapping, wanted, rows):
    names = [column for column, _ in mapping.columns]
    key = [names.index(column) for column in mapping.identity]
    findings, seen = [], set()

    def say(kind, identity, what=""):
        findings.append(Finding(kind, mapping.table, f"{identity} {what}".strip()))
    for row in rows:
        identity = tuple(row[i] for i in key)
        if identity in seen:
            say(TWICE, identity)
        seen.add(identity)
        if identity not in wanted:
            say(STRANGE, identity)
        elif row != wanted[identity]:
            wrong = [(n, a, b) for n, a, b in zip(names, row, wanted[identity]) if a != b]
            say(DIFFERENT, identity, "; ".join(f"{n}: {a!r:.60}, wanted {b!r:.60}" for n, a, b in wrong[:SHOWN]))
    for identity in wanted.keys() - seen:
        say(MISSING, identity)
    return findings


def select(database, mapping, devices=None):
    """The rows of the table as row_of() tells them; DEVICES: only theirs."""
    kinds = dict(database.rows("SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = %s "
                               "AND table_name = %s", *mapping.table.split(".")))
    columns = [MICROS.format(f'"{c}"') if kinds[c].startswith("timestamp") else f'"{c}"' for c, _ in mapping.columns]
    query = f"SELECT {', '.join(columns)} FROM {mapping.table}"
    found = database.rows(query) if devices is None else database.rows(query + " WHERE device = ANY(%s)", list(devices))
    return [tuple(exact(value) for value in row) for row in found]
