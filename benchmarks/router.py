"""How much of the Kafka client's and the JSON parser's own speed does the router leave?

JSON (about 240 bytes, four readings) -> Avro -> topic with exactly_once_v2, against (a) a plain librdkafka consume ->
produce of the same bytes with a transaction every 100 ms and (b) jansson parsing the same documents, in the same run.
"""
import json

import common


def run(records):
    env = common.fresh_stack(4)
    brokers = env["FOREBAY_BOOTSTRAP_SERVERS"]
    common.timed([common.BUILD / "benchmarks/messages", "produce", brokers, "telemetry.raw", records, 10000], env)
    parse = json.loads(common.timed([common.BUILD / "benchmarks/messages", "parse", min(records, 300000), 10000], env)[2])
    copy = json.loads(common.timed([common.BUILD / "benchmarks/copy", brokers, "telemetry.raw", "telemetry.deferred", records], env)[2])
    router = {}
    for guarantee in ("exactly_once_v2", "at_least_once"):
        command = common.worker_command("ingest-router", "--listen", "", "--until.caught.up", "true", "--group.id", guarantee,
                                        "--instance.id", "bench", "--processing.guarantee", guarantee,
                                        "--path.maps", str(common.TOP / "deploy/pathmaps"))
        wall, cpu, _ = common.timed(command, env)
        router[guarantee] = {"records_per_second": records / wall, "records_per_cpu_second": records / cpu}
    a = copy["records"] / copy["cpu_seconds"]
    b = parse["records"] / parse["cpu_seconds"]
    limit = 1 / (1 / a + 1 / b)
    eos = router["exactly_once_v2"]["records_per_cpu_second"]
    return {"records": records, "bytes_per_document": parse["bytes"] / parse["records"],
            "copy_records_per_cpu_second": a, "copy_records_per_second": copy["records"] / copy["seconds"],
            "jansson_documents_per_cpu_second": b, "router": router,
            "ratio_to_copy_and_jansson_in_series": eos / limit, "ratio_to_copy": eos / a}
