"""`meson install`: once into an empty folder, and again over what somebody has edited since."""
import subprocess

import pytest

from support import places

CONFIGS = sorted((places.CONFIG / "config").glob("*.properties"))


def install(folder):
    done = subprocess.run(["meson", "install", "--no-rebuild", "--destdir", folder, "-C", places.BUILD], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("installed")
    install(folder)
    return folder


def the(folder, path):
    found, = [file for file in folder.rglob(path) if file.match(f"*/{path}")]
    return found


def test_all_that_the_programs_look_for_is_there(installed):
    for path in ("share/forebay/topics.properties", "share/forebay/sink.properties", "share/forebay/pathmaps/default.json",
                 "share/forebay/schemas/index.json", "share/forebay/migrations/0001-readings.sql", "bin/forebay"):
        assert the(installed, path).stat().st_size > 0


@pytest.mark.parametrize("config", CONFIGS, ids=lambda file: file.stem)
def test_a_configuration_is_one_of_its_worker(installed, config):
    """With all that is commented out, too."""
    env = {"FOREBAY_BOOTSTRAP_SERVERS": "localhost:9092", "FOREBAY_POSTGRES_URI": "postgresql://localhost/x", "HOSTNAME": "pod-0",
           "FOREBAY_WEBHOOK_SECRET": "x", "REDIS_PASSWORD": "x"}
    text = the(installed, f"etc/forebay/{config.name}").read_text()
    whole = installed / config.name
    whole.write_text("".join(line.removeprefix("#") if line[:1] == "#" and line[1:2].isalpha() else line
                             for line in text.splitlines(keepends=True)))
    done = subprocess.run([places.program(config.stem), "--config", whole, "--check"], env=env, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout


def test_what_was_edited_stays(installed):
    edited, same = (the(installed, f"etc/forebay/{name}.properties") for name in ("sink-writer", "ingest-router"))
    edited.write_text("group.id = ours\n")
    install(installed)
    assert edited.read_text() == "group.id = ours\n"
    assert edited.with_name("sink-writer.properties.new").read_text() == (places.CONFIG / "config/sink-writer.properties").read_text()
    assert not same.with_name("ingest-router.properties.new").exists()
