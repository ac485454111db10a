"""deploy/local/fleet: the workers of a checkout, as who has just built it starts them."""
import os
import socket
import subprocess

import pytest

from support import places
from support.fleet import WORKERS

PATHS = ("FOREBAY_SCHEMA_DIR", "FOREBAY_PATH_MAPS", "FOREBAY_SINK_MAPPING")


def run(command, env=None, cwd=places.TOP):
    bare = {name: value for name, value in os.environ.items() if not name.startswith("FOREBAY_")}
    return subprocess.run([str(word) for word in command], env={**bare, "FOREBAY_BUILD_DIR": str(places.BUILD), **(env or {})}, cwd=cwd,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)


def lives(pid):
    """Zombies do not: who started them is gone, and process 1 may not care."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            return stat.read().rpartition(") ")[2][0] not in "ZX"
    except FileNotFoundError:
        return False


class Fleet:
    def __init__(self, stack):
        self.stack = stack

    def call(self, *words, env=None, cwd=places.TOP):
        return run([places.TOP / "deploy/local/fleet", "--dir", self.stack.folder, *words], env, cwd)

    def states(self):
        lines = [line.split() for line in self.call("status").stdout.splitlines()]
        return {name: (state, int(port[0]) if port else None) for name, state, *port in lines}

    def options(self, worker, text):
        home = self.stack.folder / "fleet" / worker
        home.mkdir(parents=True, exist_ok=True)
        (home / "options").write_text(text)

    def processes(self):
        """Those of the records that are there."""
        pids = [int(file.read_text().split()[0]) for file in self.stack.folder.glob("fleet/*/pid")]
        return [pid for pid in pids if lives(pid)]


@pytest.fixture
def fleet(line):
    fleet = Fleet(line)
    yield fleet
    fleet.call("stop")
    for options in line.folder.glob("fleet/*/options"):
        options.unlink()


def test_a_checkout_needs_no_paths(fleet):
    done = fleet.call("start")
    assert done.returncode == 0, done.stdout
    assert {name: state for name, (state, _) in fleet.states().items()} == dict.fromkeys(WORKERS, "running")
    again = fleet.call("start")
    assert again.returncode == 0 and again.stdout.count("runs already") == len(WORKERS)
    assert fleet.call("stop").returncode == 0
    assert set(fleet.states().values()) == {("stopped", None)}, "a worker that is gone listens nowhere"


def test_forebay_finds_the_checkouts_files(line):
    env = {name: value for name, value in line.environment().items() if name.startswith("FOREBAY_") and name not in PATHS}
    for words in (("schemas", "check"), ("topics", "diff"), ("db", "status"), ("report", "--json")):
        done = run([places.program("forebay"), *words], env)
        assert done.returncode == 0, f"{words}: {done.stdout}"


def test_a_worker_that_ends_at_once_is_told(fleet):
    fleet.options("ingest-router", "path.maps = /nowhere/at/all\n")
    done = fleet.call("start", "ingest-router", "etl-preprocessor")
    assert done.returncode == 1
    assert "ingest-router has ended, exit code 1" in done.stdout and "/nowhere/at/all: No such file" in done.stdout
    assert fleet.states()["etl-preprocessor"][0] == "running"


def test_its_own_options_come_first(fleet):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    fleet.options("realtime-scorer", f"cache.uri =\nlisten = 127.0.0.1:{port}\nbatch.max.records = 77\n")
    assert fleet.call("start", "realtime-scorer", "--", "--batch.max.records=78").returncode == 0
    assert fleet.states()["realtime-scorer"] == ("running", port)
    config = run(["curl", "-s", "--noproxy", "*", f"http://127.0.0.1:{port}/connectors/realtime-scorer/config"]).stdout
    assert '"cache.uri":""' in config and '"batch.max.records":78,' in config


def test_two_starts_at_once(fleet):
    command = [str(places.TOP / "deploy/local/fleet"), "--dir", str(fleet.stack.folder), "start", "etl-preprocessor"]
    both = [subprocess.Popen(command, env={**os.environ, "FOREBAY_BUILD_DIR": str(places.BUILD)}, stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = "".join(process.communicate(timeout=60)[1] for process in both)
    assert [process.returncode for process in both] == [0, 0] and said.count("runs already") == 1, said


def test_paths_from_where_one_stands(fleet):
    env = {"FOREBAY_BUILD_DIR": os.path.relpath(places.BUILD, places.TOP / "deploy")}
    done = fleet.call("start", "etl-preprocessor", env=env, cwd=places.TOP / "deploy")
    assert done.returncode == 0, done.stdout
    assert fleet.states()["etl-preprocessor"][0] == "running"


def test_wipe_takes_the_workers_along(fleet):
    assert fleet.call("start", "etl-preprocessor", "ingest-router").returncode == 0
    pids = fleet.processes()
    assert len(pids) == 2
    fleet.stack.wipe()
    assert not [pid for pid in pids if lives(pid)]
