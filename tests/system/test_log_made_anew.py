"""Kafka was lost or moved, PostgreSQL was not: what the store has processed is not what the log holds now."""
from support.broker import Publisher
from support.fleet import forebay
from support.states import START_MS, STEP_MS
from support.wait import until


def test_sink_says_so(line, broker, database, fleet, world):
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
    assert "up to offset 100" in said["error"] and "ends at 50" in said["error"]
    # What it says to do.
    database.run("DELETE FROM forebay.sink_offsets WHERE topic = 'telemetry.readings'")
    sink.start()
    until(lambda: database.count("forebay.readings") == 150, "the rows of the new log")
