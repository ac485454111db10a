"""How close does the sink come to PostgreSQL itself?

Readings from a topic into their table with offsets, against psql: COPY of the same rows from a file to a temporary table and
INSERT ... ON CONFLICT DO NOTHING, 10,000 rows at a time, into a table of the same shape, in the same run.  Then the same
records once more: what an all-duplicates replay costs.
"""
import pathlib
import subprocess
import time

import common

COLUMNS = "device, metric, event_time"


def psql(env, sql, **options):
    return subprocess.run(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql], env=env, check=True, text=True,
                          stdout=subprocess.PIPE, **options).stdout.strip()


def by_hand(env, rows):
    """The reference: the rows of forebay.readings again, by psql alone."""
    path = common.STACK / "rows.copy"
    psql(env, f"\\copy (select * from forebay.readings) to '{path}'")
    psql(env, "create table reference (like forebay.readings including all) partition by range (event_time);"
              "create table reference_all partition of reference default")
    script = common.STACK / "reference.sql"
    with open(path) as source, open(script, "w") as out:
        out.write("create temporary table staging (like forebay.readings);\n")
        lines = source.readlines()
        for start in range(0, len(lines), 10000):
            out.write("begin;\ncopy staging from stdin;\n")
            out.writelines(lines[start:start + 10000])
            out.write("\\.\ninsert into reference select * from staging on conflict do nothing;\ntruncate staging;\ncommit;\n")
    begun, cpu = time.monotonic(), common.postgres_cpu()
    subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(script)], env=env, check=True)
    wall = time.monotonic() - begun
    return {"rows_per_second": rows / wall, "server_cpu_seconds": common.postgres_cpu() - cpu}


def sink(env, group, rows):
    command = common.worker_command("sink-writer", "--listen", "", "--until.caught.up", "true", "--group.id", group,
                                    "--instance.id", "bench", "--topics", "telemetry.readings",
                                    "--sink.mapping", str(common.TOP / "deploy/sink.properties"))
    server = common.postgres_cpu()
    wall, cpu, _ = common.timed(command, env)
    return {"rows_per_second": rows / wall, "rows_per_client_cpu_second": rows / cpu,
            "server_cpu_seconds": common.postgres_cpu() - server}


def run(records):
    records = min(records, 250000)
    env = common.fresh_stack(4)
    common.timed([common.BUILD / "benchmarks/messages", "produce", env["FOREBAY_BOOTSTRAP_SERVERS"], "telemetry.raw", records, 10000],
                 env)
    common.timed(common.worker_command("ingest-router", "--listen", "", "--until.caught.up", "true", "--instance.id", "bench",
                                       "--path.maps", str(common.TOP / "deploy/pathmaps")), env)
    first = sink(env, "first", records * 4)
    rows = int(psql(env, "select count(*) from forebay.readings"))
    assert rows == records * 4, f"{rows} rows of {records * 4}"
    again = sink(env, "again", rows)
    repeated = int(psql(env, "select sum(rows_repeated) from forebay.sink_offsets where sink = 'again'"))
    assert repeated == rows == int(psql(env, "select count(*) from forebay.readings")), f"{repeated} repeated of {rows}"
    reference = by_hand(env, rows)
    return {"rows": rows, "sink": first, "all_repeated": again, "psql_copy_on_conflict": reference,
            "ratio_to_psql": first["rows_per_second"] / reference["rows_per_second"]}
