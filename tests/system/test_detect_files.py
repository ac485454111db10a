"""forebay detect: files alone, no service."""
import csv
import gzip
import json
import math
import random
import subprocess
import sys
from datetime import datetime, timedelta

import pytest

from support import places

START = datetime(2024, 3, 1)
STEP = timedelta(minutes=5)
HEADER = "timestamp,value,anomaly_score,state_score,p,reason"


def moment(i):
    return str(START + i * STEP)


def wave(n=6000, seed=3, spikes=()):
    """A day's wave and noise; a spike of twelve deviations at each place of SPIKES."""
    rng = random.Random(seed)
    return [10 + 3 * math.sin(2 * math.pi * i / 288) + rng.gauss(0, 0.5) + (6 if i in spikes else 0) for i in range(n)]


def table(path, *columns, names=("value",)):
    with open(path, "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["timestamp", *names])
        out.writerows([moment(i), *("%.6f" % v for v in row)] for i, row in enumerate(zip(*columns)))
    return path


def detect(file, *words, code=0, stdin=None):
    done = subprocess.run([str(places.program("forebay")), "detect", str(file), *map(str, words)], input=stdin, capture_output=True,
                          text=True, check=False, cwd=places.TOP)
    assert done.returncode == code, done.stderr
    return done


def rows(text):
    assert text.splitlines()[0] == HEADER
    return list(csv.DictReader(text.splitlines()))


@pytest.fixture
def spiky(tmp_path):
    return table(tmp_path / "spiky.csv", wave(spikes=(3000, 4500)))


def test_a_row_for_a_row_and_the_spikes_stand_out(spiky):
    out = rows(detect(spiky).stdout)
    with open(spiky, newline="") as file:
        given = list(csv.DictReader(file))
    assert [(r["timestamp"], r["value"]) for r in out] == [(r["timestamp"], r["value"]) for r in given]
    scores = [float(r["anomaly_score"]) for r in out]
    assert all(0 <= s < 1 for s in scores)
    assert all(0 < float(r["p"]) <= 1 and float(r["state_score"]) >= 0 for r in out)
    assert sorted(range(len(scores)), key=lambda i: -scores[i])[:2] in ([3000, 4500], [4500, 3000])
    assert "value" in out[3000]["reason"] and "above its mean" in out[3000]["reason"]
    assert sum(s >= 0.4 for s in scores) <= 4, "hardly anything else at p < 1e-4 in 6,000 rows"


def test_a_score_depends_on_the_past_alone(spiky, tmp_path):
    whole = detect(spiky).stdout.splitlines()
    lines = spiky.read_text().splitlines(keepends=True)
    cut, wild = tmp_path / "cut.csv", tmp_path / "wild.csv"
    cut.write_text("".join(lines[:3101]))
    wild.write_text("".join(lines[:3101]) + "".join(f"{moment(i)},{1e9 * (-1) ** i}\n" for i in range(3100, 4000)))
    assert detect(cut).stdout.splitlines() == whole[:3101]
    assert detect(wild).stdout.splitlines()[:3101] == whole[:3101]


def test_the_same_bits_again_whatever_the_way(spiky, tmp_path):
    first, packed, out = detect(spiky).stdout, tmp_path / "packed.csv.gz", tmp_path / "out.csv"
    assert detect(spiky).stdout == first
    packed.write_bytes(gzip.compress(spiky.read_bytes()))
    assert detect(packed, "-o", out).stderr == "" and out.read_text() == first
    assert detect("-", stdin=spiky.read_text()).stdout == first


def test_explain_tells_the_strongest(spiky, tmp_path):
    told = json.loads(detect(spiky, "--explain=3", "--json").stdout)
    assert told["rows"] == 6000 and told["columns"] == ["value"] and told["bad"] == 0 and sum(told["marks"].values()) == 6000
    strongest = told["strongest"]
    assert {s["line"] for s in strongest[:2]} == {3002, 4502} and len(strongest) == 3
    assert strongest[0]["anomaly_score"] >= strongest[1]["anomaly_score"] >= strongest[2]["anomaly_score"]
    assert strongest[0]["members"]["scalar"] < 1e-4 and strongest[0]["timestamp"] in (moment(3000), moment(4500))
    words = detect(spiky, "--explain", 3, "-o", tmp_path / "out.csv").stdout
    assert words.splitlines()[0].startswith("6,000 rows, ") and len(words.splitlines()) == 5
    assert moment(3000) in words and "scalar" in words.splitlines()[1]


def test_a_dash_is_standard_output(spiky, tmp_path):
    done = subprocess.run([str(places.program("forebay")), "detect", str(spiky), "-o", "-"], capture_output=True, text=True, check=True,
                          cwd=tmp_path)
    assert len(rows(done.stdout)) == 6000 and done.stderr == "" and not (tmp_path / "-").exists()
    assert "--json goes" in detect(spiky, "-o", "-", "--json", code=1).stderr


def disorderly(path, times):
    path.write_text("timestamp,value\n" + "".join(f"{t},{v:.4f}\n" for t, v in zip(times, wave(len(times)))))
    return path


@pytest.mark.parametrize("times, said, advice", [
    ([moment(400 - i) for i in range(400)], "392 of 400 rows were not in order", "sort the rows by time"),  # after 50 that are late time begins anew
    ([moment(0)] * 400, "399 of 400 rows were not in order", "give each time one row"),
    ([moment(7 * 288 * i) for i in range(400)], "399 of 400 rows were not in order", "the usual step is 7d00h (--time.jump.max.ms=2419200000, say)"),
])
def test_what_is_not_in_order_is_told(tmp_path, times, said, advice):
    done = detect(disorderly(tmp_path / "disorder.csv", times), code=2)
    assert len(rows(done.stdout)) == 400 and said in done.stderr and advice in done.stderr


def test_the_advice_for_weekly_rows_helps(tmp_path):
    file = disorderly(tmp_path / "weekly.csv", [moment(7 * 288 * i) for i in range(400)])
    assert detect(file, "--time.jump.max.ms=2419200000").stderr == ""


def test_some_disorder_is_a_warning(tmp_path):
    workdays = [moment(288 * day) for day in range(560) if day % 7 < 5]  # every Monday comes three days after its Friday
    done = detect(disorderly(tmp_path / "workdays.csv", workdays))
    assert "79 far ahead): raise --time.jump.max.ms" in done.stderr and "--time.jump.max.ms=345600000" in done.stderr
    twice = [moment(i // 2) for i in range(400)]
    done = detect(disorderly(tmp_path / "twice.csv", twice))
    assert "200 of a repeated time" in done.stderr and "each a file" in done.stderr
    assert detect(disorderly(tmp_path / "few.csv", [moment(i - i % 50 // 49) for i in range(400)])).stderr == ""


def test_a_file_cannot_steer_the_terminal(tmp_path):
    file = tmp_path / "escape.csv"
    file.write_text("timestamp,va\x1b[1mlue\n1704067200,1\n\x1b]0;pwned\x07\x1b[31mx,2\n1704067260,\x1b[5m\n")
    done = detect(file, "--explain=3", code=2)
    assert not {"\x1b", "\x07"} & set(done.stderr) and '3: " ]0;pwned  [31mx" is no time' in done.stderr
    assert all("\x1b" not in r["reason"] for r in rows(done.stdout))


def test_bad_lines_are_named_and_kept(tmp_path):
    lines = [f"{moment(i)},{v:.4f}" for i, v in enumerate(wave(400))]
    lines[100] = "soon,5"
    lines[150] = f"{moment(150)},five"
    lines[200] = f'"{moment(200)},5'  # never closed: this line is lost and no other
    lines[210] = moment(210)
    lines[220] = f"{moment(220)},"
    lines[221] = f"{moment(221)},NaN"
    lines[222] = f"{moment(222)},-inf"
    lines[300] = f"{moment(299)},10"       # repeated
    lines[320] = f"{moment(250)},10"       # late
    lines[340] = f"{moment(340 + 5000)},10"  # weeks ahead
    file = tmp_path / "bad.csv"
    file.write_text("timestamp,value\n" + "\n".join(lines) + "\n")
    done = detect(file, code=2)
    out = rows(done.stdout)
    assert len(out) == 400
    assert [r["timestamp"] for r in out[195:200]] == [moment(i) for i in range(195, 200)]
    for line, what in ((102, '"soon" is no time'), (152, '"five" is no number: column value'), (202, "no well-formed CSV"),
                       (212, "only 1 fields")):
        assert f"{file}:{line}: {what}" in done.stderr
        assert what in out[line - 2]["reason"] and float(out[line - 2]["anomaly_score"]) == 0
    assert out[150]["value"] == "five"
    for i in (220, 221, 222):
        assert out[i]["reason"] == "no value" and float(out[i]["p"]) == 1
    assert out[300]["reason"].startswith("a repeated time") and out[320]["reason"].startswith("late")
    assert out[340]["reason"].startswith("far ahead") and out[341]["reason"] == ""
    told = json.loads(detect(file, "--json", code=2).stdout)
    assert told["bad"] == 4 and told["marks"]["late"] == told["marks"]["ahead"] == told["marks"]["repeated"] == 1
    assert told["marks"]["no_time"] == 2 and told["marks"]["no_value"] == 5


@pytest.mark.parametrize("text, words, said", [
    ("timestamp,value\n", (), "no row below the column names"),
    ("", (), "a line of column names is wanted"),
    ("a;b\n2024-01-01;1\n", (), "--delimiter"),
    ("2024-01-01,1\n2024-01-02,2\n", (), 'table.csv:1: "2024-01-01" is a time, not a column\'s name'),
    ("a,1.5\n2024-01-02,2\n", (), 'table.csv:1: "1.5" is a number, not a column\'s name'),
    ("a,b\n2024-01-01,x\n", (), "no column beside the times has a number"),
    ("a,b\n2024-01-01,1\n", ("--value-columns=c",), 'no column "c"'),
    ("a,b\n2024-01-01,1\n", ("--time-column=c",), 'no column "c"'),
])
def test_a_file_that_is_no_table(tmp_path, text, words, said):
    file = tmp_path / "table.csv"
    file.write_text(text)
    assert said in detect(file, *words, code=2).stderr


def test_the_file_is_not_written_over(spiky):
    before = spiky.read_bytes()
    assert "is what is read" in detect(spiky, "-o", spiky, code=1).stderr
    assert spiky.read_bytes() == before


# ---- several columns ----

def machine(n=4000, seed=11):
    """Flow and pressure go together, temperature by itself."""
    rng, load, columns = random.Random(seed), 0.0, ([], [], [])
    for _ in range(n):
        load = 0.95 * load + rng.gauss(0, 0.3)
        for column, value in zip(columns, (20 + 3 * load, 5 + load, 60 + rng.gauss(0, 1))):
            column.append(value + rng.gauss(0, 0.1))
    return columns


NAMES = ("flow", "pressure", "temperature")


def test_several_columns_blame_the_right_one(tmp_path):
    columns = machine()
    columns[2][3000] += 12
    columns[1][3500] -= 9
    file = table(tmp_path / "machine.csv", *columns, names=NAMES)
    out = rows(detect(file).stdout)
    assert len(out) == 4000
    assert out[3000]["reason"].startswith("temperature") and out[3000]["value"] == "%.6f" % columns[2][3000]
    assert "pressure" in out[3500]["reason"] and out[3500]["value"] == "%.6f" % columns[1][3500]
    assert float(out[3000]["p"]) < 1e-4 and float(out[3500]["p"]) < 1e-4
    told = {s["line"]: s["attribution"] for s in json.loads(detect(file, "--explain=2", "--json").stdout)["strongest"]}
    for line, column, direction in ((3002, "temperature", "high"), (3502, "pressure", "low")):
        assert (told[line][0]["column"], told[line][0]["direction"]) == (column, direction) and told[line][0]["share"] > 0.5
        assert all(0 < part["share"] <= 1 for part in told[line])
    assert "temperature" in detect(file, "--explain=2", "-o", tmp_path / "out.csv").stdout.split("shares", 1)[1]


def test_columns_may_be_named_and_go_missing(tmp_path):
    columns = machine(1000)
    file = tmp_path / "machine.csv"
    table(file, *columns, names=NAMES)
    lines = file.read_text().splitlines()
    for i in range(400, 500):
        lines[i] = ",".join([*lines[i].split(",")[:3], ""])
    file.write_text("\n".join(lines) + "\n")
    out = rows(detect(file).stdout)
    assert len(out) == 1000 and all(r["reason"] != "no value" for r in out)
    assert all(r["reason"] for r in out[399:499]) and sum(r["reason"] == "no value: temperature" for r in out[399:499]) > 90
    assert not any("no value" in r["reason"] for r in out[:399] + out[499:])
    told = json.loads(detect(file, "--value-columns=temperature", "--json").stdout)
    assert told["columns"] == ["temperature"] and told["marks"]["no_value"] == 100


def test_columns_that_are_left_out_are_named(tmp_path):
    file = tmp_path / "semi.csv"
    file.write_text("t;a;unit;b\n" + "".join(f"{moment(i)};0,5;bar;{v:.4f}\n" for i, v in enumerate(wave(400))))
    done = detect(file, "--delimiter=;", "--json")
    assert json.loads(done.stdout)["columns"] == ["b"]
    assert 'no number there: a ("0,5"), unit ("bar"); --value-columns' in done.stderr
    assert detect(file, "--delimiter=;", "--value-columns=b").stderr == ""


def test_times_may_have_a_pattern(tmp_path):
    file = tmp_path / "times.csv"
    file.write_text("t,value\n" + "".join(f"{START + i * STEP:%d/%m/%Y %H:%M},{v:.4f}\n" for i, v in enumerate(wave(spikes=(3000,)))))
    out = rows(detect(file, "--time-format=%d/%m/%Y %H:%M").stdout)
    assert float(out[3000]["p"]) < 1e-4 and out[3000]["timestamp"] == f"{START + 3000 * STEP:%d/%m/%Y %H:%M}"
    assert '"01/03/2024 00:00" is no time: ISO 8601 or an epoch is; any other wants --time.format' in detect(file, code=2).stderr
    assert 'time.format: "noon" is neither a name (auto, ' in detect(file, "--time-format=noon", code=1).stderr


def test_several_texts_stand_for_a_missing_value(tmp_path):
    file = table(tmp_path / "gaps.csv", wave(400))
    lines = file.read_text().splitlines()
    for i, text in ((1, "NA"), (100, "-9999.0"), (200, "-9999"), (300, "n/a")):
        lines[i] = lines[i].split(",")[0] + "," + text
    file.write_text("\n".join(lines) + "\n")
    done = detect(file, "--missing=NA,n/a,-9999,none,-1")
    assert [i for i, r in enumerate(rows(done.stdout), 1) if r["reason"] == "no value"] == [1, 100, 200, 300]
    assert done.stderr == f'forebay detect: {file}: --missing: no value is "none", "-1"\n'
    assert detect(file, "--missing=NA,n/a,-9999").stderr == ""


def test_a_column_that_begins_late_hides_no_other(tmp_path):
    flow, late = wave(1100, spikes=(1010,)), wave(1100, seed=5)
    file = table(tmp_path / "late.csv", flow, late, names=("flow", "late"))
    lines = file.read_text().splitlines()
    lines[1:1001] = [",".join([*line.split(",")[:2], ""]) for line in lines[1:1001]]
    file.write_text("\n".join(lines) + "\n")
    out = rows(detect(file, "--group=false").stdout)
    assert float(out[1010]["p"]) < 1e-4 and out[1010]["reason"].startswith("flow ")
    assert not any("learning" in r["reason"] for r in out[100:])
    assert json.loads(detect(file, "--group=false", "--json").stdout)["marks"]["learning"] < 100


# ---- the public corpus ----

def test_nab_is_no_worse_than_it_was(tmp_path):
    sys.path.insert(0, str(places.TOP / "benchmarks"))
    import nab  # noqa: E402
    if not nab.DATA.is_dir():
        pytest.skip(f"NO NAB DATA in {nab.DATA}: set FOREBAY_TEST_DATA to the folder of the data sets")
    corpus = nab.ours(tmp_path, places.program("forebay"))
    assert len(corpus.windows) == 29 and sum(corpus.windows) == 58
    best, _ = corpus.best("standard")
    assert best >= 58, f"standard score {best:.2f}"
    fixed = corpus.at(nab.score_of(1e-3), "standard")
    assert fixed >= 55, f"standard score at p < 1e-3: {fixed:.2f}"
    assert nab.published("randomCutForest").best("standard")[0] == pytest.approx(51.55, abs=0.01), "the rule itself"
    assert nab.published("windowedGaussian").best("standard")[0] == pytest.approx(38.91, abs=0.01)
