"""What does it cost that states survive?

etl-preprocessor and realtime-scorer work off the same topic with checkpoint.store=postgres (all else by default) and with none,
in turn: records per CPU-second of the worker until the last record is committed, and until the last state is stored as well.
10,000 devices, two metrics each, so 20,000 states, all of which change all the time.  Beside it what PostgreSQL does for that.
"""
import common
import state_tools as tools
from state_tools import ETL, SCORER, Member, Readings, at, median, psql

DEVICES = 10000
PAIRS = 3
TOPICS = {ETL: ("telemetry.readings", 3), SCORER: ("telemetry.deferred", 1)}  # and times --records


def wal(env):
    return psql(env, "select pg_current_wal_lsn()")


def once(env, kind, store, number, records):
    tools.forget_states(env)
    lsn, server = wal(env), common.postgres_cpu()
    member = Member(env, kind, f"{kind}-{store}", group_id=f"{kind}-{store}-{number}", instance_id="bench", topics=TOPICS[kind][0],
                    checkpoint_store=store)
    samples = member.follow(records)
    threads = member.threads()
    end = member.await_stored() if store == "postgres" else member.metrics()
    result = {"wall": samples[-1][2], "cpu": at(samples, records, 1), "cpu_stored": common.cpu_of(member.pid), "threads": threads,
              "resident_mb": member.resident_kb() / 1024}
    result["stop"] = member.stop()
    result["server_cpu"] = common.postgres_cpu() - server
    result["wal"] = int(psql(env, f"select pg_wal_lsn_diff(pg_current_wal_lsn(), '{lsn}')"))
    result["bytes"], result["states"] = end["forebay_checkpoint_bytes_total"], end["forebay_checkpoint_states_total"]
    result["in_table"] = [int(n) for n in psql(env, "select count(*), coalesce(sum(length(state)), 0) from forebay.states").split("|")]
    common.say(f"  {kind} {store}: {records / result['wall']:,.0f}/s, {records / result['cpu']:,.0f} per CPU-second "
               f"({records / result['cpu_stored']:,.0f} until all is stored), threads {threads}")
    return result


def compare(env, kind, records):
    runs = {"none": [], "postgres": []}
    for number in range(PAIRS):
        for store in ("none", "postgres") if number % 2 else ("postgres", "none"):
            runs[store].append(once(env, kind, store, number, records))
    of = lambda store, what: median([r[what] for r in runs[store]])
    pair = lambda what: median([without[what] / with_[what] for without, with_ in zip(runs["none"], runs["postgres"])])
    million = records / 1e6
    with_ = runs["postgres"]
    return {
        "records_per_cpu_second": {s: records / of(s, "cpu") for s in runs},
        "records_per_second": {s: records / of(s, "wall") for s in runs},
        "seconds": {s: of(s, "wall") for s in runs},
        "cpu_ratio_until_committed": pair("cpu"), "cpu_ratio_until_stored": pair("cpu_stored"), "wall_ratio": pair("wall"),
        "cpu_seconds_by_thread": {s: {t: median([r["threads"][t] for r in runs[s]]) for t in ("loop", "writer", "client")}
                                  for s in runs},
        "state_bytes_stored_per_million_records": median([r["bytes"] for r in with_]) / million,
        "states_stored_per_million_records": median([r["states"] for r in with_]) / million,
        "bytes_of_a_state": median([r["in_table"][1] / r["in_table"][0] for r in with_]),
        "wal_bytes_per_million_records": median([r["wal"] for r in with_]) / million,
        "postgres_cpu_seconds_per_million_records": median([r["server_cpu"] for r in with_]) / million,
        "resident_mb": {s: of(s, "resident_mb") for s in runs}, "stop_seconds": of("postgres", "stop"),
    }


def run(records):
    env = common.fresh_stack(4)
    answer = {}
    for kind, (topic, times) in TOPICS.items():
        # The mean device misses half of the rounds of its stagger.
        sent = Readings(env, topic, DEVICES).send(range(max(60, times * records // DEVICES) + 30))
        answer[kind] = {"records": sent, **compare(env, kind, sent)}
    answer["goal_0.95_worst_ratio"] = {what: min(answer[kind][what] for kind in TOPICS)
                                       for what in ("cpu_ratio_until_committed", "wall_ratio")}
    return answer
