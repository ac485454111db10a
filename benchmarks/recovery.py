"""How long do the partitions of a worker that dies, or is restarted, stand still?

10,000 devices with two metrics each, two workers of a kind, 5,000 readings a second.  Measured by a read_committed consumer:
from the signal to the first new committed output of the partitions that the worker had.  Killed: SIGKILL, dynamic membership,
session.timeout.ms=6000; the other one takes over.  A transaction that was open keeps readers of committed records, and the offsets
in it, waiting until the broker gives it up, after transaction.timeout.ms: by default a second less than the session.
Restarted: SIGTERM, and when it has ended the same instance.id again.
"""
import signal
import threading
import time

from confluent_kafka import Consumer, TopicPartition

import common
import state_tools as tools
from state_tools import ETL, SCORER, Member, Readings, median, when

DEVICES = 10000
PARTITIONS = 4
RATE = 5000
ROUNDS = 100
SESSION_MS = 6000
KILLS, RESTARTS = 7, 3
OUTPUT = {ETL: "telemetry.series", SCORER: "scores"}
TOPIC = "telemetry.readings"


class Flow:
    """Readings that go on and on."""

    def __init__(self, readings, number):
        self.readings, self.number = readings, number
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        begun, sent, device = time.monotonic(), 0, 0
        while not self.over.wait(.01):
            for _ in range(int((time.monotonic() - begun) * RATE) - sent):
                self.readings.one(device, self.number)
                sent, device = sent + 1, device + 1
                if device == DEVICES:
                    self.number, device = self.number + 1, 0
            self.readings.producer.poll(0)

    def stop(self):
        self.over.set()
        self.thread.join()
        self.readings.producer.flush(60)
        return self.number + 1


class Watch:
    """When committed records come into some partitions of a topic."""

    def __init__(self, env, topic, partitions):
        common_ = {"bootstrap.servers": env["FOREBAY_BOOTSTRAP_SERVERS"], "group.id": "watch", "fetch.wait.max.ms": 5,
                   "enable.auto.commit": False}
        self.asked = Consumer({**common_, "isolation.level": "read_uncommitted"})
        self.places = [TopicPartition(topic, p) for p in partitions]
        self.consumer = Consumer({**common_, "isolation.level": "read_committed"})
        self.consumer.assign([TopicPartition(topic, p, end) for (_, p), end in self.ends().items()])
        self.seen = []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def ends(self):
        return {(t.topic, t.partition): self.asked.get_watermark_offsets(t, timeout=30)[1] for t in self.places}

    def stable(self):
        """The ends that a reader of committed records sees."""
        return {(t.topic, t.partition): self.consumer.get_watermark_offsets(t, timeout=30)[1] for t in self.places}

    def _run(self):
        while not self.over.is_set():
            for m in self.consumer.consume(1000, .05):
                if not m.error():
                    self.seen.append((time.time(), m.partition(), m.offset()))

    def first_at_or_after(self, ends, limit_s=60):
        """Wall time of the first record beyond these ends, and of the last partition's first one."""
        deadline = time.monotonic() + limit_s
        while time.monotonic() < deadline:
            firsts = {}
            for t, p, offset in list(self.seen):
                if offset >= ends[(self.places[0].topic, p)]:
                    firsts.setdefault(p, t)
            if len(firsts) == len(self.places):
                return min(firsts.values()), max(firsts.values())
            time.sleep(.02)
        raise SystemExit(f"no new output of partitions {[t.partition for t in self.places]} within {limit_s} s")

    def stop(self):
        self.over.set()
        self.thread.join()
        self.consumer.close()
        self.asked.close()


def partitions_of(member):
    """Those whose records it processes: it has a lag of them."""
    return sorted(member.lags(TOPIC))


def start(env, kind, name, **options):
    group = f"{kind}-{'static' if 'instance_id' in options else 'short' if options else 'dynamic'}"
    member = Member(env, kind, name, group_id=group, topics=TOPIC, session_timeout_ms=SESSION_MS, statistics_interval_ms=500,
                    **options)
    member.options = options
    return member


def settle(pair):
    """Each has half of the partitions, nothing waits, and what was not touched lately is stored."""
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        figures = [m.metrics() for m in pair]
        held = [m.lags(TOPIC) for m in pair]
        if all(f["forebay_ready"] for f in figures) and [len(h) for h in held] == [PARTITIONS // 2] * 2 and \
                all(sum(h.values()) < RATE for h in held) and sum(f["forebay_state_keys"] + f["forebay_state_keys_asleep"] for f in figures) == 2 * DEVICES:
            time.sleep(7)
            return
        time.sleep(.3)
    raise SystemExit(f"not settled: {held}, {figures}")


def recovered(event):
    return {"load": event["load_ms"] / 1000, "fold": event["fold_ms"] / 1000, "folded_records": event["records"],
            "states_loaded": event["states"]}


def kill_one(env, kind, pair, number):
    """PAIR's first one dies; the pair afterwards."""
    victim, other = pair
    watch = Watch(env, OUTPUT[kind], partitions_of(victim))
    time.sleep(1)
    killed = time.time()
    victim.process.send_signal(signal.SIGKILL)
    victim.process.wait()
    time.sleep(.2)
    ends = watch.ends()
    was_open = ends != watch.stable()
    first, all_ = watch.first_at_or_after(ends)
    watch.stop()
    back = other.await_event("states are back", after=killed)
    figures = recovered(back)
    assigned = when(next(e for e in other.events("phase") if when(e) >= killed and e["to"] == "loading"))
    result = {"to_first_output": first - killed, "to_all_partitions": all_ - killed, "until_assigned": assigned - killed,
              "offsets_known_after": when(back) - figures["load"] - figures["fold"] - assigned, **figures,
              "in_a_transaction": was_open, "then_to_first_output": first - when(back)}
    common.say(f"  {kind} killed: {result}")
    pair = [other, start(env, kind, f"{kind}-dynamic-{number}", **other.options)]
    settle(pair)
    return result, pair


def restart_one(env, kind, pair, number):
    old = pair[0]
    watch = Watch(env, OUTPUT[kind], partitions_of(old))
    time.sleep(1)
    asked = time.time()
    old.process.send_signal(signal.SIGTERM)
    assert old.process.wait(60) == 0, f"exit code {old.process.returncode}: {old.log}"
    stopped = time.time()
    new = start(env, kind, f"{kind}-static-{number}", instance_id=f"{kind}-0")
    first, all_ = watch.first_at_or_after(watch.ends())
    watch.stop()
    back = new.await_event("states are back")
    figures = recovered(back)
    result = {"to_first_output": first - asked, "to_all_partitions": all_ - asked, "stop": stopped - asked,
              "start_to_claim": when(back) - figures["load"] - figures["fold"] - stopped, **figures,
              "then_to_first_output": first - when(back)}
    common.say(f"  {kind} restarted: {result}")
    pair = [new, pair[1]]
    settle(pair)
    return result, pair


def repeat(env, kind, act, times, pair):
    results = []
    settle(pair)
    for number in range(times):
        result, pair = act(env, kind, pair, number)
        results.append(result)
    for member in pair:
        member.stop()
    medians = {key: median([r[key] for r in results]) for key in results[0]}
    return {**medians, "greatest_to_first_output": max(r["to_first_output"] for r in results),
            "each_to_all_partitions": [round(r["to_all_partitions"], 2) for r in results],
            "each_in_a_transaction": [r["in_a_transaction"] for r in results if "in_a_transaction" in r]}


def run(_):
    env = common.fresh_stack(PARTITIONS)
    readings = Readings(env, TOPIC, DEVICES)
    readings.send(range(ROUNDS))
    number, answer = ROUNDS, {}
    for kind in (ETL, SCORER):
        flow = Flow(readings, number)
        try:
            killed = repeat(env, kind, kill_one, KILLS, [start(env, kind, f"{kind}-dynamic-{i}") for i in "ab"])
            restarted = repeat(env, kind, restart_one, RESTARTS,
                               [start(env, kind, f"{kind}-static-{i}", instance_id=f"{kind}-{i}") for i in range(2)])
        finally:
            number = flow.stop()
        answer[kind] = {"killed_seconds": killed, "restarted_seconds": restarted}
        answer[f"goal_{kind}"] = {
            f"killed_at_most_{SESSION_MS / 1000 + 1:.0f}_s": killed["to_first_output"],
            "restarted_at_most_2_s": restarted["to_first_output"]}
    return answer
