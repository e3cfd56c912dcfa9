"""The command ``eng plot``."""

import json
import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))

from recorded_runs import record_start, train, validate

from eng.cli import main


@pytest.fixture
def runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, scale in (("first", 1), ("second", 2)):
        records = [train(i, 1, loss=scale / i, lr=0.1) for i in range(1, 41)]
        record_start(tmp_path / name, "20260101_000000", [*records, validate(1, acc=0.1 * scale)])
    return tmp_path


def read_data(page):
    (text,) = re.findall(r'<script id="data" type="application/json">(.*?)</script>', page, re.S)
    return json.loads(text)


def test_page_and_picture(runs, capsys):
    assert main(["plot", "first", "second"]) == 0
    assert capsys.readouterr().out.split() == ["curves.html", "curves.png"]
    page = (runs / "curves.html").read_text()
    data = read_data(page)
    assert data["panels"] == ["loss", "acc", "lr", "val/time", "val/data_time"]
    assert [run["name"] for run in data["runs"]] == ["first", "second"]
    steps, values = data["runs"][1]["curves"]["loss"]
    assert steps == list(range(1, 41))
    assert values[:3] == [2, 1, 0.6666667]
    assert data["runs"][0]["curves"]["acc"] == [[40], [0.1]]
    with Image.open(runs / "curves.png") as picture:
        pixels = np.asarray(picture.convert("RGB")).reshape(-1, 3)
    for color in ((0x3B, 0x82, 0xD6), (0xE0, 0x76, 0x2A)):  # a line of each run
        assert (pixels == color).all(1).sum() > 200


def test_the_page_needs_no_network_and_is_small(runs):
    main(["plot", "first", "--out", "one.html"])
    page = (runs / "one.html").read_text()
    assert not re.search(r"https?://|\bsrc=|<link|@import|fetch\(|url\(", page)
    assert len(page) - len(json.dumps(read_data(page))) < 50_000
    assert "@@" not in page


def test_where_files_go(runs):
    (runs / "folder").mkdir()
    for out in ("folder", "x.png", "y.html"):
        options = ["--names", "loss", "--smoothing", "0.5", "--log-y"]
        assert main(["plot", "first", "--out", out, *options]) == 0
    files = sorted(str(path.relative_to(runs)) for path in runs.rglob("*.[ph][nt]*"))
    assert files == ["folder/curves.html", "folder/curves.png", "x.png", "y.html"]


@pytest.mark.parametrize(
    ("suffix", "magic"), [("svg", b"<?xml"), ("pdf", b"%PDF"), ("jpg", b"\xff\xd8")]
)
def test_pictures_of_other_formats(runs, suffix, magic):
    assert main(["plot", "first", "--out", f"x.{suffix}"]) == 0
    assert [path.name for path in runs.glob("x.*")] == [f"x.{suffix}"]
    assert (runs / f"x.{suffix}").read_bytes().startswith(magic)


def test_dollars_are_no_math(tmp_path):
    folder = tmp_path / r"run $\frac$"
    record_start(folder, "20260101_000000", [train(1, 1, **{r"$\frac$ loss": 1.0})])
    assert main(["plot", str(folder), "--out", str(tmp_path / "x.png")]) == 0
    assert (tmp_path / "x.png").exists()


def test_hostile_names_and_values(tmp_path):
    name = "</script><b>@@DATA@@ loss"
    records = [train(1, 1, **{name: math.nan, "lr": -1.0}), train(2, 1, **{name: 5e300})]
    record_start(tmp_path / "<i>&", "20260101_000000", records)
    out = tmp_path / "page.html"
    assert main(["plot", str(tmp_path / "<i>&"), "--out", str(out)]) == 0
    page = out.read_text()
    assert "<i>&" not in page
    assert "<title>&lt;i&gt;&amp;</title>" in page
    assert read_data(page)["runs"][0]["curves"][name] == [[1, 2], [None, 5e300]]
    assert main(["plot", str(tmp_path / "<i>&"), "--out", str(out.with_suffix(".png"))]) == 0


def test_mistakes_are_reported_in_one_line(runs, capsys):
    assert main(["plot", "frist"]) == 2
    assert main(["plot", "first", "--smoothing", "1"]) == 2
    assert main(["plot", "first", "--names", "los$"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("eng: frist is not a directory: expected the work directory")
    assert lines[1] == "eng: --smoothing must be from 0 to below 1, got 1"
    assert (
        lines[2]
        == "eng: no scalar matches 'los$'; recorded are: acc, loss, lr, val/data_time, val/time"
    )


def test_reading_runs_needs_no_torch():
    code = (
        "import sys, eng.vis.runs.plot_command, eng.vis.runs.page, eng.vis.runs.picture;"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
