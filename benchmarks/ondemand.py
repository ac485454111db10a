"""How long does the scorer wait for a forecast that it asks of a trained model in process, one series at a time?

Hourly, horizon 24, 100 paths, by how many networks the model has and how far they look back; the best of some turns. The goals
are p50 2 ms and p99 8 ms.
"""
import json

import common

TURNS = 3
MODELS = ((1, 168), (3, 168), (5, 168), (5, 48), (8, 48))  # networks, context


def once(networks, context):
    return json.loads(common.timed([common.BUILD / "benchmarks/ondemand", str(networks), str(context)], None)[2])


def run(_records):
    answers = {}
    for networks, context in MODELS:
        best = min((once(networks, context) for _ in range(TURNS)), key=lambda one: one["p50_ms"])
        answers[f"{networks} networks, context {context}"] = {
            **best, "goals": "met" if best["p50_ms"] <= 2 and best["p99_ms"] <= 8 else "missed"}
    return answers
