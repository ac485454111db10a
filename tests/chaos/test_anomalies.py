"""Each anomaly, planted alone into a clean history, is found and named; a clean one passes."""
import struct

import pytest

from chaos import anomalies, witness
from chaos.witness import RECORD, STABLE

WHERE = "scores.0"


def fingerprint(n):
    return struct.pack(">Q", n)


class History:
    """200 records, the marker of a transaction behind each ten; a reader that asks for the stable offset now and then."""

    def __init__(self):
        self.final = [(n + n // 10, fingerprint(n)) for n in range(200)]
        self.history = []
        for i, (offset, print_) in enumerate(self.final):
            self.history.append((RECORD, 1000.0 + i, offset, print_))
            if i % 10 == 9:
                self.history.append((STABLE, 1000.5 + i, offset + 2, bytes(8)))
        self.outages = []

    def found(self):
        return {f.kind for f in anomalies.check_polls(WHERE, self.history, self.outages) +
                anomalies.check_seen(WHERE, self.history, self.final)}


def non_monotonic(h):
    h.history[55], h.history[56] = h.history[56], h.history[55]


def polled_twice(h):
    h.history.insert(80, h.history[75])


def rewound(h):
    h.history[100:100] = [e for e in h.history[60:100] if e[0] == RECORD]


def aborted_read(h):
    h.history.insert(110, (RECORD, 1110.0, 109, fingerprint(999)))  # where a marker is


def aborted_at_the_end(h):
    h.history.append((RECORD, 1300.0, 5000, fingerprint(999)))


def precommitted_read(h):
    at = next(i for i, e in enumerate(h.history) if e[0] == STABLE and e[2] > 100)
    h.history[at] = (STABLE, h.history[at][1], h.history[at][2] - 8, bytes(8))


def another_record(h):
    kind, when, offset, _ = h.history[42]
    h.history[42] = (kind, when, offset, fingerprint(777))


def skipped(h):
    h.history = [e for e in h.history if e[2] != 34]


PLANTED = [
    (non_monotonic, {anomalies.NON_MONOTONIC}), (polled_twice, {anomalies.NON_MONOTONIC}),
    (rewound, {anomalies.NON_MONOTONIC}), (aborted_read, {anomalies.ABORTED}),
    (aborted_at_the_end, {anomalies.ABORTED}), (precommitted_read, {anomalies.PRECOMMITTED}),
    (another_record, {anomalies.INCONSISTENT}), (skipped, {anomalies.SKIPPED}),
]


def test_a_clean_history_passes():
    assert History().found() == set()


@pytest.mark.parametrize("plant, expected", PLANTED, ids=[p.__name__ for p, _ in PLANTED])
def test_planted_in_a_history(plant, expected):
    h = History()
    plant(h)
    assert h.found() == expected


def test_a_broker_that_is_down_says_nothing():
    h = History()
    precommitted_read(h)
    h.outages = [(1000.0, 1400.0)]
    assert h.found() == set()


def test_a_reader_that_is_behind_is_no_anomaly():
    h = History()
    h.history = h.history[:100]
    assert h.found() == set()


WANTED = [fingerprint(n) for n in (1, 2, 3, 4, 4, 5, 6)]
SEQUENCES = [
    ("clean", WANTED, set()),
    ("lost", WANTED[:2] + WANTED[3:], {anomalies.LOST}),
    ("one of two equals lost", WANTED[:4] + WANTED[5:], {anomalies.LOST}),
    ("all lost", [], {anomalies.LOST}),
    ("duplicate", WANTED + WANTED[-1:], {anomalies.DUPLICATE}),
    ("duplicate of a duplicate", WANTED[:5] + [fingerprint(4)] + WANTED[5:], {anomalies.DUPLICATE}),
    ("foreign", WANTED + [fingerprint(99)], {anomalies.FOREIGN}),
    ("changed", WANTED[:-1] + [fingerprint(99)], {anomalies.FOREIGN, anomalies.LOST}),
    ("reorder", [WANTED[1], WANTED[0]] + WANTED[2:], {anomalies.REORDER}),
    ("reorder and loss", [WANTED[1], WANTED[0]] + WANTED[3:], {anomalies.REORDER, anomalies.LOST}),
]


@pytest.mark.parametrize("seen, expected", [s[1:] for s in SEQUENCES], ids=[s[0] for s in SEQUENCES])
def test_planted_in_a_sequence(seen, expected):
    found = anomalies.check_sequence("scores", "device-1", WANTED, seen)
    assert {f.kind for f in found} == expected
    assert all("device-1" in f.what for f in found)


def test_entries_survive_a_file(tmp_path):
    h = History()
    with open(tmp_path / "scores.0", "wb") as file:
        for entry in h.history:
            file.write(witness.ENTRY.pack(*entry))
    assert list(witness.entries(tmp_path / "scores.0")) == h.history


def test_fingerprints_tell_parts_apart():
    prints = [witness.fingerprint(k, v) for k, v in ((b"a", b"b"), (b"ab", b""), (b"", b"ab"), (None, b"ab"),
                                                     (b"ab", None))]
    assert len(set(prints)) == len(prints)
