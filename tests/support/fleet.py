"""Workers as processes, and the keeper that restarts them as an orchestrator would."""
import json
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request

from support import places
from support.wait import Late, until

WORKERS = ("ingest-router", "etl-preprocessor", "batch-forecaster", "realtime-scorer", "sink-writer")

# 2: trouble at work, 3: a newer instance took over, 4: stuck.  0 and 1 are a worker's last word.
RESTARTED = {2, 3, 4, -signal.SIGKILL}
RESTART_PAUSE_S = 0.3

# What an installed worker finds by itself.
FILES = {
    "ingest-router": {"path.maps": places.CONFIG / "pathmaps"},
    "sink-writer": {"sink.mapping": places.CONFIG / "sink.properties"},
}


class Worker:
    """One instance of a worker.  Its log goes on over restarts; `said` is what it logged since the last start."""

    def __init__(self, name, stack, logs, instance=None, options=None, config=None):
        self.name = name
        self.instance = instance or f"{name}-0"
        self.stack = stack
        self.options = dict(options or {})
        self.config = config
        self.log = logs / f"{self.instance}.log"
        self.process = None
        self.starts = 0
        self.exits = []     # codes, in order; negative: the signal that ended it
        self._begin = 0     # where in the log the present process begins
        self.lock = threading.RLock()
        self.environment = {}  # beyond the stack's
        self.held = False      # somebody is about to start it: not the keeper's business

    def command(self):
        flags = {"instance.id": self.instance, "listen": "127.0.0.1:0", "schema.dir": places.SCHEMAS,
                 **FILES.get(self.name, {}), **self.options}
        config = ["--config", str(self.config)] if self.config else []
        return [str(places.program(self.name)), *config, *(f"--{key}={value}" for key, value in flags.items())]

    def _spawn(self):
        self._begin = self.log.stat().st_size if self.log.exists() else 0
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env={**self.stack.environment(), **self.environment}, cwd=places.TOP)

    def start(self):
        with self.lock:
            assert not self.running(), f"{self.instance} runs already"
            self._spawn()
            self.starts += 1
        return self

    def replace(self):
        """Start another process of this name beside the present one; the old process, now the caller's to end."""
        with self.lock:
            old = self.process
            self._spawn()
        return old

    def leave(self, limit_s=60):
        """SIGTERM, wait for its end; the caller starts it again, or gives it back to the keeper with held = False."""
        self.held = True
        self.signal(signal.SIGTERM)
        code = self.exit_code(limit_s)
        with self.lock:
            if len(self.exits) < self.starts:
                self.exits.append(code)
        return code

    def come_back(self):
        """After leave()."""
        with self.lock:
            if not self.running():
                self.start()
            self.held = False

    def running(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        with self.lock:
            if self.running():
                self.process.send_signal(number)

    def exit_code(self, limit_s=60):
        """Wait for its end."""
        try:
            return self.process.wait(limit_s)
        except subprocess.TimeoutExpired:
            raise Late(f"{self.instance} does not end within {limit_s} s: {self.log}") from None

    def stop(self, limit_s=60):
        """SIGTERM; the exit code."""
        self.signal(signal.SIGTERM)
        return self.exit_code(limit_s)

    def destroy(self):
        if self.running():
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    # ---- what it says ----

    def text(self):
        with open(self.log, "rb") as log:
            log.seek(self._begin)
            return log.read().decode("utf-8", "replace")

    def events(self):
        """The log lines of the present process, as dicts."""
        found = []
        for line in self.text().splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                pass
        return found

    def await_log(self, wanted, limit_s=60):
        """The first event for which WANTED(event) is true."""
        return until(lambda: next((e for e in self.events() if wanted(e)), None), f"a line in {self.log}", limit_s)

    def port(self, limit_s=60):
        return self.await_log(lambda e: e.get("event") == "listening", limit_s)["port"]

    def http(self, path, method="GET", body=None):
        """(status, body); the body as JSON where it is."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port()}{path}", data, method=method,
                                         headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                status, kind, text = answer.status, answer.headers.get("Content-Type", ""), answer.read().decode()
        except urllib.error.HTTPError as refusal:
            status, kind, text = refusal.code, refusal.headers.get("Content-Type", ""), refusal.read().decode()
        return status, json.loads(text) if "json" in kind and text else text

    def require_running(self):
        if not self.running():
            raise RuntimeError(f"{self.instance} has ended with exit code {self.process.poll()}; its log {self.log} "
                               f"ends with\n{self.text()[-1500:]}")
        return True

    def ready(self):
        self.require_running()
        return self.http("/health?probe=ready")[0] == 200

    def await_ready(self, limit_s=90):
        until(self.ready, f"{self.instance} is ready ({self.log})", limit_s)
        return self

    def metric(self, name, **labels):
        """The sum of the samples of a metric that carry these labels."""
        total = None
        for line in self.http("/metrics")[1].splitlines():
            series, _, number = line.rpartition(" ")
            bare, _, held = series.partition("{")
            if bare == name and all(f'{key}="{value}"' in held for key, value in labels.items()):
                total = (total or 0) + float(number)
        return total


class Fleet:
    """Workers by instance.  keep(): those that end with an error or are killed are started again."""

    def __init__(self, stack, logs, options=None):
        self.stack = stack
        self.logs = logs
        self.options = dict(options or {})
        self.environments = {}   # instance -> environment beyond the stack's
        self.restarted = RESTARTED
        self.workers = {}
        self._keeper = None
        self._over = threading.Event()

    def __getitem__(self, instance):
        return self.workers[instance]

    def add(self, name, instance=None, start=True, **options):
        """Options of the command line; `commit_interval_ms=50` is --commit.interval.ms=50."""
        dotted = {key.replace("_", "."): value for key, value in options.items()}
        worker = Worker(name, self.stack, self.logs, instance, {**self.options, **dotted})
        worker.environment = self.environments.get(worker.instance, {})
        self.workers[worker.instance] = worker
        return worker.start() if start else worker

    def start(self, *names, **options):
        """Start these (default: all five) and wait until each is ready."""
        added = [self.add(name, **options) for name in names or WORKERS]
        for worker in added:
            worker.await_ready()
        return self

    def keep(self):
        self._keeper = threading.Thread(target=self._watch, daemon=True)
        self._keeper.start()
        return self

    def _watch(self):
        while not self._over.wait(0.05):
            for worker in list(self.workers.values()):
                with worker.lock:
                    code = worker.process.poll() if worker.process else None
                    if worker.held or code is None or len(worker.exits) == worker.starts:
                        continue
                    worker.exits.append(code)
                if code in self.restarted:
                    time.sleep(RESTART_PAUSE_S)
                    with worker.lock:
                        if not (self._over.is_set() or worker.held or worker.running()):
                            worker.start()

    def require_running(self):
        """Nobody has ended; the keeper's business is left to the keeper."""
        for worker in self.workers.values():
            if not worker.held and not (self._keeper and worker.process.poll() in self.restarted | {None}):
                worker.require_running()

    def stop_keeping(self):
        self._over.set()
        if self._keeper:
            self._keeper.join()
        self._keeper = None
        self._over = threading.Event()

    def stop(self, limit_s=60):
        """SIGTERM to all; instance -> exit code."""
        self.stop_keeping()
        running = [w for w in self.workers.values() if w.running()]
        for worker in running:
            worker.signal(signal.SIGTERM)
        return {worker.instance: worker.exit_code(limit_s) for worker in running}

    def destroy(self):
        self.stop_keeping()
        for worker in self.workers.values():
            worker.signal(signal.SIGCONT)
            worker.destroy()


# Who reads what, in the order of the line.
READS = (
    ("ingest-router", ("telemetry.raw",)),
    ("etl-preprocessor", ("telemetry.readings", "telemetry.deferred")),
    ("batch-forecaster", ("telemetry.series",)),
    ("realtime-scorer", ("telemetry.readings", "telemetry.deferred", "forecasts")),
    ("sink-writer", None),
)
SUNK = ("telemetry.readings", "telemetry.deferred", "telemetry.series", "telemetry.aggregates", "forecasts", "scores",
        "anomalies", "alerts", "forecasts.outcomes", "telemetry.raw.dlq")


def group(name):
    return f"forebay-{name}"


def quiet(broker, names=WORKERS):
    """True when all these workers have done all there is to do.

    Two rounds in the order of the line with the same ends: nothing came into any topic while we looked.
    """
    reads = [(name, topic) for name, topics in READS if name in names for topic in (topics or SUNK)]
    ends = {topic: broker.ends(topic) for _, topic in reads}
    if not all(broker.caught_up(group(name), topic) for name, topic in reads):
        return False
    return ends == {topic: broker.ends(topic) for topic in ends}


def await_quiet(broker, fleet, names=WORKERS, limit_s=300):
    def done():
        fleet.require_running()
        return quiet(broker, names)
    until(done, f"lag zero of {', '.join(names)}; logs in {fleet.logs}", limit_s, pause_s=0.3)


def forebay(stack, *words, limit_s=300, check=True):
    """Run the command line tool; the finished process with its texts."""
    command = [str(places.program("forebay")), *map(str, words)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=limit_s,
                          env=stack.environment(), cwd=places.TOP, check=False)
    if check and done.returncode:
        raise AssertionError(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done

