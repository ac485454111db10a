"""`forebay simulate --lag.max.records`: no further ahead of the workers than allowed, and a clear end when they do not follow.

The tests of this file follow each other on one line: who reads comes one by one, and at the end the broker goes.
"""
import json
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import places
from support.fleet import forebay, group
from support.wait import until

MOST = 100  # records; a look comes after as many messages
DEVICES, STEPS = 50, 200
SIMULATION = ["--devices", DEVICES, "--step", "1m", "--duration", f"{STEPS}m", "--anomalies", 0, "--json"]
IMPATIENT = ["--lag.timeout.ms", 5000]


def simulate(line, *options, check=True):
    return forebay(line, "simulate", *SIMULATION, *options, check=check)


def count(broker, topic):
    return sum(broker.ends(topic).values())


def lag(broker, worker, topic):
    """Never more than it is: what the group has read is asked for last."""
    ends = broker.ends(topic)
    committed = broker.committed(group(worker), topic)
    return sum(max(end - max(committed[p], 0), 0) for p, end in ends.items())


@pytest.mark.parametrize("limits, complaint", [
    ("ingest-router", "'ingest-router' is not worker=records"),
    ("ingest-router=many", "'ingest-router=many' is not worker=records"),
    ("router=100", "'router' is neither a worker"),
])
def test_what_cannot_be_read_is_refused(line, limits, complaint):
    refused = simulate(line, "--lag.max.records", limits, check=False)
    assert refused.returncode == 1
    assert "--lag.max.records" in refused.stderr and complaint in refused.stderr


def test_a_group_that_never_was_is_behind_by_all_there_is(line, broker):
    ended = simulate(line, "--lag.max.records", f"ingest-router={MOST}", *IMPATIENT, check=False)
    sent = count(broker, "telemetry.raw")
    assert ended.returncode == 2
    assert MOST < sent <= 2 * MOST
    assert f"ingest-router (group {group('ingest-router')}) lags by {sent} records" in ended.stderr, ended.stderr


def test_who_follows_lets_it_through(line, broker, module_fleet):
    """By the group's name; the router comes when the sender waits, for what is left of the test before."""
    before = count(broker, "telemetry.raw")
    patient = ["--lag.timeout.ms", 300000]
    seen = []
    with ThreadPoolExecutor(1) as aside:
        sending = aside.submit(simulate, line, "--lag.max.records", f"{group('ingest-router')}={MOST}", *patient)
        module_fleet.add("ingest-router").await_ready()
        while not sending.done():
            seen.append(lag(broker, "ingest-router", "telemetry.raw"))
    said = json.loads(sending.result().stdout)
    assert said["refused"] == 0 and said["messages"] > DEVICES * STEPS / 2
    assert count(broker, "telemetry.raw") == before + said["messages"]
    assert max(seen) <= 2 * MOST


def test_it_is_the_one_that_does_not_read_who_is_named(line, module_fleet):
    module_fleet["ingest-router-0"].await_ready()
    ended = simulate(line, "--lag.max.records", "ingest-router=1000000,etl-preprocessor=50", *IMPATIENT, check=False)
    assert ended.returncode == 2
    assert f"etl-preprocessor (group {group('etl-preprocessor')}) lags by" in ended.stderr, ended.stderr
    assert "--lag.max.records allows 50" in ended.stderr


def test_a_dry_run_waits_for_nobody(line):
    said = json.loads(simulate(line, "--lag.max.records", "etl-preprocessor=0", "--dry.run").stdout)
    assert said["messages"] > 0


def test_a_broker_that_goes_ends_it(line, broker):
    before = count(broker, "telemetry.raw")
    command = [places.program("forebay"), "simulate", *SIMULATION, "--lag.max.records", "etl-preprocessor=1000000", *IMPATIENT,
               "--rate", 100, "--request.timeout.ms", 1000]
    with subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env=line.environment()) as sending:
        until(lambda: count(broker, "telemetry.raw") > before, "it sends", 60)
        line.kill("kafka")
        try:
            said, complaint = sending.communicate(timeout=300)
        finally:
            sending.kill()
            line.start("kafka")
    assert sending.returncode == 2 and not said
    assert "BROKER_DOWN" in complaint, complaint
