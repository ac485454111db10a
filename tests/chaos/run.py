"""Messages and faults at the same time.

The messages are cut into as many portions as there are faults, and two more.  A portion is published, paced, while its
fault is under way; the next one waits for the next fault.  So messages never run out before the faults do, however slow the
machine is, and never pile up far ahead of them.
"""
import threading
import time

from chaos import messages, schedule
from chaos.faults import ACTIONS
from support.broker import Publisher

PORTION_S = 3.0
AT_ONCE = 2  # faults that may overlap
REST_S = 1.0


class Publishing(threading.Thread):
    def __init__(self, bootstrap, stream, portions):
        super().__init__(daemon=True)
        self.publisher, self.stream = Publisher(bootstrap), stream
        self.portion = -(-len(stream) // portions)
        self.allowed = threading.Semaphore(0)
        self.sent, self.trouble = 0, None

    def run(self):
        try:
            while self.sent < len(self.stream):
                self.allowed.acquire()
                self._portion(min(self.portion, len(self.stream) - self.sent))
            self.publisher.flush()
        except BaseException as trouble:  # told by finish(), on the driver's own thread
            self.trouble = trouble

    def _portion(self, count):
        begin = time.monotonic()
        for i in range(count):
            m = self.stream[self.sent]
            self.publisher.send(m.key, m.value, timestamp=m.timestamp_ms,
                                headers=[(messages.NUMBER, str(m.number).encode())])
            self.sent += 1
            if i % 50 == 49:
                ahead = begin + PORTION_S * i / count - time.monotonic()
                if ahead > 0:
                    time.sleep(ahead)

    def allow(self):
        self.allowed.release()

    def finish(self, limit_s=600):
        for _ in range(2):
            self.allow()
        self.join(limit_s)
        if self.is_alive():
            raise TimeoutError(f"publishing is not done within {limit_s} s: {self.sent} of {len(self.stream)}")
        if self.trouble:
            raise self.trouble


class Runner:
    def __init__(self, ground, plan, stream, say):
        self.ground, self.plan, self.say = ground, plan, say
        self.publishing = Publishing(ground.stack.bootstrap, stream, len(plan) + 2)
        self.active = {}     # thread -> resources
        self.outages = []    # [from, until) of the broker, seconds since the epoch
        self.done, self.skipped = [], []
        self.trouble = None

    def run(self):
        self.begin = time.monotonic()
        self.publishing.start()
        self.publishing.allow()
        for fault in self.plan:
            self._await_turn(fault)
            time.sleep(fault.gap_s)
            self.publishing.allow()
            self._launch(fault)
        self._await_all()
        self.publishing.finish()
        self.ground.heal_everything()
        self.say(f"{self._clock()} all published, all faults done")

    def _clock(self):
        return f"{time.monotonic() - self.begin:7.1f} s, {self.publishing.sent:8d} sent:"

    def _living(self):
        self.active = {thread: needs for thread, needs in self.active.items() if thread.is_alive()}
        if self.trouble:
            raise self.trouble
        return self.active

    def _await_turn(self, fault):
        needs = schedule.resources(fault, self.ground.instances)
        while True:
            active = self._living()
            room = AT_ONCE if fault.overlaps else 1
            if len(active) < room and not any(needs & busy for busy in active.values()):
                return
            time.sleep(0.05)

    def _await_all(self):
        while self._living():
            time.sleep(0.05)

    def _launch(self, fault):
        if fault.kind.startswith("disk-full") and not self.ground.disks.by_service:
            self.say(f"SKIPPED {fault}: no file system of our own: {self.ground.disks.trouble}")
            self.skipped.append(fault)
            return
        thread = threading.Thread(target=self._one, args=(fault,), daemon=True)
        self.active[thread] = schedule.resources(fault, self.ground.instances)
        thread.start()

    def _one(self, fault):
        try:
            self.say(f"{self._clock()} {fault}")
            action, begin = ACTIONS[fault.kind](self.ground, fault), time.time()
            action.start()
            time.sleep(fault.hold_s)
            action.heal()
            if fault.victim == "kafka":
                self.outages.append((begin - REST_S, time.time() + 5 * REST_S))
            time.sleep(REST_S)
            self.done.append(fault)
        except BaseException as trouble:  # raised again by _living(), on the driver's own thread
            self.trouble = trouble
