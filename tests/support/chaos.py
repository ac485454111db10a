"""Trouble by plan: faults in a seeded order, each while messages flow.

The messages are cut into as many portions as there are faults, and one more.  A portion is published, paced, while a
fault is under way; the next one waits until the fault is over.  So messages never run out before the faults do, however
slow the machine is.
"""
import random
import threading
import time

PORTION_S = 2.0


class Publishing(threading.Thread):
    def __init__(self, publisher, messages, portions):
        super().__init__(daemon=True)
        self.publisher, self.messages = publisher, messages
        self.portion = -(-len(messages) // portions)
        self.allowed = threading.Semaphore(0)
        self.trouble = None
        self.sent = 0

    def run(self):
        try:
            for first in range(0, len(self.messages), self.portion):
                self.allowed.acquire()
                self._portion(self.messages[first:first + self.portion])
            self.publisher.flush()
        except BaseException as trouble:  # told by finish(), in the test's own thread
            self.trouble = trouble

    def _portion(self, messages):
        begin = time.monotonic()
        for i, message in enumerate(messages):
            self.publisher.send(message.key, message.value)
            self.sent += 1
            if i % 50 == 49:
                ahead = begin + PORTION_S * i / len(messages) - time.monotonic()
                if ahead > 0:
                    time.sleep(ahead)

    def allow(self):
        self.allowed.release()

    def finish(self, limit_s=300):
        self.join(limit_s)
        assert not self.is_alive(), f"publishing is not done within {limit_s} s"
        if self.trouble:
            raise self.trouble


def plan(faults, seed):
    """The faults (name, function) in an order that the seed decides."""
    order = list(faults)
    random.Random(seed).shuffle(order)
    return order


def run(publisher, messages, faults, say=print):
    """Publish all messages while the faults happen, one after the other."""
    publishing = Publishing(publisher, messages, len(faults) + 1)
    publishing.start()
    publishing.allow()
    begin = time.monotonic()
    for name, fault in faults:
        publishing.allow()
        time.sleep(PORTION_S / 4)
        say(f"{time.monotonic() - begin:7.1f} s, {publishing.sent:7d} sent: {name}")
        fault()
        time.sleep(PORTION_S / 2)
    publishing.finish()
    say(f"{time.monotonic() - begin:7.1f} s, {publishing.sent:7d} sent: all published, all faults done")
