"""`forebay models`: artefacts that were never trained, on the real database and topic; and outcomes of forecasts as rows.

Every test has a model name of its own, so that none sees the others' versions.
"""
import hashlib
import json
import subprocess
import threading

import pytest

from support import places
from support.broker import Publisher
from support.fleet import forebay
from support.wait import until

DEAD_KAFKA = ("--bootstrap.servers=127.0.0.1:1", "--client.override.log_level=2")


class Desk:
    """Versions of one model: a file each, and what the command line says of them."""

    def __init__(self, stack, broker, schemas, folder, name):
        self.stack, self.broker, self.schemas, self.folder, self.name = stack, broker, schemas, folder, name

    def file(self, version, hidden=5, wql=0.04, name=None):
        path = self.folder / f"{version}.model"
        tool = places.BUILD / "tests/unit/batch-forecaster/artefact_tool"
        name = self.name if name is None else name
        subprocess.run([tool, path, name, version, "1h", "24", "1", str(hidden), str(wql)], check=True, cwd=places.TOP)
        return path

    def say(self, *words, code=0, **more):
        done = forebay(self.stack, "models", *words, check=False, **more)
        assert done.returncode == code, f"{words}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Sanitizer" not in done.stderr
        return done

    def json(self, *words, **more):
        return json.loads(self.say(*words, "--json", **more).stdout)

    def refused(self, *words, code=1):
        done = self.say(*words, code=code)
        assert done.stdout == "" and done.stderr.count("\n") == 1, done
        return done.stderr

    def add(self, *versions, **more):
        for version in versions:
            self.say("import", self.file(version, **more))

    def live(self, version):
        self.say("promote", f"{self.name}/{version}", "--to=canary")
        self.say("promote", f"{self.name}/{version}", "--to=live")

    def standing(self):
        rows = self.json("list", f"--name={self.name}")["models"]
        return {row["version"]: row["status"] for row in rows}

    def told(self):
        """Version -> partition -> the standing that the partition's last record of it has."""
        found = {}
        for message in self.broker.read("models"):
            name, _, version = message.key.decode().partition("/")
            if name == self.name:
                record = self.schemas.decode(message.value)
                found.setdefault(version, {})[message.partition] = record
        return found

    def everyone_knows(self):
        """Every partition's last word on every version is what the table says."""
        every = set(range(self.broker.partitions("models")))
        told = self.told()
        assert set(told) == set(self.standing())
        for version, status in self.standing().items():
            assert set(told[version]) == every
            assert {record["status"] for record in told[version].values()} == {status}
        return True


@pytest.fixture
def desk(request, line, broker, schemas, tmp_path):
    return Desk(line, broker, schemas, tmp_path, request.node.name.removeprefix("test_").replace("_", "-"))


# ---- looking ----

def test_no_models_yet(line, desk):
    assert desk.say("list").stdout == "no models are stored\n"
    assert desk.json("list") == {"models": []}
    assert "no model has a version x" in desk.refused("show", "x")
    assert desk.say("announce").stdout == "topic models knows all there is\n"


def test_list(desk):
    desk.add("2024-a", hidden=5, wql=0.04)
    desk.add("2024-b", hidden=6, wql=0.0399)
    desk.say("promote", "2024-b", f"--name={desk.name}", "--share=0.25")
    rows = desk.json("list", f"--name={desk.name}")["models"]
    assert [row["version"] for row in rows] == ["2024-b", "2024-a"], "newest first"
    assert rows[0] == {"name": desk.name, "version": "2024-b", "family": "deepar", "status": "canary", "share": 0.25,
                       "created_at": "2024-02-29T12:00:00.000006Z", "from": "2024-01-30T12:00:00.000000Z",
                       "cutoff": "2024-02-29T12:00:00.000000Z", "parent": None, "wql": 0.0399,
                       "bytes": (desk.folder / "2024-b.model").stat().st_size}
    lines = desk.say("list", f"--name={desk.name}").stdout.splitlines()
    assert lines[0].split() == ["name", "version", "status", "share", "created", "cut-off", "wql", "size"]
    assert lines[1].split()[:4] == [desk.name, "2024-b", "canary", "0.25"]
    assert lines[2].split()[:4] == [desk.name, "2024-a", "candidate", "-"]
    assert "2024-02-29 12:00" in lines[1] and "0.0399" in lines[1] and "KiB" in lines[1]
    assert desk.json("list", "--name=nobody") == {"models": []}


def test_show(desk):
    path = desk.file("v1", hidden=5, wql=0.04)
    desk.say("import", path, "--why=from the lab")
    desk.live("v1")
    shown = desk.json("show", f"{desk.name}/v1")
    expected = {
        "name": desk.name, "version": "v1", "family": "deepar", "status": "live", "share": 0.0, "parent": None,
        "bytes": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "code": "artefact_tool",
        "data": "000000000000feed", "series": 12, "points": 8640, "networks": 2, "frequency": "1h", "horizon": 24,
        "context": 48, "layers": 2, "hidden": 5, "head": "student-t", "cardinality": [3, 7], "static_numbers": 0,
        "dynamic_features": 0, "networks_wql": [0.04, 0.041], "levels": [0.1, 0.5, 0.9], "figure_wql": 0.04,
        "figure_coverage80": 0.8125, "readable": True, "cutoff": "2024-02-29T12:00:00.000000Z",
    }
    assert {key: shown[key] for key in expected} == expected
    desk.add("v2")
    assert desk.json("show", desk.name) == shown  # a name alone is its live version
    assert shown["lags"][:3] == [1, 2, 3] and 168 in shown["lags"]
    assert "hour of day" in shown["features"]
    weights = shown["ensemble_from_step_0"]
    assert set(weights) >= {"season", "theta", "deepar"} and abs(sum(weights.values()) - 1) < 1e-5
    assert [(c["from"], c["to"], c["why"]) for c in shown["changes"]] == [
        ("canary", "live", "forebay models promote"), ("candidate", "canary", "forebay models promote"),
        (None, "candidate", "from the lab")]
    text = desk.say("show", f"{desk.name}/v1").stdout
    for part in ("frequency               1h\n", "hidden                  5\n", "cardinality             3, 7\n",
                 "figure wql              0.04\n", "added as candidate: from the lab\n", "canary -> live: "):
        assert part in text, text


def test_diff(desk):
    desk.add("v1", hidden=5, wql=0.04)
    desk.add("v2", hidden=7, wql=0.03)
    facts = desk.json("diff", f"{desk.name}/v1", f"{desk.name}/v2")["facts"]
    assert facts["hidden"] == {"a": 5, "b": 7, "differs": True}
    assert facts["figure_wql"] == {"a": 0.04, "b": 0.03, "differs": True}
    assert facts["horizon"] == {"a": 24, "b": 24, "differs": False}
    lines = desk.say("diff", f"{desk.name}/v1", f"{desk.name}/v2").stdout.splitlines()
    assert ["*", "hidden", "5", "7"] in [line.split() for line in lines]
    assert ["horizon", "24", "24"] in [line.split() for line in lines]
    assert not any(fact["differs"] for fact in desk.json("diff", f"{desk.name}/v1", f"{desk.name}/v1")["facts"].values())


def test_versions_may_be_abbreviated(desk):
    desk.add("abc1", "abc2", "abc22", "x")
    assert desk.json("show", f"{desk.name}/x")["version"] == "x"
    assert desk.json("show", f"{desk.name}/abc1")["version"] == "abc1"
    assert desk.json("show", f"{desk.name}/abc2")["version"] == "abc2", "all of it is better than a beginning"
    assert desk.json("show", "abc22", f"--name={desk.name}")["version"] == "abc22"
    told = desk.refused("show", f"{desk.name}/abc")
    for version in ("abc1", "abc2", "abc22"):
        assert f"{desk.name}/{version}" in told
    assert f"{desk.name}/x" not in told
    assert "no model has a version" in desk.refused("show", f"{desk.name}/d")
    assert "no model has a version" in desk.refused("show", f"{desk.name}/")
    assert "no model has a version" in desk.refused("show", "nobody/abc1")


def test_an_artefact_that_rots_is_noticed(desk, database):
    desk.add("v1")
    database.run("UPDATE forebay.models SET artefact = set_byte(artefact, 99, get_byte(artefact, 99) # 1) "
                 "WHERE name = %s", desk.name)
    done = desk.say("show", f"{desk.name}/v1", "--json", code=2)
    assert json.loads(done.stdout)["readable"] is False
    assert f"{desk.name}/v1: the artefact cannot be read" in done.stderr and "STATE_CORRUPT" in done.stderr


# ---- files ----

def test_export_gives_the_bytes_that_were_imported(desk, database):
    path, back = desk.file("v1"), desk.folder / "back"
    desk.say("import", path)
    desk.say("export", f"{desk.name}/v1", back)
    assert back.read_bytes() == path.read_bytes()
    assert [p.name for p in desk.folder.iterdir() if p.name.startswith("back")] == ["back"], "nothing is left beside it"
    report = desk.json("import", back)
    assert (report["changed"], report["status"], report["told"]) == (False, "candidate", True)
    assert database.value("SELECT count(*) FROM forebay.model_changes WHERE name = %s", desk.name) == 1
    told = desk.refused("export", f"{desk.name}/v1", desk.folder / "nowhere" / "x", code=2)
    assert "nowhere/x: not written: No such file" in told


def test_the_same_training_again_is_no_other_model(desk, database):
    series = desk.folder / "series.jsonl"
    series.write_text("\n".join(json.dumps({"start": "2024-03-01", "target": [10 + n + (t * 7 + n) % 24 for t in range(240)]})
                                for n in range(4)))
    def train(path, *words):
        subprocess.run([places.program("forebay"), "train", series, "--freq=1h", "--horizon=6", f"--name={desk.name}", f"--model={path}",
                        "--networks=1", "--hidden=4", "--epochs=1", "--batches=1", *words], check=True, cwd=places.TOP)
        return path
    first, again = train(desk.folder / "first"), train(desk.folder / "again")
    assert first.read_bytes() != again.read_bytes(), "they know when they were made"
    report = desk.json("import", first)
    assert (report["changed"], report["status"]) == (True, "candidate")
    told = desk.json("import", again)
    assert (told["changed"], told["status"], told["version"]) == (False, "candidate", report["version"])
    assert "is already candidate" in desk.say("import", again).stdout
    desk.say("export", f"{desk.name}/{report['version']}", desk.folder / "back")
    assert (desk.folder / "back").read_bytes() == first.read_bytes()
    assert database.value("SELECT count(*) FROM forebay.model_changes WHERE name = %s", desk.name) == 1
    other = desk.json("import", train(desk.folder / "other", "--validation.windows=3"))
    assert other["changed"] and other["version"] != report["version"], "other windows held back, other weights"


def test_a_model_of_no_use_to_the_fleet_is_told_of(desk):
    assert "it wants 2 categories" in desk.say("import", desk.file("v1")).stderr  # which those of the tool have


def test_what_cannot_be_imported(desk, database):
    good = desk.file("v1").read_bytes()
    trouble = {"cut": good[:-7], "flipped": good[:300] + bytes([good[300] ^ 4]) + good[301:], "empty": b"",
               "other": b"not an artefact at all", "version": good[:4] + b"\xff" + good[5:]}
    for name, content in trouble.items():
        path = desk.folder / name
        path.write_bytes(content)
        told = desk.refused("import", path, code=2)
        assert str(path) in told and "is no model file that can be used" in told and "FILE_INVALID" in told
    assert "FILE_UNREADABLE" in desk.refused("import", desk.folder / "missing", code=2)
    desk.say("import", desk.folder / "v1.model")
    told = desk.refused("import", desk.file("v1", hidden=6), code=2)
    assert f"{desk.name}/v1 exists (candidate) with another artefact" in told
    for name, version in (("a/b", "v1"), ("", "v1"), (desk.name, "")):
        assert "ROW_REFUSED" in desk.refused("import", desk.file(version, name=name), code=2)
    assert database.value("SELECT count(*) FROM forebay.models WHERE name = %s", desk.name) == 1
    assert database.value("SELECT count(*) FROM forebay.models WHERE name IN ('', 'a/b')") == 0


# ---- standing ----

def test_up_and_back(desk):
    desk.add("v1", "v2", "v3")
    assert desk.json("promote", f"{desk.name}/v1", "--share=0.5")["canary"] == "v1"
    report = desk.json("promote", f"{desk.name}/v1")
    assert (report["live"], report["canary"], report["changed"], report["told"]) == ("v1", None, True, True)
    for version in ("v2", "v3"):
        desk.live(version)
    assert desk.standing() == {"v1": "retired", "v2": "retired", "v3": "live"}
    assert desk.everyone_knows()
    text = desk.say("roll-back", desk.name, "--why=worse by a tenth").stdout
    assert f"{desk.name}/v2 is live\n" in text and "topic models has been told of 2 versions" in text
    assert desk.standing() == {"v1": "retired", "v2": "live", "v3": "retired"}
    assert desk.json("show", f"{desk.name}/v2")["changes"][0]["why"] == "worse by a tenth"
    assert desk.json("roll-back", desk.name)["live"] == "v1"
    assert "v1 is live, and none lived before it" in desk.refused("roll-back", desk.name)
    assert desk.json("promote", f"{desk.name}/v3", "--to=live")["live"] == "v3"
    assert desk.everyone_knows()


def test_a_new_canary_takes_the_place_of_the_old_one(desk):
    desk.add("v1", "v2")
    desk.say("promote", f"{desk.name}/v1")
    assert desk.json("promote", f"{desk.name}/v1", "--to=canary", "--share=0.3")["changed"] is True
    assert desk.json("promote", f"{desk.name}/v1", "--to=canary", "--share=0.3")["changed"] is False
    assert {r["canary_share"] for r in desk.told()["v1"].values()} == {0.3}
    text = desk.say("promote", f"{desk.name}/v2", "--share=0.2").stdout
    assert f"{desk.name}: live none, canary v2 for 0.2 of the devices\n" in text
    assert desk.standing() == {"v1": "rejected", "v2": "canary"}
    assert desk.everyone_knows()


def test_what_cannot_be_promoted(desk):
    desk.add("v1", "v2", "v3")
    assert "--to=rejected: canary or live" in desk.refused("promote", f"{desk.name}/v1", "--to=rejected")
    assert "share" in desk.refused("promote", f"{desk.name}/v1", "--share=0")
    assert "share: " in desk.refused("promote", f"{desk.name}/v1", "--share=1.5")
    desk.say("promote", f"{desk.name}/v1", "--to=live")  # the first may live at once
    told = desk.refused("promote", f"{desk.name}/v2", "--to=live")
    assert f"{desk.name}/v2 is candidate: it has to be canary" in told
    told = desk.refused("promote", f"{desk.name}/v1")
    assert f"{desk.name}/v1 is live: there is nothing to promote it to" in told
    assert f"{desk.name}/v1 is live: it cannot become canary" in desk.refused("promote", f"{desk.name}/v1", "--to=canary")
    assert "is already live" in desk.say("promote", f"{desk.name}/v1", "--to=live").stdout
    desk.live("v2")
    assert "v1 is retired: --to=live lets it live again" in desk.refused("promote", f"{desk.name}/v1")
    assert "v1 is retired: it cannot become canary" in desk.refused("promote", f"{desk.name}/v1", "--to=canary")
    desk.say("promote", f"{desk.name}/v3")
    desk.add("v4")
    desk.say("promote", f"{desk.name}/v4")
    assert "v3 is rejected: there is nothing" in desk.refused("promote", f"{desk.name}/v3")
    assert "v3 is rejected: it cannot become live" in desk.refused("promote", f"{desk.name}/v3", "--to=live")
    assert desk.standing() == {"v1": "retired", "v2": "live", "v3": "rejected", "v4": "canary"}
    assert "no version of model nobody is live" in desk.refused("roll-back", "nobody")


def test_wrong_words(line, desk):
    assert "say what to do" in desk.refused()
    assert "say what to do" in desk.refused("lisst")
    assert "it is `forebay models show VERSION`" in desk.refused("show")
    assert "it is `forebay models diff VERSION VERSION`" in desk.refused("diff", "a")
    assert "it is `forebay models list`" in desk.refused("list", "more")
    assert "--share" in desk.say("--help").stdout


@pytest.mark.parametrize("where", ("canary", "live"))
def test_two_promotes_at_once(desk, database, where):
    """Again and again: one of them at most has the place, and the topic says what the table says."""
    versions = [f"v{i}" for i in range(6)]
    desk.add(*versions)
    if where == "live":
        for version in versions:
            desk.live(version)
    for a, b in zip(versions[0::2], versions[1::2]):
        threads = [threading.Thread(target=desk.say, args=("promote", f"{desk.name}/{v}", f"--to={where}"))
                   for v in (a, b)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        holders = [v for v, status in desk.standing().items() if status == where]
        assert len(holders) == 1 and holders[0] in (a, b)
    assert desk.everyone_knows()
    assert database.value("SELECT count(*) FROM forebay.models WHERE announced_time IS NULL") == 0


# ---- telling ----

def test_the_announcement(desk):
    path = desk.file("v1")
    desk.say("import", path)
    every = desk.told()["v1"]
    assert sorted(every) == list(range(desk.broker.partitions("models")))
    assert len({json.dumps(record, default=repr, sort_keys=True) for record in every.values()}) == 1
    record = every[0]
    assert record["uri"] == f"postgresql:{desk.name}/v1" and record["artefact"] is None
    assert record["sha256"] == hashlib.sha256(path.read_bytes()).digest()
    assert record["status"] == "candidate" and record["family"] == "deepar" and record["figures"]["wql"] == 0.04
    assert record["to_time"] == 1709208000000000 and record["created_time"] == 1709208000000005


def test_telling_twice_changes_nothing(desk, database):
    desk.add("v1")
    before = desk.told()
    ends = desk.broker.ends("models")
    assert desk.json("announce") == {"versions_told": 0}
    assert desk.broker.ends("models") == ends
    database.run("UPDATE forebay.models SET announced_time = NULL WHERE name = %s", desk.name)  # told, but nobody noted it
    assert desk.json("announce") == {"versions_told": 1}
    assert desk.told() == before
    assert desk.everyone_knows()


def test_kafka_is_away_and_told_later(desk):
    desk.add("v1")
    done = desk.say("promote", f"{desk.name}/v1", *DEAD_KAFKA, "--json", code=2)
    report = json.loads(done.stdout)
    assert (report["status"], report["changed"], report["told"]) == ("canary", True, False)
    assert "topic models could not be told" in done.stderr and "forebay models announce" in done.stderr
    assert {r["status"] for r in desk.told()["v1"].values()} == {"candidate"}
    assert "BROKER_DOWN" in desk.refused("announce", *DEAD_KAFKA, code=2)
    assert desk.json("announce") == {"versions_told": 1}
    assert desk.everyone_knows()


def test_the_topic_is_missing(desk):
    path = desk.file("v1")
    done = desk.say("import", path, "--topic=nobodys.models", code=2)
    assert "topic nobodys.models does not exist" in done.stderr
    assert desk.standing() == {"v1": "candidate"}
    assert desk.json("announce") == {"versions_told": 1}


def test_without_tables(line, desk, database):
    database.run("CREATE DATABASE no_models_here")
    uri = line.postgres_uri.rpartition("/")[0] + "/no_models_here"
    try:
        for words in (["list"], ["show", "x"], ["promote", "x"], ["roll-back", "x"], ["announce"],
                      ["import", desk.file("v1")]):
            told = desk.refused(*words, f"--postgres.uri={uri}", code=2)
            assert "forebay.model" in told and "forebay db migrate" in told
    finally:
        database.run("DROP DATABASE no_models_here")


# ---- what became of forecasts ----

def test_outcomes_become_rows(line, fleet, broker, database, schemas):
    fleet.start("sink-writer")
    publisher = Publisher(line.bootstrap, "forecasts.outcomes")
    examples = [json.loads((places.SCHEMAS / "examples" / f"Outcome-{name}.json").read_text())
                for name in ("rivals", "classical")]
    for record in examples + examples[:1]:
        publisher.send(record["device"].encode(), schemas.encode("Outcome", record))
    publisher.send(b"mote-7", schemas.encode("Outcome", {**examples[0], "scale": 0.0}))
    publisher.flush()
    until(lambda: database.count("forebay.outcomes") == 2 and broker.read("forecasts.outcomes.dlq"), "rows and a dead letter")
    rows = database.rows("SELECT step, value, loss, version, model_loss, rival, rival_loss, members, losses, drift, "
                         "event_time - origin_time = step * interval '1 min' FROM forebay.outcomes ORDER BY step")
    assert rows == [(0, -0.5, 0.0, None, None, None, None, None, None, False, True),
                    (2, 20.5, 0.0125, "20240229-1", 0.015, "20240301-1", 0.25, ["season", "deepar"], [0.0625, 0.015],
                     True, True)]
    (letter,) = broker.read("forecasts.outcomes.dlq")
    assert letter.header("forebay.reason") == "RECORD_INVALID"
    assert "scale: 0" in letter.header("__connect.errors.exception.message")
