"""How long from an event to its committed reading, and to its committed alert, at 1,000 messages a second?

A producer sends 100 devices' messages with the time of sending as event time, and a spike now and then; a read_committed
consumer of telemetry.readings and alerts notes when each arrives.  All five workers run.
"""
import json
import statistics
import subprocess
import threading
import time

from confluent_kafka import Consumer, Producer

import common


def percentiles(values):
    values = sorted(values)
    pick = lambda q: round(values[min(len(values) - 1, int(q * len(values)))] * 1000, 1)
    return {"n": len(values), "p50_ms": pick(.5), "p99_ms": pick(.99), "max_ms": pick(1)} if values else {"n": 0}


def run(records):
    seconds = 30
    env = common.fresh_stack(4)
    brokers = env["FOREBAY_BOOTSTRAP_SERVERS"]
    flags = {"ingest-router": ["--path.maps", str(common.TOP / "deploy/pathmaps")],
             "sink-writer": ["--sink.mapping", str(common.TOP / "deploy/sink.properties")]}
    fleet = [common.spawn(common.worker_command(w, "--listen", "", "--instance.id", w, *flags.get(w, [])), env,
                          common.STACK / f"{w}.log") for w in common.WORKERS]
    seen = {"telemetry.readings": [], "alerts": []}
    stop = threading.Event()

    def listen():
        consumer = Consumer({"bootstrap.servers": brokers, "group.id": "latency", "auto.offset.reset": "earliest",
                             "isolation.level": "read_committed", "fetch.wait.max.ms": 5})
        consumer.subscribe(list(seen))
        while not stop.is_set():
            m = consumer.poll(.05)
            if m and not m.error():
                # The record's time stamp is that of the raw message, sent when it was measured.
                seen[m.topic()].append(time.time() - m.timestamp()[1] / 1000)
        consumer.close()

    listener = threading.Thread(target=listen)
    listener.start()
    time.sleep(5)
    producer = Producer({"bootstrap.servers": brokers, "linger.ms": 1, "partitioner": "murmur2_random"})
    begun = time.monotonic()
    for i in range(1000 * seconds):
        d, t = i % 100, i // 100
        value = 20 + (d % 10) + .2 * ((i * 7919) % 101 / 50 - 1) + (60 if t > 200 and t % 40 == d % 40 else 0)
        producer.produce("telemetry.raw", key=f"d{d}", value=json.dumps(
            {"device": f"d{d}", "time": int(time.time() * 1000), "metrics": {"temperature": round(value, 3)}}))
        producer.poll(0)
        ahead = begun + (i + 1) / 1000 - time.monotonic()
        if ahead > 0:
            time.sleep(ahead)
    producer.flush()
    time.sleep(3)
    stop.set()
    listener.join()
    for p in fleet:
        p.terminate()
    for p in fleet:
        p.wait()
    return {"messages_per_second": 1000, "seconds": seconds, "reading": percentiles(seen["telemetry.readings"][2000:]),
            "alert": percentiles(seen["alerts"])}
