#!/usr/bin/env python3
"""A TCP proxy that can be told to misbehave: one process, a route per worker and service.

    proxy.py CONTROL NAME=LISTEN:TARGET...

CONTROL is the path of a Unix socket.  A connection to it sends lines "NAME MODE" and gets "ok" for each, when the mode is
in force.  Modes:

    pass    bytes go both ways
    stall   nothing goes either way, nothing is closed: packets get lost.  What was on its way arrives afterwards
    mute    requests arrive, answers do not: the other side does what it is asked to, and nobody hears of it
    slow    a tenth of a second per piece of at most 2 KiB, each way
    cut     connections end (FIN), new ones are refused
    reset   connections are reset (RST), and so is every new one

Threads, not an event loop: a pump that waits is a pump that stalls.
"""
import os
import select
import socket
import struct
import sys
import threading
import time
from pathlib import Path

PASS, STALL, MUTE, SLOW, CUT, RESET = MODES = ("pass", "stall", "mute", "slow", "cut", "reset")
PIECE, SLOW_PIECE, SLOW_S = 1 << 16, 2048, 0.1
AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: close() sends RST


class Link:
    """One client and the service behind it.  Who ends it wakes both pumps; the last of them closes the sockets.

    A socket that some thread waits in is closed in name only: no RST leaves.  So pumps wait for two things at once.
    """

    def __init__(self, route, client, service):
        self.route, self.client, self.service = route, client, service
        self.over, self.hard, self.pumps = False, False, 2
        self._wake = os.eventfd(0)
        self._lock = threading.Lock()
        for source, sink, requests in ((client, service, True), (service, client, False)):
            threading.Thread(target=self._pump, args=(source, sink, requests), daemon=True).start()

    def _pump(self, source, sink, requests):
        waiting = select.poll()
        waiting.register(source, select.POLLIN)
        waiting.register(self._wake, select.POLLIN)
        try:
            while True:
                waiting.poll()
                if self.over:
                    break
                piece = source.recv(SLOW_PIECE if self.route.mode == SLOW else PIECE)
                self.route.wait_for_passage(requests)
                if self.over:
                    break
                if not piece:
                    sink.shutdown(socket.SHUT_WR)
                    break
                sink.sendall(piece)
        except OSError:
            self.end()
        with self._lock:
            self.pumps -= 1
            if not self.pumps:
                self._close()

    def end(self, hard=False):
        """Both sides; HARD: they see a reset."""
        with self._lock:
            if not self.pumps:
                return
            self.over, self.hard = True, self.hard or hard
            os.eventfd_write(self._wake, 1)

    def _close(self):
        for end in (self.client, self.service):
            if self.hard:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            end.close()
        os.close(self._wake)
        self.route.ended(self)


class Route:
    def __init__(self, name, listen, target):
        self.name, self.listen_port, self.target = name, listen, target
        self.mode = PASS
        self._links = set()
        self._changed = threading.Condition()
        self._listener = None
        self._bind()

    def _bind(self):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.listen_port))
        listener.listen(64)
        self.listen_port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return  # the route is cut
            if self.mode == RESET:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
                client.close()
                continue
            threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client):
        self.wait_for_passage(True)
        try:
            service = socket.create_connection(("127.0.0.1", self.target), timeout=10)
            service.settimeout(None)
        except OSError:
            client.close()  # the service itself is away
            return
        for end in (client, service):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._changed:
            refused = self.mode in (CUT, RESET)
            if not refused:
                self._links.add(Link(self, client, service))
        if refused:
            client.close()
            service.close()

    def wait_for_passage(self, requests):
        """Until the mode lets a piece through that way."""
        if self.mode == SLOW:
            time.sleep(SLOW_S)
        with self._changed:
            while self.mode == STALL or (self.mode == MUTE and not requests):
                self._changed.wait()

    def ended(self, link):
        self._links.discard(link)

    def set(self, mode):
        if mode not in MODES:
            raise ValueError(f"no mode {mode!r}: {' '.join(MODES)}")
        with self._changed:
            before, self.mode = self.mode, mode
            links = list(self._links)
            self._changed.notify_all()
        if mode in (CUT, RESET):
            if mode == CUT and before != CUT:
                self._listener.shutdown(socket.SHUT_RDWR)
                self._listener.close()
            for link in links:
                link.end(hard=mode == RESET)
        if before == CUT and mode != CUT:
            self._bind()


class Proxy:
    """All routes of one process; tests use it directly."""

    def __init__(self, routes):
        self.routes = {name: Route(name, listen, target) for name, (listen, target) in routes.items()}

    def obey(self, line):
        try:
            name, mode = line.split()
            self.routes[name].set(mode)
            return "ok"
        except (KeyError, ValueError, OSError) as trouble:
            return f"refused: {line!r}: {trouble}"


class Control:
    """The driver's end: the process, and a word to it."""

    def __init__(self, process, path):
        self.process, self.path = process, path

    def set(self, name, mode):
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(10)
            line.connect(str(self.path))
            line.sendall(f"{name} {mode}\n".encode())
            answer = line.makefile().readline().strip()
        if answer != "ok":
            raise RuntimeError(f"proxy: {answer}")


def serve(path, proxy):
    Path(path).unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(8)
        while True:
            line, _ = listener.accept()
            with line:
                for said in line.makefile():
                    line.sendall(f"{proxy.obey(said)}\n".encode())


def main():
    routes = {}
    for word in sys.argv[2:]:
        name, _, ports = word.partition("=")
        listen, _, target = ports.partition(":")
        routes[name] = (int(listen), int(target))
    serve(sys.argv[1], Proxy(routes))


if __name__ == "__main__":
    main()
