"""What does it cost that states survive?

etl-preprocessor and realtime-scorer work off the same topic with checkpoint.store=postgres (all else by default) and with none.
10,000 devices, two metrics each: 20,000 states, all of which change all the time.  Both at once, so that whatever else the machine
does burdens both alike: records per CPU-second.  Then by themselves in turn: records per second, and what PostgreSQL does for it.
"""
import threading

import common
import state_tools as tools
from state_tools import ETL, SCORER, Member, Readings, median, psql

DEVICES = 10000
PAIRS = 3
STORES = ("postgres", "none")
TOPICS = {ETL: ("telemetry.readings", 3), SCORER: ("telemetry.deferred", 1)}  # and times --records


def start(env, kind, store, label):
    return Member(env, kind, f"{kind}-{store}", group_id=f"{kind}-{store}-{label}", instance_id="bench", topics=TOPICS[kind][0],
                  checkpoint_store=store)


def measure(member, store, records):
    """Until the last record is committed, then until the last state is stored."""
    samples = member.follow(records)
    result = {"wall": samples[-1][2], "cpu": samples[-1][1], "threads": member.threads()}
    end = member.await_stored() if store == "postgres" else member.metrics()
    return {**result, "cpu_stored": common.cpu_of(member.pid), "resident_mb": member.resident_kb() / 1024,
            "bytes": end["forebay_checkpoint_bytes_total"], "states": end["forebay_checkpoint_states_total"]}


def at_once(env, kind, number, records):
    """Store -> what it took, both at the same time."""
    tools.forget_states(env)
    members = {store: start(env, kind, store, f"at-once-{number}") for store in STORES[::1 if number % 2 else -1]}
    results = {}

    def follow(store):
        results[store] = measure(members[store], store, records)

    threads = [threading.Thread(target=follow, args=(store,)) for store in members]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for member in members.values():
        member.stop()
    assert len(results) == len(STORES), "one of them failed"
    common.say(f"  {kind} at once: " + ", ".join(f"{s} {records / r['cpu']:,.0f} per CPU-second {r['threads']}"
                                                 for s, r in results.items()))
    return results


def alone(env, kind, store, number, records):
    tools.forget_states(env)
    lsn, server = psql(env, "select pg_current_wal_lsn()"), common.postgres_cpu()
    member = start(env, kind, store, f"alone-{number}")
    result = measure(member, store, records)
    result["stop"] = member.stop()
    result["server_cpu"] = common.postgres_cpu() - server
    result["wal"] = int(psql(env, f"select pg_wal_lsn_diff(pg_current_wal_lsn(), '{lsn}')"))
    if store == "postgres":
        result["state_bytes"] = float(psql(env, "select avg(length(state)) from forebay.states"))
    common.say(f"  {kind} {store} alone: {records / result['wall']:,.0f}/s, {records / result['cpu']:,.0f} per CPU-second")
    return result


def ratio(pairs, what):
    return median([pair["none"][what] / pair["postgres"][what] for pair in pairs])


def compare(env, kind, records):
    both = [at_once(env, kind, number, records) for number in range(PAIRS)]
    turns = [{store: alone(env, kind, store, number, records) for store in STORES[::1 if number % 2 else -1]}
             for number in range(PAIRS)]
    stored = [turn["postgres"] for turn in turns]
    million = records / 1e6
    per_million = lambda what: median([r[what] for r in stored]) / million
    return {
        "records": records,
        "at_once": {
            "records_per_cpu_second": {s: records / median([b[s]["cpu"] for b in both]) for s in STORES},
            "cpu_ratio": ratio(both, "cpu"), "cpu_ratio_until_all_is_stored": ratio(both, "cpu_stored"),
            "cpu_ratios": [round(b["none"]["cpu"] / b["postgres"]["cpu"], 3) for b in both],
            "cpu_seconds_by_thread": {s: {t: median([b[s]["threads"][t] for b in both]) for t in ("loop", "writer", "client")}
                                      for s in STORES}},
        "in_turn": {
            "records_per_second": {s: records / median([t[s]["wall"] for t in turns]) for s in STORES},
            "wall_ratio": ratio(turns, "wall"), "cpu_ratio": ratio(turns, "cpu"),
            "wall_ratios": [round(t["none"]["wall"] / t["postgres"]["wall"], 3) for t in turns],
            "resident_mb": {s: median([t[s]["resident_mb"] for t in turns]) for s in STORES},
            "stop_seconds": median([r["stop"] for r in stored])},
        "stored_per_million_records": {
            "states": per_million("states"), "bytes_of_states": per_million("bytes"), "bytes_of_wal": per_million("wal"),
            "postgres_cpu_seconds": per_million("server_cpu")},
        "bytes_of_a_state": median([r["state_bytes"] for r in stored]),
    }


def run(records):
    env = common.fresh_stack(4)
    answer = {}
    for kind, (topic, times) in TOPICS.items():
        # The mean device misses half of the rounds of its stagger.
        sent = Readings(env, topic, DEVICES).send(range(max(60, times * records // DEVICES) + 30))
        answer[kind] = compare(env, kind, sent)
    answer["goal_at_least_0.95"] = {kind: {"cpu": answer[kind]["at_once"]["cpu_ratio"],
                                           "records_per_second": answer[kind]["in_turn"]["wall_ratio"]} for kind in TOPICS}
    return answer
