"""Topics as a reader of committed records sees them, and a publisher for raw messages.

librdkafka's Python client stands outside of the product's own use of the library: its own process, its own settings.
"""
import time
from dataclasses import dataclass
from typing import Optional

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from support.wait import until

ANSWER_S = 30
SILENT = {"log_level": 2, "log.connection.close": False}  # a broker that is restarted is no news here


@dataclass(frozen=True)
class Message:
    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: Optional[bytes]
    value: Optional[bytes]
    headers: tuple  # of (name, bytes or None), in order

    def header(self, name):
        """The text of the last header of that name, or None."""
        found = [value for had, value in self.headers if had == name]
        return found[-1].decode("utf-8", "replace") if found and found[-1] is not None else None


def patient(ask, limit_s=ANSWER_S):
    """What ASK() gives; a coordinator that moves or a broker that starts is asked again."""
    deadline = time.monotonic() + limit_s
    while True:
        try:
            return ask()
        except KafkaException:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def _message(m):
    return Message(m.topic(), m.partition(), m.offset(), m.timestamp()[1], m.key(), m.value(),
                   tuple(m.headers() or ()))


class Broker:
    def __init__(self, bootstrap):
        self.bootstrap = bootstrap
        self.admin = AdminClient({"bootstrap.servers": bootstrap, "socket.timeout.ms": 10000, **SILENT})

    # ---- topics ----

    def topics(self):
        """Name -> number of partitions."""
        listed = self.admin.list_topics(timeout=ANSWER_S).topics
        return {name: len(t.partitions) for name, t in listed.items() if not name.startswith("__")}

    def partitions(self, topic):
        found = self.admin.list_topics(topic, timeout=ANSWER_S).topics[topic]
        if found.error:
            raise KafkaException(found.error)
        return len(found.partitions)

    def create(self, topic, partitions, **config):
        self._all(self.admin.create_topics([NewTopic(topic, partitions, 1, config=config)], operation_timeout=ANSWER_S))
        until(lambda: self.topics().get(topic) == partitions, f"topic {topic} is there", ANSWER_S)

    def delete(self, *topics):
        self._all(self.admin.delete_topics(list(topics), operation_timeout=ANSWER_S))
        until(lambda: not set(topics) & set(self.topics()), f"topics {topics} are gone", ANSWER_S)

    def widen(self, topic, partitions):
        from confluent_kafka.admin import NewPartitions
        self._all(self.admin.create_partitions([NewPartitions(topic, partitions)], operation_timeout=ANSWER_S))
        until(lambda: self.topics().get(topic) == partitions, f"topic {topic} has {partitions} partitions", ANSWER_S)

    @staticmethod
    def _all(futures):
        for future in futures.values():
            future.result()

    # ---- offsets ----

    def _consumer(self, **more):
        return Consumer({"bootstrap.servers": self.bootstrap, "group.id": "tests", "enable.auto.commit": False,
                         "auto.offset.reset": "earliest", "isolation.level": "read_committed", **SILENT, **more})

    def ends(self, topic, isolation="read_uncommitted"):
        """Partition -> next offset; for read_committed the last stable one."""
        consumer = self._consumer(**{"isolation.level": isolation})
        try:
            return patient(lambda: {p: consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=ANSWER_S)[1]
                                    for p in range(self.partitions(topic))})
        finally:
            consumer.close()

    def committed(self, group, topic):
        """Partition -> offset that the group has committed, -1 where it has none."""
        consumer = self._consumer(**{"group.id": group})
        try:
            return patient(lambda: self._committed(consumer, topic))
        finally:
            consumer.close()

    def _committed(self, consumer, topic):
        asked = [TopicPartition(topic, p) for p in range(self.partitions(topic))]
        answers = consumer.committed(asked, timeout=ANSWER_S)
        for answer in answers:
            if answer.error:
                raise KafkaException(answer.error)
        return {a.partition: max(a.offset, -1) for a in answers}

    # ---- records ----

    def read(self, topic, start=None, limit_s=120):
        """All committed records from START (partition -> offset; default the beginning) to the present end.

        A transaction that is still open holds the end back; see caught_up().
        """
        start = start or {}
        held = {p: start.get(p, OFFSET_BEGINNING) for p in range(self.partitions(topic))}
        consumer = self._consumer(**{"enable.partition.eof": True, "fetch.wait.max.ms": 10})
        consumer.assign([TopicPartition(topic, p, max(o, 0) if o != OFFSET_BEGINNING else o) for p, o in held.items()])
        found, open_ones = [], set(held)
        deadline = time.monotonic() + limit_s
        try:
            while open_ones:
                for m in consumer.consume(10000, timeout=0.2):
                    if not m.error():
                        found.append(_message(m))
                    elif m.error().code() == KafkaError._PARTITION_EOF:
                        open_ones.discard(m.partition())
                    elif not m.error().retriable():
                        raise KafkaException(m.error())
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{topic}: no end of partitions {sorted(open_ones)} within {limit_s} s")
        finally:
            consumer.close()
        return sorted(found, key=lambda m: (m.partition, m.offset))

    def caught_up(self, group, topic):
        """True when GROUP has committed past the last record of TOPIC and no transaction is open there.

        Offsets alone do not say it: a transaction ends with a marker that takes an offset and that nobody reads.
        """
        ends = self.ends(topic)
        if ends != self.ends(topic, "read_committed"):
            return False
        committed = self.committed(group, topic)
        behind = {p: max(committed[p], 0) for p, end in ends.items() if max(committed[p], 0) < end}
        if any(end - behind[p] > 5000 for p, end in ends.items() if p in behind):
            return False
        return not behind or not self._any_record(topic, behind)

    def _any_record(self, topic, start):
        consumer = self._consumer(**{"enable.partition.eof": True, "fetch.wait.max.ms": 10})
        consumer.assign([TopicPartition(topic, p, o) for p, o in start.items()])
        waiting = set(start)
        deadline = time.monotonic() + ANSWER_S
        try:
            while waiting and time.monotonic() < deadline:
                for m in consumer.consume(100, timeout=0.2):
                    if not m.error():
                        return True
                    if m.error().code() == KafkaError._PARTITION_EOF:
                        waiting.discard(m.partition())
            return bool(waiting)
        finally:
            consumer.close()


class Publisher:
    """Raw messages by key (murmur2, as every producer of the line), each one once and in order: idempotent."""

    def __init__(self, bootstrap, topic="telemetry.raw"):
        self.topic = topic
        self.failures = []
        self._producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 5,
                                   "partitioner": "murmur2_random", "message.max.bytes": 4000000,
                                   "message.timeout.ms": 300000, "queue.buffering.max.messages": 500000,
                                   **SILENT})

    def _delivered(self, error, message):
        if error:
            self.failures.append((message.key(), str(error)))

    def send(self, key, value, **more):
        """More: partition, timestamp (ms), headers (list of pairs)."""
        while True:
            try:
                self._producer.produce(self.topic, key=key, value=value, on_delivery=self._delivered, **more)
                break
            except BufferError:
                self._producer.poll(0.1)
        self._producer.poll(0)

    def flush(self, limit_s=300):
        left = self._producer.flush(limit_s)
        assert not left, f"{left} messages were not delivered within {limit_s} s"
        assert not self.failures, f"{len(self.failures)} messages were refused, the first: {self.failures[0]}"
