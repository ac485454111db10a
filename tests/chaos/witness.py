#!/usr/bin/env python3
"""A reader of committed records who watches all through the trouble and writes down what it saw, in the order it saw it.

    witness.py BOOTSTRAP FOLDER TOPIC...

Writes FOLDER/<topic>.<partition>, entries of 25 bytes: kind, time, offset, fingerprint.  A "record" entry is one record as a
poll gave it.  A "stable" entry is the last stable offset that the broker told after all entries before it.  Ends at SIGTERM,
when it has read to the end.
"""
import hashlib
import signal
import struct
import sys
import time
from pathlib import Path

ENTRY = struct.Struct(">cdQ8s")
RECORD, STABLE = b"r", b"s"
STABLE_EVERY_S = 0.5
LAST_WORD_S = 60


def fingerprint(key, value):
    digest = hashlib.blake2b(digest_size=8)
    for part in (key, value):
        digest.update(struct.pack(">q", -1 if part is None else len(part)))
        digest.update(part or b"")
    return digest.digest()


class Witness:
    def __init__(self, bootstrap, folder, topics):
        from confluent_kafka import Consumer
        from support.broker import SILENT, Broker
        broker = Broker(bootstrap)
        self.places = [(topic, p) for topic in topics for p in range(broker.partitions(topic))]
        self.files = {place: open(Path(folder) / f"{place[0]}.{place[1]}", "wb") for place in self.places}
        self.consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "witness", "enable.auto.commit": False,
                                  "auto.offset.reset": "earliest", "isolation.level": "read_committed",
                                  "enable.partition.eof": True, **SILENT})
        self.over = False

    def poll(self):
        """The partitions whose end was seen."""
        ended, now = set(), 0
        for m in self.consumer.consume(2000, timeout=0.1):
            now = now or time.time()
            if m.error():
                ended.add((m.topic(), m.partition()))
            else:
                self.files[m.topic(), m.partition()].write(
                    ENTRY.pack(RECORD, now, m.offset(), fingerprint(m.key(), m.value())))
        return ended

    def ask_stable(self, place):
        from confluent_kafka import KafkaException, TopicPartition
        try:
            stable = self.consumer.get_watermark_offsets(TopicPartition(*place), timeout=1)[1]
        except KafkaException:
            return  # the broker is away
        self.files[place].write(ENTRY.pack(STABLE, time.time(), stable, bytes(8)))

    def watch(self):
        from confluent_kafka import TopicPartition
        self.consumer.assign([TopicPartition(*place, 0) for place in self.places])
        turn, asked = 0, 0.0
        while not self.over:
            self.poll()
            if time.monotonic() - asked > STABLE_EVERY_S:
                self.ask_stable(self.places[turn % len(self.places)])
                turn, asked = turn + 1, time.monotonic()
        waiting, deadline = set(self.places), time.monotonic() + LAST_WORD_S
        # Ends seen before are not told again: begin anew where we stand.
        self.consumer.assign(self.consumer.position([TopicPartition(*place) for place in self.places]))
        while waiting and time.monotonic() < deadline:
            waiting -= self.poll()
        self.consumer.close()
        for file in self.files.values():
            file.close()
        return 1 if waiting else 0


def entries(path):
    """(kind, time, offset, fingerprint) in the order they were written."""
    with open(path, "rb") as file:
        while piece := file.read(ENTRY.size * 4096):
            yield from ENTRY.iter_unpack(piece[:len(piece) - len(piece) % ENTRY.size])


def main():
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    witness = Witness(sys.argv[1], sys.argv[2], sys.argv[3:])

    def end(_number, _frame):
        witness.over = True
    signal.signal(signal.SIGTERM, end)
    return witness.watch()


if __name__ == "__main__":
    sys.exit(main())
