"""The cache may go, empty itself or stand still: scoring goes on, and what is missing is computed, or put there again."""
import os
import signal
import socket
import struct
from collections import Counter
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from support import places
from support.broker import Publisher
from support.states import ETL, FORECASTER, SCORER, World, grouped, kill, noise, redis, stamp
from support.wait import until

HUGE = 3600000
DEVICES = [f"pump-{n:02d}" for n in range(6)]
METRICS = ("temperature", "humidity")
RETRY_ROUNDS = 10
ONDEMAND = {"ondemand_history_steps": 60, "ondemand_step_ms": 2000, "forecast_retry_ms": RETRY_ROUNDS * 1000,
            "score_warmup_readings": 30}


# ---- forecasts, and where they lie in Redis ----

MASK = 2 ** 64 - 1
GAMMA = 0x9e3779b97f4a7c15


def mix(z):
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9 & MASK
    z = (z ^ z >> 27) * 0x94d049bb133111eb & MASK
    return z ^ z >> 31


def drawn(seed, stream, counter):
    key = mix(seed + GAMMA & MASK) ^ mix(stream + 2 * GAMMA & MASK)
    return mix(mix(key + GAMMA & MASK) + GAMMA * (counter + 1) & MASK)


def key_of(device, metric):
    """As cache.h tells it."""
    halves = []
    for half in (1, 2):
        for part in (device.encode(), metric.encode()):
            words = [part[at:at + 8].ljust(8, b"\0") for at in range(0, len(part), 8)]
            for n, word in enumerate(words):
                half = drawn(half, struct.unpack("<Q", word)[0], n)
            half = drawn(half, len(part), len(words))
        halves.append(half)
    return "forebay:forecast:%016x%016x" % tuple(halves)


def forecast(world, device, metric, number, steps):
    median = {"temperature": 20, "humidity": 45}[metric]
    return world.schemas.encode("Forecast", {
        "device": device, "metric": metric, "origin_time": stamp(number, 0) * 1000, "step_us": 1_000_000,
        "levels": [0.05, 0.25, 0.5, 0.75, 0.95],
        "values": [median + d for _ in range(steps) for d in (-12.0, -5.0, 0.0, 5.0, 12.0)],
        "model": "test", "version": "", "members": [], "ingest_time": stamp(number, 0) * 1000})


def publish(world, number, steps, devices=DEVICES):
    publisher = Publisher(world.stack.bootstrap, world.topic("forecasts"))
    for device in devices:
        for metric in METRICS:
            publisher.send(device.encode(), forecast(world, device, metric, number, steps),
                           timestamp=stamp(number, 0))
    publisher.flush()


def put(uri, key, value):
    """SET of bytes."""
    at = urlsplit(uri)
    words = (b"SET", key.encode(), value)
    with socket.create_connection((at.hostname, at.port), timeout=10) as link:
        link.sendall(b"*3\r\n" + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
        assert link.makefile("rb").readline() == b"+OK\r\n"


def bases(world, label="live"):
    """Basis -> how many scores say so."""
    return Counter(world.schemas.decode(m.value)["basis"] for m in world.outputs(label, "scores"))


def entries(uri):
    """Forecasts in Redis."""
    return int(redis(uri, "EVAL", "return #redis.call('keys', 'forebay:forecast:*')", "0")[1:])


@contextmanager
def standing_still(service):
    pid = int((places.STACK_DIR / service / "pid").read_text().split()[0])
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


# ---- the reader ----

def test_redis_full_flushed_still_and_dead(line, world):
    """What it has is used, what it has not is missed, and nobody waits for it for long."""
    redis(line.redis_uri, "FLUSHALL")
    for device in DEVICES:
        put(line.redis_uri, key_of(device, "temperature"), forecast(world, device, "temperature", 0, 20))
    live = world.worker(SCORER, cache_uri=line.redis_uri, cache_timeout_ms=1000, forecast_retry_ms=10000,
                        cache_ratio_window_ms=3600000)
    live.await_ready()
    assert live.metric("forebay_cache_hit_ratio") is None, "nothing was looked up"
    world.send(range(0, 20), DEVICES, noise())
    world.await_done("live")
    half = 20 * len(DEVICES)
    assert bases(world) == {"forecast": half, "none": half}
    assert live.metric("forebay_cache_hit_ratio") == 0.5
    assert live.metric("forebay_cache_hits_total") == len(DEVICES)
    assert live.metric("forebay_cache_misses_total") == 2 * len(DEVICES)
    live.options["cache.timeout.ms"] = 50
    assert live.stop() == 0
    live.start().await_ready()
    redis(line.redis_uri, "FLUSHALL")
    world.send(range(20, 40), DEVICES, noise())
    world.await_done("live")
    with standing_still("redis"):
        world.send(range(40, 60), DEVICES, noise())
        world.await_done("live")
        assert live.metric("forebay_cache_up") == 0
    line.kill("redis")
    try:
        world.send(range(60, 80), DEVICES, noise())
        world.await_done("live")
    finally:
        line.start("redis")
    assert bases(world) == {"forecast": half, "none": 7 * half}
    assert live.metric("forebay_cache_hit_ratio") == 0
    for device in DEVICES:
        for metric in METRICS:
            put(line.redis_uri, key_of(device, metric), forecast(world, device, metric, 80, 2000))
    until(lambda: found_again(world, live), "Redis is found again", 90)
    assert live.stop() == 0


def found_again(world, live):
    """Another ten rounds: enough for everybody to ask once more."""
    world.later = getattr(world, "later", 80) + 10
    world.send(range(world.later - 10, world.later), DEVICES, noise())
    world.await_done("live")
    return live.metric("forebay_scorer_ondemand_total", outcome="cache") == 2 * len(DEVICES)


# ---- forecasts on demand ----

def test_forecasts_that_stop(world):
    """While they come they are used; then the scorer makes its own, and says so; and back again."""
    live = world.worker(SCORER, **ONDEMAND)
    live.await_ready()
    publish(world, 0, 100)
    each = len(DEVICES) * len(METRICS)
    until(lambda: sum(world.ends("forecasts").values()) == each, "all forecasts are in the topic")
    world.await_done("live", topic="forecasts")
    world.send(range(0, 100), DEVICES, noise())
    world.await_done("live")
    assert bases(world) == {"forecast": 100 * each}
    world.send(range(100, 160), DEVICES, noise())
    world.await_done("live")
    assert bases(world) == {"forecast": 100 * each, "ondemand": 60 * each}
    made = [s for s in (world.schemas.decode(m.value) for m in world.outputs("live", "scores"))
            if s["basis"] == "ondemand"]
    assert all(s["lower"] < s["expected"] < s["upper"] and s["p_forecast"] is not None for s in made)
    inside = sum(s["lower"] <= s["value"] <= s["upper"] for s in made)
    assert inside > 0.5 * len(made), "they expect about what comes"
    assert live.metric("forebay_scorer_ondemand_total", outcome="computed") >= 5 * each
    assert live.metric("forebay_scorer_ondemand_seconds_count") >= 5 * each
    publish(world, 150, 100)
    world.await_done("live", topic="forecasts")
    world.send(range(160, 170), DEVICES, noise())
    world.await_done("live")
    assert bases(world) == {"forecast": 110 * each, "ondemand": 60 * each}


def test_forecasts_that_come_while_the_scorer_loads(world):
    """Its states are not back yet, and cannot come, when all forecasts are in the topic: they wait for it there."""
    live = world.worker(SCORER, **ONDEMAND)
    world.topic("forecasts")
    live.await_log(lambda e: e.get("event") == "phase" and e.get("to") == "loading")
    with standing_still("postgres"):
        publish(world, 0, 100)
    world.await_done("live", topic="forecasts")
    world.send(range(0, 20), DEVICES, noise())
    world.await_done("live")
    assert bases(world) == {"forecast": 20 * len(DEVICES) * len(METRICS)}


@pytest.mark.parametrize("interval", [100, HUGE], ids=["states in the table", "states in the log"])
def test_killed_with_forecasts_on_demand(request, line, broker, database, fleet, schemas, interval):
    """Killed and rebuilt, it has made the same forecasts as its twin, to the last bit."""
    world = World(line, broker, database, fleet, schemas, f"on-demand-{interval}")
    try:
        live = world.worker(SCORER, checkpoint_interval_ms=interval, **ONDEMAND)
        world.twin(SCORER, **ONDEMAND)
        publish(world, 0, 40, DEVICES[:3])
        for label in ("live", "twin"):
            world.await_done(label, topic="forecasts")
        for rounds in (range(0, 63), range(63, 97), range(97, 140)):
            reached = sum(world.committed().values())
            world.send(rounds, DEVICES, noise())
            until(lambda reached=reached: sum(world.committed().values()) > reached, "it has begun", pause_s=0.01)
            kill(live)
            live.start()
        world.send(range(140, 180), DEVICES, noise())
        world.await_done("live", "twin")
        for topic in ("scores", "alerts"):
            assert grouped(world.outputs("live", topic)) == grouped(world.outputs("twin", topic))
        seen = bases(world)
        assert seen["ondemand"] > 1000 and seen["forecast"] == 40 * 3 * len(METRICS) and seen["none"] > 0
        assert not world.outputs("live", "letters")
    finally:
        world.close()


# ---- the writer ----

def test_what_redis_lost_is_put_again(line, world):
    """Flushed under a forecaster that only just has something to do: all it has put comes back."""
    redis(line.redis_uri, "FLUSHALL")
    world.twin(ETL, "etl")
    forecaster = world.twin(FORECASTER, "forecaster", topics=["etl.series"], horizon_steps=50, cache_timeout_ms=5000,
                            cache_uri=line.redis_uri, cache_ratio_window_ms=6000)
    world.send(range(0, 60), DEVICES, noise())
    world.await_done("etl")
    world.await_done("forecaster", topic="etl.series")
    everything = len(DEVICES) * len(METRICS)
    until(lambda: entries(line.redis_uri) == everything, "all forecasts are in Redis")
    world.later = 60

    def comes_back():
        """One device goes on, the others are silent."""
        world.send(range(world.later, world.later + 10), DEVICES[:1], noise())
        world.later += 10
        return entries(line.redis_uri) == everything
    redis(line.redis_uri, "FLUSHALL")
    until(comes_back, "they are there again", 60)
    assert forecaster.metric("forebay_cache_warmed_total", why="lost") >= everything - len(METRICS)


def test_lives_grow_while_readers_miss(line, world):
    """Readers whose lookups fail make the forecaster's entries live longer."""
    redis(line.redis_uri, "FLUSHALL")
    world.twin(ETL, "etl")
    forecaster = world.twin(FORECASTER, "forecaster", topics=["etl.series"], horizon_steps=4, cache_uri=line.redis_uri,
                            cache_ttl_ms=60000, cache_ttl_max_ms=600000, cache_ratio_window_ms=6000)
    world.worker(SCORER, cache_uri=line.redis_uri, cache_ratio_window_ms=6000)
    forecaster.await_ready()
    assert forecaster.metric("forebay_cache_ttl_seconds") == 60
    world.later = 0

    def grows():
        world.send(range(world.later, world.later + 20), DEVICES, noise())
        world.later += 20
        return forecaster.metric("forebay_cache_ttl_seconds") > 90
    until(grows, "entries live longer", 90, pause_s=0.3)
    assert forecaster.metric("forebay_cache_readers_hit_ratio") < 0.94
