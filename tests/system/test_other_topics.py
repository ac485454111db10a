"""A worker that comes back within its session and asks for other topics than before: brokers deal it the old ones."""
import pytest

ETL = "etl-preprocessor"
BOTH, ONE = "telemetry.readings,telemetry.deferred", "telemetry.readings"


def assigned(event):
    return event.get("event") == "assigned"


@pytest.mark.parametrize("before, after", [(ONE, BOTH), (BOTH, ONE), (BOTH, BOTH)], ids=["more", "fewer", "the same"])
def test_other_topics(fleet, broker, before, after):
    partitions = len(broker.ends(ONE))
    worker = fleet.add(ETL, topics=before, session_timeout_ms=6000)
    assert worker.await_log(assigned)["partitions"] == partitions * len(before.split(","))
    assert worker.stop() == 0
    worker.options["topics"] = after
    worker.start()
    assert worker.await_log(assigned)["partitions"] == partitions * len(after.split(","))
    waited = [event for event in worker.events() if event.get("event") == "waiting" and event.get("wait_ms")]
    assert len(waited) == (before != after)
