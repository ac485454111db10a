"""Exactly once, first proof: everything is killed, frozen or restarted while messages flow; then the checker compares.

How many messages and which order: see support/proof.py.
"""
from support import chaos, proof, telemetry
from support.fleet import WORKERS


def test_every_worker_killed_and_every_service_restarted(line, fleet, broker, schemas, database):
    faults = proof.Faults(line, fleet)
    fleet.options.update(proof.OPTIONS)
    fleet.start()
    frozen = WORKERS[proof.SEED % len(WORKERS)]
    wishes = [faults.kill(f"{name}-0") for name in WORKERS for _ in range(2)]
    wishes += [faults.freeze(f"{frozen}-0"), faults.restart("kafka"), faults.restart("postgres"), faults.flush_redis(),
               faults.stop_redis()]
    faults.order = chaos.plan(wishes, proof.SEED)
    proof.prove(line, fleet, broker, schemas, database, WORKERS, list(telemetry.messages(proof.MESSAGES)), faults)
