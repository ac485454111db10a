"""What state, recovery and growth share: readings straight into topics, and a worker that is watched through its own metrics."""
import datetime
import json
import os
import pathlib
import random
import statistics
import struct
import subprocess
import time
import urllib.request

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

import common

ETL, SCORER = "etl-preprocessor", "realtime-scorer"
STEP_MS = 60000  # between two readings of a device, by their event times
KINDS_OF_TAIL = 4096


def psql(env, sql):
    return subprocess.run(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql], env=env, check=True, text=True,
                          stdout=subprocess.PIPE).stdout.strip()


def forget_states(env):
    psql(env, "truncate forebay.states, forebay.state_rungs, forebay.state_partitions")
    psql(env, "checkpoint")


def make_topic(env, name, partitions):
    """It and its dead letters."""
    admin = AdminClient({"bootstrap.servers": env["FOREBAY_BOOTSTRAP_SERVERS"]})
    new = [NewTopic(n, partitions, 1, config={"retention.ms": "-1"}) for n in (name, f"{name}.dlq")]
    made = admin.create_topics(new, operation_timeout=30)
    for future in made.values():
        future.result()


def drop_topic(env, name):
    """It and its dead letters: what they hold is not needed any more."""
    admin = AdminClient({"bootstrap.servers": env["FOREBAY_BOOTSTRAP_SERVERS"]})
    for future in admin.delete_topics([name, f"{name}.dlq"]).values():
        future.result()


def refused(error, message):
    if error:
        raise SystemExit(f"{message.topic()}: a record is refused: {error}")


def varint(n):
    """Avro's long, of a number that is not negative."""
    n <<= 1
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)
    return bytes(out)


def text(words):
    return varint(len(words)) + words.encode()


class Readings:
    """A reading a minute of each of so many devices, in turn.

    Device d begins d % stagger rounds later than device 0: windows, which are counted from a series' first reading, close evenly.
    """

    def __init__(self, env, topic, devices, metrics=2, stagger=60, begin_ms=None):
        self.topic = topic
        self.stagger = stagger
        self.ms, self.times = None, b""  # of the round at hand
        self.begin_ms = begin_ms or (int(time.time()) - 20 * 86400) * 1000
        self.keys = [f"device-{d:07d}".encode() for d in range(devices)]
        self.heads = [b"\0\0\0\0\1" + text(key.decode()) for key in self.keys]
        self.tails = [self._tail(random.Random(i), metrics) for i in range(KINDS_OF_TAIL)]
        self.producer = Producer({"bootstrap.servers": env["FOREBAY_BOOTSTRAP_SERVERS"], "partitioner": "murmur2_random",
                                  "enable.idempotence": True, "linger.ms": 20, "queue.buffering.max.messages": 1000000,
                                  "queue.buffering.max.kbytes": 500000, "delivery.report.only.error": True,
                                  "on_delivery": refused})

    @staticmethod
    def _tail(of, metrics):
        values = b"".join(text(metric) + b"\2" + struct.pack("<d", of.gauss(20, 2)) + b"\0" + text("good") + b"\0"
                          for metric in ("temperature", "humidity")[:metrics])
        return b"\0" + varint(metrics) + values + b"\0"  # no source; the values

    def send(self, rounds, only=None, first=0):
        """How many records that were.  ONLY: so many devices, from FIRST on."""
        sent = 0
        for number in rounds:
            sent += self._round(number, range(first, first + only) if only else range(len(self.keys)))
        assert self.producer.flush(120) == 0, "records are not acknowledged"
        return sent

    def _round(self, number, devices):
        mine = [d for d in devices if d % self.stagger <= number]
        for d in mine:
            self.one(d, number)
        return len(mine)

    def one(self, d, number):
        ms = self.begin_ms + number * STEP_MS
        if ms != self.ms:
            self.ms, self.times = ms, varint(ms * 1000) * 2
        value = self.heads[d] + self.times + self.tails[(d * 7919 + number * 1009) % KINDS_OF_TAIL]
        while True:
            try:
                self.producer.produce(self.topic, value, self.keys[d], timestamp=ms)
                return
            except BufferError:
                self.producer.poll(.05)


class Member:
    """A worker of a group, by itself: its log is read for what it says, its metrics for what it counts."""

    def __init__(self, env, kind, name, **options):
        self.kind, self.env = kind, env
        self.log = common.STACK / f"{name}-{time.monotonic_ns()}.log"
        flags = {"log.level": "info", "listen": "127.0.0.1:0", "statistics.interval.ms": 0,
                 **{key.replace("_", "."): value for key, value in options.items()}}
        command = common.worker_command(kind, *(f"--{key}={value}" for key, value in flags.items()))
        self.begun, self.begun_wall = time.monotonic(), time.time()
        self.process = common.spawn(command, env, self.log)
        self.pid = self.process.pid
        self.port = None

    def events(self, name=None):
        found = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{") and line.endswith("}")]
        return [e for e in found if name in (None, e.get("event"))]

    def await_event(self, name, after=0, limit_s=120):
        deadline = time.monotonic() + limit_s
        while time.monotonic() < deadline:
            for e in self.events(name):
                if when(e) >= after:
                    return e
            self.require_running()
            time.sleep(.02)
        raise SystemExit(f"{self.kind}: no {name!r} within {limit_s} s: {self.log}")

    def require_running(self):
        if self.process.poll() is not None:
            raise SystemExit(f"{self.kind} ended with {self.process.returncode}: {self.log.read_text()[-2000:]}")

    def samples(self):
        """(series, number) of every metric of ours."""
        self.require_running()
        if not self.port:
            self.port = self.await_event("listening")["port"]
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=60) as answer:
            lines = answer.read().decode().splitlines()
        return [(series, float(number)) for series, _, number in (line.rpartition(" ") for line in lines)
                if series.startswith("forebay_")]

    def metrics(self):
        sums = {}
        for series, number in self.samples():
            name = series.partition("{")[0]
            sums[name] = sums.get(name, 0) + number
        return sums

    def lags(self, topic):
        """Partition -> how far it is behind, of those it holds."""
        found = {}
        for series, number in self.samples():
            name, _, labels = series.partition("{")
            if name == "forebay_consumer_lag_records" and f'topic="{topic}"' in labels:
                found[int(labels.split('partition="')[1].split('"')[0])] = number
        return found

    def follow(self, records, pause_s=.1, limit_s=600):
        """Until so many records are committed: samples (records, CPU seconds, wall seconds since its start)."""
        samples = [(0, 0, 0)]
        while samples[-1][0] < records:
            if time.monotonic() - self.begun > limit_s:
                raise SystemExit(f"{self.kind}: {samples[-1]} of {records} records: {self.log}")
            time.sleep(pause_s)
            samples.append((self.metrics()["forebay_records_in_total"], common.precise_cpu_of(self.pid), time.monotonic() - self.begun))
        assert samples[-1][0] == records, f"{samples[-1][0]:.0f} records of {records}"
        return samples

    def await_stored(self, limit_s=300):
        deadline = time.monotonic() + limit_s
        while True:
            m = self.metrics()
            if m["forebay_checkpoint_backlog_records"] == 0 and m["forebay_checkpoint_age_seconds"] == 0:
                return m
            if time.monotonic() > deadline:
                raise SystemExit(f"{self.kind}: states are not stored within {limit_s} s: {self.log}")
            time.sleep(.2)

    def resident_kb(self):
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1])
        return 0

    def threads(self):
        """CPU seconds: of the loop, of the checkpoints' writer, of the Kafka client."""
        spent = {"loop": 0, "writer": 0, "client": 0}
        for task in pathlib.Path(f"/proc/{self.pid}/task").iterdir():
            head, _, tail = (task / "stat").read_text().rpartition(")")
            name = "loop" if int(task.name) == self.pid else "client" if "(rdk:" in head else "writer"
            spent[name] += sum(int(f) for f in tail.split()[11:13]) / os.sysconf("SC_CLK_TCK")
        return spent

    def stop(self):
        """SIGTERM; seconds until it has ended."""
        begun = time.monotonic()
        self.process.terminate()
        assert self.process.wait(60) == 0, f"{self.kind} ended with {self.process.returncode}: {self.log}"
        return time.monotonic() - begun


def when(event):
    """Seconds since 1970 of a line of the log."""
    return datetime.datetime.strptime(event["time"], "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()


def at(samples, records, what):
    """What it was (1: CPU, 2: wall) when so many records were committed, between two samples."""
    for before, after in zip(samples, samples[1:]):
        if after[0] >= records and after[0] > before[0]:
            share = (records - before[0]) / (after[0] - before[0])
            return before[what] + share * (after[what] - before[what])
    raise AssertionError(f"{records} records were never reached")


def median(values):
    return statistics.median(values)
