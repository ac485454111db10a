"""From made-up telemetry to people: what the simulator plants is told by a real Alertmanager, once, and taken back.

The scorer is killed while alerts are open.  What comes after it has the same names: nobody is told twice.
"""
import csv
import datetime
from collections import Counter

import pytest

from support import places
from support.fleet import await_quiet, forebay
from support.receivers import Alertmanager, Hook, pages
from support.states import kill
from support.wait import until

CHAIN = ("ingest-router", "realtime-scorer", "alert-notifier")
START = datetime.datetime(2026, 3, 1, tzinfo=datetime.timezone.utc)
# A "day" of an hour: two dozen of them.
SIMULATION = ["--devices", 30, "--metrics", 2, "--step", "1m", "--day", "1h", "--seed", 11, "--anomalies", 16,
              "--start", "2026-03-01T00:00:00Z", "--duration", "24h", "--json"]
SLACK_S = 3600  # an alert belongs to an anomaly that it begins in, or this soon after


def time_of(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def anomalies(line, folder):
    """(device, metric, from, to) of what will be planted, without sending anything."""
    labels = folder / "labels.csv"
    forebay(line, "simulate", *SIMULATION, "--dry.run=true", "--labels", labels)
    with open(labels, newline="") as file:
        return [(r["device"], r["metric"], time_of(r["from"]), time_of(r["to"])) for r in csv.DictReader(file)]


class Told:
    """All that came out."""

    def __init__(self, broker, schemas, hook, database):
        self.changes = [schemas.decode(m.value) for m in broker.read("alerts")]
        self.pages = Counter(pages(hook))
        self.hooked = Counter((r.json()["id"], r.json()["status"]) for r in hook.at("/hook"))
        self.rows = database.rows("SELECT alert_id, status FROM forebay.deliveries")


@pytest.fixture(scope="module")
def hook():
    hook = Hook()
    yield hook
    hook.stop()


@pytest.fixture(scope="module")
def alertmanager(request, hook):
    server = Alertmanager(places.log_folder(request.path.stem, "alertmanager"), hook).start()
    yield server
    server.stop()


def open_alerts(changes):
    return {a["id"] for a in changes if a["status"] == "firing"} - {a["id"] for a in changes if a["status"] == "resolved"}


@pytest.fixture(scope="module")
def planted(line, tmp_path_factory):
    return anomalies(line, tmp_path_factory.mktemp("labels"))


@pytest.fixture(scope="module")
def killed(line, broker, schemas, module_fleet, hook, alertmanager, planted):
    """Alerts that were open when the scorer was killed."""
    fleet = module_fleet
    scorer = [fleet.add(name, **options) for name, options in (
        ("ingest-router", {}), ("realtime-scorer", {"checkpoint_interval_ms": 500}),
        ("alert-notifier", {"alertmanager_url": alertmanager.url, "webhook_url": hook.url("/hook")}))][1]
    for worker in fleet.workers.values():
        worker.await_ready()
    # In the middle of the longest anomaly of the second half, and a little later until something is open.
    middle = max((a for a in planted if a[2] > START + datetime.timedelta(hours=8)), key=lambda a: a[3] - a[2])
    cut = int(((middle[2] + (middle[3] - middle[2]) / 2) - START).total_seconds() // 60)
    at, still_open = 0, set()
    while not still_open:
        forebay(line, "simulate", *SIMULATION, *(["--from", f"{at}m"] if at else []), "--until", f"{cut}m")
        await_quiet(broker, fleet, CHAIN)
        still_open = open_alerts([schemas.decode(m.value) for m in broker.read("alerts")])
        at, cut = cut, cut + 3
        assert cut < 24 * 60, "no alert was ever open between two stretches"
    until(lambda: still_open <= {a["labels"]["alert_id"] for a in alertmanager.alerts()}, "Alertmanager has them", 60)
    kill(scorer)
    scorer.start()
    scorer.await_ready()
    forebay(line, "simulate", *SIMULATION, "--from", f"{at}m")
    await_quiet(broker, fleet, CHAIN)
    return still_open


@pytest.fixture(scope="module")
def told(killed, broker, schemas, hook, database, module_fleet):
    owed = "SELECT count(*) FROM forebay.deliveries WHERE state <> 'delivered'"
    until(lambda: database.value(owed) == 0, "all is delivered", 60)
    module_fleet.stop()
    return Told(broker, schemas, hook, database)


def test_what_was_planted_is_told(told, planted):
    firing = [a for a in told.changes if a["status"] == "firing"]
    slack = datetime.timedelta(seconds=SLACK_S)
    found = {p for p in planted for a in firing if (a["device"], a["metric"]) == p[:2] and p[2] <=
             datetime.datetime.fromtimestamp(a["start_time"] / 1e6, datetime.timezone.utc) <= p[3] + slack}
    assert len(found) >= len(planted) / 2, (len(found), len(planted))
    assert len({a["id"] for a in firing}) <= 3 * len(planted)


def test_every_alert_has_one_name_and_ends(told):
    changes = Counter((a["id"], a["status"]) for a in told.changes)
    assert set(changes.values()) == {1}
    assert {a["status"] for a in told.changes} == {"firing", "resolved"}


def test_what_was_open_at_the_kill_is_taken_back_under_its_name(told, killed):
    resolved = {a["id"] for a in told.changes if a["status"] == "resolved"}
    assert killed <= resolved | open_alerts(told.changes)
    assert killed & resolved, "none of them ended"
    for alert in killed & resolved:
        assert told.pages[(alert, "firing")] == 1 and told.pages[(alert, "resolved")] == 1


def test_nobody_is_told_twice(told):
    assert told.pages and set(told.pages.values()) == {1}
    names = {(a["id"], a["status"]) for a in told.changes}
    assert told.hooked == Counter(names)
    assert Counter((alert, status) for alert, status in told.rows) == Counter({name: 2 for name in names})
