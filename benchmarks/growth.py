"""Does a record cost the same, and a device take as much memory, however many devices and partitions there are?

One metric a device.  CPU per record of the worker, with states stored as by default and not at all, both at once; the least of some
runs, as whatever else the machine does only adds.  Memory: resident after all is done and stored.  The preprocessor closes a window
every ten readings, and is measured over the second half of the records: in the first one most states are made.  What a reading costs
the scorer depends on how many its series has had, and a short run is not like a long one: so there as many devices have as many
readings in every row, and only the number that take turns differs, one such generation after the other.
Then 1, 4, 16, 32 partitions of one worker, and 1,000,000 known devices of which 50,000 go on.
"""
import threading
import time

import common
import state_tools as tools
from state_tools import ETL, SCORER, Member, Readings, at

DEVICES = {ETL: (100, 1000, 10000, 100000, 1000000), SCORER: (100, 1000, 10000, 100000)}
PARTITIONS = (1, 4, 16, 32)
OPTIONS = {ETL: {"window.steps": 10, "state.max.bytes": 4 << 30}, SCORER: {}}  # nobody falls asleep
SINCE = {ETL: .5, SCORER: 0}  # share of the records
ETL_ROUNDS = 15  # at least
SCORER_ROUNDS = 50
PARTITION_ROUNDS = 200
TIMES = 2
KNOWN, ACTIVE, ACTIVE_ROUNDS = 1000000, 50000, 10
LATER = 600  # rounds between what all sent and what the active ones send: ten hours


def measure(member, store, records):
    samples = member.follow(records, .02)
    if store == "postgres":
        member.await_stored()
    m, since = member.metrics(), records * SINCE[member.kind]
    return {"us": (at(samples, records, 1) - at(samples, since, 1)) / (records - since) * 1e6, "resident_kb": member.resident_kb(),
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


def send(env, topic, kind, devices, records):
    if kind == ETL:
        return Readings(env, topic, devices, 1, 10).send(range(max(records // devices, ETL_ROUNDS)))
    most = DEVICES[SCORER][-1]
    readings = Readings(env, topic, most, 1, 10)
    return sum(readings.send(range(SCORER_ROUNDS), devices, first) for first in range(0, most, devices))


def by_devices(records):
    answer = {}
    env = common.fresh_stack(4)
    for kind, numbers in DEVICES.items():
        rows = {}
        for devices in numbers:
            topic = f"growth.{kind}.{devices}"
            tools.make_topic(env, topic, 4)
            sent = send(env, topic, kind, devices, records)
            rows[devices] = figures(env, kind, topic, sent, f"{kind}-{devices}")
        answer[kind] = {**rows, "kb_of_memory_per_device": kb_per_device(rows)}
        answer[f"goal_{kind}_at_most_1.2"] = spread(rows)
    return answer


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


def run(records):
    records = max(2 * records, 20 * 100000)
    return {"devices": by_devices(records), "partitions": by_partitions(), "sleepers": sleepers()}
