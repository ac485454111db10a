"""Does a record cost the same, and a device take as much memory, however many devices and partitions there are?

One metric a device.  CPU per record of the worker, with states stored and not at all, both at once; the least of some runs, as
whatever else the machine does only adds.  Memory: resident after all is done and stored.  What a reading costs depends on how many
its series has had: so in all rows of a table as many devices have as many readings each, and only the number that take turns
differs, one such generation after the other.  Nobody falls asleep, and PostgreSQL may be given states as fast as it takes them.
Then 1, 4, 16, 32 partitions of one worker, and 1,000,000 known devices of which 50,000 go on.
"""
import threading
import time

import common
import state_tools as tools
from state_tools import ETL, SCORER, Member, Readings, at

TABLES = (  # of which worker, so many devices taking turns, of how many in all, with how many readings each at most
    (ETL, (100, 1000, 10000, 100000, 1000000), 1000000, 20),
    (SCORER, (100, 1000, 10000, 100000), 100000, 50),
    (SCORER, (100, 1000000), 1000000, 20),
)
PARTITIONS = (1, 4, 16, 32)
AWAKE = {"state.max.bytes": 6 << 30, "checkpoint.bytes.per.second": 0}
OPTIONS = {ETL: {"window.steps": 10, **AWAKE}, SCORER: AWAKE}
PARTITION_ROUNDS = 200
TIMES = 2
KNOWN, ACTIVE, ACTIVE_ROUNDS = 1000000, 50000, 10
LATER = 600  # rounds between what all sent and what the active ones send: ten hours


def measure(member, store, records):
    samples = member.follow(records, .05)
    if store == "postgres":
        member.await_stored()
    m = member.metrics()
    return {"us": at(samples, records, 1) / records * 1e6, "resident_kb": member.resident_kb(),
            "keys": m["forebay_state_keys"], "state_bytes": m["forebay_state_bytes"],
            "stored_bytes": m["forebay_checkpoint_bytes_total"]}


def once(env, kind, topic, records, label):
    """Store -> figures, both at once."""
    tools.forget_states(env)
    results, members = {}, {}

    def go(store):
        results[store] = measure(members[store], store, records)

    for store in ("postgres", "none"):
        members[store] = Member(env, kind, f"{label}-{store}", group_id=f"{label}-{store}-{time.monotonic_ns()}",
                                instance_id="bench", topics=topic, checkpoint_store=store, **OPTIONS[kind])
    threads = [threading.Thread(target=go, args=(store,)) for store in members]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for member in members.values():
        member.stop()
    assert len(results) == len(members), "one of them failed"
    common.say(f"  {label}: {results}")
    return results


def figures(env, kind, topic, records, label):
    runs = [once(env, kind, topic, records, label) for _ in range(TIMES)]
    of = lambda what, store="postgres": min(r[store][what] for r in runs)
    return {"us_per_record": of("us"), "us_per_record_none": of("us", "none"), "resident_mb": of("resident_kb") / 1024,
            "resident_mb_none": of("resident_kb", "none") / 1024, "kb_of_states": of("state_bytes") / 1024, "keys": of("keys"),
            "stored_mb": of("stored_bytes") / 1e6}


def spread(rows):
    return {what: max(row[what] for row in rows.values()) / min(row[what] for row in rows.values())
            for what in ("us_per_record", "us_per_record_none")}


def by_devices(kind, numbers, most, rounds):
    env, rows = common.fresh_stack(4), {}
    for devices in numbers:
        topic = f"growth.{devices}"
        tools.make_topic(env, topic, 4)
        readings = Readings(env, topic, most, 1, 10)
        sent = sum(readings.send(range(rounds), devices, first) for first in range(0, most, devices))
        rows[devices] = figures(env, kind, topic, sent, f"{kind}-{devices}")
        tools.drop_topic(env, topic)
    return {**rows, "kb_of_memory_per_device": kb_per_device(rows), "goal_at_most_1.2": spread(rows)}


def kb_per_device(rows):
    """Of states alone: what else is resident differs from run to run."""
    most = rows[max(rows)]
    return most["kb_of_states"] / most["keys"]


def by_partitions():
    rows = {kind: {} for kind in OPTIONS}
    for partitions in PARTITIONS:
        env = common.fresh_stack(partitions)
        topic = "telemetry.readings"
        sent = Readings(env, topic, 10000, 1, 10).send(range(PARTITION_ROUNDS))
        for kind in OPTIONS:
            rows[kind][partitions] = figures(env, kind, topic, sent, f"{kind}-p{partitions}")
    return {**rows, **{f"goal_{kind}_at_most_1.2": spread(rows[kind]) for kind in rows}}


def look(member, cpu, records, begun):
    m = member.metrics()
    return {"resident_mb": member.resident_kb() / 1024, "in_memory": m["forebay_state_keys"],
            "asleep": m["forebay_state_keys_asleep"], "wakes": m["forebay_state_wakes_total"],
            "seconds": time.monotonic() - begun, "cpu_us_per_record": (common.precise_cpu_of(member.pid) - cpu) / records * 1e6}


def sleepers():
    """1,000,000 devices say one thing each; ten hours later 50,000 of them go on."""
    env = common.fresh_stack(4)
    readings = Readings(env, "telemetry.readings", KNOWN, 1, 1)
    sent = readings.send(range(1))
    member = Member(env, ETL, "sleepers", group_id="sleepers", instance_id="bench", topics="telemetry.readings")
    member.follow(sent)
    member.await_stored(900)
    answer = {"known": look(member, 0, sent, member.begun)}
    common.say(f"  {answer}")
    cpu, begun = common.precise_cpu_of(member.pid), time.monotonic()
    more = readings.send(range(LATER, LATER + ACTIVE_ROUNDS), ACTIVE)
    member.follow(sent + more)
    answer["active_go_on"] = look(member, cpu, more, begun)
    common.say(f"  {answer}")
    while member.metrics()["forebay_state_keys"] > ACTIVE and time.monotonic() - begun < 300:
        time.sleep(1)
    answer["others_asleep"] = look(member, cpu, more, begun)
    member.stop()
    again = Member(env, ETL, "sleepers-again", group_id="sleepers", instance_id="bench", topics="telemetry.readings")
    back = again.await_event("states are back")
    answer["started_again"] = {"resident_mb": again.resident_kb() / 1024, "load_seconds": back["load_ms"] / 1000,
                               "in_memory": back["states"], "asleep": back["asleep"]}
    again.stop()
    return answer


def run(_records):
    by_kind = {f"{kind}, {most} devices": by_devices(kind, numbers, most, rounds) for kind, numbers, most, rounds in TABLES}
    return {"devices": by_kind, "partitions": by_partitions(), "sleepers": sleepers()}
