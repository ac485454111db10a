"""`forebay checkpoints`: made-up states, whose every figure is known, and those of a real worker.

The images are written here by the description in common/base/image.h and not by the product.  For `verify` a script
stands in for the worker where the point is what is compared; the real one rebuilds its states at the end.
"""
import json
import os
import signal
import stat
import struct
import subprocess
import time
from contextlib import closing

import psycopg2
import pytest
from confluent_kafka import Consumer, TopicPartition

from support import places, telemetry
from support.broker import Publisher, patient
from support.fleet import await_quiet, forebay, group
from support.image import fingerprint, sealed, signed
from support.wait import until

GROUP = "made"
SOURCES = ["telemetry.readings", "telemetry.deferred", "fleet.journal"]
LAYOUT = "pump 3 {level:f64,name:[char],big:u64,ring:3*i32,parts:[{id:u8}],last:?f64}"
SECOND = 1_000_000


def image(level, name="", layout=LAYOUT):
    members = struct.pack("<d", level) + struct.pack("<I", len(name.encode())) + name.encode()
    members += struct.pack("<Q", 2**63 + 1) + struct.pack("<iii", -1, 0, 2147483647)
    return sealed(layout, members + struct.pack("<I", 2) + bytes([7, 8]) + b"\0")


# ---- made-up states ----

class Made:
    """Rows of the tables, written as a worker would."""

    def __init__(self, database):
        self.database = database
        self.now_us = int(time.time() * 1e6)
        database.run("INSERT INTO forebay.state_layouts VALUES (%s, %s) ON CONFLICT DO NOTHING",
                     signed(fingerprint(LAYOUT)), LAYOUT)

    def clear(self):
        self.database.run("DELETE FROM forebay.state_partitions WHERE worker LIKE %s", GROUP + "%")

    def partition(self, number, frontier, run="live", group=GROUP, epoch=4, sources=None):
        return self.database.value(
            "INSERT INTO forebay.state_partitions (run, worker, topic, partition, epoch, instance, sources, frontier, "
            "reached) VALUES (%s, %s, %s, %s, %s, 'pod-0', %s, %s, 0) RETURNING id",
            run, group, SOURCES[0], number, epoch, sources or SOURCES, frontier)

    def state(self, row, key, clock, state, born=0, age_s=0, rung=False, positions=None):
        self.database.run(
            f"INSERT INTO forebay.{'state_rungs' if rung else 'states'} VALUES (%s, %s, %s, %s, %s, %s, 4, %s, %s)",
            row, key, clock, positions or [clock, 0, 0], born, 1_750_000_000 * SECOND,
            self.now_us - int(age_s * SECOND), state)


@pytest.fixture
def made(line, database):
    made = Made(database)
    made.clear()
    yield made
    made.clear()


def checkpoints(stack, *words, code=0, **more):
    done = forebay(stack, "checkpoints", *words, check=False, **more)
    assert done.returncode == code, f"{words}\n{done.stdout}\n{done.stderr}"
    return done


def as_json(stack, *words, **more):
    return json.loads(checkpoints(stack, *words, "--json", **more).stdout)


# ---- list ----

def test_without_tables(line, database):
    database.run("CREATE DATABASE nothing_here")
    uri = line.postgres_uri.rpartition("/")[0] + "/nothing_here"
    try:
        for word in (["list"], ["show", "--worker=etl-preprocessor", "--key=a"], ["prune", "--older-than=1d"],
                     ["verify", "--worker=etl-preprocessor"]):
            told = checkpoints(line, *word, f"--postgres.uri={uri}", code=2).stderr
            assert "forebay.state" in told and "forebay db migrate" in told
    finally:
        database.run("DROP DATABASE nothing_here")


def test_list(line, made, database):
    first = made.partition(0, [100, 7, -1])
    made.partition(5, None)
    other = made.partition(0, [50, 0, 0], run="replay-1")
    made.state(first, b"a\x1fm", 90, image(1), age_s=3700)
    made.state(first, b"b\x1fm", 95, image(1, "x" * 1000), age_s=5)
    made.state(first, b"a\x1fm", 40, image(1), age_s=9000, rung=True)
    made.state(other, b"a\x1fm", 50, image(1))
    rows = as_json(line, "list", "--worker", GROUP)["partitions"]
    assert [(r["run"], r["partition"]) for r in rows] == [("live", 0), ("live", 5), ("replay-1", 0)]
    row = rows[0]
    size = database.value("SELECT sum(octet_length(state)) FROM forebay.states WHERE partition = %s", first)
    assert (row["keys"], row["bytes"], row["rungs"], row["epoch"], row["instance"]) == (2, size, 1, 4, "pod-0")
    assert (row["clock"], row["frontier"]) == (100, {SOURCES[0]: 100, SOURCES[1]: 7, SOURCES[2]: None})
    assert row["oldest_taken_at"] == database.value(
        "SELECT to_char(forebay.micros(min(taken_us)), 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') FROM forebay.states "
        "WHERE partition = %s", first)
    assert (rows[1]["clock"], rows[1]["keys"], rows[1]["oldest_taken_at"]) == (None, 0, None)
    assert [r["run"] for r in as_json(line, "list", "--run.id=replay-1")["partitions"]] == ["replay-1"]
    assert as_json(line, "list", "--worker=nobody")["partitions"] == []
    lines = checkpoints(line, "list", "--worker", GROUP).stdout.splitlines()
    assert lines[0].split()[:4] == ["run", "worker", "partition", "epoch"]
    assert lines[1].split()[:7] == ["live", GROUP, f"{SOURCES[0]}/0", "4", "pod-0", "100", "2"]
    assert "1h01m" in lines[1]


def commit(stack, group, partition, offset):
    consumer = Consumer({"bootstrap.servers": stack.bootstrap, "group.id": group, "enable.auto.commit": False})
    patient(lambda: consumer.commit(offsets=[TopicPartition(SOURCES[0], partition, offset)], asynchronous=False))
    consumer.close()


def test_list_with_lag(line, made):
    made.partition(0, [100, 0, 0])
    made.partition(1, [100, 0, 0])
    made.partition(0, [30, 0, 0], run="replay-1")
    commit(line, GROUP, 0, 130)
    commit(line, f"{GROUP}.replay-1", 0, 35)
    rows = as_json(line, "list", "--worker", GROUP)["partitions"]
    assert [(r["committed"], r["lag"]) for r in rows] == [(130, 30), (None, None), (35, 5)]
    assert "behind" in checkpoints(line, "list", "--worker", GROUP).stdout


def test_list_while_kafka_is_away(line, made):
    made.partition(0, [100, 0, 0])
    done = checkpoints(line, "list", "--worker", GROUP, "--bootstrap.servers=127.0.0.1:1", "--request.timeout.ms=300")
    assert "without committed offsets" in done.stderr
    assert "100" in done.stdout and "behind" not in done.stdout
    assert "behind" not in checkpoints(line, "list", "--worker", GROUP, "--bootstrap.servers=").stdout


# ---- show ----

def test_show(line, made):
    row = made.partition(2, [100, 7, 3])
    made.state(row, b"pump/1\x1ftemp", 90, image(0.1, "grün"), born=12, positions=[90, 6])
    made.state(row, b"pump/1\x1ftemp", 40, image(0.2), rung=True, age_s=60)
    made.state(row, b"pump/1\x1ftemp", 20, image(0.3), rung=True, age_s=120)
    made.state(row, b"6:pump/2temp", 91, image(2))
    made.state(row, b"\x1fgroup6:pump/2group:pair", 91, image(3))
    one = as_json(line, "show", "--worker", GROUP, "--key=pump/1/temp")
    assert one["state"] == {"level": 0.1, "name": "grün", "big": 2**63 + 1, "ring": [-1, 0, 2147483647],
                            "parts": [{"id": 7}, {"id": 8}], "last": None}
    assert (one["key"], one["partition"], one["clock"], one["born"]) == ("pump/1/temp", 2, 90, 12)
    assert one["positions"] == {SOURCES[0]: 90, SOURCES[1]: 6, SOURCES[2]: None}
    assert (one["layout"], one["readable"], one["rung"], one["epoch"]) == ("pump 3", True, False, 4)
    assert [r["clock"] for r in one["rungs"]] == [40, 20]
    for words in (["--key=pump/1"], ["--key=pump/1", "--metric=temp"], ["--key=\\x" + b"pump/1\x1ftemp".hex()]):
        assert as_json(line, "show", "--worker", GROUP, *words) == one
    assert as_json(line, "show", "--worker", GROUP, "--key=pump/2/temp")["state"]["level"] == 2
    group_of = as_json(line, "show", "--worker", GROUP, "--key=pump/2/group:pair")
    assert (group_of["key"], group_of["state"]["level"]) == ("pump/2/group:pair", 3)
    text = checkpoints(line, "show", "--worker", GROUP, "--key=pump/1/temp").stdout
    assert '  "level": 0.1,' in text and '  "ring": [-1, 0, 2147483647],' in text and "pump 3" in text
    for at, level, rung in ((89, 0.2, True), (40, 0.2, True), (39, 0.3, True), (90, 0.1, False)):
        then = as_json(line, "show", "--worker", GROUP, "--key=pump/1", "--at", at)
        assert (then["state"]["level"], then["rung"]) == (level, rung)
    assert "19" not in checkpoints(line, "show", "--worker", GROUP, "--key=pump/1", "--at=19", code=1).stdout
    assert "pump/3" in checkpoints(line, "show", "--worker", GROUP, "--key=pump/3", code=1).stderr


def test_show_several(line, made):
    row = made.partition(0, [100, 0, 0])
    for metric in (b"m", b"n", b"x/y"):
        made.state(row, b"a\x1f" + metric, 90, image(1))
    made.state(row, b"ab\x1fm", 90, image(1))
    assert [s["key"] for s in as_json(line, "show", "--worker", GROUP, "--key=a")["states"]] == ["a/m", "a/n", "a/x/y"]
    text = checkpoints(line, "show", "--worker", GROUP, "--key=a").stdout
    assert "a/x/y" in text and "3 states" in text and "ab/m" not in text


def test_show_what_cannot_be_read(line, made):
    row = made.partition(0, [100, 0, 0])
    good = image(1)
    broken = good[:25] + bytes([good[25] ^ 1]) + good[26:]
    made.state(row, b"a\x1fm", 90, broken)
    made.state(row, b"a\x1fm", 60, good[:-9], rung=True)
    made.state(row, b"a\x1fm", 40, good, rung=True)
    made.state(row, b"b\x1fm", 90, b"")
    made.state(row, b"c\x1fm", 90, image(1, layout="pump 9 {}"))
    one = as_json(line, "show", "--worker", GROUP, "--key=a", code=2)
    assert (one["readable"], one["reason"], one["readable_before"]) == (False, "STATE_CORRUPT", 40)
    assert "checksum" in one["error"] and "state" not in one
    text = checkpoints(line, "show", "--worker", GROUP, "--key=a", code=2).stdout
    assert "CANNOT BE READ" in text and "stands at offset 40" in text
    assert "no older one" in checkpoints(line, "show", "--worker", GROUP, "--key=b", code=2).stdout
    unknown = as_json(line, "show", "--worker", GROUP, "--key=c", code=2)
    assert unknown["reason"] == "STATE_VERSION" and "forebay.state_layouts" in unknown["error"]
    assert unknown["fingerprint"] == f"{fingerprint('pump 9 {}'):016x}"


# ---- prune, forget ----

def count(database, table, run="live"):
    return database.value(f"SELECT count(*) FROM forebay.{table} s JOIN forebay.state_partitions p "
                          "ON p.id = s.partition WHERE p.worker = %s AND p.run = %s", GROUP, run)


def test_prune(line, made, database):
    row, other = made.partition(0, [100, 0, 0]), made.partition(0, [100, 0, 0], run="verify-1")
    for run_row in (row, other):
        made.state(run_row, b"a\x1fm", 90, image(1), age_s=86400)
        for clock, age_s in ((10, 8 * 86400), (20, 7.5 * 86400), (30, 6 * 86400)):
            made.state(run_row, b"a\x1fm", clock, image(1), age_s=age_s, rung=True)
    older = ["prune", "--worker", GROUP, "--older-than", "7d", "--run.id", "live"]
    assert as_json(line, *older, "--dry-run") == {"dropped": False, "partitions": 0, "states": 0, "rungs": 2}
    assert count(database, "state_rungs") == 3
    assert as_json(line, *older) == {"dropped": True, "partitions": 0, "states": 0, "rungs": 2}
    assert (count(database, "state_rungs"), count(database, "states")) == (1, 1)
    assert count(database, "state_rungs", "verify-1") == 3
    whole = ["prune", "--run.id=verify-1"]
    assert as_json(line, *whole, "--dry-run") == {"dropped": False, "partitions": 1, "states": 1, "rungs": 3}
    assert count(database, "states", "verify-1") == 1
    assert "1 partitions, 1 states, 3 rungs gone" in checkpoints(line, *whole).stdout
    assert as_json(line, *whole) == {"dropped": True, "partitions": 0, "states": 0, "rungs": 0}
    assert (count(database, "state_rungs"), count(database, "states")) == (1, 1)
    for words in (["prune"], ["prune", "--run.id=live"], ["prune", "--older-than=soon"]):
        checkpoints(line, *words, code=1)
    assert count(database, "states") == 1


def test_forget(line, made, database):
    row = made.partition(0, [100, 0, 0])
    for key in (b"a\x1fm", b"a\x1fn", b"\x1fgroup1:agroup:g", b"b\x1fm"):
        made.state(row, key, 90, b"broken")
        made.state(row, key, 40, b"broken", rung=True)
    words = ["forget", "--worker", GROUP, "--key=a"]
    assert "--yes" in checkpoints(line, *words, code=1).stderr
    assert as_json(line, *words, "--dry-run") == {"dropped": False, "partitions": 0, "states": 3, "rungs": 3}
    assert count(database, "states") == 4
    with closing(psycopg2.connect(line.postgres_uri, application_name="pod-0")):
        assert f"pod-0 is at work on {SOURCES[0]}/0" in checkpoints(line, *words, "--yes", code=1).stderr
    until(lambda: database.value("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pod-0'") == 0,
          "its session is over", 30)
    assert count(database, "states") == 4
    assert as_json(line, *words, "--metric=n", "--yes") == {"dropped": True, "partitions": 0, "states": 1, "rungs": 1}
    assert "2 states, 2 rungs gone" in checkpoints(line, *words, "--yes").stdout
    left = database.rows("SELECT key FROM forebay.states WHERE partition = %s UNION ALL "
                         "SELECT key FROM forebay.state_rungs WHERE partition = %s", row, row)
    assert [bytes(key) for key, in left] == [b"b\x1fm"] * 2
    checkpoints(line, *words, "--yes", code=1)


# ---- verify, with a script in the worker's place ----

STAND_IN = '''#!/usr/bin/python3
"""Leaves states behind as told by a file, under the run that the flags name."""
import json, os, sys, time
import psycopg2
flags = dict(word[2:].split("=", 1) for word in sys.argv[1:])
told = json.load(open(flags["told"]))
open(flags["told"] + ".plan", "w").write(open(flags["run.plan"]).read())
open(flags["told"] + ".flags", "w").write(json.dumps(flags))
db = psycopg2.connect(os.environ["FOREBAY_POSTGRES_URI"])
with db, db.cursor() as cursor:
    for partition, states in told["states"].items():
        cursor.execute("INSERT INTO forebay.state_partitions (run, worker, topic, partition, epoch, instance, sources, "
                       "frontier) VALUES (%s, %s, 'telemetry.readings', %s, 1, 'x', '{telemetry.readings}', '{1}') "
                       "RETURNING id", (flags["run.id"], flags["group.id"], int(partition)))
        row = cursor.fetchone()[0]
        for key, state in states.items():
            cursor.execute("INSERT INTO forebay.states VALUES (%s, %s, 1, '{1}', 0, 0, 1, 0, %s)",
                           (row, bytes.fromhex(key), bytes.fromhex(state)))
print(os.getpid(), flush=True)
time.sleep(told.get("sleep", 0))
print(json.dumps({"event": "stopped", "reason": "OFFSET_GONE", "error": "the log begins at 12"}))
sys.exit(told.get("code", 0))
'''


class StandIn:
    def __init__(self, stack, folder):
        self.stack, self.told = stack, folder / "told"
        self.program = folder / "worker"
        self.program.write_text(STAND_IN)
        self.program.chmod(self.program.stat().st_mode | stat.S_IXUSR)

    def verify(self, states, *words, code=0, ends_with=0):
        """STATES: partition -> key -> bytes, what the rebuild comes to."""
        told = {p: {k.hex(): s.hex() for k, s in of.items()} for p, of in states.items()}
        self.told.write_text(json.dumps({"states": told, "code": ends_with}))
        return checkpoints(self.stack, "verify", "--worker", GROUP, "--worker.program", self.program, *words, "--",
                           f"--told={self.told}", code=code)

    def plan(self):
        return self.told.with_name("told.plan").read_text().splitlines()

    def flags(self):
        return json.loads(self.told.with_name("told.flags").read_text())


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    """Where plan and log of a run lie."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


@pytest.fixture
def stand_in(line, tmp_path, scratch):
    return StandIn(line, tmp_path)


def runs(database):
    return database.value("SELECT count(*) FROM forebay.state_partitions WHERE run LIKE 'verify-%%'")


def test_verify_tells_every_kind(made, stand_in, database):
    row = made.partition(3, [100, 7, 50])
    good = {b"equal\x1fm": 90, b"different\x1fm": 91, b"missing\x1fm": 92, b"old\x1fm": 20}
    for key, clock in good.items():
        made.state(row, key, clock, image(1), born=1)
    # At the frontier's clock, but later in the side input; and one whose journal alone has gone on.
    made.state(row, b"beyond\x1fm", 101, image(1), born=1)
    made.state(row, b"beside\x1fm", 100, image(1), born=1, positions=[100, 8, 50])
    made.state(row, b"journal\x1fm", 100, image(1), born=1, positions=[100, 7, 51])
    made.partition(4, None)
    rebuilt = {key: image(1) for key in [*good, b"beyond\x1fm", b"journal\x1fm", b"surplus\x1fm"]}
    rebuilt[b"different\x1fm"] = image(2)
    del rebuilt[b"missing\x1fm"]
    done = stand_in.verify({3: rebuilt}, "--from=20", "--json", code=2)
    found = json.loads(done.stdout)
    assert found["holds"] is False
    part, skipped = found["partitions"]
    assert (part["partition"], part["from"], part["to"]) == (3, 20, 100)
    assert {k: part[k] for k in ("equal", "different", "missing", "surplus", "changed_since", "not_rebuilt")} == \
        {"equal": 2, "different": 1, "missing": 1, "surplus": 1, "changed_since": 2, "not_rebuilt": 1}
    assert [(k["key"], k["kind"]) for k in part["keys"]] == \
        [("different/m", "different"), ("missing/m", "missing"), ("surplus/m", "surplus")]
    assert (skipped["partition"], skipped["skipped"]) == (4, "nothing is stored yet")
    assert stand_in.plan() == [f"{SOURCES[0]}.3 = 20..100", f"{SOURCES[1]}.3 = 0..7"]
    flags = stand_in.flags()
    assert flags["run.id"] == found["run"] and flags["run.id"].startswith("verify-")
    assert (flags["run.outputs"], flags["run.source.group"], flags["group.id"]) == ("none", GROUP, GROUP)
    assert runs(database) == 0
    done = stand_in.verify({3: rebuilt}, "--from=20", code=2)
    assert "different/m" in done.stdout and "WRONG" in done.stdout and "-- --config" in done.stderr
    fine = {key: image(1) for key in [*good, b"beyond\x1fm", b"beside\x1fm", b"journal\x1fm"]}
    assert json.loads(stand_in.verify({3: fine}, "--from=20", "--json").stdout)["holds"] is True
    done = stand_in.verify({3: fine}, "--from=20")
    assert "WRONG" not in done.stdout and "--config" not in done.stderr


def test_verify_names_ten_and_counts_the_rest(made, stand_in):
    row = made.partition(0, [100, 0, 0])
    for number in range(25):
        made.state(row, b"d%02d\x1fm" % number, 90, image(1))
    wrong = {b"d%02d\x1fm" % number: image(2) for number in range(25)}
    lines = stand_in.verify({0: wrong}, "--from=0", code=2).stdout.splitlines()
    assert sum("different: d" in text for text in lines) == 10
    assert any("and 15 more" in text for text in lines)


# (born, clock of each stored state, the newest last) of each key, and the earliest offset that all have.
OLDEST = [
    ("one rung each", [(1, [30, 90]), (2, [40, 90])], 40),
    ("born later", [(1, [30, 90]), (35, [60, 90])], 30),
    ("born where it begins", [(1, [30, 90]), (30, [60, 90])], 30),
    ("born just before", [(1, [30, 90]), (29, [60, 90])], 60),
    ("one after the other", [(1, [30, 90]), (29, [60, 90]), (59, [80, 90]), (80, [85, 90])], 80),
    ("more rungs change nothing", [(1, [30, 50, 70, 90]), (2, [40, 60, 90])], 40),
    ("silent ones", [(1, [30]), (2, [40, 90])], 40),
]


@pytest.mark.parametrize("keys, oldest", [row[1:] for row in OLDEST], ids=[row[0] for row in OLDEST])
def test_verify_begins_as_early_as_it_can(made, stand_in, keys, oldest):
    row = made.partition(0, [100, 0, 0])
    for number, (born, clocks) in enumerate(keys):
        for clock in clocks:
            made.state(row, b"d%d\x1fm" % number, clock, image(1), born=born, rung=clock != clocks[-1])
    rebuilt = {b"d%d\x1fm" % number: image(1) for number in range(len(keys))}
    found = json.loads(stand_in.verify({0: rebuilt}, "--json").stdout)["partitions"][0]
    assert found["from"] == oldest
    assert stand_in.plan()[0] == f"{SOURCES[0]}.0 = {oldest}..100"


def test_verify_takes_the_present_input(made, stand_in, database):
    """A group that was given another primary input keeps its old rows."""
    old, row = made.partition(0, [500, 0, 0]), made.partition(1, [100, 0, 0])
    made.state(old, b"a\x1fm", 450, image(1))
    made.state(row, b"a\x1fm", 90, image(1))
    database.run("UPDATE forebay.state_partitions SET topic = 'old', claimed_at = now() - interval '1 day' "
                 "WHERE id = %s", old)
    stand_in.verify({1: {b"a\x1fm": image(1)}}, "--from=0")
    assert stand_in.plan() == [f"{SOURCES[0]}.1 = 0..100", f"{SOURCES[1]}.1 = 0..0"]


def test_verify_chooses_partitions(made, stand_in):
    for number in (0, 1):
        row = made.partition(number, [100, 0, 0])
        made.state(row, b"a\x1fm", 90, image(1))
    stand_in.verify({1: {b"a\x1fm": image(1)}}, "--partition=1", "--from=0")
    assert stand_in.plan() == [f"{SOURCES[0]}.1 = 0..100", f"{SOURCES[1]}.1 = 0..0"]
    assert "no states" in stand_in.verify({}, "--partition=9", code=1).stderr


def test_verify_proves_something_or_fails(made, stand_in, database):
    row = made.partition(0, [100, 0, 0])
    made.state(row, b"a\x1fm", 100, image(1), born=5)
    told = stand_in.verify({}, code=2).stderr
    assert "no older states" in told and "--from=0" in told
    made.state(row, b"b\x1fm", 130, image(1), born=5)
    told = stand_in.verify({0: {b"a\x1fm": image(1), b"b\x1fm": image(1)}}, "--from=99", "--partition=0").stdout
    assert "changed since" in told
    database.run("UPDATE forebay.states SET clock = 130, positions = '{130,0,0}' WHERE partition = %s", row)
    assert "not one state" in stand_in.verify({0: {}}, "--from=99", code=2).stderr
    for words in (["--from=soon"], ["--from=-1"], ["--run.id=other"]):
        stand_in.verify({}, *words, code=1)


def test_verify_when_the_worker_fails(made, stand_in, database, scratch):
    row = made.partition(0, [100, 0, 0])
    made.state(row, b"a\x1fm", 90, image(1))
    told = stand_in.verify({0: {b"a\x1fm": image(2)}}, "--from=0", code=2, ends_with=2).stderr
    assert "exit code 2" in told and "the log begins at 12" in told and "OFFSET_GONE" in told
    assert runs(database) == 0, "what a failed run has left is tidied up"
    assert "the log begins at 12" in next(scratch.glob("forebay-verify-*/log")).read_text()


def test_verify_can_be_stopped(line, made, stand_in, database, scratch):
    row = made.partition(0, [100, 0, 0])
    made.state(row, b"a\x1fm", 90, image(1))
    stand_in.told.write_text(json.dumps({"states": {"0": {}}, "sleep": 600}))
    command = [places.program("forebay"), "checkpoints", "verify", "--worker", GROUP, "--from=0", "--worker.program",
               stand_in.program, "--", f"--told={stand_in.told}"]
    process = subprocess.Popen(command, env=line.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    until(lambda: runs(database) == 1, "the run is under way", 30)
    process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 2 and "stopped by a signal" in said
    assert runs(database) == 0
    pid = int(next(scratch.glob("forebay-verify-*/log")).read_text().split()[0])
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_verify_keeps_on_request(line, made, stand_in, database):
    row = made.partition(0, [100, 0, 0])
    made.state(row, b"a\x1fm", 90, image(1))
    run = json.loads(stand_in.verify({0: {b"a\x1fm": image(1)}}, "--from=0", "--keep", "--json").stdout)["run"]
    assert runs(database) == 1
    assert as_json(line, "prune", "--run.id", run)["states"] == 1


# ---- real workers ----

DEVICES = 20
STATEFUL = ("etl-preprocessor", "batch-forecaster", "realtime-scorer")
EVERYBODY = ("ingest-router", *STATEFUL)
WAVE = 200  # rounds of readings, 20 s apart: several windows of series, so that there are forecasts, too
OUTPUTS = ("telemetry.series", "telemetry.aggregates", "forecasts", "scores", "anomalies", "alerts", "fleet.journal",
           "fleet.audit")


def send(publisher, first):
    for number in range(first, first + WAVE):
        for device in range(DEVICES):
            name = f"pump-{device:02d}"
            body = {"device": name, "time": telemetry.START_US // 1000 + number * 20_000,
                    "metrics": {"temperature": 20 + (number * 7 + device) % 13, "humidity": (number * 3 + device) % 50}}
            publisher.send(name.encode(), json.dumps(body).encode())
    publisher.flush()


def settled(stack):
    """All that was processed is in stored states."""
    rows = as_json(stack, "list", "--run.id=live")["partitions"]
    return {row["group"] for row in rows} >= {group(name) for name in STATEFUL} and all(row["lag"] == 0 for row in rows)


@pytest.fixture(scope="module")
def real(line, module_fleet, broker):
    """Workers with three generations of states: the first two are on the ladder."""
    module_fleet.add("ingest-router").await_ready()
    for name in STATEFUL:
        module_fleet.add(name, checkpoint_interval_ms=200, checkpoint_ladder="1s:1000").await_ready()
    publisher = Publisher(line.bootstrap)
    for wave in range(3):
        send(publisher, wave * WAVE)
        await_quiet(broker, module_fleet, EVERYBODY)
        until(lambda: settled(line), f"all states are stored (logs in {module_fleet.logs})", 120)
        time.sleep(1.2)  # another period of the ladder's only rung
    return module_fleet


def live(database, name):
    return database.digest("(SELECT s.* FROM forebay.states s JOIN forebay.state_partitions p ON p.id = s.partition "
                           f"WHERE p.run = 'live' AND p.worker = '{group(name)}')")


def verify(stack, name, *words, code=0):
    return as_json(stack, "verify", "--worker", name, *words, code=code)


def total(found, what):
    return sum(part[what] for part in found["partitions"])


@pytest.mark.parametrize("name", STATEFUL)
@pytest.mark.parametrize("start", ["oldest", "0"])
def test_real_states_can_be_rebuilt(line, real, broker, database, name, start):
    before, ends = live(database, name), {topic: broker.ends(topic) for topic in OUTPUTS}
    found = verify(line, name, f"--from={start}")
    assert found["holds"], found
    # A state for each series; the forecaster has one more where it has seen a window: of the models that there are.
    assert total(found, "equal") == 2 * DEVICES + (len(found["partitions"]) if name == "batch-forecaster" else 0), found
    assert all(total(found, what) == 0 for what in ("different", "missing", "surplus", "changed_since", "not_rebuilt"))
    if start == "oldest":
        assert all(0 < part["from"] < part["to"] for part in found["partitions"]), found
    assert live(database, name) == before, "the live states are left alone"
    assert {topic: broker.ends(topic) for topic in ends} == ends, "nothing was sent anywhere"
    assert runs(database) == 0


def bytes_of(database, name, key):
    return bytes(database.value("SELECT s.state FROM forebay.states s JOIN forebay.state_partitions p ON "
                                "p.id = s.partition WHERE s.key = %s AND p.run = 'live' AND p.worker = %s", key,
                                group(name)))


def plant(database, name, key, state):
    database.run("UPDATE forebay.states s SET state = %s FROM forebay.state_partitions p WHERE p.id = s.partition "
                 "AND s.key = %s AND p.run = 'live' AND p.worker = %s", state, key, group(name))


@pytest.mark.parametrize("name, victim, donor", [
    ("etl-preprocessor", b"pump-07\x1fhumidity", b"pump-08\x1ftemperature"),
    ("realtime-scorer", b"7:pump-07humidity", b"7:pump-07temperature"),
])
def test_a_wrong_state_is_found_and_named(line, real, database, name, victim, donor):
    kept, other = bytes_of(database, name, victim), bytes_of(database, name, donor)
    assert kept != other
    plant(database, name, victim, other)
    try:
        found = verify(line, name, code=2)
        assert [(k["key"], k["kind"]) for part in found["partitions"] for k in part["keys"]] == \
            [("pump-07/humidity", "different")]
        assert total(found, "equal") == 2 * DEVICES - 1
        text = checkpoints(line, "verify", "--worker", name, code=2).stdout
        assert "pump-07/humidity" in text and "WRONG" in text
    finally:
        plant(database, name, victim, kept)
    assert verify(line, name)["holds"]


@pytest.mark.parametrize("name", STATEFUL)
def test_real_states_are_shown(line, real, name):
    one = as_json(line, "show", "--worker", name, "--key=pump-07/humidity")
    assert one["readable"] and one["layout"] and len(one["rungs"]) >= 2
    assert isinstance(one["state"], dict) and one["state"]
    both = as_json(line, "show", "--worker", name, "--key=pump-07")["states"]
    assert [s["key"] for s in both] == ["pump-07/humidity", "pump-07/temperature"]


def test_no_dead_letters_are_needed(line, real):
    """What sends nothing anywhere does not insist on a topic for what it does not send."""
    checkpoints(line, "verify", "--worker=etl-preprocessor", "--from=0", "--run.timeout.ms=60000", "--",
                "--errors.deadletterqueue.topic.name=nobodys.letters")


def test_what_the_worker_waits_for_is_told(line, real, scratch):
    told = checkpoints(line, "verify", "--worker=etl-preprocessor", "--from=0", "--run.timeout.ms=10000", "--",
                       "--bootstrap.servers=127.0.0.1:1", code=2).stderr
    assert "etl-preprocessor says: " in told and "BROKER_DOWN" in told and "has not ended within 10 s" in told


def test_what_the_worker_says_comes_through(line, real, scratch):
    told = checkpoints(line, "verify", "--worker=etl-preprocessor", "--from=0", "--", "--topics=telemetry.deferred",
                       code=2).stderr
    assert "exit code 1" in told and "telemetry.readings" in told
