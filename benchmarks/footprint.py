"""What does a worker need?  Resident memory idle and under load with 10,000 devices; time from exec to the first record.

The limit for the start is the group join itself: a bare consumer and producer of the same client that join the same broker
(benchmarks/copy with one record, from the first record of the topic on).
"""
import pathlib
import time

import common


def resident_mb(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024


def peak_mb(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024


def run(records):
    records = min(records, 200000)
    env = common.fresh_stack(4)
    flags = {"ingest-router": ["--path.maps", str(common.TOP / "deploy/pathmaps")],
             "sink-writer": ["--sink.mapping", str(common.TOP / "deploy/sink.properties")]}
    fleet = {w: common.spawn(common.worker_command(w, "--listen", "", "--instance.id", w, *flags.get(w, [])), env,
                             common.STACK / f"{w}.log") for w in common.WORKERS}
    time.sleep(6)
    idle = {w: round(resident_mb(p.pid), 1) for w, p in fleet.items()}
    common.timed([common.BUILD / "benchmarks/messages", "produce", env["FOREBAY_BOOTSTRAP_SERVERS"], "telemetry.raw", records, 10000],
                 env)
    time.sleep(20)
    ended = [w for w, p in fleet.items() if p.poll() is not None]
    assert not ended, f"{ended} ended; see their logs in {common.STACK}"
    load = {w: round(peak_mb(p.pid), 1) for w, p in fleet.items()}
    for p in fleet.values():
        p.terminate()
    for p in fleet.values():
        p.wait()
    return {"idle_mb": idle, "peak_mb_with_10000_devices": load, **start(env)}


def start(env):
    """Each start finds one record; it ends when that is processed and committed."""
    brokers = env["FOREBAY_BOOTSTRAP_SERVERS"]
    bare, ours = [], []
    for i in range(6):
        common.timed([common.BUILD / "benchmarks/messages", "produce", brokers, "telemetry.raw", 1, 1], env)
        bare.append(common.timed([common.BUILD / "benchmarks/copy", brokers, "telemetry.raw", "telemetry.deferred", 1], env)[0])
        command = common.worker_command("ingest-router", "--listen", "", "--until.caught.up", "true",
                                        "--path.maps", str(common.TOP / "deploy/pathmaps"))
        ours.append(common.timed(command, env)[0])
    # The first of each finds the rest of the load.
    return {"bare_client_exec_to_committed_ms": round(min(bare[1:]) * 1000), "router_exec_to_committed_ms": round(min(ours[1:]) * 1000)}
