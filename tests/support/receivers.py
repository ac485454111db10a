"""Who is told of alerts: a real Alertmanager, and a web server that behaves as a test says."""
import json
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from support.wait import until


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Request:
    def __init__(self, path, headers, body):
        self.path, self.headers, self.body = path, headers, body

    def json(self):
        return json.loads(self.body)


class Hook:
    """POSTs to a path are kept in the order of their coming, and answered by BEHAVE(path, number) from 1 on.

    That is (status, headers), or a threading.Event: no answer until it is set, then 200.
    """

    def __init__(self, certificate=None):
        self.requests = []
        self.behave = lambda path, number: (200, {})
        self.lock = threading.Lock()
        hook = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with hook.lock:
                    hook.requests.append(Request(self.path, self.headers, body))
                    number = len(hook.at(self.path))
                answer = hook.behave(self.path, number)
                if isinstance(answer, threading.Event):
                    answer.wait(120)
                    answer = (200, {})
                try:
                    self.send_response(answer[0])
                    for name, value in answer[1].items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                except OSError:
                    pass  # who asked has gone

            def log_message(self, *words):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass  # a handshake that the other side breaks off is what a test wants

        self.server = Server(("127.0.0.1", 0), Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                     do_handshake_on_connect=False)
        self.scheme = "https" if certificate else "http"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path):
        return f"{self.scheme}://127.0.0.1:{self.server.server_port}{path}"

    def at(self, path):
        return [r for r in self.requests if r.path == path]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def certificate(folder):
    """(certificate, key): files of one that nobody vouches for, good for 127.0.0.1."""
    made = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-out", str(made[0]), "-keyout", str(made[1])],
                   check=True, capture_output=True)
    return tuple(map(str, made))


class Alertmanager:
    """The real one.  Each notification that it would send to people goes to HOOK at /pager, an alert a notification."""

    def __init__(self, folder, hook):
        self.port = free_port()
        self.folder = folder
        self.process = None
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.yml").write_text(
            "global:\n  resolve_timeout: 5m\n"
            "route:\n  receiver: pager\n  group_by: [alert_id]\n  group_wait: 0s\n  group_interval: 1s\n"
            "  repeat_interval: 4h\n"
            f"receivers:\n- name: pager\n  webhook_configs:\n  - url: {hook.url('/pager')}\n    send_resolved: true\n")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        program = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
        assert program, "Alertmanager is not installed: deploy/packages test"
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [program, f"--config.file={self.folder}/config.yml", f"--storage.path={self.folder}/data",
                 f"--web.listen-address=127.0.0.1:{self.port}", "--cluster.listen-address="],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until(lambda: self.get("/api/v2/status"), f"Alertmanager answers ({self.folder}/log)", 30)
        return self

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return json.loads(answer.read())

    def alerts(self, **labels):
        """What fires, with these labels."""
        return [a for a in self.get("/api/v2/alerts") if labels.items() <= a["labels"].items()]

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)


def pages(hook, **labels):
    """(alert_id, status) of each notification that reached the pager."""
    return [(a["labels"]["alert_id"], a["status"]) for r in hook.at("/pager") for a in r.json()["alerts"]
            if labels.items() <= a["labels"].items()]
