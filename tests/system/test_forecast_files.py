"""forebay train, backtest and forecast: files alone, no service."""
import json
import math
import os
import random
import signal
import subprocess
import time

import pytest

from support import places

HORIZON, DAY = 12, 24


def series(number, length=24 * 20, seed=5):
    """A day's wave, a level, noise."""
    rng = random.Random(seed * 1000 + number)
    level, swing = 10 + 5 * number, 2 + number % 3
    return [level + swing * math.sin(2 * math.pi * (t + number) / DAY) + rng.gauss(0, 0.4) for t in range(length)]


def line(number, values):
    return json.dumps({"id": f"s{number}", "start": "2024-03-01 00:00:00", "target": [None if v is None else round(v, 4) for v in values]})


def forebay(*words, code=0, stdin=None):
    done = subprocess.run([str(places.program("forebay")), *map(str, words)], input=stdin, capture_output=True, text=True, check=False,
                          cwd=places.TOP)
    assert done.returncode == code, done.stderr
    return done


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("series") / "series.jsonl"
    path.write_text("\n".join(line(n, series(n)) for n in range(12)) + "\n")
    return path


TINY = ("--freq=1h", f"--horizon={HORIZON}", f"--holdout={3 * HORIZON}", "--networks=1", "--hidden=12", "--epochs=12", "--batches=20",
        "--seconds=0")


@pytest.fixture(scope="module")
def model(file):
    path = file.with_name("model")
    told = json.loads(forebay("train", file, *TINY, f"--model={path}", "--json").stdout)
    assert told["networks"] == 1 and told["name"] == "deepar-1h" and told["figures"]["wql"] > 0
    return path, told


def backtest(file, *words):
    return json.loads(forebay("backtest", file, "--freq=1h", f"--horizon={HORIZON}", "--windows=3", "--json", *words).stdout)


def test_backtest_judges_members_and_ensemble(file, model):
    figures = backtest(file, f"--model={model[0]}")
    assert figures["series"] == 12 and figures["forecasts"] == 36 and figures["model"] == model[1]["version"]
    members = figures["members"]
    assert {"last", "season", "theta", "ets", "ridge", "deepar"} <= set(members)
    assert members["deepar"]["awake"] == 1
    assert members["last"]["wql"] > 2 * members["season"]["wql"], "a wave is not forecast by its last value"
    assert figures["ensemble"]["wql"] < members["season"]["wql"]
    assert 0.7 < figures["ensemble"]["coverage80"] < 0.95
    assert backtest(file, f"--model={model[0]}") | {"seconds": 0, "cpu_seconds": 0} == figures | {"seconds": 0, "cpu_seconds": 0}


def test_backtest_sees_nothing_behind_an_origin(file, model):
    """Of two windows the last is not known, so that all figures are of the first: what comes between the two must not matter."""
    def judged(name, change):
        path = file.with_name(name)
        path.write_text("\n".join(line(n, change(series(n)[:-HORIZON]) + [None] * HORIZON) for n in range(12)))
        told = json.loads(forebay("backtest", path, "--freq=1h", f"--horizon={HORIZON}", "--windows=2", f"--stride={2 * HORIZON}", "--json",
                                  f"--model={model[0]}").stdout)
        assert told["forecasts"] == 24
        for member in told["members"].values():
            del member["weight"]  # of both windows
        return {name: told[name] for name in ("ensemble", "uncalibrated", "members")}
    usual = judged("usual.jsonl", lambda values: values)
    assert usual["ensemble"]["crps"] > 0 and usual["members"]["deepar"]["awake"] == 1
    assert judged("wild.jsonl", lambda values: values[:-HORIZON] + [(-1) ** t * 1e6 for t in range(HORIZON)]) == usual
    assert judged("unknown.jsonl", lambda values: values[:-HORIZON] + [None] * HORIZON) == usual
    before = judged("before.jsonl", lambda values: values[:-2 * HORIZON - 1] + [99.0] + values[-2 * HORIZON:])
    assert before["ensemble"] != usual["ensemble"] and before["members"]["last"] != usual["members"]["last"], "the step before it does"


def test_a_model_that_has_seen_the_windows_is_refused(file, model):
    told = forebay("backtest", file, "--freq=1h", f"--horizon={HORIZON}", "--windows=4", f"--model={model[0]}", code=1).stderr
    assert f"--holdout={4 * HORIZON}" in told and model[1]["version"] in told


def test_the_holdout_that_is_asked_for_suffices_where_series_end_at_different_times(tmp_path):
    ends = tmp_path / "ends.jsonl"
    ends.write_text("\n".join(line(n, series(n)[:480 - 20 * n]) for n in range(4)))
    words = ("--networks=1", "--epochs=1", "--batches=1", "--hidden=4", f"--model={tmp_path / 'm'}")
    forebay("train", ends, *TINY[:3], *words)
    told = forebay("backtest", ends, "--freq=1h", "--windows=3", *words[-1:], code=1).stderr
    assert "series 4 (s3)" in told and f"--holdout={60 + 3 * HORIZON}," in told
    forebay("train", ends, *TINY[:2], f"--holdout={60 + 3 * HORIZON}", *words)
    assert backtest(ends, *words[-1:])["bases"]["model"] == 12


def test_the_same_training_gives_the_same_version(file, model):
    again = file.with_name("again")
    assert json.loads(forebay("train", file, *TINY, f"--model={again}", "--json").stdout)["version"] == model[1]["version"]
    other = json.loads(forebay("train", file, *TINY, f"--model={again}", "--seed=2", "--json").stdout)
    assert other["version"] != model[1]["version"]


def test_a_killed_training_goes_on(file, tmp_path):
    progress, path = tmp_path / "progress", tmp_path / "model"
    longer = (*TINY, "--hidden=40", "--epochs=40", "--networks=2")
    version = json.loads(forebay("train", file, *longer, f"--model={path}", "--json").stdout)["version"]
    words = [str(places.program("forebay")), "train", str(file), *longer, f"--model={path}", f"--progress={progress}", "--save.seconds=1",
             "--json"]
    kills = 0
    for _ in range(3):
        process = subprocess.Popen(words, stdout=subprocess.PIPE, cwd=places.TOP, text=True)
        stamp = progress.stat().st_mtime_ns if progress.exists() else 0
        while process.poll() is None and (not progress.exists() or progress.stat().st_mtime_ns == stamp):
            time.sleep(0.01)
        if process.poll() is not None:
            break
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        kills += 1
    if kills == 3:
        process = subprocess.Popen(words, stdout=subprocess.PIPE, cwd=places.TOP, text=True)
    told = process.communicate()[0]
    assert process.returncode == 0 and json.loads(told)["version"] == version
    assert not progress.exists()
    if not kills:
        pytest.skip("the training was over before it had been saved once")


def test_forecasts_come_in_order_and_bad_lines_spoil_nothing(file, model):
    lines = [line(0, series(0)), '{"start":"2024-03-01 00:00:00"}', line(1, series(1)), "no json", line(2, [None] * 30), line(3, [5.0] * 200),
             line(4, series(4)[:3])]
    done = forebay("forecast", "-", f"--model={model[0]}", "--quantiles=0.1,0.5,0.9", stdin="\n".join(lines), code=2)
    out = [json.loads(text) for text in done.stdout.splitlines()]
    assert len(out) == 7 and [o.get("id") for o in out] == ["s0", None, "s1", None, None, "s3", "s4"]
    assert 'line 2: "target" must be an array' in out[1]["error"]["message"]
    assert "line 4: no JSON" in out[3]["error"]["message"]
    assert "line 5" in out[4]["error"]["message"]
    assert "3 of 7 lines" in done.stderr
    for good in (out[0], out[2]):
        assert good["basis"] == "model" and set(good["quantiles"]) == {"0.1", "0.5", "0.9"}
        assert all(len(q) == HORIZON for q in good["quantiles"].values()) and len(good["mean"]) == HORIZON
        assert all(a <= b <= c for a, b, c in zip(*(good["quantiles"][q] for q in ("0.1", "0.5", "0.9"))))
    assert out[5]["basis"] in ("naive", "classical") and out[5]["quantiles"]["0.5"] == pytest.approx([5.0] * HORIZON, rel=1e-6)
    assert out[6]["basis"] in ("naive", "model") and len(out[6]["mean"]) == HORIZON  # three values are little to go by
    alone = forebay("forecast", "-", f"--model={model[0]}", "--quantiles=0.1,0.5,0.9", stdin=line(0, series(0)))
    assert json.loads(alone.stdout)["quantiles"] == out[0]["quantiles"], "a forecast depends on its line number only by its noise"


def test_refusals(file, model, tmp_path):
    text = model[0].read_bytes()
    broken = tmp_path / "broken"
    broken.write_bytes(text[:-7])
    assert str(broken) in forebay("forecast", file, f"--model={broken}", code=2).stderr
    flipped = bytearray(text)
    flipped[len(text) // 2] ^= 1
    broken.write_bytes(flipped)
    for words in (("forecast", file), ("backtest", file, "--freq=1h")):
        told = forebay(*words, f"--model={broken}", code=2).stderr
        assert f"{broken} is no model file" in told and "checksum" in told and "FILE_INVALID" in told and "checkpoints" not in told
    told = forebay("backtest", file, f"--model={model[0]}", "--freq=15min", code=1).stderr
    assert "15min" in told and "1h" in told
    for words in (("forecast", file, "--freq=1h"), ("backtest", file, "--freq=1h")):
        assert "members: deepar" in forebay(*words, "--horizon=2", "--members=season,deepar", code=1).stderr
    told = forebay("forecast", file, f"--model={model[0]}", "--freq=15min", code=1).stderr
    assert "15min" in told and "1h" in told
    told = forebay("forecast", file, f"--model={model[0]}", f"--horizon={HORIZON + 1}", code=1).stderr
    assert str(HORIZON) in told
    assert "horizon" in forebay("backtest", file, "--freq=1h", code=1).stderr
    short = tmp_path / "short.jsonl"
    short.write_text(line(0, series(0)[:40]))
    told = forebay("train", short, "--freq=1h", f"--horizon={HORIZON}", f"--model={tmp_path / 'm'}", code=1).stderr
    assert "300" in told and not (tmp_path / "m").exists()


def test_what_a_training_cannot_write_or_go_on_with_is_told_before_it(file, tmp_path):
    endless = (file, "--freq=1h", f"--horizon={HORIZON}", "--seconds=0", "--epochs=100000")
    for path in (tmp_path / "none" / "m", tmp_path):
        assert str(path) in forebay("train", *endless, f"--model={path}", code=2).stderr
    progress = tmp_path / "progress"
    progress.write_text("no training")
    told = forebay("train", *endless, f"--model={tmp_path / 'm'}", f"--progress={progress}", code=2).stderr
    assert f"{progress} is no training" in told and "delete it" in told and "FILE_INVALID" in told
    assert [path.name for path in tmp_path.iterdir()] == ["progress"]


def test_series_that_are_passed_over_are_counted(file, tmp_path):
    mixed = tmp_path / "mixed.jsonl"
    mixed.write_text("\n".join([line(0, series(0)), line(1, series(1)), line(2, series(2)[:HORIZON]), line(3, series(3)[:HORIZON + 1])]))
    told = json.loads(forebay("train", mixed, *TINY[:2], "--networks=1", "--epochs=1", "--batches=1", "--hidden=4", "--json",
                              f"--model={tmp_path / 'm'}").stdout)
    assert (told["learnt_from"], told["series"]) == (2, 4)
    told = backtest(mixed)
    assert told["series"] == 4 and told["too_short"] == 1 and told["bases"]["naive"] >= 1 and told["bases"]["model"] == 0
    assert sum(told["bases"].values()) == told["forecasts"]
    assert "fallen back" in forebay("backtest", mixed, "--freq=1h", f"--horizon={HORIZON}").stdout


def test_the_mean_is_the_same_whichever_quantiles_are_asked_for(file, model):
    def mean(*words):
        told = json.loads(forebay("forecast", "-", f"--model={model[0]}", *words, stdin=line(0, series(0))).stdout)
        return told["mean"], list(told["quantiles"])
    usual, levels = mean()
    assert len(levels) == 11
    for asked in ("0.9", "0.5,0.9", "0.01,0.333"):
        numbers, levels = mean(f"--quantiles={asked}")
        assert levels == asked.split(",") and numbers == pytest.approx(usual, rel=1e-9)


def test_a_series_that_cannot_be_learnt_from_is_named(tmp_path):
    lines = [line(n, [round(abs(v)) for v in series(n)]) for n in range(3)]
    lines[1:1] = ["", line(7, [3] * 100 + [-4] + [5] * 50)]
    counts = tmp_path / "counts.jsonl"
    counts.write_text("\n".join(lines))
    words = ("--freq=1h", f"--horizon={HORIZON}", "--head=negative-binomial", f"--model={tmp_path / 'm'}", "--epochs=1", "--networks=1",
             "--batches=1", "--validation.windows=1")
    told = forebay("train", counts, *words, code=2).stderr
    assert f"{counts}: line 3, series s7: target[100] is -4" in told and "negative-binomial" in told
    counts.write_text("\n".join(lines).replace("-4", "4.5"))
    assert f"{counts}: line 3, series s7: value 100 is 4.5" in forebay("train", counts, *words, code=2).stderr
    counts.write_text("\n".join(lines).replace("-4", "4"))
    forebay("train", counts, *words)
    table = tmp_path / "table.csv"
    rows = [f"2024-03-{1 + t // 24:02d} {t % 24:02d}:00:00,{t % 5},{-1 if t == 399 else 2}" for t in range(400)]
    table.write_text("\n".join(["time,good,bad", *rows]))
    assert 'column "bad": target[399] is -1' in forebay("train", table, *words, code=2).stderr
    forebay("train", table, *words, "--holdout=1")
