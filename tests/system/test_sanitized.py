"""All five workers, built with a sanitizer: stored states, a kill, a restart, a rebuild, and nothing to complain about.

Only for a build with -Db_sanitize (FOREBAY_BUILD_DIR); `tests/run race` and `tests/run memory` make one, and set the
sanitizers' options.  With any other build there is nothing to test here.
"""
import json
import re
import signal
from concurrent.futures import ThreadPoolExecutor

from support import places
from support.fleet import WORKERS, await_quiet, forebay, group
from support.wait import until

STATEFUL = ("etl-preprocessor", "batch-forecaster", "realtime-scorer")
# A "day" of an hour, as in test_line.py: there are forecasts, and alerts about them.
SIMULATION = ["--devices", 10, "--metrics", 2, "--step", "1m", "--day", "1h", "--seed", 7, "--json"]
STRETCHES = [["--start", "2026-03-01T00:00:00Z", "--duration", "3h", "--anomalies", 6],
             ["--start", "2026-03-01T03:00:00Z", "--duration", "4h", "--anomalies", 6]]
COMPLAINT = re.compile(r"(Thread|Address|Leak|UndefinedBehavior)Sanitizer|runtime error:|SUMMARY: ")


def sanitizers():
    """What the build was made with: "thread", "address,undefined", "none"."""
    options = json.loads((places.BUILD / "meson-info/intro-buildoptions.json").read_text())
    return next(o["value"] for o in options if o["name"] == "b_sanitize")


__test__ = sanitizers() != "none"


def simulate(line, stretch):
    return json.loads(forebay(line, "simulate", *SIMULATION, *stretch).stdout)


def stored(database):
    """The workers that have states in PostgreSQL."""
    rows = database.rows("SELECT DISTINCT worker FROM forebay.state_partitions p JOIN forebay.states s "
                         "ON s.partition = p.id WHERE run = 'live'")
    return {worker for worker, in rows}


def ask(worker):
    """All that the HTTP thread can be asked for, while the loop works."""
    own = f"/connectors/{worker.name}"
    for path in ("/metrics", "/health", "/", "/connectors", f"{own}/status", f"{own}/config", f"{own}/offsets",
                 "/admin/loggers"):
        assert worker.http(path)[0] in (200, 503), path
    for path, body in ((f"{own}/pause", None), ("/admin/loggers/root", {"level": "DEBUG"}), (f"{own}/resume", None),
                       ("/admin/loggers/root", {"level": "INFO"})):
        assert worker.http(path, "PUT", body)[0] in (200, 202, 204), path


def sum_of_ends(broker, topic):
    return sum(broker.ends(topic).values())


def no_complaints(fleet):
    """No log holds one.  To be asked before exit codes, which only say that there is one."""
    for worker in fleet.workers.values():
        text = worker.log.read_text(errors="replace")
        complaint = COMPLAINT.search(text)
        assert not complaint, f"{worker.log}\n{text[complaint.start():][:8000]}"


def test_nothing_to_complain_about(line, fleet, broker, database):
    for name in WORKERS:
        fleet.add(name, **({"checkpoint_interval_ms": 200} if name in STATEFUL else {}))
    for worker in fleet.workers.values():
        worker.await_ready()
    sent = [simulate(line, STRETCHES[0])]
    await_quiet(broker, fleet)
    until(lambda: stored(database) == {group(name) for name in STATEFUL}, "states of all are stored", 60)

    killed, left = fleet["realtime-scorer-0"], fleet["etl-preprocessor-0"]
    before = sum_of_ends(broker, "scores")
    with ThreadPoolExecutor(1) as aside:
        second = aside.submit(simulate, line, STRETCHES[1])
        until(lambda: sum_of_ends(broker, "scores") > before, "the second stretch is under way", 60)
        killed.signal(signal.SIGKILL)
        assert killed.exit_code() == -signal.SIGKILL
        killed.start()
        code = left.leave()
        no_complaints(fleet)
        assert code == 0, left.log
        left.come_back()
        for worker in fleet.workers.values():
            ask(worker)
        for worker in (killed, left):
            assert worker.await_log(lambda e: e.get("event") == "states are back")["states"] > 0
        sent.append(second.result())
    await_quiet(broker, fleet)
    assert database.count("forebay.readings") == sum(said["values"] for said in sent)
    found = forebay(line, "checkpoints", "verify", "--worker=realtime-scorer", "--from=0", "--json").stdout
    assert json.loads(found)["holds"], found

    exits = fleet.stop()
    no_complaints(fleet)
    assert exits == {f"{name}-0": 0 for name in WORKERS}
