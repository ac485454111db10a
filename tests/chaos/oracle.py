"""What ought to have come out: the same raw messages through workers that nothing happens to.

The router, the preprocessor and the forecaster are functions of each device's records in their order, so a second line,
with topics, groups and memory of its own, must give the same bytes (`undisturbed`).  What the scorer says also depends on where
forecasts came between readings; that is written in fleet.journal, and a bounded run follows it: it folds the records that
the disturbed scorers read, from the beginning, and its outputs must be the same bytes (`follow`).
"""
import subprocess
import time

from chaos import ground as grounds
from support import places
from support.fleet import FILES, READS, WORKERS, group

PREFIX = "oracle."
RUN = "oracle"
LIMIT_S = 3600
UNDISTURBED = ("ingest-router", "etl-preprocessor", "batch-forecaster")
OUTPUTS = {"ingest-router": {"readings.topic": "telemetry.readings"},
           "etl-preprocessor": {"series.topic": "telemetry.series", "aggregates.topic": "telemetry.aggregates"},
           "batch-forecaster": {"forecasts.topic": "forecasts", "outcomes.topic": "forecasts.outcomes"}}
INPUTS = {"etl-preprocessor": "telemetry.readings", "batch-forecaster": "telemetry.series"}
SHADOWED = ("scores", "anomalies", "alerts")


class Failed(Exception):
    """The oracle itself has not come to its end: no verdict."""


def create_topics(broker, names, partitions):
    from confluent_kafka.admin import NewTopic
    made = [NewTopic(name, partitions, 1, config={"retention.ms": "-1", "max.message.bytes": "4194304",
                                                  "message.timestamp.after.max.ms": str(2**63 - 1)})
            for name in names]
    for future in broker.admin.create_topics(made, operation_timeout=60).values():
        future.result()


def run_worker(ground, name, options):
    """One worker to its end; exit code 0 or Failed."""
    flags = {"instance.id": f"{RUN}-{name}", "listen": "127.0.0.1:0", "schema.dir": places.SCHEMAS, **FILES.get(name, {}),
             **grounds.OPTIONS.get(name, {}), "errors.log.enable": "false", **options}
    log = ground.logs / f"{RUN}-{name}.log"
    begin = time.monotonic()
    with open(log, "wb") as file:
        code = subprocess.run([str(places.program(name)), *(f"--{key}={value}" for key, value in flags.items())],
                              stdin=subprocess.DEVNULL, stdout=file, stderr=file, env=ground.stack.environment(),
                              cwd=places.TOP, timeout=LIMIT_S, check=False).returncode
    if code:
        raise Failed(f"the undisturbed {name} ended with exit code {code}: {log}")
    return time.monotonic() - begin


def undisturbed(ground):
    """The second line, worker by worker: each reads what the one before it has made, and ends."""
    names = [PREFIX + topic for topic in ("telemetry.raw.dlq", "telemetry.readings", "telemetry.series",
                                          "telemetry.aggregates", "forecasts", "forecasts.outcomes")]
    names += [f"{PREFIX}{topic}.dlq" for topic in INPUTS.values()]
    create_topics(ground.broker, names, ground.partitions)
    for name in UNDISTURBED:
        options = {"group.id": f"{RUN}-{name}", "until.caught.up": "true",
                   **{key: PREFIX + topic for key, topic in OUTPUTS[name].items()}}
        if name in INPUTS:
            options["topics"] = PREFIX + INPUTS[name]
            if ground.stateful:
                options["checkpoint.store"] = "none"
        else:
            options["errors.deadletterqueue.topic.name"] = PREFIX + "telemetry.raw.dlq"
        ground.say(f"undisturbed {name}: {run_worker(ground, name, options):.1f} s")


def plan_text(broker, group_id, topics):
    """A bounded run's plan: all that GROUP has committed of TOPICS."""
    lines = []
    for topic in topics:
        for partition, offset in sorted(broker.committed(group_id, topic).items()):
            if offset > 0:
                lines.append(f"{topic}.{partition} = 0..{offset}\n")
    return "".join(lines)


def follow(ground, name="realtime-scorer"):
    """The scorer as a bounded run that follows the journal; its outputs are in <topic>.<run>."""
    create_topics(ground.broker, [f"{topic}.{RUN}" for topic in SHADOWED], ground.partitions)
    plan = ground.folder / "oracle.plan"
    plan.write_text(plan_text(ground.broker, group(name), dict(READS)[name]))
    took = run_worker(ground, name, {"run.id": RUN, "run.plan": plan, "run.source.group": group(name),
                                     "run.outputs": "shadow"})
    ground.say(f"{name} as a bounded run that follows the journal: {took:.1f} s")


assert set(UNDISTURBED) < set(WORKERS)
