"""A run that was killed at any moment and resumed ends with the numbers of one that was not."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from exact_cases import DIMENSIONS, Case, pairwise

PROGRAM = Path(__file__).with_name("exact_cases.py")
#: Two set-ups that between them have most of what has once gone wrong.
FEW = [
    Case(workers="2", source="object", best=True, accumulation="3, not divisible", ema=True),
    Case(loop="iter", source="shuffle", best=True, accumulation="3", processes=2, seed=False),
]
MANY = [*pairwise(0), *pairwise(1)]


def check(case: Case, kills: int, seed: int, folder: Path) -> int:
    order = json.dumps({"case": asdict(case), "kills": kills, "seed": seed})
    done = subprocess.run(
        [sys.executable, str(PROGRAM), str(folder)],
        input=order + "\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    report = json.loads(done.stdout)
    assert report["problems"] == []
    assert report["kills"] >= kills
    return int(report["kills"])


@pytest.mark.slow
@pytest.mark.parametrize(
    "case",
    [
        pytest.param(FEW[0], id="epoch"),
        pytest.param(FEW[1], id="iter", marks=pytest.mark.exhaustive),
    ],
)
def test_a_few_kills(case: Case, tmp_path: Path) -> None:
    check(case, 2, 0, tmp_path)


@pytest.mark.exact
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("number", range(len(MANY)))
def test_kills_at_random_moments(number: int, tmp_path: Path) -> None:
    check(MANY[number], 14, number, tmp_path)


def test_the_cases_have_each_pair_of_settings() -> None:
    values = [asdict(case) for case in pairwise(0)]
    for first, second in (("workers", "source"), ("processes", "accumulation"), ("best", "ema")):
        pairs = {(each[first], each[second]) for each in values}
        assert len(pairs) == len(DIMENSIONS[first]) * len(DIMENSIONS[second])
