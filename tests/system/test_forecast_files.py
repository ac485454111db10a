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


LITTLE = ("--networks=1", "--epochs=1", "--batches=1", "--hidden=4")


@pytest.fixture(name="ragged")
def ragged_file(tmp_path):
    """Devices that stopped: at the end, a step and a window and more earlier, and long ago."""
    path = tmp_path / "ragged.jsonl"
    path.write_text("\n".join(line(n, series(n)[:480 - stop]) for n, stop in enumerate((0, 1, HORIZON + 2, 3 * HORIZON, 200))))
    return path


def test_train_and_backtest_agree_where_series_end_at_different_times(ragged):
    """One moment for all: what is behind it was seen of no series, and what is judged begins there or later."""
    path = ragged.with_name("m")
    held = json.loads(forebay("train", ragged, *TINY[:3], *LITTLE, f"--model={path}", "--json").stdout)["held_out"]
    assert held == {"steps": 3 * HORIZON, "by": "calendar", "series": 3, "values": 3 * HORIZON + 3 * HORIZON - 1 + 2 * HORIZON - 2,
                    "series_ended": 2, "from": "2024-03-19T12:00:00.000000Z"}
    told = backtest(ragged, f"--model={path}")
    assert told["windows_by"] == "calendar" and told["first_window"] == held["from"]
    assert told["forecasts"] == told["bases"]["model"] == 3 + 3 + 2
    assert told["left_out"] == {"windows": 7, "series_too_short": 0, "series_ended": 2, "cut_short": 2}
    text = forebay("backtest", ragged, "--freq=1h", "--windows=3", f"--model={path}").stdout
    assert "2 series end before them, 2 forecasts are judged by the steps that there are" in text
    refused = forebay("backtest", ragged, "--freq=1h", "--windows=4", f"--model={path}", code=1).stderr
    assert f"--holdout={4 * HORIZON}," in refused and held["from"] in refused
    forebay("train", ragged, *TINY[:2], f"--holdout={4 * HORIZON}", *LITTLE, f"--model={path}")
    forebay("backtest", ragged, "--freq=1h", "--windows=4", f"--model={path}")


def test_a_training_does_not_see_what_is_held_out(ragged):
    """Neither the version nor a forecast changes with what any series was from the border on."""
    def version(change):
        path, lines = ragged.with_name("other.jsonl"), ragged.read_text().splitlines()
        rows = [json.loads(text) for text in lines]
        for row in rows:
            row["target"] = row["target"][:444] + [change(v) for v in row["target"][444:]]
        path.write_text("\n".join(json.dumps(row) for row in rows))
        return json.loads(forebay("train", path, *TINY[:3], *LITTLE, f"--model={ragged.with_name('m')}", "--json").stdout)["version"]
    assert version(lambda v: v) == version(lambda v: -1e6 * v) == version(lambda v: None)


def test_series_of_unrelated_calendars_are_cut_at_their_own_ends(ragged):
    path = ragged.with_name("m")
    words = (*LITTLE, "--holdout.by=series", f"--model={path}")
    held = json.loads(forebay("train", ragged, *TINY[:3], *words, "--json").stdout)["held_out"]
    assert held == {"steps": 3 * HORIZON, "by": "series", "series": 5, "values": 15 * HORIZON, "series_ended": 0}
    told = backtest(ragged, f"--model={path}")
    assert told["windows_by"] == "series" and told["bases"]["model"] == 15
    assert told["left_out"] == {"windows": 0, "series_too_short": 0, "series_ended": 0, "cut_short": 0}
    refused = forebay("backtest", ragged, "--freq=1h", "--windows=4", f"--model={path}", code=1).stderr
    assert f"--holdout={4 * HORIZON} --holdout.by=series," in refused
    # Of other series nobody knows what it has seen: they are judged behind the latest time that it has.
    fewer = ragged.with_name("fewer.jsonl")
    fewer.write_text("\n".join(ragged.read_text().splitlines()[:4]))
    assert backtest(fewer, f"--model={path}")["windows_by"] == "calendar"


def test_names_of_series_do_not_steer_the_terminal(tmp_path):
    path = tmp_path / "names.jsonl"
    path.write_text("\n".join(json.dumps({"id": f"\x1b[31m{n}\a", "start": "2024-03-01 00:00:00", "target": series(n)}) for n in range(2)))
    shown = forebay("backtest", path, "--freq=1h", f"--horizon={HORIZON}").stdout
    assert "[31m0" in shown and "\x1b" not in shown and "\a" not in shown


def test_the_worst_series_are_named(tmp_path):
    path = tmp_path / "mixed.jsonl"
    rng = random.Random(3)
    rows = {n: series(n) for n in range(6)}
    rows[4] = rows[4][:-HORIZON] + [v + 30 for v in rows[4][-HORIZON:]]  # it leaps where it is judged
    rows[5] = rows[5][:20]
    path.write_text("\n".join(line(n, values) for n, values in rows.items()) + "\n"
                    + json.dumps({"id": 77, "start": "2024-03-01", "target": [5 + rng.gauss(0, 1) for _ in range(480)]}))
    told = backtest(path, "--worst=2")
    assert [row["id"] for row in told["worst"]][0] == "s4" and len(told["worst"]) == 2
    assert told["worst"][0]["line"] == 5 and told["worst"][0]["values"] == 3 * HORIZON
    assert told["worst"][0]["mase"] > 3 * told["worst"][1]["mase"] and told["worst"][0]["coverage80"] < 0.9
    every = backtest(path)["worst"]
    assert len(every) == 7 and "77" in [row["id"] for row in every]
    assert all(set(row) == {"id", "line", "wql", "mase", "coverage80", "coverage95", "values"} for row in every)
    whole = [row for row in every if row["mase"] is not None]
    assert [row["id"] for row in every if row not in whole] == ["s5"], "it has no season to compare with"
    assert backtest(path)["ensemble"]["mase"] == pytest.approx(sum(row["mase"] for row in whole) / len(whole), rel=1e-6)
    assert "worst" in backtest(path, "--worst=0") and not backtest(path, "--worst=0")["worst"]
    text = forebay("backtest", path, "--freq=1h", f"--horizon={HORIZON}", "--worst=1").stdout
    assert "worst series" in text and "s4" in text and "s3" not in text


def test_a_backtest_of_nothing_is_no_success(model, tmp_path):
    nothing = tmp_path / "nothing.jsonl"
    words = ("--freq=1h", f"--horizon={HORIZON}")
    nothing.write_text(line(0, [None] * 100))
    told = forebay("backtest", nothing, *words, code=2).stderr
    assert "nothing can be judged" in told and "FILE_INVALID" in told
    nothing.write_text(line(0, series(0)[:HORIZON]))
    for more in ((), (f"--model={model[0]}",)):
        assert "1 are too short for any window" in forebay("backtest", nothing, *words, *more, code=2).stderr


def test_a_series_without_the_categories_of_the_model_is_named(tmp_path):
    def write(name, cats):
        path = tmp_path / name
        path.write_text("\n".join(json.dumps(json.loads(line(n, series(n))) | ({} if cat is None else {"cat": [cat]}))
                                  for n, cat in enumerate(cats)))
        return path
    words = (*TINY[:3], *LITTLE, f"--model={tmp_path / 'm'}")
    with_all, none, some = write("all.jsonl", (0, 1, 2)), write("none.jsonl", (None,) * 3), write("some.jsonl", (0, None, 2))
    forebay("train", with_all, *words)
    for verb in (("train", some, *words), ("backtest", some, "--freq=1h", *words[-1:])):
        assert f'{some}: line 2, series s1: "cat" has 0 (it is not there), that of line 1 has 1' in forebay(*verb, code=2).stderr
    told = forebay("backtest", none, "--freq=1h", *words[-1:], code=2).stderr
    assert f"{none}: line 1, series s0: there is no cat, the model wants 1" in told
    out = [json.loads(text) for text in forebay("forecast", some, *words[-1:], code=2).stdout.splitlines()]
    assert [o["id"] for o in out] == ["s0", "s1", "s2"] and [o.get("basis") for o in out] == ["model", None, "model"]
    assert "line 2, series s1: there is no cat, the model wants 1" in out[1]["error"]["message"]
    # Who asks classical members alone asks nothing of the categories.
    assert backtest(none, "--members=season,ets", *words[-1:])["bases"]["classical"] == 9


def test_ids_come_back_as_they_were(file, model):
    def row(number, **more):
        return json.dumps(json.loads(line(number, series(number))) | more)
    lines = [row(0, id=17), row(1, id=2.5), row(2, id="17"), row(3, id=18, target="none"), row(4, id="bad", start="soon")]
    out = [json.loads(text) for text in forebay("forecast", "-", f"--model={model[0]}", stdin="\n".join(lines), code=2).stdout.splitlines()]
    assert [o["id"] for o in out] == [17, 2.5, "17", 18, "bad"] and ["error" in o for o in out] == [False] * 3 + [True] * 2
    assert "line 4, series 18:" in out[3]["error"]["message"]


def test_columns_of_a_table_are_series(file, model, tmp_path):
    """A table and lines with the same numbers give the same forecasts, by file and by standard input."""
    columns, rows = [series(n) for n in range(3)], ["at,s0,s1,dead,s2"]
    for hour in range(len(columns[0])):
        rows.append(f"2024-03-{1 + hour // 24:02} {hour % 24:02}:00:00,"
                    + ",".join("" if n is None else f"{columns[n][hour]:.4f}" for n in (0, 1, None, 2)))
    table, lines = tmp_path / "table.csv", tmp_path / "lines"
    table.write_text("\n".join(rows) + "\n")
    lines.write_text("\n".join(line(n, columns[n]) if n is not None else '{"id":"dead","start":"2024-03-01 00:00:00","target":[null]}'
                               for n in (0, 1, None, 2)))
    wanted = [json.loads(text) for text in forebay("forecast", lines, f"--model={model[0]}", code=2).stdout.splitlines()]
    assert [w.get("basis") for w in wanted] == ["model", "model", None, "model"]
    for words in ((table,), ("-",), (table, "--freq=1h"), (table, "--format=csv", "--columns=s0,s1,dead,s2")):
        told = forebay("forecast", *words, f"--model={model[0]}", code=2, stdin=table.read_text() if words == ("-",) else None).stdout
        got = [json.loads(text) for text in told.splitlines()]
        assert [g["id"] for g in got] == ["s0", "s1", "dead", "s2"]
        assert [g.get("quantiles") for g in got] == [w.get("quantiles") for w in wanted]
        assert 'column "dead" has no value that is known' in got[2]["error"]["message"]
    assert "the model is for 1h, not for 1min" in forebay("forecast", "-", f"--model={model[0]}", code=1,
                                                           stdin="at,x\n2024-03-01 00:00:00,1\n2024-03-01 00:01:00,2\n").stderr


def test_what_to_do_is_asked_before_where(tmp_path):
    for verb, first in (("models", "list, show"), ("checkpoints", "list, show"), ("db", "migrate, status")):
        for words in ((verb, "foo"), (verb,)):
            told = forebay(*words, code=1).stderr
            assert f"say what to do: {first}" in told and "postgres" not in told
        assert f"usage: forebay {verb} " in forebay(verb, "--help").stdout
    assert "postgres.uri" in forebay("models", "list", code=1).stderr
    for verb in ("train", "backtest", "forecast"):
        assert f"usage: forebay {verb} FILE " in forebay(verb, "--help").stdout


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
    assert len(out) == 7 and [o.get("id") for o in out] == ["s0", None, "s1", None, "s2", "s3", "s4"]
    assert 'line 2: "target" must be an array' in out[1]["error"]["message"]
    assert "line 4: no JSON" in out[3]["error"]["message"]
    assert "line 5" in out[4]["error"]["message"]
    assert "3 of 7 series" in done.stderr
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
