"""How many records does a core score and learn with a Random Cut Forest (50 x 256, 8 dimensions), and how many with AWS's library?

Ours per set of kernels: hot, in turns over 10,000 forests, looks alone, bytes. The peer (peers/forest, Java; Maven fetches it) on the
same rows and one thread, in turns with ours: one hot forest of eight columns, one of a shingle of eight rows, 200 forests in turns.
Per CPU-second of the thread, so that Java's compiler and collector are not counted, the best of each; the ratio is the median over the
turns of the ratio within a turn. And do they say the same? Probes with a column up to eight deviations of the noise off, looked at
by a forest of each that has learnt the same rows. Environment: FOREBAY_FOREST_FORESTS (10,000 want 2.2 GB), FOREBAY_FOREST_TURNS.
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


def made(what):
    file = tempfile.NamedTemporaryFile(suffix=".rows")
    subprocess.run([OURS, what], check=True, stdout=file)
    return file


def peer_classes():
    libs = common.BUILD / "forest-peer"
    subprocess.run(["mvn", "-q", "-B", "-Dstyle.color=never", "-f", PEER / "pom.xml", f"-Dforest.libs={libs}", "package"], check=True,
                   stdout=subprocess.DEVNULL)
    return f"{libs}/*"


def peer(classes, *words):
    java = ["java", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-Xms1g", "-Xmx1g", "-cp", classes, "ForestPeer"]
    return common.timed([*java, *words], dict(os.environ))[2]


def ranks(scores):
    places = sorted(range(len(scores)), key=scores.__getitem__)
    return sorted(range(len(scores)), key=places.__getitem__)


def agreement(classes, rows):
    with made("--probes") as probes:
        lines = peer(classes, rows, probes.name).splitlines()
    aws, other = zip(*([float(word) for word in line.split()] for line in lines if line))
    us = [float(line) for line in common.timed([OURS, "--scores"], dict(os.environ))[2].split()]
    return {"rank_correlation": statistics.correlation(ranks(us), ranks(aws)),
            "rank_correlation_of_two_of_aws": statistics.correlation(ranks(aws), ranks(other)),
            "mean_ratio": statistics.mean(us) / statistics.mean(aws),
            "quartiles": {"ours": statistics.quantiles(us), "aws": statistics.quantiles(aws)}}


def in_turns(classes, rows):
    best, ratios = {"ours": {}, "aws": {}}, {}
    for _ in range(TURNS):
        now = {"ours": ours("--turn", 100_000, PEER_FORESTS), "aws": json.loads(peer(classes, rows, PEER_SECONDS, PEER_FORESTS))}
        for name in now["ours"]:
            ratios.setdefault(name, []).append(now["ours"][name] / now["aws"][name])
            for who, figures in now.items():
                best[who][name] = max(best[who].get(name, 0), figures[name])
    return {"median_ratio_of_turns": {name: statistics.median(of) for name, of in ratios.items()}, **best}


def run(_records):
    classes = peer_classes()
    with made("--rows") as rows:
        answer = {"scores": agreement(classes, rows.name), **in_turns(classes, rows.name)}
    return {**answer, "all": ours(100_000, FORESTS)}
