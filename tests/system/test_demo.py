"""The first command of the README, as a program would call it: the whole line, and every number of its report."""
import json
import os
import pathlib
import signal
import subprocess

import pytest

from support.wait import until

TOP = pathlib.Path(__file__).resolve().parents[2]


def environment(folder, **settings):
    return dict(os.environ, FOREBAY_STACK_DIR=str(folder), FOREBAY_BUILD_DIR=os.environ.get("FOREBAY_BUILD_DIR", str(TOP / "build")),
                **settings)


def demo(folder, *words, **settings):
    return subprocess.run([TOP / "deploy/demo", *words], env=environment(folder, **settings), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True)


def stack(folder, *words):
    done = subprocess.run([TOP / "deploy/local/stack", "--dir", folder, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_start_that_fails_leaves_nothing_running():
    folder = TOP / f".stack-test-demo-fails-{os.getpid()}"
    done = demo(folder, KAFKA_HEAP="-Xmx1m")
    services = json.loads(stack(folder, "status", "--json"))["services"]
    assert done.returncode == 1 and "Too small maximum heap" in done.stderr
    assert {service["state"] for service in services.values()} == {"stopped"}
    done = demo(folder, "--wipe")
    assert done.returncode == 0 and not folder.exists(), done.stderr


def test_an_interrupted_start_leaves_nothing():
    folder = TOP / f".stack-test-demo-stops-{os.getpid()}"
    # As from a terminal: the whole foreground group.  Who runs us may have SIGINT ignored, which would be handed down.
    process = subprocess.Popen([TOP / "deploy/demo"], env=environment(folder), stderr=subprocess.PIPE, text=True, start_new_session=True,
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    until(lambda: (folder / "redis/pid").exists(), "Redis")
    os.killpg(process.pid, signal.SIGINT)
    said = process.communicate(timeout=120)[1]
    assert process.returncode == 130 and "cleaning up" in said
    assert not folder.exists(), said


def test_only_a_demo_is_wiped():
    folder = TOP / f".stack-test-demo-none-{os.getpid()}"
    stack(folder, "start", "redis")
    done = demo(folder, "--wipe")
    state = json.loads(stack(folder, "status", "--json"))["services"]["redis"]["state"]
    stack(folder, "wipe")
    assert done.returncode == 1 and "is not a demo's" in done.stderr and state == "running"


@pytest.fixture(scope="module")
def report():
    folder = TOP / f".stack-test-demo-{os.getpid()}"
    done = demo(folder, "--json")
    assert done.returncode == 0, done.stderr
    assert not folder.exists(), "the demo leaves its folder behind"
    return json.loads(done.stdout)


def test_nothing_is_lost_or_made_up(report):
    assert report["conservation"]["holds"] is True


def test_every_table_has_rows(report):
    rows = report["rows"]
    empty = [table for table in ("readings", "series", "aggregates", "forecasts", "scores", "anomalies", "alerts",
                                 "dead_letters")
             if not rows[table]]
    assert not empty


def test_most_anomalies_are_found_and_few_alerts_are_false(report):
    anomalies = report["anomalies"]
    assert anomalies["found"] >= .7 * anomalies["injected"]
    assert anomalies["false_alerts"] <= anomalies["found"] / 4  # none to two, as a rule


def test_latency_is_reported(report):
    assert report["latency_from_ingest"]


def test_a_trained_model_is_live_and_serves(report):
    served = {m["status"]: m for m in report["models"]}
    assert served["live"]["name"] == "deepar-10min" and served["live"]["forecasts"] > 100
    assert served["live"]["loss"] < served["live"]["naive_loss"]


def test_forecasts_are_at_hand_when_readings_come(report):
    """However slow the machine: the devices wait for the line.  All but those of the first hours, before there is any."""
    coverage = report["coverage"]
    assert coverage["with_forecast"] >= .94 * coverage["scored"] > 0
    assert .8 <= coverage["inside_90"] / coverage["with_forecast"] <= .97  # from the first hours of a device on
    assert report["cache_hit_ratio"] >= .94  # as the scorer itself counts, of its last minutes
