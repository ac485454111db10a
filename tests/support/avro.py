"""Confluent framing by Apache Avro's own Python library: what others see of our records, and what they send us."""
import io
import json
import struct

import avro.io
import avro.schema

from support import places


def _plain(node):
    """The schema without logical types: times stay whole microseconds, which Python's datetime cannot all hold."""
    if isinstance(node, dict):
        return {name: _plain(part) for name, part in node.items() if name != "logicalType"}
    return [_plain(part) for part in node] if isinstance(node, list) else node


class Schemas:
    """The schemas under schemas/, by pinned id and by record name."""

    def __init__(self, folder=places.SCHEMAS):
        index = json.loads((folder / "index.json").read_text())
        self._schema, self._reader, self.id_of = {}, {}, {}
        for entry in index["schemas"]:
            text = json.dumps(_plain(json.loads((folder / entry["file"]).read_text())))
            self._schema[entry["id"]] = avro.schema.parse(text)
            self._reader[entry["id"]] = avro.io.DatumReader(self._schema[entry["id"]])
            self.id_of[entry["record"]] = entry["id"]

    def decode(self, value):
        """The record as a dict; the schema is the one that the value's prefix names."""
        if len(value) < 5 or value[0] != 0:
            raise ValueError(f"no Confluent prefix: {value[:8].hex()}")
        (number,) = struct.unpack(">I", value[1:5])
        return self._reader[number].read(avro.io.BinaryDecoder(io.BytesIO(value[5:])))

    def encode(self, name, record):
        """RECORD (a dict) with prefix, in our schema of that name ("Reading")."""
        out = io.BytesIO()
        number = self.id_of[name]
        avro.io.DatumWriter(self._schema[number]).write(record, avro.io.BinaryEncoder(out))
        return struct.pack(">bI", 0, number) + out.getvalue()
