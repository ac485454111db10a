"""How good are forecasts on public data, member by member, against the naive floor and the goals?

Each set is cut by its published protocol: the last windows are forecast from rolling origins, the model is trained on what is
before.  One configuration for all, chosen from frequency and length alone.  Figures: wQL pooled over the nine deciles, MASE,
coverage; the median over independent trainings (seeds 1, 2, ...).

Environment: FOREBAY_ACCURACY_SETS (names, blank separated), FOREBAY_ACCURACY_SECONDS (CPU seconds of each training, 200),
FOREBAY_ACCURACY_SEEDS (how many trainings, 3).
"""
import json
import os
import pathlib
import statistics
import subprocess
import tempfile

import accuracy_sets
import common

SECONDS = int(os.environ.get("FOREBAY_ACCURACY_SECONDS", "200"))
SEEDS = int(os.environ.get("FOREBAY_ACCURACY_SEEDS", "3"))
NAIVE = ("last", "season", "long-season")


def forebay(*words):
    done = subprocess.run([common.BUILD / "cli/forebay", *map(str, words), "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True)
    if done.returncode:
        raise SystemExit(f"forebay {' '.join(map(str, words))}: {done.stderr[-2000:]}")
    return json.loads(done.stdout)


def once(folder, name, seed):
    _, frequency, horizon, windows, _ = accuracy_sets.SETS[name]
    file, model = folder / f"{name}.jsonl", folder / f"{name}-{seed}.model"
    trained = forebay("train", file, "--freq", frequency, "--horizon", horizon, "--holdout", horizon * windows, "--model", model,
                      "--seconds", SECONDS, "--seed", seed)
    judged = forebay("backtest", file, "--freq", frequency, "--horizon", horizon, "--windows", windows, "--model", model,
                     "--seed", seed)
    naive = min(judged["members"][m]["wql"] for m in NAIVE if m in judged["members"])
    best = min(m["wql"] for m in judged["members"].values())
    ensemble = judged["ensemble"]
    return {"naive": naive, "best_member": best, "deepar": judged["members"].get("deepar", {}).get("wql", float("nan")),
            "ensemble": ensemble["wql"], "of_naive": ensemble["wql"] / naive, "of_best": ensemble["wql"] / best,
            "mase": ensemble["mase"], "coverage80": ensemble["coverage80"], "coverage95": ensemble["coverage95"],
            "train_cpu_s": trained["cpu_seconds"], "forecasts_per_cpu_s": judged["forecasts"] / judged["cpu_seconds"],
            "members": {m: round(v["wql"], 5) for m, v in judged["members"].items()},
            "weights": {m: round(v["weight"], 2) for m, v in judged["members"].items()}}


def verdict(figures, goals):
    """Goal by goal: figure, goal, met or not."""
    wanted = {"of_naive": 1.0, "of_best": 1.02, **goals}
    met = {k: figures[k] <= v for k, v in wanted.items()}
    met["coverage80"] = 0.78 <= figures["coverage80"] <= 0.82
    met["coverage95"] = 0.93 <= figures["coverage95"] <= 0.97
    return {k: f"{figures[k]:.4f} ({'met' if m else 'missed'}: goal {wanted.get(k, 'as it says')})" for k, m in met.items()}


def run(_records):
    names = os.environ.get("FOREBAY_ACCURACY_SETS", " ".join(accuracy_sets.SETS)).split()
    if not accuracy_sets.DATA.is_dir():
        common.say(f"SKIPPED: {accuracy_sets.DATA} is not there; set FOREBAY_TEST_DATA")
        return {}
    answers = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            series = accuracy_sets.write(name, pathlib.Path(folder) / f"{name}.jsonl")
            runs = [once(pathlib.Path(folder), name, seed) for seed in range(1, SEEDS + 1)]
            figures = {k: statistics.median(r[k] for r in runs) for k, v in runs[0].items() if not isinstance(v, dict)}
            answers[name] = {"series": series, **figures, "members": runs[0]["members"], "weights": runs[0]["weights"],
                             "verdict": verdict(figures, accuracy_sets.SETS[name][4])}
            common.say(f"{name}: {json.dumps(answers[name])}")
    return answers
