"""Apache Avro's own Python library as the other end: its reading of our bytes, its bytes for us, in Confluent framing.

Unlike support/avro.py it keeps the logical types, may read with one schema what another wrote, and knows GUIDs and HTTP.
"""
import base64
import datetime
import io
import json
import struct
import subprocess
import urllib.request

import avro.io
import avro.schema

from support import places

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
MICROSECOND = datetime.timedelta(microseconds=1)


def branch_of(schema, value):
    """The schema of VALUE inside a union."""
    if schema.type != "union":
        return schema
    null = [s for s in schema.schemas if s.type == "null"]
    return null[0] if value is None else next(s for s in schema.schemas if s.type != "null")


def from_json(schema, value):
    """Our JSON (plain unions, bytes as base64, times as microseconds) as what avro.io takes."""
    schema = branch_of(schema, value)
    if getattr(schema, "logical_type", None) == "timestamp-micros":
        return EPOCH + value * MICROSECOND
    if schema.type == "bytes":
        return base64.b64decode(value)
    if schema.type == "record":
        return {f.name: from_json(f.type, value[f.name]) for f in schema.fields}
    if schema.type == "array":
        return [from_json(schema.items, item) for item in value]
    if schema.type == "map":
        return {key: from_json(schema.values, item) for key, item in value.items()}
    return value


def to_json(schema, value):
    """The way back."""
    schema = branch_of(schema, value)
    if isinstance(value, datetime.datetime):
        return (value - EPOCH) // MICROSECOND
    if schema.type == "bytes":
        return base64.b64encode(value).decode()
    if schema.type == "record":
        return {f.name: to_json(f.type, value[f.name]) for f in schema.fields}
    if schema.type == "array":
        return [to_json(schema.items, item) for item in value]
    if schema.type == "map":
        return {key: to_json(schema.values, item) for key, item in value.items()}
    return value


def encode(schema, value):
    """The bare body."""
    out = io.BytesIO()
    avro.io.DatumWriter(schema).write(from_json(schema, value), avro.io.BinaryEncoder(out))
    return out.getvalue()


def decode(body, writer, reader=None):
    """JSON of a bare body; READER resolves."""
    stream = io.BytesIO(body)
    value = avro.io.DatumReader(writer, reader or writer).read(avro.io.BinaryDecoder(stream))
    assert not stream.read(), "bytes are left over"
    return to_json(reader or writer, value)


def framed(number, body):
    return struct.pack(">bI", 0, number) + body


def unframed(value):
    magic, number = struct.unpack(">bI", value[:5])
    assert magic == 0
    return number, value[5:]


def parse(schema):
    return avro.schema.parse(schema if isinstance(schema, str) else json.dumps(schema))


def without_logical_types(node):
    """Python's canonical form keeps {"type": "long"} for a logical type, where the specification (and Java) say "long"."""
    if isinstance(node, dict):
        return {name: without_logical_types(part) for name, part in node.items() if name != "logicalType"}
    return [without_logical_types(part) for part in node] if isinstance(node, list) else node


def fingerprint(schema):
    """CRC-64-AVRO of the canonical form, as the index of our schemas keeps it."""
    empty = 0xC15D213AA4D7A795
    crc = empty
    for byte in parse(without_logical_types(schema)).canonical_form.encode():
        row = (crc ^ byte) & 0xFF
        for _ in range(8):
            row = (row >> 1) ^ (empty if row & 1 else 0)
        crc = (crc >> 8) ^ row
    return f"{crc:016x}"


class Peer:
    """Our codec at the other end of two pipes."""

    def __init__(self, folder=places.SCHEMAS, url=None):
        self.folder = folder
        self.url = url or f"file:{folder}"

    def _run(self, *words, given):
        tool = places.BUILD / "tests/unit/record/avro_tool"
        return subprocess.run([tool, self.url, self.folder, *words], input=given, capture_output=True, timeout=60,
                              check=False)

    def encode(self, record, topic, value):
        done = self._run("encode", record, topic, given=json.dumps(value).encode())
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def decode(self, record, topic, value, header=b""):
        done = self._run("decode", record, topic, *([header.hex()] if header else []), given=value)
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)

    def refusal(self, record, topic, value, header=b""):
        """The reason why it cannot be decoded."""
        done = self._run("decode", record, topic, *([header.hex()] if header else []), given=value)
        assert done.returncode == 1
        return done.stderr.decode().partition(":")[0]


class Confluent:
    """The few calls of a registry that a reader and writer in another language makes."""

    def __init__(self, url):
        self.url = url

    def _call(self, path, body=None):
        headers = {"Content-Type": "application/vnd.schemaregistry.v1+json"}
        request = urllib.request.Request(self.url + path, headers=headers,
                                         data=json.dumps(body).encode() if body else None)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    def schema(self, number):
        return parse(self._call(f"/schemas/ids/{number}")["schema"])

    def register(self, subject, schema):
        return self._call(f"/subjects/{subject}/versions", {"schema": json.dumps(schema)})["id"]

    def versions(self, subject):
        return self._call(f"/subjects/{subject}/versions")

    def level(self, subject):
        return self._call(f"/config/{subject}")["compatibilityLevel"]
