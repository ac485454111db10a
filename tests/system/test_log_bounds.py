"""What is to be read next is not in the log: retention deleted it, or the topic was made anew."""
import signal
import time

from confluent_kafka import Producer

from support.broker import Publisher
from support.fleet import forebay
from support.states import ETL, START_MS, STEP_MS, kill, names, noise
from support.wait import until

FETCH_S = 1  # a fetch of a stopped process is answered by then, with nothing


def test_deleted_unread(world):
    devices, topic = names(6), world.topic("readings")
    live = world.worker(ETL, session_timeout_ms=30000, checkpoint_interval_ms=100)

    def delete_half(partition):
        """Of what is not read yet; how much that is."""
        first, end = world.committed()[partition], world.ends()[partition]
        kept = (first + end) // 2
        assert first < kept < end
        world.delete_records(topic, {partition: kept})
        return first, kept - first

    def told():
        return [e for e in live.events() if e["event"].startswith("records were deleted before they were read")]
    world.send(range(0, 20), devices, noise())
    world.await_stored()
    partition = world.partition_of(f"{devices[0]}\x1ftemperature".encode())
    # While it works ...
    live.signal(signal.SIGSTOP)
    try:
        time.sleep(FETCH_S)
        world.send(range(20, 60), devices, noise())
        first, count = delete_half(partition)
    finally:
        live.signal(signal.SIGCONT)
    world.await_done()
    assert [(e["topic"], e["partition"], e["from"], e["records"]) for e in told()] == [(topic, partition, first, count)]
    assert live.metric("forebay_records_deleted_unread_total", topic=topic) == count
    # ... and while it is away.
    assert live.stop() == 0
    live.options["session.timeout.ms"] = 6000  # its seat is kept for so long
    world.send(range(60, 100), devices, noise())
    first, count = delete_half(partition)
    live.start()
    world.await_done()
    assert [(e["from"], e["records"]) for e in told()] == [(first, count)]
    # Offsets of another log: to begin with this one would repeat what was processed.
    assert live.stop() == 0
    end = world.ends()[partition]
    world.set_offsets({partition: end + 100})
    live.start()
    assert live.exit_code() == 2
    said = next(e for e in live.events() if e.get("reason") == "OFFSET_GONE")
    assert f"{topic}[{partition}]: offset {end + 100} is to be read next, but the log ends at {end}" in said["error"]


def test_somebody_elses_open_transaction(line, world):
    """What is committed of the journal ends where it began; that is not the end of the log, and is waited for."""
    live = world.worker(ETL, session_timeout_ms=6000)
    world.send(range(0, 20), names(6), noise())
    world.await_done()
    kill(live)
    stranger = Producer({"bootstrap.servers": line.bootstrap, "transactional.id": world.name, "transaction.timeout.ms": 60000})
    stranger.init_transactions(30)
    stranger.begin_transaction()
    for partition in range(world.partitions):
        stranger.produce("fleet.journal", b"open", partition=partition)
    stranger.flush(30)
    live.start()
    live.await_log(lambda e: e.get("event") == "phase" and e["to"] == "loading")
    time.sleep(2)
    live.require_running()
    stranger.abort_transaction(30)
    world.send(range(20, 40), names(6), noise())
    world.await_done()


def test_topic_made_anew(line, broker, database, fleet, world):
    def publish(first, count):
        publisher = Publisher(line.bootstrap, "telemetry.readings")
        for n in range(first, first + count):
            publisher.send(b"pump-1", world.reading("pump-1", n, {"t": float(n)}), timestamp=START_MS + n * STEP_MS)
        publisher.flush()

    sink = fleet.add("sink-writer", session_timeout_ms=4000)
    sink.await_ready()
    publish(0, 100)
    until(lambda: database.count("forebay.readings") == 100, "the first rows")
    assert sink.stop() == 0
    broker.delete("telemetry.readings")
    until(lambda: "telemetry.readings" not in broker.topics(), "it is gone")
    forebay(line, "topics", "apply")
    publish(100, 50)
    sink.start()
    assert sink.exit_code() == 2
    said = next(e for e in sink.events() if e.get("reason") == "OFFSET_GONE")
    assert "offset 100 is to be read next" in said["error"] and "ends at 50" in said["error"]
    # What it says to do.
    database.run("DELETE FROM forebay.sink_offsets WHERE topic = 'telemetry.readings'")
    sink.start()
    until(lambda: database.count("forebay.readings") == 150, "the rows of the new log")
