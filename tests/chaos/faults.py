"""The faults: for each kind of the schedule what it does, and how it is healed.

`start` brings the trouble, the driver waits, `heal` ends it and returns when the victim has been brought back; it need not
work again yet.
"""
import signal
import subprocess
import time

from chaos import schedule
from support.database import psycopg2
from support.wait import Late

READY_LIMIT_S = 30
HOUR_S = 3600
TWIN_LIMIT_S = 60


class Action:
    def __init__(self, ground, fault):
        self.ground, self.fault, self.victim = ground, fault, fault.victim

    @property
    def worker(self):
        return self.ground.fleet[self.victim]

    def start(self):
        """Bring the trouble."""

    def heal(self):
        """End it."""


class Kill(Action):
    def start(self):
        self.worker.signal(signal.SIGKILL)


class Term(Action):
    def start(self):
        code = self.ground.leave(self.worker)
        if code not in (0, 3, 4, -signal.SIGKILL):
            self.ground.remarks.append(f"{self.victim} ended with {code} after SIGTERM")

    def heal(self):
        self.worker.come_back()


class Zombie(Action):
    def start(self):
        self.worker.signal(signal.SIGSTOP)

    def heal(self):
        self.worker.signal(signal.SIGCONT)


class Twin(Action):
    """The other one of the name has taken over when the old one wakes up: the old one must go."""

    def start(self):
        self.worker.signal(signal.SIGSTOP)
        self.old = self.worker.replace()

    def heal(self):
        self.old.send_signal(signal.SIGCONT)
        try:
            code = self.old.wait(TWIN_LIMIT_S)
            if code not in (0, 3):
                self.ground.remarks.append(f"{self.victim}, replaced while frozen, ended with {code}")
        except subprocess.TimeoutExpired:
            self.ground.findings.append(f"{self.victim}: an old instance lives beside its successor")
            self.old.kill()
            self.old.wait()


class Scale(Action):
    def start(self):
        instance = f"{self.victim}-{self.ground.instances}"
        if instance in self.ground.fleet.workers:
            self.extra = self.ground.fleet[instance]
            self.extra.come_back()
        else:
            self.extra = self.ground.add(self.victim, instance)

    def heal(self):
        self.ground.leave(self.extra)


class Rolling(Action):
    def start(self):
        for name in schedule.WORKERS:
            for n in range(self.ground.instances):
                worker = self.ground.fleet[f"{name}-{n}"]
                self.ground.leave(worker)
                worker.come_back()
                try:
                    worker.await_ready(READY_LIMIT_S)
                except (Late, RuntimeError, OSError) as trouble:
                    self.ground.remarks.append(f"rolling restart: {str(trouble)[:200]}")


class ClockStep(Action):
    def start(self):
        for seconds in (HOUR_S, -HOUR_S):
            self.ground.set_clock(self.victim, seconds)
            time.sleep(1.2 + self.fault.hold_s / 2)  # it looks each second

    def heal(self):
        self.ground.set_clock(self.victim, 0)


class KillService(Action):
    def start(self):
        self.ground.stack.kill(self.victim)

    def heal(self):
        self.ground.start_service(self.victim)


class StopService(KillService):
    def start(self):
        self.ground.stack.stop(self.victim)


class FreezeService(Action):
    def start(self):
        self.ground.signal_service(self.victim, signal.SIGSTOP)

    def heal(self):
        self.ground.signal_service(self.victim, signal.SIGCONT)


class DropConnections(Action):
    def start(self):
        try:
            self.ground.drop_connections()
        except psycopg2.Error as trouble:
            self.ground.remarks.append(f"no connections dropped: {trouble}")


class FlushRedis(Action):
    def start(self):
        self.ground.flush_redis()


class DiskFull(Action):
    def start(self):
        self.disk = self.ground.disks.by_service[self.victim]
        self.disk.fill()

    def heal(self):
        self.disk.fill()  # what was deleted meanwhile is no relief
        time.sleep(0.5)
        self.disk.empty()
        # It may have stopped by itself, at once or in a while.
        for _ in range(3):
            self.ground.start_service(self.victim)
            time.sleep(1)


class Net(Action):
    def __init__(self, ground, fault):
        super().__init__(ground, fault)
        _, service, self.mode = fault.kind.split("-")
        self.route = f"{self.victim}.{'kafka' if service == 'broker' else service}"

    def start(self):
        self.ground.proxy.set(self.route, self.mode)

    def heal(self):
        self.ground.proxy.set(self.route, "pass")


ACTIONS = {
    "kill": Kill, "term": Term, "zombie": Zombie, "twin": Twin, "scale": Scale, "rolling": Rolling,
    "clock-step": ClockStep,
    "kill-broker": KillService, "stop-broker": StopService, "freeze-broker": FreezeService,
    "kill-postgres": KillService, "stop-postgres": StopService, "freeze-postgres": FreezeService,
    "kill-redis": KillService, "drop-postgres": DropConnections, "flush-redis": FlushRedis,
    "disk-full-broker": DiskFull, "disk-full-postgres": DiskFull,
    **{name: Net for name in schedule.KINDS if name.startswith("net-")},
}
assert set(ACTIONS) == set(schedule.KINDS)
