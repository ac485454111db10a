"""The proxy does what its modes say, seen from both ends."""
import socket
import threading

import pytest

from chaos import proxy

SHORT_S, LONG_S = 0.3, 20


class Echo:
    """Answers each piece with itself, and keeps what it heard."""

    def __init__(self):
        self.heard = b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            link, _ = self.listener.accept()
            threading.Thread(target=self._answer, args=(link,), daemon=True).start()

    def _answer(self, link):
        try:
            while piece := link.recv(65536):
                self.heard += piece
                link.sendall(piece)
        except OSError:
            pass
        link.close()


@pytest.fixture
def echo():
    return Echo()


@pytest.fixture
def route(echo):
    return proxy.Proxy({"way": (0, echo.port)}).routes["way"]


def connect(route, timeout=LONG_S):
    return socket.create_connection(("127.0.0.1", route.listen_port), timeout=timeout)


def exchange(link, said):
    link.settimeout(LONG_S)
    link.sendall(said)
    return receive(link, len(said))


def receive(link, size):
    got = b""
    while len(got) < size:
        piece = link.recv(size - len(got))
        if not piece:
            break
        got += piece
    return got


def silent(link):
    link.settimeout(SHORT_S)
    with pytest.raises(TimeoutError):
        link.recv(1)
    link.settimeout(LONG_S)


def test_pass(route):
    link = connect(route)
    assert exchange(link, b"hello") == b"hello"
    big = bytes(range(256)) * 4096
    threading.Thread(target=link.sendall, args=(big,), daemon=True).start()
    assert receive(link, len(big)) == big


def test_an_end_is_passed_on(route):
    link = connect(route)
    link.sendall(b"last")
    link.shutdown(socket.SHUT_WR)
    assert receive(link, 5) == b"last"


def test_stall_delivers_afterwards(route, echo):
    link = connect(route)
    assert exchange(link, b"a") == b"a"
    route.set(proxy.STALL)
    link.sendall(b"b")
    silent(link)
    assert echo.heard == b"a"
    late = connect(route)  # the kernel accepts; nobody is behind it
    late.sendall(b"c")
    silent(late)
    route.set(proxy.PASS)
    assert receive(link, 1) == b"b"
    assert receive(late, 1) == b"c"


def test_mute_lets_requests_through(route, echo):
    link = connect(route)
    assert exchange(link, b"a") == b"a"
    route.set(proxy.MUTE)
    link.sendall(b"b")
    silent(link)
    assert echo.heard == b"ab"
    route.set(proxy.PASS)
    assert receive(link, 1) == b"b"


def test_slow_is_complete(route):
    link = connect(route)
    route.set(proxy.SLOW)
    said = b"x" * (3 * proxy.SLOW_PIECE)
    assert exchange(link, said) == said


@pytest.mark.parametrize("before", [proxy.PASS, proxy.STALL, proxy.MUTE])
def test_cut(route, before):
    link = connect(route)
    assert exchange(link, b"a") == b"a"
    route.set(before)
    route.set(proxy.CUT)
    assert link.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        connect(route)
    route.set(proxy.PASS)
    assert exchange(connect(route), b"again") == b"again"


@pytest.mark.parametrize("before", [proxy.PASS, proxy.STALL, proxy.MUTE, proxy.CUT])
def test_reset(route, before):
    link = connect(route)
    assert exchange(link, b"a") == b"a"
    if before != proxy.CUT:
        route.set(before)
        route.set(proxy.RESET)
        with pytest.raises(ConnectionResetError):
            link.recv(1)
    else:
        route.set(before)
        route.set(proxy.RESET)
    with pytest.raises(OSError):
        new = connect(route)
        new.sendall(b"a")
        if new.recv(1) == b"":
            raise ConnectionResetError
    route.set(proxy.PASS)
    assert exchange(connect(route), b"again") == b"again"


def test_the_service_is_away():
    nobody = socket.create_server(("127.0.0.1", 0))
    port = nobody.getsockname()[1]
    nobody.close()
    route = proxy.Proxy({"way": (0, port)}).routes["way"]
    assert connect(route).recv(1) == b""


def test_words(route, echo):
    p = proxy.Proxy({"way": (0, echo.port)})
    assert p.obey("way stall\n") == "ok"
    assert p.routes["way"].mode == proxy.STALL
    assert "refused" in p.obey("nobody stall\n")
    assert "refused" in p.obey("way sideways\n")
    assert "refused" in p.obey("way\n")
