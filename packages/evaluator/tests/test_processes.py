"""Metrics over several processes."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import evaluator_workers

from eng.dist.testing import run_in_processes

pytest.importorskip("torchmetrics")
pytest.importorskip("sklearn")


def test_every_sample_counts_once_in_several_processes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_in_processes(evaluator_workers.collect, 3, tmp_path)


def test_every_sample_counts_once_where_processes_share_samples(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_in_processes(evaluator_workers.collect_in_tensor_groups, 2, tmp_path)
