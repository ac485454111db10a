"""Alerts told to the outside: a real Alertmanager, and a webhook that hangs, fails, redirects or cannot be trusted.

Every change arrives, in order, once where the receiver answers; what cannot be delivered is a dead letter; one receiver's
trouble is not the other's.
"""
import hashlib
import hmac
import json
import threading
import time

import pytest

from support import places
from support.broker import Publisher
from support.fleet import forebay
from support.receivers import Alertmanager, Hook, certificate, pages
from support.wait import until

SECRET = "a secret of two"
SHORT = {"session_timeout_ms": 4000, "transaction_timeout_ms": 5000, "errors_retry_delay_max_ms": 500,
         "http_request_timeout_ms": 1500, "delivery_retry_initial_ms": 100, "delivery_retry_max_ms": 400,
         "webhook_secret": SECRET}


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


class Desk:
    """A topic of alerts of its own, and a notifier that reads it."""

    def __init__(self, name, line, fleet, broker, database, schemas, hook, alertmanager):
        self.name, self.fleet, self.broker, self.database, self.schemas = name, fleet, broker, database, schemas
        self.hook, self.alertmanager = hook, alertmanager
        self.topic = f"alerts.{name}"
        partitions = until(lambda: broker.topics().get("alerts"), "topics are there")
        for topic in (self.topic, f"{self.topic}.dlq"):
            broker.create(topic, partitions)
        self.publisher = Publisher(line.bootstrap, self.topic)
        self.hook.behave = lambda path, number: (200, {})
        self.pattern = json.loads((places.SCHEMAS / "examples/Alert-firing.json").read_text())

    @property
    def path(self):
        return f"/{self.name}"

    def start(self, **options):
        options = {"alertmanager_url": self.alertmanager.url, "webhook_url": self.hook.url(self.path),
                   "alertmanager_labels": f"desk={self.name}", **SHORT, **options}
        return self.fleet.add("alert-notifier", **{"instance": self.name, "topics": self.topic, "group_id": self.name,
                                                   **options}).await_ready()

    def id(self, number):
        return hashlib.md5(f"{self.name} {number}".encode()).hexdigest()

    def send(self, numbers, status="firing", severity="warning", age_s=60):
        now = int(time.time() * 1000)
        for number in numbers:
            device = f"pump-{number:02d}"
            record = {**self.pattern, "id": self.id(number), "device": device, "status": status, "severity": severity,
                      "start_time": (now - age_s * 1000) * 1000, "event_time": now * 1000, "ingest_time": now * 1000}
            self.publisher.send(device.encode(), self.schemas.encode("Alert", record), timestamp=now)
        self.publisher.flush()

    def active(self):
        """alert_id -> the alert, of what Alertmanager takes for firing."""
        alerts = self.alertmanager.alerts(desk=self.name)
        assert len({a["fingerprint"] for a in alerts}) == len(alerts)
        return {a["labels"]["alert_id"]: a for a in alerts}

    def await_active(self, numbers, limit_s=30):
        wanted = {self.id(n) for n in numbers}
        until(lambda: set(self.active()) == wanted, f"Alertmanager has {len(wanted)} alerts of {self.name}", limit_s)

    def hooked(self):
        return [r.headers["Idempotency-Key"] for r in self.hook.at(self.path)]

    def rows(self, state=None):
        """(receiver, alert_id, status, state, attempts, http_status, error)."""
        return [r for r in self.database.rows(
            "SELECT split_part(receiver, ' ', 1), alert_id, status, state, attempts, http_status, error "
            "FROM forebay.deliveries WHERE notifier = %s ORDER BY seq", self.name) if state in (None, r[3])]

    def await_delivered(self, n, limit_s=30):
        until(lambda: len(self.rows("delivered")) == n, f"{n} deliveries of {self.name}", limit_s)

    def letters(self):
        return self.broker.read(f"{self.topic}.dlq")


@pytest.fixture
def desk(request, line, fleet, broker, database, schemas, hook, alertmanager):
    name = request.node.originalname.removeprefix("test_").replace("_", "-")
    return Desk(name, line, fleet, broker, database, schemas, hook, alertmanager)


def signature(request):
    signed = request.headers["X-Forebay-Timestamp"].encode() + b"." + request.body
    return "sha256=" + hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()


def test_each_change_once(desk):
    """Firing, worse, over, told again and again; and the same records a second time."""
    worker = desk.start(alertmanager_resend_ms=1000)
    desk.send(range(12))
    desk.await_active(range(12))
    desk.send([3], severity="critical")
    until(lambda: desk.active()[desk.id(3)]["annotations"]["severity"] == "critical", "it is critical")
    first = desk.active()
    assert len(first) == 12, "a worse alert is the same alert"
    desk.send(range(6), "resolved")
    desk.await_active(range(6, 12))
    desk.await_delivered(2 * (12 + 1 + 6))

    until(lambda: all(a["updatedAt"] > first[i]["updatedAt"] for i, a in desk.active().items()), "they are told again")
    until(lambda: len(pages(desk.hook, desk=desk.name)) >= 18, "the pager has rung")
    desk.send(range(12))  # as after a rewind
    until(lambda: desk.broker.caught_up(desk.name, desk.topic), "they are read")
    assert len(desk.rows()) == 38 and all(r[4] == 1 for r in desk.rows()), desk.rows()
    wanted = sorted([(desk.id(n), "firing") for n in range(12)] + [(desk.id(n), "resolved") for n in range(6)])
    assert sorted(pages(desk.hook, desk=desk.name)) == wanted, "one page when it fires, one when it is over"

    requests = desk.hook.at(desk.path)
    assert len(requests) == 19 == len(set(desk.hooked()))
    assert all(r.headers["X-Forebay-Signature"] == signature(r) for r in requests)
    about_three = [r for r in requests if r.json()["id"] == desk.id(3)]
    assert [r.headers["Idempotency-Key"] for r in about_three] == [
        f"{desk.id(3)}:{state}" for state in ("firing:warning", "firing:critical", "resolved:warning")]
    assert worker.metric("forebay_deliveries_total", outcome="delivered") == 38
    assert worker.metric("forebay_deliveries_total", outcome="told_again") >= 6
    assert worker.stop() == 0


def test_two_share_the_work(desk):
    """Two instances, one killed for good: the other goes on with what it finds."""
    workers = [desk.start(), desk.start(instance=f"{desk.name}-2")]
    desk.send(range(30))
    desk.await_delivered(60)
    assert len(set(desk.hooked())) == 30 == len(desk.hooked())
    workers[1].destroy()
    desk.send(range(30, 60))
    desk.await_delivered(120)
    assert len(set(desk.hooked())) == 60
    assert len(desk.active()) == 60
    assert workers[0].stop() == 0


def test_killed_while_it_sends(desk):
    """The answer never came: what was under way is sent again under the same key, the rest once."""
    answer = threading.Event()
    desk.hook.behave = lambda path, number: answer if path == desk.path else (200, {})
    worker = desk.start(http_request_timeout_ms=60000)
    desk.send(range(20))
    desk.await_active(range(20))
    until(lambda: len(desk.hooked()) == 8, "as much as may be is under way")
    until(lambda: desk.broker.caught_up(desk.name, desk.topic), "a webhook that hangs holds nothing up")
    assert len(desk.hooked()) == 8 and not desk.rows("refused")
    worker.destroy()
    under_way = set(desk.hooked())
    desk.hook.behave = lambda path, number: (200, {})
    answer.set()
    worker.start().await_ready()
    desk.await_delivered(40)
    keys = desk.hooked()
    assert len(set(keys)) == 20 and {k for k in keys if keys.count(k) > 1} == under_way
    assert len(desk.active()) == 20
    desk.send(range(20), "resolved")
    desk.await_active([])
    desk.await_delivered(80)
    until(lambda: len(pages(desk.hook, desk=desk.name)) == 40, "each has rung twice")
    assert worker.stop() == 0


def test_a_webhook_in_trouble(desk):
    """Failing, throttling and redirecting is tried again; refusing makes a dead letter at once; Alertmanager does not notice."""
    behave = {
        "failing": lambda n: (500, {}) if n < 3 else (200, {}),
        "busy": lambda n: (429, {"Retry-After": "2"}) if n == 1 else (200, {}),
        "moved": lambda n: (307, {"Location": desk.hook.url("/elsewhere?token=x")}) if n < 3 else (200, {}),
        "refusing": lambda n: (404, {}),
    }
    which, asked = [""], []

    def answer(path, number):
        if path != desk.path:
            return 200, {}
        asked.append(time.monotonic())
        return behave[which[0]](len(asked))
    desk.hook.behave = answer
    worker = desk.start()

    def one(name, number):
        which[0] = name
        del asked[:]
        desk.send([number])

        def settled():
            rows = [r for r in desk.rows() if r[1] == desk.id(number) and r[3] in ("delivered", "dead")]
            return rows if len(rows) == 2 else None
        return {r[0]: r[3:6] for r in until(settled, f"{name}: settled", 60)}

    known = ("delivered", 1, 200)
    assert one("failing", 0) == {"alertmanager": known, "webhook": ("delivered", 3, 200)}
    assert one("busy", 1) == {"alertmanager": known, "webhook": ("delivered", 2, 200)}
    assert asked[1] - asked[0] >= 2, "Retry-After"
    assert one("moved", 2) == {"alertmanager": known, "webhook": ("delivered", 3, 200)}
    assert not desk.hook.at("/elsewhere?token=x"), "redirects are not followed"
    assert one("refusing", 3) == {"alertmanager": known, "webhook": ("dead", 1, 404)}
    assert len(desk.active()) == 4
    [letter] = desk.letters()
    assert letter.header("forebay.reason") == "DELIVERY_REFUSED"
    assert "webhook: 404" in letter.header("__connect.errors.exception.message")
    assert desk.schemas.decode(letter.value)["id"] == desk.id(3)
    assert worker.metric("forebay_deliveries_total", outcome="refused") == 1
    assert worker.metric("forebay_deliveries_total", outcome="retried", receiver="webhook") == 5

    which[0] = "busy"  # the second time it takes what comes
    desk.publisher.send(letter.key, letter.value)  # redriven: another record
    desk.publisher.flush()
    until(lambda: not desk.rows("dead"), "delivered after all")
    assert worker.stop() == 0


def test_one_by_one(desk):
    """Who refuses a request with many alerts gets them one by one, also those that it is told again."""
    path = f"{desk.path}/api/v2/alerts"
    desk.hook.behave = lambda at, number: (
        413 if at == path and len(desk.hook.at(path)[number - 1].json()) > 1 else 200, {})
    worker = desk.start(alertmanager_url=desk.hook.url(desk.path), webhook_url="", alertmanager_resend_ms=1000)
    desk.send(range(5))
    desk.await_delivered(5)

    def told(number):
        return sum(1 for r in desk.hook.at(path) if [a["labels"]["alert_id"] for a in r.json()] == [desk.id(number)])
    until(lambda: all(told(n) >= 3 for n in range(5)), "each is told again", 30)
    assert worker.stop() == 0


def test_nobody_takes_it(desk):
    """What hangs for too long: a dead letter.  Alertmanager is told of what fires when it is back, none the less."""
    desk.hook.behave = lambda path, number: threading.Event() if path == desk.path else (200, {})
    desk.alertmanager.stop()
    try:
        worker = desk.start(delivery_timeout_ms=500, http_request_timeout_ms=300, alertmanager_resend_ms=1000)
        desk.send([0])
        until(lambda: len(desk.rows("dead")) == 2, "given up", 60)
        letters = desk.letters()
        assert {x.header("forebay.reason") for x in letters} == {"DELIVERY_TIMEOUT"} and len(letters) == 2
        assert all(desk.schemas.decode(x.value)["id"] == desk.id(0) for x in letters)
        said = "\n".join(x.header("__connect.errors.exception.message") for x in letters)
        assert "webhook" in said and "timed out" in said and "alertmanager 127.0.0.1" in said and "connect" in said, said
    finally:
        desk.alertmanager.start()
    desk.await_active([0])
    until(lambda: len(desk.rows("delivered")) == 1, "written down")
    assert worker.stop() == 0


def test_letters_that_the_broker_refuses_together(desk):
    """Letters are sent many at a time; where the broker refuses that, one by one."""
    desk.hook.behave = lambda path, number: (404, {}) if path == desk.path else (200, {})
    dead = f"{desk.topic}.dlq"
    partitions = desk.broker.topics()[dead]
    desk.broker.delete(dead)
    desk.broker.create(dead, partitions, **{"max.message.bytes": "2200"})
    desk.pattern = {**desk.pattern, "summary": "x" * 1000}  # one fits, two in one batch do not
    desk.send(range(12))
    worker = desk.start(alertmanager_url="")
    until(lambda: len(desk.rows("dead")) == 12, "all are dead letters", 120)
    assert len(desk.letters()) == 12
    assert worker.stop() == 0


def test_a_certificate_that_nobody_vouches_for(desk, tmp_path):
    mine = certificate(tmp_path)
    other = Hook(mine)
    try:
        worker = desk.start(webhook_url=other.url(desk.path))
        desk.send([0])
        desk.await_active([0])
        until(lambda: [r for r in desk.rows("pending") if r[6] and "certificate" in r[6]], "the error says so")
        assert not other.requests
        assert worker.stop() == 0
        worker.options["http.ca.file"] = mine[0]
        worker.start().await_ready()
        desk.await_delivered(2)
        assert len(other.requests) == 1
        assert worker.stop() == 0
    finally:
        other.stop()


def test_what_it_cannot_work_with(desk, line, database, tmp_path):
    """It does not begin, and says what to do."""
    def refused(code, **options):
        worker = desk.fleet.add("alert-notifier", **{
            "instance": desk.name, "topics": desk.topic, "group_id": desk.name, "webhook_url": desk.hook.url(desk.path),
            **options})
        assert worker.exit_code() == code
        [said] = [e for e in worker.events() if e["event"] == "stopped"]
        return said
    pem = tmp_path / "authorities"
    pem.write_text("none\n")
    assert f"http.ca.file: {pem} holds no certificate" in refused(1, http_ca_file=pem)["error"]
    database.run("CREATE DATABASE no_deliveries_here")
    try:
        said = refused(2, postgres_uri=line.postgres_uri.rpartition("/")[0] + "/no_deliveries_here")
        assert "forebay.deliveries" in said["error"] and "forebay db migrate" in said["remedy"]
    finally:
        database.run("DROP DATABASE no_deliveries_here")


def test_postgresql_is_away(desk, line):
    """It waits, and nothing is told twice."""
    worker = desk.start()
    desk.send(range(4))
    desk.await_delivered(8)
    line.stop("postgres")
    try:
        desk.send(range(4), "resolved")
        until(lambda: worker.http("/health?probe=ready")[0] == 503, "it says that it waits")
        assert not desk.broker.caught_up(desk.name, desk.topic)
    finally:
        line.start("postgres")
    desk.await_delivered(16)
    desk.await_active([])
    assert sorted(desk.hooked()) == sorted(f"{desk.id(n)}:{s}:warning" for n in range(4) for s in ("firing", "resolved"))
    assert worker.stop() == 0


def test_report(desk, line):
    worker = desk.start()
    desk.send([0])
    desk.await_delivered(2)
    said = {d["receiver"]: d for d in json.loads(forebay(line, "report", "--json", check=False).stdout)["deliveries"]}
    assert said["webhook"]["delivered"] > 0 and said["webhook"]["pending"] == 0
    assert 0 < said["webhook"]["median_seconds"] < 60
    assert worker.stop() == 0
