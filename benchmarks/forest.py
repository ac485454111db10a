"""How many records does a core score and learn with a Random Cut Forest (50 x 256, 8 dimensions), and how many with AWS's library?

Ours per set of kernels: hot, in turns over 10,000 forests, looks alone, bytes. The peer (peers/forest, Java; Maven fetches it) on the
same rows and one thread, in turns with ours: one hot forest of eight columns, one of a shingle of eight rows, 200 forests in turns.
Per CPU-second of the thread, so that Java's compiler and collector are not counted, the best of each; the ratio is the median over the
turns of the ratio within a turn. Environment: FOREBAY_FOREST_FORESTS (10,000 want 2.2 GB), FOREBAY_FOREST_TURNS.
"""
import json
import os
import statistics
import subprocess
import tempfile

import common

FORESTS = int(os.environ.get("FOREBAY_FOREST_FORESTS", "10000"))
TURNS = int(os.environ.get("FOREBAY_FOREST_TURNS", "3"))
PEER = common.TOP / "benchmarks/peers/forest"
PEER_FORESTS = 200
PEER_SECONDS = 3  # of each of its batches
OURS = common.BUILD / "benchmarks/forest"


def ours(*words):
    return json.loads(common.timed([OURS, *words], dict(os.environ))[2])


def peer_classes():
    libs = common.BUILD / "forest-peer"
    subprocess.run(["mvn", "-q", "-B", "-Dstyle.color=never", "-f", PEER / "pom.xml", f"-Dforest.libs={libs}", "package"], check=True,
                   stdout=subprocess.DEVNULL)
    return f"{libs}/*"


def peer(classes, rows):
    java = ["java", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-Xms1g", "-Xmx1g", "-cp", classes, "ForestPeer"]
    return json.loads(common.timed([*java, rows, PEER_SECONDS, PEER_FORESTS], dict(os.environ))[2])


def in_turns(classes, rows):
    best, ratios = {"ours": {}, "aws": {}}, {}
    for _ in range(TURNS):
        now = {"ours": ours("--turn", 100_000, PEER_FORESTS), "aws": peer(classes, rows)}
        for name in now["ours"]:
            ratios.setdefault(name, []).append(now["ours"][name] / now["aws"][name])
            for who, figures in now.items():
                best[who][name] = max(best[who].get(name, 0), figures[name])
    return {"median_ratio_of_turns": {name: statistics.median(of) for name, of in ratios.items()}, **best,
            "aws_mean_score": now["aws"]["mean_score"]}


def run(_records):
    classes = peer_classes()
    with tempfile.NamedTemporaryFile(suffix=".rows") as rows:
        subprocess.run([OURS, "--rows"], check=True, stdout=rows)
        answer = in_turns(classes, rows.name)
    return {**answer, "all": ours(100_000, FORESTS)}
