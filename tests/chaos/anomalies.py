"""What must not be seen in a Kafka history, after the Jepsen workload for queues; pure functions on lists.

A history is what one reader of committed records (witness.py) wrote down of one partition: (kind, time, offset,
fingerprint).  `final` is the partition as a whole, read when all is over: (offset, fingerprint).  A sequence is what one
unit of order (a device; a series) holds in a topic: fingerprints in the order of their offsets.

    non-monotonic poll   an offset at or before one that the reader had been given already
    precommitted read    a record at or behind the last stable offset that the broker told afterwards
    aborted read         a record that the whole partition does not hold
    inconsistent offset  a record that is another one in the whole partition, or was another one at the same reader
    poll skip            a record before the reader's last one that it was never given
    lost write           wanted, and not in the sequence
    duplicate            more often in the sequence than wanted
    foreign              in the sequence, and never wanted
    reorder              all there, in another order
"""
from collections import Counter

from checker import Finding
from chaos.witness import RECORD, STABLE

NON_MONOTONIC, PRECOMMITTED, ABORTED, INCONSISTENT, SKIPPED = (
    "non-monotonic poll", "precommitted read", "aborted read", "inconsistent offset", "poll skip")
LOST, DUPLICATE, FOREIGN, REORDER = "lost write", "duplicate", "foreign", "reorder"


def _any_outage(when, outages):
    return any(begin <= when <= end for begin, end in outages)


def check_polls(where, history, outages=()):
    """The reader's own order; OUTAGES are (from, until) of the broker, when what it tells of its end means little."""
    findings, last, seen = [], -1, {}
    for kind, when, offset, print_ in history:
        if kind == STABLE:
            if last >= offset and not _any_outage(when, outages):
                findings.append(Finding(PRECOMMITTED, where, f"offset {last} was read, {offset} is the first open one"))
            continue
        assert kind == RECORD
        if offset <= last:
            findings.append(Finding(NON_MONOTONIC, where, f"offset {offset} after {last}"))
        if seen.setdefault(offset, print_) != print_:
            findings.append(Finding(INCONSISTENT, where, f"offset {offset} is two records"))
        last = max(last, offset)
    return findings


def check_seen(where, history, final):
    """What the reader saw against what is there."""
    held = dict(final)
    findings, seen = [], set()
    for kind, _, offset, print_ in history:
        if kind != RECORD or offset in seen:
            continue
        seen.add(offset)
        if offset not in held:
            findings.append(Finding(ABORTED, where, f"offset {offset} was read and is not there"))
        elif held[offset] != print_:
            findings.append(Finding(INCONSISTENT, where, f"offset {offset} was read as another record"))
    last = max(seen, default=-1)
    skipped = sorted(offset for offset in held if offset <= last and offset not in seen)
    if skipped:
        findings.append(Finding(SKIPPED, where, f"{len(skipped)} offsets never read, the first {skipped[0]}"))
    return findings


def check_sequence(where, unit, wanted, seen, name=lambda fingerprint: fingerprint.hex()):
    """One unit of order; NAME makes a fingerprint readable."""
    if wanted == seen:
        return []
    missing, extra = Counter(wanted) - Counter(seen), Counter(seen) - Counter(wanted)
    findings = []
    for kind, which in ((LOST, {f: n for f, n in missing.items()}),
                        (DUPLICATE, {f: n for f, n in extra.items() if f in set(wanted)}),
                        (FOREIGN, {f: n for f, n in extra.items() if f not in set(wanted)})):
        if which:
            first = next(iter(which))
            findings.append(Finding(kind, where, f"{unit}: {sum(which.values())} records, the first {name(first)}"))
    common = Counter(wanted) & Counter(seen)
    if _restricted(wanted, common) != _restricted(seen, common):
        findings.append(Finding(REORDER, where, f"{unit}: {len(seen)} records in another order"))
    return findings


def _restricted(sequence, allowed):
    """SEQUENCE without what is not in both: first comes, first stays."""
    left, kept = Counter(allowed), []
    for one in sequence:
        if left[one]:
            left[one] -= 1
            kept.append(one)
    return kept
