"""One stack for the run, fresh for each file of tests; its folder is wiped at the end.

The logs stay, beside it, when a test failed; with FOREBAY_TEST_KEEP_LOGS set they always stay.
"""
import atexit
import os
import shutil
import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import places  # noqa: E402
from support.avro import Schemas  # noqa: E402
from support.broker import Broker  # noqa: E402
from support.database import Database  # noqa: E402
from support.fleet import Fleet, forebay  # noqa: E402
from support.stack import Stack  # noqa: E402
from support.states import World  # noqa: E402


def pytest_configure():
    # Killed softly, we still tidy up; left alone, Python would just die.
    signal.signal(signal.SIGTERM, lambda number, frame: pytest.exit("SIGTERM", 143))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    report = (yield).get_result()
    if report.failed:
        item.session.stash[FAILED] = True
        report.sections.append(("logs", f"workers and services: {places.LOGS / item.path.stem}"))


FAILED = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def _whole_stack(request):
    stack = Stack()
    atexit.register(stack.wipe)
    yield stack
    stack.wipe()
    if not request.session.stash.get(FAILED, False) and not os.environ.get("FOREBAY_TEST_KEEP_LOGS"):
        shutil.rmtree(places.LOGS, ignore_errors=True)


@pytest.fixture(scope="module")
def stack(request, _whole_stack):
    """Empty Kafka, PostgreSQL and Redis: no topics, no tables."""
    _whole_stack.fresh()
    yield _whole_stack
    _whole_stack.keep_logs(places.log_folder(request.path.stem, "services"))


@pytest.fixture(scope="module")
def line(stack):
    """The stack with all topics, schemas and tables, as its README tells."""
    forebay(stack, "topics", "apply")
    forebay(stack, "schemas", "register")
    forebay(stack, "db", "migrate")
    return stack


@pytest.fixture(scope="module")
def module_fleet(request, line):
    """Workers that live as long as the file's tests."""
    fleet = Fleet(line, places.log_folder(request.path.stem, "fleet"))
    yield fleet
    fleet.destroy()


@pytest.fixture
def fleet(request, line):
    """Workers of one test."""
    fleet = Fleet(line, places.log_folder(request.path.stem, request.node.name.replace("/", "_")))
    yield fleet
    fleet.destroy()


@pytest.fixture(scope="module")
def broker(stack):
    return Broker(stack.bootstrap)


@pytest.fixture(scope="module")
def database(stack):
    return Database(stack.postgres_uri)


@pytest.fixture(scope="session")
def schemas():
    return Schemas()


@pytest.fixture
def world(request, line, broker, database, fleet, schemas):
    """Topics and groups of one test, named after it."""
    name = request.node.originalname.removeprefix("test_").replace("_", "-")
    row = getattr(request.node, "callspec", None)
    name += "".join(f"-{n}" for n in row.indices.values()) if row else ""
    world = World(line, broker, database, fleet, schemas, name)
    yield world
    world.close()
