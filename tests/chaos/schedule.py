"""Which faults, on whom, in which order, for how long: a pure function of the seed and the numbers asked for.

A kind's `victim` says whom it may hit, `needs` what it keeps busy while it lasts: two faults overlap only where they need
nothing in common, so that each can bring its victim back.
"""
import random
from dataclasses import dataclass

WORKERS = ("ingest-router", "etl-preprocessor", "batch-forecaster", "realtime-scorer", "sink-writer")
STATEFUL = ("etl-preprocessor", "batch-forecaster", "realtime-scorer")

SESSION_MS, TRANSACTION_MS = 6000, 5000
BEYOND_S = (SESSION_MS + 1000) / 1000, (SESSION_MS + 3000) / 1000  # longer than session and transaction may be silent
BRIEF_S = 0.5, 2.5
EITHER = "either"  # brief, or beyond the time-outs: they end differently

NET_MODES = ("cut", "stall", "reset", "slow", "mute")


@dataclass(frozen=True)
class Kind:
    name: str
    victim: str      # worker, proxied, clocked, name (a worker's name), or the service
    hold: object     # (least, most) seconds, or EITHER
    weight: float    # how often beyond the first time
    what: str
    of: tuple = WORKERS


KINDS = {kind.name: kind for kind in (
    Kind("kill", "worker", (0, 0), 6, "SIGKILL a worker; its keeper starts it again"),
    Kind("term", "worker", (0, 2), 3, "SIGTERM a worker, start it again"),
    Kind("zombie", "worker", BEYOND_S, 3, "SIGSTOP a worker beyond session and transaction time-out, then SIGCONT"),
    Kind("twin", "worker", BEYOND_S, 1, "SIGSTOP a worker, start another one of its name, then SIGCONT"),
    Kind("scale", "name", (2, 5), 1, "one more worker for a while"),
    Kind("rolling", "all", (0, 0), 0.3, "restart all workers, one after the other"),
    Kind("clock-step", "clocked", (2, 5), 1, "a worker's clock goes an hour ahead, an hour back, and right again"),
    Kind("kill-broker", "kafka", (0, 3), 2, "SIGKILL the broker, start it again"),
    Kind("stop-broker", "kafka", (0, 2), 1, "stop the broker cleanly, start it again"),
    Kind("freeze-broker", "kafka", EITHER, 1, "SIGSTOP the broker, then SIGCONT"),
    Kind("disk-full-broker", "kafka", (2, 4), 0.5, "the broker's file system is full for a while"),
    Kind("kill-postgres", "postgres", (0, 3), 2, "SIGKILL the database server, start it again"),
    Kind("stop-postgres", "postgres", (0, 2), 1, "stop the database server, start it again"),
    Kind("freeze-postgres", "postgres", EITHER, 1, "SIGSTOP the database server, then SIGCONT"),
    Kind("drop-postgres", "postgres", (0, 0), 2, "end all database connections from the server's side"),
    Kind("disk-full-postgres", "postgres", (2, 4), 0.5, "the database's file system is full for a while"),
    Kind("kill-redis", "redis", (0, 2), 1, "SIGKILL the cache, start it again, empty"),
    Kind("flush-redis", "redis", (0, 0), 1, "empty the cache"),
    *(Kind(f"net-broker-{mode}", "proxied", EITHER, 1, f"{mode} between one worker and the broker")
      for mode in NET_MODES),
    *(Kind(f"net-postgres-{mode}", "proxied", EITHER, 0.6, f"{mode} between one worker and the database",
           of=STATEFUL + ("sink-writer",)) for mode in NET_MODES),
    Kind("net-redis-stall", "proxied", BRIEF_S, 0.5, "stall between one worker and the cache",
         of=("batch-forecaster", "realtime-scorer")),
)}


@dataclass(frozen=True)
class Fault:
    number: int
    kind: str
    victim: str
    hold_s: float
    overlaps: bool   # begins while the one before may still be under way
    gap_s: float     # pause before it

    def __str__(self):
        return f"{self.kind} {self.victim}" + (f" for {self.hold_s:.1f} s" if self.hold_s else "")


def proxied(instance):
    """Odd ones reach everything through proxies; even ones directly, and with a clock that can be stepped."""
    return int(instance.rpartition("-")[2]) % 2 == 1


def victims(kind, instances):
    """Whom it may hit, in a fixed order."""
    if kind.victim in ("kafka", "postgres", "redis", "all"):
        return [kind.victim]
    if kind.victim == "name":
        return list(kind.of)
    everyone = [f"{name}-{n}" for name in kind.of for n in range(instances)]
    if kind.victim == "worker":
        return everyone
    return [instance for instance in everyone if proxied(instance) == (kind.victim == "proxied")]


def resources(fault, instances):
    """What it keeps busy."""
    if KINDS[fault.kind].victim == "all":
        return frozenset(f"{name}-{n}" for name in WORKERS for n in range(instances))
    if KINDS[fault.kind].victim == "name":
        return frozenset(("scale",))
    return frozenset((fault.victim,))


def plan(seed, faults, instances=2, only=()):
    """FAULTS faults; each kind at least once if they are enough.  ONLY: these kinds."""
    kinds = [KINDS[name] for name in only] if only else list(KINDS.values())
    chance = random.Random(f"{seed}/{faults}/{instances}/{','.join(k.name for k in kinds)}")
    order = list(kinds)
    chance.shuffle(order)
    order = order[:faults] + chance.choices(kinds, [k.weight for k in kinds], k=max(0, faults - len(kinds)))
    chance.shuffle(order)
    made = []
    for number, kind in enumerate(order):
        hold = kind.hold
        if hold == EITHER:
            hold = BRIEF_S if chance.random() < 0.6 else BEYOND_S
        made.append(Fault(number, kind.name, chance.choice(victims(kind, instances)), round(chance.uniform(*hold), 2),
                          chance.random() < 0.4, round(chance.uniform(0.2, 1.2), 2)))
    return made


def proxied_victims(made):
    return sorted({f.victim for f in made if KINDS[f.kind].victim == "proxied"})


def clocked_victims(made):
    return sorted({f.victim for f in made if KINDS[f.kind].victim == "clocked"})
