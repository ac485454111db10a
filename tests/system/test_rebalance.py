"""Exactly once with two instances of router and sink, which come, go, die and freeze.

How many messages and which order: see support/proof.py; this test takes a quarter of them.
"""
from support import chaos, proof, telemetry

NAMES = ("ingest-router", "sink-writer")


def test_two_instances_of_router_and_sink(line, fleet, broker, schemas, database):
    faults = proof.Faults(line, fleet)
    fleet.options.update(proof.OPTIONS)
    instances = [f"{name}-{n}" for name in NAMES for n in (0, 1)]
    for instance in instances:
        fleet.add(instance[:-2], instance)
    for worker in fleet.workers.values():
        worker.await_ready()
    wishes = [faults.kill(instance) for instance in instances]
    wishes += [faults.leave_and_come_back(instance) for instance in instances]
    wishes += [faults.freeze(f"ingest-router-{proof.SEED % 2}"), faults.freeze(f"sink-writer-{proof.SEED % 2}")]
    faults.order = chaos.plan(wishes, proof.SEED)
    proof.prove(line, fleet, broker, schemas, database, NAMES, list(telemetry.messages(proof.MESSAGES // 4)), faults)
