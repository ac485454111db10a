"""States that have left memory, because nobody has spoken for long: they come back, and what comes out is what would have anyway."""
import json
from contextlib import closing

import psycopg2
from support.states import ETL, kill, names, noise, recovery, same
from support.wait import until


def test_idle_keys(line, world):
    idle, busy = names(6, "idle"), names(6, "busy")
    everybody = idle + busy
    only = lambda devices: lambda device, number: noise()(device, number) if device in devices else None
    live = world.worker(ETL, state_idle_ms=60000, checkpoint_interval_ms=100)
    world.twin(ETL)

    def await_asleep(count):
        def seen():
            return (live.metric("forebay_state_keys_asleep"), live.metric("forebay_state_keys"))
        until(lambda: seen() == (count, 2 * len(everybody) - count), f"{count} keys asleep, {world.fleet.logs}")
    world.send(range(0, 15), everybody, noise())
    world.await_done("live")
    assert live.metric("forebay_state_wakes_total") == 0
    world.send(range(15, 125, 15), everybody, only(busy))
    await_asleep(2 * len(idle))
    world.await_stored()
    kill(live)
    live.start()
    assert recovery(live)["asleep"] > 0  # of partitions where others have spoken since; the rest when they do again
    world.send(range(125, 127), everybody, only(busy))
    await_asleep(2 * len(idle))
    assert live.metric("forebay_state_wakes_total") == 0
    world.send(range(127, 140), everybody, noise())
    world.await_done("live")
    await_asleep(0)
    # Partitions are not read in step: one that is ahead may send a key of another one to sleep before its time.
    assert live.metric("forebay_state_wakes_total") >= 2 * len(idle)

    # Again, and PostgreSQL is not there when they speak.
    world.send(range(140, 265, 15), everybody, only(busy))
    await_asleep(2 * len(idle))
    woken = live.metric("forebay_state_wakes_total")
    line.kill("postgres")
    try:
        before = sum(world.committed().values())
        world.send(range(265, 280), everybody, noise())
        until(lambda: "STORE_DOWN" in json.dumps(live.http("/health")[1]), "/health tells", 60)
        assert live.http("/health?probe=ready")[0] == 503 and live.running()
        assert sum(world.committed().values()) < sum(world.ends().values())
    finally:
        line.start("postgres")
    world.await_done("live", "twin")
    assert before < sum(world.committed().values())
    assert live.metric("forebay_state_wakes_total") - woken >= 2 * len(idle)
    await_asleep(0)
    same(world, "series")


def test_a_locked_table(line, world):
    """ALTER TABLE, VACUUM FULL: who needs a sleeping state says so and waits; it does not stand still."""
    idle, busy = names(2, "idle"), names(4, "busy")
    live = world.worker(ETL, state_idle_ms=60000, checkpoint_interval_ms=100)
    world.twin(ETL)
    world.send(range(0, 15), idle + busy, noise())
    world.await_done("live")
    world.send(range(15, 125, 15), busy, noise())
    until(lambda: live.metric("forebay_state_keys_asleep") == 2 * len(idle), f"they sleep, {world.fleet.logs}")
    world.await_stored()
    with closing(psycopg2.connect(line.postgres_uri)) as connection, connection.cursor() as cursor:
        cursor.execute("LOCK TABLE forebay.states IN ACCESS EXCLUSIVE MODE")
        world.send(range(125, 140), idle + busy, noise())
        until(lambda: "lock timeout" in json.dumps(live.http("/health")[1]), "/health tells", 60)
        assert live.http("/health?probe=ready")[0] == 503 and live.running()
    world.await_done("live", "twin")
    same(world, "series")
