"""The comparison of tables and topics finds what is planted."""
from dataclasses import dataclass

import pytest

from chaos import tables
from support import places

MAPPING = tables.mappings("""
# a comment
scores.topics = scores
scores.record = score
scores.table = forebay.scores
scores.columns = device, event_time, \\
	value, origin_offset:offset
scores.identity = device, event_time
alerts.topics = alerts, more.alerts
alerts.record = alert
alerts.table = forebay.alerts
alerts.columns = id, event_time, origin_offset:offset
alerts.identity = id
alerts.conflict = newer
alerts.order = event_time
""")
SCORES, ALERTS = MAPPING


@dataclass(frozen=True)
class At:
    offset: int
    topic: str = "scores"
    partition: int = 0


def rows():
    return [tables.row_of(SCORES, At(n), {"device": "d", "event_time": n // 2, "value": n / 7}) for n in range(10)]


def test_the_mapping():
    assert SCORES.identity == ("device", "event_time") and not SCORES.newer
    assert ALERTS.topics == ("alerts", "more.alerts") and ALERTS.newer and ALERTS.order == "event_time"
    assert ("origin_offset", "offset") in SCORES.columns
    deployed = tables.mappings((places.CONFIG / "sink.properties").read_text())
    assert {m.table for m in deployed} >= {"forebay.readings", "forebay.alerts", "forebay.dead_letters"}


def test_first_and_newest():
    wanted = tables.wanted_rows(SCORES, rows())
    assert [row[-1] for row in wanted.values()] == [0, 2, 4, 6, 8]
    changes = [tables.row_of(ALERTS, At(n), {"id": "a", "event_time": t}) for n, t in enumerate((5, 9, 7, 9))]
    assert [row[-1] for row in tables.wanted_rows(ALERTS, changes).values()] == [1]


PLANTED = [
    (lambda held: held, set()),
    (lambda held: held[1:], {tables.MISSING}),
    (lambda held: held + held[:1], {tables.TWICE}),
    (lambda held: held + [("stranger", *held[0][1:])], {tables.STRANGE}),
    (lambda held: held[:-1] + [held[-1][:2] + (tables.exact(-0.0),) + held[-1][3:]], {tables.DIFFERENT}),
    (lambda held: held[:-1] + [held[-1][:3] + (9,)], {tables.DIFFERENT}),
]


@pytest.mark.parametrize("plant, expected", PLANTED, ids=["clean", "lost", "twice", "foreign", "value", "origin"])
def test_planted(plant, expected):
    wanted = tables.wanted_rows(SCORES, rows())
    found = tables.compare(SCORES, wanted, plant(list(wanted.values())))
    assert {f.kind for f in found} == expected
