"""What Apache Avro's Python library makes of our records, and we of its: all examples, all framings, other versions."""
import copy
import json
import os
import shutil
import struct
import subprocess
import uuid

import pytest

import avro_peer
from avro_peer import Peer, decode, encode, fingerprint, framed, parse, unframed
from support import places
from support.stack import Stack

INDEX = json.loads((places.SCHEMAS / "index.json").read_text())["schemas"]
ENTRY = {entry["record"]: entry for entry in INDEX}
TEXT = {entry["record"]: json.loads((places.SCHEMAS / entry["file"]).read_text()) for entry in INDEX}
EXAMPLES = sorted((places.SCHEMAS / "examples").glob("*.json"))


def example(path):
    record = path.stem.partition("-")[0]
    return record, json.loads(path.read_text())


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_they_read_what_we_write(path):
    record, want = example(path)
    number, body = unframed(Peer().encode(record, "any", want))
    assert number == ENTRY[record]["id"]
    assert decode(body, parse(TEXT[record])) == want


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_we_read_what_they_write(path):
    record, want = example(path)
    body, number = encode(parse(TEXT[record]), want), ENTRY[record]["id"]
    guid = b"\x01" + uuid.UUID(ENTRY[record]["guid"]).bytes
    assert Peer().decode(record, "any", framed(number, body)) == want
    assert Peer().decode(record, "any", guid + body) == want
    assert Peer().decode(record, "any", body, header=struct.pack(">bI", 0, number)) == want
    assert Peer().decode(record, "any", body, header=guid) == want


def test_fingerprints_are_theirs():
    for entry in INDEX:
        assert fingerprint(json.loads((places.SCHEMAS / entry["file"]).read_text())) == entry["fingerprint"]


@pytest.mark.parametrize("value, reason", [
    (b"", "AVRO_FRAMING"),
    (b"{}", "AVRO_FRAMING"),
    (framed(99999, b""), "AVRO_SCHEMA_UNKNOWN"),
    (b"\x01" + bytes(16), "AVRO_SCHEMA_UNKNOWN"),
    (framed(ENTRY["Journal"]["id"], b"\x02a"), "AVRO_SCHEMA_MISMATCH"),
    (framed(ENTRY["Reading"]["id"], b"\x02a"), "AVRO_DECODE"),
])
def test_what_is_not_ours_is_refused(value, reason):
    assert Peer().refusal("Reading", "any", value) == reason


# --- other versions: a directory of schemas whose index has an older Reading before ours and a newer one behind it ---

OLDER = {
    "type": "record", "name": "Reading", "namespace": "forebay", "fields": [
        {"name": "station", "type": ["null", "string"]},  # removed since
        {"name": "values", "type": {"type": "array", "items": {  # re-ordered
            "type": "record", "name": "ReadingValue", "fields": [
                {"name": "value", "type": ["null", "float"]},  # promoted
                {"name": "metric", "type": "bytes"}]}}},  # promoted; unit, quality and text added since
        {"name": "device", "type": "string"},
        {"name": "ingest_time", "type": "int"},  # promoted
        {"name": "event_time", "type": {"type": "long", "logicalType": "timestamp-micros"}},
    ]}


def newer():
    schema = copy.deepcopy(TEXT["Reading"])
    schema["fields"].insert(0, {"name": "tenant", "type": "string", "default": "none"})
    schema["fields"][-1]["type"]["items"]["fields"].append(
        {"name": "tags", "type": {"type": "map", "values": ["int", "string"]}, "default": {}})
    return schema


@pytest.fixture
def versions(tmp_path):
    """A folder as after two changes of Reading: ids 1 (older), 2 (today's) and 3 (newer, pinned by our own command)."""
    shutil.copy(places.SCHEMAS / "reading.avsc", tmp_path / "reading.2.avsc")
    (tmp_path / "reading.avsc").write_text(json.dumps(OLDER))
    (tmp_path / "reading.3.avsc").write_text(json.dumps(newer()))
    entries = [{"id": n, "guid": str(uuid.UUID(int=n)), "record": "Reading", "version": n, "file": file,
                "fingerprint": fingerprint(schema), "subjects": ["telemetry.readings-value"]}
               for n, file, schema in [(1, "reading.avsc", OLDER), (2, "reading.2.avsc", TEXT["Reading"])]]
    (tmp_path / "index.json").write_text(json.dumps({"schemas": entries}))
    assert "id 3" in schemas_command(tmp_path, "pin", "reading.3.avsc").stdout
    return tmp_path


def schemas_command(folder, *words, url=None):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FOREBAY_")}
    return subprocess.run([places.program("forebay"), "schemas", *words, f"--schema.dir={folder}",
                           f"--schema.registry.url={url or 'file:' + str(folder)}"],
                          capture_output=True, text=True, timeout=120, check=False, env=environment)


OLD_VALUE = {"station": "north", "values": [{"value": 0.5, "metric": "dGVtcA=="}, {"value": 1.5, "metric": "aHVt"}],
             "device": "d-1", "ingest_time": 77, "event_time": 5}


def test_an_older_version_is_read(versions):
    # Python's library promotes, fills defaults and re-orders; bytes to string it leaves as bytes, so that is put right.
    ours = parse(TEXT["Reading"])
    body = encode(parse(OLDER), OLD_VALUE)
    read = Peer(versions).decode("Reading", "telemetry.readings", framed(1, body))
    assert read == {
        "device": "d-1", "event_time": 5, "ingest_time": 77, "source": "",
        "values": [{"metric": "temp", "value": 0.5, "unit": None, "quality": "good", "text": None},
                   {"metric": "hum", "value": 1.5, "unit": None, "quality": "good", "text": None}]}
    assert decode(encode(ours, read), ours) == read


def test_a_newer_version_is_read(versions):
    value = json.loads((places.SCHEMAS / "examples/Reading-good.json").read_text())
    sent = copy.deepcopy(value)
    sent["tenant"] = "t-1"
    for item in sent["values"]:
        item["tags"] = {"line": 4}
    body = encode(parse(newer()), sent)
    assert Peer(versions).decode("Reading", "telemetry.readings", framed(3, body)) == value


def test_they_read_ours_with_a_newer_schema(versions):
    value = json.loads((places.SCHEMAS / "examples/Reading-good.json").read_text())
    number, body = unframed(Peer(versions).encode("Reading", "telemetry.readings", value))
    assert number == 2  # the version of this program, not the newest one
    read = decode(body, parse(TEXT["Reading"]), parse(newer()))
    assert read["tenant"] == "none" and read["values"][0]["tags"] == {}
    assert read["device"] == value["device"]


def test_an_incompatible_version_is_refused(versions):
    schema = copy.deepcopy(TEXT["Reading"])
    schema["fields"].append({"name": "site", "type": "string"})
    (versions / "reading.4.avsc").write_text(json.dumps(schema))
    for words in (["pin", "reading.4.avsc"], ["pin", "reading.4.avsc", "--dry-run"], ["check", f"{versions}/reading.4.avsc"]):
        done = schemas_command(versions, *words)
        assert done.returncode == 2
        assert "SCHEMA_INCOMPATIBLE" in done.stderr and "Reading.site: a new field needs a default" in done.stderr
    assert len(json.loads((versions / "index.json").read_text())["schemas"]) == 3


def test_a_file_changed_in_place_is_noticed(versions):
    (versions / "reading.2.avsc").write_text(json.dumps(OLDER))
    done = schemas_command(versions, "register")
    assert done.returncode == 2 and "reading.2.avsc: its fingerprint is" in done.stderr


# --- a registry over HTTP ---

@pytest.fixture(scope="module")
def registry():
    stack = Stack(places.TOP / f".stack-test-{os.getpid()}-peer")
    try:
        stack.start("registry")
        yield stack.registry_url
    finally:
        stack.wipe()


def test_register_is_idempotent(registry):
    confluent = avro_peer.Confluent(registry)
    dry = json.loads(schemas_command(places.SCHEMAS, "register", "--dry-run", "--json", url=registry).stdout)
    subjects = [subject for entry in INDEX for subject in entry["subjects"]]  # one for each version of its schema
    assert dry["registered"] == len(subjects) and not dry["applied"]
    first = json.loads(schemas_command(places.SCHEMAS, "register", "--json", url=registry).stdout)
    again = json.loads(schemas_command(places.SCHEMAS, "register", "--json", url=registry).stdout)
    assert (first["registered"], first["kept"]) == (len(subjects), 0)
    assert (again["registered"], again["kept"]) == (0, len(subjects))
    assert [a["id"] for a in first["actions"]] == [a["id"] for a in again["actions"]]
    for subject in subjects:
        assert confluent.versions(subject) == list(range(1, subjects.count(subject) + 1))
        assert confluent.level(subject) == "BACKWARD_TRANSITIVE"
    assert "not registered" not in schemas_command(places.SCHEMAS, "list", url=registry).stdout


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_by_the_ids_of_a_registry(registry, path):
    record, want = example(path)
    topic = ENTRY[record]["subjects"][0].removesuffix("-value")
    peer, confluent = Peer(url=registry), avro_peer.Confluent(registry)
    number, body = unframed(peer.encode(record, topic, want))
    schema = confluent.schema(number)
    assert decode(body, schema) == want
    assert peer.decode(record, topic, framed(number, encode(schema, want))) == want


def test_an_older_version_by_the_registry(registry):
    number = avro_peer.Confluent(registry).register("elsewhere-value", OLDER)
    value = framed(number, encode(parse(OLDER), OLD_VALUE))
    read = Peer(url=registry).decode("Reading", "telemetry.readings", value)
    assert [v["metric"] for v in read["values"]] == ["temp", "hum"]


def test_what_a_registry_does_not_know(registry):
    assert Peer(url=registry).refusal("Reading", "telemetry.readings", framed(99999, b"")) == "AVRO_SCHEMA_UNKNOWN"
    assert Peer(url=registry).refusal("Reading", "telemetry.readings", b"\x01" + bytes(16)) == "AVRO_SCHEMA_UNKNOWN"


def test_the_registry_refuses_too(registry):
    """A subject that somebody else filled with what ours cannot follow."""
    confluent = avro_peer.Confluent(registry)
    taken = {"type": "record", "name": "Reading", "namespace": "forebay", "fields": [{"name": "x", "type": "int"}]}
    confluent.register("taken-value", taken)
    index = json.loads((places.SCHEMAS / "index.json").read_text())
    index["schemas"][0]["subjects"] = ["taken-value"]
    folder = places.TOP / f".stack-test-{os.getpid()}-peer" / "schemas"
    shutil.copytree(places.SCHEMAS, folder)
    (folder / "index.json").write_text(json.dumps(index))
    for words in (["register"], ["check"]):
        done = schemas_command(folder, *words, url=registry)
        assert done.returncode == 2 and "SCHEMA_INCOMPATIBLE" in done.stderr, done.stderr
    assert confluent.versions("taken-value") == [1]


def test_a_registry_that_is_not_there():
    done = schemas_command(places.SCHEMAS, "register", url="http://user:secret@127.0.0.1:9/")
    assert done.returncode == 2 and "REGISTRY_DOWN" in done.stderr and "secret" not in done.stderr
    assert Peer(url="http://127.0.0.1:9/").refusal("Reading", "any", b"x") == "REGISTRY_DOWN"
