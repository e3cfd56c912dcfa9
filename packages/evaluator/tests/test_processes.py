"""Metrics over several processes."""

import multiprocessing
import pickle
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import evaluator_cases

pytest.importorskip("torchmetrics")


def test_every_sample_counts_once_in_several_processes(tmp_path):
    world = 3
    context = multiprocessing.get_context("spawn")
    ranks = [
        context.Process(target=evaluator_cases.run_rank, args=(str(tmp_path), rank, world))
        for rank in range(world)
    ]
    for rank in ranks:
        rank.start()
    for rank in ranks:
        rank.join(120)
        rank.kill()
    problems = [pickle.loads((tmp_path / f"rank_{r}.pkl").read_bytes()) for r in range(world)]
    assert problems == [""] * world, "\n".join(problems)
