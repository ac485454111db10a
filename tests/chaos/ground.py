"""What the faults are done to: services on small disks, two and more of each worker, proxies, clocks."""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from chaos import proxy, schedule
from chaos.disks import Disks
from support import places
from support.broker import Broker
from support.database import Database
from support.fleet import RESTARTED, WORKERS, Fleet, forebay
from support.stack import Stack
from support.wait import Late, until

PATIENT = {"session.timeout.ms": schedule.SESSION_MS, "transaction.timeout.ms": schedule.TRANSACTION_MS,
           "errors.log.enable": "false", "errors.retry.delay.max.ms": 1000,
           # A clock that is set back makes the Kafka client wait by the old one: the watchdog's business.
           "watchdog.timeout.ms": 30000}

# Small windows, short seasons: series, forecasts and alerts come out of minutes' worth of telemetry.
OPTIONS = {
    "etl-preprocessor": {"step.ms": 1000, "lateness.ms": 3000, "window.steps": 12, "gap.max.steps": 30},
    "batch-forecaster": {"seasons": 12, "horizon.steps": 24, "history.steps": 96,
                         "quantiles": "0.05,0.25,0.5,0.75,0.95"},
    # All members and a group, with small forests: states that come and go must not be megabytes.
    "realtime-scorer": {"score.warmup.readings": 24, "score.slots.per.day": 1, "alert.refractory.readings": 10,
                        "alert.pending.p": 0.01, "alert.firing.p": 0.003, "alert.critical.p": 1e-4, "alert.fdr.level": 0,
                        "detect.members": "scalar,forecast,forest,neighbours", "detect.groups": "*",
                        "forest.trees": 10, "forest.sample": 64, "neighbours.length": 16, "neighbours.bank": 32},
}
# Of workers that keep states: often stored, asleep after half a minute of event time.
STATE_OPTIONS = {"checkpoint.interval.ms": 1000, "state.idle.ms": 30000}

LEAVE_LIMIT_S = 60
DISK_BYTES_LEAST, DISK_BYTES_PER_MESSAGE = 3 << 30, 8000
FAKETIME = "/usr/lib/*/faketime/libfaketimeMT.so.1"


def knows(worker, option):
    """Does this build's worker have the option?"""
    said = subprocess.run([str(places.program(worker)), "--help"], capture_output=True, text=True, check=False)
    return f"--{option}=" in said.stdout + said.stderr


def free_port():
    """Below the range that Linux gives out for outgoing connections, as the stack's own."""
    for port in range(30000 + os.getpid() % 1000, 32700):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            if port not in free_port.given:
                free_port.given.add(port)
                return port
    raise RuntimeError("no free port between 30000 and 32700")


free_port.given = set()


class Ground:
    def __init__(self, folder, plan, words, say):
        self.folder, self.plan, self.say = folder, plan, say
        self.partitions, self.instances = words.partitions, words.instances
        self.logs = folder / "logs"
        self.logs.mkdir(parents=True)
        self.remarks = []    # what is worth knowing and no finding
        self.findings = []   # what faults saw that must not be
        self.stateful = knows("etl-preprocessor", "checkpoint.interval.ms")
        self.disks = Disks(max(DISK_BYTES_LEAST, words.records * DISK_BYTES_PER_MESSAGE))
        self.behind = {v: {"kafka": (free_port(), free_port()), "postgres": free_port(), "redis": free_port()}
                       for v in schedule.proxied_victims(plan)}
        pairs = " ".join(f"{listen}:{advertised}" for listen, advertised in (b["kafka"] for b in self.behind.values()))
        self.stack = Stack(folder / "stack", {**self.disks.settings(), "KAFKA_PROXIED": pairs})
        self.proxy = None
        self.fleet = None

    # ---- up and down ----

    def start(self):
        self.stack.start()
        self.broker, self.database = Broker(self.stack.bootstrap), Database(self.stack.postgres_uri)
        self._start_proxy()
        forebay(self.stack, "topics", "apply", f"--topics={self._topics_file()}", f"--partitions={self.partitions}")
        forebay(self.stack, "db", "migrate")
        self.fleet = Fleet(self.stack, self.logs, PATIENT)
        # Whatever ends it, an orchestrator starts it again; what must not end it is told by verify.exits().
        self.fleet.restarted = RESTARTED | {1} | {-n for n in range(1, 32)}
        for name in WORKERS:
            for n in range(self.instances):
                self.add(name, f"{name}-{n}")
        for worker in self.fleet.workers.values():
            worker.await_ready()
        self.fleet.keep()

    def options(self, name):
        more = STATE_OPTIONS if self.stateful and name in schedule.STATEFUL else {}
        return {**OPTIONS.get(name, {}), **more}

    def add(self, name, instance):
        self.fleet.environments[instance] = self._environment(instance)
        return self.fleet.add(name, instance, **{key.replace(".", "_"): value
                                                 for key, value in self.options(name).items()})

    def _topics_file(self):
        """The deployment's, but time stamps of long ago delete nothing."""
        text = (places.CONFIG / "topics.properties").read_text()
        file = self.folder / "topics.properties"
        file.write_text(re.sub(r"(retention\.ms) = \d+", r"\1 = -1", text))
        return file

    def _start_proxy(self):
        ports = {service: int(re.search(r":(\d+)(/|$)", uri).group(1)) for service, uri in
                 (("postgres", self.stack.postgres_uri), ("redis", self.stack.redis_uri))}
        routes = []
        for victim, here in self.behind.items():
            listen, advertised = here["kafka"]
            routes.append(f"{victim}.kafka={advertised}:{listen}")
            routes += [f"{victim}.{service}={here[service]}:{port}" for service, port in ports.items()]
        path = Path(f"/tmp/forebay-chaos-{os.getpid()}.proxy")  # a socket's path must be short
        with open(self.logs / "proxy.log", "wb") as log:
            process = subprocess.Popen([sys.executable, proxy.__file__, str(path), *routes], stdin=subprocess.DEVNULL,
                                       stdout=log, stderr=log)
        self.proxy = proxy.Control(process, path)
        until(path.exists, "the proxy listens", 20)

    def _environment(self, instance):
        """Its way to the services, and its clock."""
        if instance in self.behind:
            here = self.behind[instance]
            through = {"FOREBAY_BOOTSTRAP_SERVERS": f"127.0.0.1:{here['kafka'][1]}"}
            for name, service in (("FOREBAY_POSTGRES_URI", "postgres"), ("FOREBAY_REDIS_URI", "redis"),
                                  ("FOREBAY_CACHE_URI", "redis")):
                address = self.stack.env.get(name, self.stack.redis_uri)
                through[name] = re.sub(r":\d+(/|$)", rf":{here[service]}\1", address)
            return through
        if instance in schedule.clocked_victims(self.plan):
            library = next(iter(sorted(Path("/").glob(FAKETIME[1:]))), None)
            if library:
                self.set_clock(instance, 0)
                return {"LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(self._clock(instance)),
                        "FAKETIME_CACHE_DURATION": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        return {}

    def destroy(self):
        if self.fleet:
            self.fleet.destroy()
        if self.proxy:
            self.proxy.process.kill()
            self.proxy.process.wait()
            self.proxy.path.unlink(missing_ok=True)
        for log in self.folder.glob("stack/*/log"):
            shutil.copyfile(log, self.logs / f"{log.parent.name}.log")
        self.stack.wipe()
        self.disks.destroy()

    # ---- what the faults do ----

    def leave(self, worker):
        """SIGTERM, and wait for the end; one that does not end is a finding, and is killed."""
        try:
            return worker.leave(LEAVE_LIMIT_S)
        except Late as late:
            self.findings.append(f"SIGTERM does nothing: {late}")
            worker.destroy()
            return worker.leave()

    def _clock(self, instance):
        return self.folder / f"{instance}.clock"

    def set_clock(self, instance, seconds):
        new = self._clock(instance).with_suffix(".new")
        new.write_text(f"{seconds:+d}\n")
        new.rename(self._clock(instance))

    def signal_service(self, service, number):
        """To the service and its children: PostgreSQL's sessions are processes."""
        pid = int((self.stack.folder / service / "pid").read_text().split()[0])
        children = []
        for task in Path(f"/proc/{pid}/task").iterdir():
            children += map(int, (task / "children").read_text().split())
        for one in (pid, *children):
            try:
                os.kill(one, number)
            except ProcessLookupError:
                pass

    def start_service(self, service, limit_s=120):
        """Until it answers; a service that dies at its first attempt is started again."""
        deadline = time.monotonic() + limit_s
        while True:
            try:
                self.stack.start(service)
                return
            except RuntimeError as trouble:
                if time.monotonic() > deadline:
                    raise
                self.remarks.append(f"{service} needed another start: {str(trouble).splitlines()[0]}")
                time.sleep(0.5)

    def drop_connections(self):
        self.database.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                           "AND backend_type = 'client backend'")

    def flush_redis(self):
        host, port = re.match(r"redis://([^:]+):(\d+)", self.stack.redis_uri).groups()
        with socket.create_connection((host, int(port)), timeout=10) as link:
            link.sendall(b"FLUSHALL\r\n")
            assert link.recv(64).startswith(b"+OK")

    def heal_everything(self):
        """The last word after the last fault, whatever state they left behind."""
        for disk in self.disks.by_service.values():
            disk.empty()
        for route in self.behind:
            for service in ("kafka", "postgres", "redis"):
                self.proxy.set(f"{route}.{service}", proxy.PASS)
        for service in ("kafka", "postgres", "redis"):
            self.start_service(service)
        for worker in self.fleet.workers.values():
            worker.signal(signal.SIGCONT)
