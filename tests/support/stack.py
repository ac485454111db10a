"""A real Kafka, PostgreSQL and Redis of our own: deploy/local/stack in a folder of this run."""
import os
import shutil
import subprocess
import threading

from support import places


class Stack:
    def __init__(self, folder=places.STACK_DIR, settings=None):
        self.folder = folder
        self.settings = dict(settings or {})  # of deploy/local/stack: KAFKA_DATA and the like
        self.env = {}

    def _run(self, *words, limit_s=300):
        environment = {**os.environ, **self.settings}
        command = [str(places.TOP / "deploy/local/stack"), "--dir", str(self.folder), *words]
        # A file and not a pipe: what the services inherit must not keep us waiting for its end.
        said = self.folder.with_name(f"{self.folder.name}.said.{threading.get_ident()}")
        with open(said, "w+b") as out:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, timeout=limit_s,
                                  check=False, env=environment)
        text = said.read_text(errors="replace")
        said.unlink()
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: exit code {done.returncode}\n{text}")
        return text

    def start(self, *services):
        text = self._run("start", *services)
        self._load_env()
        return text

    def stop(self, *services):
        return self._run("stop", *services)

    def kill(self, *services):
        """SIGKILL; start() brings it back with its data, on the same port."""
        return self._run("kill", *services)

    def configure_topic(self, topic, **settings):
        """By Kafka's own tool; `max_message_bytes` is max.message.bytes."""
        pairs = ",".join(f"{key.replace('_', '.')}={value}" for key, value in settings.items())
        return self._run("kafka", "kafka.admin.ConfigCommand", "--bootstrap-server", self.bootstrap, "--entity-type",
                         "topics", "--entity-name", topic, "--alter", "--add-config", pairs)

    def wipe(self):
        if self.folder.exists():
            self._run("wipe")

    def fresh(self):
        """An empty stack, whatever was there before."""
        self.wipe()
        self.start()

    def keep_logs(self, folder):
        """Copy the services' logs out of reach of wipe()."""
        for log in self.folder.glob("*/log"):
            shutil.copyfile(log, folder / f"{log.parent.name}.log")

    def _load_env(self):
        self.env = {}
        for line in (self.folder / "env").read_text().splitlines():
            name, _, value = line.partition("=")
            self.env[name] = value.strip("'\"")

    @property
    def bootstrap(self):
        return self.env["FOREBAY_BOOTSTRAP_SERVERS"]

    @property
    def postgres_uri(self):
        return self.env["FOREBAY_POSTGRES_URI"]

    @property
    def redis_uri(self):
        return self.env["FOREBAY_REDIS_URI"]

    @property
    def registry_url(self):
        return self.env["FOREBAY_SCHEMA_REGISTRY_URL"]

    def environment(self):
        """For our programs: this stack's addresses, and nothing of ours that the caller's shell may have set."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("FOREBAY_")}
        # Who wants the registry says so.
        here = {name: value for name, value in self.env.items() if name != "FOREBAY_SCHEMA_REGISTRY_URL"}
        ours = {"FOREBAY_SCHEMA_DIR": str(places.SCHEMAS), "FOREBAY_CACHE_URI": self.redis_uri}
        return {**clean, **ours, **here}
