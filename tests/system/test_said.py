"""What `forebay` says where nothing can be written, and of itself: no service."""
import subprocess

import pytest

from support import places


def run(*words, out=subprocess.PIPE):
    return subprocess.run([str(places.program("forebay")), *words], stdout=out, stderr=subprocess.PIPE, text=True, check=False,
                          cwd=places.TOP)


@pytest.mark.parametrize("words", [["help"], ["--version"], ["reasons"], ["reasons", "page"], ["topics", "page"], ["detect", "--help"]],
                         ids=" ".join)
def test_a_full_disk_is_told(words):
    assert run(*words).returncode == 0
    with open("/dev/full", "w") as full:
        done = run(*words, out=full)
    assert done.returncode == 2 and "standard output cannot be written" in done.stderr


def test_every_verb_has_a_help():
    verbs = [line.split()[0] for line in run("help").stdout.splitlines() if line.startswith("  ") and not line.startswith("  forebay")]
    assert len(verbs) > 10
    for verb in verbs:
        assert run(verb, "--help").returncode == 0, verb
        assert run("help", verb).returncode == 0, verb


def test_help_of_nothing():
    done = run("help", "topic")
    assert done.returncode == 1 and "did you mean topics" in done.stderr
