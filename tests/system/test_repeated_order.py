"""What is processed again is processed in the order of the first time: records of several topics, and answers from outside."""
from support.broker import Publisher
from support.states import ETL, FORECASTER, SCORER, grouped, kill, names, noise, recovery, redis, stamp
from support.wait import until

HUGE = 3600000
DEVICES = names(12)


def forecast(world, device, metric, number, median, steps=200):
    """A record of topic forecasts whose median tells which one it is."""
    levels = [0.05, 0.25, 0.5, 0.75, 0.95]
    return world.schemas.encode("Forecast", {
        "device": device, "metric": metric, "origin_time": stamp(number, 0) * 1000, "step_us": 1_000_000,
        "levels": levels, "values": [median + d for _ in range(steps) for d in (-8.0, -2.0, 0.0, 2.0, 8.0)],
        "model": "test", "version": "", "members": [], "ingest_time": stamp(number, 0) * 1000})


class Traffic:
    """Readings on both lanes with forecasts in between; nobody waits for anybody."""

    def __init__(self, world):
        self.world = world
        self.topics = {t: Publisher(world.stack.bootstrap, world.topic(t))
                       for t in ("readings", "deferred", "forecasts")}
        self.medians = {}

    def send(self, rounds, instead=()):
        """INSTEAD: topic -> where its readings go."""
        for number in rounds:
            for place, device in enumerate(DEVICES):
                said = noise()(device, number)
                lane = "deferred" if (number * 7 + place * 3) % 11 == 0 else "readings"
                self.topics[dict(instead).get(lane, lane)].send(
                    device.encode(), self.world.reading(device, number, said), timestamp=stamp(number, place))
                if (number * 5 + place) % 13 == 0:
                    median = 15 + (number * 17 + place * 29) % 1000 / 100
                    self.medians[device, number] = median
                    record = forecast(self.world, device, "temperature", number, median)
                    self.topics["forecasts"].send(device.encode(), record, timestamp=stamp(number, place))
        for publisher in self.topics.values():
            publisher.flush()


def follow(world, topics=("readings",), **options):
    """A bounded run of the scorer over everything, in the order of the journal; its run.id."""
    ranges = {t: {p: (0, end) for p, end in world.ends(t).items()} for t in (*topics, "forecasts")}
    worker = world.bounded(SCORER, "follower", ranges, topics=topics, **options)
    assert worker.exit_code(120) == 0, worker.text()
    return "follower"


def test_the_order_is_repeated(world):
    lanes = ["readings", "deferred"]
    live = world.worker(SCORER, topics=lanes, checkpoint_interval_ms=HUGE, score_warmup_readings=30)
    traffic = Traffic(world)
    traffic.send(range(0, 5), {"readings": "deferred"})  # before the first record of the primary input
    world.await_done("live", topic="deferred")
    for rounds in (range(5, 80), range(80, 110), range(110, 140)):
        reached = sum(world.committed().values())
        traffic.send(rounds)
        until(lambda: sum(world.committed().values()) > reached, "it has begun with them", pause_s=0.01)
        kill(live)
        live.start()
        assert recovery(live)["records"] > 0
    traffic.send(range(140, 180))
    world.await_done("live")
    traffic.send(range(180, 185), {"readings": "deferred"})  # behind the last one
    traffic.topics["forecasts"].send(b"pump-00", b"no forecast")
    traffic.topics["forecasts"].flush()
    for topic in (*lanes, "forecasts"):
        world.await_done("live", topic=topic)
    letters = world.outputs("live", "letters")
    assert [m.value for m in letters] == [b"no forecast"]
    run = follow(world, lanes, score_warmup_readings=30)
    for topic in ("scores", "alerts", "letters"):
        assert grouped(world.outputs("live", topic)) == grouped(world.outputs("live", f"{topic}.{run}"))
    assert world.outputs("live", "letters") == letters
    journal = [j for j in (world.schemas.decode(m.value) for m in world.read("fleet.journal"))
               if j["worker"] == world.group()]
    assert {j["side_topic"] for j in journal if j["kind"] != "applied"} <= {world.topic("forecasts")}
    journal = [j for j in journal if j["kind"] == "applied"]
    inside = {(j["partition"], j["primary_offset"]) for j in journal if j["primary_offset"] > 0}
    assert len(inside) > 10, "side records came in between"
    check_expectations(world, traffic, journal)


def check_expectations(world, traffic, journal):
    """The median that a score was held against is that of the forecast that the journal puts last before it."""
    when = {}  # (topic, partition, offset) -> (clock, n): before which primary record, and in which order
    for n, j in enumerate(journal):
        for offset in range(j["side_from"], j["side_to"]):
            when[j["side_topic"], j["partition"], offset] = (j["primary_offset"], 0, n, offset)
    places, given = {}, {}
    for lane in ("readings", "deferred"):
        for m in world.read(world.topic(lane)):
            at = (m.offset, 1) if lane == "readings" else when[m.topic, m.partition, m.offset]
            places[m.key.decode(), m.timestamp_ms] = at
    for m in world.read(world.topic("forecasts")):
        number = (m.timestamp_ms - stamp(0, 0)) // 1000
        device = m.key.decode()
        at = when.get((m.topic, m.partition, m.offset))
        if at:  # it could be read
            given.setdefault(device, []).append((at, number, traffic.medians[device, number]))
    seen = 0
    for m in world.outputs("live", "scores"):
        score = world.schemas.decode(m.value)
        if score["metric"] != "temperature" or score["expected"] is None:
            continue
        before = [(number, median) for at, number, median in given[score["device"]]
                  if at < places[score["device"], m.timestamp_ms]]
        assert abs(score["expected"] - max(before)[1]) < 1e-3, (score, before)
        seen += 1
    assert seen > 200


def test_answers_of_the_cache_are_repeated(line, world):
    """The first forecast of a series comes from Redis; killed, and Redis emptied, it is still the same."""
    redis(line.redis_uri, "FLUSHALL")
    cache = {"cache_uri": line.redis_uri}
    world.twin(ETL, "etl")
    world.twin(FORECASTER, "forecaster", topics=["etl.series"], horizon_steps=500, cache_timeout_ms=5000, **cache)
    world.send(range(0, 60), DEVICES, noise())
    world.await_done("etl")
    world.await_done("forecaster", topic="etl.series")
    found = redis(line.redis_uri, "EVAL", "return #redis.call('keys', 'forebay:forecast:*')", "0")
    assert found == f":{2 * len(DEVICES)}"
    live = world.worker(SCORER, checkpoint_interval_ms=HUGE, score_warmup_readings=30, cache_timeout_ms=5000, **cache)
    world.await_done("live")
    kill(live)
    redis(line.redis_uri, "FLUSHALL")
    live.start()
    world.send(range(60, 100), DEVICES, noise())
    world.await_done("live")
    later = [world.schemas.decode(m.value) for m in world.outputs("live", "scores") if m.timestamp_ms >= stamp(60, 0)]
    assert len(later) == 40 * len(DEVICES) * 2
    assert all(score["expected"] is not None for score in later)
    noted = [j for j in (world.schemas.decode(m.value) for m in world.read("fleet.journal"))
             if j["worker"] == world.group() and j["kind"] == "noted"]
    assert len(noted) == 2 * len(DEVICES)
    run = follow(world, score_warmup_readings=30)
    assert grouped(world.outputs("live", "scores")) == grouped(world.outputs("live", f"scores.{run}"))
