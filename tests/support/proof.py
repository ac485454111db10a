"""The exactly-once proof: messages, faults while they flow, and then the checker's verdict.

FOREBAY_TEST_MESSAGES    how many (default 200000)
FOREBAY_TEST_SEED        which order the faults come in (default 1); printed, with the schedule
"""
import os
import re
import signal
import socket
import time
from collections import Counter

import checker
from checker import Input
from support import chaos
from support.broker import Publisher
from support.fleet import await_quiet
from support.wait import until

MESSAGES = int(os.environ.get("FOREBAY_TEST_MESSAGES", 200000))
SEED = int(os.environ.get("FOREBAY_TEST_SEED", 1))
SESSION_MS = 4000

OPTIONS = {"session.timeout.ms": SESSION_MS, "transaction.timeout.ms": 5000, "errors.log.enable": "false"}
NUMBER = re.compile(rb'"number":(\d+)')


class Faults:
    """What is done to the line.  Each returns when the victim has been brought back, not when it works again."""

    def __init__(self, stack, fleet):
        self.stack, self.fleet = stack, fleet
        self.kills = Counter()

    def kill(self, instance):
        def fault():
            worker = self.fleet[instance]
            starts = worker.starts
            self.kills[instance] += 1
            worker.signal(signal.SIGKILL)
            until(lambda: worker.starts > starts, f"{instance} is started again", 60)
        return f"SIGKILL {instance}", fault

    def freeze(self, instance):
        def fault():
            self.fleet[instance].signal(signal.SIGSTOP)
            time.sleep(1.5 * SESSION_MS / 1000)
            self.fleet[instance].signal(signal.SIGCONT)
        return f"SIGSTOP {instance} for longer than its session", fault

    def restart(self, service):
        def fault():
            self.stack.kill(service)
            self.stack.start(service)
        return f"SIGKILL {service}, start it again", fault

    def flush_redis(self):
        return "flush Redis", lambda: self._redis(b"FLUSHALL\r\n")

    def stop_redis(self):
        def fault():
            self.stack.stop("redis")
            time.sleep(1)
            self.stack.start("redis")
        return "stop Redis for a second", fault

    def _redis(self, command):
        host, port = re.match(r"redis://([^:]+):(\d+)", self.stack.redis_uri).groups()
        with socket.create_connection((host, int(port)), timeout=10) as link:
            link.sendall(command)
            assert link.recv(64).startswith(b"+OK")

    def leave_and_come_back(self, instance):
        """An orderly end, and the same instance again: two rebalances at most."""
        def fault():
            worker = self.fleet[instance]
            with worker.lock:
                code = worker.stop()
                worker.exits.append(code)
                assert code == 0, f"{instance}: exit code {code} after SIGTERM: {worker.log}"
                time.sleep(0.5)
                worker.start()
        return f"SIGTERM {instance}, start it again", fault


def inputs_of(broker, sent):
    """Every message of the raw topic with its fate; and proof that the topic holds what was sent, once."""
    by_number = {s.number: s for s in sent}
    inputs = []
    for m in broker.read("telemetry.raw"):
        s = by_number.pop(int(NUMBER.search(m.value).group(1)), None)
        assert s is not None, f"the publisher itself wrote {m.value!r} twice: no verdict on the workers"
        inputs.append(Input((m.topic, m.partition, m.offset), s.device, s.event_us, s.values, s.reason,
                            s.value if s.reason else None))
    assert not by_number, f"the publisher itself lost {len(by_number)} messages: no verdict on the workers"
    return inputs


def prove(stack, fleet, broker, schemas, database, names, messages, faults):
    print(f"\nseed {SEED}, {len(messages)} messages, {len(faults.order)} faults; logs in {fleet.logs}")
    fleet.keep()
    chaos.run(Publisher(stack.bootstrap), messages, faults.order)
    await_quiet(broker, fleet, names)
    exits = fleet.stop()
    inputs = inputs_of(broker, messages)
    checker.save(fleet.logs / "inputs.jsonl", inputs)
    findings = checker.check_live(inputs, broker, schemas, database)
    poison = sum(i.reason is not None for i in inputs)
    print(f"{len(inputs)} inputs, {poison} of them poison: {checker.report(findings)}")
    for worker in fleet.workers.values():
        print(f"{worker.instance}: {worker.starts} starts, exit codes {worker.exits}")
    assert not findings, checker.report(findings)
    assert set(exits.values()) == {0}, f"exit codes after SIGTERM: {exits}"
    for worker in fleet.workers.values():
        ends = Counter(worker.exits)
        assert ends.pop(-signal.SIGKILL, 0) == faults.kills[worker.instance], f"{worker.instance} was killed by others"
        ends.pop(0, None)
        # A frozen one may find itself replaced; everything else it must get over without ending.
        assert not set(ends) - {3}, f"{worker.instance} ended by itself: {worker.exits}, {worker.log}"
