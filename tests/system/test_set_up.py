"""`forebay topics` and `forebay db` on an empty cluster and database."""
import json
import subprocess

from support import places

GOOD = "partitions = 2\ntopic.first.doc = x\ntopic.first.retention.ms = {ms}\n"
BAD = "topic.second.doc = y\ntopic.second.compression.type = none.of.these\n"


def start(stack, *words):
    return subprocess.Popen([str(places.program("forebay")), *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True, cwd=places.TOP, env=stack.environment())


def call(stack, *words):
    process = start(stack, *words)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def topics(stack, *words):
    code, out, err = call(stack, "topics", *words, "--json")
    assert code == 0, err
    return json.loads(out)


def test_topics_all_or_nothing(stack, tmp_path):
    file = tmp_path / "topics.properties"
    file.write_text(GOOD.format(ms=86400000))
    assert topics(stack, "apply", "--topics", file)["created"] == 1
    file.write_text(GOOD.format(ms=1000) + BAD)
    code, _, err = call(stack, "topics", "apply", "--topics", file)
    assert code == 2 and "nothing was changed" in err and "second" in err
    first, = [t for t in topics(stack, "list", "--topics", file)["topics"] if t["topic"] == "first"]
    assert first["retention.ms"] == "86400000", "the cluster refused another topic"


def test_partitions_of_the_command_line(stack, tmp_path):
    file = tmp_path / "topics.properties"
    file.write_text("defaults.partitions = 3\ntopic.third.doc = x\ntopic.fourth.doc = y\ntopic.fourth.partitions = 1\n")
    topics(stack, "apply", "--topics", file, "--partitions", 5)
    found = {t["topic"]: t.get("partitions") for t in topics(stack, "list", "--topics", file)["topics"]}
    assert found["third"] == 5 and found["fourth"] == 1


def test_two_migrations_at_once(stack):
    both = [start(stack, "db", "migrate") for _ in range(2)]
    said = [process.communicate(timeout=60)[0] for process in both]
    assert all(process.returncode == 0 for process in both)
    for text in said:
        *applied, summary = text.splitlines()
        assert summary.endswith(f" {len(applied)} applied now")
    assert sum(text.count("applied 0") for text in said) == len(list((places.TOP / "deploy/migrations").glob("*.sql")))
