"""Does a record cost the same, and a device take as much memory, however many devices there are?

One metric a device, windows of 10 readings.  CPU per record of the worker over the second half of the same number of records (in
the first one the states are made), states stored as by default and not at all: with 100 devices 200 small states are stored every five
seconds, with 100,000 as many as checkpoint.bytes.per.second allows.  Memory: resident after all is done and stored.
Then 1, 4, 16, 32 partitions of one worker, and 1,000,000 known devices of which 50,000 go on.
"""
import time

import common
import state_tools as tools
from state_tools import ETL, SCORER, Member, Readings, at, median

DEVICES = (100, 1000, 10000, 100000)
PARTITIONS = (1, 4, 16, 32)
OPTIONS = {ETL: {"window.steps": 10}, SCORER: {}}
TIMES = 2
KNOWN, ACTIVE, ACTIVE_ROUNDS = 1000000, 50000, 10
LATER = 600  # rounds between what all sent and what the active ones send: ten hours
RECORDS = {ETL: 1, SCORER: .5}  # times --records


def once(env, kind, topic, records, store, label):
    tools.forget_states(env)
    member = Member(env, kind, label, group_id=f"{label}-{store}-{time.monotonic_ns()}", instance_id="bench", topics=topic,
                    checkpoint_store=store, **OPTIONS[kind])
    samples = member.follow(records, .05)
    if store == "postgres":
        member.await_stored()
    m = member.metrics()
    half = records / 2
    result = {"us": (at(samples, records, 1) - at(samples, half, 1)) / half * 1e6, "resident_kb": member.resident_kb(),
              "keys": m["forebay_state_keys"], "state_bytes": m["forebay_state_bytes"], "threads": member.threads(),
              "stored_bytes": m["forebay_checkpoint_bytes_total"]}
    member.stop()
    common.say(f"  {label} {store}: {result}")
    return result


def figures(env, kind, topic, records, label):
    """Microseconds of CPU per record with states stored and not, and memory."""
    runs = {"postgres": [], "none": []}
    for number in range(TIMES):
        for store in sorted(runs, reverse=number % 2 == 0):
            runs[store].append(once(env, kind, topic, records, store, label))
    of = lambda what, store="postgres": median([r[what] for r in runs[store]])
    return {"us_per_record": of("us"), "us_per_record_none": of("us", "none"), "resident_mb": of("resident_kb") / 1024,
            "resident_mb_none": of("resident_kb", "none") / 1024, "bytes_of_states": of("state_bytes"), "keys": of("keys"),
            "stored_mb": of("stored_bytes") / 1e6}


def spread(rows, what):
    values = [row[what] for row in rows.values()]
    return max(values) / min(values)


def by_devices(records):
    answer = {}
    env = common.fresh_stack(4)
    for kind in OPTIONS:
        rows = {}
        for devices in DEVICES:
            topic = f"growth.{kind}.{devices}"
            tools.make_topic(env, topic, 4)
            rounds = int(records * RECORDS[kind]) // devices
            sent = Readings(env, topic, devices, 1, 10).send(range(rounds))
            rows[devices] = figures(env, kind, topic, sent, f"{kind}-{devices}")
        few, many = DEVICES[-2], DEVICES[-1]
        answer[kind] = {**rows, "kb_of_memory_per_device":
                        (rows[many]["resident_mb"] - rows[few]["resident_mb"]) * 1024 / (many - few)}
        answer[f"goal_{kind}_at_most_1.2"] = {w: spread(rows, w) for w in ("us_per_record", "us_per_record_none")}
    return answer


def by_partitions(records):
    rows = {kind: {} for kind in OPTIONS}
    for partitions in PARTITIONS:
        env = common.fresh_stack(partitions)
        topic = "telemetry.readings"
        sent = Readings(env, topic, 10000, 1, 10).send(range(int(records * RECORDS[SCORER]) // 10000))
        for kind in OPTIONS:
            rows[kind][partitions] = figures(env, kind, topic, sent, f"{kind}-p{partitions}")
    return {**rows, **{f"goal_{kind}_at_most_1.2": {w: spread(rows[kind], w) for w in ("us_per_record", "us_per_record_none")}
                       for kind in rows}}


def sleepers():
    """1,000,000 devices say one thing each; ten hours later 50,000 of them go on."""
    env = common.fresh_stack(4)
    readings = Readings(env, "telemetry.readings", KNOWN, 1, 1)
    sent = readings.send(range(1))
    member = Member(env, ETL, "sleepers", group_id="sleepers", instance_id="bench", topics="telemetry.readings")
    member.follow(sent)
    member.await_stored()
    answer = {"known": {"resident_mb": member.resident_kb() / 1024, "in_memory": member.metrics()["forebay_state_keys"],
                        "cpu_seconds": common.cpu_of(member.pid), "until_stored_seconds": time.monotonic() - member.begun}}
    cpu, begun = common.cpu_of(member.pid), time.monotonic()
    sent += readings.send(range(LATER, LATER + ACTIVE_ROUNDS), ACTIVE)
    member.follow(sent)
    took = time.monotonic() - begun
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        m = member.metrics()
        if m["forebay_state_keys"] <= ACTIVE * 1.001:
            break
        time.sleep(1)
    answer["active"] = {"resident_mb": member.resident_kb() / 1024, "in_memory": m["forebay_state_keys"],
                        "asleep": m["forebay_state_keys_asleep"], "wakes": m["forebay_state_wakes_total"],
                        "seconds": took, "cpu_us_per_record": (common.cpu_of(member.pid) - cpu) / (ACTIVE * ACTIVE_ROUNDS) * 1e6}
    member.stop()
    again = Member(env, ETL, "sleepers-again", group_id="sleepers", instance_id="bench", topics="telemetry.readings")
    back = again.await_event("states are back")
    answer["started_again"] = {"resident_mb": again.resident_kb() / 1024, "load_seconds": back["load_ms"] / 1000,
                               "in_memory": back["states"], "asleep": back["asleep"]}
    again.stop()
    return answer


def run(records):
    records = max(records, 20 * DEVICES[-1])
    return {"devices": by_devices(records), "partitions": by_partitions(records), "sleepers": sleepers()}
